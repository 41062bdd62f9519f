#include "port/capfile.h"

#include <stdlib.h>
#include <unistd.h>

enum {
    FILE_HEADER = 24,
    RECORD_HEADER = 16,
    /* Kuznetzov's patch of libpcap 0.4: interface index, protocol and packet type behind */
    MODIFIED_HEADER = 24,
};

enum { MAGIC_MICRO = 0xa1b2c3d4, MAGIC_NANO = 0xa1b23c4d, MAGIC_MODIFIED = 0xa1b2cd34 };

void
capfile_cut_at(struct capfile *file, const uint8_t *p, uint64_t claimed)
{
    port_cut(&file->port, capfile_offset(file, p), claimed, capfile_left(file, p));
    file->next = file->end = p;
}

static bool
all_zero(const uint8_t *p, size_t n)
{
    return p[0] == 0 && memcmp(p, p + 1, n - 1) == 0;
}

/*
 * No record begins at p, where header bytes are expected: the end of the file, a cut record, or a
 * captured length that no capture has, with more behind it than the largest record.
 */
static int
no_record(struct capfile *file, const uint8_t *p, bool swapped, size_t header,
          struct weir_errbuf *err)
{
    const size_t left = capfile_left(file, p);
    uint32_t caplen;

    if (left == 0)
        return 0;
    caplen = left >= header ? load32(p + 8, swapped) : 0;
    if (caplen > PORT_MAX_CAPLEN && !port_is_cut((uint64_t)header + caplen, left, (unsigned)header))
        return weir_err_set(err, WEIR_E_MALFORMED,
                            "%s: byte %" PRIu64 ": corrupt: captured length %" PRIu32
                            ", expected at most %d",
                            file->name, capfile_offset(file, p), caplen, PORT_MAX_CAPLEN);
    capfile_cut_at(file, p, (uint64_t)header + caplen);
    return 0;
}

/*
 * The walk of a pcap file. The last three arguments are constants where it is called: byte order,
 * nanoseconds a unit of the time's fraction, bytes of a record's header.
 */
static inline __attribute__((always_inline)) int
walk(struct capfile *file, struct weir_frame *frames, unsigned max, struct weir_errbuf *err,
     const bool swapped, const uint32_t unit, const size_t header)
{
    const uint8_t *p = file->next;
    unsigned n = 0;

    while (n < max && capfile_left(file, p) >= header) {
        struct weir_frame *f = &frames[n];
        const uint32_t caplen = load32(p + 8, swapped);
        const uint32_t wirelen = load32(p + 12, swapped);

        if (caplen > PORT_MAX_CAPLEN || caplen > capfile_left(file, p) - header)
            break;
        /* A hole of a file that shrank looks like this; so may a record, so ask. */
        if (WEIR_UNLIKELY(caplen == 0) && all_zero(p, header) && mapped_check_size(&file->map))
            break;
        f->data = p + header;
        f->caplen = caplen;
        f->wirelen = wirelen > caplen ? wirelen : caplen; /* some writers leave it 0 */
        f->time = load32(p, swapped) * UINT64_C(1000000000) +
                  load32(p + 4, swapped) * (uint64_t)unit;
        f->link = file->link;
        f->stable = true;
        f->port = 0;
        f->verified = false;
        p += header + caplen;
        file->ahead = capfile_prefetch(file, file->ahead, p);
        if (filter_pass(&file->filter, f))
            n++;
        else
            file->port.stats.filtered++;
    }
    file->next = p;
    return n > 0 ? (int)n : no_record(file, p, swapped, header, err);
}

#define WALK(name, swapped, unit, header)                                                          \
    static int name(struct capfile *file, struct weir_frame *frames, unsigned max,                 \
                    struct weir_errbuf *err)                                                       \
    {                                                                                              \
        return walk(file, frames, max, err, swapped, unit, header);                                \
    }
WALK(walk_micro, false, 1000, RECORD_HEADER)
WALK(walk_micro_swapped, true, 1000, RECORD_HEADER)
WALK(walk_nano, false, 1, RECORD_HEADER)
WALK(walk_nano_swapped, true, 1, RECORD_HEADER)
WALK(walk_modified, false, 1000, MODIFIED_HEADER)
WALK(walk_modified_swapped, true, 1000, MODIFIED_HEADER)
#undef WALK

static const struct format {
    uint32_t magic;
    capfile_walk walk[2]; /* in our byte order, swapped */
} formats[] = {
    { MAGIC_MICRO, { walk_micro, walk_micro_swapped } },
    { MAGIC_NANO, { walk_nano, walk_nano_swapped } },
    { MAGIC_MODIFIED, { walk_modified, walk_modified_swapped } },
};

/* NULL: no pcap file; *swapped tells the byte order otherwise. */
static capfile_walk
walk_of_magic(const uint8_t *p, bool *swapped)
{
    for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++)
        for (unsigned order = 0; order < 2; order++)
            if (load32(p, order != 0) == formats[i].magic) {
                *swapped = order != 0;
                return formats[i].walk[order];
            }
    return NULL;
}

