/* SPDX-License-Identifier: Apache-2.0
 *
 * For other modules: to veto, to watch and to ask for the retirement of a
 * worker process.  Nothing is linked: a module that is built with this header
 * works, and loads, without mod_apache_manager as well.
 *
 *   static int keep(const amgr_retirement_t *retirement)
 *   {
 *       return retirement->stage == AMGR_RETIREMENT_DECIDED && is_needed()
 *              ? DONE : DECLINED;
 *   }
 *   ...
 *   APR_OPTIONAL_HOOK(amgr, retirement, keep, NULL, NULL, APR_HOOK_MIDDLE);
 */
#ifndef MOD_APACHE_MANAGER_H
#define MOD_APACHE_MANAGER_H

#include <sys/types.h>

#include <apr_hooks.h>
#include <apr_optional.h>
#include <apr_optional_hooks.h>

/** Where a retirement stands. */
typedef enum amgr_retirement_stage_e {
    AMGR_RETIREMENT_DECIDED = 0, /**< nothing done yet: may be vetoed */
    AMGR_RETIREMENT_STEP,        /**< a step was taken, see the action */
    AMGR_RETIREMENT_ENDED        /**< the process is gone */
} amgr_retirement_stage_e;

/** One retirement; valid during the call.  Words are those of status.json. */
typedef struct amgr_retirement_t {
    apr_size_t size; /**< of this struct where it was filled in: members may be
                          added at its end */
    int stage;       /**< amgr_retirement_stage_e */
    pid_t pid;
    const char *group;
    const char *reason;
    const char *action;  /**< the last step: none, announce, ask, kill */
    const char *outcome;
    apr_uint64_t measured; /**< bytes, requests, or microseconds */
    apr_uint64_t limit;    /**< the same unit */
    int active;
    int requests; /**< in flight at the decision */
} amgr_retirement_t;

#define AMGR_DECLARE(type) type

/**
 * The hook.  Runs in the process that ticks: the httpd parent or a fork of it,
 * root as a rule, while nobody is reaped or forked; so it must be quick and
 * must not wait.  At the stage DECIDED any value but OK and DECLINED is a veto:
 * the process is left alone at this tick, and asked about again at the next.
 */
APR_DECLARE_EXTERNAL_HOOK(amgr, AMGR, int, retirement,
                          (const amgr_retirement_t *retirement))

/**
 * Ask for the retirement of a worker process (reason "requested").  May be
 * called in any process of the server, and does not wait: the process is
 * retired at one of the next ticks, by the same steps and rules as all others.
 * Returns APR_SUCCESS when the wish was noted, APR_NOTFOUND when @a pid is no
 * worker process that the scoreboard knows, APR_ENOTIMPL without a manager.
 */
APR_DECLARE_OPTIONAL_FN(apr_status_t, amgr_request_retirement, (pid_t pid));

#endif
