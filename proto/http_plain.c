/*
 * Transactions whose request and response have a form (http_form.h), one at a time: read without
 * libhtp. Whatever else comes, libhtp is given the transaction from its beginning (http.c).
 */
#include "http_parts.h"

#include "mem.h"

#include <string.h>

static const struct weir_bytes no_data = { NULL, 0 };

/* ---- heads */

static size_t
fields_size(const struct http_form *form)
{
    return offsetof(struct http_form, field) + form->n_field * sizeof(form->field[0]);
}

static size_t
head_size(const struct http_form *form)
{
    return fields_size(form) + form->n;
}

static const uint8_t *
head_bytes(const struct plain_head *head)
{
    return (const uint8_t *)head + fields_size(&head->form);
}

/* A copy of what was read; NULL: no memory. */
static struct plain_head *
keep_head(struct mem *mem, const struct http_form *form, const uint8_t *p)
{
    uint8_t *block = mem_alloc(mem, head_size(form));

    if (block == NULL)
        return NULL;
    memcpy(block, form, fields_size(form));
    memcpy(block + fields_size(form), p, form->n);
    return (struct plain_head *)(void *)block;
}

void
plain_free(struct plain *plain)
{
    struct mem *mem = plain->flow->http->share->mem;

    for (unsigned dir = 0; dir < 2; dir++)
        if (plain->head[dir] != NULL)
            mem_free(mem, plain->head[dir], head_size(&plain->head[dir]->form));
    mem_free(mem, plain, sizeof(*plain));
}

/* ---- what is known of a transaction */

static struct weir_bytes
at(const struct plain_head *head, struct http_place place)
{
    return (struct weir_bytes){ head_bytes(head) + place.at, place.n };
}

static void
look_at_response(const struct plain_head *head, struct http_event *out)
{
    out->response_line = at(head, head->form.line);
    out->response_protocol = at(head, head->form.protocol);
    out->status_text = at(head, head->form.status_text);
    out->message = at(head, head->form.message);
    out->status = head->form.status;
}

void
plain_look(const struct plain *plain, enum http_event_type type, struct http_event *out)
{
    const struct plain_head *head = plain->head[WEIR_TOSERVER];
    const struct http_form *form = &head->form;

    *out = (struct http_event){ .type = type,
                                .tx = plain->flow->requests - 1,
                                .line = at(head, form->line),
                                .method = at(head, form->method),
                                .uri = at(head, form->uri),
                                .protocol = at(head, form->protocol),
                                .path = at(head, form->path),
                                .host = at(head, form->host),
                                .request_length = (int64_t)plain->length[WEIR_TOSERVER],
                                .response_length = (int64_t)plain->length[WEIR_TOCLIENT],
                                .htp = plain_handle((struct plain *)(uintptr_t)plain) };
    if (form->has_query)
        out->query = at(head, form->query);
    if (plain->head[WEIR_TOCLIENT] != NULL)
        look_at_response(plain->head[WEIR_TOCLIENT], out);
}

struct weir_bytes
plain_bytes(const struct plain *plain, enum weir_dir dir)
{
    const struct plain_head *head = plain->head[dir];

    return head != NULL ? (struct weir_bytes){ head_bytes(head), head->form.n } : no_data;
}

struct weir_bytes
plain_raw(const struct plain *plain, enum weir_dir dir)
{
    const struct plain_head *head = plain->head[dir];

    return head != NULL ? at(head, head->form.raw) : no_data;
}

bool
plain_header(const struct plain *plain, enum weir_dir dir, unsigned i, struct weir_bytes *name,
             struct weir_bytes *value)
{
    const struct plain_head *head = plain->head[dir];

    if (head == NULL || i >= head->form.n_field)
        return false;
    if (name != NULL)
        *name = at(head, head->form.field[i].name);
    *value = at(head, head->form.field[i].value);
    return true;
}

