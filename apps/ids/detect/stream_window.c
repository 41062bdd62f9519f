/* Streams: the bytes that contents are looked for in. */
#include "detect/stream.h"

#include "detect/holes.h"

#include <weir/flow.h>

#include <string.h>

size_t
stream_read_raw(struct detect *d, const struct stream_scan *s, int64_t offset, uint8_t *to,
                size_t n)
{
    enum weir_dir dir = (enum weir_dir)(s - d->scan->dir);
    size_t wanted = n;

    while (n > 0 && weir_flow_read(d->at.ev->flow, dir, offset - (int64_t)n, to, n) < n)
        n /= 2;
    d->stats.window_lost += n < wanted;
    return n;
}

size_t
stream_squeeze(const struct stream_scan *s, int64_t offset, uint8_t *p, size_t n)
{
    const struct holes *holes = stream_rare_of(s)->holes;

    return holes != NULL ? holes_squeeze(holes, offset, p, n) : n;
}

size_t
stream_read_back(struct detect *d, const struct stream_scan *s, int64_t offset, size_t n)
{
    n = stream_read_raw(d, s, offset, d->window, n);
    return stream_squeeze(s, offset - (int64_t)n, d->window, n);
}

void
stream_fill_window(struct detect *d, const struct stream_scan *s, int64_t offset, int64_t back,
                   struct weir_bytes data)
{
    size_t n = data.n < PAYLOAD_MAX ? data.n : PAYLOAD_MAX, before;
    int64_t place = offset - s->skipped;

    back = lesser(lesser(back + s->skipped, DETECT_WINDOW), offset - s->base);
    before = stream_read_back(d, s, offset, (size_t)back);
    if (n > 0)
        memcpy(d->window + before, data.p, n);
    d->buffer = (struct buffer){ d->window, place - (int64_t)before, place + (int64_t)n, n == 0 };
}

const struct buffer *
stream_window(struct detect *d, int64_t back)
{
    const struct weir_event *ev = d->at.ev;

    back = back < 0 ? 0 : lesser(back, DETECT_WINDOW);
    if (back == 0 && d->window_back < 0)
        d->buffer = (struct buffer){ ev->payload.data.p, stream_place(d),
                                     stream_place(d) + ev->payload.data.n, false };
    else if (d->window_back < back)
        stream_fill_window(d, &d->scan->dir[ev->direction], ev->payload.offset, back,
                           ev->payload.data);
    d->window_back = d->window_back < back ? back : d->window_back;
    return &d->buffer;
}

const struct buffer *
detect_payload(struct detect *d, struct buffer *packet)
{
    const struct weir_event *ev = d->at.ev;

    if (ev->type == WEIR_EV_PAYLOAD && ev->flow != NULL &&
        weir_flow_proto(ev->flow) == WEIR_PROTO_TCP)
        return stream_window(d, DETECT_WINDOW);
    if (ev->packet == NULL || ev->packet->l4 == NULL || ev->packet->payload_len == 0)
        return NULL;
    *packet = (struct buffer){ ev->packet->payload, 0, ev->packet->payload_len, true };
    return packet;
}
