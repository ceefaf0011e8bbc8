/* SPDX-License-Identifier: Apache-2.0
 *
 * One search for a source: what it is for, how it went so far, and the pages
 * of a server as one way to succeed.
 */
#ifndef AMGR_SOURCE_SEARCH_H
#define AMGR_SOURCE_SEARCH_H

#include <apr_tables.h>

#include "cli/source/source_parts.h"

typedef struct amgr_source_search_t {
    int wants;                      /**< amgr_want_e, ORed */
    apr_interval_time_t timeout_us; /**< of one answer over HTTP */
    amgr_source_t *out;
    apr_pool_t *pool;
    apr_array_header_t *tried; /**< of const char *: what failed, and why */
    int exit_code;             /**< of the fault, when nothing succeeds */
    int late; /**< somebody took too long: another page would, too */
} amgr_source_search_t;

/** A server's pages. */
typedef struct amgr_source_pages_t {
    const char *origin;               /**< "http://host:port" */
    const char *manager;              /**< the path of manager-status */
    const char *status;               /**< of server-status, or the same */
    const amgr_local_server_t *local; /**< who serves them on this machine, as
                                           far as it is known beyond doubt */
    int is_denied; /**< it is on this machine, and this user may not know
                        which of its servers */
} amgr_source_pages_t;

/** Note one more thing that failed. */
void amgr_source_search_note(amgr_source_search_t *search,
                             const amgr_fault_t *fault);

/** status.json, else mod_status's page; whether one of them was a source. */
int amgr_source_search_pages(amgr_source_search_t *search,
                             const amgr_source_pages_t *pages);

#endif
