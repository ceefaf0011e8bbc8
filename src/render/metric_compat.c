/* SPDX-License-Identifier: Apache-2.0
 *
 * Getters of metrics with the names of apache_exporter, which reads mod_status:
 * each means what that makes of mod_status's text, so that dashboards made for
 * it go on.  Counters alone are ours, since its own go back at times.
 */
#include <string.h>

#include "render/metric.h"

/* What mod_status calls the server, whatever ServerTokens says. */
static const char *description_of(const amgr_metric_source_t *source)
{
    const char *description = source->view->server_description;

    return description != NULL ? description
                               : source->view->snapshot->server.version;
}

void amgr_metric_compat_up(const amgr_metric_source_t *source, int which,
                           amgr_metric_out_t *out)
{
    (void)source; /* who answers is up */
    (void)which;
    amgr_metric_put(out, NULL, 1);
}

void amgr_metric_compat_info(const amgr_metric_source_t *source, int which,
                             amgr_metric_out_t *out)
{
    const amgr_metric_label_t labels[] = {
        {"version", description_of(source)},
        {"mpm", source->view->snapshot->server.mpm},
        {NULL, NULL}};

    (void)which; /* of one family */
    if (source->is_known) {
        amgr_metric_put(out, labels, 1);
    }
}

/* The number at *text, which moves behind it; -1 when there is none. */
static int take_number(const char **text)
{
    const char *at = *text;
    int number = 0;

    while (*at >= '0' && *at <= '9' && number < 1000) {
        number = number * 10 + (*at++ - '0');
    }
    if (at == *text) {
        return -1;
    }
    *text = at;
    return number;
}

/* "Apache/2.4.71 (Debian)" is 2.04071. */
void amgr_metric_compat_version(const amgr_metric_source_t *source, int which,
                                amgr_metric_out_t *out)
{
    const char *at = strchr(description_of(source), '/');
    int parts[3];
    int i;

    (void)which; /* of one family */
    for (i = 0; i < 3; i++) {
        if (at == NULL || *at++ != (i == 0 ? '/' : '.')) {
            return;
        }
        parts[i] = take_number(&at);
        if (parts[i] < 0 || parts[i] > (i == 1 ? 99 : 999)) {
            return;
        }
    }
    amgr_metric_put_micro(out, NULL,
                          (apr_uint64_t)parts[0] * 1000000 +
                              (apr_uint64_t)parts[1] * 10000 +
                              (apr_uint64_t)parts[2] * 10);
}

void amgr_metric_compat_generation(const amgr_metric_source_t *source,
                                   int which, amgr_metric_out_t *out)
{
    const amgr_server_t *server = &source->view->snapshot->server;

    (void)which; /* of one family */
    if (source->is_known && server->config_generation >= 0 &&
        server->generation >= 0) {
        amgr_metric_put_with(out, "type", "config",
                             (apr_uint64_t)server->config_generation);
        amgr_metric_put_with(out, "type", "mpm",
                             (apr_uint64_t)server->generation);
    }
}

void amgr_metric_compat_load(const amgr_metric_source_t *source, int which,
                             amgr_metric_out_t *out)
{
    static const char *const intervals[] = {"1min", "5min", "15min"};
    apr_size_t i;

    (void)which; /* of one family */
    for (i = 0; source->is_known && i < AMGR_COUNT(intervals); i++) {
        const amgr_metric_label_t labels[] = {{"interval", intervals[i]},
                                              {NULL, NULL}};

        amgr_metric_put_double(out, labels, source->view->load[i]);
    }
}

void amgr_metric_compat_totals(const amgr_metric_source_t *source, int which,
                               amgr_metric_out_t *out)
{
    const amgr_counters_t *counters = source->view->counters;
    const amgr_sums_t *sums = &counters->totals.sums;

    if (!source->view->snapshot->server.extended ||
        counters->totals_mono_us == 0) {
        return;
    }
    switch (which) {
    case AMGR_METRIC_ACCESSES:
        amgr_metric_put(out, NULL, sums->accesses);
        break;
    case AMGR_METRIC_BYTES:
        amgr_metric_put(out, NULL, sums->bytes / 1024);
        break;
    default:
        amgr_metric_put(out, NULL, sums->duration_us / 1000);
        break;
    }
}

