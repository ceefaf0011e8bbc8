/* SPDX-License-Identifier: Apache-2.0
 *
 * What a view has from a board, be it one that is mapped, whose writer is at
 * work, or a copy: the same for httpd's pages and for the command line tool.
 * A writer in the middle of its work is waited for a few milliseconds, and
 * then what it writes is left out.
 */
#ifndef AMGR_VIEW_BOARD_H
#define AMGR_VIEW_BOARD_H

#include "render/view.h"

/** As amgr_board_read_tick(). */
apr_status_t amgr_view_board_tick(const amgr_board_t *board,
                                  amgr_snapshot_t *out);

/** Retirements and what was seen before; from @a p, as what follows. */
void amgr_view_board_records(amgr_view_t *view, const amgr_board_t *board,
                             apr_pool_t *p);

/** The samples of the span that the view's query asks for, and those that
 * rates are made of. */
void amgr_view_board_history(amgr_view_t *view, const amgr_board_t *board,
                             apr_pool_t *p);

/** Managed processes, where there are any; see amgr_managed_doubt(). */
void amgr_view_board_managed(amgr_view_t *view, const amgr_board_t *board,
                             apr_pool_t *p);

/** Room to put as many processes in order as the view's snapshot can have. */
void amgr_view_make_scratch(amgr_view_t *view, apr_pool_t *p);

#endif
