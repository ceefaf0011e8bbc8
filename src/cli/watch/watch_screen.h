/* SPDX-License-Identifier: Apache-2.0
 *
 * The terminal of the watch: the only file that knows of curses.  There is one
 * terminal, so there is nothing to pass around.
 */
#ifndef AMGR_WATCH_SCREEN_H
#define AMGR_WATCH_SCREEN_H

#include "cli/fault.h"
#include "cli/options/options.h"
#include "cli/watch/canvas.h"

/** No key was pressed; and the terminal is gone. */
#define AMGR_SCREEN_NO_KEY (-1)

/**
 * Take over the terminal of standard input and output; NULL on success.  The
 * caller gives it back by amgr_screen_close().
 */
const amgr_fault_t *amgr_screen_open(int color, apr_pool_t *pool);

/** Give it back as it was. */
void amgr_screen_close(void);

/** Its size by now. */
void amgr_screen_size(int *out_columns, int *out_rows);

/** Show a picture; with @a repair whatever stands there is drawn over. */
void amgr_screen_draw(const amgr_canvas_t *canvas, int repair);

/** The next key without waiting: a character, amgr_key_e, or
 * AMGR_SCREEN_NO_KEY. */
int amgr_screen_key(void);

/** Give it back and stop this process, as its user asked for by Ctrl-Z, until
 * it is continued in front, for which amgr_screen_resume() is, or one of the
 * blocked signals that end it has come. */
void amgr_screen_suspend(void);

/** Take it over again after this process was stopped; in the background stop
 * again. */
void amgr_screen_resume(void);

#endif
