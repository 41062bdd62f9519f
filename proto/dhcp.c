#include "dhcp.h"

#include "bytes.h"

/* WEIR_E_AGAIN: the end was reached. */
static int
next_option(struct rd *r, uint8_t *code, struct weir_bytes *data)
{
    struct rd body;
    uint8_t n;

    do
        if (!rd_u8(r, code))
            return WEIR_E_AGAIN;
    while (*code == DHCP_PAD);
    *data = (struct weir_bytes){ r->p, 0 };
    if (*code == DHCP_OPTIONS_END)
        return WEIR_E_AGAIN;
    if (!rd_u8(r, &n) || !rd_sub(r, n, &body))
        return WEIR_E_TRUNC;
    *data = bytes_of(body);
    return WEIR_E_OK;
}

bool
dhcp_next(struct weir_bytes *options, uint8_t *code, struct weir_bytes *data)
{
    struct rd r = rd_of(*options);
    int rc = next_option(&r, code, data);

    *options = bytes_of(r);
    return rc == WEIR_E_OK;
}

static void
keep_order(struct dhcp_message *out, uint8_t code)
{
    if (out->n_order < DHCP_ORDER)
        out->order[out->n_order++] = code;
    else
        out->order_more = true;
}

static void
keep_first(struct weir_bytes *field, struct weir_bytes data)
{
    if (field->p == NULL)
        *field = data;
}

static bool
keep_address(const uint8_t **field, struct weir_bytes data)
{
    if (data.n != 4)
        return false;
    if (*field == NULL)
        *field = data.p;
    return true;
}

static bool
keep_u8(uint8_t *field, struct weir_bytes data)
{
    if (data.n != 1)
        return false;
    if (*field == 0)
        *field = data.p[0];
    return true;
}

/* RFC 4702 section 2: flags, two result codes, the name. */
static bool
keep_fqdn(struct dhcp_message *out, struct weir_bytes data)
{
    if (data.n < 3)
        return false;
    if (out->fqdn.p == NULL) {
        out->fqdn = (struct weir_bytes){ data.p + 3, data.n - 3 };
        out->fqdn_wire = (data.p[0] & 4) != 0;
    }
    return true;
}

/* Returns whether the data fits the code. */
static bool
keep_option(struct dhcp_message *out, uint8_t code, struct weir_bytes data)
{
    switch (code) {
    case DHCP_TYPE:
        return keep_u8(&out->type, data);
    case DHCP_OVERLOAD:
        return keep_u8(&out->overload, data);
    case DHCP_REQUESTED:
        return keep_address(&out->requested, data);
    case DHCP_SERVER_ID:
        return keep_address(&out->server_id, data);
    case DHCP_FQDN:
        return keep_fqdn(out, data);
    case DHCP_REQUEST_LIST:
        keep_first(&out->request_list, data);
        return true;
    case DHCP_VENDOR_CLASS:
        keep_first(&out->vendor_class, data);
        return true;
    case DHCP_HOSTNAME:
        keep_first(&out->hostname, data);
        return true;
    case DHCP_CLIENT_ID:
        keep_first(&out->client_id, data);
        return true;
    default:
        return true;
    }
}

static int
read_options(struct rd *r, struct dhcp_message *out)
{
    struct weir_bytes data;
    uint8_t code = 0;
    int rc;

    out->options = bytes_of(*r);
    while ((rc = next_option(r, &code, &data)) == WEIR_E_OK) {
        keep_order(out, code);
        out->odd |= !keep_option(out, code, data);
    }
    if (rc == WEIR_E_AGAIN && code == DHCP_OPTIONS_END) {
        out->has_end = true;
        keep_order(out, code);
    }
    return rc == WEIR_E_TRUNC ? WEIR_E_TRUNC : WEIR_E_OK;
}

int
dhcp_parse(const uint8_t *p, size_t n, struct dhcp_message *out)
{
    struct rd r = { p, p + n };
    uint32_t cookie;

    *out = (struct dhcp_message){ .op = 0 };
    if (rd_take(&r, DHCP_HEADER) == NULL)
        return WEIR_E_TRUNC;
    out->op = p[0];
    out->xid = be32(p + 4);
    out->ciaddr = p + 12;
    out->yiaddr = p + 16;
    out->siaddr = p + 20;
    out->giaddr = p + 24;
    if (p[0] < 1 || p[0] > 2 || p[2] > 16)
        return WEIR_E_MALFORMED;
    out->mac = (struct weir_bytes){ p + 28, p[2] };
    if (!rd_be32(&r, &cookie))
        return WEIR_E_TRUNC;
    if (cookie != 0x63825363)
        return WEIR_E_MALFORMED;
    return read_options(&r, out);
}

