/*
 * Which protocol: an answer stays, has a name, and comes at last.
 *
 * Input: port (2 bytes), bytes a piece (0: a datagram), how many of the bytes are the client's, and
 * whether the server's begin behind a gap (bit 0) and nobody knows who began (bit 1); the bytes.
 */
#include "detect_proto.h"

#include "support/exact.h"

#undef NDEBUG
#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { PREFIX = 5 };

static void
feed(struct detect_proto *d, struct detect_ports ports, enum weir_dir dir, const uint8_t *p,
     size_t n, size_t piece)
{
    enum app_proto before = (enum app_proto)d->answer;

    for (size_t at = 0; at < n; at += piece) {
        const size_t part = n - at < piece ? n - at : piece;
        uint8_t *copy = exact_copy(p + at, part);
        const enum app_proto answer = detect_stream(d, ports, dir,
                                                    (struct weir_bytes){ copy, (uint32_t)part });

        assert(before == APP_UNKNOWN_YET || answer == before);
        assert(answer == d->answer && d->n[dir] <= DETECT_BYTES);
        before = answer;
        free(copy);
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct detect_first first;
    struct detect_proto d = { .first = &first };
    struct detect_ports ports;
    size_t n, client;

    if (size < PREFIX || size > 4096)
        return 0;
    ports = (struct detect_ports){ (uint16_t)(data[0] << 8 | data[1]), 40000, (data[4] & 2) != 0 };
    n = size - PREFIX;
    if (data[2] == 0) {
        uint8_t *copy = exact_copy(data + PREFIX, n);
        const enum app_proto answer = detect_datagram(ports, (enum weir_dir)(data[3] & 1),
                                                      (struct weir_bytes){ copy, (uint32_t)n });

        assert(answer != APP_UNKNOWN_YET && app_proto_name(answer) != NULL);
        free(copy);
        return 0;
    }
    client = data[3] < n ? data[3] : n;
    feed(&d, ports, WEIR_TOSERVER, data + PREFIX, client, data[2]);
    if (data[4] & 1)
        detect_gap(&d, ports, WEIR_TOCLIENT);
    feed(&d, ports, WEIR_TOCLIENT, data + PREFIX + client, n - client, data[2]);
    assert(app_proto_name(d.answer) != NULL);
    assert(!d.swapped || (ports.midstream && d.answer > APP_UNKNOWN));
    if (detect_gap(&d, ports, WEIR_TOSERVER) == APP_UNKNOWN_YET)
        assert(detect_gap(&d, ports, WEIR_TOCLIENT) != APP_UNKNOWN_YET);
    return 0;
}
