/* What strangers send to --metrics, what a control socket gets, and what weir top is answered. */
#include "control.h"
#include "metrics.h"
#include "top_table.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct reply to;

/* One answer, complete, to whatever came; a part of a head has none. */
static void
check_request(const char *in, size_t n)
{
    static const char begin[] = "HTTP/1.1 4";
    enum metrics_request what = metrics_read(in, n, false, &to);

    assert((what == METRICS_ANSWERED) == (to.n > 0));
    assert(to.n == 0 || memcmp(to.at, begin, sizeof(begin) - 1) == 0);
    if (what == METRICS_MORE)
        assert(metrics_read(in, n, true, &to) == METRICS_ANSWERED && to.n > 0);
    assert(!to.cut);
}

static void
check_command(const char *in, size_t n)
{
    const struct control_opts opts = { .program = "weir", .reloads = true, .reopens = true };
    enum control_action action = control_command(&opts, in, n, &to);

    assert((action == CONTROL_STATS) == (to.n == 0));
    assert(to.n == 0 || memchr(to.at, '\n', to.n) == to.at + to.n - 1);
}

/* What is shown is text. */
static void
check_answer(const char *in, size_t n)
{
    static struct top_sample sample;
    char text[16];

    if (top_text(in, n, "error", text, sizeof(text)))
        assert(strlen(text) < sizeof(text));
    if (!top_read(in, n, &sample))
        return;
    top_table("weir", &sample, &sample, 0, (unsigned)(n % 100), &to); /* of any width */
    for (size_t i = 0; i < to.n; i++)
        assert(to.at[i] == '\n' || (to.at[i] >= ' ' && to.at[i] <= '~'));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static void (*const checks[])(const char *in, size_t n) = { check_request, check_command,
                                                                check_answer };
    char *copy = malloc(size > 0 ? size : 1); /* exact: a byte too far is seen */

    if (copy == NULL)
        return 0;
    memcpy(copy, data, size);
    for (unsigned i = 0; i < sizeof(checks) / sizeof(*checks); i++) {
        reply_clear(&to);
        checks[i](copy, size);
    }
    free(copy);
    return 0;
}