bool
plain_find(const struct plain *plain, enum weir_dir dir, const char *name, struct weir_bytes *value)
{
    const struct plain_head *head = plain->head[dir];
    const struct http_field *field = head != NULL
                                         ? http_form_find(&head->form, head_bytes(head), name)
                                         : NULL;

    if (field == NULL)
        return false;
    *value = at(head, field->value);
    return true;
}

/* ---- what is told */

static void
tell(struct http_flow *flow, enum http_event_type type, struct weir_bytes data, bool skimmed)
{
    struct http_event event;

    if (type == HTTP_REQUEST || type == HTTP_RESPONSE)
        plain_look(flow->plain, type, &event);
    else
        event = (struct http_event){ .type = type,
                                     .tx = flow->requests - 1,
                                     .htp = plain_handle(flow->plain) };
    event.data = data;
    event.skimmed = skimmed;
    flow->http->fn(flow->ctx, &event);
}

void
plain_tell_skimmed(struct http_flow *flow, enum weir_dir dir)
{
    struct http_side *side = &flow->side[dir];
    const struct weir_bytes bytes = { NULL, side->skimmed };

    if (side->skimmed == 0)
        return;
    side->skimmed = 0;
    tell(flow, dir == WEIR_TOSERVER ? HTTP_REQUEST_BODY : HTTP_RESPONSE_BODY, bytes, true);
}

void
plain_end(struct http_flow *flow)
{
    struct plain *plain = flow->plain;

    if (plain == NULL)
        return;
    tell(flow, HTTP_GONE, no_data, false);
    flow->plain = NULL;
    plain_free(plain);
}

static void
end_message(struct http_flow *flow, enum weir_dir dir)
{
    plain_tell_skimmed(flow, dir);
    flow->side[dir].skips = false;
    if (dir == WEIR_TOSERVER) {
        flow->plain->stage = PLAIN_REQUESTED;
        tell(flow, HTTP_REQUEST_END, no_data, false);
        return;
    }
    flow->responses++;
    tell(flow, HTTP_RESPONSE_END, no_data, false);
    plain_end(flow);
}

/* Bytes of the body at hand, all of which are its own. */
static void
take_body(struct http_flow *flow, enum weir_dir dir, struct weir_bytes bytes)
{
    struct http_side *side = &flow->side[dir];

    flow->plain->length[dir] += bytes.n;
    if (side->left != UINT64_MAX)
        side->left -= bytes.n;
    if (bytes.n > 0 && (flow->http->skims || side->skips || side->skimmed > 0))
        side->skimmed += bytes.n;
    else if (bytes.n > 0 && flow->http->opts.bodies)
        tell(flow, dir == WEIR_TOSERVER ? HTTP_REQUEST_BODY : HTTP_RESPONSE_BODY, bytes, false);
    if (side->skimmed >= TOLD_AT_ONCE)
        plain_tell_skimmed(flow, dir);
    if (side->left == 0)
        end_message(flow, dir);
}

/* ---- messages */

static bool
fits(const struct http_flow *flow, const struct http_form *form, uint32_t n, uint64_t body)
{
    const struct http_opts *opts = &flow->http->opts;

    return form->n <= opts->head && form->n_field <= opts->headers && n - form->n <= body;
}

static struct plain *
make_plain(struct http_flow *flow, const struct http_form *form, const uint8_t *p)
{
    struct mem *mem = flow->http->share->mem;
    struct plain *plain = mem_alloc(mem, sizeof(*plain));

    if (plain == NULL)
        return NULL;
    *plain = (struct plain){ .flow = flow, .stage = PLAIN_REQUEST_BODY };
    plain->head[WEIR_TOSERVER] = keep_head(mem, form, p);
    if (plain->head[WEIR_TOSERVER] != NULL)
        return plain;
    plain_free(plain);
    return NULL;
}

static struct weir_bytes
behind(struct weir_bytes bytes, uint32_t n)
{
    return (struct weir_bytes){ bytes.p + n, bytes.n - n };
}

