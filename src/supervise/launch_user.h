/* SPDX-License-Identifier: Apache-2.0
 *
 * Becoming the user of a managed process.  Looking names up may ask other
 * programs and servers (nsswitch.conf(5)) and wait for them, so it is done by
 * the process that becomes the user, where nobody else waits with it.
 */
#ifndef AMGR_LAUNCH_USER_H
#define AMGR_LAUNCH_USER_H

#include <sys/types.h>

#include "supervise/guard.h"

#define AMGR_USER_GROUPS_MAX 4096

typedef struct amgr_user_t {
    uid_t uid;
    gid_t gid;
    int group_count;
    gid_t groups[AMGR_USER_GROUPS_MAX]; /**< all of them, gid too */
    char name[256];                     /**< empty: it has none */
    char home[1024];                    /**< "/" where it has none */
    char shell[256];
} amgr_user_t;

/**
 * Find a user and a group; each a name or "#NUMBER", or NULL: then httpd's own
 * user, of @a default_user, with @a default_group; of a named user its own
 * group.  Whoever is not root stays who it is where nothing is named.  Returns
 * AMGR_LAUNCH_FINE, or the stage with *out_error, an errno or 0 where the name
 * is simply not known.
 */
int amgr_user_find(amgr_user_t *out, const char *user, const char *group,
                   const char *default_user, const char *default_group,
                   int *out_error);

/** Become it with its groups and no others, for good.  An errno, or 0.  Not
 * being root it can only be who we are: EPERM otherwise. */
int amgr_user_become(const amgr_user_t *user);

#endif
