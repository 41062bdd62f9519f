#!/bin/sh
# libweir.so exports what the public headers mark WEIR_API, and nothing else.
set -u
: "${srcdir:?}" "${builddir:?}"
library=$builddir/.libs/libweir.so
if ! command -v nm >/dev/null || [ ! -e "$library" ]; then
    echo '1..0 # SKIP no nm, or no shared library'
    exit 0
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

report() { # NUMBER TEXT FILE: ok if FILE is empty
    if [ -s "$3" ]; then
        sed 's/^/# /' "$3"
        echo "not ok $1 - $2"
    else
        echo "ok $1 - $2"
    fi
}

nm -D --defined-only "$library" | awk '$2 != "A" { sub(/@.*/, "", $3); print $3 }' | sort -u >"$work/exported"
# The name before the first parenthesis of each declaration, which may go over several lines.
cat "$srcdir"/include/weir/*.h | awk '
    /^WEIR_API / { text = ""; on = 1 }
    on { text = text " " $0 }
    on && /[(]/ { match(text, /weir_[a-z0-9_]+\(/); print substr(text, RSTART, RLENGTH - 1); on = 0 }
' | sort -u >"$work/declared"

echo 1..3
grep -v '^weir_' "$work/exported" >"$work/foreign"
report 1 'every exported symbol begins with weir_' "$work/foreign"
comm -13 "$work/exported" "$work/declared" >"$work/missing"
[ -s "$work/declared" ] || echo 'no declaration was found' >"$work/missing"
report 2 'every call of the headers is exported' "$work/missing"
comm -23 "$work/exported" "$work/declared" >"$work/extra"
report 3 'every exported symbol is a call of the headers' "$work/extra"
