#include "config_file.h"

#include "config_parts.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Room for one more. */
static bool
make_room(struct config *config)
{
    size_t room = config->room == 0 ? 64 : 2 * config->room;
    struct config_setting *more;

    if (config->n < config->room)
        return true;
    more = realloc(config->at, room * sizeof(*more));
    if (more == NULL)
        return false;
    config->at = more;
    config->room = room;
    return true;
}

int
config_add(struct config *config, const char *name, size_t n, const char *value, const char *file,
           unsigned line)
{
    size_t length = strlen(value);
    struct config_setting *at;

    if (config->n == CONFIG_SETTINGS_MAX)
        return WEIR_E_LIMIT;
    if (!make_room(config))
        return WEIR_E_NOMEM;
    at = &config->at[config->n];
    at->text = malloc(n + length + 2);
    if (at->text == NULL)
        return WEIR_E_NOMEM;
    memcpy(at->text, name, n);
    at->text[n] = '=';
    memcpy(at->text + n + 1, value, length + 1);
    at->file = file;
    at->line = line;
    config->n++;
    return WEIR_E_OK;
}

const char *
config_keep_file(struct config *config, const char *name)
{
    char **more = realloc(config->files, (config->n_files + 1) * sizeof(*more));

    if (more == NULL)
        return NULL;
    config->files = more;
    more[config->n_files] = strdup(name);
    return more[config->n_files] != NULL ? more[config->n_files++] : NULL;
}

int
config_load_text(struct config *config, const char *name, const char *text, size_t n,
                 struct weir_errbuf *err)
{
    const char *file = config_keep_file(config, name);

    if (file == NULL)
        return weir_err_set(err, WEIR_E_NOMEM, "%s: out of memory", name);
    return config_parse(config, file, text, n, err);
}

/* The whole file, in *text, the caller's to free; how many bytes in *n. */
static int
read_file(FILE *file, char **text, size_t *n)
{
    size_t room = 0, got = 1;
    char *more;

    for (*n = 0; got > 0; *n += got) {
        if (*n > CONFIG_FILE_MAX)
            return WEIR_E_LIMIT;
        if (*n == room) {
            room = room == 0 ? 65536 : 2 * room;
            if ((more = realloc(*text, room)) == NULL)
                return WEIR_E_NOMEM;
            *text = more;
        }
        got = fread(*text + *n, 1, room - *n, file);
    }
    return ferror(file) ? WEIR_E_IO : WEIR_E_OK;
}

int
config_load(struct config *config, const char *path, struct weir_errbuf *err)
{
    FILE *file = fopen(path, "r");
    char *text = NULL;
    size_t n;
    int rc;

    if (file == NULL)
        return weir_err_set(err, WEIR_E_NOENT, "%s: %s", path, strerror(errno));
    rc = read_file(file, &text, &n);
    if (rc == WEIR_E_OK)
        rc = config_load_text(config, path, text, n, err);
    else if (rc == WEIR_E_LIMIT)
        weir_err_set(err, rc, "%s: more than %d bytes", path, CONFIG_FILE_MAX);
    else
        weir_err_set(err, rc, "%s: %s", path, rc == WEIR_E_IO ? strerror(errno) : "out of memory");
    free(text);
    fclose(file);
    return rc;
}

const struct config_setting *
config_find(const struct config *config, const char *p)
{
    for (size_t i = 0; i < config->n; i++)
        if (p >= config->at[i].text && p <= config->at[i].text + strlen(config->at[i].text))
            return &config->at[i];
    return NULL;
}

void
config_free(struct config *config)
{
    for (size_t i = 0; i < config->n; i++)
        free(config->at[i].text);
    for (size_t i = 0; i < config->n_files; i++)
        free(config->files[i]);
    free(config->at);
    free(config->files);
    *config = (struct config){ .n = 0 };
}
