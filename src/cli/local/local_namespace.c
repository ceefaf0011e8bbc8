/* SPDX-License-Identifier: Apache-2.0
 *
 * See local_namespace.h.
 */
#include "cli/local/local_namespace.h"

#include <string.h>
#include <unistd.h>

#include <apr_strings.h>

int amgr_local_is_same_namespace(amgr_proc_dir_t *proc, pid_t pid,
                                 const char *name)
{
    char file[16];
    char own[64];
    char other[64];

    apr_snprintf(file, sizeof(file), "ns/%s", name);
    return amgr_proc_read_link(proc, pid, file, other, sizeof(other)) !=
               APR_SUCCESS ||
           amgr_proc_read_link(proc, getpid(), file, own, sizeof(own)) !=
               APR_SUCCESS ||
           strcmp(own, other) == 0;
}

const char *amgr_local_path(amgr_proc_dir_t *proc, pid_t pid, const char *path,
                            apr_pool_t *pool)
{
    if (amgr_local_is_same_namespace(proc, pid, "mnt") &&
        amgr_local_is_same_namespace(proc, pid, "pid")) {
        return path;
    }
    return apr_psprintf(pool, "/proc/%ld/root%s", (long)pid, path);
}
