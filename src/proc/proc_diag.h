/* SPDX-License-Identifier: Apache-2.0
 *
 * TCP sockets from the kernel's socket diagnostics, of this process's own
 * network namespace alone.  The kernel leaves out at once those whose state is
 * not asked for, while the tables under /proc/PID/net have a line for every
 * connection that waits for its end: megabytes on a busy host.
 */
#ifndef AMGR_PROC_DIAG_H
#define AMGR_PROC_DIAG_H

#include "proc/proc_socket.h"

/** States of the kernel's include/net/tcp_states.h. */
#define AMGR_TCP_TIME_WAIT 6
#define AMGR_TCP_LISTEN 10
#define AMGR_TCP_NEW_SYN_RECV 12

/** What can belong to a descriptor. */
#define AMGR_TCP_OWNED \
    (((1u << AMGR_TCP_NEW_SYN_RECV) - 2) & ~(1u << AMGR_TCP_TIME_WAIT))

/**
 * Each TCP socket in the network namespace of @a pid whose state is in @a
 * states, a set of bits; in no order, and one may come twice.  APR_SUCCESS: all
 * came, or the walk was ended; APR_TIMEUP: @a until_us of CLOCK_MONOTONIC had
 * come; APR_ENOTIMPL: the namespace is another's, or this system does not
 * answer (a sandbox that forbids netlink, a kernel without inet_diag).  What
 * came before an error holds.
 */
apr_status_t amgr_proc_ask_tcp(amgr_proc_dir_t *dir, pid_t pid,
                               unsigned int states, apr_time_t until_us,
                               amgr_proc_socket_fn *fn, void *baton);

#endif
