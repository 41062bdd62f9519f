#include "engine.h"
#include "inline.h"
#include "rewrite.h"

#include <weir/verdict.h>

void
weir_verdict(const struct weir_event *ev, enum weir_verdict v)
{
    struct engine *e = inline_engine();

    if (e != NULL)
        inline_judge(e, ev, v, 0);
}

void
weir_reject(const struct weir_event *ev, unsigned to)
{
    struct engine *e = inline_engine();

    if (e != NULL)
        inline_judge(e, ev, WEIR_DROP, to & (WEIR_REJECT_SENDER | WEIR_REJECT_RECEIVER));
}

static int
change(const struct weir_event *ev, const struct rewrite *how)
{
    struct engine *e = inline_engine();
    struct passing *p = e != NULL ? inline_find(e, ev) : NULL;
    uint8_t *bytes;
    int rc;

    if (p == NULL || p->pkt == NULL || p->data == NULL)
        return WEIR_E_NOENT;
    if ((rc = rewrite_check(p->pkt, how)) != WEIR_E_OK)
        return rc;
    if ((bytes = inline_edit(e, p)) == NULL)
        return WEIR_E_NOMEM;
    rewrite_apply(p->pkt, how, bytes);
    p->rewritten = true;
    return WEIR_E_OK;
}

int
weir_rewrite_payload(const struct weir_event *ev, uint32_t at, const void *bytes, uint32_t n)
{
    return change(ev, &(struct rewrite){ .bytes = bytes, .at = at, .n = n, .port = -1 });
}

int
weir_rewrite_urgent(const struct weir_event *ev)
{
    return change(ev, &(struct rewrite){ .urgent = true });
}

int
weir_rewrite_endpoint(const struct weir_event *ev, enum weir_endpoint which,
                      const struct weir_addr *addr, int port)
{
    return change(ev, &(struct rewrite){ .which = which, .addr = addr, .port = port });
}
