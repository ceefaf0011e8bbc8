/* SPDX-License-Identifier: Apache-2.0
 *
 * The judgement: a pure function from what is true, what is allowed and what
 * is remembered to what should be done.  Sends nothing, reads no clock.
 */
#ifndef AMGR_JUDGE_H
#define AMGR_JUDGE_H

#include "policy/ladder.h"
#include "policy/ledger.h"
#include "policy/measure.h"

/** What is to be done about one process over its limit. */
typedef struct amgr_decision_t {
    int process;             /**< index into the snapshot's processes */
    int verdict;             /**< amgr_verdict_e: which limit */
    int cause;               /**< AMGR_CAUSE_NONE: retire it; else why not */
    int announce;            /**< count and log it: new since the last tick */
    int step;                /**< amgr_step_e: how it is retired, cause NONE */
    int follow_up;           /**< the next step of a retirement under way */
    int force;               /**< nothing is waited for: straight to the kill */
    int slot;                /**< index of the slot that decided, -1: none */
    int requests;            /**< in flight in the process, -1: nobody knows */
    apr_uint64_t measured;   /**< bytes, microseconds or requests */
    apr_uint64_t limit;      /**< the same unit */
    apr_uint64_t gain_bytes; /**< memory_total: freed for each request lost */
    int demanded;            /**< somebody's order, see demand.h */
} amgr_decision_t;

/**
 * Judge every process of @a snapshot.
 *
 * Fills in the snapshot's request ages, verdicts, causes, states (retiring),
 * hanging count, sections, whether the storm breaker is open, the workers'
 * anonymous memory when its sum is limited, and the groups' fresh size and
 * inert mark; updates @a ledger;
 * writes a decision for each process that is over a limit and for each whose
 * retirement takes its next step, ordered by pid, at most @a max
 * (process_count always suffices).  @a can_signal 0: missing
 * rights, nothing may be retired.  A process that the ledger has no room for
 * is left alone with AMGR_CAUSE_MAX_RETIRING, unannounced.
 *
 * The caller carries out the decisions with AMGR_CAUSE_NONE and tells the
 * outcome with amgr_judge_done().  Those with AMGR_CAUSE_VETO were vetoed
 * before, and their place is given to others: they are asked about anew.
 *
 * @return the number of decisions
 */
int amgr_judge(const amgr_limits_t *limits, amgr_snapshot_t *snapshot,
               amgr_ledger_t *ledger, int can_signal,
               amgr_decision_t *decisions, int max);

/**
 * Somebody vetoes a new retirement before it is carried out: the decision gets
 * AMGR_CAUSE_VETO and is told when that is news.  From the next tick on it
 * takes no place from others.
 */
void amgr_judge_veto(amgr_snapshot_t *snapshot, amgr_ledger_t *ledger,
                     amgr_decision_t *decision);

/**
 * Nobody vetoes any more what had AMGR_CAUSE_VETO when it was asked about anew:
 * its place was given to others at this tick, and it has its turn at the next.
 */
void amgr_judge_lift(amgr_snapshot_t *snapshot, amgr_ledger_t *ledger,
                     amgr_decision_t *decision);

/** What became of a step. */
typedef enum amgr_sent_e {
    AMGR_SENT_NEVER = 0, /**< nothing suggests that it would be otherwise at
                              another time */
    AMGR_SENT,
    AMGR_SENT_LATER /**< it was for want of what there may be soon */
} amgr_sent_e;

/** The step of a decision was taken or failed (@a sent: amgr_sent_e), which
 * ends the retirement; another may begin later on when that is worth while.
 * Decisions with a cause are not carried out and ignored. */
void amgr_judge_done(amgr_snapshot_t *snapshot, amgr_ledger_t *ledger,
                     const amgr_decision_t *decision, int sent);

#endif
