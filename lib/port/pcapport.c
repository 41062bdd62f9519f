#include "port/arena.h"
#include "port/filter.h"
#include "port/port.h"

#include <stdlib.h>
#include <string.h>

/* A capture file or stream that libpcap reads. */
struct pcapport {
    struct weir_port port;
    pcap_t *pcap;
    char *name;
    uint64_t size;        /* bytes of the file; 0: a stream */
    uint64_t walked;      /* bytes of a stream, about */
    struct filter filter; /* ours, not libpcap's, so that what it refuses is counted */
    struct arena arena;
    struct weir_errbuf why; /* of failed: told once the frames before it are handed out */
    int failed;
    bool ended;
    uint16_t link;
};

static int
fail(struct pcapport *p, int code, const char *text)
{
    p->failed = weir_err_set(&p->why, code, "%s: %s", p->name, text);
    return 0;
}

/* ---- the end ------------------------------------------------------------------------------- */

/*
 * What libpcap's texts say of lengths, since it tells of them in no other way: a record claims the
 * number behind the words, and has got the second one, or, where there is none, what can still be read.
 * Both are without the header that was read before, unless it is what was claimed.
 */
static const struct complaint {
    const char *words, *got;
    uint8_t header;  /* bytes that were read of the record's */
    bool is_claimed; /* with those */
    bool of_block;   /* of pcapng */
} complaints[] = {
    { "truncated dump file; tried to read ", " header bytes, only got ", 0, false, false },
    { "truncated dump file; tried to read ", " captured bytes, only got ", 16, false, false },
    { "invalid packet capture length ", NULL, 16, false, false },
    { "truncated pcapng dump file; tried to read ", " bytes, only got ", 8, false, true },
    { "pcapng block size ", NULL, 8, true, true },
    { "block in pcapng dump file has a length of ", NULL, 8, true, true },
};

enum { BLOCK_MIN = 12 };

/* What is left of the stream, counted only as far as a record may reach. */
static uint64_t
count_rest(struct pcapport *p)
{
    uint8_t *room = p->arena.bytes + p->arena.used;
    uint64_t n = 0;
    size_t got;

    do {
        got = fread(room, 1, PORT_MAX_CAPLEN, pcap_file(p->pcap));
        n += got;
    } while (got > 0 && n <= PORT_MAX_CAPLEN + PORT_BLOCK_HEADER);
    return n;
}

/* By the version that its file has. */
static bool
is_pcapng(const struct pcapport *p)
{
    return pcap_major_version(p->pcap) == 1;
}

/* Whether the text is this complaint; then what the record claims, and what is there of it. */
static bool
read_complaint(struct pcapport *p, const struct complaint *c, const char *text, uint64_t *claimed,
               uint64_t *left)
{
    const size_t n = strlen(c->words);
    uint64_t header = c->header;
    char *behind;

    if (c->of_block != is_pcapng(p) || strncmp(text, c->words, n) != 0)
        return false;
    *claimed = strtoull(text + n, &behind, 10);
    if (c->got != NULL && strncmp(behind, c->got, strlen(c->got)) != 0)
        return false;
    if (c->of_block && c->got != NULL && *claimed == header) { /* it is the header that is cut */
        header = 0;
        *claimed = BLOCK_MIN;
    }
    *claimed += c->is_claimed ? 0 : header;
    *left = header;
    *left += c->got != NULL ? strtoull(behind + strlen(c->got), NULL, 10) : count_rest(p);
    return true;
}

/* At which byte the record begins of which so many are left, to the end. 0: nobody knows. */
static uint64_t
place_of(const struct pcapport *p, uint64_t left, bool of_block)
{
    enum { FILE_HEADER = 24 };

    if (p->size > 0)
        return p->size - left;
    return of_block ? 0 : FILE_HEADER + p->walked;
}

/* Whether the input ends in a record that is cut, by libpcap's text. */
static bool
is_cut(struct pcapport *p, const char *text)
{
    for (size_t i = 0; i < sizeof(complaints) / sizeof(complaints[0]); i++) {
        const struct complaint *c = &complaints[i];
        const unsigned header = c->of_block ? PORT_BLOCK_HEADER : 16;
        uint64_t claimed, left;

        if (!read_complaint(p, c, text, &claimed, &left))
            continue;
        if (!port_is_cut(claimed, left, header))
            return false;
        port_cut(&p->port, place_of(p, left, c->of_block), claimed, left);
        return true;
    }
    if (strncmp(text, "truncated ", strlen("truncated ")) != 0)
        return false;
    port_cut(&p->port, 0, 0, 0); /* in words that are not known */
    return true;
}

/* The end of the input, or what libpcap says is wrong. */
static int
no_frame(struct pcapport *p, int rc)
{
    const char *text = pcap_geterr(p->pcap);

    p->ended = true;
    if (rc == PCAP_ERROR_BREAK)
        return 0;
    if (ferror(pcap_file(p->pcap)))
        return fail(p, WEIR_E_IO, text);
    return is_cut(p, text) ? 0 : fail(p, WEIR_E_MALFORMED, text);
}

