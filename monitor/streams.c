#include "streams.h"

#include "cli.h"
#include "eve.h"
#include "hash.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

enum { BUFFER = 65536, NAME_MAX_TEXT = 160 };

/* An open file. */
struct slot {
    const struct stream_state *owner; /* NULL: free */
    enum weir_dir dir;
    int fd;
    uint64_t used; /* order of use; the least is closed when a slot is needed */
    size_t n;      /* bytes in buf */
    uint8_t *buf;  /* BUFFER bytes */
};

/* A tuple that was seen. Two flows of one name differ in direction, or in their VNI. */
struct seen {
    struct weir_addr addr[2];
    uint16_t port[2];
    uint16_t vlan;
    uint8_t ip_version;
    bool used;
    uint32_t connections; /* the first member that is not part of the key */
    uint32_t vni;         /* of the latest flow, */
    bool has_vni;
    bool may_go_on;  /* which ended though its connection may not have, */
    bool started[2]; /* and whose files were made; the lower end's first */
};

struct streams {
    char *dir;
    struct slot slots[STREAMS_OPEN];
    unsigned n_slots; /* of them: no more than the limit of open files allows */
    uint64_t clock;
    struct seen *seen; /* open addressing, a power of two in size */
    size_t n_seen, max_seen;
    int error; /* errno of the first failure */
    char failed[NAME_MAX_TEXT];
};

/* Some descriptors are left to inputs, logs and libraries. */
static unsigned
slots_allowed(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= STREAMS_OPEN + 64)
        return STREAMS_OPEN;
    return limit.rlim_cur > 72 ? (unsigned)limit.rlim_cur - 64 : 8;
}

int
streams_new(const char *dir, unsigned share, struct streams **out, struct weir_errbuf *err)
{
    struct streams *s = calloc(1, sizeof(*s));
    int rc = cli_make_dir(dir, err);

    *out = NULL;
    if (rc != WEIR_E_OK || s == NULL || (s->dir = strdup(dir)) == NULL) {
        free(s);
        return rc != WEIR_E_OK ? rc : weir_err_set(err, WEIR_E_NOMEM, "out of memory");
    }
    s->n_slots = (slots_allowed() + share - 1) / share;
    *out = s;
    return WEIR_E_OK;
}

/* ---- names --------------------------------------------------------------------------------- */

/* tcpflow writes every number of an IPv4 address with three digits. */
static int
end_text(char *to, size_t size, const struct weir_tuple *tuple, enum weir_dir side)
{
    const uint8_t *b = tuple->addr[side].b;
    char text[ADDR_TEXT];

    if (tuple->ip_version == 4)
        return snprintf(to, size, "%03d.%03d.%03d.%03d.%05d", b[0], b[1], b[2], b[3],
                        tuple->port[side]);
    addr_text(&tuple->addr[side], 6, text);
    return snprintf(to, size, "%s.%05d", text, tuple->port[side]);
}

static void
file_name(char name[NAME_MAX_TEXT], const struct weir_flow *flow, enum weir_dir dir,
          uint32_t connection)
{
    struct weir_tuple tuple;
    int n;

    weir_flow_tuple(flow, &tuple);
    n = end_text(name, NAME_MAX_TEXT, &tuple, dir);
    name[n++] = '-';
    n += end_text(name + n, NAME_MAX_TEXT - (size_t)n, &tuple, !dir);
    if (tuple.n_vlan > 0)
        n += snprintf(name + n, NAME_MAX_TEXT - (size_t)n, "--%d", tuple.vlan[0]);
    if (connection > 0)
        snprintf(name + n, NAME_MAX_TEXT - (size_t)n, "c%u", connection);
}

/* ---- connections on a tuple ---------------------------------------------------------------- */

/* Returns which side is the lower end, the first of the key. */
static unsigned
key_of(const struct weir_tuple *tuple, struct seen *key)
{
    unsigned low;

    memset(key, 0, sizeof(*key));
    low = memcmp(&tuple->addr[0], &tuple->addr[1], sizeof(tuple->addr[0])) > 0 ||
          (memcmp(&tuple->addr[0], &tuple->addr[1], sizeof(tuple->addr[0])) == 0 &&
           tuple->port[0] > tuple->port[1]);
    for (unsigned i = 0; i < 2; i++) {
        key->addr[i] = tuple->addr[i ^ low];
        key->port[i] = tuple->port[i ^ low];
    }
    key->vlan = tuple->n_vlan > 0 ? tuple->vlan[0] : UINT16_MAX;
    key->ip_version = tuple->ip_version;
    key->used = true;
    return low;
}

static struct seen *
place_of(struct seen *table, size_t max, const struct seen *key)
{
    size_t words = offsetof(struct seen, connections) / sizeof(uint64_t) * sizeof(uint64_t);
    uint64_t h = 0, word;
    size_t at;

    for (size_t i = 0; i < words; i += sizeof(word)) {
        memcpy(&word, (const char *)key + i, sizeof(word));
        h = mix64(h + word);
    }
    for (at = h & (max - 1); table[at].used; at = (at + 1) & (max - 1))
        if (memcmp(&table[at], key, offsetof(struct seen, connections)) == 0)
            break;
    return &table[at];
}

static bool
grow(struct streams *s)
{
    size_t max = s->max_seen > 0 ? 2 * s->max_seen : 1024;
    struct seen *table = calloc(max, sizeof(*table));

    if (table == NULL)
        return false;
    for (size_t i = 0; i < s->max_seen; i++)
        if (s->seen[i].used)
            *place_of(table, max, &s->seen[i]) = s->seen[i];
    free(s->seen);
    s->seen = table;
    s->max_seen = max;
    return true;
}

