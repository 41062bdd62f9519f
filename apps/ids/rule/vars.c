#include "rule/vars.h"

#include <arpa/inet.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>

enum {
    DEPTH_MAX = 16,     /* lists in lists, variables in variables */
    ITEMS_MAX = 1 << 20 /* of one expression, with all its variables */
};

/* A variable, or an expression with the set it became; nodes of trees by kind and text. */
struct node {
    enum var_kind kind;
    char *name, *value; /* value: of a variable */
    struct ranges set;  /* of an expression */
};

struct vars {
    void *variables, *sets; /* tsearch() trees of struct node */
};

static const struct {
    enum var_kind kind;
    const char *name, *value;
} defaults[] = {
    { VAR_ADDRESSES, "HOME_NET", "[192.168.0.0/16,10.0.0.0/8,172.16.0.0/12]" },
    { VAR_ADDRESSES, "EXTERNAL_NET", "!$HOME_NET" },
    { VAR_ADDRESSES, "HTTP_SERVERS", "$HOME_NET" },
    { VAR_ADDRESSES, "SMTP_SERVERS", "$HOME_NET" },
    { VAR_ADDRESSES, "SQL_SERVERS", "$HOME_NET" },
    { VAR_ADDRESSES, "DNS_SERVERS", "$HOME_NET" },
    { VAR_ADDRESSES, "TELNET_SERVERS", "$HOME_NET" },
    { VAR_ADDRESSES, "AIM_SERVERS", "$EXTERNAL_NET" },
    { VAR_ADDRESSES, "DC_SERVERS", "$HOME_NET" },
    { VAR_ADDRESSES, "DNP3_SERVER", "$HOME_NET" },
    { VAR_ADDRESSES, "DNP3_CLIENT", "$HOME_NET" },
    { VAR_ADDRESSES, "MODBUS_CLIENT", "$HOME_NET" },
    { VAR_ADDRESSES, "MODBUS_SERVER", "$HOME_NET" },
    { VAR_ADDRESSES, "ENIP_CLIENT", "$HOME_NET" },
    { VAR_ADDRESSES, "ENIP_SERVER", "$HOME_NET" },
    { VAR_ADDRESSES, "FTP_SERVERS", "$HOME_NET" }, /* these and MAIL_PORTS are Snort's */
    { VAR_ADDRESSES, "SIP_SERVERS", "$HOME_NET" },
    { VAR_ADDRESSES, "SSH_SERVERS", "$HOME_NET" },
    { VAR_PORTS, "MAIL_PORTS", "[110,143]" },
    { VAR_PORTS, "HTTP_PORTS", "80" },
    { VAR_PORTS, "SHELLCODE_PORTS", "!80" },
    { VAR_PORTS, "ORACLE_PORTS", "1521" },
    { VAR_PORTS, "SSH_PORTS", "22" },
    { VAR_PORTS, "DNP3_PORTS", "20000" },
    { VAR_PORTS, "MODBUS_PORTS", "502" },
    { VAR_PORTS, "FILE_DATA_PORTS", "[$HTTP_PORTS,110,143]" },
    { VAR_PORTS, "FTP_PORTS", "21" },
    { VAR_PORTS, "GENEVE_PORTS", "6081" },
    { VAR_PORTS, "VXLAN_PORTS", "4789" },
    { VAR_PORTS, "TEREDO_PORTS", "3544" },
    { VAR_PORTS, "SIP_PORTS", "[5060,5061]" },
};

/* ---- trees --------------------------------------------------------------------------------- */

static int
by_name(const void *a, const void *b)
{
    const struct node *x = a, *y = b;

    return x->kind != y->kind ? (int)x->kind - (int)y->kind : strcmp(x->name, y->name);
}

static void
node_free(void *node)
{
    struct node *entry = node;

    free(entry->name);
    free(entry->value);
    ranges_free(&entry->set);
    free(entry);
}

static struct node *
find(void *const *tree, enum var_kind kind, const char *name)
{
    struct node key = { .kind = kind, .name = (char *)name };
    void *node = tfind(&key, tree, by_name);

    return node != NULL ? *(struct node **)node : NULL;
}

