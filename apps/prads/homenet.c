#include "homenet.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

enum { NET_TEXT_MAX = 2 * INET6_ADDRSTRLEN };

static bool
read_mask(const char *text, struct homenet *net)
{
    unsigned bits, most = net->version == 4 ? 32 : 128;
    char *end;

    if (strpbrk(text, ".:") != NULL)
        return inet_pton(net->version == 4 ? AF_INET : AF_INET6, text, net->mask.b) == 1;
    bits = (unsigned)strtoul(text, &end, 10);
    if (end == text || *end != '\0' || *text == '-' || bits > most)
        return false;
    for (unsigned i = 0; i < bits; i++)
        net->mask.b[i / 8] |= (uint8_t)(0x80 >> i % 8);
    return true;
}

static bool
read_net(const char *text, size_t n, bool hosts, struct homenet *net)
{
    char copy[NET_TEXT_MAX], *slash;

    *net = (struct homenet){ .version = 4 };
    if (n >= sizeof(copy))
        return false;
    memcpy(copy, text, n);
    copy[n] = '\0';
    slash = strchr(copy, '/');
    if (slash == NULL && !hosts)
        return false;
    if (slash != NULL)
        *slash = '\0';
    if (strchr(copy, ':') != NULL)
        net->version = 6;
    if (inet_pton(net->version == 4 ? AF_INET : AF_INET6, copy, net->addr.b) != 1 ||
        !read_mask(slash != NULL       ? slash + 1
                   : net->version == 4 ? "32"
                                       : "128",
                   net))
        return false;
    for (unsigned i = 0; i < sizeof(net->addr.b); i++)
        net->addr.b[i] &= net->mask.b[i];
    return true;
}

static void
note_all(struct homenets *nets, const struct homenet *net)
{
    static const struct weir_addr none;

    if (memcmp(&net->mask, &none, sizeof(none)) != 0)
        return;
    nets->all4 |= net->version == 4;
    nets->all6 |= net->version == 6;
}

static bool
parse(struct homenets *nets, const char *text, bool hosts)
{
    *nets = (struct homenets){ .n = 0 };
    while (nets->n < HOMENETS_MAX) {
        size_t n;

        text += strspn(text, " \t");
        n = strcspn(text, ", \t");
        if (!read_net(text, n, hosts, &nets->at[nets->n]))
            return false;
        note_all(nets, &nets->at[nets->n++]);
        text += n;
        text += strspn(text, " \t");
        if (*text != ',')
            return *text == '\0';
        text++;
    }
    return false;
}

bool
homenets_parse(struct homenets *nets, const char *text)
{
    return parse(nets, text, false);
}

bool
homenets_parse_hosts(struct homenets *nets, const char *text)
{
    return parse(nets, text, true);
}

bool
homenets_have(const struct homenets *nets, uint8_t version, const struct weir_addr *addr)
{
    size_t size = version == 4 ? 4 : 16;

    if (version == 4 ? nets->all4 : nets->all6)
        return true;
    for (unsigned i = 0; i < nets->n; i++) {
        const struct homenet *net = &nets->at[i];
        uint8_t differ = 0;

        for (size_t b = 0; b < size; b++)
            differ |= (uint8_t)((addr->b[b] & net->mask.b[b]) ^ net->addr.b[b]);
        if (net->version == version && differ == 0)
            return true;
    }
    return false;
}
