#include "capwrite.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SNAPLEN = 262144 };

static void
put_le(uint8_t *p, uint64_t v, size_t n)
{
    for (size_t i = 0; i < n; i++)
        p[i] = (uint8_t)(v >> 8 * i);
}

static int
fail(const struct capwrite *cap, struct weir_errbuf *err)
{
    return weir_err_set(err, WEIR_E_IO, "%s: %s", cap->name, strerror(errno));
}

int
capwrite_open(struct capwrite *cap, const char *name, uint32_t link, struct weir_errbuf *err)
{
    uint8_t header[24] = { 0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0 };

    cap->name = name;
    cap->stream = fopen(name, "wb");
    if (cap->stream == NULL)
        return fail(cap, err);
    put_le(header + 16, SNAPLEN, 4);
    put_le(header + 20, link, 4);
    fwrite(header, sizeof(header), 1, cap->stream);
    return WEIR_E_OK;
}

void
capwrite_packet(struct capwrite *cap, uint64_t micros, const uint8_t *data, size_t caplen,
                size_t wirelen)
{
    uint8_t header[16];

    put_le(header, micros / 1000000, 4);
    put_le(header + 4, micros % 1000000, 4);
    put_le(header + 8, caplen, 4);
    put_le(header + 12, wirelen, 4);
    fwrite(header, sizeof(header), 1, cap->stream);
    fwrite(data, 1, caplen, cap->stream);
}

/* Half a capture must not look like one; a device is not ours to remove. */
static bool
is_file(FILE *stream)
{
    struct stat st;

    return fstat(fileno(stream), &st) == 0 && S_ISREG(st.st_mode);
}

int
capwrite_close(struct capwrite *cap, bool keep, struct weir_errbuf *err)
{
    bool failed = fflush(cap->stream) != 0 || ferror(cap->stream);
    int rc = failed ? fail(cap, err) : WEIR_E_OK;
    bool file = is_file(cap->stream);

    if (fclose(cap->stream) != 0 && !failed)
        rc = fail(cap, err);
    if (file && (rc != WEIR_E_OK || !keep))
        unlink(cap->name);
    return rc;
}
