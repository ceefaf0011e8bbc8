/* SPDX-License-Identifier: Apache-2.0
 *
 * What /proc says of a process: plain structures, and pure parsers from the
 * bytes of one file to one structure.  Knows nothing of httpd, opens nothing.
 *
 * A parser returns APR_SUCCESS, or APR_EGENERAL for bytes that are not what
 * proc(5) describes (then the output is untouched).  Buffers need no NUL.
 * Amounts that a file does not hold are AMGR_UNKNOWN.
 */
#ifndef AMGR_PROC_H
#define AMGR_PROC_H

#include <sys/types.h>

#include "base/base.h"

/** PF_FORKNOEXEC of the kernel's sched.h: set by fork, cleared by exec.  Tells
 * httpd's own forks from the programs it starts. */
#define AMGR_PROC_FORKED_NO_EXEC 0x40u

/** PF_KTHREAD: the kernel's own, which runs no program. */
#define AMGR_PROC_KERNEL_THREAD 0x200000u

/** A process beyond doubt: a pid alone may be another's tomorrow. */
typedef struct amgr_proc_id_t {
    pid_t pid;
    apr_uint64_t start_ticks; /**< clock ticks after boot; 0 is not known */
} amgr_proc_id_t;

/** /proc/PID/stat */
typedef struct amgr_proc_stat_t {
    pid_t pid;
    char comm[64]; /**< any bytes, cut to fit, NUL-terminated */
    char state;    /**< R S D Z T W ... */
    pid_t ppid;    /**< 0 is none */
    pid_t pgrp;    /**< this and session: -1 while it is being reaped */
    pid_t session;
    unsigned int flags; /**< PF_* */
    apr_uint64_t user_ticks;
    apr_uint64_t system_ticks;
    apr_uint64_t children_user_ticks; /**< of reaped children */
    apr_uint64_t children_system_ticks;
    int threads;
    apr_uint64_t start_ticks; /**< after boot, in 1/sysconf(_SC_CLK_TCK) s */
    apr_uint64_t vsize_bytes;
    apr_uint64_t rss_bytes; /**< may lag statm by some hundred kB */
} amgr_proc_stat_t;

/** /proc/PID/statm */
typedef struct amgr_proc_statm_t {
    apr_uint64_t size_bytes;
    apr_uint64_t rss_bytes;
    apr_uint64_t shared_bytes;
    apr_uint64_t data_bytes;
} amgr_proc_statm_t;

/** The fields of /proc/PID/status that this project uses. */
typedef struct amgr_proc_status_t {
    uid_t uid[4]; /**< real, effective, saved, file system */
    gid_t gid[4];
    int threads;             /**< 0 is not known */
    apr_uint64_t rss_bytes;  /**< VmRSS */
    apr_uint64_t anon_bytes; /**< RssAnon */
    apr_uint64_t swap_bytes; /**< VmSwap */
} amgr_proc_status_t;

/** /proc/PID/smaps_rollup */
typedef struct amgr_proc_smaps_t {
    apr_uint64_t rss_bytes;
    apr_uint64_t pss_bytes;
    apr_uint64_t uss_bytes; /**< Private_Clean + Private_Dirty */
    apr_uint64_t swap_bytes;
    apr_uint64_t swap_pss_bytes;
} amgr_proc_smaps_t;

/** One "Name:\tvalue" line of /proc/PID/status; points into the buffer. */
typedef struct amgr_proc_field_t {
    const char *name;
    apr_size_t name_len;
    const char *value;
    apr_size_t value_len;
} amgr_proc_field_t;

/** A pid alone, as a directory of /proc is named: no sign, no leading 0. */
apr_status_t amgr_proc_parse_pid(const char *buf, apr_size_t len, pid_t *out);

apr_status_t amgr_proc_parse_stat(const char *buf, apr_size_t len,
                                  amgr_proc_stat_t *out);
apr_status_t amgr_proc_parse_statm(const char *buf, apr_size_t len,
                                   amgr_proc_statm_t *out);
/** Uid and Gid must be there.  A last line without end is taken for cut and
 * ignored; a field twice is a forgery and an error. */
apr_status_t amgr_proc_parse_status(const char *buf, apr_size_t len,
                                    amgr_proc_status_t *out);
/** Rss must be there; ends and doubles as above. */
apr_status_t amgr_proc_parse_smaps(const char *buf, apr_size_t len,
                                   amgr_proc_smaps_t *out);

/** Seconds since boot, from /proc/uptime, in microseconds. */
apr_status_t amgr_proc_parse_uptime(const char *buf, apr_size_t len,
                                    apr_interval_time_t *out_us);

/**
 * The next field of a status file, blanks around its value left out.  Start
 * with *cursor = 0; returns APR_EOF after the last field, APR_EGENERAL for a
 * line that is none (then the cursor stays).
 */
apr_status_t amgr_proc_next_field(const char *buf, apr_size_t len,
                                  apr_size_t *cursor, amgr_proc_field_t *out);

/** The first field of this name; APR_NOTFOUND when there is none. */
apr_status_t amgr_proc_find_field(const char *buf, apr_size_t len,
                                  const char *name, amgr_proc_field_t *out);

/**
 * The next argument of a cmdline file, or the next NAME=value of an environ
 * file.  Start with *cursor = 0; *out points into the buffer and is not
 * terminated; returns APR_EOF after the last.  Empty arguments are arguments.
 */
apr_status_t amgr_proc_next_string(const char *buf, apr_size_t len,
                                   apr_size_t *cursor, const char **out,
                                   apr_size_t *out_len);

/** Whether both name the same process; an unknown start time never matches. */
int amgr_proc_id_equal(const amgr_proc_id_t *a, const amgr_proc_id_t *b);

/** Whether no thread of the process is left.  One whose first thread has ended
 * is shown as a zombie while others of its threads go on; a zombie that waits
 * to be reaped counts one thread. */
int amgr_proc_has_ended(const amgr_proc_stat_t *stat);

/** Clock ticks to microseconds (sysconf(_SC_CLK_TCK)); AMGR_NO_TIME for more
 * than fit. */
apr_time_t amgr_proc_ticks_us(apr_uint64_t ticks);

#endif
