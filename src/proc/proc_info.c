/* SPDX-License-Identifier: Apache-2.0
 *
 * What people ask of a process.  Each answer tries its sources in order and
 * takes the first that says something; what a process writes about itself
 * (cmdline, comm) comes after what the kernel knows (exe).
 */
#include "proc/proc_info.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <apr_strings.h>

#include "proc/proc_internal.h"

/** The first argument is wanted only: a path at most. */
#define ARGUMENT_LEN 4097

/** Sizes of buffers that grow: environ and cmdline, user database entries. */
#define STRINGS_FIRST 8192
#define STRINGS_MAX (8 * 1024 * 1024)
#define ENTRY_FIRST 1024
#define ENTRY_MAX (1024 * 1024)

/** Fills @a buf with the name of an id, using @a entry; an errno. */
typedef int look_up_fn(unsigned int id, char *entry, apr_size_t entry_len,
                       char *buf, apr_size_t size);

static int copy_text(char *buf, apr_size_t size, const char *text,
                     apr_size_t len)
{
    if (len >= size) {
        return 0;
    }
    memcpy(buf, text, len);
    buf[len] = '\0';
    return 1;
}

apr_time_t amgr_proc_started_us(apr_uint64_t start_ticks,
                                const amgr_instant_t *now)
{
    apr_time_t since_boot_us = amgr_proc_ticks_us(start_ticks);
    apr_time_t started_us;

    if (start_ticks == 0 || since_boot_us == AMGR_NO_TIME ||
        __builtin_add_overflow(now->wall_us - now->boot_us, since_boot_us,
                               &started_us)) {
        return AMGR_NO_TIME;
    }
    return started_us;
}

apr_status_t amgr_proc_read_runtime(amgr_proc_dir_t *dir,
                                    const amgr_proc_id_t *id,
                                    const amgr_instant_t *now,
                                    apr_interval_time_t *out_us)
{
    amgr_proc_stat_t stat;
    amgr_proc_id_t found;
    apr_time_t started_us;
    apr_status_t rv;

    rv = amgr_proc_read_stat(dir, id->pid, &stat);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    found.pid = stat.pid;
    found.start_ticks = stat.start_ticks;
    started_us = amgr_proc_ticks_us(stat.start_ticks);
    if (!amgr_proc_id_equal(&found, id) || started_us == AMGR_NO_TIME ||
        amgr_proc_has_ended(&stat)) {
        return APR_NOTFOUND;
    }
    /* Ticks are rounded down and @a now may be older than the process. */
    *out_us = now->boot_us > started_us ? now->boot_us - started_us : 0;
    return APR_SUCCESS;
}

static apr_status_t read_first_argument(amgr_proc_dir_t *dir, pid_t pid,
                                        char *buf, apr_size_t size,
                                        const char **out, apr_size_t *out_len)
{
    apr_size_t cursor = 0;
    apr_size_t len;
    apr_status_t rv;

    rv = amgr_proc_read_raw(dir, pid, "cmdline", buf, size, &len);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    if (amgr_proc_next_string(buf, len, &cursor, out, out_len) != APR_SUCCESS ||
        *out_len == 0 || *out_len + 1 >= size) {
        return APR_NOTFOUND;
    }
    return APR_SUCCESS;
}

/* A program whose own name ends so is taken for one that was replaced: the
 * kernel's text does not tell them apart, and only upgrades happen. */
static void strip_deleted(char *path)
{
    static const char mark[] = " (deleted)";
    apr_size_t len = strlen(path);

    if (len >= sizeof(mark) &&
        strcmp(path + len - (sizeof(mark) - 1), mark) == 0) {
        path[len - (sizeof(mark) - 1)] = '\0';
    }
}

apr_status_t amgr_proc_read_exe_path(amgr_proc_dir_t *dir, pid_t pid, char *buf,
                                     apr_size_t size)
{
    char cmdline[ARGUMENT_LEN];
    const char *argument;
    apr_size_t len;

    if (size == 0) {
        return APR_EINVAL;
    }
    if (amgr_proc_read_link(dir, pid, "exe", buf, size) == APR_SUCCESS &&
        buf[0] != '\0') {
        strip_deleted(buf);
        return APR_SUCCESS;
    }
    buf[0] = '\0';
    if (read_first_argument(dir, pid, cmdline, sizeof(cmdline), &argument,
                            &len) != APR_SUCCESS ||
        argument[0] != '/' || !copy_text(buf, size, argument, len)) {
        return APR_NOTFOUND;
    }
    return APR_SUCCESS;
}

