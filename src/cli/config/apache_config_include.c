/* SPDX-License-Identifier: Apache-2.0
 *
 * Files of Apache's configuration: what a name, a directory or a pattern
 * stands for, in httpd's order, and reading it without ever waiting for it.
 */
#include "cli/config/apache_config_parts.h"

#include <apr_fnmatch.h>
#include <apr_strings.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static apr_status_t read_fd(int fd, apr_size_t max, char **out_text,
                            apr_size_t *out_length)
{
    struct stat info;
    apr_size_t room;
    apr_size_t used = 0;
    char *text;
    ssize_t n = 1;

    if (fstat(fd, &info) != 0) {
        return APR_FROM_OS_ERROR(errno);
    }
    if (!S_ISREG(info.st_mode)) {
        return APR_EINVAL;
    }
    if (info.st_size < 0 || (apr_uint64_t)info.st_size > max) {
        return APR_ENOSPC;
    }
    room = (apr_size_t)info.st_size;
    text = malloc(room + 1);
    if (text == NULL) {
        return APR_ENOMEM;
    }
    /* What was added since is left out. */
    while (used < room && n != 0) {
        n = read(fd, text + used, room - used);
        if (n < 0 && errno != EINTR) {
            apr_status_t status = APR_FROM_OS_ERROR(errno);

            free(text);
            return status;
        }
        used += n > 0 ? (apr_size_t)n : 0;
    }
    text[used] = '\0';
    *out_text = text;
    *out_length = used;
    return APR_SUCCESS;
}

apr_status_t amgr_apache_slurp(const char *path, apr_size_t max,
                               char **out_text, apr_size_t *out_length)
{
    struct stat info;
    apr_status_t status;
    int fd;

    /* Opening a FIFO or a device may do something by itself. */
    if (stat(path, &info) != 0) {
        return APR_FROM_OS_ERROR(errno);
    }
    if (!S_ISREG(info.st_mode)) {
        return APR_EINVAL;
    }
    fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (fd < 0) {
        return APR_FROM_OS_ERROR(errno);
    }
    status = read_fd(fd, max, out_text, out_length);
    close(fd);
    return status;
}

const char *amgr_apache_why(apr_status_t status, char *buf, apr_size_t size)
{
    if (status == APR_EINVAL) {
        return "not a regular file";
    }
    if (status == APR_ENOSPC) {
        return "too large";
    }
    return APR_STATUS_IS_EACCES(status) ? "permission denied"
                                        : apr_strerror(status, buf, size);
}

static void warn_unread(amgr_apache_reader_t *reader, const char *path,
                        apr_status_t status)
{
    char buf[AMGR_APACHE_WHY_LEN];

    amgr_apache_warn(reader, "%s is not read: %s",
                     amgr_apache_shown(reader, path),
                     amgr_apache_why(status, buf, sizeof(buf)));
}

/* One more file or directory; 0 when it would be one too many. */
static int may_read(amgr_apache_reader_t *reader)
{
    if (reader->files_left > 0 && reader->bytes_left > 0) {
        reader->files_left--;
        return 1;
    }
    if (!reader->is_cut) {
        reader->is_cut = 1;
        amgr_apache_warn(reader, "the configuration is larger than is read: "
                                 "the rest is left out");
    }
    return 0;
}

