/* SPDX-License-Identifier: Apache-2.0
 *
 * For other modules: to veto, to watch and to ask for the retirement of a
 * worker process, and to say when a managed process is ready.  Nothing is
 * linked: a module that is built with this header works, and loads, without
 * mod_apache_manager as well.
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
    const char *action; /**< the last step: none, announce, ask, kill */
    const char *outcome;
    apr_uint64_t measured; /**< bytes, requests, or microseconds */
    apr_uint64_t limit;    /**< the same unit */
    int active;
    int requests; /**< in flight at the decision, -1: nobody knows */
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

/** What verifiers are registered under, see amgr_verifier_t. */
#define AMGR_VERIFIER_GROUP "apache_manager_verifier"
#define AMGR_VERIFIER_VERSION "1"

/**
 * A verifier: `Verify NAME ARG...` and `Liveness NAME ARG...` of a
 * <ManagedProcess> section ask it.  Registered while hooks are, and valid as
 * long as the configuration:
 *
 *   static const amgr_verifier_t queue = {sizeof(queue), run, NULL};
 *   ...
 *   ap_register_provider(p, AMGR_VERIFIER_GROUP, "queue",
 *                        AMGR_VERIFIER_VERSION, &queue);
 *
 * The supervisor lives across restarts of the server: it knows the verifiers,
 * and runs their code, as they were when it was started.  After an update of
 * the module the server must be stopped and started.
 */
typedef struct amgr_verifier_t {
    apr_size_t size; /**< of this struct: members may be added at its end */
    /**
     * One attempt: 0 when the process is ready (or alive); else why not, one
     * line of at most @a size bytes with the NUL, in @a text.  Runs in a
     * process of its own, as the managed process's user, without descriptors of
     * httpd, which is killed when its time is over; so it may wait and may
     * crash.  @a argv are the words behind the name, ending in NULL.
     */
    int (*run)(int argc, const char *const *argv, char *text, apr_size_t size);
    /**
     * While the configuration is read: NULL, or what is expected of the words,
     * for the sentence "(expected ...)".  NULL: all words are taken.
     */
    const char *(*check)(int argc, const char *const *argv, apr_pool_t *pool);
} amgr_verifier_t;

#endif
