/* SPDX-License-Identifier: Apache-2.0
 *
 * What a page shows, collected in a child for one request: processes, memory
 * and verdicts of the last tick from the board, slots of now from the
 * scoreboard.
 */
#ifndef AMGR_PAGE_VIEW_H
#define AMGR_PAGE_VIEW_H

#include <httpd.h>

#include "render/view.h"

/**
 * Fill in @a view, everything it points to from @a p.  APR_NOTFOUND where the
 * module could not set itself up.
 */
apr_status_t amgr_page_view_collect(amgr_view_t *view, apr_pool_t *p);

/**
 * Add the history of the span that the view's query asks for, and the newest
 * samples for rates, to a view that was collected.
 */
void amgr_page_view_history(amgr_view_t *view, apr_pool_t *p);

#endif
