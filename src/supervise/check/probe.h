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
#ifndef AMGR_PROBE_H
#define AMGR_PROBE_H

#include "supervise/check/check.h"

/** How an attempt is called in lists of processes. */
#define AMGR_PROBE_COMM "apache-check"

/** What an attempt says, and what is kept of a line that a program prints. */
#define AMGR_PROBE_TEXT_LEN AMGR_CHECK_TEXT_LEN

/** Whether this type of verifier is made of attempts. */
int amgr_probe_is_one(int type);

/** Fork an attempt.  APR_SUCCESS, or an errno (there is none then). */
apr_status_t amgr_probe_start(const amgr_check_setup_t *setup,
                              const amgr_spec_t *spec,
                              const amgr_verify_t *verify, pid_t *out_pid,
                              int *out_fd);

/** What an attempt that was reaped has said, escaped; empty when nothing.
 * Closes @a fd. */
void amgr_probe_hear(int fd, char *text, apr_size_t size);

/** End an attempt, and all that it has started and that has not left its
 * session.  A pid that is not our child (any more) is left alone. */
void amgr_probe_kill(pid_t pid);

/** 1: it has ended, and waits to be reaped; 0: it runs; -1: it is not our
 * child, and its pid perhaps another's. */
int amgr_probe_has_ended(pid_t pid);

/** "no answer within 2s" */
void amgr_probe_late_text(const amgr_verify_t *verify, char *text,
                          apr_size_t size);

/** In the attempt: what it knows, and where it says what went wrong. */
typedef struct amgr_probe_t {
    const amgr_check_setup_t *setup;
    const amgr_spec_t *spec;
    const amgr_verify_t *verify;
    char **environment; /**< of exec: the section's; else NULL */
    pid_t supervisor;
    int program_fd;                 /**< of http: what fetches; else -1 */
    int program_error;              /**< why there is none */
    char text[AMGR_PROBE_TEXT_LEN]; /**< not escaped */
} amgr_probe_t;

/** An attempt: 0 when it has passed, else its text says why not. */
typedef int amgr_probe_fn(amgr_probe_t *probe);

amgr_probe_fn amgr_probe_http;
amgr_probe_fn amgr_probe_tcp;
amgr_probe_fn amgr_probe_unix;
amgr_probe_fn amgr_probe_exec;
amgr_probe_fn amgr_probe_file;
amgr_probe_fn amgr_probe_other;

/** Say why, in a clause, and fail. */
int amgr_probe_fail(amgr_probe_t *probe, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/** Fail by an errno: "WHAT: connection refused"; @a what may be NULL. */
int amgr_probe_fail_errno(amgr_probe_t *probe, const char *what, int error);

/** Go where the process of the section lives; 0, or it has failed. */
int amgr_probe_enter_directory(amgr_probe_t *probe);

/** Signals as they are in a program that was just executed. */
void amgr_probe_reset_signals(void);

#endif