const char *
dhcp_type_name(unsigned type)
{
    static const char *const names[] = { "BOOTP", "DISCOVER", "OFFER",   "REQUEST", "DECLINE",
                                         "ACK",   "NAK",      "RELEASE", "INFORM" };

    return type < sizeof(names) / sizeof(names[0]) ? names[type] : NULL;
}

/* ---- DHCPv6 */

enum { RELAY_FORWARD = 12, RELAY_REPLY = 13, RELAY_HEADER = 34 };

static bool
next_option6(struct rd *r, uint16_t *code, struct weir_bytes *data)
{
    struct rd at = *r, body;
    uint16_t n;

    if (!rd_be16(&at, code) || !rd_be16(&at, &n) || !rd_sub(&at, n, &body))
        return false;
    *data = bytes_of(body);
    *r = at;
    return true;
}

/* RFC 8415 sections 11.2 and 11.4: a DUID of an Ethernet address, with or without time. */
static struct weir_bytes
mac_of(struct weir_bytes duid)
{
    if (duid.n == 14 && be32(duid.p) == 0x00010001)
        return (struct weir_bytes){ duid.p + 8, 6 };
    if (duid.n == 10 && be32(duid.p) == 0x00030001)
        return (struct weir_bytes){ duid.p + 4, 6 };
    return (struct weir_bytes){ NULL, 0 };
}

static void
keep_vendor_class(struct dhcp6_message *out, struct weir_bytes data)
{
    struct rd r = rd_of(data), first;
    uint16_t n;

    if (rd_be32(&r, &out->enterprise) && rd_be16(&r, &n) && rd_sub(&r, n, &first))
        keep_first(&out->vendor_class, bytes_of(first));
}

static void
keep_option6(struct dhcp6_message *out, uint16_t code, struct weir_bytes data)
{
    switch (code) {
    case DHCP6_CLIENT_ID:
        keep_first(&out->client_id, data);
        out->mac = mac_of(out->client_id);
        break;
    case DHCP6_ORO:
        if (data.n % 2 == 0)
            keep_first(&out->request_list, data);
        break;
    case DHCP6_VENDOR_CLASS:
        keep_vendor_class(out, data);
        break;
    case DHCP6_FQDN: /* RFC 4704 section 4: flags, the name */
        if (data.n > 1)
            keep_first(&out->fqdn, (struct weir_bytes){ data.p + 1, data.n - 1 });
        break;
    default:
        break;
    }
}

/* What a relay's message holds. */
static int
unwrap(struct rd *r)
{
    struct weir_bytes data;
    uint16_t code;

    if (rd_take(r, RELAY_HEADER) == NULL)
        return WEIR_E_TRUNC;
    while (next_option6(r, &code, &data))
        if (code == DHCP6_RELAY_MESSAGE) {
            *r = rd_of(data);
            return WEIR_E_OK;
        }
    return rd_left(r) > 0 ? WEIR_E_TRUNC : WEIR_E_MALFORMED;
}

int
dhcp6_parse(const uint8_t *p, size_t n, struct dhcp6_message *out)
{
    struct rd r = { p, p + n };
    struct weir_bytes data;
    uint16_t code;
    int rc;

    *out = (struct dhcp6_message){ .type = 0 };
    while (rd_left(&r) > 0 && (r.p[0] == RELAY_FORWARD || r.p[0] == RELAY_REPLY)) {
        if (++out->relays > DHCP6_RELAYS)
            return WEIR_E_MALFORMED;
        rc = unwrap(&r);
        if (rc != WEIR_E_OK)
            return rc;
    }
    if (!rd_be32(&r, &out->xid))
        return WEIR_E_TRUNC;
    out->type = (uint8_t)(out->xid >> 24);
    out->xid &= 0xffffff;
    if (out->type == 0)
        return WEIR_E_MALFORMED;
    while (next_option6(&r, &code, &data))
        keep_option6(out, code, data);
    return rd_left(&r) > 0 ? WEIR_E_TRUNC : WEIR_E_OK;
}

void
dhcp_labels_text(struct weir_bytes labels, struct put *put)
{
    struct rd r = rd_of(labels), label;
    uint8_t n;

    while (rd_u8(&r, &n) && n > 0 && n < 64 && rd_sub(&r, n, &label)) {
        if (put_length(put) > 0)
            put_char(put, '.');
        put_bytes(put, label.p, n);
    }
}
