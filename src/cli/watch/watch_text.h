/* SPDX-License-Identifier: Apache-2.0
 *
 * The picture of the watch as lines of text: for every size there is one, and
 * everything in it comes from what is passed in.  Pure; knows no terminal.
 */
#ifndef AMGR_WATCH_TEXT_H
#define AMGR_WATCH_TEXT_H

#include "cli/source/source.h"
#include "cli/watch/canvas.h"
#include "cli/watch/watch_model.h"

/** A canvas smaller than this gets one line that says so. */
#define AMGR_WATCH_MIN_COLUMNS 40
#define AMGR_WATCH_MIN_ROWS 8

/** All that is shown. */
typedef struct amgr_watch_picture_t {
    const amgr_source_t *source; /**< the last good one; NULL: none yet */
    const amgr_watch_state_t *state;
    const amgr_watch_rows_t *rows;
    apr_interval_time_t age_us;   /**< of its figures by now; AMGR_NO_TIME */
    apr_interval_time_t read_us;  /**< since it was read */
    apr_interval_time_t slots_us; /**< since its slots and its server were as
                                       they are told */
    const char *gone;  /**< of each process, whether it has ended since; NULL:
                           not known */
    int is_asked;      /**< the server looked because it was asked to */
    const char *fault; /**< why it could not be read since; NULL: it
                                     could */
    apr_interval_time_t fault_us; /**< for how long */
    int once; /**< to be read as text: no keys, and every row */
} amgr_watch_picture_t;

/** Draw into an empty canvas.  Returns how many rows of the table are shown
 * at a time, for the keys that scroll. */
int amgr_watch_draw(const amgr_watch_picture_t *picture, amgr_canvas_t *canvas);

#endif
