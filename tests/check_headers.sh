#!/bin/sh
# Each public header compiles alone, and twice, as strict C11; as C++ too where it makes provision. Apps
# include nothing of the monitor's inside.
set -u
: "${srcdir:?}" "${builddir:?}"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
compiler=$(sed -n 's/^CC = //p' "$builddir/Makefile")
n=0

compiles() { # HEADER LANGUAGE STANDARD
    printf '#include <weir/%s>\n#include <weir/%s>\nextern int nothing;\n' "$1" "$1" >"$work/it.c"
    $compiler -x "$2" -std="$3" -pedantic-errors -Wall -Wextra -Wshadow -Wconversion -Wno-sign-conversion \
        -Werror -fsyntax-only -I"$srcdir/include" "$work/it.c" 2>"$work/log"
}

check() { # HEADER LANGUAGE STANDARD
    n=$((n + 1))
    if compiles "$@"; then
        echo "ok $n - $1 as $3"
    else
        sed 's/^/# /' "$work/log" | head -n 20
        echo "not ok $n - $1 as $3"
    fi
}

for header in "$srcdir"/include/weir/*.h; do
    check "$(basename "$header")" c c11
    ! grep -q __cplusplus "$header" || check "$(basename "$header")" c++ c++17
done

# Of monitor/, what programs share.
shared='cli.h cli_dump.h cli_live.h cli_set.h counts.h eve.h for_programs.h keep.h out_json.h syns.h'
for header in "$srcdir"/monitor/*.h; do
    name=$(basename "$header")
    case " $shared " in
    *" $name "*) continue ;;
    esac
    grep -rn "#include \"$name\"" "$srcdir/apps" | while read -r line; do
        file=${line%%:*}
        # an app's own header of the same name stands beside what includes it
        [ -e "$(dirname "$file")/$name" ] || printf '%s\n' "$line"
    done
done >"$work/inside"
n=$((n + 1))
sed "s,^$srcdir/,# ," "$work/inside"
[ ! -s "$work/inside" ] || printf 'not '
echo "ok $n - apps include nothing of the monitor's inside"
echo "1..$n"
