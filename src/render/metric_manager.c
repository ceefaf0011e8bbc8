/* SPDX-License-Identifier: Apache-2.0
 *
 * Getters of metrics: what is retired and what is not, and the ticks.
 */
#include "action/counters.h"
#include "model/words.h"
#include "render/metric.h"

void amgr_metric_processes(const amgr_metric_source_t *source, int which,
                           amgr_metric_out_t *out)
{
    const amgr_view_counts_t *counts = &source->counts;
    int count = which == AMGR_METRIC_RETIRING     ? counts->retiring
                : which == AMGR_METRIC_OVER_LIMIT ? counts->over
                                                  : counts->near;

    if (source->has_ticked) {
        amgr_metric_put(out, NULL, (apr_uint64_t)count);
    }
}

void amgr_metric_killed(const amgr_metric_source_t *source, int which,
                        amgr_metric_out_t *out)
{
    const amgr_counters_t *counters = source->view->counters;
    int i;

    (void)which; /* of one family */
    for (i = AMGR_VERDICT_OK + 1; i < AMGR_VERDICT_COUNT; i++) {
        amgr_metric_put_with(out, "reason", amgr_verdict_word(i),
                             counters->retired[i]);
    }
}

void amgr_metric_counter(const amgr_metric_source_t *source, int which,
                         amgr_metric_out_t *out)
{
    const amgr_counters_t *counters = source->view->counters;

    switch (which) {
    case AMGR_METRIC_DRAINED:
        amgr_metric_put(out, NULL, counters->drained);
        break;
    case AMGR_METRIC_FORCED:
        amgr_metric_put(out, NULL, counters->forced);
        break;
    case AMGR_METRIC_LOST:
        amgr_metric_put(out, NULL, counters->requests_lost);
        break;
    case AMGR_METRIC_ORPHANED:
        amgr_metric_put(out, NULL, counters->orphaned_locks);
        break;
    default:
        amgr_metric_put(out, NULL, counters->ticks);
        break;
    }
}

void amgr_metric_orphaned(const amgr_metric_source_t *source, int which,
                          amgr_metric_out_t *out)
{
    const amgr_view_t *view = source->view;

    (void)which; /* of one family */
    if (view->started_us > 0) {
        amgr_metric_put(out, NULL,
                        amgr_counters_orphaned(view->counters,
                                               (apr_uint64_t)view->started_us));
    }
}

void amgr_metric_suppressed(const amgr_metric_source_t *source, int which,
                            amgr_metric_out_t *out)
{
    int i;

    (void)which; /* of one family */
    for (i = AMGR_CAUSE_NONE + 1; i < AMGR_CAUSE_COUNT; i++) {
        amgr_metric_put_with(out, "cause", amgr_cause_word(i),
                             source->view->counters->suppressed[i]);
    }
}

void amgr_metric_storm(const amgr_metric_source_t *source, int which,
                       amgr_metric_out_t *out)
{
    (void)which; /* of one family */
    if (source->has_ticked) {
        amgr_metric_put(out, NULL,
                        source->view->snapshot->server.storm_open != 0);
    }
}

void amgr_metric_killed_ages(const amgr_metric_source_t *source, int which,
                             amgr_metric_out_t *out)
{
    (void)which; /* of one family */
    amgr_metric_put_histogram(out, &source->view->counters->killed_ages,
                              &amgr_histogram_ages);
}

void amgr_metric_errors(const amgr_metric_source_t *source, int which,
                        amgr_metric_out_t *out)
{
    int i;

    (void)which; /* of one family */
    for (i = 0; i < AMGR_STAGE_COUNT; i++) {
        amgr_metric_put_with(out, "stage", amgr_stage_word(i),
                             source->view->counters->errors[i]);
    }
}

void amgr_metric_interval(const amgr_metric_source_t *source, int which,
                          amgr_metric_out_t *out)
{
    (void)which; /* of one family */
    amgr_metric_put_micro(
        out, NULL, (apr_uint64_t)source->view->config->limits.interval_us);
}

void amgr_metric_last_tick(const amgr_metric_source_t *source, int which,
                           amgr_metric_out_t *out)
{
    (void)which; /* of one family */
    if (source->has_ticked && source->view->tick_wall_us >= 0) {
        amgr_metric_put_micro(out, NULL,
                              (apr_uint64_t)source->view->tick_wall_us);
    }
}

void amgr_metric_tick_spans(const amgr_metric_source_t *source, int which,
                            amgr_metric_out_t *out)
{
    (void)which; /* of one family */
    amgr_metric_put_histogram(out, &source->view->counters->tick_spans,
                              &amgr_histogram_ticks);
}

void amgr_metric_tick_cpu(const amgr_metric_source_t *source, int which,
                          amgr_metric_out_t *out)
{
    (void)which; /* of one family */
    amgr_metric_put_micro(out, NULL, source->view->counters->tick_cpu_us);
}
