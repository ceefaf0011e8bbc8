/* SPDX-License-Identifier: Apache-2.0
 *
 * The command table and its setters.  A setter is found by the type of value,
 * and told where to store it by the offset in the table, so that a new
 * directive of a known type is one row.  Every error sentence is made in
 * refuse() of directive_parts.h: the directive, the value in quotes, what was
 * expected.
 */
#include "httpd/directives.h"

#include <limits.h>
#include <stddef.h>
#include <strings.h>

#include "base/units.h"
#include "httpd/directive_parts.h"
#include "httpd/directives_paths.h"
#include "httpd/directives_reasons.h"
#include "httpd/gate.h"
#include "httpd/directory.h"
#include "httpd/managed_section.h"
#include "httpd/max_time.h"
#include "model/client.h"
#include "model/request.h"
#include "policy/ledger.h"
#include "render/view.h"

#define INTERVAL_MIN_US (100 * 1000)
#define INTERVAL_MAX_US (3600 * APR_USEC_PER_SEC)

/** An enumerated option's words, in the order of the enumeration. */
typedef struct words_t {
    const char *const *words;
    int count;
    const char *expected;
} words_t;

static const char *const metric_words[] = {"rss", "anon", "pss", "uss"};
static const char *const show_words[] = {"Off", "Path", "Full"};
static const char *const client_words[] = {"Off", "Network", "Full"};
static const char *const name_words[] = {"Native", "Compat", "Both"};
static const char *const switch_words[] = {"Off", "On"};
static const char *const order_words[] = {"After", "Config"};

static const words_t metrics = {metric_words, AMGR_METRIC_COUNT,
                                "one of rss, anon, pss, uss"};
static const words_t shows = {show_words, AMGR_SHOW_COUNT,
                              "one of Off, Path, Full"};
static const words_t show_clients = {client_words, AMGR_CLIENTS_COUNT,
                                     "one of Off, Network, Full"};
static const words_t metrics_names = {name_words, AMGR_METRICS_NAMES_COUNT,
                                      "one of Native, Compat, Both"};
static const words_t switches = {switch_words, 2, "On or Off"};
static const words_t start_orders = {order_words, 2, "After or Config"};

static const char *set_size(cmd_parms *cmd, void *unused, const char *value)
{
    apr_int64_t bytes = AMGR_LIMIT_OFF;
    const char *wrong = misplaced(cmd);

    (void)unused; /* per-directory configuration: there is none */
    if (wrong != NULL) {
        return wrong;
    }
    if (strcasecmp(value, "Off") != 0) {
        wrong = amgr_size_parse(value, &bytes);
        if (wrong != NULL) {
            return refuse(cmd, value,
                          apr_pstrcat(cmd->pool, wrong, ", or Off", NULL));
        }
    }
    *(apr_int64_t *)member(cmd) = bytes;
    return NULL;
}

static const char *set_span(cmd_parms *cmd, const char *value, int off_allowed)
{
    apr_interval_time_t span_us = AMGR_LIMIT_OFF;
    const char *wrong = misplaced(cmd);

    if (wrong != NULL) {
        return wrong;
    }
    if (!off_allowed || strcasecmp(value, "Off") != 0) {
        wrong = amgr_duration_parse(value, &span_us);
        if (wrong != NULL) {
            return refuse(cmd, value,
                          off_allowed
                              ? apr_pstrcat(cmd->pool, wrong, ", or Off", NULL)
                              : wrong);
        }
    }
    *(apr_interval_time_t *)member(cmd) = span_us;
    return NULL;
}

static const char *set_duration(cmd_parms *cmd, void *unused, const char *value)
{
    (void)unused;
    return set_span(cmd, value, 0);
}

static const char *set_duration_or_off(cmd_parms *cmd, void *unused,
                                       const char *value)
{
    (void)unused;
    return set_span(cmd, value, 1);
}

/** Somebody must tell which requests have no end. */
static const char *set_endless_grace(cmd_parms *cmd, void *unused,
                                     const char *value)
{
    const char *wrong = set_duration(cmd, unused, value);

    if (wrong == NULL) {
        amgr_config_t *config = ap_get_module_config(cmd->server->module_config,
                                                     &apache_manager_module);

        config->limits.endless_watched = 1;
        amgr_max_time_watch_endless(cmd);
    }
    return wrong;
}