static bool
take_request(struct http_flow *flow, struct weir_bytes bytes)
{
    struct http_form form;

    if (flow->requests >= flow->http->opts.requests || flow->side[WEIR_TOSERVER].ended ||
        !http_form_request(bytes, &form) ||
        !fits(flow, &form, bytes.n, form.length > 0 ? (uint64_t)form.length : 0))
        return false;
    flow->plain = make_plain(flow, &form, bytes.p);
    if (flow->plain == NULL)
        return false;
    flow->requests++;
    flow->side[WEIR_TOSERVER].left = form.length > 0 ? (uint64_t)form.length : 0;
    tell(flow, HTTP_REQUEST_START, no_data, false);
    tell(flow, HTTP_REQUEST, no_data, false);
    take_body(flow, WEIR_TOSERVER, behind(bytes, form.n));
    return true;
}

/* RFC 9112 section 6.3 */
static uint64_t
response_length(const struct http_form *request, const struct http_form *response)
{
    if (request->head_only || response->status == 204 || response->status == 304)
        return 0;
    return response->length >= 0 ? (uint64_t)response->length : UINT64_MAX;
}

static bool
take_response(struct http_flow *flow, struct weir_bytes bytes)
{
    struct plain *plain = flow->plain;
    const struct http_form *request = &plain->head[WEIR_TOSERVER]->form;
    struct http_form form;
    uint64_t length;

    if (!http_form_response(bytes, &form))
        return false;
    length = response_length(request, &form);
    if (!fits(flow, &form, bytes.n, length))
        return false;
    plain->head[WEIR_TOCLIENT] = keep_head(flow->http->share->mem, &form, bytes.p);
    if (plain->head[WEIR_TOCLIENT] == NULL)
        return false;
    plain->stage = PLAIN_RESPONSE_BODY;
    flow->side[WEIR_TOCLIENT].left = length;
    tell(flow, HTTP_RESPONSE_START, no_data, false);
    tell(flow, HTTP_RESPONSE, no_data, false);
    take_body(flow, WEIR_TOCLIENT, behind(bytes, form.n));
    return true;
}

static bool
take_more(struct http_flow *flow, enum weir_dir dir, enum plain_stage stage,
          struct weir_bytes bytes)
{
    if (flow->plain->stage != stage || bytes.n > flow->side[dir].left)
        return false;
    take_body(flow, dir, bytes);
    return true;
}

static bool
take(struct http_flow *flow, enum weir_dir dir, struct weir_bytes bytes)
{
    if (dir == WEIR_TOSERVER)
        return flow->plain == NULL ? take_request(flow, bytes)
                                   : take_more(flow, dir, PLAIN_REQUEST_BODY, bytes);
    if (flow->plain != NULL && flow->plain->stage == PLAIN_REQUESTED)
        return take_response(flow, bytes);
    return flow->plain != NULL && take_more(flow, dir, PLAIN_RESPONSE_BODY, bytes);
}

bool
plain_feed(struct http_flow *flow, enum weir_dir dir, struct weir_bytes bytes)
{
    if (!flow->http->forms || !take(flow, dir, bytes))
        return false;
    flow->side[dir].fed += bytes.n;
    return true;
}

bool
plain_end_of(struct http_flow *flow, enum weir_dir dir)
{
    const struct plain *plain = flow->plain;

    if (plain == NULL)
        return false;
    if (dir == WEIR_TOSERVER && plain->stage != PLAIN_REQUEST_BODY) {
        flow->side[dir].ended = true;
        return true;
    }
    if (dir == WEIR_TOSERVER || plain->stage != PLAIN_RESPONSE_BODY)
        return false;
    end_message(flow, dir);
    flow->side[dir].ended = flow->closed = true;
    return true;
}

bool
plain_close(struct http_flow *flow)
{
    if (flow->plain == NULL || plain_end_of(flow, WEIR_TOCLIENT))
        return true;
    if (flow->plain->stage != PLAIN_REQUESTED)
        return false;
    plain_end(flow);
    return true;
}
