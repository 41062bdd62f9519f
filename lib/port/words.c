#include "port/words.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static bool
is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n';
}

/* Copy one word from *text to *to, which move on. Returns false if a quotation is not closed. */
static bool
copy_word(const char **text, char **to)
{
    const char *p = *text;
    char *q = *to, quote = '\0';

    for (; *p != '\0' && (quote != '\0' || !is_blank(*p)); p++) {
        if (*p == '\\' && quote != '\'' && p[1] != '\0')
            *q++ = *++p;
        else if (quote == '\0' && (*p == '\'' || *p == '"'))
            quote = *p;
        else if (quote != '\0' && *p == quote)
            quote = '\0';
        else
            *q++ = *p;
    }
    *q++ = '\0';
    *text = p;
    *to = q;
    return quote == '\0';
}

int
words_split(struct words *words, const char *first, const char *text)
{
    const size_t size = strlen(first) + strlen(text) + 2;
    char *to;

    *words = (struct words){ .bytes = malloc(size), .at = malloc((size + 1) * sizeof(char *)) };
    if (words->bytes == NULL || words->at == NULL) {
        words_free(words);
        return WEIR_E_NOMEM;
    }
    to = stpcpy(words->bytes, first) + 1;
    words->at[words->n++] = words->bytes;
    for (;;) {
        while (is_blank(*text))
            text++;
        if (*text == '\0')
            break;
        words->at[words->n++] = to;
        if (!copy_word(&text, &to)) {
            words_free(words);
            return WEIR_E_SYNTAX;
        }
    }
    words->at[words->n] = NULL;
    return WEIR_E_OK;
}

void
words_free(struct words *words)
{
    free(words->at);
    free(words->bytes);
    *words = (struct words){ .n = 0 };
}
