/* SPDX-License-Identifier: Apache-2.0
 *
 * Between the lines of others and `?auto`: programs read that text by its keys,
 * some of them give up over one that is there twice, and they find the
 * scoreboard at the beginning of a line.  Whatever another module writes, its
 * lines end, each has a key, which is none of ours or of mod_status's and has
 * not been there before, and they are of blanks and visible ASCII.  A line more
 * is worth less than a key twice: what cannot be remembered is left out.
 */
#ifndef AMGR_AUTO_LINES_H
#define AMGR_AUTO_LINES_H

#include "base/sink.h"
#include "render/key_set.h"

/** Longer than any key that is refused; two longer ones that begin alike are
 * taken for one. */
#define AMGR_AUTO_KEY_LEN 64

/** Lines on their way; begun by amgr_auto_lines_init(). */
typedef struct amgr_auto_lines_t {
    amgr_sink_t *sink;
    char key[AMGR_AUTO_KEY_LEN]; /**< the line so far, while its key is read */
    apr_size_t used;
    int state;           /**< what becomes of the rest of the line */
    amgr_key_set_t keys; /**< of the lines that were let through */
} amgr_auto_lines_t;

/** What is let through goes to @a sink; its keys are remembered in @a p. */
void amgr_auto_lines_init(amgr_auto_lines_t *lines, amgr_sink_t *sink,
                          apr_pool_t *p);

/** A piece of text, which may begin and end anywhere in a line. */
void amgr_auto_lines_put(amgr_auto_lines_t *lines, const char *data,
                         apr_size_t len);

/** End the last line, if nobody has. */
void amgr_auto_lines_finish(amgr_auto_lines_t *lines);

#endif
