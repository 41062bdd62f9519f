#!/bin/sh
# The programs inline, between hosts that are network namespaces, where they can be made: that takes root.
# check_inline.sh [TEST...]; without, all but those of check_inline_more.sh, which may run at the same time.
set -u
: "${srcdir:?}" "${builddir:?}"
if ! command -v python3 >/dev/null || [ "$(id -u)" -ne 0 ]; then
    echo '1..0 # SKIP it takes python3 and root'
    exit 0
fi
[ $# -gt 0 ] || set -- --but attacks dpdk
exec python3 "$srcdir/tests/inline.py" "$builddir" "$@"
