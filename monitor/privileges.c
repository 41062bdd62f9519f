#include "privileges.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#ifdef HAVE_CAP_NG
#include <cap-ng.h>
#endif
#ifdef __linux__
#include <sys/prctl.h>
#endif

/* ---- names --------------------------------------------------------------------------------- */

/* All digits, and not the -1 that means "no change" to the system. */
static bool
parse_id(const char *text, unsigned *id)
{
    unsigned long long number;

    if (*text == '\0' || text[strspn(text, "0123456789")] != '\0' || strlen(text) > 10)
        return false;
    number = strtoull(text, NULL, 10);
    *id = (unsigned)number;
    return number < UINT32_MAX;
}

static int
find_user(const char *name, struct identity *who, struct weir_errbuf *err)
{
    const struct passwd *entry = getpwnam(name);
    unsigned id = 0;

    who->user = true;
    if (entry == NULL && parse_id(name, &id))
        entry = getpwuid(id);
    else if (entry == NULL)
        return weir_err_set(err, WEIR_E_INVAL, "there is no user '%s'", name);
    who->uid = entry != NULL ? entry->pw_uid : (uid_t)id;
    if (entry != NULL && !who->group) {
        who->group = true;
        who->gid = entry->pw_gid;
    }
    if (!who->group)
        return weir_err_set(err, WEIR_E_INVAL,
                            "user %s has no name, and so no group: --group is needed", name);
    return WEIR_E_OK;
}

static int
find_group(const char *name, struct identity *who, struct weir_errbuf *err)
{
    const struct group *entry = getgrnam(name);
    unsigned id = 0;

    who->group = true;
    if (entry == NULL && !parse_id(name, &id))
        return weir_err_set(err, WEIR_E_INVAL, "there is no group '%s'", name);
    who->gid = entry != NULL ? entry->gr_gid : (gid_t)id;
    return WEIR_E_OK;
}

int
privileges_find(const char *user, const char *group, struct identity *out, struct weir_errbuf *err)
{
    int rc = WEIR_E_OK;

    *out = (struct identity){ .user = false };
    if (group != NULL)
        rc = find_group(group, out, err);
    if (rc == WEIR_E_OK && user != NULL)
        rc = find_user(user, out, err);
    return rc;
}

/* ---- what is given up ---------------------------------------------------------------------- */

void
privileges_close_door(void)
{
#ifdef PR_SET_NO_NEW_PRIVS
    (void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); /* a kernel without it is no reason to stop */
#endif
}

static bool
is_already(const struct identity *who)
{
    return (!who->user || (getuid() == who->uid && geteuid() == who->uid)) &&
           (!who->group || (getgid() == who->gid && getegid() == who->gid));
}

static int
refuse(const char *what, unsigned id, struct weir_errbuf *err)
{
    return weir_err_set(err, WEIR_E_PERM, "cannot become %s %u: %s%s", what, id, strerror(errno),
                        errno == EPERM ? " (only root can)" : "");
}

static int
become(const struct identity *who, struct weir_errbuf *err)
{
    if (who->group && (setgroups(0, NULL) != 0 || setresgid(who->gid, who->gid, who->gid) != 0))
        return refuse("group", who->gid, err);
    if (who->user && setresuid(who->uid, who->uid, who->uid) != 0)
        return refuse("user", who->uid, err);
    return WEIR_E_OK;
}

/* Of this thread: what a change of user leaves. The other threads lose theirs by that change. */
static int
give_up_capabilities(struct weir_errbuf *err)
{
#ifdef HAVE_CAP_NG
    capng_clear(CAPNG_SELECT_CAPS);
    if (capng_apply(CAPNG_SELECT_CAPS) != 0)
        return weir_err_set(err, WEIR_E_PERM, "cannot give up capabilities");
#endif
    (void)err;
    return WEIR_E_OK;
}

int
privileges_drop(const struct identity *who, struct weir_errbuf *err)
{
    int rc = is_already(who) ? WEIR_E_OK : become(who, err);

    if (rc != WEIR_E_OK || !who->user || who->uid == 0)
        return rc;
    rc = give_up_capabilities(err);
    if (rc == WEIR_E_OK && setuid(0) == 0)
        rc = weir_err_set(err, WEIR_E_PERM, "user %u could become root again", (unsigned)who->uid);
    return rc;
}
