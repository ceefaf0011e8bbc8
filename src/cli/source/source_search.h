/* SPDX-License-Identifier: Apache-2.0
 *
 * One search for a source: what it is for, how it went so far, and the ways to
 * succeed with a server that is known by its places.
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
    const char *whence; /**< where the place that is being asked stands, for the
                             next that fails; or NULL */
    int exit_code;      /**< of the fault, when nothing succeeds */
    int is_late;        /**< somebody took too long: another page would, too */
    int is_answered;    /**< somebody spoke HTTP */
    int is_asked;       /**< somebody was asked over HTTP */
    int is_orphaned;    /**< the server's parent has ended */
    const amgr_local_server_t *unread; /**< it has a board, which told nothing;
                                            NULL: none */
    int is_guessed; /**< whose processes are shown is likely, no more */
} amgr_source_search_t;

/** A place where a server may answer. */
typedef struct amgr_source_place_t {
    const char *origin; /**< "http://host:port" */
    const char *tls;    /**< the same by TLS, for one that was found and says
                             that it speaks nothing else; or NULL */
    const char *file;   /**< of the configuration that names it, or NULL */
} amgr_source_place_t;

/** What is known of the server that is looked for. */
typedef struct amgr_source_server_t {
    amgr_local_server_t local;
    int is_local;    /**< it is that one, beyond doubt */
    int is_denied;   /**< it is here, and this user may not know who it is */
    int is_listened; /**< somebody listens where it would */
    int is_named;    /**< the configuration has its port: that is an httpd's */
    const char *data_file; /**< its, or NULL */
    const char *manager_path;
    const char *status_path;
} amgr_source_server_t;

/** A server's pages. */
typedef struct amgr_source_pages_t {
    const char *origin;
    const char *tls;     /**< as of the place */
    const char *manager; /**< the path of manager-status */
    const char *status;  /**< of server-status, or the same */
    const amgr_source_server_t *server;
} amgr_source_pages_t;

/** Note one more thing that failed. */
void amgr_source_search_note(amgr_source_search_t *search,
                             const amgr_fault_t *fault);

/** Note that nobody is there to see to the workers that serve. */
void amgr_source_search_orphaned(amgr_source_search_t *search);

/** status.json, else mod_status's page; whether one of them was a source
 * (source_http.c). */
int amgr_source_search_pages(amgr_source_search_t *search,
                             const amgr_source_pages_t *pages);

/** Whose processes are shown: where this user may not know who it is, those of
 * the only server there is.  NULL: nobody's (source_http.c). */
const amgr_local_server_t *
amgr_source_search_guess(amgr_source_search_t *search,
                         const amgr_source_server_t *server);

/** Wait for the first tick of a server that has just been started, where there
 * is nothing else: whether there was one (source_server.c). */
int amgr_source_search_tick(amgr_source_search_t *search);

/** What a server whose board cannot be read tells: its pages at these places
 * (of amgr_source_place_t), until one takes too long; else what it has left in
 * its data file; else its processes alone (source_server.c). */
int amgr_source_search_server(amgr_source_search_t *search,
                              const amgr_source_server_t *server,
                              const apr_array_header_t *places);

#endif
