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
    AMGR_LONG = 1 << 1
} amgr_trait_e;

/** One answer in one format. */
typedef struct amgr_endpoint_t {
    const char *path; /**< after the place the handler is set at */
    const char *content_type;
    void (*write)(const amgr_view_t *view, amgr_sink_t *sink);
    const char *asset; /**< its text; NULL: written from a view */
    int needs;         /**< of the view: amgr_need_e, ORed */
    int traits;        /**< amgr_trait_e, ORed */
} amgr_endpoint_t;

/** How many bytes at the end of @a uri are the path of an endpoint; 0: none. */
apr_size_t amgr_endpoints_path_len(const char *uri);

/**
 * The endpoint of this path in the format that @a accept (the header, or NULL)
 * likes best, or NULL; @a out_varies: there are others, so that the answer
 * depends on Accept.
 */
const amgr_endpoint_t *amgr_endpoints_find(const char *path, const char *accept,
                                           int *out_varies);

#endif
