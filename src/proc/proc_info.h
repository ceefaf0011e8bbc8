/* SPDX-License-Identifier: Apache-2.0
 *
 * What people ask of a process: since when, of what program, whose, with what
 * arguments.  Derived from the readers, with fallbacks where a source is gone
 * or not permitted.
 *
 * These read cmdline, environ and links, and ask the system's user database:
 * any of them can block.  For the command line and the like, not for a tick.
 * A function that fails leaves an empty string in a text buffer.
 */
#ifndef AMGR_PROC_INFO_H
#define AMGR_PROC_INFO_H

#include <apr_pools.h>
#include <apr_tables.h>

#include "base/clock.h"
#include "proc/proc_read.h"

/** Room for any path the kernel tells. */
#define AMGR_PROC_TEXT_LEN 4096

/** When it started, in microseconds since the epoch, by the clocks of @a now;
 * AMGR_NO_TIME for start ticks that are not known. */
apr_time_t amgr_proc_started_us(apr_uint64_t start_ticks,
                                const amgr_instant_t *now);

/** How long it runs; APR_NOTFOUND from its end on (a zombie has ended). */
apr_status_t amgr_proc_read_runtime(amgr_proc_dir_t *dir,
                                    const amgr_proc_id_t *id,
                                    const amgr_instant_t *now,
                                    apr_interval_time_t *out_us);

/**
 * The program: the target of exe without " (deleted)", which the kernel adds
 * after an upgrade; else the first argument when it is an absolute path; else
 * APR_NOTFOUND.
 */
apr_status_t amgr_proc_read_exe_path(amgr_proc_dir_t *dir, pid_t pid,
                                     char *buf, apr_size_t size);

/**
 * The program's name: the base name of its path; else the first argument when
 * there is a program of that name on @a search_path (NULL: this process's
 * PATH); else comm.
 */
apr_status_t amgr_proc_read_exe_name(amgr_proc_dir_t *dir, pid_t pid,
                                     const char *search_path, char *buf,
                                     apr_size_t size);

/** The working directory. */
apr_status_t amgr_proc_read_cwd(amgr_proc_dir_t *dir, pid_t pid, char *buf,
                                apr_size_t size);

/** The name of a user or group id; APR_NOTFOUND for one without. */
apr_status_t amgr_user_name(uid_t uid, char *buf, apr_size_t size);
apr_status_t amgr_group_name(gid_t gid, char *buf, apr_size_t size);

/** The names of its real user and group. */
apr_status_t amgr_proc_read_user(amgr_proc_dir_t *dir, pid_t pid, char *buf,
                                 apr_size_t size);
apr_status_t amgr_proc_read_group(amgr_proc_dir_t *dir, pid_t pid, char *buf,
                                  apr_size_t size);

/**
 * The strings of cmdline or environ, all of them (up to 8 MiB), as an array of
 * const char * in @a pool.
 */
apr_status_t amgr_proc_read_strings(amgr_proc_dir_t *dir, pid_t pid,
                                    const char *name,
                                    apr_array_header_t **out,
                                    apr_pool_t *pool);

/** The value of NAME among the NAME=value of an environ; NULL without. */
const char *amgr_proc_environ_get(const apr_array_header_t *environ_strings,
                                  const char *name);

/** All processes of this program, as an array of amgr_proc_id_t ordered by
 * pid; an empty one when there are none. */
apr_status_t amgr_proc_find_exe(amgr_proc_dir_t *dir, const char *exe_path,
                                apr_array_header_t **out, apr_pool_t *pool);

#endif
