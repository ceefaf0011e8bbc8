/* SPDX-License-Identifier: Apache-2.0
 *
 * See safe_place.h.
 */
#include "base/safe_place.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/base.h"

/** The directory of @a path, if it is one. */
static int stat_dir(const char *path, struct stat *out)
{
    char dir[1024];
    const char *slash = strrchr(path, '/');
    apr_size_t len = slash == NULL ? 0 : (apr_size_t)(slash - path);

    if (len == 0 || len >= sizeof(dir)) {
        return 0;
    }
    memcpy(dir, path, len);
    dir[len] = '\0';
    return stat(dir, out) == 0 && S_ISDIR(out->st_mode);
}

int amgr_place_is_safe(const char *path)
{
    struct stat st;

    return stat_dir(path, &st) &&
           ((st.st_mode & S_IWOTH) == 0 || (st.st_mode & S_ISVTX) != 0);
}

int amgr_place_is_ours(const char *path)
{
    struct stat st;

    return stat_dir(path, &st) && (st.st_uid == 0 || st.st_uid == geteuid()) &&
           ((st.st_mode & (S_IWGRP | S_IWOTH)) == 0 ||
            (st.st_mode & S_ISVTX) != 0);
}
