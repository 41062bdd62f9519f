/* DHCP and DHCPv6: what is read lies in the message, and says what the options say. */
#include "dhcp.h"

#include "support/exact.h"

#undef NDEBUG
#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool
within(struct weir_bytes part, const uint8_t *p, size_t n)
{
    return part.p == NULL || (part.p >= p && part.p + part.n <= p + n);
}

static void
check_four(const uint8_t *p, size_t n)
{
    struct dhcp_message m;
    struct weir_bytes data;
    unsigned options = 0, types = 0;
    uint8_t code;
    int rc = dhcp_parse(p, n, &m);

    assert(rc == WEIR_E_OK || rc == WEIR_E_TRUNC || rc == WEIR_E_MALFORMED);
    if (rc != WEIR_E_OK)
        return;
    assert(m.mac.n <= 16 && within(m.mac, p, n) && within(m.options, p, n));
    assert(within(m.hostname, p, n) && within(m.request_list, p, n) && within(m.fqdn, p, n));
    assert(within(m.vendor_class, p, n) && within(m.client_id, p, n));
    assert(m.requested == NULL || within((struct weir_bytes){ m.requested, 4 }, p, n));
    while (dhcp_next(&m.options, &code, &data)) {
        assert(options >= m.n_order || m.order[options] == code);
        options++;
        types += code == DHCP_TYPE && data.n == 1 && data.p[0] == m.type;
    }
    assert(m.type == 0 || types > 0);
    assert(m.order_more == (options + m.has_end > DHCP_ORDER));
    assert(m.order_more || m.n_order == options + m.has_end);
}

static void
check_six(const uint8_t *p, size_t n)
{
    char text[32];
    struct put put = put_begin(text, sizeof(text));
    struct dhcp6_message m;
    int rc = dhcp6_parse(p, n, &m);

    assert(rc == WEIR_E_OK || rc == WEIR_E_TRUNC || rc == WEIR_E_MALFORMED);
    if (rc != WEIR_E_OK)
        return;
    assert(m.relays <= DHCP6_RELAYS && m.type != 0 && m.xid < 1 << 24);
    assert(within(m.client_id, p, n) && within(m.mac, p, n) && within(m.request_list, p, n));
    assert(within(m.vendor_class, p, n) && within(m.fqdn, p, n));
    assert(m.request_list.n % 2 == 0 && (m.mac.n == 0 || m.mac.n == 6));
    dhcp_labels_text(m.fqdn, &put);
    assert(put_length(&put) < sizeof(text));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t *copy;

    if (size > 4096)
        return 0;
    copy = exact_copy(data, size);
    check_four(copy, size);
    check_six(copy, size);
    free(copy);
    return 0;
}
