/* pcapng, as of https://www.ietf.org/archive/id/draft-ietf-opsawg-pcapng-03.html */
#include "port/capfile.h"

#include <stdarg.h>
#include <stdlib.h>

enum {
    BLOCK_INTERFACE = 1,
    BLOCK_PACKET = 2, /* obsolete, but found in old files */
    BLOCK_SIMPLE = 3,
    BLOCK_ENHANCED = 6,
    BLOCK_SECTION = 0x0a0d0d0a, /* the same in both byte orders */
};

enum {
    BYTE_ORDER_MAGIC = 0x1a2b3c4d,
    BLOCK_MIN = 12,               /* type, length, length */
    BLOCK_MAX = 16 * 1024 * 1024, /* no sane block is larger; more means corruption */
    SECTION_MIN = BLOCK_MIN + 16,
    INTERFACE_FIXED = 8,
    PACKET_FIXED = 20, /* of both packet blocks with a time */
    MAX_INTERFACES = 65536,
};

enum { OPT_END = 0, OPT_TSRESOL = 9, OPT_TSOFFSET = 14 };

struct block {
    uint32_t type;
    const uint8_t *body, *end;
};

static int __attribute__((format(printf, 4, 5)))
malformed(const struct capfile *file, const uint8_t *p, struct weir_errbuf *err, const char *format,
          ...)
{
    char text[256];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    return weir_err_set(err, WEIR_E_MALFORMED, "%s: byte %" PRIu64 ": corrupt: %s", file->name,
                        capfile_offset(file, p), text);
}

static size_t
body_size(const struct block *b)
{
    return (size_t)(b->end - b->body);
}

/*
 * A section header tells the byte order of all that follows, its own length included. 0: cut.
 */
static int
section_order(struct capfile *file, const uint8_t *p, struct weir_errbuf *err)
{
    if (capfile_left(file, p) < SECTION_MIN) {
        capfile_cut_at(file, p, SECTION_MIN);
        return 0;
    }
    if (load32(p + 8, false) == BYTE_ORDER_MAGIC)
        file->pcapng.swapped = false;
    else if (load32(p + 8, true) == BYTE_ORDER_MAGIC)
        file->pcapng.swapped = true;
    else
        return malformed(file, p + 8, err, "byte-order magic %08" PRIx32 ", expected %08x",
                         load32(p + 8, false), BYTE_ORDER_MAGIC);
    return 1;
}

static int
check_length(const struct capfile *file, const uint8_t *p, uint32_t total, size_t left,
             struct weir_errbuf *err)
{
    if (total < BLOCK_MIN || total > BLOCK_MAX || total % 4 != 0)
        return malformed(file, p + 4, err,
                         "block length %" PRIu32 ", expected a multiple of 4 from %d to %d", total,
                         BLOCK_MIN, BLOCK_MAX);
    if (total > left)
        return malformed(file, p + 4, err,
                         "block length %" PRIu32 ", but the file has %zu bytes left", total, left);
    return WEIR_E_OK;
}

/* The block at p. 1: *b is filled; 0: end of input or a cut block; or an error. */
static int
take_block(struct capfile *file, const uint8_t *p, struct block *b, struct weir_errbuf *err)
{
    const size_t left = capfile_left(file, p);
    uint32_t total, again;
    int rc;

    if (left == 0)
        return 0;
    if (left < BLOCK_MIN) {
        capfile_cut_at(file, p, BLOCK_MIN);
        return 0;
    }
    if (load32(p, false) == BLOCK_SECTION) {
        rc = section_order(file, p, err);
        if (rc <= 0)
            return rc;
    }
    b->type = load32(p, file->pcapng.swapped);
    total = load32(p + 4, file->pcapng.swapped);
    if (port_is_cut(total, left, PORT_BLOCK_HEADER)) {
        capfile_cut_at(file, p, total);
        return 0;
    }
    rc = check_length(file, p, total, left, err);
    if (rc != WEIR_E_OK)
        return rc;
    b->body = p + 8;
    b->end = p + total - 4;
    again = load32(b->end, file->pcapng.swapped);
    if (WEIR_UNLIKELY(again != total))
        return malformed(file, b->end, err,
                         "block length %" PRIu32 " at its end, expected %" PRIu32
                         " as at byte %" PRIu64,
                         again, total, capfile_offset(file, p + 4));
    return 1;
}

