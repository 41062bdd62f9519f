#include "asset.h"

#include <weir/error.h>

#include <assert.h>
#include <string.h>

enum { RECORDS_A_HOST = 4, CHANGES = 200 };

/* What was seen of a host. */
struct record {
    uint64_t what[2]; /* host, kind, protocol and port; identity */
    uint64_t application;
    uint32_t changes;
    bool generic, server;
};

static_assert(sizeof(struct asset) == 48, "a million hosts have to fit");
static_assert(offsetof(struct asset, version) == 16, "the key comes first");

int
assets_new(struct assets *assets, uint32_t max, uint64_t seed)
{
    uint32_t records = max < UINT32_MAX / RECORDS_A_HOST ? max * RECORDS_A_HOST : UINT32_MAX;
    int rc = table_new(&assets->hosts, sizeof(struct asset), 24, max, seed);

    assets->records = (struct table){ .max = 0 };
    assets->text = (struct hash_key){ mix64(seed + 2), mix64(seed + 3) };
    if (rc == WEIR_E_OK)
        rc = table_new(&assets->records, sizeof(struct record), 16, records, seed + 1);
    if (rc != WEIR_E_OK)
        table_free(&assets->hosts);
    return rc;
}

void
assets_free(struct assets *assets)
{
    table_free(&assets->hosts);
    table_free(&assets->records);
}

struct asset *
assets_get(struct assets *assets, uint8_t version, const struct weir_addr *addr, bool *made)
{
    uint64_t key[3] = { 0, 0, version };

    memcpy(key, addr->b, version == 4 ? 4 : 16);
    return table_add(&assets->hosts, key, made);
}

static struct record *
record(struct assets *assets, const struct asset *asset, enum detection kind, uint8_t proto,
       uint16_t port, uint64_t identity, bool *made)
{
    uint64_t key[2] = { (uint64_t)table_index(&assets->hosts, asset) << 32 | (uint64_t)kind << 24 |
                            (uint64_t)proto << 16 | port,
                        identity };

    return table_add(&assets->records, key, made);
}

bool
asset_is_new_os(struct assets *assets, const struct asset *asset, enum detection kind,
                uint64_t identity)
{
    bool made;

    record(assets, asset, kind, 0, 0, identity, &made);
    return made;
}

enum asset_news
asset_service(struct assets *assets, const struct asset *asset, uint8_t proto, uint16_t port,
              const char *application, bool *server)
{
    uint64_t identity = assets_identity(assets, application);
    bool made, generic = application[0] == '@';
    struct record *r = record(assets, asset, DETECT_SERVER, proto, port, 0, &made);

    if (r == NULL)
        return ASSET_OLD;
    if (made)
        r->server = *server;
    *server = r->server;
    if (!made && r->application == identity) {
        r->changes = 0;
        return ASSET_OLD;
    }
    if (!made && !(r->generic && !generic) && r->changes++ <= CHANGES)
        return ASSET_OLD;
    r->application = identity;
    r->generic = generic;
    r->changes = 0;
    return made ? ASSET_NEW : ASSET_CHANGED;
}

enum asset_news
asset_set_mac(struct asset *asset, const uint8_t mac[6])
{
    bool had = asset->has_mac;

    if (had && memcmp(asset->mac, mac, 6) == 0)
        return ASSET_OLD;
    memcpy(asset->mac, mac, 6);
    asset->has_mac = true;
    return had ? ASSET_CHANGED : ASSET_NEW;
}

uint64_t
assets_identity(const struct assets *assets, const char *text)
{
    return siphash13_bytes(&assets->text, (const uint8_t *)text, strlen(text));
}
