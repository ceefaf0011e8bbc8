/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading /proc.  The files wanted at every tick cost one openat, one read and
 * one close: the kernel hands out each of them whole, so no second read is
 * needed to see its end, and paths are put together by hand.
 */
#include "proc/proc_read.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "proc/proc_internal.h"

/** stat, status and smaps_rollup; more groups than fit cost only figures. */
#define FILE_LEN 8192
#define STATM_LEN 512

apr_status_t amgr_proc_status_of(int sys_errno)
{
    switch (sys_errno) {
    case ENOENT:
    case ESRCH:
        return APR_NOTFOUND;
    case EACCES:
    case EPERM:
        return APR_EACCES;
    default:
        return APR_FROM_OS_ERROR(sys_errno);
    }
}

/* Which of the counted files this is. */
static amgr_proc_file_e file_of(const char *name)
{
    static const char *const names[AMGR_PROC_FILE_COUNT] = {
        "stat", "statm", "status", "smaps_rollup", "cmdline", "environ",
        "exe",  "cwd",   NULL};
    int i;

    for (i = 0; i < AMGR_PROC_FILE_OTHER; i++) {
        if (strcmp(names[i], name) == 0) {
            break;
        }
    }
    return (amgr_proc_file_e)i;
}

static void count_error(amgr_proc_errors_t *errors, apr_status_t rv)
{
    switch (rv) {
    case APR_NOTFOUND:
        errors->vanished++;
        break;
    case APR_EACCES:
        errors->denied++;
        break;
    case APR_EGENERAL:
        errors->malformed++;
        break;
    default:
        errors->other++;
        break;
    }
}

apr_status_t amgr_proc_note(amgr_proc_dir_t *dir, const char *name,
                            apr_status_t rv)
{
    if (rv != APR_SUCCESS) {
        count_error(&dir->errors, rv);
        count_error(&dir->by_file[file_of(name)], rv);
        dir->last = rv == APR_NOTFOUND ? dir->last : rv;
    }
    return rv;
}

int amgr_proc_make_path(char *path, apr_size_t size, pid_t pid,
                        const char *name)
{
    char digits[12];
    apr_size_t at = sizeof(digits);
    apr_size_t len = strlen(name);
    unsigned int value = (unsigned int)pid;

    do {
        digits[--at] = (char)('0' + value % 10);
        value /= 10;
    } while (value != 0);
    if (sizeof(digits) - at + 1 + len + 1 > size) {
        return 0;
    }
    memcpy(path, digits + at, sizeof(digits) - at);
    path += sizeof(digits) - at;
    *path++ = '/';
    memcpy(path, name, len + 1);
    return 1;
}

apr_status_t amgr_proc_open(const amgr_proc_dir_t *dir, pid_t pid,
                            const char *name, int *out_fd)
{
    char path[AMGR_PROC_PATH_LEN];
    int fd;

    if (pid <= 0) {
        return APR_NOTFOUND;
    }
    if (!amgr_proc_make_path(path, sizeof(path), pid, name)) {
        return APR_ENAMETOOLONG;
    }
    do {
        fd = openat(dir->fd, path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    } while (fd < 0 && errno == EINTR);
    if (fd < 0) {
        return amgr_proc_status_of(errno);
    }
    *out_fd = fd;
    return APR_SUCCESS;
}

/* One read of the whole; nothing at all is NOTFOUND. */
static apr_status_t read_fd(int fd, char *buf, apr_size_t size,
                            apr_size_t *out_len)
{
    ssize_t n;

    do {
        n = pread(fd, buf, size, 0);
    } while (n < 0 && errno == EINTR);
    if (n < 0) {
        return amgr_proc_status_of(errno);
    }
    if (n == 0) {
        return APR_NOTFOUND;
    }
    *out_len = (apr_size_t)n;
    return APR_SUCCESS;
}

static apr_status_t read_file(const amgr_proc_dir_t *dir, pid_t pid,
                              const char *name, char *buf, apr_size_t size,
                              apr_size_t *out_len)
{
    apr_status_t rv;
    int fd;

    rv = amgr_proc_open(dir, pid, name, &fd);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    rv = read_fd(fd, buf, size, out_len);
    close(fd);
    return rv;
}

apr_status_t amgr_proc_dir_open(amgr_proc_dir_t *dir, const char *path)
{
    memset(dir, 0, sizeof(*dir));
    do {
        dir->fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    } while (dir->fd < 0 && errno == EINTR);
    return dir->fd < 0 ? amgr_proc_status_of(errno) : APR_SUCCESS;
}

void amgr_proc_dir_close(amgr_proc_dir_t *dir)
{
    if (dir->fd >= 0) {
        close(dir->fd);
        dir->fd = -1;
    }
}

apr_status_t amgr_proc_read_stat(amgr_proc_dir_t *dir, pid_t pid,
                                 amgr_proc_stat_t *out)
{
    char buf[FILE_LEN];
    apr_size_t len;
    apr_status_t rv;

    rv = read_file(dir, pid, "stat", buf, sizeof(buf), &len);
    if (rv == APR_SUCCESS) {
        rv = amgr_proc_parse_stat(buf, len, out);
    }
    return amgr_proc_note(dir, "stat", rv);
}

/* A zombie or kernel thread has no address space, its figures say nothing. */
static apr_status_t take_statm(const char *buf, apr_size_t len,
                               amgr_proc_statm_t *out)
{
    amgr_proc_statm_t statm;
    apr_status_t rv;

    rv = amgr_proc_parse_statm(buf, len, &statm);
    if (rv == APR_SUCCESS && statm.size_bytes == 0) {
        return APR_NOTFOUND;
    }
    if (rv == APR_SUCCESS) {
        *out = statm;
    }
    return rv;
}

apr_status_t amgr_proc_read_statm(amgr_proc_dir_t *dir, pid_t pid,
                                  amgr_proc_statm_t *out)
{
    char buf[STATM_LEN];
    apr_size_t len;
    apr_status_t rv;

    rv = read_file(dir, pid, "statm", buf, sizeof(buf), &len);
    if (rv == APR_SUCCESS) {
        rv = take_statm(buf, len, out);
    }
    return amgr_proc_note(dir, "statm", rv);
}

apr_status_t amgr_proc_read_status(amgr_proc_dir_t *dir, pid_t pid,
                                   amgr_proc_status_t *out)
{
    char buf[FILE_LEN];
    apr_size_t len;
    apr_status_t rv;

    rv = read_file(dir, pid, "status", buf, sizeof(buf), &len);
    if (rv == APR_SUCCESS) {
        rv = amgr_proc_parse_status(buf, len, out);
    }
    return amgr_proc_note(dir, "status", rv);
}

apr_status_t amgr_proc_read_smaps(amgr_proc_dir_t *dir, pid_t pid,
                                  amgr_proc_smaps_t *out)
{
    char buf[FILE_LEN];
    apr_size_t len;
    apr_status_t rv;

    rv = read_file(dir, pid, "smaps_rollup", buf, sizeof(buf), &len);
    if (rv == APR_SUCCESS) {
        rv = amgr_proc_parse_smaps(buf, len, out);
    }
    return amgr_proc_note(dir, "smaps_rollup", rv);
}

apr_status_t amgr_proc_read_uptime(amgr_proc_dir_t *dir,
                                   apr_interval_time_t *out_us)
{
    char buf[128];
    apr_size_t len;
    apr_status_t rv;
    int fd = openat(dir->fd, "uptime", O_RDONLY | O_CLOEXEC);

    if (fd < 0) {
        return amgr_proc_note(dir, "uptime", amgr_proc_status_of(errno));
    }
    rv = read_fd(fd, buf, sizeof(buf), &len);
    close(fd);
    if (rv == APR_SUCCESS) {
        rv = amgr_proc_parse_uptime(buf, len, out_us);
    }
    return amgr_proc_note(dir, "uptime", rv);
}

/* A loop, because environ and cmdline may come in pieces. */
apr_status_t amgr_proc_read_all(int fd, char *buf, apr_size_t size,
                                apr_size_t *out_len)
{
    apr_size_t len = 0;
    ssize_t n;

    while (len < size) {
        n = read(fd, buf + len, size - len);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            return amgr_proc_status_of(errno);
        }
        if (n == 0) {
            break;
        }
        len += (apr_size_t)n;
    }
    *out_len = len;
    return len == 0 && size > 0 ? APR_NOTFOUND : APR_SUCCESS;
}

