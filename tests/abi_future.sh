#!/bin/sh
# A future travels in two registers: where results meet, the compiler must not go through memory
# (include/weir/future.h says why it is one 128-bit scalar). Looks at what $CC -O2 makes of it.
set -u
: "${srcdir:?}" "${builddir:?}"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
compiler=$(sed -n 's/^CC = //p' "$builddir/Makefile")

skip() {
    echo "1..0 # SKIP $1"
    exit 0
}
case $($compiler -dumpmachine 2>/dev/null) in
x86_64-*) ;;
*) skip 'known for x86-64 only' ;;
esac
$compiler --version 2>/dev/null | grep -Eq 'clang|GCC|gcc|Free Software' || skip 'known for gcc and clang only'

cat >"$work/future.c" <<'END'
#include <weir/future.h>
weir_fut same(weir_fut f);
weir_fut pick(bool call, weir_fn fn, void *ctx, weir_fut other);
weir_fut chain(weir_fn a, weir_fn b, void *ctx, weir_fut f);

weir_fut same(weir_fut f) { return f; }
weir_fut pick(bool call, weir_fn fn, void *ctx, weir_fut other)
{
    return call ? fn(ctx, weir_ok(1)) : other;
}
weir_fut chain(weir_fn a, weir_fn b, void *ctx, weir_fut f)
{
    return weir_then_at(weir_then_at(f, a, ctx, NULL), b, ctx, NULL);
}
END
# What must not pass: a struct that is returned through memory.
cat >"$work/control.c" <<'END'
struct three { unsigned long a, b, c; };
struct three same(struct three f);
struct three same(struct three f) { return f; }
END

assembly() { # NAME: the instructions of NAME.c
    $compiler -O2 -S -I"$srcdir/include" "$work/$1.c" -o - 2>"$work/log" | grep '^[[:space:]]*[a-z]'
}

stores() { # instructions that write to memory: the last operand is an address; push is not of them
    grep -vE '^[[:space:]]*(lea|cmp|test|call|jmp|nop|prefetch)' |
        grep -E ',[[:space:]]*[-a-zA-Z0-9_.]*\(%[^)]*\)[[:space:]]*$'
}

report() { # NUMBER TEXT FILE: ok if FILE is empty
    if [ -s "$3" ]; then
        sed 's/^/# /' "$3"
        echo "not ok $1 - $2"
    else
        echo "ok $1 - $2"
    fi
}

echo 1..3
assembly future >"$work/future.s"
[ -s "$work/future.s" ] || { sed 's/^/# /' "$work/log"; echo 'Bail out! it does not compile'; exit 1; }
stores <"$work/future.s" >"$work/stores"
report 1 'a future is not written to memory where results meet' "$work/stores"

: >"$work/missing"
grep -Eq 'mov[a-z]*[[:space:]]+%rdi, *%rax' "$work/future.s" || echo 'no rdi to rax' >>"$work/missing"
grep -Eq 'mov[a-z]*[[:space:]]+%rsi, *%rdx' "$work/future.s" || echo 'no rsi to rdx' >>"$work/missing"
report 2 'a future comes in rdi and rsi and goes in rax and rdx' "$work/missing"

: >"$work/blind"
assembly control | stores | grep -q . || echo 'three words went unnoticed' >"$work/blind"
report 3 'a struct that goes through memory is noticed' "$work/blind"