static int
begin_pcap(struct capfile *file, struct weir_errbuf *err)
{
    const uint8_t *p = file->next;
    const size_t left = capfile_left(file, p);
    bool swapped;

    file->walk = left >= 4 ? walk_of_magic(p, &swapped) : NULL;
    if (file->walk == NULL)
        return WEIR_E_UNSUPPORTED;
    if (left < FILE_HEADER)
        return weir_err_set(err, WEIR_E_FORMAT,
                            "%s: byte %zu: the file ends inside its header of %d bytes", file->name,
                            left, FILE_HEADER);
    /* Older versions order the lengths in ways of their own. */
    if (load16(p + 4, swapped) != 2 || load16(p + 6, swapped) != 4)
        return WEIR_E_UNSUPPORTED;
    file->link = capfile_link(load32(p + 20, swapped));
    file->next = p + FILE_HEADER;
    return filter_compile(&file->filter, file->expression, file->link, err);
}

/*
 * The file shrank under a batch of n frames: those that reach into the hole are nothing that was
 * ever captured. What is left of the batch is the end of input.
 */
static int
end_at_hole(struct capfile *file, const struct weir_frame *frames, int n, const uint8_t *hole)
{
    while (n > 0 && frames[n - 1].data + frames[n - 1].caplen > hole)
        n--;
    file->port.stats.shrank = true;
    file->port.stats.truncated = false;
    file->next = file->end = hole < file->next ? hole : file->next;
    return n > 0 ? n : 0;
}

static int
capfile_read(struct weir_port *port, struct weir_frame *frames, unsigned max,
             struct weir_errbuf *err)
{
    struct capfile *file = (struct capfile *)port;
    const uint8_t *hole;
    int n;

    if (port->stats.shrank)
        return 0;
    mapped_ahead(&file->map, file->next);
    n = file->walk(file, frames, max, err);
    hole = n < 0 ? mapped_check_size(&file->map) : mapped_hole(&file->map);
    if (WEIR_UNLIKELY(hole != NULL))
        n = end_at_hole(file, frames, n, hole);
    return n;
}

static void
capfile_get_stats(const struct weir_port *port, struct weir_port_stats *out)
{
    const struct capfile *file = (const struct capfile *)port;

    out->bytes_total = (uint64_t)(file->map.end - file->map.begin);
    out->bytes_read = file->next == file->end ? out->bytes_total : capfile_offset(file, file->next);
    out->shrank = mapped_hole(&file->map) != NULL;
}

static void
capfile_close(struct weir_port *port)
{
    struct capfile *file = (struct capfile *)port;

    mapped_close(&file->map);
    if (file->fd >= 0)
        close(file->fd);
    filter_free(&file->filter);
    pcapng_free(&file->pcapng);
    free(file->name);
    free(file->expression);
    free(file);
}

static const struct port_ops capfile_ops = { .read = capfile_read,
                                             .get_stats = capfile_get_stats,
                                             .close = capfile_close };

static struct capfile *
new_capfile(const char *name, const char *expression)
{
    struct capfile *file = calloc(1, sizeof(*file));

    if (file == NULL)
        return NULL;
    file->port.ops = &capfile_ops;
    file->fd = -1;
    file->name = strdup(name);
    file->expression = expression != NULL ? strdup(expression) : NULL;
    if (file->name == NULL || (expression != NULL && file->expression == NULL)) {
        capfile_close(&file->port);
        return NULL;
    }
    return file;
}

/* Find out what the mapped bytes are. */
static int
begin(struct capfile *file, struct weir_errbuf *err)
{
    int rc;

    file->next = file->ahead = file->map.begin;
    file->end = file->map.end;
    rc = begin_pcap(file, err);
    return rc == WEIR_E_UNSUPPORTED ? pcapng_begin(file, err) : rc;
}

int
capfile_open(const char *name, int fd, uint64_t size, const struct weir_port_opts *opts,
             struct weir_port **out, struct weir_errbuf *err)
{
    struct capfile *file = new_capfile(name, opts->filter);
    int rc;

    if (file == NULL)
        return weir_err_set(err, WEIR_E_NOMEM, "%s: out of memory", name);
    rc = mapped_open(&file->map, fd, size);
    if (rc == WEIR_E_OK)
        rc = begin(file, err);
    if (rc == WEIR_E_OK) {
        file->fd = fd;
        *out = &file->port;
    } else {
        capfile_close(&file->port);
    }
    return rc;
}

int
capfile_open_memory(const uint8_t *data, size_t size, const struct weir_port_opts *opts,
                    struct weir_port **out, struct weir_errbuf *err)
{
    struct capfile *file = new_capfile("memory", opts->filter);
    int rc;

    *out = NULL;
    if (file == NULL)
        return WEIR_E_NOMEM;
    mapped_memory(&file->map, data, size);
    rc = begin(file, err);
    if (rc == WEIR_E_OK)
        *out = &file->port;
    else
        capfile_close(&file->port);
    return rc;
}
