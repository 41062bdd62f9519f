#!/bin/sh
# The table of doc/events.md lists every event of the code with its fields, and no other.
set -u
listed=$(sed -n 's/^| `\([a-z_]*\)` |\([^|]*\)|.*/\1\2/p' "$srcdir/doc/events.md" |
    tr -d '`' | sed 's/ *$//')
real=$("$builddir/tests/list_events")
echo 1..1
if [ "$listed" = "$real" ]; then
    echo 'ok 1 - doc/events.md lists the events of the code'
else
    echo 'not ok 1 - doc/events.md lists the events of the code'
    printf '%s\n' "$listed" >listed.$$
    printf '%s\n' "$real" | diff listed.$$ - | sed 's/^/# /'
    rm -f listed.$$
fi
