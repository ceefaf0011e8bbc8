/* SPDX-License-Identifier: Apache-2.0
 *
 * See local_board.h.  Whom a board is of, it says itself; what it says counts
 * only when the file is that server's user's, or root's, so that nobody speaks
 * for the server of another.
 */
#include "cli/local/local_board.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <apr_strings.h>

#include "base/units.h"
#include "cli/local/local_namespace.h"

#define BOOT_ID_PATH "/proc/sys/kernel/random/boot_id"

/** A mapping that is looked for. */
typedef struct mapping_t {
    apr_pool_t *pool;
    const char *path;
} mapping_t;

/** Whose root a path goes through, 0: our own. */
static pid_t foreign_root(const char *path)
{
    static const char proc[] = "/proc/";
    char digits[16];
    const char *end;
    pid_t pid = 0;
    apr_size_t len;

    if (strncmp(path, proc, sizeof(proc) - 1) != 0) {
        return 0;
    }
    path += sizeof(proc) - 1;
    end = strchr(path, '/');
    if (end == NULL || strncmp(end, "/root/", 6) != 0) {
        return 0;
    }
    len = (apr_size_t)(end - path);
    if (len >= sizeof(digits) ||
        amgr_proc_parse_pid(path, len, &pid) != APR_SUCCESS) {
        return 0;
    }
    return pid;
}

/** As the module reads it: empty where the kernel hides it. */
static void read_boot_id(char *out, apr_size_t size)
{
    int fd = open(BOOT_ID_PATH, O_RDONLY | O_CLOEXEC);
    ssize_t got = 0;

    if (fd >= 0) {
        got = read(fd, out, size - 1);
        close(fd);
    }
    out[got > 0 ? got : 0] = '\0';
    out[strcspn(out, "\n")] = '\0';
}

/** Find the server of the board, by the pid that it has here. */
static amgr_local_board_e find_owner(const amgr_board_owner_t *owner,
                                     const char *path, amgr_local_board_t *out)
{
    char boot_id[sizeof(owner->boot_id)];
    pid_t pid = foreign_root(path);
    amgr_proc_status_t status;
    amgr_proc_dir_t proc;
    amgr_proc_stat_t stat;
    apr_status_t rv;

    read_boot_id(boot_id, sizeof(boot_id));
    if (strcmp(boot_id, owner->boot_id) != 0) {
        return AMGR_LOCAL_BOARD_STALE;
    }
    if (pid == 0) {
        pid = owner->id.pid;
    }
    rv = amgr_proc_dir_open(&proc, "/proc");
    if (rv != APR_SUCCESS) {
        out->status = rv;
        return AMGR_LOCAL_BOARD_FAILED;
    }
    /* One that nobody reaps has gone all the same. */
    if (owner->id.start_ticks == 0 ||
        amgr_proc_read_stat(&proc, pid, &stat) != APR_SUCCESS ||
        stat.start_ticks != owner->id.start_ticks || stat.state == 'Z' ||
        amgr_proc_read_status(&proc, pid, &status) != APR_SUCCESS) {
        amgr_proc_dir_close(&proc);
        return AMGR_LOCAL_BOARD_STALE;
    }
    amgr_proc_dir_close(&proc);
    out->parent.pid = pid;
    out->parent.start_ticks = stat.start_ticks;
    out->uid = status.uid[1];
    return AMGR_LOCAL_BOARD_READ;
}

static amgr_local_board_e failed(amgr_local_board_t *out, apr_status_t rv)
{
    switch (rv) {
    case ENOENT:
    case ENOTDIR:
        return AMGR_LOCAL_BOARD_NONE;
    case EACCES:
    case EPERM:
        return AMGR_LOCAL_BOARD_DENIED;
    case ELOOP: /* a link, by which anybody may mean anything */
    case ENXIO: /* a socket */
        return AMGR_LOCAL_BOARD_UNSAFE;
    case APR_ENOTIMPL:
        return AMGR_LOCAL_BOARD_ALIEN;
    case APR_EGENERAL:
        return AMGR_LOCAL_BOARD_BROKEN;
    case APR_EAGAIN:
        return AMGR_LOCAL_BOARD_BUSY;
    default:
        out->status = rv;
        return AMGR_LOCAL_BOARD_FAILED;
    }
}

