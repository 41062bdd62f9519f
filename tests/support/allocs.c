#include "support/allocs.h"

#include <stddef.h>

static uint64_t count;

uint64_t
allocs(void)
{
    return count;
}

/* The linker's --wrap turns each call of malloc() into one of __wrap_malloc(), and so on. */
void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t size);

void *
__wrap_malloc(size_t size)
{
    count++;
    return __real_malloc(size);
}

void *
__wrap_calloc(size_t n, size_t size)
{
    count++;
    return __real_calloc(n, size);
}

void *
__wrap_realloc(void *p, size_t size)
{
    count++;
    return __real_realloc(p, size);
}
