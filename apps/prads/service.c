#include "service.h"

#include "regex.h"
#include "sigfile.h"

#include <weir/packet.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Characters of a template that are used. */
enum { APP_MAX = 100, VERSION_MAX = 25, INFO_MAX = 100 };

struct signature {
    char *service, *app, *version, *info; /* in the line */
    char *line;                           /* owned */
};

struct service_list {
    struct regex_list *regex;
    struct signature *at;
    size_t n;
    char application[SERVICE_APP_MAX];
};

/* ---- reading ------------------------------------------------------------------------------- */

/* A part of "app/version/info/", cut to its length; what is missing is empty. */
static char *
part(char **rest, size_t max)
{
    char *start = *rest;
    size_t n = strcspn(start, "/");

    *rest = start[n] == '/' ? start + n + 1 : start + n;
    start[n < max ? n : max] = '\0';
    return start;
}

static const char *
cut_line(struct signature *sig, char **pattern)
{
    char *rest = sig->line, *template;

    sig->service = sigfile_field(&rest, ',');
    template = sig->service != NULL ? sigfile_field(&rest, ',') : NULL;
    if (template == NULL)
        return "service,v/application/version/info/,expression is expected";
    if (template[0] != 'v' || template[1] != '/')
        return "v/application/version/info/ is expected";
    template += 2;
    sig->app = part(&template, APP_MAX);
    sig->version = part(&template, VERSION_MAX);
    sig->info = part(&template, INFO_MAX);
    *pattern = rest;
    return NULL;
}

/* WEIR_E_SYNTAX: the line is to be passed over. */
static int
add_line(struct service_list *list, const char *line, struct weir_errbuf *err)
{
    struct signature sig = { .line = strdup(line) };
    struct signature *more = realloc(list->at, (list->n + 1) * sizeof(*more));
    const char *why;
    char *pattern;
    int rc;

    if (more != NULL)
        list->at = more;
    if (sig.line == NULL || more == NULL) {
        free(sig.line);
        return weir_err_set(err, WEIR_E_NOMEM, "out of memory");
    }
    why = cut_line(&sig, &pattern);
    rc = why != NULL ? weir_err_set(err, WEIR_E_SYNTAX, "%s", why)
                     : regex_list_add(list->regex, pattern, err);
    if (rc == WEIR_E_OK)
        list->at[list->n++] = sig;
    else
        free(sig.line);
    return rc;
}

static int
add_lines(struct service_list *list, char *text, const char *name,
          void (*bad)(void *ctx, const char *text), void *ctx, struct weir_errbuf *err)
{
    struct weir_errbuf why, told;
    char *line;

    while ((line = sigfile_next(&text)) != NULL) {
        int rc = add_line(list, line, &why);

        if (rc == WEIR_E_OK)
            continue;
        if (rc != WEIR_E_SYNTAX)
            return weir_err_set(err, rc, "%s: %s", name, why.text);
        weir_err_set(&told, rc, "%s: near '%.40s': %.100s", name, line, why.text);
        bad(ctx, told.text);
    }
    return regex_list_ready(list->regex, err);
}

int
service_list_parse(char *text, const char *name, void (*bad)(void *ctx, const char *text),
                   void *ctx, struct service_list **out, struct weir_errbuf *err)
{
    struct service_list *list = calloc(1, sizeof(*list));
    int rc = list != NULL ? regex_list_new(&list->regex) : WEIR_E_NOMEM;

    *out = NULL;
    if (rc == WEIR_E_OK)
        rc = add_lines(list, text, name, bad, ctx, err);
    else
        weir_err_set(err, rc, "%s: out of memory", name);
    if (rc == WEIR_E_OK)
        *out = list;
    else
        service_list_free(list);
    return rc;
}

int
service_list_load(const char *path, void (*bad)(void *ctx, const char *text), void *ctx,
                  struct service_list **out, struct weir_errbuf *err)
{
    char *text;
    int rc = sigfile_read(path, &text, err);

