/* SPDX-License-Identifier: Apache-2.0
 *
 * Where the handler "manager-status" is, in the address of a request.
 *
 * A <Location> with a plain path says so.  Of a handler that was set in any
 * other way (<LocationMatch>, <Directory>, <If>, a whole server) nothing does:
 * it is taken to be at what stands before the path of an endpoint.  That is
 * good enough for reading, except below an endpoint; for orders it is not: the
 * section that lets somebody read the one would let him do the other.
 */
#ifndef AMGR_HANDLER_PLACE_H
#define AMGR_HANDLER_PLACE_H

#include <httpd.h>
#include <http_core.h>

#define AMGR_HANDLER_NAME "manager-status"

/** Why there are no orders where the place is a guess. */
#define AMGR_HANDLER_PLACE_UNKNOWN                                         \
    "orders are taken only where a <Location> with a plain path sets the " \
    "handler"

typedef struct amgr_handler_place_t {
    apr_size_t len; /**< of the part of the URI that is the page's own, without
                         a slash at its end; 0: it is at the root */
    int is_known;   /**< a <Location> says so; else it is a guess */
} amgr_handler_place_t;

/** The place of the handler that serves @a r: the longest <Location>, or the
 * guess. */
void amgr_handler_place_find(request_rec *r, amgr_handler_place_t *out);

/** Whether a section of the configuration sets our handler, for @a r. */
int amgr_handler_is_set(request_rec *r, const core_dir_config *section);

#endif
