#include "rule/option_packet.h"

#include "rule/option_buffer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int
check_add(struct rule *rule, const struct check *check, struct weir_errbuf *err)
{
    struct check *more;

    if (rule->n_checks == CHECKS_MAX)
        return weir_err_set(err, WEIR_E_LIMIT, "at most %d tests of header fields expected",
                            CHECKS_MAX);
    more = realloc(rule->check, (rule->n_checks + 1U) * sizeof(*more));
    if (more == NULL)
        return weir_err_set(err, WEIR_E_NOMEM, "out of memory");
    rule->check = more;
    more[rule->n_checks++] = *check;
    return WEIR_E_OK;
}

/* ---- numbers ------------------------------------------------------------------------------- */

static int
take_field(struct rule *rule, enum check_kind kind, struct text value, int64_t max,
           struct weir_errbuf *err)
{
    struct check check = { .kind = (uint8_t)kind };
    int rc = compare_parse(value, max, &check.compare, err);

    return rc == WEIR_E_OK ? check_add(rule, &check, err) : rc;
}

/* Perhaps in quotes, as Suricata allows for these. */
static int
take_quoted(struct rule *rule, enum check_kind kind, struct text value, int64_t max,
            struct weir_errbuf *err)
{
    struct text inner;

    if (text_unquote(value, &inner))
        value = text_trim(inner);
    return take_field(rule, kind, value, max, err);
}

int
dsize_take(struct rule *rule, struct text value, struct weir_errbuf *err)
{
    return take_field(rule, CHECK_DSIZE, value, 65535, err);
}

/* Snort 2's -N and N-, beside the forms that all numbers have. */
int
ttl_take(struct rule *rule, struct text value, struct weir_errbuf *err)
{
    struct check check = { .kind = CHECK_TTL };

    if (value.n > 1 && value.p[0] == '-') {
        check.compare.op = CMP_LE;
        if (text_int(text_trim(text_of(value.p + 1, value.p + value.n)), 0, 255,
                     &check.compare.value))
            return check_add(rule, &check, err);
    } else if (value.n > 1 && value.p[value.n - 1] == '-') {
        check.compare.op = CMP_GE;
        if (text_int(text_trim(text_of(value.p, value.p + value.n - 1)), 0, 255,
                     &check.compare.value))
            return check_add(rule, &check, err);
    }
    return take_field(rule, CHECK_TTL, value, 255, err);
}

/* Suricata's x1a and !x1a, too. */
int
tos_take(struct rule *rule, struct text value, struct weir_errbuf *err)
{
    struct text digits = value;
    uint8_t op = CMP_EQ;
    char prefixed[8];
    int n;

    compare_sign(&digits, &op);
    if (op > CMP_NE || digits.n < 2 || digits.n > 3 || (digits.p[0] | 0x20) != 'x')
        return take_field(rule, CHECK_TOS, value, 255, err);
    n = snprintf(prefixed, sizeof(prefixed), "%s0%.*s", op == CMP_NE ? "!" : "", TEXT(digits));
    return take_field(rule, CHECK_TOS, (struct text){ prefixed, (size_t)n }, 255, err);
}

int
id_take(struct rule *rule, struct text value, struct weir_errbuf *err)
{
    return take_quoted(rule, CHECK_IP_ID, value, 65535, err);
}

int
fragoffset_take(struct rule *rule, struct text value, struct weir_errbuf *err)
{
    return take_field(rule, CHECK_FRAGOFFSET, value, 8191, err);
}

int
itype_take(struct rule *rule, struct text value, struct weir_errbuf *err)
{
    return take_field(rule, CHECK_ITYPE, value, 255, err);
}

int
icode_take(struct rule *rule, struct text value, struct weir_errbuf *err)
{
    return take_field(rule, CHECK_ICODE, value, 255, err);
}

int
icmp_id_take(struct rule *rule, struct text value, struct weir_errbuf *err)
{
    return take_quoted(rule, CHECK_ICMP_ID, value, 65535, err);
}

int
icmp_seq_take(struct rule *rule, struct text value, struct weir_errbuf *err)
{
    return take_quoted(rule, CHECK_ICMP_SEQ, value, 65535, err);
}

int
icmpv6_mtu_take(struct rule *rule, struct text value, struct weir_errbuf *err)
{
    return take_field(rule, CHECK_ICMPV6_MTU, value, UINT32_MAX, err);
}

