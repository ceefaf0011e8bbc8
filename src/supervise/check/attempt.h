/* SPDX-License-Identifier: Apache-2.0
 *
 * One attempt of a verifier.  It is a process of its own, a child of the
 * supervisor: it becomes the managed process's user, keeps nothing open that
 * the supervisor has, and ends with it.  What it has to say is one line, in a
 * pipe that is read when it is gone.
 *
 * The functions in the first part run in the supervisor and never wait; the
 * rest runs in the attempt, which may wait as long as it is let.
 */
#ifndef AMGR_ATTEMPT_H
#define AMGR_ATTEMPT_H

#include "supervise/check/check.h"

/** How an attempt is called in lists of processes. */
#define AMGR_ATTEMPT_COMM "apache-check"

/** What an attempt says, and what is kept of a line that a program prints. */
#define AMGR_ATTEMPT_TEXT_LEN AMGR_CHECK_TEXT_LEN

/** Whether this type of verifier is made of attempts. */
int amgr_attempt_is_for(int type);

/** Fork an attempt.  APR_SUCCESS, or an errno (there is none then). */
apr_status_t amgr_attempt_start(const amgr_check_setup_t *setup,
                                const amgr_spec_t *spec,
                                const amgr_verify_t *verify, pid_t *out_pid,
                                int *out_fd);

/** What an attempt that was reaped has said, escaped; empty when nothing.
 * Closes @a fd. */
void amgr_attempt_hear(int fd, char *text, apr_size_t size);

/** End an attempt, and all that it has started and that has not left its
 * session.  A pid that is not our child (any more) is left alone. */
void amgr_attempt_kill(pid_t pid);

/** 1: it has ended, and waits to be reaped; 0: it runs; -1: it is not our
 * child, and its pid perhaps another's. */
int amgr_attempt_has_ended(pid_t pid);

/** "no answer within 2s" */
void amgr_attempt_late_text(const amgr_verify_t *verify, char *text,
                            apr_size_t size);

/** In the attempt: what it knows, and where it says what went wrong. */
typedef struct amgr_attempt_t {
    const amgr_check_setup_t *setup;
    const amgr_spec_t *spec;
    const amgr_verify_t *verify;
    char **environment; /**< of exec: the section's; else NULL */
    pid_t supervisor;
    int program_fd;                   /**< of http: what fetches; else -1 */
    int program_error;                /**< why there is none */
    char text[AMGR_ATTEMPT_TEXT_LEN]; /**< not escaped */
} amgr_attempt_t;

/** An attempt: 0 when it has passed, else its text says why not. */
typedef int amgr_attempt_fn(amgr_attempt_t *attempt);

amgr_attempt_fn amgr_attempt_http;
amgr_attempt_fn amgr_attempt_tcp;
amgr_attempt_fn amgr_attempt_unix;
amgr_attempt_fn amgr_attempt_exec;
amgr_attempt_fn amgr_attempt_file;
amgr_attempt_fn amgr_attempt_other;

/** Say why, in a clause, and fail. */
int amgr_attempt_fail(amgr_attempt_t *attempt, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/** Fail by an errno: "WHAT: connection refused"; @a what may be NULL. */
int amgr_attempt_fail_errno(amgr_attempt_t *attempt, const char *what,
                            int error);

/** Go where the process of the section lives; 0, or it has failed. */
int amgr_attempt_enter_directory(amgr_attempt_t *attempt);

/** Signals as they are in a program that was just executed. */
void amgr_attempt_reset_signals(void);

#endif
