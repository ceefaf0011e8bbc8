/* SPDX-License-Identifier: Apache-2.0
 *
 * Getters of metrics: managed processes, by their name in the configuration.
 * Without any there is no family of them.
 */
#include "render/metric.h"

#define PROCESS_LABEL "process"

/* As shells tell the end by a signal. */
#define BY_SIGNAL 128

static void put_state_set(const amgr_managed_t *process, amgr_metric_out_t *out)
{
    int i;

    for (i = 0; i < AMGR_MANAGED_STATE_COUNT; i++) {
        const amgr_metric_label_t labels[] = {
            {PROCESS_LABEL, process->name},
            {"state", amgr_managed_state_word(i)},
            {NULL, NULL},
        };

        amgr_metric_put(out, labels, process->state == i);
    }
}

static void put_exits(const amgr_managed_t *process, amgr_metric_out_t *out)
{
    int i;

    for (i = 0; i < AMGR_MANAGED_EXIT_COUNT; i++) {
        const amgr_metric_label_t labels[] = {
            {PROCESS_LABEL, process->name},
            {"cause", amgr_managed_exit_word(i)},
            {NULL, NULL},
        };

        amgr_metric_put(out, labels, process->exits[i]);
    }
}

static void put_checks(const amgr_managed_t *process, amgr_metric_out_t *out)
{
    const char *const words[] = {"passed", "failed"};
    const apr_uint64_t counts[] = {process->checks_passed,
                                   process->checks_failed};
    apr_size_t i;

    for (i = 0; i < AMGR_COUNT(words) && process->verify[0] != '\0'; i++) {
        const amgr_metric_label_t labels[] = {
            {PROCESS_LABEL, process->name},
            {"result", words[i]},
            {NULL, NULL},
        };

        amgr_metric_put(out, labels, counts[i]);
    }
}

static void put_last_exit(const amgr_managed_t *process, amgr_metric_out_t *out)
{
    int code = process->exit_code >= 0 ? process->exit_code
                                       : BY_SIGNAL + process->exit_signal;

    if (process->exit_known &&
        (process->exit_code >= 0 || process->exit_signal > 0)) {
        amgr_metric_put_with(out, PROCESS_LABEL, process->name,
                             (apr_uint64_t)code);
    }
}

/* Microseconds; less than 0, and more than there can be, is not known. */
static void put_span(const amgr_managed_t *process, apr_int64_t us,
                     amgr_metric_out_t *out)
{
    const amgr_metric_label_t labels[] = {{PROCESS_LABEL, process->name},
                                          {NULL, NULL}};

    if (us >= 0) {
        amgr_metric_put_micro(out, labels, (apr_uint64_t)us);
    }
}

static void put_count(const amgr_managed_t *process, apr_uint64_t count,
                      amgr_metric_out_t *out)
{
    if (count != AMGR_UNKNOWN) {
        amgr_metric_put_with(out, PROCESS_LABEL, process->name, count);
    }
}

/* What is there while it runs alone. */
static void put_running(const amgr_managed_t *process, int which,
                        amgr_metric_out_t *out)
{
    if (!amgr_managed_is_running(process)) {
        return;
    }
    switch (which) {
    case AMGR_METRIC_MANAGED_MEMORY:
        put_count(process, process->memory_bytes, out);
        break;
    case AMGR_METRIC_MANAGED_TREE:
        put_count(process, (apr_uint64_t)process->tree_count, out);
        break;
    default:
        put_span(process, process->started_us > 0 ? process->started_us : -1,
                 out);
        break;
    }
}

static void put_number(const amgr_managed_t *process, int which,
                       amgr_metric_out_t *out)
{
    switch (which) {
    case AMGR_METRIC_MANAGED_WANTED:
        put_count(process, process->want == AMGR_MANAGED_WANT_UP, out);
        break;
    case AMGR_METRIC_MANAGED_READY:
        put_count(process, process->ready != 0, out);
        break;
    case AMGR_METRIC_MANAGED_STARTS:
        put_count(process, process->starts, out);
        break;
    case AMGR_METRIC_MANAGED_OUTPUT:
        put_count(process, process->output_bytes, out);
        break;
    case AMGR_METRIC_MANAGED_DROPPED:
        put_count(process, process->output_dropped, out);
        break;
    case AMGR_METRIC_MANAGED_MAX_MEMORY:
        put_count(process,
                  process->max_memory_bytes > 0 ? process->max_memory_bytes
                                                : AMGR_UNKNOWN,
                  out);
        break;
    default:
        put_running(process, which, out);
        break;
    }
}

static void put_one(const amgr_managed_t *process, int which,
                    amgr_metric_out_t *out)
{
    switch (which) {
    case AMGR_METRIC_MANAGED_STATE:
        put_state_set(process, out);
        break;
    case AMGR_METRIC_MANAGED_EXITS:
        put_exits(process, out);
        break;
    case AMGR_METRIC_MANAGED_CHECKS:
        put_checks(process, out);
        break;
    case AMGR_METRIC_MANAGED_LAST_EXIT:
        put_last_exit(process, out);
        break;
    case AMGR_METRIC_MANAGED_CPU:
        put_span(process, (apr_int64_t)process->cpu_us, out);
        break;
    case AMGR_METRIC_MANAGED_BACKOFF:
        put_span(process, process->backoff_us, out);
        break;
    case AMGR_METRIC_MANAGED_CHECK_SPAN:
        put_span(process, process->check_us, out);
        break;
    default:
        put_number(process, which, out);
        break;
    }
}

void amgr_metric_managed(const amgr_metric_source_t *source, int which,
                         amgr_metric_out_t *out)
{
    const amgr_managed_table_t *table = source->view->managed;
    int i;

    for (i = 0; table != NULL && i < table->count; i++) {
        put_one(&table->processes[i], which, out);
    }
}

void amgr_metric_supervision(const amgr_metric_source_t *source, int which,
                             amgr_metric_out_t *out)
{
    const amgr_managed_table_t *table = source->view->managed;
    int i;

    if (table == NULL) {
        return;
    }
    switch (which) {
    case AMGR_METRIC_APPLICATION:
        for (i = 0; i < AMGR_APPLICATION_COUNT; i++) {
            amgr_metric_put_with(out, "state", amgr_application_word(i),
                                 table->application == i);
        }
        break;
    case AMGR_METRIC_SUPERVISOR_UP:
        amgr_metric_put(out, NULL, table->supervisor > 0);
        break;
    default:
        amgr_metric_put(out, NULL, table->supervisors);
        break;
    }
}
