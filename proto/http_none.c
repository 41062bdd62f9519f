/* Without libhtp nothing is made: only http_new(), http_free() and http_close() are ever called. */
#include "http.h"

int
http_new(const struct http_opts *opts, http_fn *fn, struct http **out)
{
    (void)opts, (void)fn;
    *out = NULL;
    return WEIR_E_UNSUPPORTED;
}

void
http_free(struct http *http)
{
    (void)http;
}

const struct http_stats *
http_get_stats(const struct http *http)
{
    static const struct http_stats none;

    (void)http;
    return &none;
}

void
http_use(struct http *http, struct http_share *share)
{
    (void)http, (void)share;
}

struct http_flow *
http_open(struct http *http, void *ctx)
{
    (void)http, (void)ctx;
    return NULL;
}

void
http_close(struct http_flow *flow)
{
    (void)flow;
}

void
http_feed(struct http_flow *flow, enum weir_dir dir, struct weir_bytes bytes)
{
    (void)flow, (void)dir, (void)bytes;
}

void
http_gap(struct http_flow *flow, enum weir_dir dir, uint64_t n)
{
    (void)flow, (void)dir, (void)n;
}

bool
http_ended(const struct http_flow *flow, enum weir_dir dir)
{
    (void)flow, (void)dir;
    return true;
}

bool
http_header(const struct http_event *event, unsigned i, struct weir_bytes *name,
            struct weir_bytes *value)
{
    (void)event, (void)i, (void)name, (void)value;
    return false;
}

bool
http_find(const struct http_event *event, const char *name, struct weir_bytes *value)
{
    (void)event, (void)name, (void)value;
    return false;
}

void *
http_own(const void *htp)
{
    (void)htp;
    return NULL;
}

void
http_set_own(void *htp, void *own)
{
    (void)htp, (void)own;
}

void
http_look(void *htp, enum http_event_type type, struct http_event *out)
{
    (void)htp;
    *out = (struct http_event){ .type = type };
}

void
http_skim(struct http *http, bool on)
{
    (void)http, (void)on;
}

void
http_skip_body(void *htp, enum weir_dir dir)
{
    (void)htp, (void)dir;
}

bool
http_is_compressed(const void *htp, enum weir_dir dir)
{
    (void)htp, (void)dir;
    return false;
}

bool
http_raw(const void *htp, enum weir_dir dir, struct weir_bytes *raw)
{
    (void)htp, (void)dir;
    *raw = (struct weir_bytes){ NULL, 0 };
    return false;
}

bool
http_is_idle(const struct http_flow *flow)
{
    (void)flow;
    return false;
}

uint32_t
http_may_pass(const struct http_flow *flow, enum weir_dir dir)
{
    (void)flow, (void)dir;
    return 0;
}

void
http_pass(struct http_flow *flow, enum weir_dir dir, uint32_t n)
{
    (void)flow, (void)dir, (void)n;
}

struct weir_bytes
http_fragment(const void *htp)
{
    (void)htp;
    return (struct weir_bytes){ NULL, 0 };
}

struct weir_bytes
http_uri_host(const void *htp)
{
    (void)htp;
    return (struct weir_bytes){ NULL, 0 };
}

void
http_end(struct http_flow *flow, enum weir_dir dir)
{
    (void)flow, (void)dir;
}

bool
http_is_tunnel(const struct http_flow *flow, uint64_t from[2])
{
    (void)flow;
    from[WEIR_TOSERVER] = from[WEIR_TOCLIENT] = 0;
    return false;
}

void *
http_at_work(const struct http_flow *flow, enum weir_dir dir)
{
    (void)flow, (void)dir;
    return NULL;
}
