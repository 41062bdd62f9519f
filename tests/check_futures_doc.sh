#!/bin/sh
# The example of doc/futures.md: it builds against the library, and prints what the page says.
set -u
: "${srcdir:?}" "${builddir:?}"
echo 1..2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
awk '/^```c$/ { on = 1; next } /^```$/ { on = 0 } on' "$srcdir/doc/futures.md" >"$work/example.c"
awk '/^prints$/ { wait = 1 } /^```$/ { if (on) exit; on = wait; next } on' "$srcdir/doc/futures.md" >"$work/expected"
# The sanitizers of this build, if any, have to be in the program too.
flags=$(sed -n 's/^SAN_FLAGS = //p' "$builddir/Makefile")
compiler=$(sed -n 's/^CC = //p' "$builddir/Makefile")
# shellcheck disable=SC2086
if $compiler $flags -Wall -Wextra -Werror "$work/example.c" -I"$srcdir/include" -L"$builddir/.libs" \
    -Wl,-rpath,"$builddir/.libs" -lweir -o "$work/example" 2>"$work/log"; then
    echo 'ok 1 - the example builds'
else
    sed 's/^/# /' "$work/log"
    echo 'not ok 1 - the example builds'
fi
if "$work/example" >"$work/said" 2>"$work/log" && cmp -s "$work/expected" "$work/said"; then
    echo 'ok 2 - it prints what the page says'
else
    diff "$work/expected" "$work/said" | sed 's/^/# /'
    sed 's/^/# /' "$work/log"
    echo 'not ok 2 - it prints what the page says'
fi
