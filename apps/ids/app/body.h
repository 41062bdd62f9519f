/*
 * A body as rules see it: a window that grows up to APP_WINDOW bytes, and then slides. Bytes beyond
 * its limit are not looked at.
 */
#ifndef IDS_APP_BODY_H
#define IDS_APP_BODY_H

#include <stdbool.h>
#include <stdint.h>

struct app_layer;

struct body {
    uint8_t *p; /* a block of app_alloc() */
    uint32_t n, room;
    int64_t start;   /* offset of p in the body */
    uint64_t length; /* bytes of the body so far, those that are not looked at too */
    bool final;      /* nothing is added any more */
    bool fresh;      /* bytes were added since the last look */
};

/*
 * Take bytes: as many as fit, at least one; the window is full where fewer are returned than given
 * or body_is_full() says so, and has to be looked at and slid before more fit.
 */
uint32_t body_add(struct body *body, struct app_layer *app, const uint8_t *p, uint32_t n);
bool body_is_full(const struct body *body);

/* Go on behind what was looked at, with APP_OVERLAP bytes of it. */
void body_slide(struct body *body);

/* n bytes will not come: what follows is not joined to what was. */
void body_skip(struct body *body, uint64_t n);

void body_free(struct body *body, struct app_layer *app);

#endif