/* Whether a directory of @a search_path has a program of this name. */
static int is_on_path(const char *search_path, const char *name,
                      apr_size_t name_len)
{
    char path[AMGR_PROC_TEXT_LEN];
    const char *end;
    struct stat info;
    apr_size_t len;

    if (memchr(name, '/', name_len) != NULL) {
        return 0;
    }
    for (;; search_path = end + 1) {
        end = strchrnul(search_path, ':');
        len = (apr_size_t)(end - search_path);
        /* Relative and empty entries mean our directory, not the target's. */
        if (*search_path == '/' && len + 1 + name_len < sizeof(path)) {
            memcpy(path, search_path, len);
            path[len] = '/';
            memcpy(path + len + 1, name, name_len);
            path[len + 1 + name_len] = '\0';
            if (stat(path, &info) == 0 && S_ISREG(info.st_mode) &&
                access(path, X_OK) == 0) {
                return 1;
            }
        }
        if (*end == '\0') {
            return 0;
        }
    }
}

apr_status_t amgr_proc_read_exe_name(amgr_proc_dir_t *dir, pid_t pid,
                                     const char *search_path, char *buf,
                                     apr_size_t size)
{
    char text[AMGR_PROC_TEXT_LEN];
    const char *name;
    amgr_proc_stat_t stat;
    apr_size_t len;
    apr_status_t rv;

    if (size == 0) {
        return APR_EINVAL;
    }
    buf[0] = '\0';
    if (search_path == NULL) {
        /* NOLINTNEXTLINE(concurrency-mt-unsafe): nothing changes it any more */
        search_path = getenv("PATH");
    }
    if (amgr_proc_read_exe_path(dir, pid, text, sizeof(text)) == APR_SUCCESS) {
        name = strrchr(text, '/');
        name = name == NULL ? text : name + 1;
        if (*name != '\0') {
            return copy_text(buf, size, name, strlen(name)) ? APR_SUCCESS
                                                            : APR_ENOSPC;
        }
    }
    if (search_path != NULL &&
        read_first_argument(dir, pid, text, sizeof(text), &name, &len) ==
            APR_SUCCESS &&
        is_on_path(search_path, name, len)) {
        return copy_text(buf, size, name, len) ? APR_SUCCESS : APR_ENOSPC;
    }
    rv = amgr_proc_read_stat(dir, pid, &stat);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    return copy_text(buf, size, stat.comm, strlen(stat.comm)) ? APR_SUCCESS
                                                              : APR_ENOSPC;
}

apr_status_t amgr_proc_read_cwd(amgr_proc_dir_t *dir, pid_t pid, char *buf,
                                apr_size_t size)
{
    apr_status_t rv = amgr_proc_read_link(dir, pid, "cwd", buf, size);

    if (rv != APR_SUCCESS && size > 0) {
        buf[0] = '\0';
    }
    return rv;
}

static int look_up_user(unsigned int id, char *entry, apr_size_t entry_len,
                        char *buf, apr_size_t size)
{
    struct passwd user;
    struct passwd *found = NULL;
    int rc = getpwuid_r(id, &user, entry, entry_len, &found);

    if (rc != 0 || found == NULL) {
        return rc != 0 ? rc : ENOENT;
    }
    return copy_text(buf, size, user.pw_name, strlen(user.pw_name))
               ? 0
               : ENAMETOOLONG;
}

static int look_up_group(unsigned int id, char *entry, apr_size_t entry_len,
                         char *buf, apr_size_t size)
{
    struct group group;
    struct group *found = NULL;
    int rc = getgrgid_r(id, &group, entry, entry_len, &found);

    if (rc != 0 || found == NULL) {
        return rc != 0 ? rc : ENOENT;
    }
    return copy_text(buf, size, group.gr_name, strlen(group.gr_name))
               ? 0
               : ENAMETOOLONG;
}

/* A group with many members needs a large entry for a short name. */
static apr_status_t look_up(look_up_fn *fn, unsigned int id, char *buf,
                            apr_size_t size)
{
    apr_size_t entry_len;
    char *entry;
    int rc = ERANGE;

    if (size == 0) {
        return APR_EINVAL;
    }
    buf[0] = '\0';
    for (entry_len = ENTRY_FIRST; rc == ERANGE && entry_len <= ENTRY_MAX;
         entry_len *= 4) {
        entry = malloc(entry_len);
        if (entry == NULL) {
            return APR_ENOMEM;
        }
        do {
            rc = fn(id, entry, entry_len, buf, size);
        } while (rc == EINTR);
        free(entry);
    }
    return rc == 0 ? APR_SUCCESS : amgr_proc_status_of(rc);
}