/* The entry of this name, made if need be; NULL: no memory. */
static struct node *
find_or_add(void **tree, enum var_kind kind, struct text name)
{
    struct node *entry = calloc(1, sizeof(*entry));
    void *node = NULL;

    if (entry != NULL && (entry->name = strndup(name.p, name.n)) != NULL) {
        entry->kind = kind;
        node = tsearch(entry, tree, by_name);
    }
    if (node == NULL || *(struct node **)node != entry) {
        if (entry != NULL)
            node_free(entry);
        return node != NULL ? *(struct node **)node : NULL;
    }
    return entry;
}

void
vars_free(struct vars *vars)
{
    if (vars == NULL)
        return;
    tdestroy(vars->variables, node_free);
    tdestroy(vars->sets, node_free);
    free(vars);
}

static bool
is_name(struct text t)
{
    for (size_t i = 0; i < t.n; i++)
        if ((t.p[i] < 'a' || t.p[i] > 'z') && (t.p[i] < 'A' || t.p[i] > 'Z') &&
            (t.p[i] < '0' || t.p[i] > '9') && t.p[i] != '_' && t.p[i] != '-')
            return false;
    return t.n > 0;
}

int
vars_set(struct vars *vars, enum var_kind kind, struct text name, struct text value,
         struct weir_errbuf *err)
{
    struct node *entry;
    char *copy;

    if (!is_name(name))
        return weir_err_set(err, WEIR_E_SYNTAX, "'%.*s' is no name of a variable", TEXT(name));
    entry = find_or_add(&vars->variables, kind, name);
    copy = strndup(value.p, value.n);
    if (entry == NULL || copy == NULL) {
        free(copy);
        return weir_err_set(err, WEIR_E_NOMEM, "out of memory");
    }
    free(entry->value);
    entry->value = copy;
    return WEIR_E_OK;
}

struct vars *
vars_new(void)
{
    struct vars *vars = calloc(1, sizeof(*vars));

    for (size_t i = 0; vars != NULL && i < sizeof(defaults) / sizeof(*defaults); i++) {
        struct text name = { defaults[i].name, strlen(defaults[i].name) };
        struct text value = { defaults[i].value, strlen(defaults[i].value) };

        if (vars_set(vars, defaults[i].kind, name, value, NULL) != WEIR_E_OK) {
            vars_free(vars);
            return NULL;
        }
    }
    return vars;
}

/* ---- expressions --------------------------------------------------------------------------- */

/* Names of variables lead on, as far as vars_resolve() went. */
static bool
negates(const struct vars *vars, enum var_kind kind, struct text word, unsigned depth)
{
    for (size_t i = 0; i < word.n; i++) {
        char name[256];
        const struct node *node;
        size_t n = 0;

        if (word.p[i] == '!')
            return true;
        if (word.p[i] != '$' || depth == 0)
            continue;
        while (n + 1 < sizeof(name) && i + 1 + n < word.n &&
               is_name((struct text){ word.p + i + 1 + n, 1 })) {
            name[n] = word.p[i + 1 + n];
            n++;
        }
        name[n] = '\0';
        node = find(&vars->variables, kind, name);
        if (node != NULL &&
            negates(vars, kind, (struct text){ node->value, strlen(node->value) }, depth - 1))
            return true;
    }
    return false;
}

bool
vars_negate(const struct vars *vars, enum var_kind kind, struct text word)
{
    return negates(vars, kind, word, DEPTH_MAX);
}

struct parse {
    struct vars *vars;
    enum var_kind kind;
    unsigned depth, items;
    struct weir_errbuf *err;
};

static u128
most(enum var_kind kind)
{
    return kind == VAR_PORTS ? 65535 : ~(u128)0;
}

bool
is_any(const struct ranges *set, enum var_kind kind)
{
    return set->n == 1 && set->at[0].first == 0 && set->at[0].last == most(kind);
}

u128
address_number(const struct weir_addr *addr, unsigned ip_version)
{
    u128 v = ip_version == 4 ? 0xffff : 0;

    for (unsigned i = 0; i < (ip_version == 4 ? 4 : 16); i++)
        v = v << 8 | addr->b[i];
    return v;
}

static int
no_memory(const struct parse *p)
{
    return weir_err_set(p->err, WEIR_E_NOMEM, "out of memory");
}

static bool
parse_address(struct text t, unsigned *version, struct weir_addr *addr)
{
    char name[INET6_ADDRSTRLEN];

    if (t.n >= sizeof(name))
        return false;
    memcpy(name, t.p, t.n);
    name[t.n] = '\0';
    *version = memchr(t.p, ':', t.n) != NULL ? 6 : 4;
    return inet_pton(*version == 4 ? AF_INET : AF_INET6, name, addr->b) == 1;
}

