/* SPDX-License-Identifier: Apache-2.0
 *
 * Between fork and exec: what makes a managed process, or its logger, out of a
 * fork of its guard.  Everything that may wait for others (names of users,
 * files of environment, directories on other machines) is done in the fork,
 * so that the guard goes on hearing what it is told; what goes wrong there
 * comes back through a pipe that exec closes.
 *
 * A managed process leads a session of its own; a logger stays in its guard's,
 * by which it is told from what belongs to the process.  Each leads a group,
 * has nothing open but standard input, output and error, every signal at its
 * default and unblocked, umask 022, and is killed when its guard ends
 * (PR_SET_PDEATHSIG, prctl(2); the kernel takes that away from a program that
 * is set-uid or has capabilities).
 */
#ifndef AMGR_LAUNCH_H
#define AMGR_LAUNCH_H

#include <sys/types.h>

#include "supervise/guard/guard.h"

/** What is to be started. */
typedef struct amgr_launch_t {
    const amgr_spec_t *spec; /**< NULL: a logger, which stays who we are, with
                                  our environment, in / */
    char *const *argv;       /**< the program is an absolute path */
    int in_fd;               /**< -1: /dev/null; so with the next two */
    int out_fd;
    int err_fd;
    int owns_output;          /**< out_fd is a pipe of its own: it is given to
                                    the user, who may then open /dev/stdout */
    const char *default_user; /**< see amgr_guard_setup_t */
    const char *default_group;
    const char *notify_socket; /**< value of NOTIFY_SOCKET; NULL: none */
} amgr_launch_t;

/** Why a program was not executed; travels through the pipe. */
typedef struct amgr_launch_fault_t {
    apr_int32_t stage;                /**< amgr_launch_e */
    apr_int32_t error;                /**< errno, or 0 */
    char text[AMGR_MANAGED_TEXT_LEN]; /**< what it is about, unescaped */
} amgr_launch_fault_t;

/** Fork.  APR_SUCCESS: *out_pid runs, and *out_report is to be read when it is
 * readable; else an errno.  Never waits. */
apr_status_t amgr_launch_start(const amgr_launch_t *launch, pid_t *out_pid,
                               int *out_report);

/** Read the report.  APR_EAGAIN: nothing yet; APR_EOF: it was executed, or
 * killed before (which /proc tells); APR_SUCCESS: @a out tells why it was not
 * executed.  The caller closes it. */
apr_status_t amgr_launch_report(int report, amgr_launch_fault_t *out);

#endif
