/* SPDX-License-Identifier: Apache-2.0
 *
 * See say.h.
 */
#include "supervise/say.h"

#include <stdarg.h>
#include <stdio.h>

void amgr_say(const amgr_teller_t *teller, int what, int level, int error,
              const char *format, ...)
{
    char text[1024];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    teller->line(teller->baton, what, level, error, text);
}
