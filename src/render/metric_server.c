/* SPDX-License-Identifier: Apache-2.0
 *
 * Getters of metrics: the server as a whole, and its scoreboard.
 */
#include "render/metric.h"
#include "render/server_status.h"

void amgr_metric_build_info(const amgr_metric_source_t *source, int which,
                            amgr_metric_out_t *out)
{
    const amgr_server_t *server = &source->view->snapshot->server;
    const amgr_metric_label_t labels[] = {{"version", AMGR_VERSION},
                                          {"server", server->version},
                                          {"mpm", server->mpm},
                                          {NULL, NULL}};

    (void)which; /* of one family */
    amgr_metric_put(out, labels, 1);
}

void amgr_metric_start_time(const amgr_metric_source_t *source, int which,
                            amgr_metric_out_t *out)
{
    (void)which; /* of one family */
    if (source->view->started_us > 0) {
        amgr_metric_put_micro(out, NULL,
                              (apr_uint64_t)source->view->started_us);
    }
}

void amgr_metric_generation(const amgr_metric_source_t *source, int which,
                            amgr_metric_out_t *out)
{
    int generation = source->view->snapshot->server.config_generation;

    (void)which; /* of one family */
    if (source->is_known && generation >= 0) {
        amgr_metric_put(out, NULL, (apr_uint64_t)generation);
    }
}

void amgr_metric_health(const amgr_metric_source_t *source, int which,
                        amgr_metric_out_t *out)
{
    (void)which; /* of one family */
    amgr_metric_put(out, NULL,
                    amgr_server_status_severity((int)source->counts.health));
}

/* Not those of now: what the scoreboard says can go back. */
void amgr_metric_totals(const amgr_metric_source_t *source, int which,
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
        amgr_metric_put(out, NULL, sums->bytes);
        break;
    default:
        amgr_metric_put_micro(out, NULL, sums->duration_us);
        break;
    }
}

/* Workers tell theirs with ExtendedStatus alone. */
void amgr_metric_cpu(const amgr_metric_source_t *source, int which,
                     amgr_metric_out_t *out)
{
    static const amgr_metric_label_t user[] = {{"mode", "user"}, {NULL, NULL}};
    static const amgr_metric_label_t system[] = {{"mode", "system"},
                                                 {NULL, NULL}};
    const amgr_counters_t *counters = source->view->counters;

    (void)which; /* of one family */
    if (source->view->snapshot->server.extended && counters->cpu_mono_us != 0) {
        amgr_metric_put_micro(out, user, counters->cpu_user_us);
        amgr_metric_put_micro(out, system, counters->cpu_system_us);
    }
}

void amgr_metric_workers(const amgr_metric_source_t *source, int which,
                         amgr_metric_out_t *out)
{
    static const struct {
        const char *word;
        int mode;
    } states[] = {
        {"waiting", AMGR_MODE_READY},
        {"starting", AMGR_MODE_STARTING},
        {"reading", AMGR_MODE_READ},
        {"sending", AMGR_MODE_WRITE},
        {"keepalive", AMGR_MODE_KEEPALIVE},
        {"dns", AMGR_MODE_DNS},
        {"closing", AMGR_MODE_CLOSING},
        {"logging", AMGR_MODE_LOG},
        {"graceful", AMGR_MODE_GRACEFUL},
        {"idle_cleanup", AMGR_MODE_IDLE_KILL},
        {"open", AMGR_MODE_DEAD},
    };
    const amgr_server_t *server = &source->view->snapshot->server;
    apr_size_t i;

    _Static_assert(AMGR_COUNT(states) == AMGR_MODE_COUNT,
                   "every mode has a word");
    (void)which; /* of one family */
    for (i = 0; source->is_known && i < AMGR_COUNT(states); i++) {
        amgr_metric_put_with(out, "state", states[i].word,
                             (apr_uint64_t)server->modes[states[i].mode]);
    }
}

void amgr_metric_workers_max(const amgr_metric_source_t *source, int which,
                             amgr_metric_out_t *out)
{
    (void)which; /* of one family */
    if (source->is_known) {
        amgr_metric_put(
            out, NULL,
            (apr_uint64_t)source->view->snapshot->server.max_workers);
    }
}

void amgr_metric_hanging(const amgr_metric_source_t *source, int which,
                         amgr_metric_out_t *out)
{
    int hanging = source->view->snapshot->hanging;

    (void)which; /* of one family */
    if (source->has_ticked && hanging >= 0) {
        amgr_metric_put(out, NULL, (apr_uint64_t)hanging);
    }
}

void amgr_metric_children(const amgr_metric_source_t *source, int which,
                          amgr_metric_out_t *out)
{
    const amgr_server_t *server = &source->view->snapshot->server;
    apr_uint64_t stopping = (apr_uint64_t)server->stopping_rows;

    (void)which; /* of one family */
    if (source->is_known) {
        amgr_metric_put_with(out, "state", "active",
                             (apr_uint64_t)server->row_count - stopping);
        amgr_metric_put_with(out, "state", "stopping", stopping);
    }
}

void amgr_metric_connections(const amgr_metric_source_t *source, int which,
                             amgr_metric_out_t *out)
{
    const amgr_server_t *server = &source->view->snapshot->server;
    const amgr_connections_t *connections = &server->connections;

    (void)which; /* of one family */
    if (source->is_known && server->async) {
        amgr_metric_put_with(out, "state", "wait_io", connections->wait_io);
        amgr_metric_put_with(out, "state", "writing", connections->writing);
        amgr_metric_put_with(out, "state", "keepalive",
                             connections->keep_alive);
        amgr_metric_put_with(out, "state", "closing", connections->closing);
    }
}
