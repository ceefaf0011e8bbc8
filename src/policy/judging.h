/* SPDX-License-Identifier: Apache-2.0
 *
 * One judgement under way: what the parts of policy share while it lasts.
 * Internal to policy; judge.c calls the parts below in the order they stand.
 */
#ifndef AMGR_JUDGING_H
#define AMGR_JUDGING_H

#include "policy/judge.h"

/** Buckets of listening sockets that are told apart: one for some cores. */
#define AMGR_BUCKETS_MAX 256

typedef struct amgr_judging_t {
    const amgr_limits_t *limits;
    amgr_snapshot_t *snapshot;
    amgr_ledger_t *ledger;
    apr_time_t mono_us;
    apr_time_t wall_us;
    apr_interval_time_t since_us; /**< the previous tick; only if steady */
    apr_interval_time_t step_us;  /**< by which the wall clock was set since; 0:
                                      it was not */
    int steady; /**< there was one, and no clock stepped since */
    int can_signal;
    int natives;   /**< live worker processes */
    int retirable; /**< those and WSGI daemons */
    int retiring;  /**< told to go, still there, and not stuck */
    int serving;   /**< natives that can take a request */
    int bucket_serving[AMGR_BUCKETS_MAX]; /**< of them, by bucket */
    int lasting; /**< those, and as many as are going and will be replaced */
    int bucket_lasting[AMGR_BUCKETS_MAX]; /**< of them, by bucket */
    apr_uint64_t total_over; /**< by which the sum of memory is over its budget,
                                  without what is going anyway */
    int over;       /**< over a limit that acts, as the breaker counts */
    int generation; /**< the newest of any worker, -1: there is none */
} amgr_judging_t;

/** What the slots of a process say. */
typedef struct amgr_survey_t {
    apr_interval_time_t longest_us; /**< age of the request that is furthest
                                         over its limit, AMGR_NO_TIME */
    apr_interval_time_t longest_limit_us; /**< that limit */
    int longest_slot;                     /**< index of its slot, -1 */
    int busy;     /**< slots that do anything at all, and
                                         requests of HTTP/2 */
    int requests; /**< in flight */
    int hanging;  /**< of them, over the threshold */
    int over;     /**< of them, over their own time limit */
    int endless;  /**< of them, upgraded or streams */
    int working;  /**< slots in W, L or D */
    int stuck;    /**< all slots hang or are over time */
} amgr_survey_t;

/* age.c: how long requests run, on the monotonic clock */

/** Set the clocks of the tick from its snapshot and the previous tick. */
void amgr_age_begin(amgr_judging_t *tick);

/** Fill in the request ages of a process's slots and streams. */
void amgr_age_process(const amgr_judging_t *tick, const amgr_process_t *process,
                      const amgr_ledger_process_t *entry);

/** Sum up the slots of a process whose ages are filled in. */
void amgr_age_survey(const amgr_judging_t *tick, const amgr_process_t *process,
                     amgr_survey_t *out);

/** The same, with an order's limit (AMGR_LIMIT_OFF: none) in the place of each
 * request's own, unless it is AMGR_LIMIT_INHERITED. */
void amgr_age_survey_by(const amgr_judging_t *tick,
                        const amgr_process_t *process,
                        apr_interval_time_t ordered_us, amgr_survey_t *out);

/** The requests in flight in a process that was surveyed, or -1: nobody knows,
 * since it has no row that tells. */
int amgr_age_requests(const amgr_judging_t *tick, const amgr_process_t *process,
                      const amgr_survey_t *survey);

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

/** Whether another module vetoed it when it was asked last. */
int amgr_safety_is_vetoed(const amgr_judging_t *tick,
                          const amgr_process_t *process);

/** The rules that look at the server: choose among the candidates, which are
 * the decisions without a cause.  One that was vetoed gets AMGR_CAUSE_VETO
 * where there is no place for it beside the others. */
