/* SPDX-License-Identifier: Apache-2.0
 *
 * See child.h.
 */
#include "model/child.h"

#include <string.h>

#include "model/words.h"

int amgr_child_role(const amgr_proc_stat_t *stat)
{
    if (strcmp(stat->comm, AMGR_HELPER_COMM) == 0) {
        return AMGR_ROLE_HELPER;
    }
    if ((stat->flags & AMGR_PROC_FORKED_NO_EXEC) == 0) {
        return AMGR_ROLE_PROGRAM;
    }
    return AMGR_ROLE_DAEMON;
}

int amgr_group_is_reserved(const char *name)
{
    int role;

    while (strncmp(name, AMGR_GROUP_PREFIX, strlen(AMGR_GROUP_PREFIX)) == 0) {
        name += strlen(AMGR_GROUP_PREFIX);
    }
    for (role = AMGR_ROLE_DAEMON; role < AMGR_ROLE_COUNT; role++) {
        if (strcmp(name, amgr_role_word(role)) == 0) {
            return 1;
        }
    }
    return strcmp(name, amgr_kind_word(AMGR_KIND_NATIVE)) == 0;
}
