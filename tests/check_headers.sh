#!/bin/sh
# Each public header compiles alone, and twice, as strict C11; as C++ too where it makes provision.
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
echo "1..$n"