/** Whether nobody but the owner can have written it. */
static int is_private(const struct stat *st)
{
    return S_ISREG(st->st_mode) && (st->st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

static amgr_local_board_e read_file(int fd, const char *path, int parts,
                                    amgr_local_board_t *out, apr_pool_t *pool)
{
    amgr_local_board_e result;
    const amgr_board_t *board;
    struct stat st;
    apr_status_t rv;

    if (fstat(fd, &st) != 0) {
        return failed(out, errno);
    }
    if (!is_private(&st)) {
        return AMGR_LOCAL_BOARD_UNSAFE;
    }
    rv = amgr_board_copy(fd, parts, &board, pool);
    if (rv != APR_SUCCESS) {
        return failed(out, rv);
    }
    result = find_owner(amgr_board_owner(board), path, out);
    if (result != AMGR_LOCAL_BOARD_READ) {
        return result;
    }
    if (st.st_uid != 0 && st.st_uid != out->uid) {
        return AMGR_LOCAL_BOARD_UNSAFE;
    }
    out->board = board;
    return AMGR_LOCAL_BOARD_READ;
}

amgr_local_board_e amgr_local_board_read(const char *path, int parts,
                                         amgr_local_board_t *out,
                                         apr_pool_t *pool)
{
    amgr_local_board_e result;
    int fd;

    memset(out, 0, sizeof(*out));
    fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
    if (fd < 0) {
        return failed(out, errno);
    }
    result = read_file(fd, path, parts, out, pool);
    close(fd);
    return result;
}

/** The kernel escapes what could end a line, and says when a file has been
 * removed; neither is a board. */
static int take_mapping(void *baton, const char *line, apr_size_t len)
{
    static const char end[] = "/" AMGR_LOCAL_BOARD_NAME;
    mapping_t *mapping = baton;
    const char *path = memchr(line, '/', len);
    apr_size_t path_len;

    if (path == NULL) {
        return 0;
    }
    path_len = len - (apr_size_t)(path - line);
    if (path_len < sizeof(end) - 1 || memchr(path, '\\', path_len) != NULL ||
        memcmp(path + path_len - (sizeof(end) - 1), end, sizeof(end) - 1) !=
            0) {
        return 0;
    }
    mapping->path = apr_pstrmemdup(mapping->pool, path, path_len);
    return 1;
}

const char *amgr_local_mapped_board(amgr_proc_dir_t *proc, pid_t pid,
                                    const amgr_proc_budget_t *budget,
                                    apr_pool_t *pool)
{
    mapping_t mapping = {pool, NULL};
    int fd;

    if (amgr_proc_keep(proc, pid, "maps", &fd) != APR_SUCCESS) {
        return NULL;
    }
    (void)amgr_proc_each_line(fd, budget, take_mapping, &mapping);
    close(fd);
    return mapping.path == NULL
               ? NULL
               : amgr_local_path(proc, pid, mapping.path, pool);
}

const amgr_fault_t *amgr_local_board_fault(int result,
                                           const amgr_local_board_t *board,
                                           const char *path, apr_pool_t *pool)
{
    static const char *const reasons[AMGR_LOCAL_BOARD_COUNT] = {
        [AMGR_LOCAL_BOARD_READ] = "its server has made no tick yet",
        [AMGR_LOCAL_BOARD_NONE] = "none",
        [AMGR_LOCAL_BOARD_DENIED] = "permission denied",
        [AMGR_LOCAL_BOARD_UNSAFE] = "not a file that its server alone writes",
        [AMGR_LOCAL_BOARD_ALIEN] = "of another version of the module",
        [AMGR_LOCAL_BOARD_BROKEN] = "not a board, or not all of it",
        [AMGR_LOCAL_BOARD_BUSY] = "written all the time",
        [AMGR_LOCAL_BOARD_STALE] = "left behind by a server that has ended",
    };
    const char *reason;

    if (result < 0 || result >= AMGR_LOCAL_BOARD_COUNT ||
        reasons[result] == NULL) {
        reason = amgr_fault_reason(pool, board->status);
    }
    else {
        reason = reasons[result];
    }
    return amgr_fault_make(
        pool,
        result == AMGR_LOCAL_BOARD_DENIED ? AMGR_EXIT_PERMISSION
                                          : AMGR_EXIT_FAILED,
        "board %s: %s", amgr_fault_quote(pool, path), reason);
}
