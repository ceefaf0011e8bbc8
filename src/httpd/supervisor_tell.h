/* SPDX-License-Identifier: Apache-2.0
 *
 * What the parent tells the supervisor: each configuration, until the table
 * says that it was taken, and that a restart has begun.
 *
 * All functions run in the parent, and none ever waits.
 */
#ifndef AMGR_SUPERVISOR_TELL_H
#define AMGR_SUPERVISOR_TELL_H

#include "httpd/runtime.h"
#include "httpd/supervisor_record.h"

/** Send the present configuration.  It is pending until the table says that it
 * was taken: what has arrived may find no descriptor or memory there. */
void amgr_supervisor_tell(server_rec *s, const amgr_runtime_t *runtime,
                          amgr_supervisor_record_t *record);

/** After a look at the table: send it again if it was not taken for some
 * seconds. */
void amgr_supervisor_tell_again(server_rec *s, const amgr_runtime_t *runtime,
                                amgr_supervisor_record_t *record);

/** httpd is restarted: unless this module is there again soon, with a
 * configuration for it, the supervisor has all processes stopped, each within
 * its StopTimeout, and ends. */
void amgr_supervisor_tell_restart(void);

/** How long a stop of all may take: in the order of After, or one by one. */
apr_interval_time_t amgr_supervisor_stop_us(const amgr_config_t *config);

#endif
