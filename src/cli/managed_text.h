/* SPDX-License-Identifier: Apache-2.0
 *
 * Managed processes as lines of text: one for all of them, and one for each.
 * Pure.  Names and what processes say of themselves come from elsewhere and
 * are escaped.
 */
#ifndef AMGR_MANAGED_TEXT_H
#define AMGR_MANAGED_TEXT_H

#include "render/view.h"

/** "3 ready, 1 FATAL (solr), 1 stopped", without an end of the line; with "no
 * supervisor, " before where there is none. */
void amgr_managed_put_summary(const amgr_managed_table_t *table,
                              amgr_sink_t *sink);

/** A line for each: its name, its state, and what there is to say of it. */
void amgr_managed_put_table(const amgr_view_t *view, amgr_sink_t *sink);

/** What there is to say of one, in as many words as it takes: "pid 4003,
 * uptime 2m 5s". */
void amgr_managed_put_detail(const amgr_view_t *view,
                             const amgr_managed_t *process, amgr_sink_t *sink);

#endif
