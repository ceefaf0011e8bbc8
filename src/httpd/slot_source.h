/* SPDX-License-Identifier: Apache-2.0
 *
 * The slots of a page, read from the scoreboard as the page comes to them:
 * one pass over its words at the beginning for all counts and letters, and the
 * texts of a few at a time.  What one page needs does not grow with the slots
 * of the server beyond a letter for each, and those up to a bound.
 */
#ifndef AMGR_SLOT_SOURCE_H
#define AMGR_SLOT_SOURCE_H

#include "httpd/runtime.h"
#include "render/view.h"

typedef struct amgr_slot_reader_t amgr_slot_reader_t;

/** What is made ready for besides the server's figures. */
typedef enum amgr_source_e {
    AMGR_SOURCE_LETTERS = 1 << 0, /**< those of the pass; without it they are
                                       read when they are asked for */
    AMGR_SOURCE_SLOTS = 1 << 1    /**< without it no slot can be read */
} amgr_source_e;

/**
 * For a page over @a snapshot, which has the processes of the last tick
 * without their slots; @a limits may still be filled in before the first slot
 * is read; @a what is amgr_source_e, ORed.  All are kept, and what is needed is
 * taken from @a p.  In a child.
 */
amgr_slot_reader_t *amgr_slot_source_create(const amgr_runtime_t *runtime,
                                            const amgr_limits_t *limits,
                                            amgr_snapshot_t *snapshot, int what,
                                            apr_pool_t *p);

/**
 * The pass: the server's figures, what its processes do now, and who of the
 * workers has come or gone since the tick, whatever is made ready for: all that
 * count them shall say the same.  Each of those is looked for in /proc.  Before
 * any slot is read.
 */
void amgr_slot_source_scan(amgr_slot_reader_t *reader);

/** As the view wants it. */
const amgr_slot_source_t *
amgr_slot_source_get(const amgr_slot_reader_t *reader);

#endif
