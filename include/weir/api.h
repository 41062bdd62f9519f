/**
 * @file
 * Marks used by every public header.
 */
#ifndef WEIR_API_H
#define WEIR_API_H

/** The symbol is part of libweir.so. */
#define WEIR_API __attribute__((visibility("default")))

/** The result must be used: a future is consumed exactly once, an error is looked at. */
#define WEIR_MUST_USE __attribute__((warn_unused_result))

#define WEIR_LIKELY(x)   __builtin_expect(!!(x), 1)
#define WEIR_UNLIKELY(x) __builtin_expect(!!(x), 0)

#endif
