#include "settings.h"

#include "cli_dump.h"
#include "cli_set.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Cut a prefix off *t; false: it does not begin so. */
static bool
cut(struct text *t, const char *prefix)
{
    size_t n = strlen(prefix);

    if (t->n < n || memcmp(t->p, prefix, n) != 0)
        return false;
    *t = text_of(t->p + n, t->p + t->n);
    return true;
}

static int
set_bool(bool *to, struct text name, struct text value, struct weir_errbuf *err)
{
    bool yes = text_is(value, "true") || text_is(value, "yes") || text_is(value, "1");

    if (!yes && !text_is(value, "false") && !text_is(value, "no") && !text_is(value, "0"))
        return weir_err_set(err, WEIR_E_INVAL, "--set %.*s: true or false is expected, not '%.*s'",
                            TEXT(name), TEXT(value));
    *to = yes;
    return WEIR_E_OK;
}

static int
set_ambiguity(bool *any, struct text value, struct weir_errbuf *err)
{
    *any = text_is(value, "any");
    if (!*any && !text_is(value, "kept"))
        return weir_err_set(err, WEIR_E_INVAL,
                            "--set stream.ambiguity: kept or any is expected, not '%.*s'",
                            TEXT(value));
    return WEIR_E_OK;
}

/* auto is yes where packets are in our hands. */
static int
set_inline(bool *to, struct text name, struct text value, struct weir_errbuf *err)
{
    *to = true;
    return text_is(value, "auto") ? WEIR_E_OK : set_bool(to, name, value, err);
}

static const char *const urgent_policies[] = { "oob", "inline", "drop" };

static int
set_urgent(enum urgent_policy *to, struct text value, struct weir_errbuf *err)
{
    for (unsigned i = 0; i < sizeof(urgent_policies) / sizeof(*urgent_policies); i++) {
        if (text_is(value, urgent_policies[i])) {
            *to = (enum urgent_policy)i;
            return WEIR_E_OK;
        }
    }
    return weir_err_set(err, WEIR_E_INVAL,
                        "--set stream.reassembly.urgent.policy: oob, inline or drop is expected, "
                        "not '%.*s'",
                        TEXT(value));
}

static int
set_depth(struct settings *settings, struct text value, struct weir_errbuf *err)
{
    if (!text_size(value, INT64_C(1) << 60, &settings->depth))
        return weir_err_set(
            err, WEIR_E_INVAL,
            "--set stream.reassembly.depth: a size (1mb) or 0 is expected, not '%.*s'",
            TEXT(value));
    return WEIR_E_OK;
}

static int
set_alert_max(struct settings *settings, struct text value, struct weir_errbuf *err)
{
    int64_t n;

    if (!text_int(value, 1, 65535, &n))
        return weir_err_set(err, WEIR_E_INVAL,
                            "--set packet-alert-max: 1 to 65535 is expected, not '%.*s'",
                            TEXT(value));
    settings->alert_max = (uint32_t)n;
    return WEIR_E_OK;
}

static int
set_variable(struct settings *settings, enum var_kind kind, struct text name, struct text value,
             struct weir_errbuf *err)
{
    struct weir_errbuf why = { "" };
    struct given *more;
    int rc = vars_set(settings->vars, kind, name, value, &why);

    if (rc != WEIR_E_OK)
        return weir_err_set(err, rc, "--set: %s", why.text);
    more = realloc(settings->given, (settings->n_given + 1) * sizeof(*more));
    if (more == NULL)
        return weir_err_set(err, WEIR_E_NOMEM, "out of memory");
    settings->given = more;
    more[settings->n_given++] = (struct given){ kind, name };
    return WEIR_E_OK;
}

/* Returns false if memory ran out. */
static bool
add_network(struct settings *settings, u128 first, unsigned prefix, enum weir_policy policy)
{
    struct weir_host_policy *more = realloc(settings->hosts,
                                            (settings->n_hosts + 1) * sizeof(*more)),
                            *net;

    if (more == NULL)
        return false;
    settings->hosts = more;
    net = &more[settings->n_hosts++];
    *net =
        (struct weir_host_policy){ .ip_version = 6, .prefix = (uint8_t)prefix, .policy = policy };
    for (unsigned i = 16; i-- > 0; first >>= 8)
        net->addr.b[i] = (uint8_t)first;
    return true;
}

