/* SPDX-License-Identifier: Apache-2.0
 *
 * What the grid and the table of workers have in common, for the two alone.
 */
#ifndef AMGR_PAGE_SLOTS_H
#define AMGR_PAGE_SLOTS_H

#include "render/page.h"

/** With more slots than this, only the busy ones are listed. */
#define AMGR_PAGE_SLOTS_MAX 2000

/** What is to be said of a request's age; both may hold. */
#define AMGR_SLOT_NEAR_LIMIT 1 /**< from four fifths of its limit on */
#define AMGR_SLOT_HANGING 2    /**< from ManagerHangingThreshold on */

int amgr_page_slot_marks(const amgr_view_t *view, const amgr_slot_t *slot);

/** "3.2s", "2m 5s of 2m, hanging": the age of the request that runs, which
 * must be known, and the @a marks it has. */
void amgr_page_slot_age(amgr_sink_t *sink, const amgr_slot_t *slot, int marks);

/** Whether the filter's text is in the pid. */
int amgr_page_pid_matches(const amgr_view_t *view,
                          const amgr_process_t *process);

/** Whether the filter's text is in what is shown of the slot: its process's
 * pid, its mode's letter, client, protocol, virtual host or request. */
int amgr_page_slot_matches(const amgr_view_t *view,
                           const amgr_process_t *process,
                           const amgr_slot_t *slot);

/** The id of its row in the table, "w-3-0", or with the prefix 'g' that of its
 * cell in the grid. */
void amgr_page_slot_id(amgr_sink_t *sink, char prefix, const amgr_slot_t *slot);

#endif
