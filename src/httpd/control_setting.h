/* SPDX-License-Identifier: Apache-2.0
 *
 * ManagerControl: whether orders to managed processes are taken over HTTP, for
 * a server, a virtual host or a section.
 */
#ifndef AMGR_CONTROL_SETTING_H
#define AMGR_CONTROL_SETTING_H

#include <httpd.h>
#include <http_config.h>

/** What a section says. */
typedef enum amgr_control_e {
    AMGR_CONTROL_UNSET = 0, /**< nothing: what is around it counts */
    AMGR_CONTROL_OFF,
    AMGR_CONTROL_ON,
    AMGR_CONTROL_PYMANAGER, /**< pymanager's addresses in place of ours */
    AMGR_CONTROL_COUNT
} amgr_control_e;

/** The setter of the directive; its configuration is amgr_directory_t. */
const char *amgr_control_set(cmd_parms *cmd, void *directory,
                             const char *value);

/** What holds for this request: never AMGR_CONTROL_UNSET. */
int amgr_control_of(const request_rec *r);

/** Whether anything of the configuration that is in force lets orders in; in
 * the parent, from post_config on. */
int amgr_control_is_on_anywhere(void);

#endif
