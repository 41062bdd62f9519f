/* YAML 1.1, by libyaml: the only file that knows it. */
#include "config_parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

struct reader {
    struct config *config;
    const char *file;
    struct weir_errbuf *err;
    yaml_parser_t yaml;
    char name[CONFIG_NAME_MAX]; /* where the reader stands */
    size_t n;
    unsigned depth;
};

/* The keys of one mapping, to find those that come twice; owned. */
struct keys {
    char **at;
    size_t n;
};

static unsigned
line_of(const yaml_event_t *event)
{
    return (unsigned)event->start_mark.line + 1;
}

static int
refuse(const struct reader *r, unsigned line, const char *why)
{
    return weir_err_set(r->err, WEIR_E_SYNTAX, "%s:%u: %s", r->file, line, why);
}

static int
no_memory(const struct reader *r)
{
    return weir_err_set(r->err, WEIR_E_NOMEM, "%s: out of memory", r->file);
}

/* The next event; the caller deletes it if WEIR_E_OK is returned. */
static int
next(struct reader *r, yaml_event_t *event)
{
    const yaml_parser_t *yaml = &r->yaml;

    if (yaml_parser_parse(&r->yaml, event) != 0)
        return WEIR_E_OK;
    if (yaml->error == YAML_MEMORY_ERROR)
        return no_memory(r);
    return refuse(r, (unsigned)yaml->problem_mark.line + 1,
                  yaml->problem != NULL ? yaml->problem : "this is no YAML");
}

/* ---- names --------------------------------------------------------------------------------- */

/* Go one step down; *back is where to return to. */
static int
enter(struct reader *r, const char *part, unsigned line, size_t *back)
{
    size_t n = strlen(part), dot = r->n > 0;

    *back = r->n;
    if (r->n + dot + n > sizeof(r->name))
        return refuse(r, line, "the name is too long");
    if (dot)
        r->name[r->n++] = '.';
    memcpy(r->name + r->n, part, n);
    r->n += n;
    return WEIR_E_OK;
}

static int
enter_item(struct reader *r, unsigned i, unsigned line, size_t *back)
{
    char part[16];

    snprintf(part, sizeof(part), "%u", i);
    return enter(r, part, line, back);
}

static int
add(struct reader *r, const char *value, unsigned line)
{
    int rc = config_add(r->config, r->name, r->n, value, r->file, line);

    if (rc == WEIR_E_NOMEM)
        return no_memory(r);
    return rc == WEIR_E_OK ? rc : refuse(r, line, "too many settings");
}

/* ---- scalars ------------------------------------------------------------------------------- */

static bool
is_text(const yaml_event_t *event)
{
    return memchr(event->data.scalar.value, '\0', event->data.scalar.length) == NULL;
}

static const char *
text_of(const yaml_event_t *event)
{
    return (const char *)event->data.scalar.value;
}

/* Nothing stands there, or what YAML takes for nothing. */
static bool
is_null(const yaml_event_t *event)
{
    const char *text = text_of(event);

    return event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
           (*text == '\0' || strcmp(text, "~") == 0 || strcmp(text, "null") == 0);
}

static bool
is_include(const yaml_event_t *event)
{
    const yaml_char_t *tag = event->data.scalar.tag;

    return tag != NULL && strcmp((const char *)tag, "!include") == 0;
}

static int include(struct reader *r, const yaml_event_t *event);

static int
take_scalar(struct reader *r, const yaml_event_t *event)
{
    if (!is_text(event))
        return refuse(r, line_of(event), "text expected, not a zero byte");
    if (is_include(event))
        return include(r, event);
    if (event->data.scalar.tag != NULL)
        return refuse(r, line_of(event), "no tag is expected but !include");
    return is_null(event) ? WEIR_E_OK : add(r, text_of(event), line_of(event));
}

/* ---- mappings and lists -------------------------------------------------------------------- */

static int read_value(struct reader *r, const yaml_event_t *event, bool is_item);

