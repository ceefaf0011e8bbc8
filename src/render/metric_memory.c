/* SPDX-License-Identifier: Apache-2.0
 *
 * Getters of metrics: memory by groups, and the limits that are set.
 */
#include "model/words.h"
#include "policy/reasons.h"
#include "policy/sections.h"
#include "render/metric.h"

static void put_group(const amgr_metric_source_t *source,
                      const amgr_group_t *group, int which,
                      amgr_metric_out_t *out)
{
    const amgr_metric_label_t labels[] = {{"group", group->name},
                                          {"role", amgr_role_word(group->role)},
                                          {NULL, NULL}};
    const amgr_stats_t *rss = &group->rss;

    if (which == AMGR_METRIC_PROCESSES) {
        if (source->has_ticked || rss->known > 0) {
            amgr_metric_put(out, labels, rss->count);
        }
        return;
    }
    if (rss->known == 0) {
        return;
    }
    switch (which) {
    case AMGR_METRIC_SUM:
        amgr_metric_put(out, labels, rss->sum);
        break;
    case AMGR_METRIC_MIN:
        amgr_metric_put(out, labels, rss->min);
        break;
    case AMGR_METRIC_MAX:
        amgr_metric_put(out, labels, rss->max);
        break;
    default:
        amgr_metric_put_double(out, labels, rss->median);
        break;
    }
}

void amgr_metric_group(const amgr_metric_source_t *source, int which,
                       amgr_metric_out_t *out)
{
    const amgr_snapshot_t *snapshot = source->view->snapshot;
    int i;

    for (i = 0; i < snapshot->group_count; i++) {
        put_group(source, &snapshot->groups[i], which, out);
    }
}

void amgr_metric_capacity(const amgr_metric_source_t *source, int which,
                          amgr_metric_out_t *out)
{
    const amgr_server_t *server = &source->view->snapshot->server;

    (void)which; /* of one family */
    if (source->has_ticked && server->memory_capacity_bytes != AMGR_UNKNOWN) {
        amgr_metric_put(out, NULL, server->memory_capacity_bytes);
    }
}

void amgr_metric_workers_anon(const amgr_metric_source_t *source, int which,
                              amgr_metric_out_t *out)
{
    const amgr_server_t *server = &source->view->snapshot->server;

    (void)which; /* of one family */
    if (source->has_ticked && server->worker_anon_bytes != AMGR_UNKNOWN) {
        amgr_metric_put(out, NULL, server->worker_anon_bytes);
    }
}

static void put_limit(amgr_metric_out_t *out, const char *name,
                      apr_int64_t limit)
{
    if (limit != AMGR_LIMIT_OFF && limit >= 0) {
        amgr_metric_put_with(out, "limit", name, (apr_uint64_t)limit);
    }
}

void amgr_metric_limit_bytes(const amgr_metric_source_t *source, int which,
                             amgr_metric_out_t *out)
{
    const amgr_limits_t *limits = &source->view->config->limits;

    (void)which; /* of one family */
    put_limit(out, "memory_active", limits->max_memory_active_bytes);
    put_limit(out, "memory_idle", limits->max_memory_idle_bytes);
    put_limit(out, "memory_hard", limits->hard_memory_bytes);
    put_limit(
        out, "memory_total",
        amgr_reasons_total_bytes(limits, &source->view->snapshot->server));
}

static void put_span(amgr_metric_out_t *out, const char *name,
                     apr_interval_time_t limit_us)
{
    const amgr_metric_label_t labels[] = {{"limit", name}, {NULL, NULL}};

    if (limit_us != AMGR_LIMIT_OFF && limit_us >= 0) {
        amgr_metric_put_micro(out, labels, (apr_uint64_t)limit_us);
    }
}

void amgr_metric_limit_seconds(const amgr_metric_source_t *source, int which,
                               amgr_metric_out_t *out)
{
    const amgr_limits_t *limits = &source->view->config->limits;

    (void)which; /* of one family */
    put_span(out, "time", limits->max_time_us);
    put_span(out, "hanging", limits->hanging_us);
    put_span(out, "lifetime", limits->max_lifetime_us.limit);
    put_span(out, "generation", limits->max_generation_age_us);
}

/* Whether some section has a limit that the server has not. */
static int is_set(const amgr_limits_t *limits,
                  apr_int64_t (*limit_of)(const amgr_limits_t *limits,
                                          int section))
{
    int i;

    for (i = 0; i == 0 || amgr_sections_get(limits, i) != NULL; i++) {
        if (limit_of(limits, i) != AMGR_LIMIT_OFF) {
            return 1;
        }
    }
    return 0;
}

/* A limit that stands alone, when it is set. */
static void put_inert(amgr_metric_out_t *out, const char *name, int is_there,
                      int inert)
{
    if (is_there) {
        amgr_metric_put_with(out, "limit", name, inert != 0);
    }
}

/* Limits that are inert while what they limit is not known. */
static void put_unmeasured(const amgr_view_t *view, amgr_metric_out_t *out)
{
    const amgr_limits_t *limits = &view->config->limits;

    put_inert(out, "memory_total", amgr_measure_sums(limits),
              amgr_view_total_is_inert(view));
    put_inert(out, "time", amgr_limits_time_is_set(limits),
              amgr_view_time_is_inert(view));
    put_inert(out, "requests", limits->max_requests.limit != AMGR_LIMIT_OFF,
              amgr_view_requests_are_inert(view));
}

/* A group's own limit can be inert where the server's is not. */
void amgr_metric_limit_inert(const amgr_metric_source_t *source, int which,
                             amgr_metric_out_t *out)
{
    static const struct {
        const char *word;
        apr_int64_t (*limit_of)(const amgr_limits_t *limits, int section);
    } rows[AMGR_VIEW_LIMIT_COUNT] = {
        [AMGR_VIEW_ACTIVE] = {"memory_active", amgr_sections_active_bytes},
        [AMGR_VIEW_IDLE] = {"memory_idle", amgr_sections_idle_bytes},
        [AMGR_VIEW_HARD] = {"memory_hard", amgr_sections_hard_bytes},
    };
    int i;

    (void)which; /* of one family */
    for (i = 0; source->has_ticked && i < AMGR_VIEW_LIMIT_COUNT; i++) {
        put_inert(out, rows[i].word,
                  is_set(&source->view->config->limits, rows[i].limit_of),
                  amgr_view_inert_group(source->view, i) != NULL);
    }
    if (source->has_ticked) {
        put_unmeasured(source->view, out);
    }
}
