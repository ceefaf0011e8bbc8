/* SPDX-License-Identifier: Apache-2.0
 *
 * The beginning of the supervisor's life, between its fork and its own loop
 * (supervise/supervisor.h), which knows nothing of httpd.
 */
#ifndef AMGR_SUPERVISOR_LIVE_H
#define AMGR_SUPERVISOR_LIVE_H

#include "httpd/runtime.h"
#include "httpd/supervisor_link.h"

/**
 * In the fork: give up what is the parent's, and live.  Lines go to the log of
 * @a s as it was at the fork, at the levels of then.  @a wait_fd: of the
 * supervisor before, or -1.
 */
void amgr_supervisor_live(server_rec *s, const amgr_runtime_t *runtime,
                          const amgr_supervisor_ends_t *ends, int wait_fd)
    __attribute__((noreturn));

#endif
