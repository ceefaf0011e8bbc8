/* SPDX-License-Identifier: Apache-2.0
 *
 * See launch_user.h.  The functions that look names up answer from memory of
 * their own, of whatever size an entry has: there is one thread here.
 */
#include "supervise/launch_user.h"

#include <errno.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/** What an answer of NULL means: 0, nobody of this name. */
static int lookup_error(int error)
{
    switch (error) {
    case ENOENT:
    case ESRCH:
    case EBADF:
    case EPERM:
        return 0; /* getpwnam(3) lists them as "not found" */
    default:
        return error;
    }
}

/** The number of "#NUMBER"; 0 when it is none.  The greatest stands for "no
 * change" in the calls that take it, so it is nobody's. */
static int read_number(const char *text, unsigned int *out)
{
    unsigned long value;
    char *end;

    if (text[0] != '#' || text[1] < '0' || text[1] > '9') {
        return 0;
    }
    errno = 0;
    value = strtoul(text + 1, &end, 10);
    if (*end != '\0' || errno != 0 || value >= UINT_MAX) {
        return 0;
    }
    *out = (unsigned int)value;
    return 1;
}

static void take_entry(amgr_user_t *out, const struct passwd *entry)
{
    out->uid = entry->pw_uid;
    out->gid = entry->pw_gid;
    snprintf(out->name, sizeof(out->name), "%s", entry->pw_name);
    if (entry->pw_dir[0] == '/') {
        snprintf(out->home, sizeof(out->home), "%s", entry->pw_dir);
    }
    if (entry->pw_shell[0] == '/') {
        snprintf(out->shell, sizeof(out->shell), "%s", entry->pw_shell);
    }
}

/** *out_has_group: @a out has a group of its own. */
static int find_user(amgr_user_t *out, const char *user, int *out_has_group,
                     int *out_error)
{
    const struct passwd *entry;
    unsigned int number;

    errno = 0;
    if (read_number(user, &number)) {
        entry = getpwuid((uid_t)number);
        out->uid = (uid_t)number;
    }
    else {
        entry = getpwnam(user);
        if (entry == NULL) {
            *out_error = lookup_error(errno);
            return AMGR_LAUNCH_NO_USER;
        }
    }
    *out_has_group = entry != NULL;
    if (entry != NULL) {
        take_entry(out, entry);
    }
    return AMGR_LAUNCH_FINE;
}

static int find_group(amgr_user_t *out, const char *group, int *out_error)
{
    const struct group *entry;
    unsigned int number;

    if (read_number(group, &number)) {
        out->gid = (gid_t)number;
        return AMGR_LAUNCH_FINE;
    }
    errno = 0;
    entry = getgrnam(group);
    if (entry == NULL) {
        *out_error = lookup_error(errno);
        return AMGR_LAUNCH_NO_GROUP;
    }
    out->gid = entry->gr_gid;
    return AMGR_LAUNCH_FINE;
}

static int find_groups(amgr_user_t *out, int *out_error)
{
    out->group_count = AMGR_USER_GROUPS_MAX;
    if (out->name[0] == '\0') {
        out->groups[0] = out->gid;
        out->group_count = 1;
        return AMGR_LAUNCH_FINE;
    }
    if (getgrouplist(out->name, out->gid, out->groups, &out->group_count) < 0) {
        *out_error = E2BIG;
        return AMGR_LAUNCH_NO_GROUP;
    }
    return AMGR_LAUNCH_FINE;
}

/** Who we are, for one who cannot be anybody else. */
static void take_ourselves(amgr_user_t *out)
{
    const struct passwd *entry = getpwuid(geteuid());

    if (entry != NULL) {
        take_entry(out, entry);
    }
    out->uid = geteuid();
    out->gid = getegid();
}

int amgr_user_find(amgr_user_t *out, const char *user, const char *group,
                   const char *default_user, const char *default_group,
                   int *out_error)
{
    int has_group = 0;
    int stage;

    memset(out, 0, sizeof(*out));
    memcpy(out->home, "/", sizeof("/"));
    memcpy(out->shell, "/bin/sh", sizeof("/bin/sh"));
    *out_error = 0;
    if (user == NULL && geteuid() != 0) {
        take_ourselves(out);
        has_group = 1;
    }
    else {
        if (user == NULL) {
            user = default_user;
            group = group != NULL ? group : default_group;
        }
        stage = find_user(out, user, &has_group, out_error);
        if (stage != AMGR_LAUNCH_FINE) {
            return stage;
        }
    }
    if (group == NULL && !has_group) {
        return AMGR_LAUNCH_NO_GROUP; /* a bare number has none */
    }
    if (group != NULL) {
        stage = find_group(out, group, out_error);
        if (stage != AMGR_LAUNCH_FINE) {
            return stage;
        }
    }
    return find_groups(out, out_error);
}

int amgr_user_become(const amgr_user_t *user)
{
    uid_t uid[3];
    gid_t gid[3];

    if (geteuid() != 0) {
        return user->uid == geteuid() && user->gid == getegid() ? 0 : EPERM;
    }
    /* Groups first: afterwards there is no right to. */
    if (setgroups((size_t)user->group_count, user->groups) != 0 ||
        setresgid(user->gid, user->gid, user->gid) != 0 ||
        setresuid(user->uid, user->uid, user->uid) != 0) {
        return errno;
    }
    if (getresuid(&uid[0], &uid[1], &uid[2]) != 0 ||
        getresgid(&gid[0], &gid[1], &gid[2]) != 0) {
        return errno;
    }
    if (uid[0] != user->uid || uid[1] != user->uid || uid[2] != user->uid ||
        gid[0] != user->gid || gid[1] != user->gid || gid[2] != user->gid ||
        (user->uid != 0 && setuid(0) == 0)) {
        return EPERM;
    }
    return 0;
}
