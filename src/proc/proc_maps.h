/* SPDX-License-Identifier: Apache-2.0
 *
 * Looking into the memory of another process: what is mapped at an address,
 * and what stands there.  Both take the target's mmap lock and may block
 * behind a stuck process: for the ticker, whom the parent watches, and never
 * for the parent.
 */
#ifndef AMGR_PROC_MAPS_H
#define AMGR_PROC_MAPS_H

#include "proc/proc_lines.h"
#include "proc/proc_socket.h"

/** A line of /proc/PID/maps. */
typedef struct amgr_proc_mapping_t {
    apr_uint64_t start;
    apr_uint64_t end; /**< the first address beyond it */
    int is_shared;
    char name[AMGR_PROC_TARGET_LEN]; /**< any bytes; of a long path the end;
                                          empty: anonymous */
} amgr_proc_mapping_t;

/** A line without its end. */
apr_status_t amgr_proc_parse_mapping(const char *buf, apr_size_t len,
                                     amgr_proc_mapping_t *out);

/** What is mapped at @a address in @a pid (or in a thread's process);
 * APR_NOTFOUND when nothing is, or for lack of budget as
 * amgr_proc_each_line(). */
apr_status_t amgr_proc_find_mapping(amgr_proc_dir_t *dir, pid_t pid,
                                    apr_uint64_t address,
                                    const amgr_proc_budget_t *budget,
                                    amgr_proc_mapping_t *out);

/** Exactly @a size bytes at @a address; APR_NOTFOUND when they are not all
 * there. */
apr_status_t amgr_proc_read_memory(amgr_proc_dir_t *dir, pid_t pid,
                                   apr_uint64_t address, void *buf,
                                   apr_size_t size);

#endif
