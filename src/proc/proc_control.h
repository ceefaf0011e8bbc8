/* SPDX-License-Identifier: Apache-2.0
 *
 * Signals to one process beyond doubt.  Every call opens a pidfd, then checks
 * start time and, when asked, parent, and only then signals through the pidfd
 * (pidfd_open(2), pidfd_send_signal(2)): between the check and the signal the
 * descriptor holds the process, so no other can be hit, whoever reaps.
 *
 * Returns APR_NOTFOUND when the process is gone, a zombie, or not the one
 * meant (another or an unknown start time, another parent: nothing was sent);
 * APR_EACCES without the right to signal it.  The waits block: they are for
 * the command line and supervisors, never for a tick.
 */
#ifndef AMGR_PROC_CONTROL_H
#define AMGR_PROC_CONTROL_H

#include "proc/proc_read.h"

/** @a parent 0: any parent will do.  @a sig 0 only checks. */
apr_status_t amgr_proc_signal(amgr_proc_dir_t *dir, const amgr_proc_id_t *id,
                              pid_t parent, int sig);

/** SIGKILL, and then have the kernel take its memory back at once rather than
 * when its last thread gets to it (process_mrelease(2), Linux 5.15; what that
 * answers does not matter).  May wait for the memory's lock: not for the
 * httpd parent. */
apr_status_t amgr_proc_kill_and_release(amgr_proc_dir_t *dir,
                                        const amgr_proc_id_t *id, pid_t parent);

/** Non-zero while it exists and is no zombie; missing rights mean alive. */
int amgr_proc_is_alive(amgr_proc_dir_t *dir, const amgr_proc_id_t *id);

apr_status_t amgr_proc_suspend(amgr_proc_dir_t *dir, const amgr_proc_id_t *id);
apr_status_t amgr_proc_resume(amgr_proc_dir_t *dir, const amgr_proc_id_t *id);

/** SIGTERM, then wait for the end at most @a wait_us (0: do not wait);
 * APR_TIMEUP when it still runs.  An unreaped zombie has ended. */
apr_status_t amgr_proc_terminate(amgr_proc_dir_t *dir, const amgr_proc_id_t *id,
                                 apr_interval_time_t wait_us);

/** SIGKILL, then wait as above. */
apr_status_t amgr_proc_kill(amgr_proc_dir_t *dir, const amgr_proc_id_t *id,
                            apr_interval_time_t wait_us);

/** SIGTERM, wait, and SIGKILL and wait once more for one that stays, all
 * through one pidfd.  With @a wait_us 0 the SIGKILL follows at once, unless
 * the first has already worked. */
apr_status_t amgr_proc_terminate_or_kill(amgr_proc_dir_t *dir,
                                         const amgr_proc_id_t *id,
                                         apr_interval_time_t wait_us);

#endif