static void
fail(struct streams *s, const char *name)
{
    if (s->error != 0)
        return;
    s->error = errno != 0 ? errno : EIO;
    snprintf(s->failed, sizeof(s->failed), "%s", name);
}

/* Without a SYN where a flow ended that neither side had: it is the same connection. */
static bool
goes_on(const struct seen *seen, const struct weir_flow *flow, const struct weir_tuple *tuple)
{
    return seen->may_go_on && weir_flow_midstream(flow) && seen->has_vni == tuple->has_vni &&
           seen->vni == tuple->vni;
}

void
streams_start(struct streams *s, struct stream_state *state, const struct weir_flow *flow)
{
    struct seen key, *place;
    struct weir_tuple tuple;
    unsigned low;

    if (s->n_seen * 2 >= s->max_seen && !grow(s)) {
        fail(s, "table of connections");
        return;
    }
    weir_flow_tuple(flow, &tuple);
    low = key_of(&tuple, &key);
    place = place_of(s->seen, s->max_seen, &key);
    if (!place->used) {
        *place = key;
        s->n_seen++;
    }
    if (goes_on(place, flow, &tuple)) {
        state->started[low] = place->started[0];
        state->started[!low] = place->started[1];
    } else {
        place->connections++;
    }
    place->vni = tuple.vni;
    place->has_vni = tuple.has_vni;
    place->may_go_on = false;
    state->connection = place->connections - 1;
    state->numbered = true;
}

/* ---- files --------------------------------------------------------------------------------- */

static void
flush_slot(struct streams *s, struct slot *slot)
{
    for (size_t at = 0; at < slot->n;) {
        ssize_t n = write(slot->fd, slot->buf + at, slot->n - at);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            fail(s, s->dir);
            break;
        }
        at += (size_t)n;
    }
    slot->n = 0;
}

static void
close_slot(struct streams *s, struct slot *slot)
{
    if (slot->owner == NULL)
        return;
    flush_slot(s, slot);
    if (close(slot->fd) != 0)
        fail(s, s->dir);
    slot->owner = NULL;
}

static struct slot *
least_used(struct streams *s)
{
    struct slot *least = &s->slots[0];

    for (unsigned i = 0; i < s->n_slots; i++) {
        if (s->slots[i].owner == NULL)
            return &s->slots[i];
        if (s->slots[i].used < least->used)
            least = &s->slots[i];
    }
    return least;
}

static struct slot *
open_slot(struct streams *s, struct stream_state *state, const struct weir_event *ev)
{
    struct slot *slot = least_used(s);
    char name[NAME_MAX_TEXT], path[4096];
    int how = state->started[ev->direction] ? O_APPEND : O_TRUNC;

    close_slot(s, slot);
    if (slot->buf == NULL && (slot->buf = malloc(BUFFER)) == NULL)
        return NULL;
    file_name(name, ev->flow, ev->direction, state->connection);
    snprintf(path, sizeof(path), "%s/%s", s->dir, name);
    slot->fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | how, 0644);
    if (slot->fd < 0) {
        fail(s, name);
        return NULL;
    }
    slot->owner = state;
    slot->dir = ev->direction;
    state->started[ev->direction] = true;
    state->slot[ev->direction] = (uint16_t)(slot - s->slots);
    return slot;
}

static struct slot *
slot_of(struct streams *s, struct stream_state *state, const struct weir_event *ev)
{
    struct slot *slot = &s->slots[state->slot[ev->direction]];

    if (slot->owner == state && slot->dir == ev->direction)
        return slot;
    return open_slot(s, state, ev);
}

void
streams_write(struct streams *s, struct stream_state *state, const struct weir_event *ev)
{
    const uint8_t *p = ev->payload.data.p;
    size_t left = ev->payload.data.n;
    struct slot *slot = state->numbered ? slot_of(s, state, ev) : NULL;

    if (slot == NULL)
        return;
    slot->used = ++s->clock;
    while (left > 0) {
        size_t part = left < BUFFER - slot->n ? left : BUFFER - slot->n;

        memcpy(slot->buf + slot->n, p, part);
        slot->n += part;
        p += part;
        left -= part;
        if (slot->n == BUFFER)
            flush_slot(s, slot);
    }
}

/* Remember what a later flow needs to go on with the same files. */
static void
note_end(struct streams *s, const struct stream_state *state, const struct weir_event *ev)
{
    struct weir_tuple tuple;
    struct seen key, *place;
    unsigned low;

    weir_flow_tuple(ev->flow, &tuple);
    low = key_of(&tuple, &key);
    place = place_of(s->seen, s->max_seen, &key);
    if (state->connection != place->connections - 1)
        return;
    place->may_go_on = ev->flow_end.reason == WEIR_END_TIMEOUT ||
                       ev->flow_end.reason == WEIR_END_EVICTED;
    place->started[0] = state->started[low];
    place->started[1] = state->started[!low];
}

void
streams_end(struct streams *s, const struct stream_state *state, const struct weir_event *ev)
{
    if (state->numbered)
        note_end(s, state, ev);
    for (int dir = 0; dir < 2; dir++) {
        struct slot *slot = &s->slots[state->slot[dir]];

        if (slot->owner == state && slot->dir == (enum weir_dir)dir)
            close_slot(s, slot);
    }
}

int
streams_free(struct streams *s, struct weir_errbuf *err)
{
    int rc = WEIR_E_OK;

    if (s == NULL)
        return rc;
    for (unsigned i = 0; i < STREAMS_OPEN; i++) {
        close_slot(s, &s->slots[i]);
        free(s->slots[i].buf);
    }
    if (s->error != 0)
        rc = weir_err_set(err, WEIR_E_IO, "streams: %s: %s", s->failed, strerror(s->error));
    free(s->seen);
    free(s->dir);
    free(s);
    return rc;
}
