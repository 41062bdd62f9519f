#include "compat_live.h"

#include <fcntl.h>
#include <grp.h>
#include <pcap/pcap.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* ---- signals --------------------------------------------------------------------------------- */

static _Atomic int stopped, again, due;

static void
on_signal(int number)
{
    if (number == SIGHUP)
        again = due = 1;
    else if (number == SIGUSR1)
        due = 1;
    else
        stopped = 1;
}

static void
on_fault(int number, siginfo_t *info, void *context)
{
    (void)context;
    if (!weir_capfile_fault(info->si_addr))
        signal(number, SIG_DFL);
}

void
compat_live_catch_signals(void)
{
    static const int numbers[] = { SIGTERM, SIGINT, SIGQUIT, SIGHUP, SIGUSR1 };
    struct sigaction take = { .sa_handler = on_signal };
    struct sigaction fault = { .sa_sigaction = on_fault, .sa_flags = SA_SIGINFO };

    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
        sigaction(numbers[i], &take, NULL);
    sigaction(SIGBUS, &fault, NULL);
}

bool
compat_live_stopped(void)
{
    return stopped;
}

const _Atomic int *
compat_live_stop(void)
{
    return &stopped;
}

bool
compat_live_asked_again(void)
{
    bool asked = again;

    again = 0;
    return asked;
}

bool
compat_live_due(unsigned seconds)
{
    static time_t last;
    time_t now = time(NULL);
    bool is_due = due || (last != 0 && now - last >= (time_t)seconds);

    if (last == 0 || is_due)
        last = now;
    due = 0;
    return is_due;
}

/* ---- the interface --------------------------------------------------------------------------- */

int
compat_live_open(const char *interface, const struct weir_port_opts *opts, struct weir_port **port,
                 struct weir_errbuf *err)
{
    char why[PCAP_ERRBUF_SIZE];
    pcap_if_t *all = NULL;
    int rc;

    if (interface == NULL && pcap_findalldevs(&all, why) != 0)
        return weir_err_set(err, WEIR_E_IO, "%s", why);
    if (interface == NULL && all == NULL)
        return weir_err_set(err, WEIR_E_NOENT, "there is no interface");
    rc = weir_port_open_live(interface != NULL ? interface : all->name, opts, port, err);
    pcap_freealldevs(all);
    return rc;
}

/* ---- background and privileges --------------------------------------------------------------- */

static int
failed(const char *what, const char *name)
{
    fprintf(stderr, "weir-prads: %s: ", name);
    perror(what);
    return 1;
}

static bool
is_number(const char *text)
{
    return *text != '\0' && text[strspn(text, "0123456789")] == '\0';
}

static bool
find_user(const char *name, uid_t *uid)
{
    const struct passwd *user = is_number(name) ? NULL : getpwnam(name);

    *uid = user != NULL ? user->pw_uid : (uid_t)strtoul(name, NULL, 10);
    return user != NULL || is_number(name);
}

static bool
find_group(const char *name, gid_t *gid)
{
    const struct group *group = is_number(name) ? NULL : getgrnam(name);

    *gid = group != NULL ? group->gr_gid : (gid_t)strtoul(name, NULL, 10);
    return group != NULL || is_number(name);
}

static int
drop_privileges(uid_t uid, gid_t gid)
{
    if (geteuid() != 0)
        return 0;
    if (setgroups(0, NULL) != 0 || setgid(gid) != 0)
        return failed("cannot become the group", "-g");
    if (setuid(uid) != 0)
        return failed("cannot become the user", "-u");
    return 0;
}

static int
write_pid(const char *path)
{
    FILE *file = fopen(path, "w");

    if (file == NULL)
        return failed("cannot write the process id", path);
    fprintf(file, "%ld\n", (long)getpid());
    return fclose(file) == 0 ? 0 : failed("cannot write the process id", path);
}

/* The threads of logs do not come along: the outputs are closed before, and opened again. */
static int
go_to_background(struct compat *c)
{
    struct weir_errbuf err = { "" };

    compat_close_outputs(c);
    if (daemon(1, 0) != 0)
        return failed("cannot go to the background", "-D");
    if (compat_open_outputs(c, &err) == WEIR_E_OK)
        return 0;
    fprintf(stderr, "weir-prads: %s\n", err.text);
    return 1;
}

/* Names are looked up before the root folder changes. */
int
compat_live_settle(struct compat *c)
{
    char *const *text = c->opts.text;
    const char *user = text[TEXT_USER] != NULL ? text[TEXT_USER] : "1";
    const char *group = text[TEXT_GROUP] != NULL ? text[TEXT_GROUP] : "1";
    uid_t uid;
    gid_t gid;

    if (!find_user(user, &uid) || !find_group(group, &gid)) {
        fprintf(stderr, "weir-prads: there is no user '%s' or no group '%s'\n", user, group);
        return 1;
    }
    if (c->opts.daemon && go_to_background(c) != 0)
        return 1;
    if (text[TEXT_CHROOT] != NULL && (chroot(text[TEXT_CHROOT]) != 0 || chdir("/") != 0))
        return failed("cannot change root", text[TEXT_CHROOT]);
    if (text[TEXT_PID_FILE] != NULL && write_pid(text[TEXT_PID_FILE]) != 0)
        return 1;
    if (!c->opts.keep_privileges && drop_privileges(uid, gid) != 0)
        return 1;
    compat_live_rotate(c, (uint64_t)time(NULL));
    return 0;
}

/* ---- -L -------------------------------------------------------------------------------------- */

void
compat_live_rotate(struct compat *c, uint64_t now)
{
    const char *dir = c->opts.text[TEXT_CONN_DIR], *device = c->opts.text[TEXT_INTERFACE];
    struct weir_errbuf err;
    char path[4096];

    if (dir == NULL)
        return;
    (void)compat_close_output(&c->conn_file);
    snprintf(path, sizeof(path), "%sstats.%s.%llu", dir, device != NULL ? device : "any",
             (unsigned long long)now);
    if (out_open(&c->conn_file, path, true, &err) != WEIR_E_OK)
        fprintf(stderr, "weir-prads: %s\n", err.text);
    c->conn_file.name = "connection log"; /* it outlives path */
    c->conn_file.stop = &stopped;
}
