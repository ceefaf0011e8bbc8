/* SPDX-License-Identifier: Apache-2.0
 *
 * See child.h.
 */
#include "model/child.h"

#include <string.h>

#include <apr_strings.h>

#include "model/words.h"
#include "proc/proc_wsgi.h"

int amgr_child_role(const amgr_proc_stat_t *stat)
{
    if (strcmp(stat->comm, AMGR_HELPER_COMM) == 0 ||
        strcmp(stat->comm, AMGR_SUPERVISOR_COMM) == 0 ||
        strcmp(stat->comm, AMGR_GUARD_COMM) == 0) {
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

apr_status_t amgr_child_read_group(amgr_proc_dir_t *dir, pid_t pid, char *buf,
                                   apr_size_t size)
{
    char name[AMGR_GROUP_NAME_LEN];
    apr_status_t rv = amgr_proc_wsgi_read(dir, pid, name, sizeof(name));

    if (rv == APR_SUCCESS) {
        apr_snprintf(buf, size, "%s%s",
                     amgr_group_is_reserved(name) ? AMGR_GROUP_PREFIX : "",
                     name);
    }
    return rv;
}
