#include "app/body.h"

#include "app/parts.h"

#include <string.h>

enum { FIRST_ROOM = 1024 };

/* Room for n more bytes, or as many as the window takes. false: no memory. */
static bool
make_room(struct body *body, struct app_layer *app, uint32_t n)
{
    uint64_t want = body->room != 0 ? body->room : FIRST_ROOM;
    uint8_t *p;

    while (want < (uint64_t)body->n + n && want < APP_WINDOW)
        want *= 2;
    if (want <= body->room)
        return true;
    p = app_alloc(app, (size_t)want);
    if (p == NULL)
        return false;
    if (body->n > 0)
        memcpy(p, body->p, body->n);
    app_release(app, body->p, body->room);
    body->p = p;
    body->room = (uint32_t)want;
    return true;
}

bool
body_is_full(const struct body *body)
{
    return body->n == APP_WINDOW;
}

uint32_t
body_add(struct body *body, struct app_layer *app, const uint8_t *p, uint32_t n)
{
    if (body->final || !make_room(body, app, n)) {
        body->length += n;
        body->final = true;
        return n;
    }
    if (n > body->room - body->n)
        n = body->room - body->n;
    memcpy(body->p + body->n, p, n);
    body->n += n;
    body->length += n;
    body->fresh |= n > 0;
    return n;
}

void
body_slide(struct body *body)
{
    const uint32_t gone = body->n > APP_OVERLAP ? body->n - APP_OVERLAP : 0;

    if (gone > 0)
        memmove(body->p, body->p + gone, body->n - gone);
    body->n -= gone;
    body->start += gone;
    body->fresh = false;
}

void
body_skip(struct body *body, uint64_t n)
{
    body->start += (int64_t)(body->n + n);
    body->length += n;
    body->n = 0;
    body->fresh = false;
}

void
body_free(struct body *body, struct app_layer *app)
{
    app_release(app, body->p, body->room);
    *body = (struct body){ .p = NULL };
}