/* How many leading bits count: a number, or an IPv4 netmask. */
static bool
parse_mask(struct text t, unsigned version, int64_t *bits)
{
    struct weir_addr mask;
    unsigned four;
    uint32_t word;

    if (text_int(t, 0, version == 4 ? 32 : 128, bits))
        return true;
    if (version != 4 || !parse_address(t, &four, &mask) || four != 4)
        return false;
    word = ~(uint32_t)address_number(&mask, 4);
    *bits = 32 - __builtin_popcount(word);
    return (word & (word + 1)) == 0; /* ones, then zeros */
}

/* 10.0.0.1, 10.0.0.0/8, 10.0.0.1-10.0.0.9, and the same for IPv6. */
static bool
parse_addresses(struct text t, struct range *out)
{
    struct text rest = t, low, high;
    bool is_span = t.n > 0 && memchr(t.p, '-', t.n) != NULL;
    unsigned version, version2 = 0;
    struct weir_addr addr;
    int64_t bits;
    u128 host;

    text_next(&rest, is_span ? '-' : '/', &low);
    if (!parse_address(low, &version, &addr))
        return false;
    out->first = out->last = address_number(&addr, version);
    if (rest.p == NULL)
        return true;
    high = text_trim(rest);
    if (is_span) {
        if (!parse_address(high, &version2, &addr))
            return false;
        out->last = address_number(&addr, version2);
        return version == version2 && out->first <= out->last;
    }
    if (!parse_mask(high, version, &bits))
        return false;
    bits += version == 4 ? 96 : 0;
    host = bits == 0 ? ~(u128)0 : ((u128)1 << (128 - bits)) - 1;
    *out = (struct range){ out->first & ~host, out->first | host };
    return true;
}

/* 80, 1024:, :1024, 80:90. */
static bool
parse_ports(struct text t, struct range *out)
{
    struct text rest = t, low, high;
    int64_t first = 0, last = 65535;

    text_next(&rest, ':', &low);
    if (rest.p == NULL) {
        if (!text_int(low, 0, 65535, &first))
            return false;
        *out = (struct range){ (u128)first, (u128)first };
        return true;
    }
    high = text_trim(rest);
    if ((low.n > 0 && !text_int(low, 0, 65535, &first)) ||
        (high.n > 0 && !text_int(high, 0, 65535, &last)) || low.n + high.n == 0 || first > last)
        return false;
    *out = (struct range){ (u128)first, (u128)last };
    return true;
}

static int
parse_item(const struct parse *p, struct text t, struct ranges *out)
{
    bool ports = p->kind == VAR_PORTS;
    struct range range;

    if (t.n == 0)
        return weir_err_set(p->err, WEIR_E_SYNTAX, "%s expected, found nothing",
                            ports ? "a port" : "an address");
    if (text_is(t, "any"))
        range = (struct range){ 0, most(p->kind) };
    else if (ports ? !parse_ports(t, &range) : !parse_addresses(t, &range))
        return weir_err_set(
            p->err, WEIR_E_SYNTAX, "%s expected, not '%.*s'",
            ports ? "a port (80, 1024:, 80:90)" : "an address (10.0.0.1, 10.0.0.0/8)", TEXT(t));
    return ranges_add(out, range.first, range.last) ? WEIR_E_OK : no_memory(p);
}

static int parse_expression(struct parse *p, struct text t, struct ranges *out);

static int
parse_variable(struct parse *p, struct text name, struct ranges *out)
{
    char word[64];
    struct node *entry = NULL;

    if (is_name(name) && name.n < sizeof(word)) {
        memcpy(word, name.p, name.n);
        word[name.n] = '\0';
        entry = find(&p->vars->variables, p->kind, word);
    }
    if (entry == NULL)
        return weir_err_set(p->err, WEIR_E_NOENT,
                            "unknown variable '$%.*s' (set it with --set "
                            "vars.%s.%.*s=...)",
                            TEXT(name), p->kind == VAR_PORTS ? "port-groups" : "address-groups",
                            TEXT(name));
    return parse_expression(p, (struct text){ entry->value, strlen(entry->value) }, out);
}

