#include "pcapng_out.h"

#include <string.h>

enum {
    BLOCK_SECTION = 0x0a0d0d0a,
    BLOCK_INTERFACE = 1,
    BLOCK_ENHANCED = 6,
    BYTE_ORDER_MAGIC = 0x1a2b3c4d,
    OPTION_END = 0,
    OPTION_COMMENT = 1,
    OPTION_TSRESOL = 9, /* section 4.2: if_tsresol */
    NANOSECONDS = 9,
};

static void
put_u16(struct out *out, uint32_t v)
{
    out_char(out, (char)(v & 0xff));
    out_char(out, (char)(v >> 8 & 0xff));
}

static void
put_u32(struct out *out, uint32_t v)
{
    put_u16(out, v & 0xffff);
    put_u16(out, v >> 16);
}

static uint32_t
padded(uint32_t n)
{
    return (n + 3) & ~UINT32_C(3);
}

static void
put_padded(struct out *out, const void *p, uint32_t n)
{
    out_bytes(out, p, n);
    out_bytes(out, "\0\0\0", padded(n) - n);
}

/* Whether the block that was put together goes to the log. */
static bool
end_block(struct out *out)
{
    const uint64_t gone = out->dropped + out->lost;

    out_end_record(out);
    return out->dropped + out->lost == gone;
}

bool
pcapng_start(struct pcapng_out *to)
{
    struct out *out = to->out;

    if (to->begun)
        return true;
    put_u32(out, BLOCK_SECTION);
    put_u32(out, 28);
    put_u32(out, BYTE_ORDER_MAGIC);
    put_u32(out, 1); /* version 1.0 */
    put_u32(out, UINT32_MAX);
    put_u32(out, UINT32_MAX); /* the section's length is not known */
    put_u32(out, 28);
    to->begun = end_block(out);
    return to->begun;
}

static bool
add_interface(struct pcapng_out *to, uint16_t link)
{
    struct out *out = to->out;

    if (to->n_links == PCAPNG_LINKS)
        return false;
    put_u32(out, BLOCK_INTERFACE);
    put_u32(out, 32);
    put_u32(out, link);
    put_u32(out, 0); /* frames are as long as they are */
    put_u32(out, OPTION_TSRESOL | 1 << 16);
    put_u32(out, NANOSECONDS);
    put_u32(out, OPTION_END);
    put_u32(out, 32);
    if (!end_block(out))
        return false;
    to->link[to->n_links++] = link;
    return true;
}

/* Its number; -1: there is none, and none could be added. */
static int
interface_of(struct pcapng_out *to, uint16_t link)
{
    for (int i = 0; i < to->n_links; i++)
        if (to->link[i] == link)
            return i;
    return add_interface(to, link) ? to->n_links - 1 : -1;
}

static uint32_t
size_of_comments(const struct pcapng_packet *packet)
{
    uint32_t n = packet->n_comments > 0 ? 4 : 0; /* the end of options */

    for (unsigned i = 0; i < packet->n_comments; i++)
        n += 4 + padded((uint32_t)strlen(packet->comment[i]));
    return n;
}

static void
put_comments(struct out *out, const struct pcapng_packet *packet)
{
    for (unsigned i = 0; i < packet->n_comments; i++) {
        const uint32_t n = (uint32_t)strlen(packet->comment[i]);

        put_u32(out, OPTION_COMMENT | n << 16);
        put_padded(out, packet->comment[i], n);
    }
    if (packet->n_comments > 0)
        put_u32(out, OPTION_END);
}

bool
pcapng_write(struct pcapng_out *to, const struct pcapng_packet *packet)
{
    const uint32_t size = 32 + padded(packet->caplen) + size_of_comments(packet);
    const int interface = pcapng_start(to) ? interface_of(to, packet->link) : -1;
    struct out *out = to->out;

    if (interface < 0)
        return false;
    put_u32(out, BLOCK_ENHANCED);
    put_u32(out, size);
    put_u32(out, (uint32_t)interface);
    put_u32(out, (uint32_t)(packet->time >> 32));
    put_u32(out, (uint32_t)packet->time);
    put_u32(out, packet->caplen);
    put_u32(out, packet->wirelen);
    put_padded(out, packet->frame, packet->caplen);
    put_comments(out, packet);
    put_u32(out, size);
    return end_block(out);
}
