/* SPDX-License-Identifier: Apache-2.0
 *
 * How long a process that failed is left alone before it is started again, and
 * when it is given up.  Pure: clock and chance are given in.  All instants are
 * of the monotonic clock; one before the last is taken for the last.
 */
#ifndef AMGR_BACKOFF_H
#define AMGR_BACKOFF_H

#include "base/base.h"

/** The highest RestartLimit that can be kept. */
#define AMGR_BACKOFF_FAILURES_MAX 128

/** Whatever is configured: so that a process that ends at once costs little. */
#define AMGR_BACKOFF_MIN_US (100 * 1000)

typedef struct amgr_backoff_rule_t {
    apr_interval_time_t delay_us; /**< the first */
    double factor;                /**< each next, of the one before */
    apr_interval_time_t max_us;
    int jitter_percent;           /**< longer or shorter by up to so much */
    apr_interval_time_t reset_us; /**< so long ready forgets all failures */
    int limit;                    /**< failures within the window are too many;
                                       0: never */
    apr_interval_time_t window_us;
} amgr_backoff_rule_t;

/** All zero: no failure is known. */
typedef struct amgr_backoff_t {
    int failures; /**< in a row, and other ends; what the delay grows by */
    int count;    /**< of those kept below */
    int newest;   /**< where the last one is */
    apr_time_t failed_mono_us[AMGR_BACKOFF_FAILURES_MAX];
} amgr_backoff_t;

void amgr_backoff_clear(amgr_backoff_t *backoff);

/** It has been ready for @a ready_us; failures are forgotten after reset_us. */
void amgr_backoff_note_ready(amgr_backoff_t *backoff,
                             const amgr_backoff_rule_t *rule,
                             apr_interval_time_t ready_us);

/** One more end that is none: the delay alone grows. */
void amgr_backoff_note_end(amgr_backoff_t *backoff);

/** One more failure.  Non-zero: that is too many. */
int amgr_backoff_note_failure(amgr_backoff_t *backoff,
                              const amgr_backoff_rule_t *rule,
                              apr_time_t now_mono_us);

/** The delay after the last failure; @a chance is at random in 0 to 1. */
apr_interval_time_t amgr_backoff_delay_us(const amgr_backoff_t *backoff,
                                          const amgr_backoff_rule_t *rule,
                                          double chance);

#endif