static int
remember(const struct reader *r, struct keys *keys, const char *key, unsigned line)
{
    char **more;

    for (size_t i = 0; i < keys->n; i++)
        if (strcmp(keys->at[i], key) == 0)
            return weir_err_set(r->err, WEIR_E_SYNTAX, "%s:%u: '%.100s' comes twice", r->file, line,
                                key);
    if (keys->n == CONFIG_KEYS_MAX)
        return refuse(r, line, "too many keys");
    if ((keys->n & (keys->n - 1)) == 0) { /* room is a power of two */
        more = realloc(keys->at, (keys->n == 0 ? 1 : 2 * keys->n) * sizeof(*more));
        if (more == NULL)
            return no_memory(r);
        keys->at = more;
    }
    if ((keys->at[keys->n] = strdup(key)) == NULL)
        return no_memory(r);
    keys->n++;
    return WEIR_E_OK;
}

static void
forget(struct keys *keys)
{
    for (size_t i = 0; i < keys->n; i++)
        free(keys->at[i]);
    free(keys->at);
}

static int
check_key(const struct reader *r, const yaml_event_t *event)
{
    if (event->type != YAML_SCALAR_EVENT)
        return refuse(r, line_of(event), "a name is expected");
    if (!is_text(event) || *text_of(event) == '\0' || strchr(text_of(event), '=') != NULL)
        return refuse(r, line_of(event), "a name is expected, without =");
    return WEIR_E_OK;
}

/* The value of `include`: the names of files. */
static int
read_include(struct reader *r, const yaml_event_t *event)
{
    yaml_event_t item;
    bool more = true;
    int rc = WEIR_E_OK;

    if (event->type == YAML_SCALAR_EVENT)
        return include(r, event);
    if (event->type != YAML_SEQUENCE_START_EVENT)
        return refuse(r, line_of(event), "include: the name of a file is expected");
    while (rc == WEIR_E_OK && more && (rc = next(r, &item)) == WEIR_E_OK) {
        more = item.type != YAML_SEQUENCE_END_EVENT;
        if (more)
            rc = item.type == YAML_SCALAR_EVENT
                     ? include(r, &item)
                     : refuse(r, line_of(&item), "include: the name of a file is expected");
        yaml_event_delete(&item);
    }
    return rc;
}

/* A key's value, whatever it is. first_of_item: a mapping in a list is also called by its first
 * key. */
static int
read_pair(struct reader *r, const yaml_event_t *key, struct keys *keys, bool first_of_item)
{
    yaml_event_t value;
    size_t back;
    int rc = check_key(r, key);

    if (rc == WEIR_E_OK)
        rc = remember(r, keys, text_of(key), line_of(key));
    if (rc == WEIR_E_OK && first_of_item)
        rc = add(r, text_of(key), line_of(key));
    if (rc != WEIR_E_OK || (rc = next(r, &value)) != WEIR_E_OK)
        return rc;
    if (strcmp(text_of(key), "include") == 0) {
        rc = read_include(r, &value);
    } else if ((rc = enter(r, text_of(key), line_of(key), &back)) == WEIR_E_OK) {
        rc = read_value(r, &value, false);
        r->n = back;
    }
    yaml_event_delete(&value);
    return rc;
}

static int
read_mapping(struct reader *r, bool is_item)
{
    struct keys keys = { .n = 0 };
    yaml_event_t key;
    bool more = true;
    int rc = WEIR_E_OK;

    while (rc == WEIR_E_OK && more && (rc = next(r, &key)) == WEIR_E_OK) {
        more = key.type != YAML_MAPPING_END_EVENT;
        if (more)
            rc = read_pair(r, &key, &keys, is_item && keys.n == 0);
        yaml_event_delete(&key);
    }
    forget(&keys);
    return rc;
}

static int
read_list(struct reader *r)
{
    yaml_event_t item;
    bool more = true;
    int rc = WEIR_E_OK;

    for (unsigned i = 0; rc == WEIR_E_OK && more && (rc = next(r, &item)) == WEIR_E_OK; i++) {
        size_t back;

        more = item.type != YAML_SEQUENCE_END_EVENT;
        if (more && (rc = enter_item(r, i, line_of(&item), &back)) == WEIR_E_OK) {
            rc = read_value(r, &item, true);
            r->n = back;
        }
        yaml_event_delete(&item);
    }
    return rc;
}

