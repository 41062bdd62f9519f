#!/bin/sh
# Apps outside the tree: the README's handlers, built against the installed library.
set -u
echo 1..3
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for n in 1 2; do
    awk -v n="$n" '/^```c$/ { at++; on = at == n; next } /^```$/ { on = 0 } on' "$srcdir/README.md" >"$work/$n.c"
done
if ! (cd "$builddir" && make -s install DESTDIR="$work/root" prefix=/usr exec_prefix=/usr libdir=/usr/lib \
    bindir=/usr/bin includedir=/usr/include >"$work/log" 2>&1); then
    sed 's/^/# /' "$work/log"
    echo 'not ok 1 - make install'
    echo 'not ok 2 - hello'
    echo 'not ok 3 - door'
    exit 1
fi
echo 'ok 1 - make install'
# The sanitizers of this build, if any, have to be in the program too.
flags=$(sed -n 's/^SAN_FLAGS = //p' "$builddir/Makefile")
compiler=$(sed -n 's/^CC = //p' "$builddir/Makefile")
# build NAME FILE
build() {
    # shellcheck disable=SC2086
    $compiler $flags -Wall -Wextra -Werror "$work/$2" -I"$work/root/usr/include" -L"$work/root/usr/lib" \
        -Wl,-rpath,"$work/root/usr/lib" -lweir -o "$work/$1" 2>"$work/log"
}
fail() {
    sed 's/^/# /' "$work/log" "$work/said"
    echo "not ok $1"
}
: >"$work/said"
if build hello 1.c && "$work/hello" "$builddir/pcaps/tour.pcap" >"$work/said" 2>"$work/log" &&
    grep -q '^flow [0-9]*: [1-9][0-9]* bytes$' "$work/said" &&
    grep -q '^packet [0-9]* sends other bytes' "$work/said"; then
    echo 'ok 2 - hello'
else
    fail '2 - hello'
fi
: >"$work/said"
if build door 2.c && "$work/door" "$builddir/pcaps/tour.pcap" >"$work/said" 2>"$work/log" &&
    grep -q '^[1-9][0-9]* packets: [1-9][0-9]* left, [1-9][0-9]* dropped; [1-9][0-9]* told$' "$work/said" &&
    grep -q '^back: 60 bytes$' "$work/said"; then
    echo 'ok 3 - door'
else
    fail '3 - door'
fi
