#include "detect/copies.h"

#include <string.h>

static struct buffer
all_of(const uint8_t *p, size_t n)
{
    return (struct buffer){ p, 0, (int64_t)n, true };
}

/* Where in the packet's payload the bytes are that the event shows; false: not there. */
static bool
is_in_payload(const struct weir_event *ev, struct weir_bytes bytes, size_t *at)
{
    const struct weir_packet *pkt = ev->packet;
    uintptr_t p = (uintptr_t)bytes.p, payload;

    if (pkt == NULL || pkt->l4 == NULL || pkt->payload_len == 0)
        return false;
    payload = (uintptr_t)pkt->payload;
    if (p < payload || p - payload > pkt->payload_len || bytes.n > pkt->payload_len - (p - payload))
        return false;
    *at = p - payload;
    return true;
}

bool
copy_new(const struct weir_event *ev, struct buffer *out)
{
    const struct weir_packet *pkt = ev->packet;
    size_t at;

    if (ev->base == WEIR_EV_PAYLOAD)
        *out = all_of(ev->payload.data.p, ev->payload.data.n);
    else if (ev->base == WEIR_EV_FAKE_RETRANSMIT &&
             !is_in_payload(ev, ev->fake_retransmit.new_data, &at))
        *out = all_of(ev->fake_retransmit.new_data.p, ev->fake_retransmit.new_data.n);
    else if (pkt != NULL && pkt->l4 != NULL)
        *out = all_of(pkt->payload, pkt->payload_len);
    else
        return false;
    return out->end > 0;
}

bool
copy_old(const struct weir_event *ev, uint8_t *room, size_t size, struct buffer *out)
{
    struct weir_bytes old, new;
    size_t at, n;

    if (ev->base != WEIR_EV_FAKE_RETRANSMIT || ev->fake_retransmit.old_data.n == 0)
        return false;
    old = ev->fake_retransmit.old_data;
    new = ev->fake_retransmit.new_data;
    if (!is_in_payload(ev, new, &at) || ev->packet->payload_len > size) {
        *out = all_of(old.p, old.n);
        return true;
    }
    n = old.n < new.n ? old.n : new.n;
    memcpy(room, ev->packet->payload, ev->packet->payload_len);
    memcpy(room + at, old.p, n);
    *out = all_of(room, ev->packet->payload_len);
    return true;
}
