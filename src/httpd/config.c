/* SPDX-License-Identifier: Apache-2.0
 *
 * See config.h.
 */
#include "httpd/config.h"

#include <http_main.h>

#include "model/client.h"
#include "model/request.h"
#include "render/view.h"

void *amgr_config_create(apr_pool_t *p, server_rec *s)
{
    amgr_config_t *config = apr_pcalloc(p, sizeof(*config));

    (void)s; /* the hook's signature; vhosts cannot hold our directives */
    amgr_limits_init(&config->limits);
    config->read_us = apr_time_now();
    config->show_requests = AMGR_SHOW_PATH;
    config->show_clients = AMGR_CLIENTS_FULL;
    config->server_status = 1;
    config->metrics_names = AMGR_METRICS_NATIVE;
    config->kill_command_timeout_us = apr_time_from_sec(10);
    return config;
}

amgr_config_t *amgr_config_main(void)
{
    return ap_get_module_config(ap_server_conf->module_config,
                                &apache_manager_module);
}

int amgr_config_needs_ticker(const amgr_config_t *config)
{
    return config->limits.interval_us < AMGR_HOOK_INTERVAL_US ||
           config->limits.metric == AMGR_METRIC_PSS ||
           config->limits.metric == AMGR_METRIC_USS || config->syslog ||
           config->control_socket != NULL ||
           config->kill_command[AMGR_COMMAND_BEFORE] != NULL ||
           config->kill_command[AMGR_COMMAND_AFTER] != NULL;
}
