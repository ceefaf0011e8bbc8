/* SPDX-License-Identifier: Apache-2.0
 *
 * Files of /proc that may be of any length: read line by line in a fixed
 * buffer, up to a budget.
 */
#ifndef AMGR_PROC_LINES_H
#define AMGR_PROC_LINES_H

#include "base/base.h"

/** How much of a file may be read. */
typedef struct amgr_proc_budget_t {
    apr_size_t file_bytes; /**< of each file */
    apr_time_t mono_us;    /**< not beyond this instant of CLOCK_MONOTONIC */
} amgr_proc_budget_t;

/** Takes a line without its end; anything but 0 ends the walk. */
typedef int amgr_proc_line_fn(void *baton, const char *line, apr_size_t len);

/**
 * Every line of @a fd from its offset on; a last one without an end, and any
 * that is longer than the kernel's are, are left out.  APR_SUCCESS at the end
 * of the file or of the walk; APR_ENOSPC: there is more than the budget;
 * APR_TIMEUP; APR_NOTFOUND: the process has ended; other errors as they are.
 */
apr_status_t amgr_proc_each_line(int fd, const amgr_proc_budget_t *budget,
                                 amgr_proc_line_fn *fn, void *baton);

#endif
