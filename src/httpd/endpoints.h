/* SPDX-License-Identifier: Apache-2.0
 *
 * What the handler answers: a table of addresses, formats and writers, and
 * nothing of how an answer is made.
 */
#ifndef AMGR_ENDPOINTS_H
#define AMGR_ENDPOINTS_H

#include "render/view.h"

/** What the page is to those who ask for it with `?auto`: no path can be. */
#define AMGR_ENDPOINT_AUTO "?auto"

/** How an answer is sent. */
typedef enum amgr_trait_e {
    /** Asked for again and again by one reader. */
    AMGR_LIVE = 1 << 0,
    /** As long as the server is large: it is sent as it is written, without
     * its length, and HEAD writes none of it. */
    AMGR_LONG = 1 << 1,
    /** DELETE on it stops all managed processes. */
    AMGR_STOPS_ALL = 1 << 2
} amgr_trait_e;

/** One answer in one format. */
typedef struct amgr_endpoint_t {
    const char *path; /**< after the place the handler is set at */
    const char *content_type;
    void (*write)(const amgr_view_t *view, amgr_sink_t *sink);
    const char *asset; /**< its text; NULL: written from a view */
    int needs;         /**< of the view: amgr_need_e, ORed */
    int traits;        /**< amgr_trait_e, ORed */
    int (*status)(const amgr_view_t *view); /**< of the answer; NULL: 200 */
} amgr_endpoint_t;

/** An address at which a managed process is ordered something. */
typedef struct amgr_endpoint_order_t {
    char name[AMGR_MANAGED_NAME_LEN]; /**< as the client has it; there may be no
                                           such process */
    const char *verb;                 /**< start, stop or restart */
} amgr_endpoint_order_t;

/** How many bytes at the end of @a uri are the path of an endpoint or of an
 * order; 0: none. */
apr_size_t amgr_endpoints_path_len(const char *uri);

/** Whether @a uri is below the address of an endpoint, wherever that may be:
 * nothing ever is, and whoever may read the one need not be allowed to read
 * another below it. */
int amgr_endpoints_is_above(const char *uri);

/**
 * The endpoint of this path in the format that @a accept (the header, or NULL)
 * likes best, or NULL; @a out_varies: there are others, so that the answer
 * depends on Accept.
 */
const amgr_endpoint_t *amgr_endpoints_find(const char *path, const char *accept,
                                           int *out_varies);

/** Whether @a path is /processes/NAME/VERB. */
int amgr_endpoints_find_order(const char *path, amgr_endpoint_order_t *out);

/** What stands behind /processes/ in @a path, where orders are; NULL: it is not
 * of that kind. */
const char *amgr_endpoints_order_part(const char *path);

#endif