/* The fewest networks that make up the range. */
static bool
add_networks(struct settings *settings, struct range range, enum weir_policy policy)
{
    for (;;) {
        unsigned bits = 0; /* that do not count */
        u128 host = 0;

        while (bits < 128 && (range.first >> bits & 1) == 0 &&
               (range.first | host << 1 | 1) <= range.last) {
            host = host << 1 | 1;
            bits++;
        }
        if (!add_network(settings, range.first, 128 - bits, policy))
            return false;
        if ((range.first | host) == range.last)
            return true;
        range.first = (range.first | host) + 1;
    }
}

static int
set_hosts(struct settings *settings, struct text name, struct text value, struct weir_errbuf *err)
{
    struct weir_errbuf why = { "" };
    const struct ranges *set;
    struct text kind;
    char word[16] = "";
    int policy, rc;

    text_next(&name, '.', &kind); /* a file's lists give "linux.0", "linux.1" */
    name = kind;
    if (name.n < sizeof(word))
        memcpy(word, name.p, name.n);
    policy = weir_policy_find(word);
    if (policy < 0)
        return weir_err_set(err, WEIR_E_INVAL,
                            "--set: '%.*s' is no kind of host (--policy in --help lists them)",
                            TEXT(name));
    rc = vars_resolve(settings->vars, VAR_ADDRESSES, value, &set, &why);
    if (rc != WEIR_E_OK)
        return weir_err_set(err, rc, "--set host-os-policy.%.*s: %s", TEXT(name), why.text);
    for (size_t i = 0; i < set->n; i++)
        if (!add_networks(settings, set->at[i], (enum weir_policy)policy))
            return weir_err_set(err, WEIR_E_NOMEM, "out of memory");
    return WEIR_E_OK;
}

/* What has the same number again is another name for the same place. */
static int
add_rule_file(struct settings *settings, struct text name, struct text path,
              struct weir_errbuf *err)
{
    struct configured_file *more;

    for (size_t i = 0; i < settings->n_rule_files; i++) {
        struct configured_file *file = &settings->rule_file[i];

        if (file->name.n == name.n && memcmp(file->name.p, name.p, name.n) == 0) {
            file->path = path;
            return WEIR_E_OK;
        }
    }
    more = realloc(settings->rule_file, (settings->n_rule_files + 1) * sizeof(*more));
    if (more == NULL)
        return weir_err_set(err, WEIR_E_NOMEM, "out of memory");
    settings->rule_file = more;
    more[settings->n_rule_files++] = (struct configured_file){ name, path };
    return WEIR_E_OK;
}

int
settings_rule_file(const struct settings *settings, size_t i, char path[4096],
                   struct weir_errbuf *err)
{
    struct text file = settings->rule_file[i].path, folder = settings->rule_path;
    bool joined = folder.n > 0 && (file.n == 0 || file.p[0] != '/');

    if (file.n + folder.n + 2 > 4096)
        return weir_err_set(err, WEIR_E_INVAL, "rule-files: the name is too long");
    snprintf(path, 4096, "%.*s%s%.*s", joined ? (int)folder.n : 0, joined ? folder.p : "",
             joined ? "/" : "", TEXT(file));
    return WEIR_E_OK;
}

int
settings_check(const struct settings *settings, const char **blamed, struct weir_errbuf *err)
{
    for (size_t i = 0; i < settings->n_given; i++) {
        const struct given *given = &settings->given[i];
        struct weir_errbuf why = { "" };
        const struct ranges *set;
        char *expression;
        int rc = WEIR_E_NOMEM, n = asprintf(&expression, "$%.*s", TEXT(given->name));

        if (n >= 0) {
            rc = vars_resolve(settings->vars, given->kind, (struct text){ expression, (size_t)n },
                              &set, &why);
            free(expression);
        }
        *blamed = given->name.p;
        if (rc != WEIR_E_OK)
            return weir_err_set(err, rc, "--set: %.*s: %s", TEXT(given->name),
                                n >= 0 ? why.text : "out of memory");
    }
    return WEIR_E_OK;
}

struct settings
settings_default(void)
{
    return (struct settings){ .vars = vars_new(),
                              .outputs = outputs_default(),
                              .app = app_defaults(),
                              .alert_max = 15,
                              .enforce = { .invalid = true, .conflicting = true } };
}

static void
dump_one(void *dump, const char *name, const char *value)
{
    cli_dump_put(dump, name, "%s", value);
}