/* Interfaces are numbered anew in each section. */
static void
forget_interfaces(struct pcapng *png)
{
    for (unsigned i = 0; i < png->n; i++)
        filter_free(&png->interfaces[i].filter);
    png->n = 0;
}

static int
begin_section(struct capfile *file, const struct block *b, struct weir_errbuf *err)
{
    const bool swapped = file->pcapng.swapped;

    if (body_size(b) < SECTION_MIN - BLOCK_MIN)
        return malformed(file, b->body - 4, err, "section header of %zu bytes, expected %d",
                         body_size(b) + BLOCK_MIN, SECTION_MIN);
    if (load16(b->body + 4, swapped) != 1)
        return malformed(file, b->body + 4, err, "pcapng version %u.%u, expected 1.x",
                         load16(b->body + 4, swapped), load16(b->body + 6, swapped));
    forget_interfaces(&file->pcapng);
    return WEIR_E_OK;
}

static uint64_t
power_of_ten(unsigned n)
{
    uint64_t v = 1;

    while (n-- > 0)
        v *= 10;
    return v;
}

/* Units a second: 10^v, or 2^v with the top bit set. */
static bool
set_clock(struct pcapng_interface *i, uint8_t resolution)
{
    const unsigned v = resolution & 0x7f;
    const bool binary = (resolution & 0x80) != 0;

    if (v > (binary ? 63 : 19)) /* as far as 64 bits go */
        return false;
    i->clock = binary ? CLOCK_SHIFT : v <= 9 ? CLOCK_MULTIPLY : CLOCK_DIVIDE;
    i->scale = binary ? v : power_of_ten(v <= 9 ? 9 - v : v - 9);
    return true;
}

static uint64_t
nanoseconds(const struct pcapng_interface *i, uint64_t units)
{
    const uint64_t second = UINT64_C(1000000000);

    switch ((enum pcapng_clock)i->clock) {
    case CLOCK_MULTIPLY:
        return units * i->scale + i->offset;
    case CLOCK_DIVIDE:
        return units / i->scale + i->offset;
    case CLOCK_SHIFT:
        return (uint64_t)(((unsigned __int128)units * second) >> i->scale) + i->offset;
    }
    return 0;
}

/* One option of an interface; p is where it begins. */
static int
interface_option(struct capfile *file, struct pcapng_interface *i, uint16_t code, uint16_t length,
                 const uint8_t *value, struct weir_errbuf *err)
{
    const bool swapped = file->pcapng.swapped;
    uint64_t high, low;

    if (code == OPT_TSRESOL && (length != 1 || !set_clock(i, *value)))
        return malformed(file, value, err,
                         "if_tsresol of %u bytes, expected 1 of at most 10^-19 or 2^-63", length);
    if (code == OPT_TSOFFSET) {
        if (length != 8)
            return malformed(file, value, err, "if_tsoffset of %u bytes, expected 8", length);
        high = load32(value + (swapped ? 0 : 4), swapped);
        low = load32(value + (swapped ? 4 : 0), swapped);
        i->offset = (high << 32 | low) * UINT64_C(1000000000);
    }
    return WEIR_E_OK;
}

static int
interface_options(struct capfile *file, struct pcapng_interface *i, const struct block *b,
                  struct weir_errbuf *err)
{
    const uint8_t *p = b->body + INTERFACE_FIXED;
    int rc = WEIR_E_OK;

    while (rc == WEIR_E_OK && b->end - p >= 4) {
        const uint16_t code = load16(p, file->pcapng.swapped);
        const uint16_t length = load16(p + 2, file->pcapng.swapped);
        const size_t padded = (length + 3U) & ~3U;

        if (code == OPT_END)
            break;
        p += 4;
        if (padded > (size_t)(b->end - p))
            return malformed(file, p - 2, err, "option %u of %u bytes, but its block has %zu left",
                             code, length, (size_t)(b->end - p));
        rc = interface_option(file, i, code, length, p, err);
        p += padded;
    }
    return rc;
}

