/* SPDX-License-Identifier: Apache-2.0
 *
 * How much memory a process may have: what the machine has, and what its
 * cgroup and the cgroups around that allow.  Version 2 and version 1, on a
 * host, in a container that sees its own root, and where both are mounted.
 *
 * Parsers are pure and follow proc.h: they touch their output on success only.
 */
#ifndef AMGR_PROC_CGROUP_H
#define AMGR_PROC_CGROUP_H

#include "proc/proc_read.h"

/** Longer paths of a mount are taken for unknown. */
#define AMGR_PROC_MOUNT_LEN 512

/** Where the hierarchy that limits memory is mounted; all zero: not known. */
typedef struct amgr_proc_mount_t {
    int version;                     /**< 1 or 2 */
    char root[AMGR_PROC_MOUNT_LEN];  /**< the cgroup that is mounted there */
    char point[AMGR_PROC_MOUNT_LEN]; /**< absolute path */
} amgr_proc_mount_t;

typedef struct amgr_proc_capacity_t {
    apr_uint64_t bytes; /**< the smaller of both; this and the next four:
                             AMGR_UNKNOWN */
    apr_uint64_t machine_bytes;
    apr_uint64_t available_bytes;    /**< of the machine, for new programs */
    apr_uint64_t cgroup_limit_bytes; /**< the smallest there is */
    apr_uint64_t cgroup_used_bytes;  /**< of the cgroup with that limit, its
                                          part of the page cache with it */
    int limited; /**< a cgroup allows less than the machine has */
} amgr_proc_capacity_t;

/** Nothing known. */
void amgr_proc_capacity_clear(amgr_proc_capacity_t *capacity);

/** MemTotal of /proc/meminfo, and MemAvailable, AMGR_UNKNOWN when it is not
 * there or not a number. */
apr_status_t amgr_proc_parse_meminfo(const char *buf, apr_size_t len,
                                     apr_uint64_t *out_bytes,
                                     apr_uint64_t *out_available_bytes);

/**
 * The cgroup that limits memory, from /proc/PID/cgroup: its version and its
 * path, NUL-terminated.  APR_NOTFOUND when there is none or its path does not
 * fit.
 */
apr_status_t amgr_proc_parse_cgroup(const char *buf, apr_size_t len,
                                    int *out_version, char *path,
                                    apr_size_t size);

/** One line of /proc/PID/mountinfo; APR_NOTFOUND unless it mounts the
 * hierarchy of this version that limits memory. */
apr_status_t amgr_proc_parse_mount(const char *line, apr_size_t len,
                                   int version, amgr_proc_mount_t *out);

/** memory.max or memory.limit_in_bytes, AMGR_UNKNOWN is no limit; and what is
 * in use, which is written alike. */
apr_status_t amgr_proc_parse_cgroup_limit(const char *buf, apr_size_t len,
                                          apr_uint64_t *out_bytes);

/**
 * What process @a pid may have.  @a mount is the caller's to keep between
 * calls, all zero at first: it is looked up once, since the list of mounts can
 * be long.  @a prefix stands before every path of a cgroup: "" but for
 * fixtures.  One file of /proc each for machine and process, one for each
 * cgroup up to the root, and one more for the use of the closest that has the
 * smallest limit.  A cgroup that cannot be read limits nothing.
 */
apr_status_t amgr_proc_read_capacity(amgr_proc_dir_t *dir, pid_t pid,
                                     const char *prefix,
                                     amgr_proc_mount_t *mount,
                                     amgr_proc_capacity_t *out);

#endif