    *out = NULL;
    if (rc == WEIR_E_OK)
        rc = service_list_parse(text, path, bad, ctx, out, err);
    free(text);
    return rc;
}

void
service_list_free(struct service_list *list)
{
    if (list == NULL)
        return;
    for (size_t i = 0; i < list->n; i++)
        free(list->at[i].line);
    free(list->at);
    regex_list_free(list->regex);
    free(list);
}

size_t
service_list_size(const struct service_list *list)
{
    return list->n;
}

/* ---- matching ------------------------------------------------------------------------------ */

/* Text that is cut where it is full. */
struct text {
    char *at;
    size_t n;
};

static void
put(struct text *to, const void *from, size_t n)
{
    size_t room = SERVICE_APP_MAX - 1 - to->n;

    memcpy(to->at + to->n, from, n < room ? n : room);
    to->n += n < room ? n : room;
}

/* Copy a template; $1 to $9 stand for groups, those that took no part for nothing. */
static void
fill_in(struct text *to, const char *template, const uint8_t *data,
        const struct regex_groups *groups)
{
    for (const char *p = template; *p != '\0'; p++) {
        unsigned group = (unsigned)(p[1] - '0');

        if (*p != '$' || p[1] < '1' || p[1] > '9') {
            put(to, p, 1);
            continue;
        }
        p++;
        if (group < groups->n && groups->at[2 * group] < groups->at[2 * group + 1])
            put(to, data + groups->at[2 * group],
                groups->at[2 * group + 1] - groups->at[2 * group]);
    }
}

bool
service_match(struct service_list *list, const uint8_t *data, size_t n, struct service_hit *hit)
{
    struct text to = { .at = list->application };
    struct regex_groups groups;
    const struct signature *sig;
    int i = regex_list_match(list->regex, data, n, &groups);

    if (i < 0)
        return false;
    sig = &list->at[i];
    fill_in(&to, sig->app, data, &groups);
    if (*sig->version != '\0') {
        put(&to, " ", 1);
        fill_in(&to, sig->version, data, &groups);
    }
    if (*sig->info != '\0') {
        put(&to, " (", 2);
        fill_in(&to, sig->info, data, &groups);
        put(&to, ")", 1);
    }
    to.at[to.n] = '\0';
    *hit = (struct service_hit){ sig->service, list->application };
    return true;
}

/* ---- ports --------------------------------------------------------------------------------- */

struct port_name {
    uint16_t port;
    const char *name;
};

static const char *
name_of(const struct port_name *names, uint16_t port)
{
    for (; names->name != NULL; names++)
        if (names->port == port)
            return names->name;
    return NULL;
}

const char *
service_of_port(uint8_t proto, uint16_t port)
{
    static const struct port_name tcp[] = {
        { 20, "@ftp-data" },   { 21, "@ftp" },    { 22, "@ssh" },     { 25, "@smtp" },
        { 80, "@www" },        { 110, "@pop3" },  { 111, "@sunrpc" }, { 113, "@auth" },
        { 115, "@sftp" },      { 119, "@nntp" },  { 143, "@imap2" },  { 161, "@snmp" },
        { 162, "@snmp-trap" }, { 389, "@ldap" },  { 443, "@https" },  { 445, "@microsoft-ds" },
        { 554, "@rtsp" },      { 631, "@ipp" },   { 990, "@ftps" },   { 992, "@telnets" },
        { 993, "@imaps" },     { 995, "@pop3s" }, { 2049, "@nfs" },   { 3306, "@mysql" },
        { 6667, "@irc" },      { 0, NULL },
    };
    static const struct port_name udp[] = {
        { 53, "@domain" },     { 111, "@sunrpc" }, { 123, "@ntp" },  { 161, "@snmp" },
        { 162, "@snmp-trap" }, { 514, "@syslog" }, { 554, "@rtsp" }, { 1194, "@openvpn" },
        { 2049, "@nfs" },      { 0, NULL },
    };

    return name_of(proto == WEIR_PROTO_TCP ? tcp : udp, port);
}
