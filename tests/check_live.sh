#!/bin/sh
# The programs on interfaces, in a network namespace, where one can be made: that takes root.
set -u
: "${srcdir:?}" "${builddir:?}"
if ! command -v python3 >/dev/null || [ "$(id -u)" -ne 0 ]; then
    echo '1..0 # SKIP it takes python3 and root'
    exit 0
fi
exec python3 "$srcdir/tests/live.py" "$builddir"
