/* SPDX-License-Identifier: Apache-2.0
 *
 * Who listens: the TCP sockets that wait for connections in a network
 * namespace, and the sockets that a process has.
 *
 * The tables under /proc/PID/net have those that wait in front, but the kernel
 * walks all connections before it says that there are no more: milliseconds on
 * any machine.  The kernel's socket diagnostics tell them at once.
 */
#ifndef AMGR_PROC_LISTEN_H
#define AMGR_PROC_LISTEN_H

#include "proc/proc_socket.h"

/** Takes the inode of a socket; anything but 0 ends the walk. */
typedef int amgr_proc_inode_fn(void *baton, apr_uint64_t inode);

/**
 * Each socket that a descriptor of @a pid is.  APR_EACCES: this user may not
 * know all of them, or any; APR_NOTFOUND: the process has gone; APR_TIMEUP:
 * there were more than the budget's time.
 */
apr_status_t amgr_proc_each_socket(amgr_proc_dir_t *dir, pid_t pid,
                                   const amgr_proc_budget_t *budget,
                                   amgr_proc_inode_fn *fn, void *baton);

/**
 * Each TCP socket that listens in the network namespace of @a pid, in no
 * order; one may come twice.  Errors are those of the tables' reading
 * (proc_lines.h): what came before them holds.
 */
apr_status_t amgr_proc_each_listener(amgr_proc_dir_t *dir, pid_t pid,
                                     const amgr_proc_budget_t *budget,
                                     amgr_proc_socket_fn *fn, void *baton);

#endif
