/* SPDX-License-Identifier: Apache-2.0
 *
 * The verifier `file`: the path is there, whatever it leads to.
 */
#include <errno.h>
#include <sys/stat.h>

#include "supervise/check/attempt.h"

int amgr_attempt_file(amgr_attempt_t *attempt)
{
    const char *path = attempt->verify->target;
    struct stat st;

    if (path == NULL || stat(path, &st) != 0) {
        return amgr_attempt_fail_errno(attempt, NULL,
                                       path == NULL ? ENOENT : errno);
    }
    return 0;
}
