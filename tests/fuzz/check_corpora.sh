#!/bin/sh
# Replays tests/fuzz/corpus/NAME through the fuzz target tests/fuzz/fuzz_NAME, for all names.
set -u
n=0
for corpus in "$srcdir"/tests/fuzz/corpus/*/; do
    name=$(basename "$corpus")
    target=$builddir/tests/fuzz/fuzz_$name
    n=$((n + 1))
    if [ ! -x "$target" ]; then
        echo "ok $n - $name # SKIP not built"
    elif said=$("$target" -runs=0 "$corpus" 2>&1); then
        echo "ok $n - $name: $(printf '%s\n' "$said" | tail -n 1)"
    else
        printf '%s\n' "$said" | sed 's/^/# /'
        echo "not ok $n - $name"
    fi
done
echo "1..$n"
