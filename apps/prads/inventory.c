#include "inventory.h"

#include "hash.h"
#include "mem.h"
#include "table.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum {
    DEFAULT_HOSTS = 4 << 20,
    DEFAULT_FACTS = 16 << 20,
    DEFAULT_TEXTS = 1 << 30,
    DEFAULT_A_HOST = 256,
    EXPIRED_A_CALL = 16,
    LOOKED_AT_A_FACT = 16, /* of the hosts that were seen longest ago, which may have to go */
};

#define DEFAULT_EXPIRE (UINT64_C(24) * 3600 * 1000000000)

/* Places in tables count from 1; 0: none. */
struct host_entry {
    uint64_t key[3]; /* address, version */
    uint64_t first, last;
    uint32_t newer, older; /* in the order in which they were seen last */
    uint32_t first_fact, last_fact;
    uint16_t n_facts;
    uint16_t n_kind[FACT_KINDS]; /* of these */
    uint16_t vlan;
    uint16_t largest; /* block among its texts, in bytes */
};

struct fact_entry {
    uint64_t key[2]; /* host, kind, protocol, port; digest of source and value */
    uint64_t first, last;
    char *text;    /* source and value, both terminated */
    uint32_t seen; /* stays at its greatest */
    uint32_t next; /* of the host */
    uint16_t size; /* of text */
    uint8_t confidence;
};

struct inventory {
    struct inventory_opts opts;
    struct table hosts, facts;
    struct hash_key secret;
    uint32_t newest, oldest; /* host */
    struct mem mem;          /* texts, from opts.texts bytes */
    void *range;             /* at this address */
    struct inventory_stats stats;
};

const char *
fact_kind_name(enum fact_kind kind)
{
    static const char *const names[FACT_KINDS] = {
        "os", "server", "client", "mac", "dhcp", "name"
    };

    return names[kind];
}

/* ---- set-up -------------------------------------------------------------------------------- */

static void
set_defaults(struct inventory_opts *opts)
{
    opts->hosts = opts->hosts != 0 ? opts->hosts : DEFAULT_HOSTS;
    opts->facts = opts->facts != 0 ? opts->facts : DEFAULT_FACTS;
    opts->texts = opts->texts != 0 ? opts->texts : DEFAULT_TEXTS;
    opts->a_host = opts->a_host != 0 ? opts->a_host : DEFAULT_A_HOST;
    opts->expire = opts->expire != 0 ? opts->expire : DEFAULT_EXPIRE;
}

