#include "out_json.h"

#include "eve.h"

static void
put_field(struct json *j, const struct weir_event *ev, const struct weir_field *field,
          uint32_t max_bytes)
{
    int64_t value = weir_event_int(ev, field);
    struct weir_bytes bytes;

    switch (field->kind) {
    case WEIR_FIELD_BYTES:
        bytes = weir_event_bytes(ev, field);
        json_base64(j, field->name, bytes.p, bytes.n < max_bytes ? bytes.n : max_bytes);
        break;
    case WEIR_FIELD_BOOL:
        json_bool(j, field->name, value != 0);
        break;
    case WEIR_FIELD_ENUM:
        json_str(j, field->name, field->names[value]);
        break;
    case WEIR_FIELD_INT:
    case WEIR_FIELD_U16:
    case WEIR_FIELD_I16:
        json_i64(j, field->name, value);
        break;
    }
}

/* EVE has no name for it in the envelope. */
static void
put_vni(struct json *j, const struct weir_event *ev)
{
    struct weir_tuple tuple;

    if (ev->packet != NULL) {
        tuple.has_vni = ev->packet->has_vni;
        tuple.vni = ev->packet->vni;
    } else if (ev->has_flow) {
        weir_flow_tuple(ev->flow, &tuple);
    } else {
        return;
    }
    if (tuple.has_vni)
        json_u64(j, "vni", tuple.vni);
}

void
out_json_fields(struct json *j, const struct weir_event *ev, uint32_t max_bytes)
{
    json_open(j, "flow_event");
    json_str(j, "event", weir_event_name(ev->type));
    if (ev->has_flow)
        json_str(j, "direction", ev->direction == WEIR_TOSERVER ? "toserver" : "toclient");
    put_vni(j, ev);
    for (const struct weir_field *f = weir_event_fields(ev->type); f->name != NULL; f++)
        put_field(j, ev, f, max_bytes);
    json_close(j);
}

void
out_json_event(struct out *out, const struct weir_event *ev, uint32_t max_bytes)
{
    struct json j;

    eve_begin(&j, out, ev, "flow_event");
    out_json_fields(&j, ev, max_bytes);
    json_end(&j);
}
