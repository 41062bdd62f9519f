#!/bin/sh
# weir-prads knows the TCP stack of this host, where that can be tried: it takes root, network
# namespaces, and a kernel that stacks.fp was measured on, or one like it.
set -u
: "${srcdir:?}" "${builddir:?}"
echo 1..1
what='the TCP stack of this kernel is known'
if [ ! -x "$builddir/weir-prads" ]; then
    echo "ok 1 - $what # SKIP no weir-prads"
    exit 0
fi
if ! command -v python3 >/dev/null || [ "$(id -u)" -ne 0 ]; then
    echo "ok 1 - $what # SKIP it takes python3 and root"
    exit 0
fi
said=$(timeout 300 python3 "$srcdir/tests/stacks.py" "$builddir/weir-prads" \
    "$srcdir/apps/prads/stacks.fp" 2>&1)
code=$?
printf '%s\n' "$said" | sed 's/^/# /'
case $code in
0) echo "ok 1 - $what" ;;
77) echo "ok 1 - $what # SKIP $(printf '%s\n' "$said" | tail -n 1)" ;;
*) echo "not ok 1 - $what" ;;
esac
