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

# one NAME: how it went, for the TAP.
one() {
    name=$1
    case=$srcdir/tests/verify/$name
    case $name in
    proto-http*) needs HTP libhtp || return ;;
    ids-app*) needs_ids && needs HTP libhtp || return ;;
    ids-pcre*) needs_ids && needs PCRE2 PCRE2 || return ;;
    ids-config*) needs_ids && needs YAML libyaml || return ;;
    ids-*) needs_ids || return ;;
    prads-*) [ -x "$builddir/weir-prads" ] || { skip weir-prads; return; } ;;
    esac
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
    mkdir "$work/run"
    (cd "$work/run" && sh "$case/cmd" >"$work/said" 2>&1; echo "exit $?" >>"$work/said")
    # a build with futures debugged tells of slow handlers: on a busy machine that is no bug
    sed -i '/^weir: core [0-9]*: .* ran for [0-9]* us$/d' "$work/said"
    # what was compiled, by which library, and how fast
    sed -i '/^weir-ids: Hyperscan /d; /^weir-ids: a flow takes /d; /^weir-ids: compiled in /d' "$work/said"
    # libcrypto makes community ids
    expected=$case/expected
    if [ "$update" = no ] && ! has CRYPTO; then
        sed 's/"community_id":"[^"]*",//g' "$case/expected" >"$work/expected"
        expected=$work/expected
    fi
    if [ "$update" = yes ]; then
        cp "$work/said" "$case/expected"
    fi
    if cmp -s "$work/said" "$expected"; then
        echo "ok - $name"
    else
        diff "$expected" "$work/said" | sed 's/^/# /' | head -n 40
        echo "not ok - $name"
    fi
}
has() { grep -q "^#define HAVE_$1" "$builddir/config.h"; }
skip() { echo "ok - $name # SKIP no $1"; }
needs() { has "$1" || { skip "$2"; return 1; }; }
needs_ids() { [ -x "$builddir/weir-ids" ] || { skip weir-ids; return 1; }; }

if [ "${1:-}" = --one ]; then
    update=$2
    one "$3"
    exit
fi
update=no
[ "${1:-}" != --update ] || { update=yes; shift; }
# shellcheck disable=SC2046,SC2012 # names of cases hold no spaces
[ $# -gt 0 ] || set -- $(cd "$srcdir/tests/verify" && ls -d -- */ | tr -d /)

# As many at a time as there are CPUs; many of them wait for most of their time.
said=$(mktemp)
trap 'rm -f "$said"' EXIT
printf '%s\n' "$@" | xargs -n 1 -P "$(getconf _NPROCESSORS_ONLN)" sh "$0" --one $update >"$said"
cat "$said"
echo "1..$#"
[ "$(grep -c '^ok - ' "$said")" -eq $# ]
