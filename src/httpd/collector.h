/* SPDX-License-Identifier: Apache-2.0
 *
 * The inside of a collector, shared by the files that collect: collect.c lists
 * processes and slots, collect_foreign.c tells what those are that the MPM did
 * not fork, collect_memory.c reads memory.  Nobody else's business.
 */
#ifndef AMGR_COLLECTOR_H
#define AMGR_COLLECTOR_H

#include "httpd/collect.h"
#include "httpd/scoreboard.h"
#include "proc/proc_cgroup.h"

/** What is known of a process from earlier ticks. */
typedef struct amgr_known_t {
    amgr_proc_id_t id;
    int role; /**< amgr_role_e */
    int wsgi; /**< index of its WSGI group */
    int threads;
    int statm_fd;     /**< kept by the ticker, -1: none */
    int contradicted; /**< its row named another process last time */
    apr_uint64_t swap_bytes; /**< AMGR_UNKNOWN before the first look */
} amgr_known_t;

struct amgr_collector_t {
    apr_size_t size; /**< of this whole block of memory */
    const amgr_runtime_t *runtime;
    const amgr_wsgi_t *wsgi;
    int in_ticker;
    int max;           /**< processes there is room for */
    unsigned int turn; /**< ticks so far */
    int cursor;        /**< where an overrun tick left off */
    int slow_cursor;   /**< the same of the slow figures */
    int status_reads;  /**< of this tick */
    amgr_proc_mount_t mount;       /**< where cgroups are, once looked up */
    amgr_proc_capacity_t capacity; /**< as it was read last */
    apr_time_t capacity_mono_us;   /**< when that was, 0: never */
    const amgr_limits_t *limits; /**< of this tick */
    amgr_proc_dir_t proc;
    amgr_snapshot_t snapshot;
    amgr_known_t *known;  /**< of this tick, beside snapshot.processes */
    amgr_known_t *before; /**< of the tick before, ordered by pid */
    int before_count;
    amgr_child_t *children;
    pid_t *pids;
    apr_uint64_t *numbers;
    amgr_slots_cpu_t parent_cpu;  /**< of the parent and those it has reaped */
    amgr_slots_cpu_t foreign_cpu; /**< of its foreign children that are there */
};

/** What is known of this very process, moved to this tick; else nothing. */
void amgr_collector_recall(amgr_collector_t *collector, int *cursor,
                           const amgr_proc_id_t *id, amgr_known_t *out);

/** The next process of the snapshot. */
amgr_process_t *amgr_collector_append(amgr_collector_t *collector,
                                      const amgr_known_t *known);

/** Add the time of a process, and of those it has waited for. */
void amgr_collector_add_cpu(amgr_slots_cpu_t *sum,
                            const amgr_proc_stat_t *stat);

/** A child of the parent that is not known as the MPM's; @a unheard as in the
 * table. */
void amgr_collect_foreign(amgr_collector_t *collector, int *cursor, pid_t pid,
                          int unheard, amgr_collect_faults_t *faults);

/** What is known of the process that had this pid at the tick before, moved to
 * this tick; 0: there was none. */
int amgr_collector_recall_pid(amgr_collector_t *collector, int *cursor,
                              pid_t pid, amgr_known_t *out);

/** Close what is kept open of a process. */
void amgr_known_drop(amgr_known_t *known);

/** Whether a child of the table has ended, and its pid is nobody's or another's
 * by now; 0 where that cannot be seen. */
int amgr_collector_has_ended(amgr_collector_t *collector,
                             const amgr_proc_id_t *id);

/** Resident sizes of all, and the rest in turn; drops who has ended. */
void amgr_collect_memory(amgr_collector_t *collector,
                         const amgr_limits_t *limits,
                         amgr_collect_faults_t *faults);

/** What memory the server may have, into the snapshot. */
void amgr_collect_capacity(amgr_collector_t *collector);

/** The figures that take the process's own lock: in the ticker alone. */
void amgr_collect_slow_memory(amgr_collector_t *collector,
                              const amgr_limits_t *limits,
                              amgr_collect_faults_t *faults);

#endif
