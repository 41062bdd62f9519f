#!/bin/sh
# --control and --metrics of running programs: packets come through a pipe for as long as it takes.
set -u
: "${srcdir:?}" "${builddir:?}"
if ! command -v python3 >/dev/null; then
    echo '1..0 # SKIP it takes python3'
    exit 0
fi
exec python3 "$srcdir/tests/control.py" "$builddir"