/** Stands anywhere but in <Limit>, whose methods httpd does not tell apart when
 * it merges sections, and .htaccess, which is read in a request: what is kept
 * of a section has to outlive that. */
static const char *set_max_time(cmd_parms *cmd, void *directory, int argc,
                                char *const argv[])
{
    const amgr_directory_t *section = directory;
    const char *misplaced_in =
        ap_check_cmd_context(cmd, NOT_IN_LIMIT | NOT_IN_HTACCESS);
    const char *expected;
    const char *wrong = "";
    amgr_budget_t budget;

    if (misplaced_in != NULL) {
        return misplaced_in;
    }
    expected = amgr_budget_parse(argc, argv, &budget, &wrong);
    if (expected != NULL) {
        return refuse(cmd, wrong,
                      argc > 0 && wrong == argv[0]
                          ? apr_pstrcat(cmd->pool, expected, ", or Off", NULL)
                          : expected);
    }
    if (cmd->path == NULL && !cmd->server->is_virtual) {
        amgr_config_t *config = member(cmd);

        config->limits.max_time_us = budget.max_time_us;
    }
    amgr_max_time_set(cmd, section->max_time, &budget);
    return NULL;
}

static const char *set_interval(cmd_parms *cmd, void *unused, const char *value)
{
    apr_interval_time_t *interval_us = member(cmd);
    apr_interval_time_t before_us = *interval_us;
    const char *wrong = set_span(cmd, value, 0);

    (void)unused;
    if (wrong == NULL &&
        (*interval_us < INTERVAL_MIN_US || *interval_us > INTERVAL_MAX_US)) {
        *interval_us = before_us;
        wrong = refuse(cmd, value, "a duration from 100ms to 1h");
    }
    return wrong;
}

static const char *set_count(cmd_parms *cmd, const char *value, int min,
                             int max)
{
    const char *wrong = misplaced(cmd);
    int count = 0;

    if (wrong != NULL) {
        return wrong;
    }
    wrong = amgr_count_parse(value, min, max, &count);
    if (wrong != NULL) {
        return refuse(
            cmd, value,
            apr_psprintf(cmd->pool, "a whole number from %d to %d", min, max));
    }
    *(apr_int32_t *)member(cmd) = count;
    return NULL;
}

static const char *set_strikes(cmd_parms *cmd, void *unused, const char *value)
{
    (void)unused;
    return set_count(cmd, value, 1, 1000);
}

static const char *set_serving(cmd_parms *cmd, void *unused, const char *value)
{
    (void)unused;
    return set_count(cmd, value, 0, 100000);
}

static const char *set_share(cmd_parms *cmd, void *unused, const char *value)
{
    const char *wrong = misplaced(cmd);
    amgr_share_t share;

    (void)unused;
    if (wrong != NULL) {
        return wrong;
    }
    wrong = amgr_share_parse(value, &share);
    if (wrong != NULL) {
        return refuse(cmd, value, wrong);
    }
    *(amgr_share_t *)member(cmd) = share;
    return NULL;
}

static const char *set_storm(cmd_parms *cmd, void *unused, const char *count,
                             const char *window)
{
    amgr_limits_t *limits = member(cmd);
    const char *wrong = misplaced(cmd);
    apr_interval_time_t window_us = limits->storm_window_us;
    int storm_count = 0;

    (void)unused;
    if (wrong != NULL) {
        return wrong;
    }
    if (strcasecmp(count, "Off") == 0) {
        if (window != NULL) {
            return refuse(cmd, window, "nothing after Off");
        }
    }
    else {
        if (amgr_count_parse(count, 1, AMGR_STORM_MAX, &storm_count) != NULL) {
            return refuse(cmd, count,
                          apr_psprintf(cmd->pool,
                                       "a count from 1 to %d and a duration, "
                                       "or Off",
                                       AMGR_STORM_MAX));
        }
        if (window == NULL) {
            return refuse(cmd, count, "a count and a duration, or Off");
        }
        wrong = amgr_duration_parse(window, &window_us);
        if (wrong != NULL) {
            return refuse(cmd, window, wrong);
        }
    }
    limits->storm_count = storm_count;
    limits->storm_window_us = window_us;
    return NULL;
}