/* Cut a member off a list: it ends at a comma outside of inner brackets. */
static struct text
list_member(struct text *rest)
{
    unsigned depth = 0;
    size_t n = 0;

    for (; n < rest->n && (depth > 0 || rest->p[n] != ','); n++) {
        if (rest->p[n] == '[')
            depth++;
        else if (rest->p[n] == ']' && depth > 0)
            depth--;
    }
    struct text member = text_trim(text_of(rest->p, rest->p + n));
    *rest = n < rest->n ? text_of(rest->p + n + 1, rest->p + rest->n) : (struct text){ NULL, 0 };
    return member;
}

/* Gather the set of t in *to. */
static int
gather_set(struct parse *p, struct text t, struct ranges *to)
{
    struct ranges set = { NULL, 0 };
    int rc = parse_expression(p, t, &set);

    if (rc == WEIR_E_OK && !ranges_gather(to, &set))
        rc = no_memory(p);
    ranges_free(&set);
    return rc;
}

static int
parse_list(struct parse *p, struct text inner, struct ranges *out)
{
    struct ranges plain = { NULL, 0 }, negated = { NULL, 0 };
    bool any_plain = false;
    int rc = WEIR_E_OK;

    while (rc == WEIR_E_OK && inner.p != NULL) {
        struct text member = list_member(&inner);
        bool minus = member.n > 0 && member.p[0] == '!';

        any_plain |= !minus;
        rc = minus ? gather_set(p, text_of(member.p + 1, member.p + member.n), &negated)
                   : gather_set(p, member, &plain);
    }
    ranges_sort(&plain);
    ranges_sort(&negated);
    if (rc == WEIR_E_OK && !any_plain && !ranges_add(&plain, 0, most(p->kind)))
        rc = no_memory(p);
    if (rc == WEIR_E_OK && !ranges_minus(&plain, &negated, out))
        rc = no_memory(p);
    ranges_free(&plain);
    ranges_free(&negated);
    return rc;
}

/* A list may do without its brackets. */
static bool
is_bare_list(struct text t)
{
    list_member(&t);
    return t.p != NULL;
}

static int
parse_negated(struct parse *p, struct text t, struct ranges *out)
{
    struct range all = { 0, most(p->kind) };
    struct ranges set = { NULL, 0 };
    int rc = parse_expression(p, t, &set);

    if (rc == WEIR_E_OK && !ranges_minus(&(struct ranges){ &all, 1 }, &set, out))
        rc = no_memory(p);
    ranges_free(&set);
    return rc;
}

/* out is empty, and owned by the caller even on failure. */
static int
parse_expression(struct parse *p, struct text t, struct ranges *out)
{
    int rc;

    t = text_trim(t);
    if (++p->depth > DEPTH_MAX || ++p->items > ITEMS_MAX)
        return weir_err_set(p->err, WEIR_E_LIMIT,
                            "lists or variables refer to each other too "
                            "deeply, or to themselves");
    if (is_bare_list(t))
        rc = parse_list(p, t, out);
    else if (t.n > 0 && t.p[0] == '!')
        rc = parse_negated(p, text_of(t.p + 1, t.p + t.n), out);
    else if (t.n > 0 && t.p[0] == '$')
        rc = parse_variable(p, text_of(t.p + 1, t.p + t.n), out);
    else if (t.n > 1 && t.p[0] == '[' && t.p[t.n - 1] == ']')
        rc = parse_list(p, text_of(t.p + 1, t.p + t.n - 1), out);
    else
        rc = parse_item(p, t, out);
    p->depth--;
    return rc;
}

static int
resolve(struct vars *vars, struct node *entry, struct weir_errbuf *err)
{
    struct parse p = { .vars = vars, .kind = entry->kind, .err = err };
    int rc = parse_expression(&p, (struct text){ entry->name, strlen(entry->name) }, &entry->set);

    if (rc == WEIR_E_OK && entry->set.n == 0)
        rc = weir_err_set(err, WEIR_E_SYNTAX, "'%s' leaves nothing", entry->name);
    return rc;
}

int
vars_resolve(struct vars *vars, enum var_kind kind, struct text expression,
             const struct ranges **out, struct weir_errbuf *err)
{
    struct node *entry = find_or_add(&vars->sets, kind, expression);
    int rc;

    *out = NULL;
    if (entry == NULL)
        return weir_err_set(err, WEIR_E_NOMEM, "out of memory");
    if (entry->set.n == 0) {
        rc = resolve(vars, entry, err);
        if (rc != WEIR_E_OK) {
            ranges_free(&entry->set);
            return rc;
        }
    }
    *out = &entry->set;
    return WEIR_E_OK;
}