static void include_file(amgr_apache_reader_t *reader, const char *path)
{
    const char *file = reader->file;
    int line = reader->line;
    apr_size_t max = AMGR_APACHE_MAX_FILE_BYTES;
    apr_size_t length = 0;
    char *text = NULL;
    apr_status_t status;

    if (reader->depth >= AMGR_APACHE_MAX_DEPTH) {
        amgr_apache_warn(reader,
                         "%s is not read: files include files more "
                         "than %d deep",
                         amgr_apache_shown(reader, path),
                         AMGR_APACHE_MAX_DEPTH);
        return;
    }
    status = amgr_apache_slurp(
        path, reader->bytes_left < max ? reader->bytes_left : max, &text,
        &length);
    if (status != APR_SUCCESS) {
        warn_unread(reader, path, status);
        return;
    }
    reader->bytes_left -= length;
    reader->file = path;
    reader->depth++;
    amgr_apache_read_text(reader, text, length);
    reader->depth--;
    reader->file = file;
    reader->line = line;
    free(text);
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The names in @a dir that match @a pattern (NULL: all), sorted as httpd sorts
 * them. */
static apr_array_header_t *names_in(amgr_apache_reader_t *reader,
                                    const char *dir, const char *pattern)
{
    apr_array_header_t *names =
        apr_array_make(reader->pool, 16, sizeof(const char *));
    DIR *handle = opendir(dir);
    struct dirent *entry;

    if (handle == NULL) {
        if (errno != ENOENT && errno != ENOTDIR) {
            warn_unread(reader, dir, APR_FROM_OS_ERROR(errno));
        }
        return names;
    }
    errno = 0;
    while (names->nelts < AMGR_APACHE_MAX_FILES &&
           (entry = readdir(handle)) != NULL) {
        if (strcmp(entry->d_name, ".") != 0 &&
            strcmp(entry->d_name, "..") != 0 &&
            (pattern == NULL || apr_fnmatch(pattern, entry->d_name,
                                            APR_FNM_PERIOD) == APR_SUCCESS)) {
            APR_ARRAY_PUSH(names, const char *) =
                apr_pstrdup(reader->pool, entry->d_name);
        }
        errno = 0;
    }
    if (errno != 0) {
        warn_unread(reader, dir, APR_FROM_OS_ERROR(errno));
    }
    closedir(handle);
    qsort(names->elts, (size_t)names->nelts, sizeof(const char *),
          compare_names);
    return names;
}

/* A file, or all files of a directory and of those in it.  @return 0: nothing
 * of that name is there */
/* NOLINTNEXTLINE(misc-no-recursion): AMGR_APACHE_MAX_DEPTH deep */
static int include_plain(amgr_apache_reader_t *reader, const char *path,
                         int depth)
{
    struct stat info;
    apr_array_header_t *names;
    int i;

    if (stat(path, &info) != 0) {
        if (errno == ENOENT || errno == ENOTDIR) {
            return 0;
        }
        warn_unread(reader, path, APR_FROM_OS_ERROR(errno));
        return 1;
    }
    if (!may_read(reader)) {
        return 1;
    }
    if (!S_ISDIR(info.st_mode)) {
        include_file(reader, path);
        return 1;
    }
    if (depth >= AMGR_APACHE_MAX_DEPTH) {
        amgr_apache_warn(reader,
                         "%s is not read: more than %d directories "
                         "deep",
                         amgr_apache_shown(reader, path),
                         AMGR_APACHE_MAX_DEPTH);
        return 1;
    }
    names = names_in(reader, path, NULL);
    for (i = 0; i < names->nelts && !reader->is_cut; i++) {
        include_plain(reader,
                      apr_pstrcat(reader->pool, path, "/",
                                  APR_ARRAY_IDX(names, i, const char *), NULL),
                      depth + 1);
    }
    return 1;
}

/* @a rest below @a dir, part by part: only parts with a pattern are looked for
 * in their directory. */
/* NOLINTNEXTLINE(misc-no-recursion): as deep as the path has parts */
static int include_below(amgr_apache_reader_t *reader, const char *dir,
                         const char *rest)
{
    const char *slash = strchr(rest, '/');
    const char *part =
        slash == NULL
            ? rest
            : apr_pstrmemdup(reader->pool, rest, (apr_size_t)(slash - rest));
    apr_array_header_t *names;
    int found = 0;
    int i;

    if (!apr_fnmatch_test(part)) {
        const char *path = apr_pstrcat(reader->pool, dir, "/", part, NULL);

        return slash == NULL ? include_plain(reader, path, 0)
                             : include_below(reader, path, slash + 1);
    }
    if (!may_read(reader)) {
        return 1;
    }
    names = names_in(reader, *dir == '\0' ? "/" : dir, part);
    for (i = 0; i < names->nelts && !reader->is_cut; i++) {
        const char *path =
            apr_pstrcat(reader->pool, dir, "/",
                        APR_ARRAY_IDX(names, i, const char *), NULL);

        found += slash == NULL ? include_plain(reader, path, 0)
                               : include_below(reader, path, slash + 1);
    }
    return found;
}

void amgr_apache_include(amgr_apache_reader_t *reader, const char *path,
                         int optional)
{
    if (include_below(reader, "", path + strspn(path, "/")) == 0 && !optional &&
        !apr_fnmatch_test(path)) {
        amgr_apache_warn(reader, "%s is not there",
                         amgr_apache_shown(reader, path));
    }
}
