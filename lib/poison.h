/* Under ASan memory that is ours, but handed to nobody, may not be touched. */
#ifndef WEIR_POISON_H
#define WEIR_POISON_H

#include <stdbool.h>

#ifndef __has_feature
#define __has_feature(x) 0
#endif
#if defined(__SANITIZE_ADDRESS__) || __has_feature(address_sanitizer)
#include <sanitizer/asan_interface.h>
#define POISONS           1
#define POISON(p, n)      ASAN_POISON_MEMORY_REGION(p, n)
#define UNPOISON(p, n)    ASAN_UNPOISON_MEMORY_REGION(p, n)
#define IS_POISONED(p, n) (__asan_region_is_poisoned(p, n) != NULL)
#else
#define POISONS           0
#define POISON(p, n)      ((void)(p), (void)(n))
#define UNPOISON(p, n)    ((void)(p), (void)(n))
#define IS_POISONED(p, n) ((void)(p), (void)(n), false)
#endif

#endif
