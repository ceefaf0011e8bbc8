/* SPDX-License-Identifier: Apache-2.0
 *
 * A program that is given a line and answers with text, watched until it has
 * ended: for fetch.c alone.
 */
#ifndef AMGR_FETCH_PROCESS_H
#define AMGR_FETCH_PROCESS_H

#include <apr_pools.h>

#include "base/base.h"

/** What it said on standard error is kept as far as this. */
#define AMGR_FETCH_COMPLAINT_LEN 600

typedef struct amgr_fetch_process_t {
    const char *const *argv;
    const char *input;           /**< a few kilobytes at most */
    apr_interval_time_t wait_us; /**< then it is killed */
    apr_size_t max_bytes;        /**< of its output; beyond, it is killed */
    const char *output;          /**< NUL-terminated beyond its length */
    apr_size_t length;
    int exit_code; /**< -1: a signal ended it, not one of ours */
    int late;      /**< killed, as its time was over */
    int too_long;  /**< killed, as it had no end */
    char complaint[AMGR_FETCH_COMPLAINT_LEN]; /**< the first line on standard
                                                   error */
} amgr_fetch_process_t;

/**
 * Run argv[0] with an environment of proxies and certificates only, and wait.
 * It is gone and reaped when this returns.  An error is one of the system: it
 * was not run.
 */
apr_status_t amgr_fetch_process_run(amgr_fetch_process_t *process,
                                    apr_pool_t *pool);

#endif