int
seq_take(struct rule *rule, struct text value, struct weir_errbuf *err)
{
    return take_field(rule, CHECK_SEQ, value, UINT32_MAX, err);
}

int
ack_take(struct rule *rule, struct text value, struct weir_errbuf *err)
{
    return take_field(rule, CHECK_ACK, value, UINT32_MAX, err);
}

int
window_take(struct rule *rule, struct text value, struct weir_errbuf *err)
{
    return take_field(rule, CHECK_WINDOW, value, 65535, err);
}

int
mss_take(struct rule *rule, struct text value, struct weir_errbuf *err)
{
    return take_field(rule, CHECK_MSS, value, 65535, err);
}

int
wscale_take(struct rule *rule, struct text value, struct weir_errbuf *err)
{
    return take_field(rule, CHECK_WSCALE, value, 255, err);
}

int
vlan_layers_take(struct rule *rule, struct text value, struct weir_errbuf *err)
{
    return take_field(rule, CHECK_VLAN_LAYERS, value, 8, err);
}

int
vlan_id_take(struct rule *rule, struct text value, struct weir_errbuf *err)
{
    struct check check = { .kind = CHECK_VLAN_ID, .layer = VLAN_ANY };
    struct text rest = value, id, layer;
    int64_t n;
    int rc;

    if (count_of(value, &id))
        return vlan_layers_take(rule, id, err);
    text_next(&rest, ',', &id);
    rc = compare_parse(id, 4095, &check.compare, err);
    if (rc != WEIR_E_OK)
        return rc;
    if (text_next(&rest, ',', &layer) && !text_is(layer, "any")) {
        if (text_is(layer, "all"))
            n = VLAN_ALL;
        else if (!text_int(layer, -3, 2, &n))
            return weir_err_set(err, WEIR_E_SYNTAX,
                                "any, all, or a layer from -3 to 2 expected, not '%.*s'",
                                TEXT(layer));
        check.layer = (int8_t)n;
    }
    return check_add(rule, &check, err);
}

/* ---- bits ---------------------------------------------------------------------------------- */

/* Letters of a set, the first of which stands for bit 0; the digit 0 stands for none. */
static bool
take_letters(struct text t, const char *letters, uint8_t *bits)
{
    *bits = 0;
    for (size_t i = 0; i < t.n; i++) {
        const char *at = memchr(letters, t.p[i] & ~0x20, strlen(letters));

        if (at != NULL)
            *bits |= (uint8_t)(1U << (at - letters));
        else if (t.p[i] == '1' || t.p[i] == '2') /* of flags: reserved once */
            *bits |= t.p[i] == '1' ? WEIR_TH_CWR : WEIR_TH_ECE;
        else if (t.p[i] != '0')
            return false;
    }
    return t.n > 0;
}

/* A sign before the letters, or behind them (Snort). */
static void
take_how(struct text *letters, char *how)
{
    static const char signs[] = "!*+=";

    *how = '=';
    if (letters->n > 0 && memchr(signs, letters->p[0], 4) != NULL) {
        *how = letters->p[0];
        letters->p++, letters->n--;
    } else if (letters->n > 0 && memchr(signs, letters->p[letters->n - 1], 4) != NULL) {
        *how = letters->p[--letters->n];
    }
    *letters = text_trim(*letters);
}

/* [!*+=]LETTERS[,LETTERS TO IGNORE] */
int
flags_take(struct rule *rule, struct text value, struct weir_errbuf *err)
{
    struct check check = { .kind = CHECK_FLAGS };
    struct text rest = value, letters;
    bool ok;

    text_next(&rest, ',', &letters);
    take_how(&letters, &check.how);
    ok = take_letters(letters, "FSRPAUEC", &check.flags);
    if (rest.p != NULL)
        ok = ok && take_letters(text_trim(rest), "FSRPAUEC", &check.mask);
    if (!ok)
        return weir_err_set(err, WEIR_E_SYNTAX,
                            "letters of FSRPAUEC, perhaps with one of !*+= before, expected, not "
                            "'%.*s'",
                            TEXT(value));
    return check_add(rule, &check, err);
}