void amgr_metric_compat_cpu(const amgr_metric_source_t *source, int which,
                            amgr_metric_out_t *out)
{
    const amgr_counters_t *counters = source->view->counters;

    (void)which; /* of one family */
    if (source->view->snapshot->server.extended && counters->cpu_mono_us != 0) {
        amgr_metric_put_with(out, "type", "user", counters->cpu_user_us / 1000);
        amgr_metric_put_with(out, "type", "system",
                             counters->cpu_system_us / 1000);
    }
}

/* Percent of one core since the start; where the text has none, apache_exporter
 * says 0. */
void amgr_metric_compat_cpuload(const amgr_metric_source_t *source, int which,
                                amgr_metric_out_t *out)
{
    const amgr_server_t *server = &source->view->snapshot->server;
    const amgr_cpu_times_t *cpu = &server->scoreboard_cpu;
    double sum =
        cpu->user + cpu->system + cpu->children_user + cpu->children_system;
    apr_time_t uptime_sec = apr_time_sec(server->uptime_us);

    (void)which; /* of one family */
    if (source->is_known) {
        amgr_metric_put_double(out, NULL,
                               uptime_sec > 0 && server->extended
                                   ? sum / (double)uptime_sec * 100.0
                                   : 0.0);
    }
}

void amgr_metric_compat_uptime(const amgr_metric_source_t *source, int which,
                               amgr_metric_out_t *out)
{
    apr_interval_time_t uptime_us = source->view->uptime_us;

    (void)which; /* of one family */
    if (source->view->snapshot->server.extended && uptime_us >= 0) {
        amgr_metric_put(out, NULL, (apr_uint64_t)apr_time_sec(uptime_us));
    }
}

void amgr_metric_compat_workers(const amgr_metric_source_t *source, int which,
                                amgr_metric_out_t *out)
{
    const amgr_server_t *server = &source->view->snapshot->server;

    (void)which; /* of one family */
    if (source->is_known) {
        amgr_metric_put_with(out, "state", "busy",
                             (apr_uint64_t)server->busy_workers);
        amgr_metric_put_with(out, "state", "idle",
                             (apr_uint64_t)server->idle_workers);
    }
}

void amgr_metric_compat_processes(const amgr_metric_source_t *source, int which,
                                  amgr_metric_out_t *out)
{
    const amgr_server_t *server = &source->view->snapshot->server;

    (void)which; /* of one family */
    if (source->is_known && server->async) {
        amgr_metric_put_with(out, "state", "all",
                             (apr_uint64_t)server->row_count);
        amgr_metric_put_with(out, "state", "stopping",
                             (apr_uint64_t)server->stopping_rows);
    }
}

void amgr_metric_compat_connections(const amgr_metric_source_t *source,
                                    int which, amgr_metric_out_t *out)
{
    const amgr_server_t *server = &source->view->snapshot->server;
    const amgr_connections_t *connections = &server->connections;

    (void)which; /* of one family */
    if (source->is_known && server->async) {
        amgr_metric_put_with(out, "state", "total", connections->total);
        amgr_metric_put_with(out, "state", "writing", connections->writing);
        amgr_metric_put_with(out, "state", "keepalive",
                             connections->keep_alive);
        amgr_metric_put_with(out, "state", "closing", connections->closing);
    }
}

void amgr_metric_compat_scoreboard(const amgr_metric_source_t *source,
                                   int which, amgr_metric_out_t *out)
{
    static const char *const words[AMGR_MODE_COUNT] = {
        [AMGR_MODE_READY] = "idle",
        [AMGR_MODE_STARTING] = "startup",
        [AMGR_MODE_READ] = "read",
        [AMGR_MODE_WRITE] = "reply",
        [AMGR_MODE_KEEPALIVE] = "keepalive",
        [AMGR_MODE_DNS] = "dns",
        [AMGR_MODE_CLOSING] = "closing",
        [AMGR_MODE_LOG] = "logging",
        [AMGR_MODE_GRACEFUL] = "graceful_stop",
        [AMGR_MODE_IDLE_KILL] = "idle_cleanup",
        [AMGR_MODE_DEAD] = "open_slot",
    };
    const amgr_server_t *server = &source->view->snapshot->server;
    int i;

    (void)which; /* of one family */
    for (i = 0; source->is_known && i < AMGR_MODE_COUNT; i++) {
        amgr_metric_put_with(out, "state", words[i],
                             (apr_uint64_t)server->modes[i]);
    }
}
