#include "rule/config_file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int
file_read(const char *path, struct text *out, struct weir_errbuf *err)
{
    FILE *file = fopen(path, "r");
    size_t room = 0, n = 0, got = 1;
    char *p = NULL, *more;
    bool failed = file == NULL;

    while (!failed && got > 0) {
        if (n == room) {
            room = room == 0 ? 65536 : 2 * room;
            if ((more = realloc(p, room)) == NULL) {
                errno = ENOMEM;
                failed = true;
                break;
            }
            p = more;
        }
        got = fread(p + n, 1, room - n, file);
        n += got;
        failed = ferror(file) != 0;
    }
    *out = (struct text){ p, n };
    if (failed)
        weir_err_set(err, WEIR_E_IO, "%s: %s", path, strerror(errno));
    if (file != NULL)
        fclose(file);
    return failed ? WEIR_E_IO : WEIR_E_OK;
}

/* "config NAME: value" */
static int
take_line(struct text line, const char *name, config_fn take, void *ctx, struct weir_errbuf *err)
{
    struct text word, key;

    if (line.n == 0 || line.p[0] == '#')
        return WEIR_E_OK;
    if (!text_next(&line, ' ', &word) || !text_is(word, "config") || !text_next(&line, ':', &key) ||
        !text_is(key, name) || line.p == NULL)
        return weir_err_set(err, WEIR_E_SYNTAX, "config %s: expected", name);
    return take(ctx, text_trim(line), err);
}

int
config_file_read(const char *path, const char *name, config_fn take, void *ctx,
                 struct weir_errbuf *err)
{
    struct weir_errbuf why = { "" };
    struct text text, rest, line;
    unsigned n = 0;
    int rc = file_read(path, &text, err);

    if (rc != WEIR_E_OK) {
        free((char *)text.p);
        return rc;
    }
    rest = text;
    while (rc == WEIR_E_OK && text_next(&rest, '\n', &line)) {
        n++;
        rc = take_line(line, name, take, ctx, &why);
    }
    free((char *)text.p);
    return rc == WEIR_E_OK ? rc : weir_err_set(err, rc, "%s:%u: %s", path, n, why.text);
}
