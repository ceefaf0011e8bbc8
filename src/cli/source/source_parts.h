/* SPDX-License-Identifier: Apache-2.0
 *
 * The sources one by one, for source.c, which chooses among them.
 */
#ifndef AMGR_SOURCE_PARTS_H
#define AMGR_SOURCE_PARTS_H

#include "cli/local/local_server.h"
#include "cli/source/source.h"

/** The board of a server on this machine, which has one (source_board.c). */
const amgr_fault_t *amgr_source_board(const amgr_local_server_t *local,
                                      int wants, amgr_source_t *out,
                                      apr_pool_t *pool);

/** Whether it is there and was not ticked for yet; may be asked again and
 * again. */
int amgr_source_board_is_new(const amgr_local_server_t *local,
                             apr_pool_t *parent);

/** A text of status.json, read from @a name (source_json.c).  Strict: numbers
 * and lengths are bounded, other schemas are a fault. */
const amgr_fault_t *amgr_source_json(const char *text, apr_size_t length,
                                     const char *name, amgr_source_t *out,
                                     apr_pool_t *pool);

/**
 * mod_status's `?auto` and, with AMGR_WANT_PROCESSES or _SLOTS, its table
 * (source_mod_status.c): @a table is NULL without.  Processes and their memory
 * are @a local's, the server's on this machine (NULL: it is elsewhere, there
 * are the table's processes without memory), and never the page's.
 */
const amgr_fault_t *amgr_source_mod_status(const char *text, const char *table,
                                           const char *name,
                                           const amgr_local_server_t *local,
                                           amgr_source_t *out,
                                           apr_pool_t *pool);

/** The processes of a server of this machine without its help
 * (source_processes.c): groups with their memory, and no figure of the
 * server. */
const amgr_fault_t *amgr_source_processes(const amgr_local_server_t *local,
                                          amgr_source_t *out, apr_pool_t *pool);

/** A data file, written by the module or the original (source_file.c). */
const amgr_fault_t *amgr_source_data_file(const char *path, amgr_source_t *out,
                                          apr_pool_t *pool);

#endif