apr_status_t amgr_user_name(uid_t uid, char *buf, apr_size_t size)
{
    return look_up(look_up_user, uid, buf, size);
}

apr_status_t amgr_group_name(gid_t gid, char *buf, apr_size_t size)
{
    return look_up(look_up_group, gid, buf, size);
}

apr_status_t amgr_proc_read_user(amgr_proc_dir_t *dir, pid_t pid, char *buf,
                                 apr_size_t size)
{
    amgr_proc_status_t status;
    apr_status_t rv = amgr_proc_read_status(dir, pid, &status);

    if (size > 0) {
        buf[0] = '\0';
    }
    return rv != APR_SUCCESS ? rv : amgr_user_name(status.uid[0], buf, size);
}

apr_status_t amgr_proc_read_group(amgr_proc_dir_t *dir, pid_t pid, char *buf,
                                  apr_size_t size)
{
    amgr_proc_status_t status;
    apr_status_t rv = amgr_proc_read_status(dir, pid, &status);

    if (size > 0) {
        buf[0] = '\0';
    }
    return rv != APR_SUCCESS ? rv : amgr_group_name(status.gid[0], buf, size);
}

apr_status_t amgr_proc_read_strings(amgr_proc_dir_t *dir, pid_t pid,
                                    const char *name, apr_array_header_t **out,
                                    apr_pool_t *pool)
{
    apr_array_header_t *strings;
    apr_size_t size = STRINGS_FIRST;
    apr_size_t cursor = 0;
    apr_size_t len;
    const char *string;
    char *buf;
    apr_status_t rv;

    for (;;) {
        buf = malloc(size);
        if (buf == NULL) {
            return APR_ENOMEM;
        }
        rv = amgr_proc_read_raw(dir, pid, name, buf, size, &len);
        if (rv != APR_SUCCESS || len + 1 < size || size >= STRINGS_MAX) {
            break;
        }
        free(buf);
        size *= 4;
    }
    if (rv == APR_SUCCESS) {
        strings = apr_array_make(pool, 16, sizeof(char *));
        buf[len] = '\0';
        while (amgr_proc_next_string(buf, len, &cursor, &string, &size) ==
               APR_SUCCESS) {
            APR_ARRAY_PUSH(strings, const char *) =
                apr_pstrmemdup(pool, string, size);
        }
        *out = strings;
    }
    free(buf);
    return rv;
}

const char *amgr_proc_environ_get(const apr_array_header_t *environ_strings,
                                  const char *name)
{
    apr_size_t len = strlen(name);
    const char *string;
    int i;

    for (i = 0; i < environ_strings->nelts; i++) {
        string = APR_ARRAY_IDX(environ_strings, i, const char *);
        if (strncmp(string, name, len) == 0 && string[len] == '=') {
            return string + len + 1;
        }
    }
    return NULL;
}

apr_status_t amgr_proc_find_exe(amgr_proc_dir_t *dir, const char *exe_path,
                                apr_array_header_t **out, apr_pool_t *pool)
{
    apr_array_header_t *found;
    char path[AMGR_PROC_TEXT_LEN];
    amgr_proc_id_t id;
    amgr_proc_id_t check;
    apr_status_t rv;
    pid_t *pids;
    int count;
    int i;

    rv = amgr_proc_list_all(dir, &pids, &count, pool);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    found = apr_array_make(pool, 8, sizeof(amgr_proc_id_t));
    for (i = 0; i < count; i++) {
        /* The same process before and after: else the path is another's. */
        if (amgr_proc_read_id(dir, pids[i], &id) == APR_SUCCESS &&
            amgr_proc_read_exe_path(dir, pids[i], path, sizeof(path)) ==
                APR_SUCCESS &&
            strcmp(path, exe_path) == 0 &&
            amgr_proc_read_id(dir, pids[i], &check) == APR_SUCCESS &&
            amgr_proc_id_equal(&id, &check)) {
            APR_ARRAY_PUSH(found, amgr_proc_id_t) = id;
        }
    }
    *out = found;
    return APR_SUCCESS;
}
