/* SPDX-License-Identifier: Apache-2.0
 *
 * The parent's side of the supervisor of managed processes: forked when there
 * is a section, told of each new configuration, replaced when it dies or hangs,
 * and waited for when httpd ends.  A restart of any kind leaves it alone.
 *
 * All functions run in the parent, and none but the last ever waits.
 */
#ifndef AMGR_SUPERVISOR_PROCESS_H
#define AMGR_SUPERVISOR_PROCESS_H

#include "httpd/runtime.h"

/** From post_config: the configuration is another.  One that runs is told; at a
 * restart one is forked when it is wanted and there is none.  @a one_process:
 * under -X nobody looks after it, and it ends with its parent. */
void amgr_supervisor_configure(server_rec *s, amgr_runtime_t *runtime,
                               int one_process);

/** Fork one, when it is wanted and there is none: from pre_mpm, when nothing
 * can fail any more. */
void amgr_supervisor_start(server_rec *s, amgr_runtime_t *runtime);

/** From the monitor hook: one that has hung is killed, one that is gone is
 * replaced, and what it did not take is sent again. */
void amgr_supervisor_check(server_rec *s, amgr_runtime_t *runtime);

/** httpd ends: have all processes stopped, and wait for that as long as their
 * StopTimeouts say. */
void amgr_supervisor_end(void);

#endif