int
fragbits_take(struct rule *rule, struct text value, struct weir_errbuf *err)
{
    struct check check = { .kind = CHECK_FRAGBITS };
    struct text letters = value;

    take_how(&letters, &check.how);
    if (!take_letters(letters, "MDR", &check.flags) || check.flags > 7)
        return weir_err_set(err, WEIR_E_SYNTAX,
                            "letters of MDR, perhaps with one of !*+ before, expected, not '%.*s'",
                            TEXT(value));
    return check_add(rule, &check, err);
}

/* ---- names --------------------------------------------------------------------------------- */

struct name {
    const char *name;
    uint8_t number;
};

static const struct name *
name_find(const struct name *names, size_t n, struct text t)
{
    for (size_t i = 0; i < n; i++)
        if (text_is_nocase(t, names[i].name))
            return &names[i];
    return NULL;
}

/* https://www.iana.org/assignments/ip-parameters; esec and satid as Snort has them. */
static const struct name ip_options[] = {
    { "eol", 0 },    { "nop", 1 },      { "rr", 7 },     { "ts", 68 },     { "sec", 130 },
    { "lsrr", 131 }, { "lsrre", 131 },  { "esec", 133 }, { "cipso", 134 }, { "satid", 136 },
    { "ssrr", 137 }, { "rtralt", 148 }, { "any", 255 },
};

int
ipopts_take(struct rule *rule, struct text value, struct weir_errbuf *err)
{
    struct check check = { .kind = CHECK_IPOPTS };
    const struct name *name = name_find(ip_options, sizeof(ip_options) / sizeof(*ip_options),
                                        value);

    if (name == NULL)
        return weir_err_set(err, WEIR_E_SYNTAX,
                            "one of rr, eol, nop, ts, sec, esec, cipso, lsrr, ssrr, satid, rtralt "
                            "and any expected, not '%.*s'",
                            TEXT(value));
    check.flags = name->number;
    return check_add(rule, &check, err);
}

/* https://www.iana.org/assignments/protocol-numbers: those that /etc/protocols names. */
static const struct name ip_protocols[] = {
    { "ip", 0 },          { "hopopt", 0 },     { "icmp", 1 },        { "igmp", 2 },
    { "ggp", 3 },         { "ipip", 4 },       { "ipencap", 4 },     { "st", 5 },
    { "tcp", 6 },         { "egp", 8 },        { "igp", 9 },         { "pup", 12 },
    { "udp", 17 },        { "hmp", 20 },       { "xns-idp", 22 },    { "rdp", 27 },
    { "iso-tp4", 29 },    { "dccp", 33 },      { "xtp", 36 },        { "ddp", 37 },
    { "idpr-cmtp", 38 },  { "ipv6", 41 },      { "ipv6-route", 43 }, { "ipv6-frag", 44 },
    { "idrp", 45 },       { "rsvp", 46 },      { "gre", 47 },        { "esp", 50 },
    { "ipv6-crypt", 50 }, { "ah", 51 },        { "ipv6-auth", 51 },  { "skip", 57 },
    { "icmpv6", 58 },     { "ipv6-icmp", 58 }, { "ipv6-nonxt", 59 }, { "ipv6-opts", 60 },
    { "rspf", 73 },       { "vmtp", 81 },      { "eigrp", 88 },      { "ospf", 89 },
    { "ospfigp", 89 },    { "ax.25", 93 },     { "etherip", 97 },    { "encap", 98 },
    { "pim", 103 },       { "ipcomp", 108 },   { "vrrp", 112 },      { "l2tp", 115 },
    { "isis", 124 },      { "sctp", 132 },     { "fc", 133 },        { "udplite", 136 },
};

int
ip_proto_take(struct rule *rule, struct text value, struct weir_errbuf *err)
{
    struct check check = { .kind = CHECK_IP_PROTO };
    struct text rest = value;
    const struct name *name;

    compare_sign(&rest, &check.compare.op);
    name = name_find(ip_protocols, sizeof(ip_protocols) / sizeof(*ip_protocols), rest);
    if (name == NULL)
        return take_field(rule, CHECK_IP_PROTO, value, 255, err);
    check.compare.value = name->number;
    return check_add(rule, &check, err);
}

int
sameip_take(struct rule *rule, struct text value, struct weir_errbuf *err)
{
    const struct check check = { .kind = CHECK_SAMEIP };

    (void)value;
    return check_add(rule, &check, err);
}
