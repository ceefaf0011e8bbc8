/* SPDX-License-Identifier: Apache-2.0
 *
 * Parts of status.json that have a file of their own.
 */
#ifndef AMGR_STATUS_PARTS_H
#define AMGR_STATUS_PARTS_H

#include "render/json.h"
#include "render/view.h"

/** The members of "limits" that are about further reasons to retire, and about
 * groups. */
void amgr_status_reasons(amgr_json_t *json, const amgr_view_t *view);

/** Members of "server": rates of late, the machine and its cgroup. */
void amgr_status_server(amgr_json_t *json, const amgr_view_t *view);

/** Members of a process: how fast it grows, and until when. */
void amgr_status_growth(amgr_json_t *json, const amgr_view_t *view,
                        const amgr_process_t *process);

/** The member of "manager" that sums up the last hour. */
void amgr_status_recent(amgr_json_t *json, const amgr_view_t *view);

/** "history": the samples of the span that was asked for. */
void amgr_status_history(amgr_json_t *json, const amgr_view_t *view);

/** The array of managed processes; @a table NULL: there are none. */
void amgr_status_managed(amgr_json_t *json, const amgr_managed_table_t *table);

/** One of them; @a table is the one that it is in. */
void amgr_status_managed_process(amgr_json_t *json,
                                 const amgr_managed_table_t *table,
                                 const amgr_managed_t *process);

/** Members of the object around it: all of them together, and who watches
 * them. */
void amgr_status_supervisor(amgr_json_t *json,
                            const amgr_managed_table_t *table);

#endif
