#include "record.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void
add(struct record *r, const char *format, ...)
{
    va_list args;
    int n;

    va_start(args, format);
    n = vsnprintf(r->text + r->n, RECORD_ROOM - r->n, format, args);
    va_end(args);
    if (n < 0 || r->n + (size_t)n >= RECORD_ROOM)
        abort();
    r->n += (size_t)n;
}

static void
add_bytes(struct record *r, struct weir_bytes bytes)
{
    for (uint32_t i = 0; i < bytes.n; i++)
        add(r, bytes.p[i] >= 0x20 && bytes.p[i] < 0x7f ? "%c" : "\\x%02x", bytes.p[i]);
}

static void
add_field(struct record *r, const struct weir_event *ev, const struct weir_field *field)
{
    int64_t value = weir_event_int(ev, field);

    add(r, " %s=", field->name);
    if (field->kind == WEIR_FIELD_BYTES)
        add_bytes(r, weir_event_bytes(ev, field));
    else if (field->kind == WEIR_FIELD_ENUM)
        add(r, "%s", field->names[value]);
    else
        add(r, "%lld", (long long)value);
}

static void
gather(struct record *r, const struct weir_event *ev)
{
    size_t *n = &r->n_stream[ev->direction];

    if (*n + ev->payload.data.n > STREAM_ROOM || (int64_t)ev->payload.data.n != ev->payload.length)
        abort();
    memcpy(r->stream[ev->direction] + *n, ev->payload.data.p, ev->payload.data.n);
    *n += ev->payload.data.n;
}

static weir_fut
write_down(void *ctx, weir_fut in)
{
    const struct weir_event *ev = weir_ptr(in);
    struct record *r = ev->app;

    (void)ctx;
    if (r->gather && ev->type == WEIR_EV_PAYLOAD) {
        gather(r, ev);
        return weir_ok(0);
    }
    add(r, "%s", weir_event_name(ev->type));
    if (ev->has_flow)
        add(r, " %c", ev->direction == WEIR_TOSERVER ? '>' : '<');
    for (const struct weir_field *f = weir_event_fields(ev->type); f->name != NULL; f++)
        add_field(r, ev, f);
    add(r, "\n");
    return weir_ok(0);
}

static const weir_fn stages[] = { write_down };

void
record_start(struct record *r, uint64_t want, const struct weir_monitor_opts *opts)
{
    struct weir_app app = { .name = "record", .spec = &r->spec, .arg = r };

    r->spec = (struct weir_tap_spec){ .stage = stages, .n_stages = 1, .want = want };
    record_clear(r);
    r->gather = false;
    r->n_stream[0] = r->n_stream[1] = 0;
    if (weir_monitor_new(opts, &r->m) != WEIR_E_OK || weir_monitor_add(r->m, &app) != WEIR_E_OK)
        abort();
}

void
record_feed(struct record *r, struct weir_frame frame)
{
    if (weir_monitor_feed(r->m, &frame, 1) != WEIR_E_OK)
        abort();
}

void
record_clear(struct record *r)
{
    r->n = 0;
    r->text[0] = '\0';
}

void
record_end(struct record *r)
{
    weir_monitor_end(r->m);
}

void
record_free(struct record *r)
{
    weir_monitor_free(r->m);
}
