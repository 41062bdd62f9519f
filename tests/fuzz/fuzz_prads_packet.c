/* What is read from packets: DHCP messages, DNS messages, TCP options. */
#include "compat_dns.h"
#include "decode.h"
#include "dhcp_print.h"
#include "fingerprint.h"
#include "p0f.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
try_dhcp(const uint8_t *data, size_t n)
{
    struct dhcp_print print;
    char text[DHCP_TEXT_MAX];

    if (!dhcp_take(data, n, 64, &print))
        return;
    assert(print.n_options <= n && strlen(print.vendor) == print.n_vendor);
    dhcp_text(&print, text);
    assert(strlen(text) < sizeof(text));
}

static void
try_dns(const uint8_t *data, size_t n)
{
    static struct out out;

    if (out.log == NULL && out_open(&out, "/dev/null", false, NULL) != WEIR_E_OK)
        abort();
    if (!compat_dns_text(&out, data, n))
        assert(out.n == 0);
    out_end_record(&out);
}

static void
try_stack(const struct weir_packet *pkt)
{
    struct p0f_print print;
    char text[P0F_TEXT_MAX];

    p0f_take(pkt, &print);
    assert(print.n_options <= P0F_OPTIONS_MAX && print.padding <= 40);
    p0f_text(&print, text);
    assert(text[0] == '0' + pkt->ip_version && strlen(text) < sizeof(text) - 1);
}

static void
try_packet(const uint8_t *data, size_t n)
{
    const struct weir_frame frame = {
        .data = data, .caplen = (uint32_t)n, .wirelen = (uint32_t)n, .link = 101
    };
    struct decode_fault fault;
    struct fingerprint fp;
    struct weir_packet pkt;
    char text[FP_TEXT_MAX];

    if (decode(&frame, &pkt, &fault) != DECODE_FLOW)
        return;
    if (pkt.proto == WEIR_PROTO_TCP)
        for (int kind = 0; kind < FP_KINDS; kind++) {
            fp_take(&pkt, (enum fp_kind)kind, &fp);
            assert(fp.n_options <= FP_OPTIONS_MAX);
            fp_text(&fp, (enum fp_kind)kind, FP_PLAIN, text);
            fp_text(&fp, (enum fp_kind)kind, FP_STDOUT, text);
        }
    if (pkt.proto == WEIR_PROTO_TCP)
        try_stack(&pkt);
    if (pkt.ip_version == 4) {
        fp_udp_text(&pkt, text);
        fp_icmp_text(&pkt, text);
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static void (*const tries[])(const uint8_t *, size_t) = { try_dhcp, try_dns, try_packet };
    uint8_t *copy;

    if (size < 1 || size > 2000)
        return 0;
    copy = malloc(size); /* exact size: ASan sees the byte behind */
    if (copy == NULL)
        return 0;
    memcpy(copy, data + 1, size - 1);
    tries[data[0] % (sizeof(tries) / sizeof(tries[0]))](copy, size - 1);
    free(copy);
    return 0;
}
