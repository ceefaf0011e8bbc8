/* SPDX-License-Identifier: Apache-2.0
 *
 * The page's table of limits and safety rules: each directive with the value
 * in force, as it would be written in the configuration, and what it does
 * now.  One row per directive, so that what is not set is seen as well.
 */
#include "render/page.h"

#include <stdio.h>

/** What a row says of its directive besides the value. */
typedef enum row_mark_e {
    MARK_NONE = 0,
    MARK_OFF,
    MARK_IN_FORCE,
    MARK_DRY_RUN,
    MARK_INERT
} row_mark_e;

static const struct {
    const char *css;
    const char *text;
} marks[] = {{"na", ""},
             {"na", "off"},
             {"ok", "in force"},
             {"info", "dry run"},
             {"warn", "inert"}};

static void put_row(amgr_sink_t *sink, const char *directive, const char *value,
                    row_mark_e mark, const char *meaning)
{
    amgr_sink_puts(sink, "<tr><th scope=\"row\"><code>");
    amgr_sink_puts(sink, directive);
    amgr_sink_puts(sink, "</code></th><td class=\"num\">");
    amgr_sink_puts(sink, value);
    amgr_sink_puts(sink, "</td><td>");
    if (mark != MARK_NONE) {
        amgr_sink_puts(sink, "<span class=\"mark ");
        amgr_sink_puts(sink, marks[mark].css);
        amgr_sink_puts(sink, "\">");
        amgr_sink_puts(sink, marks[mark].text);
        amgr_sink_puts(sink, "</span>");
    }
    amgr_sink_puts(sink, "</td><td>");
    amgr_sink_puts(sink, meaning);
    amgr_sink_puts(sink, "</td></tr>\n");
}

static row_mark_e limit_mark(const amgr_limits_t *limits, apr_int64_t limit,
                             int inert)
{
    if (limit == AMGR_LIMIT_OFF) {
        return MARK_OFF;
    }
    if (inert) {
        return MARK_INERT;
    }
    return limits->dry_run ? MARK_DRY_RUN : MARK_IN_FORCE;
}

static void put_size_row(const amgr_view_t *view, amgr_sink_t *sink, int idle)
{
    const amgr_limits_t *limits = &view->config->limits;
    apr_int64_t limit =
        idle ? limits->max_memory_idle_bytes : limits->max_memory_active_bytes;
    int inert = amgr_view_inert_group(view, idle) != NULL;
    char exact[AMGR_UNITS_LEN];
    char decimal[AMGR_UNITS_LEN];
    char value[2 * AMGR_UNITS_LEN + 8];
    const char *meaning;

    amgr_size_format_exact(limit, exact, sizeof(exact));
    /* Sizes elsewhere on the page are decimal: say what that is of them. */
    amgr_size_format((apr_uint64_t)limit, decimal, sizeof(decimal));
    snprintf(value, sizeof(value), "%s (%s)", exact, decimal);
    if (inert) {
        meaning = "below the size of a fresh process, so retiring would not"
                  " help";
    }
    else if (idle) {
        meaning = "an idle process over this is retired";
    }
    else {
        meaning = "an active process or WSGI daemon over this is retired";
    }
    put_row(sink, idle ? "ManagerMaxMemoryIdle" : "ManagerMaxMemoryActive",
            limit == AMGR_LIMIT_OFF ? exact : value,
            limit_mark(limits, limit, inert), meaning);
}

static const char *size_text(apr_int64_t bytes, char *text, apr_size_t size)
{
    char exact[AMGR_UNITS_LEN];
    char decimal[AMGR_UNITS_LEN];

    if (bytes == AMGR_LIMIT_OFF) {
        return "Off";
    }
    amgr_size_format_exact(bytes, exact, sizeof(exact));
    amgr_size_format((apr_uint64_t)bytes, decimal, sizeof(decimal));
    snprintf(text, size, "%s (%s)", exact, decimal);
    return text;
}

static void put_hard_row(const amgr_view_t *view, amgr_sink_t *sink)
{
    const amgr_limits_t *limits = &view->config->limits;
    int inert = amgr_view_inert_group(view, AMGR_VIEW_HARD) != NULL;
    char text[2 * AMGR_UNITS_LEN + 8];

    put_row(sink, "ManagerHardMemory",
            size_text(limits->hard_memory_bytes, text, sizeof(text)),
            limit_mark(limits, limits->hard_memory_bytes, inert),
            inert ? "below the size of a fresh process, so retiring would not"
                    " help"
                  : "a process over this is killed without waiting");
}

