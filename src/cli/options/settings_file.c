/* SPDX-License-Identifier: Apache-2.0
 *
 * See settings_file.h.  What is here decides what root kills: only regular
 * files are read, as a whole and bounded, and whose they are is asked of the
 * open descriptor.
 */
#include "cli/options/settings_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include <apr_file_info.h>
#include <apr_strings.h>
#include <apr_tables.h>
#include <apr_user.h>
#include <ini.h>

#include "cli/message.h"
#include "cli/options/python_units.h"

#define SECTION "apache-manager"
#define FILE_MAX_BYTES 65536
#define FILES_MAX 1000

/** What the handler of the parser works on. */
typedef struct parsing_t {
    const char *name; /**< escaped */
    const char *next; /**< of the text */
    int line;
    amgr_settings_t *settings;
    const amgr_fault_t *fault; /**< the first */
    const char *unknown;       /**< the last section nobody knows */
    apr_pool_t *pool;
} parsing_t;

void amgr_settings_init(amgr_settings_t *settings)
{
    settings->max_memory_active_bytes = AMGR_LIMIT_OFF;
    settings->max_memory_idle_bytes = AMGR_LIMIT_OFF;
    settings->max_time_us = AMGR_LIMIT_OFF;
    settings->hanging_us = 0;
    settings->max_kills = 0;
}

/* As fgets(): the parser asks for one line at a time, and names no line to
 * whom it tells of a setting. */
static char *read_line(char *line, int size, void *baton)
{
    parsing_t *parsing = baton;
    apr_size_t len = strcspn(parsing->next, "\n");

    if (parsing->next[0] == '\0') {
        return NULL;
    }
    parsing->line++;
    if (len + 2 > (apr_size_t)size) {
        if (parsing->fault == NULL) {
            parsing->fault = amgr_fault_make(parsing->pool, AMGR_EXIT_USAGE,
                                             "%s:%d: the line is too long",
                                             parsing->name, parsing->line);
        }
        return NULL;
    }
    len += parsing->next[len] == '\n';
    memcpy(line, parsing->next, len);
    line[len] = '\0';
    parsing->next += len;
    return line;
}

/* Names of keys are written either way, in either case. */
static int is_key(const char *name, const char *key)
{
    for (; *name != '\0' && *key != '\0'; name++, key++) {
        char c = *name == '_' ? '-' : *name;

        if ((c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c) != *key) {
            return 0;
        }
    }
    return *name == '\0' && *key == '\0';
}

static const char *set_span(const char *value, apr_interval_time_t *out_us)
{
    *out_us = AMGR_LIMIT_OFF;
    return value[0] == '\0' ? NULL : amgr_python_span_parse(value, out_us);
}

static const char *set_size(const char *value, apr_int64_t *out_bytes)
{
    *out_bytes = AMGR_LIMIT_OFF;
    return value[0] == '\0' ? NULL : amgr_python_size_parse(value, out_bytes);
}

/* NULL, or what was expected; *out_known is cleared for a name nobody knows.
 * An empty value takes back what an earlier file has set. */
static const char *set_value(amgr_settings_t *settings, const char *name,
                             const char *value, int *out_known)
{
    const char *expected = NULL;

    if (is_key(name, "max-memory-active")) {
        expected = set_size(value, &settings->max_memory_active_bytes);
    }
    else if (is_key(name, "max-memory-idle")) {
        expected = set_size(value, &settings->max_memory_idle_bytes);
    }
    else if (is_key(name, "worker-timeout")) {
        expected = set_span(value, &settings->max_time_us);
    }
    else if (is_key(name, "hanging-worker-threshold")) {
        expected = set_span(value, &settings->hanging_us);
        if (expected == NULL && settings->hanging_us == AMGR_LIMIT_OFF) {
            settings->hanging_us = 0;
            expected = value[0] == '\0' ? NULL : "a time span above 0";
        }
    }
    else if (is_key(name, "max-kills")) {
        settings->max_kills = 0;
        if (value[0] != '\0' &&
            amgr_count_parse(value, 1, INT_MAX, &settings->max_kills) != NULL) {
            expected = "a whole number from 1";
        }
    }
    else {
        *out_known = 0;
    }
    return expected;
}