static const char *set_word(cmd_parms *cmd, const char *value,
                            const words_t *words)
{
    const char *wrong = misplaced(cmd);
    int i;

    if (wrong != NULL) {
        return wrong;
    }
    for (i = 0; i < words->count; i++) {
        if (strcasecmp(value, words->words[i]) == 0) {
            *(apr_int32_t *)member(cmd) = i;
            return NULL;
        }
    }
    return refuse(cmd, value, words->expected);
}

static const char *set_metric(cmd_parms *cmd, void *unused, const char *value)
{
    (void)unused;
    return set_word(cmd, value, &metrics);
}

static const char *set_show(cmd_parms *cmd, void *unused, const char *value)
{
    (void)unused;
    return set_word(cmd, value, &shows);
}

static const char *set_show_clients(cmd_parms *cmd, void *unused,
                                    const char *value)
{
    (void)unused;
    return set_word(cmd, value, &show_clients);
}

static const char *set_metrics_names(cmd_parms *cmd, void *unused,
                                     const char *value)
{
    (void)unused;
    return set_word(cmd, value, &metrics_names);
}

static const char *set_switch(cmd_parms *cmd, void *unused, const char *value)
{
    (void)unused;
    return set_word(cmd, value, &switches);
}

static const char *set_start_order(cmd_parms *cmd, void *unused,
                                   const char *value)
{
    (void)unused;
    return set_word(cmd, value, &start_orders);
}

#define LIMIT_ROW(name, setter, field, help)                                   \
    AP_INIT_TAKE1(name, setter, (void *)offsetof(amgr_config_t, limits.field), \
                  RSRC_CONF, help)
#define CONFIG_ROW(name, setter, field, help)                           \
    AP_INIT_TAKE1(name, setter, (void *)offsetof(amgr_config_t, field), \
                  RSRC_CONF, help)