void amgr_safety_choose(const amgr_judging_t *tick, amgr_decision_t *decisions,
                        int count);

/** Whether nothing about the process itself forbids to choose it. */
int amgr_safety_may_go(const amgr_judging_t *tick,
                       const amgr_process_t *process,
                       const amgr_ledger_process_t *entry);

/** Whether it would be the last that serves, or of too few, also once all that
 * are going are replaced: not only for now. */
int amgr_safety_has_to_stay(const amgr_judging_t *tick,
                            const amgr_process_t *process,
                            const amgr_ledger_process_t *entry,
                            const amgr_survey_t *survey);

/** The bucket of a worker process, or -1 when it does not matter. */
int amgr_safety_bucket(const amgr_judging_t *tick,
                       const amgr_process_t *process);

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

/** Whether it outlives its SIGKILL: it hangs in the kernel, and nobody can tell
 * for how long. */
int amgr_ladder_is_stuck(const amgr_ledger_process_t *entry,
                         apr_time_t mono_us);

/** Note that a step failed: the retirement is given up.  @a failed:
 * amgr_failed_e. */
void amgr_ladder_give_up(amgr_ledger_process_t *entry, int failed,
                         apr_time_t mono_us);

/** Whether it is not worth while to try it again at this time. */
int amgr_ladder_has_failed(const amgr_ledger_process_t *entry,
                           apr_time_t mono_us);

/* judge.c */

/** Whether the process is going anyway: told to, or over a memory or time
 * limit with nothing about it that holds it back. */
int amgr_judge_is_leaving(const amgr_judging_t *tick,
                          const amgr_process_t *process,
                          const amgr_ledger_process_t *entry);

/* reasons.c: what a process has done and how long it has lived */

/** Find the newest generation. */
void amgr_reasons_begin(amgr_judging_t *tick);

/** Remember since when a process is of an older one. */
void amgr_reasons_note(const amgr_judging_t *tick,
                       const amgr_process_t *process,
                       amgr_ledger_process_t *entry);

/** Judge by the hard limit, by one that is inert or by one that is not; @a
 * decision is filled in when it holds, as by the next one. */
int amgr_reasons_hard(const amgr_judging_t *tick, const amgr_process_t *process,
                      int inert, amgr_decision_t *decision);

/** Judge by what comes to every process in time. */
int amgr_reasons_routine(const amgr_judging_t *tick,
                         const amgr_process_t *process,
                         const amgr_ledger_process_t *entry,
                         amgr_decision_t *decision);

/** The strikes that count for the decision. */
int amgr_reasons_strikes(const amgr_judging_t *tick,
                         const amgr_ledger_process_t *entry,
                         const amgr_decision_t *decision);

/** Whether a process that was asked to go has no time left for that: it is
 * over its hard limit, or has outlived its generation. */
int amgr_reasons_is_forced(const amgr_judging_t *tick,
                           const amgr_process_t *process);

/* total.c: the budget of all together */

/** Give the verdict MEMORY_TOTAL to whom the budget chooses, which is as many
 * as are needed besides those that will stay, and UNKNOWN to all others;
 * @a scratch is room for @a max candidates. */
void amgr_total_mark(amgr_judging_t *tick, amgr_decision_t *scratch, int max);

/** Fill in the decision about one that was chosen. */
int amgr_total_take(const amgr_judging_t *tick, const amgr_survey_t *survey,
                    const amgr_process_t *process, amgr_decision_t *decision);

/* storm.c: the breaker */

/** Open or close it, before anything is chosen. */
void amgr_storm_update(amgr_judging_t *tick);

/** Note how many were left over a limit after choosing. */
void amgr_storm_settle(const amgr_judging_t *tick,
                       const amgr_decision_t *decisions, int count);

/** Note a retirement that was carried out. */
void amgr_storm_note(amgr_ledger_t *ledger, apr_time_t mono_us);

#endif
