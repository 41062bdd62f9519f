#!/bin/sh
# An app outside the tree: the README's first handler, built against the installed library.
set -u
echo 1..2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
awk '/^```c$/ { on = 1; next } /^```$/ { on = 0 } on' "$srcdir/README.md" >"$work/hello.c"
if ! (cd "$builddir" && make -s install DESTDIR="$work/root" prefix=/usr exec_prefix=/usr libdir=/usr/lib \
    bindir=/usr/bin includedir=/usr/include >"$work/log" 2>&1); then
    sed 's/^/# /' "$work/log"
    echo 'not ok 1 - make install'
    echo 'not ok 2 - hello'
    exit 1
fi
echo 'ok 1 - make install'
# The sanitizers of this build, if any, have to be in the program too.
flags=$(sed -n 's/^SAN_FLAGS = //p' "$builddir/Makefile")
compiler=$(sed -n 's/^CC = //p' "$builddir/Makefile")
# shellcheck disable=SC2086
if $compiler $flags -Wall -Wextra -Werror "$work/hello.c" -I"$work/root/usr/include" -L"$work/root/usr/lib" \
    -Wl,-rpath,"$work/root/usr/lib" -lweir -o "$work/hello" 2>"$work/log" &&
    "$work/hello" "$builddir/pcaps/tour.pcap" >"$work/said" 2>"$work/log" &&
    grep -q '^flow [0-9]*: [1-9][0-9]* bytes$' "$work/said" &&
    grep -q '^packet [0-9]* sends other bytes' "$work/said"; then
    echo 'ok 2 - hello'
else
    cat "$work/log" "$work/said" | sed 's/^/# /'
    echo 'not ok 2 - hello'
fi