/* Room for one more: rare, and no business of the packets'. */
static int
grow_interfaces(struct capfile *file, const uint8_t *p, struct weir_errbuf *err)
{
    struct pcapng *png = &file->pcapng;
    struct pcapng_interface *more;
    unsigned room = png->room > 0 ? 2 * png->room : 4;

    if (png->n < png->room)
        return WEIR_E_OK;
    if (room > MAX_INTERFACES)
        return malformed(file, p, err, "more than %d interfaces in a section", MAX_INTERFACES);
    more = realloc(png->interfaces, room * sizeof(*more));
    if (more == NULL)
        return weir_err_set(err, WEIR_E_NOMEM, "%s: out of memory", file->name);
    png->interfaces = more;
    png->room = room;
    return WEIR_E_OK;
}

static int
add_interface(struct capfile *file, const struct block *b, struct weir_errbuf *err)
{
    const bool swapped = file->pcapng.swapped;
    struct pcapng_interface i = { .clock = CLOCK_MULTIPLY, .scale = 1000 };
    int rc;

    if (body_size(b) < INTERFACE_FIXED)
        return malformed(file, b->body - 4, err, "interface block of %zu bytes, expected %d",
                         body_size(b) + BLOCK_MIN, INTERFACE_FIXED + BLOCK_MIN);
    i.link = capfile_link(load16(b->body, swapped));
    i.snaplen = load32(b->body + 4, swapped);
    if (i.snaplen == 0 || i.snaplen > PORT_MAX_CAPLEN)
        i.snaplen = PORT_MAX_CAPLEN;
    rc = interface_options(file, &i, b, err);
    if (rc == WEIR_E_OK)
        rc = grow_interfaces(file, b->body, err);
    if (rc == WEIR_E_OK)
        rc = filter_compile(&i.filter, file->expression, i.link, err);
    if (rc == WEIR_E_OK)
        file->pcapng.interfaces[file->pcapng.n++] = i;
    return rc;
}

/* The captured bytes, at data, must lie in their block. */
static int
fill_frame(struct capfile *file, const struct block *b, const struct pcapng_interface *i,
           const uint8_t *data, struct weir_frame *f, struct weir_errbuf *err)
{
    if (f->caplen > PORT_MAX_CAPLEN || f->caplen > (size_t)(b->end - data))
        return malformed(file, data, err,
                         "captured length %" PRIu32 ", but the block has %zu bytes for it",
                         f->caplen, (size_t)(b->end - data));
    if (f->wirelen < f->caplen)
        f->wirelen = f->caplen;
    f->data = data;
    f->link = i->link;
    f->stable = true;
    f->port = 0;
    f->verified = false;
    if (filter_pass(&i->filter, f))
        return 1;
    file->port.stats.filtered++;
    return 0;
}

/* Enhanced and obsolete packet blocks differ in how they number the interface. */
static int
timed_packet(struct capfile *file, const struct block *b, struct weir_frame *f,
             struct weir_errbuf *err)
{
    const bool swapped = file->pcapng.swapped;
    const uint8_t *p = b->body;
    const struct pcapng_interface *i;
    uint32_t id;

    if (body_size(b) < PACKET_FIXED)
        return malformed(file, p - 4, err, "packet block of %zu bytes, expected at least %d",
                         body_size(b) + BLOCK_MIN, PACKET_FIXED + BLOCK_MIN);
    id = b->type == BLOCK_ENHANCED ? load32(p, swapped) : load16(p, swapped);
    if (id >= file->pcapng.n)
        return malformed(file, p, err, "interface %" PRIu32 ", but the section has %u", id,
                         file->pcapng.n);
    i = &file->pcapng.interfaces[id];
    f->time = nanoseconds(i, (uint64_t)load32(p + 4, swapped) << 32 | load32(p + 8, swapped));
    f->caplen = load32(p + 12, swapped);
    f->wirelen = load32(p + 16, swapped);
    return fill_frame(file, b, i, p + PACKET_FIXED, f, err);
}