void
settings_dump(const struct settings *settings, struct cli_dump *dump)
{
    outputs_dump(&settings->outputs, dump);
    cli_dump_put(dump, "stream.bypass", "%s", settings->bypass ? "yes" : "no");
    cli_dump_put(dump, "stream.drop-invalid", "%s", settings->enforce.invalid ? "yes" : "no");
    cli_dump_put(dump, "stream.inline", "%s", settings->enforce.conflicting ? "auto" : "no");
    cli_dump_put(dump, "stream.reassembly.depth", "%llu", (unsigned long long)settings->depth);
    cli_dump_put(dump, "stream.reassembly.urgent.policy", "%s",
                 urgent_policies[settings->enforce.urgent]);
    cli_dump_put(dump, "stream.midstream", "%s", settings->midstream ? "yes" : "no");
    cli_dump_put(dump, "stream.ambiguity", "%s", settings->any ? "any" : "kept");
    cli_dump_put(dump, "packet-alert-max", "%u", settings->alert_max);
    detectors_each(&settings->detectors, dump_one, dump);
}

void
settings_free(struct settings *settings)
{
    vars_free(settings->vars);
    free(settings->given);
    free(settings->hosts);
    classes_free(settings->classes);
    references_free(settings->references);
    free(settings->rule_file);
    *settings = (struct settings){ .vars = NULL };
}

static int
set_classes(struct settings *settings, struct text path, struct weir_errbuf *err)
{
    classes_free(settings->classes);
    return classes_load(path.p, &settings->classes, err);
}

static int
set_references(struct settings *settings, struct text path, struct weir_errbuf *err)
{
    references_free(settings->references);
    return references_load(path.p, &settings->references, err);
}

int
settings_set(struct settings *settings, const char *text, bool *ignored, struct weir_errbuf *err)
{
    const char *equals = strchr(text, '=');
    struct text name, value, rest;
    bool of_app;
    int rc;

    *ignored = false;
    if (equals == NULL)
        return weir_err_set(err, WEIR_E_INVAL, "--set: name=value is expected, not '%s'", text);
    name = text_trim(text_of(text, equals));
    value = text_trim(text_of(equals + 1, text + strlen(text)));
    rc = app_opts_set(&settings->app, name, value, &of_app, err);
    rest = name;
    if (rc != WEIR_E_OK || of_app)
        return rc;
    if (cut(&rest, "vars.address-groups."))
        return set_variable(settings, VAR_ADDRESSES, rest, value, err);
    if (cut(&rest, "vars.port-groups."))
        return set_variable(settings, VAR_PORTS, rest, value, err);
    if (text_is(name, "host-os-policy") || cut(&rest, "host-os-policy."))
        return set_hosts(settings, rest, value, err);
    if (text_is(name, "stream.bypass"))
        return set_bool(&settings->bypass, name, value, err);
    if (text_is(name, "stream.drop-invalid"))
        return set_bool(&settings->enforce.invalid, name, value, err);
    if (text_is(name, "stream.inline"))
        return set_inline(&settings->enforce.conflicting, name, value, err);
    if (text_is(name, "stream.reassembly.depth"))
        return set_depth(settings, value, err);
    if (text_is(name, "stream.reassembly.urgent.policy"))
        return set_urgent(&settings->enforce.urgent, value, err);
    if (text_is(name, "stream.midstream"))
        return set_bool(&settings->midstream, name, value, err);
    if (text_is(name, "packet-alert-max"))
        return set_alert_max(settings, value, err);
    if (text_is(name, "threshold-file")) {
        settings->threshold_file = value.p; /* a value ends where the text does */
        return value.n > 0
                   ? WEIR_E_OK
                   : weir_err_set(err, WEIR_E_INVAL, "--set threshold-file: a file is expected");
    }
    if (text_is(name, "stream.ambiguity"))
        return set_ambiguity(&settings->any, value, err);
    if (text_is(name, "classification-file"))
        return set_classes(settings, value, err);
    if (text_is(name, "reference-config-file"))
        return set_references(settings, value, err);
    if (cut(&rest, "detectors."))
        return detectors_set(&settings->detectors, rest, value, err);
    if (cut(&rest, "outputs.") || cut(&rest, "stats."))
        return outputs_set(&settings->outputs, name, value, ignored, err);
    if (cut(&rest, "rule-files."))
        return add_rule_file(settings, name, value, err);
    if (text_is(name, "default-rule-path")) {
        settings->rule_path = value;
        return WEIR_E_OK;
    }
    *ignored = cli_is_suricatas(text);
    return *ignored ? WEIR_E_OK
                    : weir_err_set(err, WEIR_E_INVAL, "--set: '%.*s' is no known name", TEXT(name));
}
