/* SPDX-License-Identifier: Apache-2.0
 *
 * What a page shows, collected in a child for one request: processes, memory
 * and verdicts of the last tick from the board, slots of now from the
 * scoreboard.  Whoever shows less collects less.
 */
#ifndef AMGR_PAGE_VIEW_H
#define AMGR_PAGE_VIEW_H

#include <httpd.h>

#include "render/view.h"

/**
 * What a writer needs besides the last tick, configuration and counters of the
 * board, and the server's figures of one pass over the scoreboard, which each
 * has.  What is not asked for is as if there were none of it.
 */
typedef enum amgr_need_e {
    AMGR_NEED_LETTERS = 1 << 0, /**< the letters, of that same pass */
    AMGR_NEED_SLOTS = 1 << 1,   /**< each slot by itself */
    AMGR_NEED_RECORDS = 1 << 2, /**< retirements, what was seen before, and the
                                     ports that tell clients apart in it */
    AMGR_NEED_HISTORY = 1 << 3, /**< of the span that the query asks for */
    AMGR_NEED_LOAD = 1 << 4,    /**< of the machine, which the kernel tells */
    AMGR_NEED_ALL = (1 << 5) - 1
} amgr_need_e;

/**
 * Fill in @a view, whose query is parsed already, with @a needs (amgr_need_e,
 * ORed), everything it points to from @a p.  APR_NOTFOUND where the module
 * could not set itself up.
 */
apr_status_t amgr_page_view_collect(amgr_view_t *view, int needs,
                                    apr_pool_t *p);

#endif
