/* A line of a script cut into words; numbers and texts in them. Nothing is allocated. */
#ifndef WEIR_PCAPS_WORDS_H
#define WEIR_PCAPS_WORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { WORDS_MAX = 256 };

struct word {
    const char *p; /* in the line; without its quotes, escapes not yet replaced */
    size_t n;
    bool quoted;
};

struct words {
    struct word word[WORDS_MAX];
    size_t n, at; /* how many; the next to be read */
};

/*
 * Cut a line at blanks; text in double quotes is one word, and a word that begins with # begins a
 * comment. Returns NULL, or what is wrong.
 */
const char *words_split(struct words *words, const char *line, size_t n);

/* The next word, or NULL; words_take() consumes it. */
const struct word *words_peek(const struct words *words);
const struct word *words_take(struct words *words);

/* Returns whether the word is this text, unquoted. NULL is no word. */
bool word_is(const struct word *word, const char *text);

/* Decimal, or hexadecimal behind 0x, perhaps with a minus; at most 2^40 either way. */
bool word_number(const struct word *word, int64_t *out);

/* Seconds with at most six decimals, as microseconds; at most 2^40. */
bool word_time(const char *p, size_t n, int64_t *out);

/* The bytes of a quoted word: \r \n \t \0 \\ \" \xHH. NULL, or what is wrong. */
const char *word_text(const struct word *word, uint8_t *out, size_t room, size_t *n);

/* The bytes of pairs of hexadecimal digits; blanks between pairs. NULL, or what is wrong. */
const char *word_hex(const struct word *word, uint8_t *out, size_t room, size_t *n);

#endif
