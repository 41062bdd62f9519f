/*
 * Counts what the program asks of malloc(), to show that something asks for nothing. A program that
 * links allocs.c in is linked with --wrap for each of them: calls inside shared libraries are not
 * counted.
 */
#ifndef WEIR_TEST_ALLOCS_H
#define WEIR_TEST_ALLOCS_H

#include <stdint.h>

/* Calls of malloc, calloc and realloc so far. */
uint64_t allocs(void);

#endif
