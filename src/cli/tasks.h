/* SPDX-License-Identifier: Apache-2.0
 *
 * What the tool does, a function for each task; main.c calls them in the order
 * of amgr_task_e.  Each returns NULL, or the fault that ends the run.
 */
#ifndef AMGR_TASKS_H
#define AMGR_TASKS_H

#include "cli/options/options.h"
#include "cli/source/source.h"

/** What a kill run did, for the data file that is written after it. */
typedef struct amgr_kill_result_t {
    int killed_active; /**< in a dry run: would have been */
    int killed_idle;
    int counted; /**< by the module too: its counters have them already */
} amgr_kill_result_t;

/** The report: the original's lines, then what it could not know
 * (task_report.c). */
void amgr_task_report(const amgr_options_t *options,
                      const amgr_source_t *source);

/** status.json on standard output (task_json.c). */
const amgr_fault_t *amgr_task_json(const amgr_source_t *source,
                                   apr_pool_t *pool);

/** Zabbix's discovery on standard output (task_discovery.c). */
const amgr_fault_t *amgr_task_discovery(const amgr_options_t *options,
                                        apr_pool_t *pool);

/** Managed processes on standard output (task_processes.c): a line each, or
 * with --json the answer to GET /processes. */
const amgr_fault_t *amgr_task_processes(const amgr_options_t *options,
                                        const amgr_source_t *source,
                                        apr_pool_t *pool);

/** Some of them, each with all that is known of it (task_status.c). */
const amgr_fault_t *amgr_task_status(const amgr_options_t *options,
                                     const amgr_source_t *source,
                                     apr_pool_t *pool);

/** Give the supervisor of a server on this machine orders for its managed
 * processes, and wait for what comes of them (task_order.c). */
const amgr_fault_t *amgr_task_order(const amgr_options_t *options,
                                    const amgr_target_t *target,
                                    apr_pool_t *pool);

/** Write the data file, whole or not at all (task_collect.c). */
const amgr_fault_t *amgr_task_collect(const amgr_options_t *options,
                                      const amgr_source_t *source,
                                      const amgr_kill_result_t *killed,
                                      apr_pool_t *pool);

/** Retire what is over the limits of @a options (task_kill.c). */
const amgr_fault_t *amgr_task_kill(const amgr_options_t *options,
                                   const amgr_target_t *target,
                                   amgr_kill_result_t *out, apr_pool_t *pool);

/** The top (task_watch.c): until somebody ends it, or once. */
const amgr_fault_t *amgr_task_watch(const amgr_options_t *options,
                                    const amgr_target_t *target,
                                    apr_pool_t *pool);

/** The server's processes as a tree on standard output (task_tree.c). */
const amgr_fault_t *amgr_task_tree(const amgr_options_t *options,
                                   const amgr_target_t *target,
                                   apr_pool_t *pool);

#endif