/* A packet of interface 0, without a time. */
static int
simple_packet(struct capfile *file, const struct block *b, struct weir_frame *f,
              struct weir_errbuf *err)
{
    const struct pcapng_interface *i = file->pcapng.interfaces;

    if (body_size(b) < 4)
        return malformed(file, b->body - 4, err, "packet block of %zu bytes, expected at least %d",
                         body_size(b) + BLOCK_MIN, 4 + BLOCK_MIN);
    if (file->pcapng.n == 0)
        return malformed(file, b->body, err, "a packet, but the section has no interface");
    f->time = 0;
    f->wirelen = load32(b->body, file->pcapng.swapped);
    f->caplen = f->wirelen < i->snaplen ? f->wirelen : i->snaplen;
    return fill_frame(file, b, i, b->body + 4, f, err);
}

/* 1: a frame, 0: none, or an error. */
static int
use_block(struct capfile *file, const struct block *b, struct weir_frame *f,
          struct weir_errbuf *err)
{
    switch (b->type) {
    case BLOCK_ENHANCED:
    case BLOCK_PACKET:
        return timed_packet(file, b, f, err);
    case BLOCK_SIMPLE:
        return simple_packet(file, b, f, err);
    case BLOCK_INTERFACE:
        return add_interface(file, b, err);
    case BLOCK_SECTION:
        return begin_section(file, b, err);
    default:
        return 0; /* names, statistics, secrets, ...: not ours */
    }
}

static int
pcapng_walk(struct capfile *file, struct weir_frame *frames, unsigned max, struct weir_errbuf *err)
{
    struct weir_errbuf ignored; /* what is wrong behind a frame is for the next call to say */
    unsigned n = 0;
    struct block b;
    int rc = 0;

    while (n < max) {
        rc = take_block(file, file->next, &b, n > 0 ? &ignored : err);
        if (rc <= 0)
            break;
        rc = use_block(file, &b, &frames[n], n > 0 ? &ignored : err);
        if (rc < 0)
            break;
        n += (unsigned)rc;
        file->next = b.end + 4;
    }
    return n > 0 ? (int)n : rc;
}

static bool
is_packet(const struct block *b)
{
    return b->type == BLOCK_ENHANCED || b->type == BLOCK_PACKET || b->type == BLOCK_SIMPLE;
}

/*
 * Take the blocks before the first packet, so that a filter that does not fit the link type is
 * refused at open. What is corrupt among them is met again, and told, by the first read.
 */
int
pcapng_begin(struct capfile *file, struct weir_errbuf *err)
{
    struct weir_errbuf ignored;
    struct filter any = { 0 };
    struct block b;
    int rc;

    if (capfile_left(file, file->next) < 4 || load32(file->next, false) != BLOCK_SECTION)
        return WEIR_E_UNSUPPORTED;
    if (capfile_left(file, file->next) < SECTION_MIN)
        return weir_err_set(err, WEIR_E_FORMAT,
                            "%s: byte %zu: the file ends inside its header of %d bytes", file->name,
                            capfile_left(file, file->next), SECTION_MIN);
    file->walk = pcapng_walk;
    while (take_block(file, file->next, &b, &ignored) > 0 && !is_packet(&b)) {
        rc = use_block(file, &b, NULL, err);
        if (rc == WEIR_E_SYNTAX || rc == WEIR_E_NOMEM)
            return rc;
        if (rc < 0)
            break;
        file->next = b.end + 4;
    }
    if (file->pcapng.n > 0)
        return WEIR_E_OK;
    rc = filter_compile(&any, file->expression, DLT_EN10MB, err);
    filter_free(&any);
    return rc;
}

void
pcapng_free(struct pcapng *png)
{
    forget_interfaces(png);
    free(png->interfaces);
}
