/* For programs that are built without PRADS: there is none. */
#include "prads.h"

static const struct cli_option none = { 0, NULL, NULL, NULL, NULL };
const struct cli_option *const prads_options = &none;

struct prads *
prads_new(void)
{
    return NULL;
}

void
prads_free(struct prads *prads)
{
    (void)prads;
}

int
prads_load(struct prads *prads, const struct cli *cli, struct weir_errbuf *err)
{
    (void)prads, (void)cli, (void)err;
    return WEIR_E_UNSUPPORTED;
}

int
prads_open(struct prads *prads, struct cli *cli, struct weir_errbuf *err)
{
    (void)prads, (void)cli, (void)err;
    return WEIR_E_UNSUPPORTED;
}

int
prads_add(struct prads *prads, struct weir_monitor *m)
{
    (void)prads, (void)m;
    return WEIR_E_UNSUPPORTED;
}

void
prads_check(const struct prads *prads, struct cli *cli)
{
    (void)prads, (void)cli;
}

void
prads_end(struct prads *prads, struct cli *cli)
{
    (void)prads, (void)cli;
}

void
prads_summary(const struct prads *prads, const struct cli *cli)
{
    (void)prads, (void)cli;
}

void
prads_close(struct prads *prads, struct cli *cli)
{
    (void)prads, (void)cli;
}
