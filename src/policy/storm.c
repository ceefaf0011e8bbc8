/* SPDX-License-Identifier: Apache-2.0
 *
 * The storm breaker: when retiring does not help, since the replacements are
 * over the limit as well, it stops.  What helps is told from what does not by
 * how many were over a limit before and after.
 *
 * Processes that only wait for their strikes, whose limit is inert, that cannot
 * be signalled, that another module protects or without whom nobody serves do
 * not count: retiring neither causes nor cures them.  Nor does recycling by
 * requests, lifetime or generation: it comes to healthy processes, as many at
 * the next hour as at this one, and a replacement is never due for it at once.
 */
#include "policy/judging.h"
#include "policy/reasons.h"

static int position(const amgr_ledger_t *ledger, int back)
{
    return (ledger->storm_next + AMGR_STORM_MAX - back) % AMGR_STORM_MAX;
}

/* Whether things are better than at @a oldest, the first of the retirements
 * that would open the breaker. */
static int is_improved(const amgr_judging_t *tick,
                       const amgr_ledger_storm_t *oldest, int count)
{
    const amgr_ledger_t *ledger = tick->ledger;

    if (ledger->clear_mono_us > oldest->mono_us) {
        return 1;
    }
    /* Its own tick left none over a limit: a server that can retire all of
     * them at once is in a storm only when they are not just the few that
     * outgrew a limit among many that did not. */
    if (ledger->clear_mono_us == oldest->mono_us &&
        oldest->over_before < tick->retirable - oldest->over_before) {
        return 1;
    }
    return tick->over <= oldest->over_before - (count + 1) / 2;
}

static int is_storm(const amgr_judging_t *tick)
{
    const amgr_limits_t *limits = tick->limits;
    const amgr_ledger_t *ledger = tick->ledger;
    const amgr_ledger_storm_t *oldest;
    int count = limits->storm_count;

    if (count > AMGR_STORM_MAX) {
        count = AMGR_STORM_MAX;
    }
    if (tick->over == 0 || ledger->storm_count < count) {
        return 0;
    }
    oldest = &ledger->storm[position(ledger, count)];
    return tick->mono_us - oldest->mono_us <= limits->storm_window_us &&
           !is_improved(tick, oldest, count);
}

static void close_breaker(amgr_ledger_t *ledger)
{
    ledger->storm_open_mono_us = 0;
    ledger->storm_count = 0;
}

void amgr_storm_update(amgr_judging_t *tick)
{
    const amgr_limits_t *limits = tick->limits;
    amgr_ledger_t *ledger = tick->ledger;

    ledger->over_count = tick->over;
    if (tick->over == 0) {
        ledger->clear_mono_us = tick->mono_us;
    }
    if (limits->storm_count <= 0) {
        ledger->storm_open_mono_us = 0;
    }
    else if (ledger->storm_open_mono_us != 0) {
        if (tick->over == 0 ||
            (tick->mono_us - ledger->storm_open_mono_us) / 10 >=
                limits->storm_window_us) {
            close_breaker(ledger);
        }
    }
    else if (is_storm(tick)) {
        ledger->storm_open_mono_us = tick->mono_us == 0 ? 1 : tick->mono_us;
    }
}

void amgr_storm_settle(const amgr_judging_t *tick,
                       const amgr_decision_t *decisions, int count)
{
    int left = tick->over;
    int i;

    for (i = 0; i < count; i++) {
        left -= decisions[i].cause == AMGR_CAUSE_NONE &&
                !decisions[i].follow_up &&
                !amgr_reasons_is_routine(decisions[i].verdict) &&
                !amgr_safety_is_vetoed(
                    tick, &tick->snapshot->processes[decisions[i].process]);
    }
    if (left == 0) {
        tick->ledger->clear_mono_us = tick->mono_us;
    }
}

void amgr_storm_note(amgr_ledger_t *ledger, apr_time_t mono_us)
{
    amgr_ledger_storm_t *entry = &ledger->storm[ledger->storm_next];

    entry->mono_us = mono_us;
    entry->over_before = ledger->over_count;
    entry->reserved = 0;
    ledger->storm_next = (ledger->storm_next + 1) % AMGR_STORM_MAX;
    if (ledger->storm_count < AMGR_STORM_MAX) {
        ledger->storm_count++;
    }
}
