/*
 * Giving up what a program needs only to open its inputs and outputs.
 *
 * Threads: the calls that change something do so for all threads of the process, where threads that
 * were started before are concerned: user and groups through libc, which tells them; the door is to
 * be closed before there are any.
 */
#ifndef WEIR_PRIVILEGES_H
#define WEIR_PRIVILEGES_H

#include <weir/error.h>

#include <stdbool.h>
#include <sys/types.h>

/* Who to become. Zeroed: nobody else. */
struct identity {
    bool user, group; /* are set */
    uid_t uid;
    gid_t gid;
};

/*
 * Look names or numbers up; NULL: that stays, or is the user's own group. WEIR_E_INVAL, with a text
 * in err: there is none of that name, or a number without a name needs a group. out->user says then
 * whether it is the user who is at fault.
 */
int
privileges_find(const char *user, const char *group, struct identity *out, struct weir_errbuf *err);

/* No program that is started from here on gets privileges by its file. */
void privileges_close_door(void);

/*
 * Become who, for good: no other groups, and as another user than root no capabilities. WEIR_E_OK
 * also if the process is just that already. Otherwise WEIR_E_PERM, with a text in err.
 */
int privileges_drop(const struct identity *who, struct weir_errbuf *err);

#endif
