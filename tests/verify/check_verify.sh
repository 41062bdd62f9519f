#!/bin/sh
# Whole runs of the programs: for each folder beside this script, `cmd` is run by sh in an empty
# folder, and what it prints, with its exit code, must be `expected`.
#
#   check_verify.sh [--update] [NAME...]
#
# cmd sees $srcdir, $builddir (whose programs come first in PATH) and $pcaps, the built captures.
# Cases whose name begins with ids- need weir-ids, with ids-pcre PCRE2 too, with ids-config libyaml, with prads- weir-prads, with proto-http libhtp.
# --update writes `expected` anew.
set -u
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
srcdir=$(CDPATH='' cd -- "${srcdir:-$here/../..}" && pwd)
builddir=$(CDPATH='' cd -- "${builddir:-$srcdir/build}" && pwd)
pcaps=$builddir/pcaps
PATH=$builddir:$PATH
export srcdir builddir pcaps PATH
LC_ALL=C TZ=UTC
export LC_ALL TZ
unset NO_COLOR

update=no
[ "${1:-}" != --update ] || { update=yes; shift; }
# shellcheck disable=SC2046,SC2012 # names of cases hold no spaces
[ $# -gt 0 ] || set -- $(cd "$srcdir/tests/verify" && ls -d -- */ | tr -d /)

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
n=0 bad=0
for name; do
    case=$srcdir/tests/verify/$name
    n=$((n + 1))
    case $name in
    proto-http*)
        grep -q '^#define HAVE_HTP' "$builddir/config.h" || { echo "ok $n - $name # SKIP no libhtp"; continue; } ;;
    ids-app*)
        { [ -x "$builddir/weir-ids" ] && grep -q '^#define HAVE_HTP' "$builddir/config.h"; } ||
            { echo "ok $n - $name # SKIP no libhtp"; continue; } ;;
    ids-pcre*)
        { [ -x "$builddir/weir-ids" ] && grep -q '^#define HAVE_PCRE2' "$builddir/config.h"; } ||
            { echo "ok $n - $name # SKIP no PCRE2"; continue; } ;;
    ids-config*)
        { [ -x "$builddir/weir-ids" ] && grep -q '^#define HAVE_YAML' "$builddir/config.h"; } ||
            { echo "ok $n - $name # SKIP no libyaml"; continue; } ;;
    ids-*) [ -x "$builddir/weir-ids" ] || { echo "ok $n - $name # SKIP no weir-ids"; continue; } ;;
    prads-*) [ -x "$builddir/weir-prads" ] || { echo "ok $n - $name # SKIP no weir-prads"; continue; } ;;
    esac
    mkdir "$work/run"
    (cd "$work/run" && sh "$case/cmd" >"$work/said" 2>&1; echo "exit $?" >>"$work/said")
    # a build with futures debugged tells of slow handlers: on a busy machine that is no bug
    sed -i '/^weir: core [0-9]*: .* ran for [0-9]* us$/d' "$work/said"
    # what was compiled, by which library, and how fast
    sed -i '/^weir-ids: Hyperscan /d; /^weir-ids: a flow takes /d; /^weir-ids: compiled in /d' "$work/said"
    rm -rf "$work/run"
    # libcrypto makes community ids
    expected=$case/expected
    if [ $update = no ] && ! grep -q '^#define HAVE_CRYPTO' "$builddir/config.h"; then
        sed 's/"community_id":"[^"]*",//g' "$case/expected" >"$work/expected"
        expected=$work/expected
    fi
    if [ $update = yes ]; then
        cp "$work/said" "$case/expected"
    fi
    if cmp -s "$work/said" "$expected"; then
        echo "ok $n - $name"
    else
        diff "$expected" "$work/said" | sed 's/^/# /' | head -n 40
        echo "not ok $n - $name"
        bad=1
    fi
done
echo "1..$n"
exit $bad
