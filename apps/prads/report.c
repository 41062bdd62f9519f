#include "report.h"

#include "eve.h"
#include "json.h"

#include <string.h>

static void
put_fact(struct json *j, const struct host *host, const struct fact *fact)
{
    char addr[ADDR_TEXT], proto[PROTO_TEXT];

    addr_text(&host->addr, host->version, addr);
    json_str(j, "ip", addr);
    if (host->vlan != 0)
        json_u64(j, "vlan", host->vlan);
    json_str(j, "kind", fact_kind_name(fact->kind));
    if (fact->proto != 0) {
        proto_text(fact->proto, proto);
        json_str(j, "proto", proto);
        json_u64(j, "port", fact->port);
    }
    json_str(j, "source", fact->source);
    json_text(j, "value", fact->value, strnlen(fact->value, FACT_VALUE_MAX));
    json_u64(j, "confidence", fact->confidence);
}

static void
put_time(struct json *j, const char *key, uint64_t time)
{
    char text[TIME_TEXT];

    time_text(time, text);
    json_str(j, key, text);
}

static void
put_details(struct json *j, const struct sighting *s)
{
    bool any = false;

    for (unsigned i = 0; i < s->n_details; i++)
        any |= s->detail[i].value != NULL && s->detail[i].value[0] != '\0';
    if (!any)
        return;
    json_open(j, "details");
    for (unsigned i = 0; i < s->n_details; i++)
        if (s->detail[i].value != NULL && s->detail[i].value[0] != '\0')
            json_text(j, s->detail[i].key, s->detail[i].value, strlen(s->detail[i].value));
    json_close(j);
}

static void
put_new(struct out *out, const struct weir_event *ev, const struct host *host,
        const struct sighting *s)
{
    struct json j;

    json_begin(&j, out);
    put_time(&j, "timestamp", ev->time);
    if (ev->flow != NULL)
        json_u64(&j, "flow_id", weir_flow_id(ev->flow));
    if (ev->number != 0)
        json_u64(&j, "pcap_cnt", ev->number);
    json_str(&j, "event_type", "asset");
    json_open(&j, "asset");
    json_str(&j, "change", "new");
    put_fact(&j, host, &s->fact);
    json_str(&j, "evidence", s->evidence);
    json_u64(&j, "distance", s->news.distance);
    put_time(&j, "host_first_seen", host->first);
    put_time(&j, "first_seen", s->time);
    put_details(&j, s);
    json_close(&j);
    json_end(&j);
}

void
report_header(const struct report *report)
{
    asset_log_header(report->log);
}

void
report_news(const struct report *report, const struct weir_event *ev, const struct host *host,
            const struct sighting *sighting)
{
    struct asset asset = { .version = host->version };
    struct news news = sighting->news;

    if (report->json != NULL)
        put_new(report->json, ev, host, sighting);
    if (report->log == NULL || news.what == DETECT_NONE)
        return;
    if (news.asset != NULL)
        asset = *news.asset;
    asset.addr = host->addr;
    asset.version = host->version;
    asset.vlan = host->vlan;
    news.asset = &asset;
    news.time = sighting->time / 1000000000;
    asset_log_file(report->log, &news);
}

void
report_gone(const struct report *report, const struct host *host, const struct known *known,
            enum host_end why)
{
    static const char *const reasons[] = { "expired", "evicted", "eof" };
    struct json j;

    if (report->json == NULL)
        return;
    json_begin(&j, report->json);
    put_time(&j, "timestamp", host->last);
    json_str(&j, "event_type", "asset");
    json_open(&j, "asset");
    json_str(&j, "change", "end");
    json_str(&j, "reason", reasons[why]);
    put_fact(&j, host, &known->fact);
    put_time(&j, "host_first_seen", host->first);
    put_time(&j, "host_last_seen", host->last);
    put_time(&j, "first_seen", known->first);
    put_time(&j, "last_seen", known->last);
    json_u64(&j, "seen", known->seen);
    json_close(&j);
    json_end(&j);
}
