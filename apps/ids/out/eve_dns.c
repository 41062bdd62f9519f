/* dns{}: of one message, in the form that Suricata calls version 3. */
#include "out/eve_tx.h"

#include <stdio.h>
#include <string.h>

enum { RDATA_TEXT = 1024 };

static void
put_number_name(struct json *j, const char *key, const char *name, unsigned number)
{
    char text[16];

    snprintf(text, sizeof(text), "%u", number);
    json_str(j, key, name != NULL ? name : text);
}

static void
put_record(struct json *j, struct dns_walk *walk, const struct dns_record *record)
{
    char text[RDATA_TEXT];
    struct put put = put_begin(text, sizeof(text));

    json_open(j, NULL);
    json_text(j, "rrname", record->name.text, record->name.n);
    put_number_name(j, "rrtype", dns_type_name(record->type), record->type);
    if (record->section != DNS_QUESTION) {
        json_u64(j, "ttl", record->ttl);
        if (dns_rdata_text(walk, record, &put) == WEIR_E_OK)
            json_text(j, "rdata", text, put_length(&put));
    }
    json_close(j);
}

/* A section as a list, if it has records that can be read. */
static void
put_section(struct eve_out *eve, struct json *j, const char *key, const struct dns_message *msg,
            enum dns_section section)
{
    struct dns_walk walk = dns_records(msg);
    struct dns_record record;
    unsigned n = 0;

    while (dns_next(&walk, &record) && record.section <= section) {
        if (record.section != section || (section == DNS_ADDITIONAL && record.type == DNS_OPT))
            continue;
        if (n == DNS_SHOWN) {
            eve->count.dns_cut++;
            break;
        }
        if (n++ == 0)
            json_open_array(j, key);
        put_record(j, &walk, &record);
    }
    if (n > 0)
        json_close(j);
}

/* The data of the answers of one type. Returns whether there are any. */
static bool
put_group(struct json *j, const struct dns_message *msg, unsigned type, bool first_group)
{
    struct dns_walk walk = dns_records(msg);
    struct dns_record record;
    unsigned n = 0, seen = 0;

    while (dns_next(&walk, &record) && record.section <= DNS_ANSWER && seen <= DNS_SHOWN) {
        char text[RDATA_TEXT];
        struct put put = put_begin(text, sizeof(text));

        seen += record.section == DNS_ANSWER;
        if (record.section != DNS_ANSWER || record.type != type || seen > DNS_SHOWN ||
            dns_rdata_text(&walk, &record, &put) != WEIR_E_OK)
            continue;
        if (n == 0 && first_group)
            json_open(j, "grouped");
        if (n++ == 0)
            json_open_array(j, dns_type_name(type));
        json_text(j, NULL, text, put_length(&put));
    }
    if (n > 0)
        json_close(j);
    return n > 0;
}

static void
put_grouped(struct json *j, const struct dns_message *msg)
{
    static const uint16_t types[] = { DNS_A,  DNS_NS,  DNS_CNAME, DNS_PTR,
                                      DNS_MX, DNS_TXT, DNS_AAAA,  DNS_SRV };
    bool any = false;

    for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++)
        any |= put_group(j, msg, types[i], !any);
    if (any)
        json_close(j);
}

static void
put_flags(struct json *j, uint16_t flags)
{
    static const struct {
        const char *name;
        uint16_t bit;
    } bits[] = {
        { "qr", DNS_QR }, { "aa", DNS_AA }, { "tc", DNS_TC },
        { "rd", DNS_RD }, { "ra", DNS_RA }, { "z", DNS_Z },
    };
    char text[8];

    snprintf(text, sizeof(text), "%x", flags);
    json_str(j, "flags", text);
    for (size_t i = 0; i < sizeof(bits) / sizeof(*bits); i++)
        if (flags & bits[i].bit)
            json_bool(j, bits[i].name, true);
}

void
eve_put_dns(struct eve_out *eve, struct json *j, struct tx *tx, enum weir_dir dir)
{
    const struct dns_message *msg = tx_dns(tx);

    (void)dir;
    if (msg == NULL)
        return;
    json_open(j, "dns");
    json_u64(j, "version", 3);
    json_str(j, "type", msg->flags & DNS_QR ? "response" : "request");
    json_u64(j, "tx_id", tx->id);
    json_u64(j, "id", msg->id);
    put_flags(j, msg->flags);
    json_u64(j, "opcode", msg->opcode);
    if (msg->flags & DNS_QR)
        put_number_name(j, "rcode", dns_rcode_name(msg->rcode), msg->rcode);
    put_section(eve, j, "queries", msg, DNS_QUESTION);
    put_section(eve, j, "answers", msg, DNS_ANSWER);
    put_grouped(j, msg);
    put_section(eve, j, "authorities", msg, DNS_AUTHORITY);
    put_section(eve, j, "additionals", msg, DNS_ADDITIONAL);
    json_close(j);
}
