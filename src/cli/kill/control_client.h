/* SPDX-License-Identifier: Apache-2.0
 *
 * Asking the ticker for a retirement, over its control socket (ManagerSocket):
 * one line of JSON each way.  Whom one talks to is settled by the kernel, not
 * by the socket's path: a child of this httpd, as the user it runs as.
 */
#ifndef AMGR_CONTROL_CLIENT_H
#define AMGR_CONTROL_CLIENT_H

#include <apr_pools.h>

#include "action/record.h"
#include "policy/demand.h"

/** A ticker that says nothing for so long does not work: so long, and some
 * more for each worker process, since it looks at all of them. */
#define AMGR_CONTROL_TIMEOUT_US (5 * APR_USEC_PER_SEC)
#define AMGR_CONTROL_WORKER_US (50 * 1000)

/** No answer is longer: some hundred bytes for each worker. */
#define AMGR_CONTROL_ANSWER_MAX (16 * 1024 * 1024)

/** What came of asking. */
typedef enum amgr_control_result_e {
    AMGR_CONTROL_DONE = 0,
    AMGR_CONTROL_ABSENT,   /**< nobody there now, as between the ticker of
                                before a restart and that of after; nobody has
                                heard the order */
    AMGR_CONTROL_AWAY,     /**< nobody to talk to, and nobody was told */
    AMGR_CONTROL_REFUSED,  /**< it says that it does not obey */
    AMGR_CONTROL_LATE,     /**< it was told, and did not answer, or not to the
                                end: it may have obeyed, or may yet */
    AMGR_CONTROL_SENSELESS /**< it was told, and what it answers is no answer:
                                likewise */
} amgr_control_result_e;

/** One retirement that was begun, or failed to. */
typedef struct amgr_control_retirement_t {
    amgr_proc_id_t id;
    int native;
    int active;
    int action;       /**< amgr_action_e */
    int outcome;      /**< amgr_outcome_e */
    const char *line; /**< of printable text */
} amgr_control_retirement_t;

typedef struct amgr_control_answer_t {
    int workers; /**< how many processes were judged */
    int syslog;  /**< the ticker writes its lines to syslog by itself */
    int is_ours; /**< it comes from root or this user, who may speak in this
                      program's name */
    apr_interval_time_t grace_us;
    amgr_control_retirement_t *retirements;
    int retirement_count;
    pid_t *vetoed; /**< left alone, since another module protects them */
    int vetoed_count;
    int unlisted; /**< more retirements than the answer has room for */
} amgr_control_answer_t;

/** The line that orders @a demand, with its end, from @a pool. */
const char *amgr_control_request(const amgr_demand_t *demand, apr_pool_t *pool);

/**
 * Read the answer to it, strictly; strings are from @a pool.  NULL on success;
 * else what is wrong, with *out_refused set when it is the ticker's own word.
 */
const char *amgr_control_parse(const char *text, apr_size_t length,
                               amgr_control_answer_t *out, int *out_refused,
                               apr_pool_t *pool);

/**
 * Ask the ticker of the httpd @a parent by the socket at @a path.  Takes
 * @a timeout_us at most.  *out_why says, escaped, why it was not done.
 */
amgr_control_result_e amgr_control_ask(const char *path,
                                       const amgr_proc_id_t *parent,
                                       const amgr_demand_t *demand,
                                       apr_interval_time_t timeout_us,
                                       amgr_control_answer_t *out,
                                       const char **out_why, apr_pool_t *pool);

/**
 * Ask the same ticker for a tick now, so that the figures on the board are of
 * this moment.  Whether it had one within @a timeout_us; else the board is as
 * it was, for whatever reason.
 */
int amgr_control_tick(const char *path, const amgr_proc_id_t *parent,
                      apr_interval_time_t timeout_us, apr_pool_t *pool);

#endif
