#include "cli_parts.h"

#include "cli_live.h"

#include <weir/log.h>
#include <weir/port.h>

#include <signal.h>
#include <stdatomic.h>
#include <unistd.h>

_Atomic int cli_caught;

struct weir_log *volatile cli_reopened[MOST_OUTPUTS];

/* Before the outputs are open nobody knows what it asks for. */
static volatile sig_atomic_t hung_up;

static volatile sig_atomic_t reads_inputs;

/*
 * A read that began just before the signal came, and waits, was not cut by it: so another one comes
 * each second, until no input is read any more.
 */
static void
on_alarm(int number)
{
    (void)number;
    if (reads_inputs)
        alarm(1);
}

static void
on_signal(int number)
{
    cli_caught = number;
    on_alarm(number);
}

static void
on_hangup(int number)
{
    (void)number;
    hung_up = 1;
    for (unsigned i = 0; i < MOST_OUTPUTS; i++)
        if (cli_reopened[i] != NULL)
            weir_log_reopen(cli_reopened[i]);
}

static _Atomic int rules_asked; /* by SIGUSR2, of a program that has none */

static void
on_rules_asked(int number)
{
    (void)number;
    rules_asked = 1;
}

bool
cli_was_asked_for_rules(void)
{
    return atomic_exchange(&rules_asked, 0) != 0;
}

static bool
is_default(int number)
{
    struct sigaction action;

    return sigaction(number, NULL, &action) == 0 && action.sa_handler == SIG_DFL;
}

static bool
is_ignored(int number)
{
    struct sigaction action;

    return sigaction(number, NULL, &action) == 0 && action.sa_handler == SIG_IGN;
}

/* What opens logs anew does not interrupt a read. */
static const struct sigaction hangup_action = { .sa_handler = on_hangup, .sa_flags = SA_RESTART };
static const struct sigaction rules_action = { .sa_handler = on_rules_asked,
                                               .sa_flags = SA_RESTART };

/* Signals that ask for something must not kill the program while it begins. */
void
cli_listen_early(void)
{
    if (!is_ignored(SIGHUP))
        sigaction(SIGHUP, &hangup_action, NULL);
    if (is_default(SIGUSR2)) /* a program that has rules listens already */
        sigaction(SIGUSR2, &rules_action, NULL);
    cli_listen();
}

/* ---- in a run ------------------------------------------------------------------------------ */

/* A mapped capture that shrank is the port's to mend; any other fault ends the program. */
static void
on_fault(int number, siginfo_t *info, void *context)
{
    (void)context;
    if (!weir_capfile_fault(info->si_addr))
        signal(number, SIG_DFL);
}

bool
cli_has_logs(void)
{
    bool any = false;

    for (unsigned i = 0; i < MOST_OUTPUTS; i++)
        any |= cli_reopened[i] != NULL;
    return any;
}

void
cli_catch_signals(void)
{
    struct sigaction stop = { .sa_handler = on_signal };
    const struct sigaction again = { .sa_handler = on_alarm };
    struct sigaction fault = { .sa_sigaction = on_fault, .sa_flags = SA_SIGINFO };

    reads_inputs = 1;
    sigaction(SIGALRM, &again, NULL);
    sigaction(SIGINT, &stop, NULL);
    sigaction(SIGTERM, &stop, NULL);
    if (cli_has_logs()) { /* under nohup, too: a terminal that is gone does no harm */
        sigaction(SIGHUP, &hangup_action, NULL);
    } else if (!is_ignored(SIGHUP)) {
        sigaction(SIGHUP, &stop, NULL);
        if (hung_up) /* it came early */
            cli_caught = SIGHUP;
    }
    sigaction(SIGBUS, &fault, NULL);
}

void
cli_reads_no_more(void)
{
    reads_inputs = 0;
    alarm(0);
}
