/* SPDX-License-Identifier: Apache-2.0
 *
 * The child's side of a retirement: doing what its orders say.
 *
 * A lame duck's answers carry "Connection: close".  A child of worker or event
 * that is to drain is brought to its MPM's own graceful end, the one that
 * MaxSpareThreads leads to: its main thread waits in read(2) on the pipe of
 * death, which all children share; a sleeping thread of ours puts a private
 * pipe in its place, with the graceful character in it, and wakes the main
 * thread by SIGTERM, whose handler there does nothing else (server/mpm_unix.c,
 * ap_mpm_podx_check).  Prefork children need no thread: they take SIGUSR1.
 */
#ifndef AMGR_DRAIN_H
#define AMGR_DRAIN_H

#include <httpd.h>

/** Parent, around the MPM's open_logs hook, which creates the pipes of death:
 * whatever pipe is new in between is one. */
int amgr_drain_before_mpm(apr_pool_t *pconf, apr_pool_t *plog,
                          apr_pool_t *ptemp, server_rec *s);
int amgr_drain_after_mpm(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp,
                         server_rec *s);

/** Child, at its start: listen for orders; on worker and event by a thread
 * that sleeps until there is one, and ends with @a pchild. */
void amgr_drain_enter_child(apr_pool_t *pchild);

/** Child: it has begun to stop; the thread is not needed any more. */
void amgr_drain_leave_child(void);

/** Child, at each request: tell the client of a lame duck to connect anew. */
int amgr_hook_post_read_request(request_rec *r);

#endif
