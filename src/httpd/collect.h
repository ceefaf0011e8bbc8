/* SPDX-License-Identifier: Apache-2.0
 *
 * One look at everything: the parent's children, their slots and memory, in
 * one snapshot.  Runs in the process that ticks.  Keeps what does not change
 * between ticks (what a foreign process is, descriptors), so that a tick reads
 * one small file per process.
 */
#ifndef AMGR_COLLECT_H
#define AMGR_COLLECT_H

#include "httpd/runtime.h"
#include "httpd/wsgi.h"
#include "proc/proc_read.h"

typedef struct amgr_collector_t amgr_collector_t;

/** What went wrong while collecting, at one tick. */
typedef struct amgr_collect_faults_t {
    int unreadable;       /**< processes whose memory or start could not be
                           read */
    int denied;           /**< of these, for missing rights */
    int contradicted;     /**< rows that name another process than the table,
                           twice in a row */
    int overrun;          /**< cut short at the time cap */
    int no_table;         /**< the table of children could not be copied */
    int failed;           /**< readings of /proc that failed, whatever they were
                           for; a process that has ended is none */
    apr_status_t failure; /**< the last of them */
} amgr_collect_faults_t;

/**
 * A collector for this server; NULL without memory.  @a in_ticker allows what
 * only the ticker may do: kept descriptors and slow reads.  Its memory is left
 * out of forks.
 */
amgr_collector_t *amgr_collector_create(const amgr_runtime_t *runtime,
                                        const amgr_wsgi_t *wsgi, int in_ticker);
void amgr_collector_destroy(amgr_collector_t *collector);

/**
 * Collect.  Returns the snapshot, which is the collector's and holds until the
 * next call.  Memory that @a limits needs beyond the resident size is read of
 * the processes that are near enough to a limit to matter.
 */
amgr_snapshot_t *amgr_collect(amgr_collector_t *collector,
                              const amgr_limits_t *limits,
                              amgr_collect_faults_t *faults);

/**
 * What the group of a process is called, of which @a index is in the snapshot
 * that was collected last.  One that is among others there has here the name
 * that it is configured by.
 */
const char *amgr_collector_group(const amgr_collector_t *collector, int index);

/** The /proc that it reads, open from amgr_collect() until the rest. */
amgr_proc_dir_t *amgr_collector_proc(amgr_collector_t *collector);

/** The tick is over.  In the parent this closes /proc, since a fork would
 * inherit the descriptor, and with it a way out of its chroot. */
void amgr_collector_rest(amgr_collector_t *collector);

#endif
