/* SPDX-License-Identifier: Apache-2.0
 *
 * Managed processes one by one, with all that is known of each.
 */
#include "base/escape.h"
#include "base/units.h"
#include "cli/order/order_target.h"
#include "cli/output.h"
#include "cli/tasks.h"
#include "supervise/spec/spec.h"

/* " - Name: ", behind which a value is to be put. */
static amgr_sink_t *begin(const char *name)
{
    amgr_sink_printf(amgr_output(), " - %s: ", name);
    return amgr_output();
}

static void put_text(const char *name, const char *text)
{
    amgr_sink_t *sink;

    if (text[0] != '\0') {
        sink = begin(name);
        amgr_escape_line(sink, text);
        amgr_sink_putc(sink, '\n');
    }
}

static void put_count(const char *name, apr_uint64_t count)
{
    amgr_sink_t *sink = begin(name);

    amgr_sink_u64(sink, count);
    amgr_sink_putc(sink, '\n');
}

static void put_span(const char *name, apr_interval_time_t span_us)
{
    char text[AMGR_UNITS_LEN];

    amgr_duration_format(span_us, text, sizeof(text));
    put_text(name, text);
}

static void put_size(const char *name, apr_uint64_t bytes)
{
    char text[AMGR_UNITS_LEN];

    amgr_size_format(bytes, text, sizeof(text));
    put_text(name, text);
}

/* Since an instant of the wall clock, which may have been set back. */
static apr_interval_time_t span_since(const amgr_view_t *view, apr_time_t us)
{
    return us <= 0                  ? AMGR_NO_TIME
           : us > view->now_wall_us ? 0
                                    : view->now_wall_us - us;
}

static void put_run(const amgr_view_t *view, const amgr_managed_t *process)
{
    if (process->pid != 0) {
        put_count("Process", (apr_uint64_t)process->pid);
        put_span("Running for", span_since(view, process->started_us));
        put_count("Processes of its tree", (apr_uint64_t)process->tree_count);
        put_size("Memory", process->memory_bytes);
    }
    if (process->max_memory_bytes != 0) {
        put_size("MaxMemory", process->max_memory_bytes);
    }
    if (process->next_start_us > view->now_wall_us) {
        put_span("Next start in", process->next_start_us - view->now_wall_us);
    }
    if (process->cpu_us != AMGR_UNKNOWN) {
        put_span("Processor time", (apr_interval_time_t)process->cpu_us);
    }
}

static void put_end(const amgr_managed_t *process)
{
    char text[AMGR_MANAGED_END_LEN];

    if (process->exit_known) {
        amgr_managed_end_text(process, text);
        put_text("Last end", text);
    }
}

static void put_after(const amgr_managed_table_t *table,
                      const amgr_managed_t *process)
{
    amgr_sink_t *sink;
    int count = 0;
    int i;

    if (process->after == 0) {
        return;
    }
    sink = begin("After");
    for (i = 0; i < table->count; i++) {
        if ((process->after & (APR_UINT64_C(1) << i)) != 0) {
            amgr_sink_puts(sink, count++ == 0 ? "" : ", ");
            amgr_escape_line(sink, table->processes[i].name);
        }
    }
    amgr_sink_putc(sink, '\n');
}

static void put_counts(const amgr_managed_t *process)
{
    put_count("Starts", process->starts);
    if (process->verify[0] != '\0') {
        put_text("Verify", process->verify);
        put_count("Checks passed", process->checks_passed);
        put_count("Checks failed", process->checks_failed);
    }
    put_size("Output", process->output_bytes);
    if (process->output_dropped != 0) {
        put_size("Output lost", process->output_dropped);
    }
}

static void put_process(const amgr_view_t *view, const amgr_managed_t *process)
{
    amgr_sink_t *sink = amgr_output();

    amgr_escape_line(sink, process->name);
    amgr_sink_printf(sink, ": %s\n", amgr_managed_state_word(process->state));
    put_text("Why", process->reason);
    put_text("It says", process->status);
    put_span("For", span_since(view, process->since_us));
    put_text("Wanted", amgr_managed_want_word(process->want));
    put_text("Ready", process->ready ? "yes" : "no");
    put_text("Program", process->program);
    put_after(view->managed, process);
    put_run(view, process);
    put_end(process);
    put_text("Restart", amgr_restart_word(process->restart));
    put_counts(process);
}

static const amgr_fault_t *check(const amgr_source_t *source, apr_pool_t *pool)
{
    if (source->kind != AMGR_SOURCE_BOARD &&
        source->kind != AMGR_SOURCE_STATUS_JSON) {
        return amgr_fault_make(
            pool, AMGR_EXIT_FAILED,
            "managed processes are not known: mod_apache_manager alone tells "
            "of them, and %s is not of it",
            amgr_fault_quote(pool, source->name));
    }
    return source->view.managed != NULL
               ? NULL
               : amgr_fault_make(pool, AMGR_EXIT_FAILED,
                                 "the server has no managed processes");
}

static void put_all(const amgr_view_t *view, const amgr_managed_t *const *named,
                    int count)
{
    int i;

    for (i = 0; i < count; i++) {
        if (i > 0) {
            amgr_sink_putc(amgr_output(), '\n');
        }
        put_process(view, named[i]);
    }
}

/* Where one of the names is wrong nothing is told. */
const amgr_fault_t *amgr_task_status(const amgr_options_t *options,
                                     const amgr_source_t *source,
                                     apr_pool_t *pool)
{
    const amgr_fault_t *fault = check(source, pool);
    int count = options->name_count;
    const amgr_managed_t **named = apr_pcalloc(
        pool, sizeof(const amgr_managed_t *) * ((apr_size_t)count + 1));
    int missed = 0;
    int i;

    if (fault != NULL) {
        return fault;
    }
    for (i = 0; i < count; i++) {
        named[i] = amgr_order_target_process(source->view.managed,
                                             options->names[i], &fault, pool);
        if (named[i] == NULL) {
            return fault;
        }
        missed |= amgr_managed_is_missed(named[i]);
    }
    if (options->tasks & AMGR_TASK_JSON) {
        amgr_write_named_json(&source->view, named, count, amgr_output());
    }
    else {
        put_all(&source->view, named, count);
    }
    return missed ? amgr_fault_make(pool, AMGR_EXIT_ATTENTION, "%s", "") : NULL;
}
