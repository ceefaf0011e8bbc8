/* SPDX-License-Identifier: Apache-2.0
 *
 * Checks: attempts of a verifier, one after the other, until one has passed
 * (Verify) or too many in a row have failed (Liveness).  Each attempt is a
 * process of its own, a child of the supervisor without its rights: whatever a
 * peer does costs this one attempt, which is killed at its time-out.
 *
 * Not for `exited` and `notify`, whose answers come from the guard.
 * All of it runs in the supervisor, and never waits.
 */
#ifndef AMGR_CHECK_H
#define AMGR_CHECK_H

#include <sys/types.h>

#include "supervise/say.h"
#include "supervise/spec/spec.h"

#define AMGR_CHECK_TEXT_LEN AMGR_MANAGED_TEXT_LEN

/**
 * A verifier of another module: runs in the process of the attempt, as the
 * managed process's user, and may do what it likes until its time is over.
 * Returns 0 when the process is ready (or alive); else says why in @a text.
 */
typedef int amgr_verify_run_fn(int argc, const char *const *argv, char *text,
                               apr_size_t size);

/** The function of this name, or NULL.  Asked in the attempt's own process,
 * right before that is called. */
typedef amgr_verify_run_fn *amgr_verify_lookup_fn(const char *name);

/** What is the same for all checks of a supervisor. */
typedef struct amgr_check_setup_t {
    amgr_teller_t teller;
    const char *fetch_program; /**< absolute: apache-manager-fetch, for http */
    const char *default_user;  /**< as amgr_guard_setup_t */
    const char *default_group;
    amgr_verify_lookup_fn *lookup; /**< NULL: there are none */
} amgr_check_setup_t;

typedef enum amgr_check_e {
    AMGR_CHECK_GOES_ON = 0,
    AMGR_CHECK_PASSED, /**< Verify: it is over.  Liveness: this attempt */
    AMGR_CHECK_FAILED, /**< Verify: retries are used up.  Liveness: too many in
                            a row.  It is over */
    AMGR_CHECK_COUNT
} amgr_check_e;

typedef struct amgr_check_t {
    const amgr_check_setup_t *setup;
    const amgr_spec_t *spec; /**< whose user, environment and directory an
                                      attempt has */
    const amgr_verify_t *verify;
    int is_liveness;
    pid_t pid;                /**< of the attempt that runs; 0: none */
    int fd;                   /**< its words; -1: none */
    int failures;             /**< in a row */
    int killed;               /**< the attempt was out of time */
    apr_time_t begun_mono_us; /**< of the attempt */
    apr_time_t due_mono_us;   /**< next attempt, or time-out of this one */
    apr_uint64_t passed;      /**< attempts; for the caller to read */
    apr_uint64_t failed;
    apr_interval_time_t last_us; /**< how long the last took; < 0: none yet */
    char text[AMGR_CHECK_TEXT_LEN]; /**< why the last failed, escaped; empty
                                         when it has passed */
    apr_status_t fault; /**< why the last could not be begun; told once */
} amgr_check_t;

/** Nothing is attempted yet.  @a setup and @a spec must live as long. */
void amgr_check_init(amgr_check_t *check, const amgr_check_setup_t *setup,
                     const amgr_spec_t *spec, int is_liveness);

/** The first attempt now (Verify) or after the interval (Liveness). */
void amgr_check_begin(amgr_check_t *check, apr_time_t now_mono_us);

/** When amgr_check_look() has something to do; AMGR_NO_TIME: never, but for
 * the end of an attempt. */
apr_time_t amgr_check_due(const amgr_check_t *check);

/** Begin the next attempt when it is due, and kill one that is out of time:
 * that one has failed then.  Returns amgr_check_e, never AMGR_CHECK_PASSED. */
int amgr_check_look(amgr_check_t *check, apr_time_t now_mono_us);

/** The child @a pid was reaped.  When it was the attempt, *out_result is
 * amgr_check_e and the answer is non-zero.  Of one that was out of time it is
 * AMGR_CHECK_GOES_ON: amgr_check_look() has told already.  Every child that is
 * reaped must come by here. */
int amgr_check_reaped(amgr_check_t *check, pid_t pid, int wait_status,
                      apr_time_t now_mono_us, int *out_result);

/** Nobody had a turn for @a span_us: what is due is due so much later. */
void amgr_check_postpone(amgr_check_t *check, apr_interval_time_t span_us);

/** Nothing more: an attempt that runs is killed (and reaped by whoever reaps;
 * amgr_check_reaped() does not know it any more). */
void amgr_check_end(amgr_check_t *check);

/** Whether nobody listens at "tcp://ADDRESS:PORT" or "unix:PATH" and it could
 * be bound: APR_SUCCESS, or an errno that says why not.  Never waits. */
apr_status_t amgr_address_is_free(const char *text);

/** Whether @a text is such an address; NULL, or what is expected. */
const char *amgr_address_parse(const char *text);

#endif