/* What begins with the event. */
static int
read_value(struct reader *r, const yaml_event_t *event, bool is_item)
{
    int rc;

    if (event->type == YAML_SCALAR_EVENT)
        return take_scalar(r, event);
    if (event->type == YAML_ALIAS_EVENT)
        return refuse(r, line_of(event), "no alias is expected");
    if (r->depth == CONFIG_DEPTH_MAX)
        return refuse(r, line_of(event), "too deep");
    r->depth++;
    rc = event->type == YAML_MAPPING_START_EVENT ? read_mapping(r, is_item) : read_list(r);
    r->depth--;
    return rc;
}

/* ---- documents ----------------------------------------------------------------------------- */

/* Take the next event, which has to be of this type. */
static int
expect(struct reader *r, yaml_event_type_t type, const char *otherwise)
{
    yaml_event_t event;
    int rc = next(r, &event);

    if (rc != WEIR_E_OK)
        return rc;
    if (event.type != type)
        rc = refuse(r, line_of(&event), otherwise);
    yaml_event_delete(&event);
    return rc;
}

/* The document: a mapping, or nothing. */
static int
read_root(struct reader *r)
{
    yaml_event_t event;
    int rc = next(r, &event);

    if (rc != WEIR_E_OK)
        return rc;
    if (event.type == YAML_MAPPING_START_EVENT)
        rc = read_mapping(r, false);
    else if (event.type != YAML_SCALAR_EVENT || !is_null(&event))
        rc = refuse(r, line_of(&event), "names and values are expected");
    yaml_event_delete(&event);
    return rc;
}

static int
read_stream(struct reader *r)
{
    yaml_event_t event;
    int rc = expect(r, YAML_STREAM_START_EVENT, "text is expected");
    bool empty;

    if (rc != WEIR_E_OK || (rc = next(r, &event)) != WEIR_E_OK)
        return rc;
    empty = event.type == YAML_STREAM_END_EVENT;
    yaml_event_delete(&event);
    if (empty)
        return WEIR_E_OK;
    rc = read_root(r);
    if (rc == WEIR_E_OK)
        rc = expect(r, YAML_DOCUMENT_END_EVENT, "the end is expected");
    return rc == WEIR_E_OK ? expect(r, YAML_STREAM_END_EVENT, "one document is expected") : rc;
}

int
config_parse(struct config *config, const char *file, const char *text, size_t n,
             struct weir_errbuf *err)
{
    struct reader r = { .config = config, .file = file, .err = err, .n = config->n_under };
    int rc;

    if (!yaml_parser_initialize(&r.yaml))
        return no_memory(&r);
    if (r.n > 0)
        memcpy(r.name, config->under, r.n);
    yaml_parser_set_input_string(&r.yaml, (const unsigned char *)text, n);
    rc = read_stream(&r);
    yaml_parser_delete(&r.yaml);
    return rc;
}

/* ---- files in files ------------------------------------------------------------------------ */

/* Relative names are meant from the folder of the file that has them. */
static int
include_file(struct reader *r, const char *name)
{
    const char *slash = strrchr(r->file, '/');
    int folder = slash != NULL && *name != '/' ? (int)(slash + 1 - r->file) : 0;
    char path[4096];

    if (snprintf(path, sizeof(path), "%.*s%s", folder, r->file, name) >= (int)sizeof(path))
        return weir_err_set(r->err, WEIR_E_SYNTAX, "%s: the name is too long", r->file);
    return config_load(r->config, path, r->err);
}

static int
include(struct reader *r, const yaml_event_t *event)
{
    struct config *config = r->config;
    struct config before = *config;
    int rc;

    if (!is_text(event) || is_null(event))
        return refuse(r, line_of(event), "include: the name of a file is expected");
    if (config->no_include)
        return refuse(r, line_of(event), "include: not here");
    if (config->open == CONFIG_INCLUDE_MAX)
        return refuse(r, line_of(event), "include: too many files in each other");
    config->open++;
    config->under = r->name;
    config->n_under = r->n;
    rc = include_file(r, text_of(event));
    config->open = before.open;
    config->under = before.under;
    config->n_under = before.n_under;
    return rc;
}
