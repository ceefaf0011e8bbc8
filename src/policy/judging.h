/* SPDX-License-Identifier: Apache-2.0
 *
 * One judgement under way: what the parts of policy share while it lasts.
 * Internal to policy; judge.c calls the parts below in the order they stand.
 */
#ifndef AMGR_JUDGING_H
#define AMGR_JUDGING_H

#include "policy/judge.h"

typedef struct amgr_judging_t {
    const amgr_limits_t *limits;
    amgr_snapshot_t *snapshot;
    amgr_ledger_t *ledger;
    apr_time_t mono_us;
    apr_time_t wall_us;
    apr_interval_time_t since_us; /**< the previous tick; only if steady */
    int steady; /**< there was one, and no clock stepped since */
    int can_signal;
    int natives;   /**< live worker processes */
    int retirable; /**< those and WSGI daemons */
    int retiring;  /**< told to go, still there */
    int serving;   /**< natives that can take a request */
    int over;      /**< over a limit that acts, as the breaker counts */
} amgr_judging_t;

/** What the slots of a process say. */
typedef struct amgr_survey_t {
    apr_interval_time_t longest_us; /**< largest age, AMGR_NO_TIME */
    int longest_slot;               /**< its index, -1 */
    int busy;                       /**< slots that do anything at all */
    int requests;                   /**< in flight */
    int hanging;                    /**< of them, over the threshold */
    int over;                       /**< of them, over their time limit */
    int endless;                    /**< of them, without an end to wait for */
    int working;                    /**< slots in W, L or D */
    int stuck;                      /**< all slots hang or are over time */
} amgr_survey_t;

/* age.c: how long requests run, on the monotonic clock */

/** Set the clocks of the tick from its snapshot and the previous tick. */
void amgr_age_begin(amgr_judging_t *tick);

/** Fill in the request ages of a process's slots. */
void amgr_age_process(const amgr_judging_t *tick, const amgr_process_t *process,
                      const amgr_ledger_process_t *entry);

/** Sum up the slots of a process whose ages are filled in. */
void amgr_age_survey(const amgr_judging_t *tick, const amgr_process_t *process,
                     amgr_survey_t *out);

/* fresh.c: how big a child is before it has done anything */

/** Learn from a process that is seen for the first time. */
void amgr_fresh_learn(const amgr_judging_t *tick, const amgr_process_t *process,
                      const amgr_ledger_process_t *entry,
                      const amgr_survey_t *survey);

/** Fill in fresh size and inert mark of every group. */
void amgr_fresh_publish(const amgr_judging_t *tick);

/** Whether a memory limit is below the size of a fresh child of the group. */
int amgr_fresh_is_inert(const amgr_judging_t *tick,
                        const amgr_process_t *process, apr_int64_t limit_bytes);

/* safety.c: who of those over a limit may go at this tick */

/** The first rules, those that look at one process alone. */
int amgr_safety_cause(const amgr_judging_t *tick, const amgr_process_t *process,
                      const amgr_ledger_process_t *entry,
                      const amgr_decision_t *decision);

/** The rules that look at the server: choose among the candidates, which are
 * the decisions without a cause. */
void amgr_safety_choose(const amgr_judging_t *tick, amgr_decision_t *decisions,
                        int count);

/** Whether the process can take a request. */
int amgr_safety_is_serving(const amgr_process_t *process,
                           const amgr_ledger_process_t *entry,
                           const amgr_survey_t *survey);

/* ladder.c: the steps of a retirement */

/** The first step of a new one. */
int amgr_ladder_first(const amgr_judging_t *tick, const amgr_process_t *process,
                      const amgr_survey_t *survey,
                      const amgr_decision_t *decision);

/** The next step of one under way, or AMGR_STEP_NONE; sees to what its entry
 * remembers of the waiting.  @a forced: nothing is waited for any more. */
int amgr_ladder_next(const amgr_judging_t *tick, const amgr_process_t *process,
                     amgr_ledger_process_t *entry, const amgr_survey_t *survey,
                     int forced);

/** Note a step that was taken. */
void amgr_ladder_note(amgr_ledger_process_t *entry, int step,
                      apr_time_t mono_us);

/** Note that a step failed: the retirement is given up. */
void amgr_ladder_give_up(amgr_ledger_process_t *entry);

/* storm.c: the breaker */

/** Open or close it, before anything is chosen. */
void amgr_storm_update(amgr_judging_t *tick);

/** Note how many were left over a limit after choosing. */
void amgr_storm_settle(const amgr_judging_t *tick,
                       const amgr_decision_t *decisions, int count);

/** Note a retirement that was carried out. */
void amgr_storm_note(amgr_ledger_t *ledger, apr_time_t mono_us);

#endif