/* "80% (12.58 GB)", "8G (8.59 GB)", and what all use now. */
static void put_total_row(const amgr_view_t *view, amgr_sink_t *sink)
{
    const amgr_limits_t *limits = &view->config->limits;
    const amgr_server_t *server = &view->snapshot->server;
    int inert = amgr_view_total_is_inert(view);
    int on = amgr_measure_sums(limits);
    char size[2 * AMGR_UNITS_LEN + 8];
    char text[sizeof(size) + 32];
    char used[AMGR_UNITS_LEN];
    char meaning[AMGR_UNITS_LEN + 80];

    size_text(amgr_reasons_total_bytes(limits, server), size, sizeof(size));
    snprintf(text, sizeof(text), "%s", on ? size : "Off");
    if (limits->max_memory_total_percent != 0) {
        amgr_size_format(
            (apr_uint64_t)amgr_reasons_total_bytes(limits, server), used,
            sizeof(used));
        snprintf(text, sizeof(text), "%d%% (%s)",
                 limits->max_memory_total_percent, inert ? "n/a" : used);
    }
    amgr_size_format(server->worker_anon_bytes, used, sizeof(used));
    snprintf(meaning, sizeof(meaning), "anonymous memory of all workers"
             " together%s%s", on ? ", now " : "", on ? used : "");
    put_row(sink, "ManagerMaxMemoryTotal", text,
            limit_mark(limits, on ? 0 : AMGR_LIMIT_OFF, inert), meaning);
}

static const char *span_text(apr_interval_time_t span_us, char *text,
                             apr_size_t size)
{
    return span_us == AMGR_LIMIT_OFF
               ? "Off"
               : amgr_duration_format_exact(span_us, text, size);
}

static void put_time_rows(const amgr_view_t *view, amgr_sink_t *sink)
{
    const amgr_limits_t *limits = &view->config->limits;
    int inert = amgr_view_time_is_inert(view);
    char text[AMGR_UNITS_LEN];

    put_row(sink, "ManagerMaxTime",
            span_text(limits->max_time_us, text, sizeof(text)),
            limit_mark(limits, limits->max_time_us, inert),
            inert ? "ExtendedStatus is off, so nobody records when a request"
                    " began"
            : limits->max_time_sections > 0
                ? "a process whose request runs longer is retired; some"
                  " sections set other limits for theirs"
                : "a process whose request runs longer is retired");
    put_row(sink, "ManagerHangingThreshold",
            span_text(limits->hanging_us, text, sizeof(text)), MARK_NONE,
            "a request that runs this long is counted as hanging");
}

/* "10000 -10%": what each process gets is up to so much less. */
static const char *jittered_text(const char *limit,
                                 const amgr_jittered_t *jittered, char *text,
                                 apr_size_t size)
{
    if (jittered->limit == AMGR_LIMIT_OFF) {
        return "Off";
    }
    snprintf(text, size, "%s -%d%%", limit, (int)jittered->jitter_percent);
    return text;
}

static void put_life_rows(const amgr_view_t *view, amgr_sink_t *sink)
{
    const amgr_limits_t *limits = &view->config->limits;
    int inert = amgr_view_requests_are_inert(view);
    char limit[AMGR_UNITS_LEN];
    char text[AMGR_UNITS_LEN + 16];

    snprintf(limit, sizeof(limit), "%" APR_INT64_T_FMT,
             limits->max_requests.limit);
    put_row(sink, "ManagerMaxRequests",
            jittered_text(limit, &limits->max_requests, text, sizeof(text)),
            limit_mark(limits, limits->max_requests.limit, inert),
            inert ? "ExtendedStatus is off, so nobody counts requests"
                  : "a worker that has served more is retired");
    span_text(limits->max_lifetime_us.limit, limit, sizeof(limit));
    put_row(sink, "ManagerMaxLifetime",
            jittered_text(limit, &limits->max_lifetime_us, text, sizeof(text)),
            limit_mark(limits, limits->max_lifetime_us.limit, 0),
            "a process that has lived longer is retired");
    put_row(sink, "ManagerMaxGenerationAge",
            span_text(limits->max_generation_age_us, limit, sizeof(limit)),
            limit_mark(limits, limits->max_generation_age_us, 0),
            "a worker that outlives a graceful restart for longer is killed");
}

