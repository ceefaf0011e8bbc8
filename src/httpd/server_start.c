/* SPDX-License-Identifier: Apache-2.0
 *
 * See server_start.h.
 */
#include "httpd/server_start.h"

#include <string.h>

#include <http_core.h>
#include <http_main.h>
#include <scoreboard.h>

#include "httpd/scoreboard.h"
#include "proc/proc_info.h"

#define START_KEY "mod_apache_manager:start"

static amgr_server_start_t *current;

/* The record that the process's pool has, unless another build made it. */
static amgr_server_start_t *record(int make)
{
    void *found = NULL;
    amgr_server_start_t *start;

    apr_pool_userdata_get(&found, START_KEY, ap_pglobal);
    start = found;
    if (start != NULL && start->version == AMGR_SERVER_START_VERSION &&
        start->size == sizeof(*start)) {
        return start;
    }
    if (!make) {
        return NULL;
    }
    start = apr_pcalloc(ap_pglobal, sizeof(*start));
    start->version = AMGR_SERVER_START_VERSION;
    start->size = sizeof(*start);
    /* Copies the key, whose own bytes go with this code. */
    apr_pool_userdata_set(start, START_KEY, apr_pool_cleanup_null, ap_pglobal);
    return start;
}

/* Take the scoreboard's time, if it can be true: not before @a earliest_us. */
static void take_scoreboard(apr_time_t earliest_us)
{
    apr_time_t wall_us = ap_get_scoreboard_global()->restart_time;
    amgr_instant_t now;

    amgr_clock_read(&now);
    if (wall_us < earliest_us) {
        wall_us = earliest_us;
    }
    if (wall_us <= 0 || wall_us > now.wall_us) {
        wall_us = now.wall_us;
    }
    current = record(1);
    current->wall_us = wall_us;
    current->boot_us = now.boot_us - (now.wall_us - wall_us);
    current->config_generation = ap_state_query(AP_SQ_CONFIG_GEN);
}

void amgr_server_start_note(void)
{
    take_scoreboard(0); /* of which nobody else knows yet */
}

void amgr_server_start_find(const amgr_runtime_t *runtime)
{
    int generation = ap_state_query(AP_SQ_CONFIG_GEN);
    amgr_instant_t now;

    current = record(0);
    if (current != NULL && generation - current->config_generation <= 1) {
        current->config_generation = generation;
        return;
    }
    if (!amgr_scoreboard_exists()) {
        return; /* the start is still to come */
    }
    /* This module was away, perhaps while the server was restarted. */
    if (current != NULL &&
        current->wall_us == ap_get_scoreboard_global()->restart_time) {
        current->config_generation = generation;
        return;
    }
    amgr_clock_read(&now);
    take_scoreboard(amgr_proc_started_us(runtime->owner.id.start_ticks, &now));
}

const amgr_server_start_t *amgr_server_start(void)
{
    return current;
}

apr_interval_time_t amgr_server_start_uptime_us(const amgr_instant_t *now)
{
    apr_interval_time_t uptime_us;

    if (current == NULL) {
        return AMGR_NO_TIME;
    }
    uptime_us = now->boot_us - current->boot_us;
    return uptime_us < 0 ? 0 : uptime_us;
}