const command_rec amgr_directives[] = {
    LIMIT_ROW("ManagerMaxMemoryActive", set_size, max_memory_active_bytes,
              "memory in bytes (K, M, G, T) of an active worker, or Off"),
    LIMIT_ROW("ManagerMaxMemoryIdle", set_size, max_memory_idle_bytes,
              "memory in bytes (K, M, G, T) of an idle worker, or Off"),
    AP_INIT_TAKE_ARGV("ManagerMaxTime", set_max_time, NULL,
                      RSRC_CONF | ACCESS_CONF,
                      "age (ms, s, m, h, d) of a running request, or Off; "
                      "uploads, streams, upgrades"),
    LIMIT_ROW("ManagerHangingThreshold", set_duration, hanging_us,
              "age from which a request is counted as hanging"),
    LIMIT_ROW("ManagerMemoryMetric", set_metric, metric,
              "what memory limits measure: rss, anon, pss or uss"),
    LIMIT_ROW("ManagerDryRun", set_switch, dry_run,
              "On or Off: decide and log, send no signal"),
    LIMIT_ROW("ManagerInterval", set_interval, interval_us,
              "time between ticks, 100ms to 1h"),
    LIMIT_ROW("ManagerMinAge", set_duration, min_age_us,
              "age before which a worker is never retired"),
    LIMIT_ROW(
        "ManagerLameDuck", set_duration_or_off, lame_duck_us,
        "time answers ask clients to connect anew before a drain, or Off"),
    LIMIT_ROW("ManagerGracePeriod", set_duration, grace_us,
              "time a retiring worker may take to finish its requests"),
    LIMIT_ROW("ManagerEndlessGracePeriod", set_endless_grace, endless_grace_us,
              "the same when only connections without end are left"),
    LIMIT_ROW("ManagerMaxRetiring", set_share, max_retiring,
              "number or percentage of workers retiring at a time"),
    LIMIT_ROW("ManagerMinServing", set_serving, min_serving,
              "number of worker processes that must go on serving"),
    LIMIT_ROW("ManagerStrikes", set_strikes, strikes,
              "ticks in a row over a limit before a worker is retired"),
    AP_INIT_TAKE12("ManagerStormLimit", set_storm,
                   (void *)offsetof(amgr_config_t, limits), RSRC_CONF,
                   "retirements and duration without improvement, or Off"),
    LIMIT_ROW(
        "ManagerHardMemory", set_size, hard_memory_bytes,
        "memory in bytes (K, M, G, T) that ends a worker at once, or Off"),
    LIMIT_ROW("ManagerMaxGenerationAge", set_duration_or_off,
              max_generation_age_us,
              "time a worker may outlive a graceful restart, or Off"),
    AP_INIT_TAKE1("ManagerMaxMemoryTotal", amgr_set_memory_total,
                  (void *)offsetof(amgr_config_t, limits), RSRC_CONF,
                  "memory of all workers in bytes (K, M, G, T) or %, or Off"),
    AP_INIT_TAKE12("ManagerMaxRequests", amgr_set_requests,
                   (void *)offsetof(amgr_config_t, limits.max_requests),
                   RSRC_CONF, "requests in a worker's life, jitter; or Off"),
    AP_INIT_TAKE12("ManagerMaxLifetime", amgr_set_lifetime,
                   (void *)offsetof(amgr_config_t, limits.max_lifetime_us),
                   RSRC_CONF, "duration of a worker's life, jitter; or Off"),
    AP_INIT_TAKE1("ManagerAskSignal", amgr_set_ask_signal, NULL, RSRC_CONF,
                  "signal that asks a daemon of the group to finish and go"),
    AP_INIT_RAW_ARGS("<ManagerGroup", amgr_set_section, NULL, RSRC_CONF,
                     "name of a group that has limits of its own"),
    CONFIG_ROW("ManagerSyslog", set_switch, syslog,
               "On or Off: lines of retirements to syslog as well"),
    CONFIG_ROW("ManagerShowRequests", set_show, show_requests,
               "how much of a request is shown: Off, Path or Full"),
    CONFIG_ROW("ManagerShowClients", set_show_clients, show_clients,
               "how much of a client's address is shown: Off, Network or Full"),
    CONFIG_ROW("ManagerServerStatus", set_switch, server_status,
               "On or Off: a section on mod_status's page"),
    CONFIG_ROW("ManagerMetricsNames", set_metrics_names, metrics_names,
               "names of exported metrics: Native, Compat or Both"),
    AP_INIT_TAKE1("ManagerDataFile", amgr_set_data_file, NULL, RSRC_CONF,
                  "path of the metrics file, or Off"),
    CONFIG_ROW("ManagerSocket", amgr_set_socket, control_socket,
               "path of the socket that takes orders, or Off"),
    AP_INIT_RAW_ARGS("ManagerKillCommand", amgr_set_kill_command,
                     (void *)offsetof(amgr_config_t, kill_command), RSRC_CONF,
                     "before or after, and a program with its arguments"),
    CONFIG_ROW("ManagerKillCommandTimeout", set_duration,
               kill_command_timeout_us,
               "time that a program of ManagerKillCommand may take"),
    AP_INIT_RAW_ARGS("<ManagedProcess", amgr_set_managed, NULL, RSRC_CONF,
                     "name of a process that the server runs and watches"),
    CONFIG_ROW("ManagerStartOrder", set_start_order, start_in_order,
               "order in which processes are started: After or Config"),
    CONFIG_ROW("ManagerExitWhenDone", set_switch, exit_when_done,
               "On or Off: httpd ends when all managed processes have"),
    AP_INIT_ITERATE("ManagerGate", amgr_gate_take, NULL,
                    RSRC_CONF | ACCESS_CONF,
                    "managed processes to be ready for a request, or Off"),
    AP_INIT_TAKE1("ManagerControl", amgr_control_set, NULL,
                  RSRC_CONF | ACCESS_CONF,
                  "Off, On or pymanager: take orders to managed processes"),
    {NULL}};
