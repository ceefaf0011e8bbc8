/* SPDX-License-Identifier: Apache-2.0
 *
 * See max_time.h.
 */
#include "httpd/max_time.h"

#include <string.h>

#include "httpd/log.h"
#include "httpd/timed_request.h"

/** What the configuration that is being read or in force says. */
typedef struct configured_t {
    amgr_max_time_t *first;
    int is_begun;
    int is_installed;
    int watches_endless;
} configured_t;

static configured_t configured;

/** The configuration's pool goes, with all records in it. */
static apr_status_t forget(void *unused)
{
    (void)unused; /* a cleanup's signature */
    memset(&configured, 0, sizeof(configured));
    return APR_SUCCESS;
}

amgr_max_time_t *amgr_max_time_create(apr_pool_t *p)
{
    amgr_max_time_t *section = apr_pcalloc(p, sizeof(*section));

    section->budget.max_time_us = AMGR_LIMIT_OFF;
    return section;
}

static void begin(cmd_parms *cmd)
{
    if (!configured.is_begun) {
        configured.is_begun = 1;
        apr_pool_cleanup_register(cmd->pool, NULL, forget,
                                  apr_pool_cleanup_null);
    }
}

static void install(void)
{
    if (!configured.is_installed) {
        configured.is_installed = 1;
        amgr_timed_request_install();
    }
}

void amgr_max_time_watch_endless(cmd_parms *cmd)
{
    begin(cmd);
    configured.watches_endless = 1;
    install();
}

int amgr_max_time_watches_endless(void)
{
    return configured.watches_endless;
}

void amgr_max_time_set(cmd_parms *cmd, amgr_max_time_t *section,
                       const amgr_budget_t *budget)
{
    begin(cmd);
    if (!section->is_set) {
        section->is_set = 1;
        section->is_main = cmd->path == NULL && !cmd->server->is_virtual;
        section->next = configured.first;
        configured.first = section;
    }
    section->budget = *budget;
    if (budget->max_time_us != AMGR_LIMIT_OFF) {
        install();
    }
}

/** The main server's own limit. */
static amgr_budget_t servers_budget(void)
{
    static const amgr_budget_t none = {AMGR_LIMIT_OFF, 0, 0};
    const amgr_max_time_t *section;

    for (section = configured.first; section != NULL; section = section->next) {
        if (section->is_main) {
            return section->budget;
        }
    }
    return none;
}

void amgr_max_time_number(server_rec *s, amgr_runtime_t *runtime,
                          amgr_limits_t *limits)
{
    amgr_budget_t servers = servers_budget();
    amgr_max_time_t *section;
    int left_out = 0;

    limits->max_time_sections = 0;
    for (section = configured.first; section != NULL; section = section->next) {
        section->is_servers = amgr_budget_equal(&section->budget, &servers);
        section->index = amgr_budgets_add(&runtime->budgets, &section->budget);
        left_out += section->index == 0;
        limits->max_time_sections +=
            !section->is_main && section->budget.max_time_us != AMGR_LIMIT_OFF;
    }
    if (left_out > 0) {
        amgr_log(s, AMGR_TAG_BUDGETS_FULL, APLOG_WARNING, 0,
                 "more than %d different ManagerMaxTime since the server was "
                 "started: %d of them are taken for the main server's",
                 AMGR_BUDGETS_MAX, left_out);
    }
}
