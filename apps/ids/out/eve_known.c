/* metadata{} and context{}: what rules remember of a flow, and what they captured. */
#include "detect/outcome.h"
#include "out/eve_out.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A list or an object that is opened with its first member. */
struct members {
    struct json *j;
    bool open, inside; /* inside: of metadata{}, which is opened likewise */
};

static void
open_metadata(struct members *m)
{
    if (!m->inside)
        json_open(m->j, "metadata");
    m->inside = true;
}

static void
open_list(struct members *m, const char *key, bool is_array)
{
    if (m->open)
        return;
    open_metadata(m);
    if (is_array)
        json_open_array(m->j, key);
    else
        json_open(m->j, key);
    m->open = true;
}

static void
close_list(struct members *m)
{
    if (m->open)
        json_close(m->j);
    m->open = false;
}

static void
put_bit(void *ctx, const char *name, bool is_bit, uint32_t value)
{
    struct members *m = ctx;

    (void)value;
    if (!is_bit)
        return;
    open_list(m, "flowbits", true);
    json_str(m->j, NULL, name);
}

static void
put_number(void *ctx, const char *name, bool is_bit, uint32_t value)
{
    struct members *m = ctx;

    if (is_bit)
        return;
    open_list(m, "flowints", false);
    json_key_text(m->j, name, strlen(name));
    out_u64(m->j->out, value);
}

/* With as many digits as tell it from its neighbours. */
static void
put_double(struct json *j, const uint8_t *p)
{
    char text[32];
    double value;

    memcpy(&value, p, sizeof(value));
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(text, sizeof(text), "%.*g", digits, value);
        if (!(strtod(text, NULL) < value) && !(strtod(text, NULL) > value))
            break;
    }
    out_str(j->out, text);
}

static void
put_member(struct json *j, const struct captured *c)
{
    json_key_text(j, c->name, c->name_n);
    if (c->kind == CAPTURE_ENTROPY)
        put_double(j, captured_bytes(c));
    else
        eve_put_printable(j, captured_bytes(c), c->n);
}

static void
put_entropies(struct members *m, const struct captures *captures)
{
    for (const struct captured *c = captures_next(captures, NULL); c != NULL;
         c = captures_next(captures, c)) {
        if (c->kind != CAPTURE_ENTROPY)
            continue;
        open_list(m, "entropy", false);
        put_member(m->j, c);
    }
    close_list(m);
}

/* Each is an object of its own. */
static void
put_variables(struct members *m, const char *key, const struct captures *captures, uint8_t kind)
{
    for (const struct captured *c = captures_next(captures, NULL); c != NULL;
         c = captures_next(captures, c)) {
        if (c->kind != kind)
            continue;
        open_list(m, key, true);
        json_open(m->j, NULL);
        put_member(m->j, c);
        json_close(m->j);
    }
    close_list(m);
}

void
eve_put_metadata(struct json *j, const struct eve_about *about)
{
    struct members m = { .j = j };

    if (about->outcome != NULL) {
        outcome_tell(about->outcome, about->past, put_bit, &m);
        close_list(&m);
        outcome_tell(about->outcome, about->past, put_number, &m);
        close_list(&m);
    }
    if (about->past != NULL) {
        put_variables(&m, "flowvars", about->past->captures, CAPTURE_FLOW);
        put_entropies(&m, about->past->captures);
    }
    put_variables(&m, "pktvars", about->of_packet, CAPTURE_PACKET);
    if (m.inside)
        json_close(j);
}

void
eve_put_captured(struct json *j, const struct eve_about *about)
{
    bool open = false;

    for (const struct captured *c = captures_next(about->of_alert, NULL); c != NULL;
         c = captures_next(about->of_alert, c)) {
        if (c->kind != CAPTURE_ALERT)
            continue;
        if (!open)
            json_open(j, "context");
        open = true;
        put_member(j, c);
    }
    if (open)
        json_close(j);
}