/* The next packet that the filter lets pass: 1; else 0. */
static int
next_frame(struct pcapport *p, struct weir_frame *f)
{
    struct pcap_pkthdr *header;
    const uint8_t *data;
    int rc;

    while ((rc = pcap_next_ex(p->pcap, &header, &data)) == 1) {
        const size_t used = p->arena.used;

        if (header->caplen > PORT_MAX_CAPLEN)
            return fail(p, WEIR_E_MALFORMED, "captured length beyond 262144");
        arena_keep(&p->arena, header, data, f);
        f->link = p->link;
        p->walked += sizeof(uint32_t) * 4 + header->caplen;
        if (filter_pass(&p->filter, f))
            return 1;
        p->arena.used = used;
        p->port.stats.filtered++;
    }
    return no_frame(p, rc);
}

/*
 * A file fills the batch. A stream may be a live capture at work on the other end of a pipe: its
 * packets go on one by one, as they come.
 */
static int
pcapport_read(struct weir_port *port, struct weir_frame *frames, unsigned max,
              struct weir_errbuf *err)
{
    struct pcapport *p = (struct pcapport *)port;
    const unsigned want = p->size > 0 ? max : 1;
    unsigned n = 0;

    p->arena.used = 0;
    while (n < want && arena_has_room(&p->arena) && !p->ended && p->failed == WEIR_E_OK)
        n += (unsigned)next_frame(p, &frames[n]);
    if (n > 0 || p->failed == WEIR_E_OK)
        return (int)n;
    return weir_err_set(err, p->failed, "%s", p->why.text);
}

static void
pcapport_get_stats(const struct weir_port *port, struct weir_port_stats *out)
{
    const struct pcapport *p = (const struct pcapport *)port;
    const off_t at = p->size > 0 ? ftello(pcap_file(p->pcap)) : -1;

    out->bytes_total = p->size;
    out->bytes_read = at >= 0 ? (uint64_t)at : p->walked;
}

static void
pcapport_close(struct weir_port *port)
{
    struct pcapport *p = (struct pcapport *)port;

    if (p->pcap != NULL)
        pcap_close(p->pcap);
    filter_free(&p->filter);
    free(p->arena.bytes);
    free(p->name);
    free(p);
}

static const struct port_ops pcapport_ops = { .read = pcapport_read,
                                              .get_stats = pcapport_get_stats,
                                              .close = pcapport_close };

static struct pcapport *
new_pcapport(const char *name, uint64_t size)
{
    struct pcapport *p = calloc(1, sizeof(*p));

    if (p == NULL)
        return NULL;
    p->port.ops = &pcapport_ops;
    p->size = size;
    p->name = strdup(name);
    p->arena.bytes = malloc(ARENA_SIZE);
    if (p->name != NULL && p->arena.bytes != NULL)
        return p;
    pcapport_close(&p->port);
    return NULL;
}

/* What a file of an unknown format may be, for people who forgot to unpack it. */
static const char *
hint(FILE *stream)
{
    static const struct {
        const char *magic, *text;
    } packed[] = {
        { "\x1f\x8b", ": gzip; unpack it first (zcat FILE | ... -r -)" },
        { "\x28\xb5\x2f\xfd", ": zstd; unpack it first (zstdcat FILE | ... -r -)" },
        { "\xfd"
          "7zXZ",
          ": xz; unpack it first (xzcat FILE | ... -r -)" },
        { "BZh", ": bzip2; unpack it first (bzcat FILE | ... -r -)" },
    };
    char head[8] = { 0 };

    if (fseeko(stream, 0, SEEK_SET) != 0 || fread(head, 1, sizeof(head), stream) == 0)
        return "";
    for (size_t i = 0; i < sizeof(packed) / sizeof(packed[0]); i++)
        if (memcmp(head, packed[i].magic, strlen(packed[i].magic)) == 0)
            return packed[i].text;
    return "";
}

/* The stream belongs to libpcap's handle, if there is one. */
static int
start(struct pcapport *p, FILE *stream, const char *expression, struct weir_errbuf *err)
{
    const unsigned nano = PCAP_TSTAMP_PRECISION_NANO;
    char text[PCAP_ERRBUF_SIZE];
    int code;

    p->pcap = pcap_fopen_offline_with_tstamp_precision(stream, nano, text);
    if (p->pcap != NULL) {
        p->link = link_of_dlt(pcap_datalink(p->pcap));
        return filter_compile(&p->filter, expression, p->link, err);
    }
    code = ferror(stream) ? WEIR_E_IO : WEIR_E_FORMAT;
    code = weir_err_set(err, code, "%s: %s%s", p->name, text, p->size > 0 ? hint(stream) : "");
    if (stream != stdin)
        fclose(stream);
    return code;
}

int
pcapport_open(const char *name, FILE *stream, uint64_t size, const struct weir_port_opts *opts,
              struct weir_port **out, struct weir_errbuf *err)
{
    struct pcapport *p = new_pcapport(name, size);
    int rc;

    if (p == NULL) {
        fclose(stream);
        return weir_err_set(err, WEIR_E_NOMEM, "%s: out of memory", name);
    }
    rc = start(p, stream, opts->filter, err);
    if (rc == WEIR_E_OK)
        *out = &p->port;
    else
        pcapport_close(&p->port);
    return rc;
}
