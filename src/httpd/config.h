/* SPDX-License-Identifier: Apache-2.0
 *
 * The module's configuration: one for the whole server, since one parent
 * watches all workers whatever virtual host they serve.
 */
#ifndef AMGR_CONFIG_H
#define AMGR_CONFIG_H

#include <httpd.h>
#include <http_config.h>

#include "action/command_env.h"
#include "policy/limits.h"
#include "supervise/spec/spec.h"

/** The interval from which the parent's own hook is fine enough. */
#define AMGR_HOOK_INTERVAL_US (10 * APR_USEC_PER_SEC)

/** Bytes of a unix socket's path with the NUL, see unix(7). */
#define AMGR_SOCKET_PATH_LEN 108

typedef struct amgr_config_t {
    amgr_limits_t limits;  /**< defaults of policy, overridden */
    const char *data_file; /**< absolute; NULL: the default place */
    int data_file_off;     /**< ManagerDataFile Off */
    int show_requests;     /**< amgr_show_requests_e */
    int syslog;            /**< kill lines to syslog as well */
    apr_time_t read_us;    /**< wall; when this was begun to be read */
    /** While a group's section is read; else NULL. */
    amgr_section_t *section;
    char **kill_command[AMGR_COMMAND_EVENT_COUNT]; /**< arguments, ending in
                                                        NULL; NULL: none */
    apr_interval_time_t kill_command_timeout_us;
    int show_clients;            /**< amgr_show_clients_e */
    int server_status;           /**< a section on mod_status's page */
    int metrics_names;           /**< amgr_metrics_names_e */
    const char *control_socket;  /**< absolute; NULL: none */
    apr_array_header_t *managed; /**< of const amgr_spec_t *; NULL: none */
    int exit_when_done;          /**< httpd ends when all processes have */
    int start_in_order;          /**< each after the one before it */
} amgr_config_t;

/** A server's configuration record, with every default; from pconf. */
void *amgr_config_create(apr_pool_t *p, server_rec *s);

/** The main server's; the one that counts. */
amgr_config_t *amgr_config_main(void);

/** Whether something asked for needs a process of its own to tick: a shorter
 * interval than the hook's, slow reads, syslog, programs to be run, or orders
 * to be heard. */
int amgr_config_needs_ticker(const amgr_config_t *config);

/** The one symbol that the shared object exports. */
extern module AP_MODULE_DECLARE_DATA apache_manager_module
    __attribute__((visibility("default")));

#endif
