#include "sigfile.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

char *
sigfile_next(char **text)
{
    while (**text != '\0') {
        char *line = *text;
        size_t n = strcspn(line, "\n");

        *text = line[n] == '\0' ? line + n : line + n + 1;
        line[n] = '\0';
        if (n > 0 && line[n - 1] == '\r')
            line[n - 1] = '\0';
        line += strspn(line, " \t");
        if (*line != '\0' && *line != '#')
            return line;
    }
    return NULL;
}

int
sigfile_read(const char *path, char **text, struct weir_errbuf *err)
{
    FILE *file = fopen(path, "r");
    size_t size = 0, n = 0, room = 65536;
    char *buf = malloc(room), *more;
    int rc = WEIR_E_OK;

    *text = NULL;
    if (file == NULL)
        rc = weir_err_set(err, WEIR_E_NOENT, "%s: %s", path, strerror(errno));
    while (rc == WEIR_E_OK && buf != NULL &&
           (n = fread(buf + size, 1, room - size - 1, file)) > 0) {
        size += n;
        if (size + 1 < room)
            continue;
        room *= 2;
        more = realloc(buf, room);
        if (more == NULL)
            free(buf);
        buf = more;
    }
    if (buf == NULL)
        rc = weir_err_set(err, WEIR_E_NOMEM, "%s: out of memory", path);
    else if (rc == WEIR_E_OK && ferror(file))
        rc = weir_err_set(err, WEIR_E_IO, "%s: %s", path, strerror(errno));
    if (file != NULL)
        fclose(file);
    if (rc != WEIR_E_OK) {
        free(buf);
        return rc;
    }
    buf[size] = '\0';
    *text = buf;
    return WEIR_E_OK;
}

char *
sigfile_field(char **rest, char separator)
{
    char *field = *rest, *end = strchr(field, separator);

    if (end == NULL)
        return NULL;
    *end = '\0';
    *rest = end + 1;
    return field;
}
