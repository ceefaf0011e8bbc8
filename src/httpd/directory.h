/* SPDX-License-Identifier: Apache-2.0
 *
 * The module's configuration of directories: what a server, a virtual host or
 * a section says of the requests within it.
 */
#ifndef AMGR_DIRECTORY_H
#define AMGR_DIRECTORY_H

#include <httpd.h>
#include <http_config.h>

#include "httpd/control_setting.h"
#include "httpd/gate.h"
#include "httpd/max_time.h"

/** Lives in its configuration's pool; one that was merged in a request, in the
 * request's. */
typedef struct amgr_directory_t {
    amgr_max_time_t *max_time; /**< of the section that says it, since its
                                    number is found after some are merged */
    int control;               /**< amgr_control_e */
    amgr_gate_set_t gates;     /**< whose readiness its requests ask for */
} amgr_directory_t;

/** A section's record, nothing set; httpd's create_dir_config. */
void *amgr_directory_create(apr_pool_t *p, char *path);

/** The inner section's say where it has one, else the outer's.  httpd merges
 * in requests: allocates only where each of them says something that the other
 * does not.  httpd's merge_dir_config. */
void *amgr_directory_merge(apr_pool_t *p, void *outer, void *inner);

#endif
