/* SPDX-License-Identifier: Apache-2.0
 *
 * The text of the report, apart from where it goes.
 */
#ifndef AMGR_REPORT_H
#define AMGR_REPORT_H

#include "cli/source/source.h"

/** Write the report of @a source; @a colored puts its headings in green. */
void amgr_report_write(const amgr_source_t *source, int colored,
                       amgr_sink_t *sink);

#endif