apr_status_t amgr_proc_read_raw(amgr_proc_dir_t *dir, pid_t pid,
                                const char *name, char *buf, apr_size_t size,
                                apr_size_t *out_len)
{
    apr_size_t len = 0;
    apr_status_t rv;
    int fd;

    if (size == 0) {
        return APR_EINVAL;
    }
    rv = amgr_proc_open(dir, pid, name, &fd);
    if (rv == APR_SUCCESS) {
        rv = amgr_proc_read_all(fd, buf, size - 1, &len);
        close(fd);
    }
    if (rv != APR_SUCCESS) {
        return amgr_proc_note(dir, name, rv);
    }
    buf[len] = '\0';
    *out_len = len;
    return APR_SUCCESS;
}

apr_status_t amgr_proc_read_link(amgr_proc_dir_t *dir, pid_t pid,
                                 const char *name, char *buf, apr_size_t size)
{
    char path[AMGR_PROC_PATH_LEN];
    ssize_t n;

    if (size == 0) {
        return APR_EINVAL;
    }
    if (pid <= 0) {
        return amgr_proc_note(dir, name, APR_NOTFOUND);
    }
    if (!amgr_proc_make_path(path, sizeof(path), pid, name)) {
        return amgr_proc_note(dir, name, APR_ENAMETOOLONG);
    }
    n = readlinkat(dir->fd, path, buf, size);
    if (n < 0) {
        return amgr_proc_note(dir, name, amgr_proc_status_of(errno));
    }
    if ((apr_size_t)n >= size) {
        buf[0] = '\0'; /* a cut path is another path */
        return amgr_proc_note(dir, name, APR_ENAMETOOLONG);
    }
    buf[n] = '\0';
    return APR_SUCCESS;
}

apr_status_t amgr_proc_read_id(amgr_proc_dir_t *dir, pid_t pid,
                               amgr_proc_id_t *out)
{
    amgr_proc_stat_t stat;
    apr_status_t rv;

    rv = amgr_proc_read_stat(dir, pid, &stat);
    if (rv == APR_SUCCESS) {
        out->pid = pid;
        out->start_ticks = stat.start_ticks;
    }
    return rv;
}

apr_status_t amgr_proc_keep(amgr_proc_dir_t *dir, pid_t pid, const char *name,
                            int *out_fd)
{
    apr_status_t rv = amgr_proc_open(dir, pid, name, out_fd);

    return APR_STATUS_IS_EMFILE(rv) ? rv : amgr_proc_note(dir, name, rv);
}

apr_status_t amgr_proc_reread_statm(amgr_proc_dir_t *dir, int fd,
                                    amgr_proc_statm_t *out)
{
    char buf[STATM_LEN];
    apr_size_t len = 0;
    apr_status_t rv;

    rv = read_fd(fd, buf, sizeof(buf), &len);
    if (rv == APR_SUCCESS) {
        rv = take_statm(buf, len, out);
    }
    return amgr_proc_note(dir, "statm", rv);
}
