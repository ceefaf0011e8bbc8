/* SPDX-License-Identifier: Apache-2.0
 *
 * A picture as plain text, for whatever is no terminal or is to keep it.
 */
#ifndef AMGR_CANVAS_PRINT_H
#define AMGR_CANVAS_PRINT_H

#include "base/sink.h"
#include "cli/watch/canvas.h"

/** Put all lines without the blanks at their ends; with @a is_colored, styles
 * as ECMA-48 has them. */
void amgr_canvas_print(const amgr_canvas_t *canvas, int is_colored,
                       amgr_sink_t *sink);

#endif
