/* SPDX-License-Identifier: Apache-2.0
 *
 * A view of which nothing is known yet, for sources that tell less than a
 * board does: what they leave out stays unknown rather than 0.
 */
#ifndef AMGR_SOURCE_BLANK_H
#define AMGR_SOURCE_BLANK_H

#include "cli/source/source.h"

/** What a view is made of, to be filled in. */
typedef struct amgr_source_blank_t {
    amgr_view_t view; /**< of the parts below */
    amgr_snapshot_t snapshot;
    amgr_board_config_t config;
    amgr_counters_t counters;
    apr_pool_t *pool;
} amgr_source_blank_t;

/** A new one in @a pool, of now, with room for so many processes and slots. */
amgr_source_blank_t *amgr_source_blank_make(apr_pool_t *pool, int process_max,
                                            int slot_max);

/** Room for others. */
void amgr_source_blank_resize(amgr_source_blank_t *blank, int process_max,
                              int slot_max);

/** A process of which nothing is known, the next of the snapshot, which must
 * have room for it. */
amgr_process_t *amgr_source_blank_add(amgr_source_blank_t *blank);

#endif