/* Returns 0 for an error, which the parser counts and goes on. */
static int handle(void *baton, const char *section, const char *name,
                  const char *value)
{
    parsing_t *parsing = baton;
    const char *expected;
    int known = 1;

    if (parsing->fault != NULL) {
        return 1;
    }
    if (section[0] == '\0') {
        return 0;
    }
    if (strcmp(section, SECTION) != 0) {
        if (parsing->unknown == NULL ||
            strcmp(parsing->unknown, section) != 0) {
            parsing->unknown = apr_pstrdup(parsing->pool, section);
            amgr_message(AMGR_LEVEL_WARNING,
                         "%s:%d: section [%s] is not known, only [" SECTION
                         "] is",
                         parsing->name, parsing->line,
                         amgr_fault_quote(parsing->pool, section));
        }
        return 1;
    }
    expected = set_value(parsing->settings, name, value, &known);
    if (!known) {
        amgr_message(AMGR_LEVEL_WARNING, "%s:%d: '%s' is not known",
                     parsing->name, parsing->line,
                     amgr_fault_quote(parsing->pool, name));
    }
    if (expected != NULL) {
        parsing->fault = amgr_fault_make(
            parsing->pool, AMGR_EXIT_USAGE, "%s:%d: %s: '%s' is not %s",
            parsing->name, parsing->line, amgr_fault_quote(parsing->pool, name),
            amgr_fault_quote(parsing->pool, value), expected);
    }
    return 1;
}

const amgr_fault_t *amgr_settings_parse(amgr_settings_t *settings,
                                        const char *name, const char *text,
                                        apr_pool_t *pool)
{
    parsing_t parsing;
    int line;

    memset(&parsing, 0, sizeof(parsing));
    parsing.name = amgr_fault_quote(pool, name);
    parsing.next = text;
    parsing.settings = settings;
    parsing.pool = pool;
    /* A line that is indented is one of its own here. */
    ini_allow_multiline = false;
    line = ini_parse_stream(read_line, &parsing, handle, &parsing);
    if (parsing.fault == NULL && line != 0) {
        parsing.fault =
            amgr_fault_make(pool, AMGR_EXIT_USAGE,
                            "%s:%d: no setting of a section, like [" SECTION
                            "] and max-memory-idle = 250M",
                            parsing.name, line > 0 ? line : parsing.line);
    }
    return parsing.fault;
}

/* The content of a regular file, or NULL with the reason in *out_status. */
static char *read_text(const char *path, struct stat *out_stat,
                       apr_status_t *out_status, apr_pool_t *pool)
{
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    apr_size_t used = 0;
    char *text = NULL;
    ssize_t n = 0;

    *out_status = APR_SUCCESS;
    if (fd < 0) {
        *out_status = APR_FROM_OS_ERROR(errno);
        return NULL;
    }
    if (fstat(fd, out_stat) != 0) {
        *out_status = APR_FROM_OS_ERROR(errno);
    }
    else if (!S_ISREG(out_stat->st_mode)) {
        *out_status = APR_EINVAL;
    }
    else {
        text = apr_palloc(pool, FILE_MAX_BYTES + 1);
        do {
            n = read(fd, text + used, FILE_MAX_BYTES - used);
            used += n > 0 ? (apr_size_t)n : 0;
        } while ((n > 0 && used < FILE_MAX_BYTES) || (n < 0 && errno == EINTR));
        if (n < 0) {
            *out_status = APR_FROM_OS_ERROR(errno);
        }
        else if (used == FILE_MAX_BYTES) {
            *out_status = APR_FROM_OS_ERROR(EFBIG);
        }
        text[used] = '\0';
    }
    close(fd);
    return *out_status == APR_SUCCESS ? text : NULL;
}

/* Whether somebody else than root may say what root does. */
static int is_others(const struct stat *file)
{
    return file->st_uid != 0 || (file->st_mode & S_IWOTH) != 0 ||
           ((file->st_mode & S_IWGRP) != 0 && file->st_gid != 0);
}

static const amgr_fault_t *read_file(amgr_settings_t *settings,
                                     const char *path, int to_kill,
                                     apr_pool_t *pool)
{
    struct stat file;
    apr_status_t status;
    const char *name = amgr_fault_quote(pool, path);
    const char *text = read_text(path, &file, &status, pool);

    if (text == NULL) {
        if (!APR_STATUS_IS_ENOENT(status) && !APR_STATUS_IS_ENOTDIR(status)) {
            amgr_message(AMGR_LEVEL_WARNING, "%s is not read: %s", name,
                         status == APR_EINVAL
                             ? "it is no regular file"
                             : amgr_fault_reason(pool, status));
        }
        return NULL;
    }
    if (geteuid() == 0 && is_others(&file)) {
        if (to_kill) {
            return amgr_fault_make(
                pool, AMGR_EXIT_USAGE,
                "%s can be written by others than root, and says what root "
                "kills",
                name);
        }
        amgr_message(AMGR_LEVEL_WARNING,
                     "%s is not read: it can be written by others than root",
                     name);
        return NULL;
    }
    amgr_message(AMGR_LEVEL_VERBOSE, "reading %s", name);
    return amgr_settings_parse(settings, path, text, pool);
}

