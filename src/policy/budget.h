/* SPDX-License-Identifier: Apache-2.0
 *
 * The time limits that requests have of their own, and the one word in which
 * a child notes which of them its request obeys.
 *
 * The parent keeps the limits; a child notes the index of one, which request
 * it is for, and what its time does.  All of it in one word, so that no reader
 * ever pairs the index of one request with the stamp of another.  The word is
 * in memory that every child can write: what it says is never more than a
 * choice among the limits of the configuration.
 */
#ifndef AMGR_BUDGET_H
#define AMGR_BUDGET_H

#include "base/units.h"

/** What a limit counts that is exempt without being named. */
typedef enum amgr_counts_e {
    AMGR_COUNTS_UPLOADS = 1,  /**< time in which the body is received */
    AMGR_COUNTS_STREAMS = 2,  /**< time in which the answer is sent */
    AMGR_COUNTS_UPGRADES = 4, /**< time after a switch of protocols */
} amgr_counts_e;

/** One configured limit. */
typedef struct amgr_budget_t {
    apr_interval_time_t max_time_us; /**< AMGR_LIMIT_OFF: none */
    apr_int32_t counts;              /**< amgr_counts_e, or'ed */
    apr_int32_t reserved;
} amgr_budget_t;

#define AMGR_BUDGETS_MAX 1000 /**< different limits there can be */

/** Every limit that was configured since the server was started: the indexes
 * stay, since requests outlive the configuration they were begun under. */
typedef struct amgr_budgets_t {
    apr_int32_t count;
    apr_int32_t reserved;
    amgr_budget_t all[AMGR_BUDGETS_MAX];
} amgr_budgets_t;

/** What a request's time does now. */
typedef enum amgr_phase_e {
    AMGR_PHASE_RUNNING = 0, /**< it runs */
    AMGR_PHASE_RECEIVING,   /**< the server waits for the request's body */
    AMGR_PHASE_SENDING,     /**< the server waits for the client to take it */
    AMGR_PHASE_ENDLESS,     /**< upgraded, or a stream of events */
    AMGR_PHASE_COUNT
} amgr_phase_e;

/** What a note says of a request, checked. */
typedef struct amgr_timing_t {
    apr_interval_time_t max_time_us; /**< AMGR_LIMIT_OFF: none */
    apr_uint32_t restamp;            /**< another one: the time began anew */
    apr_int32_t paused;
    apr_int32_t endless;
} amgr_timing_t;

/**
 * Parse the arguments of ManagerMaxTime: a duration or Off, then words.
 * Returns NULL, or what was expected in the place of @a out_wrong.
 */
const char *amgr_budget_parse(int argc, char *const argv[], amgr_budget_t *out,
                              const char **out_wrong);

int amgr_budget_equal(const amgr_budget_t *left, const amgr_budget_t *right);

/** The index of this limit in the table, from 1, added when it is new; 0 when
 * the table is full. */
int amgr_budgets_add(amgr_budgets_t *table, const amgr_budget_t *budget);

/** The word for a request that began at @a start_us.  @a index 0: the server's
 * own limit.  @a restamp counts how often its time began anew, and wraps. */
apr_uint64_t amgr_budget_note(apr_time_t start_us, int index, int phase,
                              apr_uint32_t restamp);

/** When the request of a note began, given a time not far from it. */
apr_time_t amgr_budget_note_start(apr_uint64_t note, apr_time_t near_us);

/** Whether a note is about the request that began at @a start_us. */
int amgr_budget_is_about(apr_uint64_t note, apr_time_t start_us);

/**
 * What a note says.  An index that is no limit's is taken for the server's
 * own; a phase that the limit does not exempt is taken for running.
 */
void amgr_budget_read(const amgr_budgets_t *table, const amgr_budget_t *own,
                      apr_uint64_t note, amgr_timing_t *out);

#endif
