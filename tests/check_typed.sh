#!/bin/sh
# Typed futures (include/weir/future.h): a wrong joint does not compile, a right one does.
set -u
: "${srcdir:?}" "${builddir:?}"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
compiler=$(sed -n 's/^CC = //p' "$builddir/Makefile")
n=0

cat >"$work/common.h" <<'END'
#include <weir/future.h>
struct flow { int n; };
struct other { int n; };
WEIR_FUTURE(num, uint64_t);
WEIR_FUTURE(text, const char *);
WEIR_HANDLER(num, plus_one, struct flow *, flow, num, x) { flow->n++; return num_ok(x + 1); }
WEIR_HANDLER(text, name_of, struct flow *, flow, num, x) { flow->n++; return text_ok(x > 1 ? "many" : "one"); }
WEIR_HANDLER(num, length, struct flow *, flow, text, s) { flow->n++; return num_ok(strlen(s)); }
WEIR_HANDLER(num, elsewhere, struct other *, other, num, x) { other->n++; return num_ok(x); }
num_fut ask(struct flow *flow);
END

compiles() { # the snippet on standard input
    { echo '#include "common.h"'; cat; } >"$work/it.c"
    $compiler -std=gnu11 -S -o /dev/null -Wall -Wextra -Werror -Wno-unused-function -Wno-unused-const-variable \
        -Wno-unused-variable -I"$srcdir/include" -I"$work" "$work/it.c" 2>"$work/log"
}

say() { # ok|'not ok' TEXT
    n=$((n + 1))
    [ "$1" = ok ] || sed 's/^/# /' "$work/log" | head -n 20
    echo "$1 $n - $2"
}

good() {
    if compiles; then say ok "$1"; else say 'not ok' "$1"; fi
}

bad() { # TEXT PATTERN: it must fail, and for this reason
    if compiles; then
        say 'not ok' "$1: it compiles"
    elif grep -Eq "$2" "$work/log"; then
        say ok "$1"
    else
        say 'not ok' "$1: it fails for another reason"
    fi
}

good 'a chain whose stages fit' <<'END'
WEIR_CHAIN(chain, struct flow *, num, plus_one, name_of, length, plus_one);
weir_fut f(struct flow *flow);
weir_fut f(struct flow *flow) { return length_then(name_of_then(ask(flow), flow), flow).f; }
weir_fn g(void);
weir_fn g(void) { return chain[3]; }
END
bad 'a chain whose stage takes another value' 'incompatible type' <<'END'
WEIR_CHAIN(chain, struct flow *, num, name_of, plus_one);
END
bad 'a chain whose first stage takes another value' 'incompatible type' <<'END'
WEIR_CHAIN(chain, struct flow *, num, length);
END
bad 'a chain whose stage takes another context' 'incompatible[ -]pointer' <<'END'
WEIR_CHAIN(chain, struct flow *, num, plus_one, elsewhere);
END
bad 'a handler that returns another future' 'incompatible' <<'END'
WEIR_HANDLER(num, wrong, struct flow *, flow, num, x) { (void)flow; (void)x; return text_ok("x"); }
END
bad 'a value of another type' 'int-conversion|makes pointer from integer|incompatible integer' <<'END'
text_fut f(void);
text_fut f(void) { return text_ok(UINT64_C(1)); }
END
bad 'a handler after a future of another type' 'incompatible type' <<'END'
num_fut f(struct flow *flow);
num_fut f(struct flow *flow) { return length_then(ask(flow), flow); }
END
bad 'a typed future where a plain one belongs' 'incompatible type' <<'END'
weir_fut f(struct flow *flow);
weir_fut f(struct flow *flow) { return weir_then(ask(flow), plus_one_raw, flow); }
END
bad 'a result that nobody takes' 'unused[ -]result' <<'END'
void f(struct flow *flow);
void f(struct flow *flow) { plus_one_then(ask(flow), flow); }
END
bad 'a value that does not fit' 'payload over 8 bytes' <<'END'
struct big { uint64_t a, b; };
WEIR_FUTURE(big, struct big);
END
echo "1..$n"