int
inventory_new(const struct inventory_opts *opts, struct inventory **out)
{
    struct inventory *inv = calloc(1, sizeof(*inv));
    int rc = WEIR_E_NOMEM;

    *out = NULL;
    if (inv == NULL)
        return rc;
    inv->opts = *opts;
    set_defaults(&inv->opts);
    inv->secret = (struct hash_key){ mix64(opts->seed + 7), mix64(~opts->seed - 7) };
    inv->range = mmap(NULL, inv->opts.texts, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (inv->range == MAP_FAILED) {
        inv->range = NULL;
    } else {
        mem_init_joining(&inv->mem, inv->range, inv->opts.texts, inv->opts.texts);
        rc = table_new(&inv->hosts, sizeof(struct host_entry), 24, inv->opts.hosts, opts->seed);
    }
    if (rc == WEIR_E_OK)
        rc = table_new(&inv->facts, sizeof(struct fact_entry), 16, inv->opts.facts, opts->seed + 1);
    if (rc == WEIR_E_OK)
        *out = inv;
    else
        inventory_free(inv);
    return rc;
}

void
inventory_free(struct inventory *inv)
{
    if (inv == NULL)
        return;
    table_free(&inv->hosts);
    table_free(&inv->facts);
    if (inv->range != NULL) {
        mem_end_joining(&inv->mem);
        munmap(inv->range, inv->opts.texts);
    }
    free(inv);
}

const struct inventory_stats *
inventory_get_stats(const struct inventory *inv)
{
    return &inv->stats;
}

/* ---- hosts, by when they were seen --------------------------------------------------------- */

static struct host_entry *
host_at(const struct inventory *inv, uint32_t place)
{
    return table_at(&inv->hosts, place - 1);
}

static uint32_t
place_of(const struct inventory *inv, const struct host_entry *host)
{
    return table_index(&inv->hosts, host) + 1;
}

static void
unlink_host(struct inventory *inv, struct host_entry *host)
{
    if (host->newer != 0)
        host_at(inv, host->newer)->older = host->older;
    else
        inv->newest = host->older;
    if (host->older != 0)
        host_at(inv, host->older)->newer = host->newer;
    else
        inv->oldest = host->newer;
}

static void
link_newest(struct inventory *inv, struct host_entry *host)
{
    uint32_t place = place_of(inv, host);

    host->newer = 0;
    host->older = inv->newest;
    if (inv->newest != 0)
        host_at(inv, inv->newest)->newer = place;
    else
        inv->oldest = place;
    inv->newest = place;
}

static void
seen_now(struct inventory *inv, struct host_entry *host, uint64_t time)
{
    host->first = time < host->first ? time : host->first; /* a flow's end tells late */
    host->last = time > host->last ? time : host->last;
    if (inv->newest == place_of(inv, host))
        return;
    unlink_host(inv, host);
    link_newest(inv, host);
}

static struct host
show_host(const struct host_entry *entry)
{
    struct host host = { .version = (uint8_t)entry->key[2],
                         .vlan = entry->vlan,
                         .first = entry->first,
                         .last = entry->last };

    memcpy(host.addr.b, entry->key, sizeof(host.addr.b));
    return host;
}

static struct known
show_fact(const struct fact_entry *entry)
{
    uint64_t about = entry->key[0];

    return (struct known){ .fact = { .kind = (enum fact_kind)(about >> 24 & 0xff),
                                     .proto = (uint8_t)(about >> 16),
                                     .port = (uint16_t)about,
                                     .source = entry->text,
                                     .value = entry->text + strlen(entry->text) + 1,
                                     .confidence = entry->confidence },
                           .first = entry->first,
                           .last = entry->last,
                           .seen = entry->seen };
}

static void
drop_fact(struct inventory *inv, struct fact_entry *fact)
{
    mem_free(&inv->mem, fact->text, fact->size);
    table_remove(&inv->facts, fact);
}

/* Tell of all facts; drop them, if the host goes. */
static void
tell(struct inventory *inv, const struct host_entry *entry, enum host_end why)
{
    struct host host = show_host(entry);

    for (uint32_t i = entry->first_fact; i != 0;) {
        struct fact_entry *fact = table_at(&inv->facts, i - 1);
        struct known known = show_fact(fact);

        i = fact->next;
        if (inv->opts.gone != NULL)
            inv->opts.gone(inv->opts.ctx, &host, &known, why);
        if (why != HOST_EOF)
            drop_fact(inv, fact);
    }
}

static void
forget(struct inventory *inv, struct host_entry *host, enum host_end why)
{
    tell(inv, host, why);
    inv->stats.expired += why == HOST_EXPIRED;
    inv->stats.evicted += why == HOST_EVICTED;
    unlink_host(inv, host);
    table_remove(&inv->hosts, host);
}

void
inventory_expire(struct inventory *inv, uint64_t now)
{
    for (unsigned n = 0; n < EXPIRED_A_CALL && inv->oldest != 0; n++) {
        struct host_entry *host = host_at(inv, inv->oldest);

        if (host->last + inv->opts.expire >= now)
            return;
        forget(inv, host, HOST_EXPIRED);
    }
}

/* From the one that was seen longest ago on. */
void
inventory_end(struct inventory *inv)
{
    for (uint32_t i = inv->oldest; i != 0; i = host_at(inv, i)->newer)
        tell(inv, host_at(inv, i), HOST_EOF);
}

/* ---- facts --------------------------------------------------------------------------------- */

static void
host_key(uint64_t key[3], uint8_t version, const struct weir_addr *addr)
{
    key[0] = key[1] = 0;
    key[2] = version;
    memcpy(key, addr->b, version == 4 ? 4 : 16);
}

static struct host_entry *
need_host(struct inventory *inv, uint8_t version, const struct weir_addr *addr, uint64_t time)
{
    uint64_t key[3];
    struct host_entry *host;
    bool made;

    host_key(key, version, addr);
    host = table_add(&inv->hosts, key, &made);
    if (host == NULL) {
        forget(inv, host_at(inv, inv->oldest), HOST_EVICTED);
        host = table_add(&inv->hosts, key, &made);
    }
    if (!made)
        return host;
    host->first = host->last = time;
    link_newest(inv, host);
    inv->stats.hosts++;
    return host;
}

/* Where facts end, the host that was seen longest ago makes room, but not this one. */
static bool
make_room(struct inventory *inv, const struct host_entry *host)
{
    struct host_entry *oldest = host_at(inv, inv->oldest);

    if (oldest == host)
        return false;
    forget(inv, oldest, HOST_EVICTED);
    return true;
}

static enum fact_kind
kind_of(const uint64_t key[2])
{
    return (enum fact_kind)(key[0] >> 24 & 0xff);
}

/* Forged names or user agents shall not keep all else out: no kind gets the last quarter. */
static bool
has_enough(const struct inventory *inv, const struct host_entry *host, const uint64_t key[2])
{
    unsigned most = inv->opts.a_host;

    return host->n_facts >= most || host->n_kind[kind_of(key)] >= most - most / 4;
}

static struct fact_entry *
add_fact(struct inventory *inv, const struct host_entry *host, const uint64_t key[2], bool *made)
{
    struct fact_entry *fact = table_find(&inv->facts, key);

    *made = false;
    if (fact != NULL)
        return fact;
    if (has_enough(inv, host, key)) {
        inv->stats.too_many++;
        return NULL;
    }
    fact = table_add(&inv->facts, key, made);
    for (unsigned i = 0; fact == NULL && i < LOOKED_AT_A_FACT && make_room(inv, host); i++)
        fact = table_add(&inv->facts, key, made);
    inv->stats.no_room += fact == NULL;
    return fact;
}

/*
 * Where memory ends, a host makes room for a text, but not this one: the first, by when it was
 * seen, that has a block so large, for smaller ones would not do. Of the rest of the hosts nobody
 * goes in vain.
 */
static bool
make_text_room(struct inventory *inv, const struct host_entry *host, size_t size)
{
    uint32_t place = inv->oldest;

    for (unsigned i = 0; i < LOOKED_AT_A_FACT && place != 0; i++) {
        struct host_entry *other = host_at(inv, place);

        if (other != host && other->largest >= mem_block_size(size)) {
            forget(inv, other, HOST_EVICTED);
            return true;
        }
        place = other->newer;
    }
    return false;
}

/* Source and value in one block; false: there is no room for it. */
static bool
hold_text(struct inventory *inv, const struct host_entry *host, struct fact_entry *entry,
          const struct fact *fact)
{
    size_t source = strlen(fact->source) + 1, value = strnlen(fact->value, FACT_VALUE_MAX);

    entry->size = (uint16_t)(source + value + 1);
    entry->text = mem_alloc(&inv->mem, entry->size);
    if (entry->text == NULL && make_text_room(inv, host, entry->size))
        entry->text = mem_alloc(&inv->mem, entry->size);
    if (entry->text == NULL)
        return false;
    memcpy(entry->text, fact->source, source);
    memcpy(entry->text + source, fact->value, value);
    entry->text[source + value] = '\0';
    return true;
}

static void
append_fact(struct inventory *inv, struct host_entry *host, struct fact_entry *fact)
{
    uint32_t place = table_index(&inv->facts, fact) + 1;
    size_t block = mem_block_size(fact->size);

    host->largest = (uint16_t)(block > host->largest ? block : host->largest);
    if (host->last_fact != 0)
        ((struct fact_entry *)table_at(&inv->facts, host->last_fact - 1))->next = place;
    else
        host->first_fact = place;
    host->last_fact = place;
    host->n_facts++;
    host->n_kind[kind_of(fact->key)]++;
}

static uint64_t
digest_of(const struct inventory *inv, const struct fact *fact)
{
    uint64_t source = siphash13_bytes(&inv->secret, (const uint8_t *)fact->source,
                                      (uint32_t)strlen(fact->source));
    uint64_t value = siphash13_bytes(&inv->secret, (const uint8_t *)fact->value,
                                     (uint32_t)strnlen(fact->value, FACT_VALUE_MAX));

    return mix64(source) ^ value;
}

static bool
note_fact(struct inventory *inv, struct host_entry *entry, const struct fact *fact, uint64_t time)
{
    uint64_t key[2] = { (uint64_t)place_of(inv, entry) << 32 | (uint64_t)fact->kind << 24 |
                            (uint64_t)fact->proto << 16 | fact->port,
                        digest_of(inv, fact) };
    bool made;
    struct fact_entry *known = add_fact(inv, entry, key, &made);

    if (known == NULL)
        return false;
    if (made && !hold_text(inv, entry, known, fact)) {
        table_remove(&inv->facts, known);
        inv->stats.no_room++;
        return false;
    }
    if (made) {
        append_fact(inv, entry, known);
        known->first = time;
        inv->stats.facts++;
    }
    known->last = time > known->last ? time : known->last;
    known->seen += known->seen < UINT32_MAX;
    known->confidence = fact->confidence > known->confidence ? fact->confidence : known->confidence;
    return made;
}

bool
inventory_see(struct inventory *inv, uint8_t version, const struct weir_addr *addr, uint16_t vlan,
              const struct fact *fact, uint64_t time, struct host *host)
{
    struct host_entry *entry = need_host(inv, version, addr, time);

    seen_now(inv, entry, time);
    entry->vlan = vlan;
    *host = show_host(entry);
    return note_fact(inv, entry, fact, time);
}

static struct host_entry *
find_host(const struct inventory *inv, uint8_t version, const struct weir_addr *addr)
{
    uint64_t key[3];

    host_key(key, version, addr);
    return table_find(&inv->hosts, key);
}

bool
inventory_hear(struct inventory *inv, uint8_t version, const struct weir_addr *addr,
               const struct fact *fact, uint64_t time, struct host *host)
{
    struct host_entry *entry = find_host(inv, version, addr);

    if (entry == NULL)
        return false;
    *host = show_host(entry);
    return note_fact(inv, entry, fact, time);
}

bool
inventory_has(const struct inventory *inv, uint8_t version, const struct weir_addr *addr)
{
    return find_host(inv, version, addr) != NULL;
}

bool
inventory_has_better(const struct inventory *inv, uint8_t version, const struct weir_addr *addr,
                     enum fact_kind kind, uint8_t proto, uint16_t port)
{
    const struct host_entry *host = find_host(inv, version, addr);
    uint32_t about = (uint32_t)kind << 24 | (uint32_t)proto << 16 | port;

    for (uint32_t i = host != NULL ? host->first_fact : 0; i != 0;) {
        const struct fact_entry *fact = table_at(&inv->facts, i - 1);

        if ((uint32_t)fact->key[0] == about && show_fact(fact).fact.value[0] != '@')
            return true;
        i = fact->next;
    }
    return false;
}

bool
inventory_touch(struct inventory *inv, uint8_t version, const struct weir_addr *addr, uint64_t time)
{
    struct host_entry *host = find_host(inv, version, addr);

    if (host != NULL)
        seen_now(inv, host, time);
    return host != NULL;
}
