#!/bin/sh
# The manual against what it describes: the public headers, the programs' options, an installation.
set -u
: "${srcdir:?}" "${builddir:?}"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
awk=$(sed -n 's/^AWK = //p' "$builddir/Makefile")
tests=$srcdir/tests/man

n=0
# result OK NAME [FILE]: one line of TAP, and what FILE holds as a comment if it is not ok
result() {
    n=$((n + 1))
    if [ "$1" -eq 0 ]; then
        echo "ok $n - $2"
    else
        echo "not ok $n - $2"
        [ $# -lt 3 ] || sed 's/^/# /' "$3"
    fi
}
skip() {
    n=$((n + 1))
    echo "ok $n - $1 # SKIP $2"
}
# empty NAME FILE: ok if nothing is in FILE
empty() {
    [ ! -s "$2" ]
    result $? "$1" "$2"
}
sorted() { LC_ALL=C sort -u; }
less() { LC_ALL=C comm -23 "$1" "$2"; }

echo 1..14

$awk -f "$tests/common.awk" -f "$tests/headers.awk" "$srcdir"/include/weir/*.h | sorted >"$work/headers"
$awk -f "$tests/common.awk" -f "$tests/pages.awk" "$srcdir"/man/*.3 | sorted >"$work/pages"
$awk -f "$srcdir/man/names.awk" "$srcdir"/man/*.3 | sorted >"$work/names"
grep -E '^(fn|macro) ' "$work/headers" >"$work/promised"
grep -E '^(fn|macro) ' "$work/pages" >"$work/written"
sed 's/^[a-z]* \([^|]*\).*/\1/' "$work/promised" | sorted >"$work/calls"

# 1: a run that found no calls would find no faults either
[ "$(grep -c '^fn ' "$work/promised")" -ge "$(cat "$srcdir"/include/weir/*.h | grep -c '^WEIR_API ')" ]
result $? 'all calls of the headers were read' "$work/promised"

less "$work/promised" "$work/written" >"$work/lacking"
empty 'a SYNOPSIS has every call, as the headers declare it' "$work/lacking"

sed -n 's/^macro \([wW][eE][iI][rR]_[^|]*\).*/\1/p' "$work/written" | sorted >"$work/claimed"
{
    less "$work/claimed" "$work/calls"
    less "$work/calls" "$work/names"
    sed -n 's/^word //p' "$work/headers" | sorted | less "$work/names" -
} >"$work/odd"
empty 'the pages name all calls, and no other' "$work/odd"

# 4: types, constants, fields; a word with a weir in it that no header knows is a slip
grep -ohE '(WEIR|weir)_[A-Za-z0-9_]+' "$srcdir"/man/*.3 | sorted >"$work/spoken"
sed -n 's/^word //p' "$work/headers" | sorted >"$work/known"
grep '^field ' "$work/headers" >"$work/fields"
{
    cat "$work/known"
    grep -ohE '(WEIR|weir)_[A-Za-z0-9_]+' "$srcdir"/include/weir/*.h
    sed -n 's/^\.Dt \([A-Z_]*\) 3$/\1/p' "$srcdir"/man/*.3 # and in lower case, for .Xr
    sed -n 's/^\.Dt \([A-Z_]*\) 3$/\1/p' "$srcdir"/man/*.3 | tr '[:upper:]' '[:lower:]'
} | sorted >"$work/allowed"
{
    less "$work/known" "$work/spoken"
    less "$work/fields" "$work/pages"
    less "$work/spoken" "$work/allowed"
} >"$work/odd"
empty 'the pages speak of all types, constants and fields, and of no other' "$work/odd"

# help_of PROGRAM [WORD]: the options of its --help, each one a line
help_of() {
    program=$builddir/$1
    shift
    "$program" "$@" --help | sed -n 's/^  *\(-.*\)/\1/p' | sed 's/  .*//' | tr -s ' ,' '[\n*]' | grep '^-' | sorted
}
# page_of: those of a page
page_of() {
    sed -n 's/^\.It Fl /Fl /p' | tr -s ' ,' '[\n*]' |
        sed -n '/^Fl$/ { n; s/^\\-/-/; s/^/-/p; }' | sorted
}
# same NAME: $work/help and $work/page hold the same
same() {
    diff "$work/help" "$work/page" >"$work/odd" && [ -s "$work/help" ]
    result $? "$1" "$work/odd"
}
# options PAGE [PROGRAM WORD]
options() {
    name="$1(1) has the options of $1 --help"
    page_of <"$srcdir/man/$1.1" >"$work/page"
    [ $# -eq 1 ] || shift
    help_of "$@" >"$work/help"
    same "$name"
}
options weir
options weir-top weir top
if [ -x "$builddir/weir-ids" ]; then
    options weir-ids
else
    skip 'weir-ids(1) has the options of weir-ids --help' 'it is not built'
fi
# 8-10: weir-prads, whose page leaves those that are weir's to weir(1), and its two tables
if [ -x "$builddir/weir-prads" ]; then
    page=$srcdir/man/weir-prads.1
    help_of weir >"$work/weirs"
    help_of weir-prads | less - "$work/weirs" >"$work/help"
    sed '/^\.Sh COMPATIBILITY/,$d' "$page" | page_of | less - "$work/weirs" >"$work/page"
    same 'weir-prads(1) has the options of weir-prads --help'
    sed '1,/^\.Sh COMPATIBILITY/d' "$page" | page_of >"$work/page"
    help_of weir-prads --compat >"$work/help"
    same 'weir-prads(1) has the options of weir-prads --compat --help'
    {
        sed -n 's/^static const char short_options.*"\(.*\)";/\1/p' "$srcdir/apps/prads/compat_options.c" |
            tr -d ':' | sed 's/./-&\n/g' | grep .
        sed -n 's/^    { "\([a-z-]*\)", [a-z]*_argument, .*/--\1/p' "$srcdir/apps/prads/compat_options.c"
    } | sorted >"$work/page"
    same 'weir-prads --compat takes the options of its --help'
else
    skip 'weir-prads(1) has the options of weir-prads --help' 'it is not built'
    skip 'weir-prads(1) has the options of weir-prads --compat --help' 'it is not built'
    skip 'weir-prads --compat takes the options of its --help' 'it is not built'
fi

# 11, 12: each literal block of a section EXAMPLES is a program, or a part of one
# shellcheck disable=SC2016
$awk -v to="$work" '
    FNR == 1 { page = FILENAME; sub(/.*\//, "", page); sub(/\.3$/, "", page); n = in_examples = 0 }
    /^\.Sh / { in_examples = $2 == "EXAMPLES" }
    /^\.Ed/ { out = "" }
    out != "" { gsub(/\\e/, "\\"); print >out }
    in_examples && /^\.Bd -literal/ { out = to "/" page "_" ++n ".c"; print "#include <weir/api.h>" >out }
' "$srcdir"/man/*.3
compiler=$(sed -n 's/^CC = //p' "$builddir/Makefile")
: >"$work/odd"
for example in "$work"/*.c; do
    $compiler -fsyntax-only -Wall -Wextra -Werror -I"$srcdir/include" "$example" 2>>"$work/odd"
done
empty 'the examples compile' "$work/odd"
for page in "$srcdir"/man/*.3; do
    case $page in
    */weir_api.3) ;;
    *) [ -e "$work/$(basename "$page" .3)_1.c" ] || basename "$page" ;;
    esac
done >"$work/odd"
empty 'each page has an example' "$work/odd"

if command -v mandoc >/dev/null 2>&1; then
    mandoc -Tlint -Wwarning "$srcdir"/man/*.[13] >"$work/odd" 2>&1
    empty 'mandoc has nothing to say' "$work/odd"
else
    skip 'mandoc has nothing to say' 'it is not installed'
fi

: >"$work/odd"
(cd "$builddir" && make -s install-data DESTDIR="$work/root" mandir=/man) >"$work/log" 2>&1 ||
    cat "$work/log" >>"$work/odd"
while read -r call; do
    file=$work/root/man/man3/$call.3
    page=$(sed -n '1s/^\.so //p' "$file" 2>/dev/null)
    grep -q "^\.Nm $call\( ,\)*$" "${page:+$work/root/man/}${page:-$file}" || echo "$call"
done <"$work/calls" >>"$work/odd" 2>&1
empty 'each call has a page or a link once installed' "$work/odd"
