#!/bin/sh
# The programs on DPDK's ports without hardware: captures, null, rings, and packet sockets on a veth pair
# in a network namespace, for which it takes root. All without hugepages.
set -u
: "${srcdir:?}" "${builddir:?}"
if ! command -v python3 >/dev/null || [ "$(id -u)" -ne 0 ]; then
    echo '1..0 # SKIP it takes python3 and root'
    exit 0
fi
exec python3 "$srcdir/tests/dpdk.py" "$builddir"
