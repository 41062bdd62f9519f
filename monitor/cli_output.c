#include "cli_parts.h"

#include <errno.h>
#include <signal.h>
#include <string.h>

#define END_WAIT_NS UINT64_C(10000000000) /* so long the end of a live run waits for an output */

static struct out *outputs[MOST_OUTPUTS]; /* that are open */

/* What the program printed before comes before, wherever both go to the same place. */
void
cli_flush_outputs(const struct cli *cli)
{
    if (cli->interface != NULL ||
        cli_caught != 0) /* packets, and who wants an end, wait for nothing */
        return;
    for (unsigned i = 0; i < MOST_OUTPUTS; i++)
        if (outputs[i] != NULL)
            (void)out_flush(outputs[i]);
}

static void
note_output(struct out *out, bool reopens)
{
    out->stop = &cli_caught;
    for (unsigned i = 0; i < MOST_OUTPUTS; i++) {
        if (outputs[i] == NULL) {
            outputs[i] = out;
            cli_reopened[i] = reopens ? out->log : NULL;
            break;
        }
    }
}

int
cli_open_output(struct cli *cli, const char *path, struct out *out, struct weir_errbuf *err)
{
    const int rc = out_open(out, path, cli->interface != NULL, err);

    if (rc == WEIR_E_OK)
        note_output(out, path != NULL);
    return rc;
}

int
cli_open_fd(struct cli *cli, int fd, const char *name, struct out *out, struct weir_errbuf *err)
{
    const int rc = out_open_fd(out, fd, name, cli->interface != NULL, err);

    if (rc == WEIR_E_OK)
        note_output(out, false);
    return rc;
}

/* A live run goes on with what it cannot write, for days: so it is told now. */
static void
tell_trouble(const struct cli *cli, struct out *out)
{
    const int stays = cli->interface != NULL ? out_stays(out) : 0;
    const int error = cli->interface != NULL ? out_trouble(out) : 0;

    if (stays != 0)
        cli_error(cli, "%s: %s; it was not opened anew, and the old file stays in use", out->name,
                  strerror(stays));
    if (error != 0)
        cli_error(cli, "%s: %s; records are lost until it can be written again", out->name,
                  strerror(error));
}

void
cli_check_output(struct cli *cli, struct out *out)
{
    const int error = out_error(out);

    if (error == 0) {
        tell_trouble(cli, out);
        return;
    }
    cli->failed = cli->failed_output = true;
    if (error == EPIPE)
        raise(SIGPIPE);
}

void
cli_flush_output(struct cli *cli, struct out *out)
{
    if (cli->interface == NULL &&
        cli_caught == 0) /* or else to close it will do, and not for ever */
        (void)out_flush(out);
    cli_check_output(cli, out);
    cli->log_dropped += out->dropped;
    if (out->dropped > 0)
        cli_notice(cli, "%s: %llu records dropped: %s", out->name, (unsigned long long)out->dropped,
                   cli->interface != NULL ? "they came faster than they could be written"
                                          : "the run was cut while they waited to be written");
}

void
cli_close_output(struct cli *cli, struct out *out)
{
    struct weir_errbuf err = { "" };

    for (unsigned i = 0; i < MOST_OUTPUTS; i++) {
        if (outputs[i] != out)
            continue;
        outputs[i] = NULL;
        cli_reopened[i] = NULL;
    }
    if (out_close(out, &err) == WEIR_E_OK)
        return;
    cli_error(cli, "%s", err.text);
    cli->failed = true;
}

/* What open outputs dropped is not in log_dropped yet. */
uint64_t
cli_dropped_so_far(const struct cli *cli)
{
    uint64_t n = cli->log_dropped;

    for (unsigned i = 0; i < MOST_OUTPUTS; i++)
        if (outputs[i] != NULL)
            n += outputs[i]->dropped;
    return n;
}

/* No packet comes any more: what the end of a live run tells of all flows need not be dropped. */
void
cli_let_outputs_wait(const struct cli *cli)
{
    for (unsigned i = 0; i < MOST_OUTPUTS && cli->interface != NULL; i++)
        if (outputs[i] != NULL)
            out_let_wait(outputs[i], END_WAIT_NS);
}
