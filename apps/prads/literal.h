/* Bytes that every match of a regular expression (PCRE2, no options) has in it. */
#ifndef WEIR_PRADS_LITERAL_H
#define WEIR_PRADS_LITERAL_H

#include <stddef.h>
#include <stdint.h>

enum { LITERAL_MAX = 64 };

/*
 * The longest such string that is easily seen, at most LITERAL_MAX bytes. Returns its length; 0:
 * none was seen.
 */
size_t literal_of(const char *pattern, uint8_t literal[LITERAL_MAX]);

#endif