static void put_mode_rows(const amgr_limits_t *limits, amgr_sink_t *sink)
{
    char text[AMGR_UNITS_LEN];

    put_row(sink, "ManagerMemoryMetric", amgr_metric_word(limits->metric),
            MARK_NONE, "what the memory limits measure");
    put_row(sink, "ManagerDryRun", limits->dry_run ? "On" : "Off",
            limits->dry_run ? MARK_DRY_RUN : MARK_NONE,
            "decide, count and log, but send nothing");
    put_row(sink, "ManagerInterval",
            span_text(limits->interval_us, text, sizeof(text)), MARK_NONE,
            "time from one tick to the next");
}

static void put_int_row(amgr_sink_t *sink, const char *directive, int value,
                        const char *meaning)
{
    char text[32];

    snprintf(text, sizeof(text), "%d", value);
    put_row(sink, directive, text, MARK_NONE, meaning);
}

static void put_storm_row(const amgr_view_t *view, amgr_sink_t *sink)
{
    const amgr_limits_t *limits = &view->config->limits;
    char span[AMGR_UNITS_LEN];
    char text[AMGR_UNITS_LEN + 32];

    if (limits->storm_count <= 0) {
        put_row(sink, "ManagerStormLimit", "Off", MARK_OFF,
                "retiring goes on even when it does not help");
        return;
    }
    snprintf(text, sizeof(text), "%d in %s", (int)limits->storm_count,
             amgr_duration_format_exact(limits->storm_window_us, span,
                                        sizeof(span)));
    put_row(sink, "ManagerStormLimit", text, MARK_NONE,
            "retiring stops after so many that did not help");
}

static void put_drain_rows(const amgr_limits_t *limits, amgr_sink_t *sink)
{
    char text[AMGR_UNITS_LEN];
    int off = limits->lame_duck_us == AMGR_LIMIT_OFF;

    put_row(sink, "ManagerLameDuck",
            off ? "Off" : span_text(limits->lame_duck_us, text, sizeof(text)),
            off ? MARK_OFF : MARK_NONE,
            "clients are told to connect anew before a process is asked to go");
    put_row(sink, "ManagerGracePeriod",
            span_text(limits->grace_us, text, sizeof(text)), MARK_NONE,
            "so long a process that was asked may finish its requests");
    put_row(sink, "ManagerEndlessGracePeriod",
            span_text(limits->endless_grace_us, text, sizeof(text)), MARK_NONE,
            "the same when only connections without an end are left");
}

static void put_safety_rows(const amgr_view_t *view, amgr_sink_t *sink)
{
    const amgr_limits_t *limits = &view->config->limits;
    char text[AMGR_UNITS_LEN];

    put_row(sink, "ManagerMinAge",
            span_text(limits->min_age_us, text, sizeof(text)), MARK_NONE,
            "a younger process is left alone");
    snprintf(text, sizeof(text), "%d%s", limits->max_retiring.value,
             limits->max_retiring.percent ? "%" : "");
    put_row(sink, "ManagerMaxRetiring", text, MARK_NONE,
            "so many processes may be retiring at a time, at least one");
    put_int_row(sink, "ManagerMinServing", limits->min_serving,
                "so many processes are always left to serve");
    put_int_row(sink, "ManagerStrikes", limits->strikes,
                "ticks in a row over a limit before a process is retired");
    put_storm_row(view, sink);
}

static void put_rights(const amgr_view_t *view, amgr_sink_t *sink)
{
    if (!view->config->can_signal) {
        amgr_sink_puts(sink, "<p class=\"note\">The right to signal workers is"
                             " missing: nothing can be retired.</p>\n");
    }
    if (!view->config->can_read_proc) {
        amgr_sink_puts(sink, "<p class=\"note\">The memory of workers cannot"
                             " be read from /proc.</p>\n");
    }
}

void amgr_page_limits(const amgr_view_t *view, amgr_sink_t *sink)
{
    amgr_page_begin_section(sink, "limits", "Limits and safety rules");
    put_rights(view, sink);
    amgr_page_begin_table(sink, "Each directive with the value in force",
                          "Directive|#Value|Effect|Meaning");
    put_size_row(view, sink, 0);
    put_size_row(view, sink, 1);
    put_hard_row(view, sink);
    put_total_row(view, sink);
    put_time_rows(view, sink);
    put_life_rows(view, sink);
    put_mode_rows(&view->config->limits, sink);
    put_drain_rows(&view->config->limits, sink);
    put_safety_rows(view, sink);
    amgr_page_end_table(sink);
    amgr_page_sections(view, sink);
    amgr_page_end_section(sink);
}
