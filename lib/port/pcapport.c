#include "port/arena.h"
#include "port/filter.h"
#include "port/follow.h"
#include "port/port.h"

#include <stdlib.h>
#include <string.h>

/* A capture file or stream that libpcap reads. */
struct pcapport {
    struct weir_port port;
    pcap_t *pcap; /* NULL: it ended before there was one */
    char *name;
    uint64_t size; /* bytes of the file; 0: a stream */
    struct follow follow;
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
 * Whether the input ends in a record that is cut. Of a format that is not followed libpcap's text
 * has to tell.
 */
static bool
is_cut(struct pcapport *p, const struct follow_end *end, const char *text)
{
    if (end->cut)
        port_cut(&p->port, end->at, end->claimed, end->left);
    else if (p->follow.format == FOLLOW_OTHER && strncmp(text, "truncated ", 10) == 0)
        port_cut(&p->port, 0, 0, 0);
    return p->port.stats.truncated;
}

/* The end of the input, or what libpcap says is wrong. */
static int
no_frame(struct pcapport *p, int rc)
{
    const char *text = pcap_geterr(p->pcap);
    struct follow_end end;

    p->ended = true;
    if (rc == PCAP_ERROR_BREAK)
        return 0;
    if (ferror(pcap_file(p->pcap)))
        return fail(p, WEIR_E_IO, text);
    follow_stop(&p->follow, &end);
    return is_cut(p, &end, text) ? 0 : fail(p, WEIR_E_MALFORMED, text);
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
        if (p->follow.wirelen > f->wirelen)
            f->wirelen = p->follow.wirelen;
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

    out->bytes_total = p->size;
    out->bytes_read = p->follow.offset;
}

static void
pcapport_close(struct weir_port *port)
{
    struct pcapport *p = (struct pcapport *)port;

    if (p->pcap != NULL)
        pcap_close(p->pcap);
    follow_free(&p->follow);
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

/*
 * libpcap makes no handle before it has seen an interface. A capture of pcapng that begins with a
 * section and has none is without packets; what ends it, or is wrong, is for the first read to
 * tell. WEIR_E_UNSUPPORTED: it is none.
 */
static int
begin_without(struct pcapport *p, const char *expression, const char *text, struct weir_errbuf *err)
{
    enum { SECTION_MIN = 28 };
    const bool is_empty = strstr(text, "has no Interface Description Blocks") != NULL;
    struct follow_end end;

    follow_stop(&p->follow, &end);
    if (p->follow.format != FOLLOW_PCAPNG || end.at + end.left < SECTION_MIN)
        return WEIR_E_UNSUPPORTED;
    if (!is_empty && !is_cut(p, &end, text))
        (void)fail(p, WEIR_E_MALFORMED, text);
    p->ended = true;
    return filter_compile(&p->filter, expression, DLT_EN10MB, err);
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
    code = ferror(stream) ? WEIR_E_IO : begin_without(p, expression, text, err);
    if (code == WEIR_E_IO || code == WEIR_E_UNSUPPORTED) {
        code = code == WEIR_E_IO ? code : WEIR_E_FORMAT;
        code = weir_err_set(err, code, "%s: %s%s", p->name, text,
                            p->size > 0 ? hint(p->follow.in) : "");
    }
    fclose(stream);
    return code;
}

int
pcapport_open(const char *name, FILE *stream, uint64_t size, const struct weir_port_opts *opts,
              struct weir_port **out, struct weir_errbuf *err)
{
    struct pcapport *p = new_pcapport(name, size);
    FILE *followed = p != NULL ? follow_open(&p->follow, stream) : NULL;
    int rc;

    if (followed == NULL) {
        if (p != NULL)
            pcapport_close(&p->port);
        if (stream != stdin)
            fclose(stream);
        return weir_err_set(err, WEIR_E_NOMEM, "%s: out of memory", name);
    }
    rc = start(p, followed, opts->filter, err);
    if (rc == WEIR_E_OK)
        *out = &p->port;
    else
        pcapport_close(&p->port);
    return rc;
}
