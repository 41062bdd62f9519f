#include "port/follow.h"

#include "port/capfile.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ROOM = 65536 };

enum { FILE_HEADER = 24, FILE_SNAPLEN = 16, RECORD_HEADER = 16, MODIFIED_HEADER = 24 };

enum {
    BLOCK_HEADER = 8,
    BLOCK_MIN = 12,
    SECTION_MIN = 28,
    INTERFACE_MIN = 20,
    INTERFACE_SNAPLEN = 12
};

enum { BLOCK_INTERFACE = 1, BLOCK_SIMPLE = 3, BLOCK_SECTION = 0x0a0d0d0a };

enum { BYTE_ORDER_MAGIC = 0x1a2b3c4d };

/* ---- records ------------------------------------------------------------------------------- */

static bool
is_section(const struct follow *f)
{
    return f->have >= 4 && load32(f->head, false) == BLOCK_SECTION;
}

/* No other record follows: all else is passed on as it is. */
static bool
is_last(const struct follow *f)
{
    return f->format == FOLLOW_OTHER || f->impossible || f->cut;
}

static bool
begin_pcap(struct follow *f)
{
    static const struct {
        uint32_t magic;
        uint8_t header;
    } formats[] = { { 0xa1b2c3d4, RECORD_HEADER },
                    { 0xa1b23c4d, RECORD_HEADER },
                    { 0xa1b2cd34, MODIFIED_HEADER } };

    for (unsigned i = 0; i < 2 * sizeof(formats) / sizeof(*formats); i++) {
        const bool swapped = i % 2 != 0;

        /* Older versions order the lengths in ways of their own. */
        if (load32(f->head, swapped) != formats[i / 2].magic || load16(f->head + 4, swapped) != 2 ||
            load16(f->head + 6, swapped) != 4)
            continue;
        f->format = FOLLOW_PCAP;
        f->header = formats[i / 2].header;
        f->swapped = swapped;
        return true;
    }
    return false;
}

/* The header of a section tells the byte order. */
static bool
find_order(struct follow *f)
{
    const uint8_t *magic = f->head + BLOCK_HEADER;

    if (load32(magic, false) != BYTE_ORDER_MAGIC && load32(magic, true) != BYTE_ORDER_MAGIC)
        return false;
    f->swapped = load32(magic, true) == BYTE_ORDER_MAGIC;
    f->has_snaplen = false;
    return true;
}

static void
set_size(struct follow *f, uint64_t claimed)
{
    f->claimed = claimed;
    f->sized = true;
    f->impossible = f->format == FOLLOW_PCAPNG && (claimed < BLOCK_MIN || claimed % 4 != 0);
}

/* ---- snapshot lengths ---------------------------------------------------------------------- */

/* The first interface's is that of packets without a time. */
static void
take_limit(struct follow *f)
{
    uint8_t *field = f->head + INTERFACE_SNAPLEN;
    const uint32_t value = load32(field, f->swapped);

    if (!f->has_snaplen)
        f->snaplen = value == 0 || value > PORT_MAX_CAPLEN ? PORT_MAX_CAPLEN : value;
    f->has_snaplen = true;
    memset(field, 0, 4);
}

/* What a packet without a time has captured was left to the limit. */
static void
take_length(struct follow *f)
{
    uint8_t *field = f->head + BLOCK_HEADER;
    const uint32_t limit = f->swapped ? __builtin_bswap32(f->snaplen) : f->snaplen;

    f->wirelen = load32(field, f->swapped);
    if (f->has_snaplen && f->wirelen > f->snaplen)
        memcpy(field, &limit, sizeof(limit));
}

/* ---- heads of records ---------------------------------------------------------------------- */

/* More of the capture, at least a byte. False: there is none, or an error, which lasts. */
static bool
fill(struct follow *f)
{
    const int fd = fileno(f->in);
    ssize_t got;

    if (f->next < f->end)
        return true;
    if (f->error != 0)
        return false;
    if (fd >= 0)
        got = read(fd, f->room, ROOM);
    else /* memory */
        got = (ssize_t)fread(f->room, 1, ROOM, f->in);
    f->next = 0;
    f->end = got > 0 ? (size_t)got : 0;
    f->error = got < 0 ? errno : 0;
    return got > 0;
}

static size_t
take_bytes(struct follow *f, uint8_t *to, size_t n)
{
    if (n > f->end - f->next)
        n = f->end - f->next;
    memcpy(to, f->room + f->next, n);
    f->next += n;
    return n;
}

/* So many bytes of the head have to be there, which libpcap would wait for, too. */
static bool
gather(struct follow *f, size_t n)
{
    while (f->have < n && fill(f))
        f->have += take_bytes(f, f->head + f->have, n - f->have);
    f->cut = f->have < n;
    return !f->cut;
}

