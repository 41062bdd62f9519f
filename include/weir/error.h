/**
 * @file
 * Errors: one list, used for the codes, their texts and the manual.
 *
 * Functions that can fail return 0 (WEIR_E_OK) or a negative WEIR_E_* code; what they make goes
 * out by parameter. Set-up calls also take a struct weir_errbuf for the text that a person needs
 * (file, line, what was expected). A code's value never changes once released.
 *
 * Threads: everything here may be called from any thread.
 */
#ifndef WEIR_ERROR_H
#define WEIR_ERROR_H

#include <weir/api.h>

/* clang-format off */
#define WEIR_ERR_LIST(X)                                                                           \
    X(OK,           0, "success")                                                                  \
    X(NOMEM,       -1, "out of memory")                                                            \
    X(INVAL,       -2, "invalid argument")                                                         \
    X(TRUNC,       -3, "shorter than its headers claim")                                           \
    X(MALFORMED,   -4, "a field contradicts the format")                                           \
    X(IO,          -5, "input or output failed")                                                   \
    X(NOENT,       -6, "no such file or interface")                                                \
    X(FORMAT,      -7, "unknown or unsupported format")                                            \
    X(SYNTAX,      -8, "syntax error")                                                             \
    X(UNSUPPORTED, -9, "not supported")                                                            \
    X(LIMIT,      -10, "a limit was reached")                                                      \
    X(PERM,       -11, "not permitted")                                                            \
    X(AGAIN,      -12, "not now: try again")                                                       \
    X(CANCELED,   -13, "cancelled")                                                                \
    X(BROKEN,     -14, "the promise was dropped unresolved")                                       \
    X(TIMEOUT,    -15, "timed out")
/* clang-format on */

enum weir_err {
#define X(name, val, text) WEIR_E_##name = (val),
    WEIR_ERR_LIST(X)
#undef X
};

/** @return a static text for @p code; "unknown error" for one that is not in the list. */
WEIR_API const char *weir_strerror(int code);

/**
 * Text of a set-up error, for people. Always terminated. Written only where something went wrong:
 * the caller makes it empty before.
 */
struct weir_errbuf {
    char text[512];
};

/**
 * Write a text into @p err, cut to its size.
 *
 * @param err   may be NULL: then only @p code is returned.
 * @param code  a WEIR_E_* code, returned as it came, so that a caller can
 *              `return weir_err_set(err, WEIR_E_SYNTAX, "%s:%d: ...", ...)`.
 */
WEIR_API int weir_err_set(struct weir_errbuf *err, int code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
