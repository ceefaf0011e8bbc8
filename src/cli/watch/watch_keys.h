/* SPDX-License-Identifier: Apache-2.0
 *
 * What a key does to the watch.  Pure; the codes are the terminal's own
 * characters, and names for what is more than one.
 */
#ifndef AMGR_WATCH_KEYS_H
#define AMGR_WATCH_KEYS_H

#include "cli/watch/watch_model.h"

/** Keys that are no character. */
typedef enum amgr_key_e {
    AMGR_KEY_UP = 0x110000, /**< beyond every character */
    AMGR_KEY_DOWN,
    AMGR_KEY_PAGE_UP,
    AMGR_KEY_PAGE_DOWN,
    AMGR_KEY_HOME,
    AMGR_KEY_END,
    AMGR_KEY_BACK_TAB,
    AMGR_KEY_BACKSPACE,
    AMGR_KEY_ENTER
} amgr_key_e;

/** What has to be done because of it; bits. */
typedef enum amgr_key_effect_e {
    AMGR_KEY_NOTHING = 0,
    AMGR_KEY_DRAW = 1 << 0,   /**< something else is shown */
    AMGR_KEY_SORT = 1 << 1,   /**< the rows are others, or in another order */
    AMGR_KEY_READ = 1 << 2,   /**< read anew, now */
    AMGR_KEY_REPAIR = 1 << 3, /**< the screen may be garbled: draw all of it */
    AMGR_KEY_QUIT = 1 << 4
} amgr_key_effect_e;

/**
 * Change @a state as @a key asks for and return the effects (ORed).  The table
 * has @a lines of which @a page are shown at a time.
 */
int amgr_watch_key(amgr_watch_state_t *state, int key, int lines, int page);

/** Keep the scrolling within a table of so many lines. */
void amgr_watch_clamp(amgr_watch_state_t *state, int lines, int page);

#endif
