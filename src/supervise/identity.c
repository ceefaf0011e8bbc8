/* SPDX-License-Identifier: Apache-2.0
 *
 * See identity.h.
 */
#include "supervise/identity.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <string.h>
#include <unistd.h>

/* "#1000"; the highest number means nobody to setresuid(2). */
static int parse_number(const char *text, apr_uint32_t *out)
{
    apr_uint64_t value = 0;
    apr_size_t i;

    if (text[0] != '#') {
        return 0;
    }
    for (i = 1; text[i] >= '0' && text[i] <= '9' && i <= 10; i++) {
        value = value * 10 + (apr_uint64_t)(text[i] - '0');
    }
    if (i == 1 || text[i] != '\0' || value >= APR_UINT32_MAX) {
        return 0;
    }
    *out = (apr_uint32_t)value;
    return 1;
}

/* Some modules of NSS set no errno for a name that they do not know. */
static int error_of_lookup(void)
{
    return errno == 0 ? ENOENT : errno;
}

static int copy(const char *from, char *to, apr_size_t size)
{
    apr_size_t len = strlen(from);

    if (len >= size) {
        return 0;
    }
    memcpy(to, from, len + 1);
    return 1;
}

/* What does not fit is left out, but for the name of somebody whose groups
 * would then be others. */
static int take_entry(const struct passwd *entry, amgr_identity_t *out)
{
    out->uid = entry->pw_uid;
    out->gid = entry->pw_gid;
    if (entry->pw_dir != NULL) {
        copy(entry->pw_dir, out->home, sizeof(out->home));
    }
    if (entry->pw_shell != NULL) {
        copy(entry->pw_shell, out->shell, sizeof(out->shell));
    }
    return copy(entry->pw_name, out->name, sizeof(out->name));
}

/* *out_has_group: the user's own group is known. */
static int look_up_user(const char *user, amgr_identity_t *out,
                        int *out_has_group)
{
    const struct passwd *entry;
    apr_uint32_t number = 0;

    errno = 0;
    if (user != NULL && !parse_number(user, &number)) {
        entry = getpwnam(user);
        *out_has_group = 1;
        return entry != NULL && take_entry(entry, out);
    }
    out->uid = user == NULL ? geteuid() : (uid_t)number;
    entry = getpwuid(out->uid);
    *out_has_group = entry != NULL;
    if (entry != NULL && !take_entry(entry, out)) {
        return 0;
    }
    if (user == NULL) {
        out->gid = getegid(); /* whatever the entry says */
        *out_has_group = 1;
    }
    return 1;
}

static int look_up_group(const char *group, amgr_identity_t *out)
{
    const struct group *entry;
    apr_uint32_t number;

    errno = 0;
    if (parse_number(group, &number)) {
        out->gid = (gid_t)number;
        return 1;
    }
    entry = getgrnam(group);
    if (entry == NULL) {
        return 0;
    }
    out->gid = entry->gr_gid;
    return 1;
}

int amgr_identity_look_up(const char *user, const char *group,
                          amgr_identity_t *out, int *out_error)
{
    int has_group = 0;

    memset(out, 0, sizeof(*out));
    *out_error = 0;
    if (user == NULL && geteuid() == 0) {
        *out_error = EPERM;
        return AMGR_IDENTITY_NO_USER;
    }
    if (!look_up_user(user, out, &has_group)) {
        *out_error = error_of_lookup();
        return AMGR_IDENTITY_NO_USER;
    }
    if (group == NULL && !has_group) {
        *out_error = ENOENT;
        return AMGR_IDENTITY_NO_GROUP;
    }
    if (group != NULL && !look_up_group(group, out)) {
        *out_error = error_of_lookup();
        return AMGR_IDENTITY_NO_GROUP;
    }
    return AMGR_IDENTITY_FINE;
}

/* Effective, real and saved: all of them, or none counts. */
static int is_taken(const amgr_identity_t *identity)
{
    uid_t uids[3];
    gid_t gids[3];

    return getresuid(&uids[0], &uids[1], &uids[2]) == 0 &&
           getresgid(&gids[0], &gids[1], &gids[2]) == 0 &&
           uids[0] == identity->uid && uids[1] == identity->uid &&
           uids[2] == identity->uid && gids[0] == identity->gid &&
           gids[1] == identity->gid && gids[2] == identity->gid;
}

static int set_groups(const amgr_identity_t *identity)
{
    return identity->name[0] != '\0' ? initgroups(identity->name, identity->gid)
                                     : setgroups(1, &identity->gid);
}

/* Nothing is to be given up. */
static int is_self(const amgr_identity_t *identity)
{
    return geteuid() != 0 && is_taken(identity);
}

int amgr_identity_take_groups(const amgr_identity_t *identity, int *out_error)
{
    *out_error = 0;
    if (is_self(identity) || set_groups(identity) == 0) {
        return AMGR_IDENTITY_FINE;
    }
    *out_error = errno;
    return AMGR_IDENTITY_NO_RIGHTS;
}

int amgr_identity_take_ids(const amgr_identity_t *identity, int *out_error)
{
    *out_error = 0;
    if (is_self(identity)) {
        return AMGR_IDENTITY_FINE;
    }
    if (setresgid(identity->gid, identity->gid, identity->gid) != 0 ||
        setresuid(identity->uid, identity->uid, identity->uid) != 0) {
        *out_error = errno;
        return AMGR_IDENTITY_NO_RIGHTS;
    }
    if (!is_taken(identity) || (identity->uid != 0 && setuid(0) == 0)) {
        *out_error = EPERM;
        return AMGR_IDENTITY_NO_RIGHTS;
    }
    return AMGR_IDENTITY_FINE;
}

int amgr_identity_take(const amgr_identity_t *identity, int *out_error)
{
    int result = amgr_identity_take_groups(identity, out_error);

    return result == AMGR_IDENTITY_FINE
               ? amgr_identity_take_ids(identity, out_error)
               : result;
}

/* Who we are to files, now as @a identity; 0 or an errno. */
static int lend(const amgr_identity_t *identity)
{
    return set_groups(identity) != 0 || setegid(identity->gid) != 0 ||
                   seteuid(identity->uid) != 0
               ? errno
               : 0;
}

int amgr_identity_open(const amgr_identity_t *identity, const char *path,
                       int flags)
{
    gid_t groups[NGROUPS_MAX];
    gid_t gid = getegid();
    int fd = -1;
    int count;
    int error;

    if (geteuid() != 0) {
        fd = open(path, flags | O_CLOEXEC);
        return fd < 0 ? -errno : fd;
    }
    count = getgroups(NGROUPS_MAX, groups);
    if (count < 0) {
        return -errno;
    }
    error = lend(identity);
    if (error == 0) {
        fd = open(path, flags | O_CLOEXEC);
        error = fd < 0 ? errno : 0;
    }
    if (seteuid(0) != 0 || setegid(gid) != 0 ||
        setgroups((size_t)count, groups) != 0) {
        _exit(127);
    }
    return error != 0 ? -error : fd;
}
