#!/bin/sh
# weir puts random fragments together as the kernel of this host does, where that can be tried: it
# takes root, network namespaces, and a kernel as of today (Linux 4.20 and later discard overlaps).
set -u
: "${srcdir:?}" "${builddir:?}"
echo 1..1
what='fragments are put together as by this kernel'
if ! command -v python3 >/dev/null || [ "$(id -u)" -ne 0 ]; then
    echo "ok 1 - $what # SKIP it takes python3 and root"
    exit 0
fi
said=$(python3 "$srcdir/tests/frag_kernel.py" "$builddir/weir" 1 500 2>&1)
code=$?
printf '%s\n' "$said" | sed 's/^/# /'
case $code in
0) echo "ok 1 - $what" ;;
77) echo "ok 1 - $what # SKIP $(printf '%s\n' "$said" | tail -n 1)" ;;
*) echo "not ok 1 - $what" ;;
esac
