/* SPDX-License-Identifier: Apache-2.0
 *
 * The hooks: when httpd calls, who is told.  Each function is named after the
 * hook it is for; mod_apache_manager.c registers them.
 */
#ifndef AMGR_HOOKS_H
#define AMGR_HOOKS_H

#include <httpd.h>
#include <ap_mpm.h>
#include <scoreboard.h>

/** Ask the core to keep the times of requests, unless ExtendedStatus says
 * otherwise later. */
int amgr_hook_pre_config(apr_pool_t *pconf, apr_pool_t *plog,
                         apr_pool_t *ptemp);

/** Parent, at each start and restart: set up or find what is shared. */
int amgr_hook_post_config(apr_pool_t *pconf, apr_pool_t *plog,
                          apr_pool_t *ptemp, server_rec *s);

/** Parent, once the scoreboard exists, before the first child: at a start and
 * at a restart that is not graceful. */
int amgr_hook_pre_mpm(apr_pool_t *p, ap_scoreboard_e type);

/** Parent, about every ten seconds: tick, or look after the ticker. */
int amgr_hook_monitor(apr_pool_t *p, server_rec *s);

/** Parent: a child was forked, has ended, or lost its row. */
void amgr_hook_child_status(server_rec *s, pid_t pid, ap_generation_t gen,
                            int slot, mpm_child_status status);

/** Child: its life begins. */
void amgr_hook_child_init(apr_pool_t *p, server_rec *s);

/** Child: its end begins; may be in a signal handler (prefork). */
void amgr_hook_child_stopping(apr_pool_t *p, int graceful);

#endif