/* As people count: 9 before 10. */
static int compare_natural(const void *a, const void *b)
{
    const char *left = *(const char *const *)a;
    const char *right = *(const char *const *)b;

    while (*left != '\0' && *right != '\0') {
        apr_size_t left_digits = strspn(left, "0123456789");
        apr_size_t right_digits = strspn(right, "0123456789");

        if (left_digits > 0 && right_digits > 0) {
            apr_size_t left_zeros = strspn(left, "0");
            apr_size_t right_zeros = strspn(right, "0");
            apr_size_t left_len = left_digits - left_zeros;
            apr_size_t right_len = right_digits - right_zeros;
            int order =
                left_len != right_len
                    ? (left_len < right_len ? -1 : 1)
                    : strncmp(left + left_zeros, right + right_zeros, left_len);

            if (order != 0) {
                return order;
            }
            left += left_digits;
            right += right_digits;
        }
        else if (*left != *right) {
            break;
        }
        else {
            left++;
            right++;
        }
    }
    return (int)(unsigned char)*left - (int)(unsigned char)*right;
}

static int is_ini(const char *name)
{
    apr_size_t len = strlen(name);

    return len > 4 && name[0] != '.' && strcmp(name + len - 4, ".ini") == 0;
}

static const amgr_fault_t *read_dir(amgr_settings_t *settings, const char *path,
                                    int to_kill, apr_pool_t *pool)
{
    apr_array_header_t *names = apr_array_make(pool, 8, sizeof(const char *));
    const amgr_fault_t *fault = NULL;
    apr_finfo_t entry;
    apr_dir_t *dir;
    apr_status_t status = apr_dir_open(&dir, path, pool);
    int i;

    if (status != APR_SUCCESS) {
        if (!APR_STATUS_IS_ENOENT(status) && !APR_STATUS_IS_ENOTDIR(status)) {
            amgr_message(AMGR_LEVEL_WARNING, "%s is not read: %s",
                         amgr_fault_quote(pool, path),
                         amgr_fault_reason(pool, status));
        }
        return NULL;
    }
    while (apr_dir_read(&entry, APR_FINFO_NAME, dir) == APR_SUCCESS &&
           names->nelts < FILES_MAX) {
        if (is_ini(entry.name)) {
            APR_ARRAY_PUSH(names, const char *) =
                apr_pstrcat(pool, path, "/", entry.name, NULL);
        }
    }
    apr_dir_close(dir);
    qsort(names->elts, (size_t)names->nelts, sizeof(const char *),
          compare_natural);
    for (i = 0; i < names->nelts && fault == NULL; i++) {
        fault = read_file(settings, APR_ARRAY_IDX(names, i, const char *),
                          to_kill, pool);
    }
    return fault;
}

/* Of one directory, where @a dot stands before the names. */
static const amgr_fault_t *read_place(amgr_settings_t *settings,
                                      const char *place, const char *dot,
                                      int to_kill, apr_pool_t *pool)
{
    const amgr_fault_t *fault = read_file(
        settings, apr_pstrcat(pool, place, "/", dot, SECTION ".ini", NULL),
        to_kill, pool);

    return fault != NULL ? fault
                         : read_dir(settings,
                                    apr_pstrcat(pool, place, "/", dot,
                                                SECTION ".d", NULL),
                                    to_kill, pool);
}

/* A home that this user may not enter is somebody else's, left in the
 * environment when the user was changed. */
static const char *home_of_user(apr_pool_t *pool)
{
    const char *home = getenv("HOME");
    apr_uid_t uid;
    apr_gid_t gid;
    char *name;
    char *found;

    if (home != NULL && home[0] == '/') {
        return access(home, X_OK) == 0 ? home : NULL;
    }
    if (apr_uid_current(&uid, &gid, pool) != APR_SUCCESS ||
        apr_uid_name_get(&name, uid, pool) != APR_SUCCESS ||
        apr_uid_homepath_get(&found, name, pool) != APR_SUCCESS) {
        return NULL;
    }
    return found;
}

const amgr_fault_t *amgr_settings_read(amgr_settings_t *settings,
                                       const char *etc, const char *home,
                                       int to_kill, apr_pool_t *pool)
{
    const amgr_fault_t *fault = read_place(settings, etc, "", to_kill, pool);

    if (home == NULL) {
        home = home_of_user(pool);
    }
    if (fault == NULL && home != NULL) {
        fault = read_place(settings, home, ".", to_kill, pool);
    }
    if (fault == NULL && home != NULL) {
        fault = read_place(settings, apr_pstrcat(pool, home, "/.config", NULL),
                           "", to_kill, pool);
    }
    return fault;
}
