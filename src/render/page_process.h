/* SPDX-License-Identifier: Apache-2.0
 *
 * The rows of the page's table of processes, for page_process*.c alone.
 */
#ifndef AMGR_PAGE_PROCESS_H
#define AMGR_PAGE_PROCESS_H

#include "render/page.h"

/** A figure that is not known, and so stands last in any order. */
#define AMGR_PAGE_NO_KEY APR_INT64_MIN

/** One row. */
void amgr_page_process(const amgr_view_t *view, amgr_sink_t *sink,
                       const amgr_process_t *process);

/** Whether the filter finds anything that the row shows in words. */
int amgr_page_process_matches(const amgr_view_t *view,
                              const amgr_process_t *process);

/** The verdict that the row tells, amgr_verdict_e: what one that is retiring
 * was found to be, though it may be idle by now or have given memory back. */
int amgr_page_shown_verdict(const amgr_view_t *view,
                            const amgr_process_t *process);

/** Whole percent of @a limit_bytes that the measured memory is, at most
 * 10,000; AMGR_PAGE_NO_KEY without a limit or a measure. */
apr_int64_t amgr_page_percent(const amgr_view_t *view,
                              const amgr_process_t *process,
                              apr_int64_t limit_bytes);

/** Heading of the metric's column; empty for resident memory, which has one
 * anyway. */
const char *amgr_page_metric_title(int metric);

#endif
