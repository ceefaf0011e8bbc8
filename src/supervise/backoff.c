/* SPDX-License-Identifier: Apache-2.0
 *
 * See backoff.h.
 */
#include "supervise/backoff.h"

#include <string.h>

void amgr_backoff_clear(amgr_backoff_t *backoff)
{
    memset(backoff, 0, sizeof(*backoff));
}

void amgr_backoff_note_ready(amgr_backoff_t *backoff,
                             const amgr_backoff_rule_t *rule,
                             apr_interval_time_t ready_us)
{
    if (ready_us >= rule->reset_us) {
        amgr_backoff_clear(backoff);
    }
}

/* The one of @a ago failures before the last. */
static apr_time_t failed_us(const amgr_backoff_t *backoff, int ago)
{
    int at = (backoff->newest + AMGR_BACKOFF_FAILURES_MAX - ago) %
             AMGR_BACKOFF_FAILURES_MAX;

    return backoff->failed_mono_us[at];
}

void amgr_backoff_note_end(amgr_backoff_t *backoff)
{
    if (backoff->failures < 10000) {
        backoff->failures++;
    }
}

int amgr_backoff_note_failure(amgr_backoff_t *backoff,
                              const amgr_backoff_rule_t *rule,
                              apr_time_t now_mono_us)
{
    int limit = rule->limit;

    if (limit > AMGR_BACKOFF_FAILURES_MAX) {
        limit = AMGR_BACKOFF_FAILURES_MAX;
    }
    if (backoff->count > 0 && failed_us(backoff, 0) > now_mono_us) {
        now_mono_us = failed_us(backoff, 0);
    }
    amgr_backoff_note_end(backoff);
    backoff->newest = (backoff->newest + 1) % AMGR_BACKOFF_FAILURES_MAX;
    backoff->failed_mono_us[backoff->newest] = now_mono_us;
    if (backoff->count < AMGR_BACKOFF_FAILURES_MAX) {
        backoff->count++;
    }
    return limit > 0 && backoff->count >= limit &&
           now_mono_us - failed_us(backoff, limit - 1) <= rule->window_us;
}

apr_interval_time_t amgr_backoff_delay_us(const amgr_backoff_t *backoff,
                                          const amgr_backoff_rule_t *rule,
                                          double chance)
{
    double max_us = (double)rule->max_us;
    double delay_us = (double)rule->delay_us;
    double swing = (double)rule->jitter_percent / 100.0;
    int i;

    for (i = 1; i < backoff->failures && delay_us < max_us; i++) {
        if (rule->factor <= 1.0) {
            break;
        }
        delay_us *= rule->factor;
    }
    if (delay_us > max_us) {
        delay_us = max_us;
    }
    if (!(chance >= 0.0 && chance <= 1.0)) {
        chance = 0.5;
    }
    delay_us *= 1.0 + swing * (2.0 * chance - 1.0);
    return delay_us < AMGR_BACKOFF_MIN_US ? AMGR_BACKOFF_MIN_US
                                          : (apr_interval_time_t)delay_us;
}
