/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading /proc through a directory handle, so that a fixture tree can stand
 * in for it.  No pool, no allocation: callers pass storage.
 *
 * A process that vanishes at any moment is an ordinary result: APR_NOTFOUND
 * (ENOENT, ESRCH, or an empty file, as the kernel gives to a zombie).  Missing
 * rights are APR_EACCES, malformed content APR_EGENERAL.  Other errors come
 * back as they are.  Outputs are touched on success only.  A handle is for one
 * thread at a time, because of its counters.
 */
#ifndef AMGR_PROC_READ_H
#define AMGR_PROC_READ_H

#include <apr_pools.h>

#include "proc/proc.h"

/** The files that failures are counted by. */
typedef enum amgr_proc_file_e {
    AMGR_PROC_FILE_STAT = 0,
    AMGR_PROC_FILE_STATM,
    AMGR_PROC_FILE_STATUS,
    AMGR_PROC_FILE_SMAPS,
    AMGR_PROC_FILE_CMDLINE,
    AMGR_PROC_FILE_ENVIRON,
    AMGR_PROC_FILE_EXE,
    AMGR_PROC_FILE_CWD,
    AMGR_PROC_FILE_OTHER,
    AMGR_PROC_FILE_COUNT
} amgr_proc_file_e;

/** What could not be read, by cause. */
typedef struct amgr_proc_errors_t {
    apr_uint64_t vanished;
    apr_uint64_t denied;
    apr_uint64_t malformed;
    apr_uint64_t other;
} amgr_proc_errors_t;

/** An open /proc, or a tree that looks like one. */
typedef struct amgr_proc_dir_t {
    int fd;                    /**< -1 when closed */
    amgr_proc_errors_t errors; /**< counted by every reader below */
    amgr_proc_errors_t by_file[AMGR_PROC_FILE_COUNT]; /**< the same, apart */
    apr_status_t last; /**< of all but vanished, or APR_SUCCESS */
} amgr_proc_dir_t;

/** Open /proc (or a fixture) with all counters at 0. */
apr_status_t amgr_proc_dir_open(amgr_proc_dir_t *dir, const char *path);
void amgr_proc_dir_close(amgr_proc_dir_t *dir);

apr_status_t amgr_proc_read_stat(amgr_proc_dir_t *dir, pid_t pid,
                                 amgr_proc_stat_t *out);
/** An address space of size 0 (a zombie, a kernel thread) is APR_NOTFOUND:
 * there is no memory to speak of, or only other threads have it still (see
 * amgr_proc_read_left_statm()).  One openat, one read, one close. */
apr_status_t amgr_proc_read_statm(amgr_proc_dir_t *dir, pid_t pid,
                                  amgr_proc_statm_t *out);
apr_status_t amgr_proc_read_status(amgr_proc_dir_t *dir, pid_t pid,
                                   amgr_proc_status_t *out);
/** Takes the target's mmap lock: may block behind a stuck process. */
apr_status_t amgr_proc_read_smaps(amgr_proc_dir_t *dir, pid_t pid,
                                  amgr_proc_smaps_t *out);
apr_status_t amgr_proc_read_uptime(amgr_proc_dir_t *dir,
                                   apr_interval_time_t *out_us);

/**
 * The raw bytes of /proc/PID/NAME (cmdline, environ, status...), at most
 * @a size - 1, NUL-terminated within @a size; *out_len == size - 1 may mean
 * that there is more.  cmdline and environ take the target's mmap lock, and
 * are empty, hence APR_NOTFOUND, for zombies and kernel threads.
 */
apr_status_t amgr_proc_read_raw(amgr_proc_dir_t *dir, pid_t pid,
                                const char *name, char *buf, apr_size_t size,
                                apr_size_t *out_len);

/** The target of /proc/PID/NAME (exe, cwd), NUL-terminated; APR_ENAMETOOLONG
 * rather than a part of it. */
apr_status_t amgr_proc_read_link(amgr_proc_dir_t *dir, pid_t pid,
                                 const char *name, char *buf, apr_size_t size);

/**
 * The direct children of @a pid, ascending: from task/TID/children of all its
 * threads where the kernel has it (CONFIG_PROC_CHILDREN), else by scanning for
 * the parent.  Returns APR_ENOSPC when there are more than @a max; the lowest
 * are filled in.  The kernel may leave a child out when another ends during
 * the read (proc(5)): conclude nothing from one absence.
 */
apr_status_t amgr_proc_read_children(amgr_proc_dir_t *dir, pid_t pid,
                                     pid_t *out, int max, int *out_count);

/** Every pid of the tree, ascending; APR_ENOSPC as above.  A process that
 * starts or ends meanwhile may be there or not. */
apr_status_t amgr_proc_list(amgr_proc_dir_t *dir, pid_t *out, int max,
                            int *out_count);

/** Every pid, ascending, in @a pool. */
apr_status_t amgr_proc_list_all(amgr_proc_dir_t *dir, pid_t **out_pids,
                                int *out_count, apr_pool_t *pool);

/** Identity as of now: the pid with its start time. */
apr_status_t amgr_proc_read_id(amgr_proc_dir_t *dir, pid_t pid,
                               amgr_proc_id_t *out);

/* Kept descriptors: for a process that reads the same files again and again
 * (the ticker).  A kept descriptor names the process, not the pid: after its
 * end reads answer APR_NOTFOUND, even when the pid lives again. */

/** Open /proc/PID/NAME for keeping (O_CLOEXEC); the caller closes it, and
 * checks the identity after opening.  That no descriptor is left is not
 * counted: the file may still be opened to be read once. */
apr_status_t amgr_proc_keep(amgr_proc_dir_t *dir, pid_t pid, const char *name,
                            int *out_fd);
apr_status_t amgr_proc_reread_statm(amgr_proc_dir_t *dir, int fd,
                                    amgr_proc_statm_t *out);

#endif
