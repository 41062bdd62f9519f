#include "out/eve_tx.h"

#include <weir/flow.h>

bool
eve_put_buffer(struct json *j, const char *key, struct tx *tx, enum weir_dir dir, enum buffer_id id,
               unsigned i)
{
    struct tx_bytes bytes;

    if (!tx_buffer(tx, dir, id, i, &bytes))
        return false;
    json_text(j, key, (const char *)bytes.p, bytes.n);
    return true;
}

void
eve_put_tx(struct eve_out *eve, struct json *j, struct tx *tx, enum weir_dir dir)
{
    switch ((enum app_proto)tx->proto) {
    case APP_HTTP:
        eve_put_http(eve, j, tx);
        break;
    case APP_DNS:
        eve_put_dns(eve, j, tx, dir);
        break;
    case APP_TLS:
        eve_put_tls(eve, j, tx);
        break;
    case APP_SSH:
        eve_put_ssh(j, tx);
        break;
    default:
        break;
    }
}

/* Begin a record; dir: from whom to whom it is. */
static void
begin(struct eve_out *eve, struct json *j, enum eve_type type, const struct eve_flow *flow,
      const struct weir_event *ev, const struct tx *tx, enum weir_dir dir)
{
    const struct eve_about about = { .has_tx_id = true, .tx_id = tx->id };
    struct weir_event whole = *ev;

    whole.packet = NULL; /* its ends may be those of an acknowledgement, or of an answer */
    whole.direction = (uint8_t)dir;
    eve_out_begin(eve, j, type, EVE_OF_PACKET, flow, &whole, &about);
}

/* All of it, client to server as the flow. */
static void
tell_tx(struct eve_out *eve, enum eve_type type, const struct eve_flow *flow,
        const struct weir_event *ev, struct tx *tx, enum weir_dir dir)
{
    struct json j;

    if (!eve_writes(&eve->opts, type))
        return;
    begin(eve, &j, type, flow, ev, tx, WEIR_TOSERVER);
    eve_put_tx(eve, &j, tx, dir);
    json_end(&j);
}

/* A body that was seen: what it is called by the request, and how much came. */
static void
tell_file(struct eve_out *eve, const struct eve_flow *flow, const struct weir_event *ev,
          struct tx *tx, enum weir_dir dir)
{
    uint64_t length = tx_body_length(tx, dir);
    struct http_event request;
    struct weir_bytes name;
    struct json j;

    if (!eve_writes(&eve->opts, EVE_FILEINFO) || length == 0 ||
        !tx_http(tx, HTTP_REQUEST, &request))
        return;
    begin(eve, &j, EVE_FILEINFO, flow, ev, tx, dir);
    eve_put_http(eve, &j, tx);
    json_str(&j, "app_proto", "http");
    json_open(&j, "fileinfo");
    if (tx_file_name(tx, dir, &name))
        eve_put_bytes(&j, "filename", name);
    json_bool(&j, "gaps", flow->gap_n[dir] > 0);
    json_str(&j, "state", ev->type == WEIR_EV_FLOW_END ? "TRUNCATED" : "CLOSED");
    json_bool(&j, "stored", false);
    json_u64(&j, "size", length);
    json_u64(&j, "tx_id", tx->id);
    json_end(&j);
}

static void
gone(struct eve_out *eve, const struct eve_flow *flow, const struct weir_event *ev, struct tx *tx)
{
    eve->count.app_tx[tx->proto][weir_flow_proto(ev->flow) == WEIR_PROTO_UDP]++;
    if (tx->proto == APP_HTTP)
        tell_tx(eve, EVE_HTTP, flow, ev, tx, WEIR_TOSERVER);
    else if (tx->proto == APP_TLS)
        tell_tx(eve, EVE_TLS, flow, ev, tx, WEIR_TOSERVER);
    else if (tx->proto == APP_SSH)
        tell_tx(eve, EVE_SSH, flow, ev, tx, WEIR_TOSERVER);
}

void
eve_tx(struct eve_out *eve, const struct eve_flow *flow, const struct weir_event *ev, struct tx *tx,
       enum weir_dir dir, enum tx_stage stage)
{
    bool told = dir == WEIR_TOSERVER ? eve->opts.dns_requests : eve->opts.dns_responses;

    if (ev->flow == NULL || eve->opts.types == 0)
        return;
    if (stage == TX_GONE)
        gone(eve, flow, ev, tx);
    else if (stage == TX_END && tx->proto == APP_DNS && told)
        tell_tx(eve, EVE_DNS, flow, ev, tx, dir);
    else if (stage == TX_END && tx->proto == APP_HTTP)
        tell_file(eve, flow, ev, tx, dir);
}
