/* SPDX-License-Identifier: Apache-2.0
 *
 * A directory of a test's own, below TMPDIR: whoever runs tests that are killed
 * gives them one that it removes.
 */
#ifndef AMGR_SCRATCH_H
#define AMGR_SCRATCH_H

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define SCRATCH_SIZE 64 /* of its path, which that of a socket follows */

/* Its name has the pid in it. */
static inline int scratch_make_in(const char *root, mode_t mode,
                                  char path[SCRATCH_SIZE])
{
    int len = snprintf(path, SCRATCH_SIZE, "%s/amgr-unit-%d-XXXXXX", root,
                       (int)getpid());

    return len < SCRATCH_SIZE && mkdtemp(path) != NULL && chmod(path, mode) == 0
               ? 0
               : -1;
}

/* 0, and -1 when there cannot be one, as set-up functions return. */
static inline int scratch_make(char path[SCRATCH_SIZE], mode_t mode)
{
    const char *root = getenv("TMPDIR");

    return scratch_make_in(root == NULL || root[0] != '/' ? "/tmp" : root, mode,
                           path);
}

#endif