static void
take_block(struct follow *f)
{
    if (!gather(f, BLOCK_HEADER) || (is_section(f) && !gather(f, BLOCK_MIN)))
        return;
    f->wirelen = 0;
    if (is_section(f) && !find_order(f)) {
        f->impossible = true;
        return;
    }
    set_size(f, load32(f->head + 4, f->swapped));
    if (is_section(f) || f->impossible)
        return;
    if (load32(f->head, f->swapped) == BLOCK_INTERFACE && f->claimed >= INTERFACE_MIN &&
        gather(f, INTERFACE_SNAPLEN + 4))
        take_limit(f);
    else if (load32(f->head, f->swapped) == BLOCK_SIMPLE && f->claimed > BLOCK_MIN &&
             gather(f, BLOCK_HEADER + 4))
        take_length(f);
}

static void
take_record(struct follow *f)
{
    if (gather(f, f->header))
        set_size(f, f->header + (uint64_t)load32(f->head + 8, f->swapped));
}

static void
take_file(struct follow *f)
{
    if (!gather(f, FILE_HEADER)) {
        f->format = FOLLOW_OTHER;
    } else if (begin_pcap(f)) {
        memset(f->head + FILE_SNAPLEN, 0, 4);
        set_size(f, FILE_HEADER);
    } else if (is_section(f) && find_order(f)) {
        f->format = FOLLOW_PCAPNG;
        set_size(f, load32(f->head + 4, f->swapped));
    } else {
        f->format = FOLLOW_OTHER;
    }
}

/* ---- the stream ---------------------------------------------------------------------------- */

static size_t
take_head(struct follow *f, uint8_t *to)
{
    f->at = f->offset;
    f->claimed = 0;
    f->have = 0;
    f->sized = false;
    if (f->format == FOLLOW_BEGIN)
        take_file(f);
    else if (f->format == FOLLOW_PCAP)
        take_record(f);
    else
        take_block(f);
    memcpy(to, f->head, f->have);
    return f->have;
}

/*
 * For libpcap's next bytes, up to n: those of one record at most, so that there is none that it has
 * not come to; its head as a whole. The stream's buffer has room for more.
 */
static ssize_t
take(void *cookie, char *to, size_t n)
{
    struct follow *f = cookie;
    const uint64_t place = f->offset - f->at;
    const bool inside = f->sized && place < f->claimed;
    size_t got;

    if (!inside && !is_last(f)) {
        got = take_head(f, (uint8_t *)to);
    } else {
        if (inside && !is_last(f) && n > f->claimed - place)
            n = (size_t)(f->claimed - place);
        got = fill(f) ? take_bytes(f, (uint8_t *)to, n) : 0;
    }
    f->offset += got;
    errno = f->error;
    return got == 0 && f->error != 0 ? -1 : (ssize_t)got;
}

static int
close_in(void *cookie)
{
    const struct follow *f = cookie;

    return f->in != stdin ? fclose(f->in) : 0;
}

FILE *
follow_open(struct follow *f, FILE *in)
{
    static const cookie_io_functions_t functions = { .read = take, .close = close_in };
    FILE *stream;

    *f = (struct follow){ .in = in, .room = malloc(ROOM) };
    stream = f->room != NULL ? fopencookie(f, "rb", functions) : NULL;
    if (stream == NULL)
        follow_free(f);
    else
        setvbuf(stream, NULL, _IOFBF, ROOM);
    return stream;
}

void
follow_free(struct follow *f)
{
    free(f->room);
    f->room = NULL;
}

/* ---- the end ------------------------------------------------------------------------------- */

/* What the record claims, of which so much is left. */
static uint64_t
claim(const struct follow *f, uint64_t left)
{
    if (f->format == FOLLOW_PCAP)
        return f->sized ? f->claimed : f->header;
    if (left < BLOCK_MIN)
        return BLOCK_MIN;
    return left < SECTION_MIN && is_section(f) ? SECTION_MIN : f->claimed;
}

void
follow_stop(struct follow *f, struct follow_end *end)
{
    const unsigned header = f->format == FOLLOW_PCAP ? f->header : PORT_BLOCK_HEADER;

    end->at = f->at;
    end->left = f->offset - f->at;
    while (end->left <= (uint64_t)PORT_MAX_CAPLEN + header && fill(f)) {
        end->left += f->end - f->next;
        f->next = f->end;
    }
    end->claimed = claim(f, end->left);
    end->cut = (f->format == FOLLOW_PCAP || f->format == FOLLOW_PCAPNG) && end->left > 0 &&
               port_is_cut(end->claimed, end->left, header);
}
