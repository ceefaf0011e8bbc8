/* SPDX-License-Identifier: Apache-2.0
 *
 * Becoming another user for good, in a process that has just been forked.
 *
 * Names are looked up by what the administrator has set up for that (NSS,
 * nsswitch.conf(5)), and that may wait for a network: only a process that may
 * be killed for it does so, never the supervisor.
 */
#ifndef AMGR_IDENTITY_H
#define AMGR_IDENTITY_H

#include <sys/types.h>

#include "base/base.h"

typedef enum amgr_identity_e {
    AMGR_IDENTITY_FINE = 0,
    AMGR_IDENTITY_NO_USER,  /**< nobody is called so */
    AMGR_IDENTITY_NO_GROUP, /**< no group is called so, or none is known */
    AMGR_IDENTITY_NO_RIGHTS,
    AMGR_IDENTITY_COUNT
} amgr_identity_e;

/** Who a process shall be. */
typedef struct amgr_identity_t {
    uid_t uid;
    gid_t gid;
    char name[256]; /**< empty: the number has no entry */
    char home[1024];
    char shell[256];
} amgr_identity_t;

/**
 * Look up @a user and @a group, each a name or "#NUMBER"; @a group NULL: the
 * user's own.  @a user NULL: whoever this process is, which root is never
 * allowed.  Returns amgr_identity_e; *out_error is an errno when it fails.
 */
int amgr_identity_look_up(const char *user, const char *group,
                          amgr_identity_t *out, int *out_error);

/**
 * Become it, with the groups that it is in and no others, and make sure that
 * there is no way back.  Who is it already and has no rights to give up keeps
 * its groups.  AMGR_IDENTITY_FINE or AMGR_IDENTITY_NO_RIGHTS.
 */
int amgr_identity_take(const amgr_identity_t *identity, int *out_error);

/** The same in two steps.  The first may look up names, for which it needs
 * descriptors; the second needs nothing but the rights. */
int amgr_identity_take_groups(const amgr_identity_t *identity, int *out_error);
int amgr_identity_take_ids(const amgr_identity_t *identity, int *out_error);

/**
 * open(2) with the rights of @a identity, which are given back at once; without
 * root's rights, with our own.  A descriptor, closed in programs, or the
 * negative of an errno; ends the process where there is no way back.
 * PR_SET_PDEATHSIG has to be set anew.
 */
int amgr_identity_open(const amgr_identity_t *identity, const char *path,
                       int flags);

#endif
