/* SPDX-License-Identifier: Apache-2.0
 *
 * The verifier `file`: the path is there, whatever it leads to.
 */
#include <errno.h>
#include <sys/stat.h>

#include "supervise/check/probe.h"

int amgr_probe_file(amgr_probe_t *probe)
{
    const char *path = probe->verify->target;
    struct stat st;

    if (path == NULL || stat(path, &st) != 0) {
        return amgr_probe_fail_errno(probe, NULL,
                                     path == NULL ? ENOENT : errno);
    }
    return 0;
}
