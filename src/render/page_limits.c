/* SPDX-License-Identifier: Apache-2.0
 *
 * The page's tables of limits and rules: each directive with the value in
 * force, as it would be written in the configuration, and what it does now.
 * One row per directive, so that what is not set is seen as well: limits that
 * are inert come first, those that are off are folded.
 */
#include "render/page_limits.h"

#include <stdio.h>

#include <apr_strings.h>

#define BIT(effect) (1u << (effect))
#define ALL_EFFECTS (BIT(AMGR_EFFECT_COUNT) - 1)

void amgr_page_row(amgr_page_rows_t *rows, const char *directive,
                   const char *value, amgr_page_effect_e effect,
                   const char *meaning)
{
    static const struct {
        const char *css;
        const char *text;
    } marks[AMGR_EFFECT_COUNT] = {[AMGR_EFFECT_OFF] = {"na", "off"},
                                  [AMGR_EFFECT_ON] = {"na", "in force"},
                                  [AMGR_EFFECT_IN_FORCE] = {"ok", "in force"},
                                  [AMGR_EFFECT_DRY_RUN] = {"info", "dry run"},
                                  [AMGR_EFFECT_INERT] = {"warn", "inert"}};
    amgr_sink_t *sink = rows->sink;

    if ((rows->effects & BIT(effect)) == 0) {
        return;
    }
    rows->count++;
    if (sink == NULL) {
        return;
    }
    amgr_sink_puts(sink, "<tr><th scope=\"row\"><code>");
    amgr_sink_puts(sink, directive);
    amgr_sink_puts(sink, "</code></th><td class=\"num\">");
    amgr_page_text(sink, value);
    amgr_sink_puts(sink, "</td><td><span class=\"mark ");
    amgr_sink_puts(sink, marks[effect].css);
    amgr_sink_puts(sink, "\">");
    amgr_sink_puts(sink, marks[effect].text);
    amgr_sink_puts(sink, "</span></td><td>");
    amgr_sink_puts(sink, meaning);
    amgr_sink_puts(sink, "</td></tr>\n");
}

static const char *span_text(apr_interval_time_t span_us, char *text,
                             apr_size_t size)
{
    return span_us == AMGR_LIMIT_OFF
               ? "Off"
               : amgr_duration_format_exact(span_us, text, size);
}

void amgr_page_span_row(amgr_page_rows_t *rows, const char *directive,
                        apr_interval_time_t span_us, const char *meaning)
{
    char text[AMGR_UNITS_LEN];

    amgr_page_row(rows, directive, span_text(span_us, text, sizeof(text)),
                  span_us == AMGR_LIMIT_OFF ? AMGR_EFFECT_OFF : AMGR_EFFECT_ON,
                  meaning);
}

static amgr_page_effect_e effect_of(const amgr_limits_t *limits,
                                    apr_int64_t limit, int inert)
{
    if (limit == AMGR_LIMIT_OFF) {
        return AMGR_EFFECT_OFF;
    }
    if (inert) {
        return AMGR_EFFECT_INERT;
    }
    return limits->dry_run ? AMGR_EFFECT_DRY_RUN : AMGR_EFFECT_IN_FORCE;
}

/* Sizes elsewhere on the page are decimal: say what that is of them. */
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

/* A limit of one process's memory; @a which is amgr_view_limit_e. */
static void put_size_row(amgr_page_rows_t *rows, int which,
                         const char *directive, apr_int64_t limit,
                         const char *meaning)
{
    /* A group with a limit of its own has that in its own row. */
    int inert = amgr_view_inert_server(rows->view, which) != NULL;
    char text[2 * AMGR_UNITS_LEN + 8];

    amgr_page_row(rows, directive, size_text(limit, text, sizeof(text)),
                  effect_of(&rows->view->config->limits, limit, inert),
                  inert ? "below the size of a fresh process, so retiring"
                          " would not help"
                        : meaning);
}

/* "80% (12.58 GB)", "8G (8.59 GB)", and what all use now. */
static void put_total_row(amgr_page_rows_t *rows)
{
    const amgr_limits_t *limits = &rows->view->config->limits;
    const amgr_server_t *server = &rows->view->snapshot->server;
    int inert = amgr_view_total_is_inert(rows->view);
    int on = amgr_measure_sums(limits);
    char size[2 * AMGR_UNITS_LEN + 8];
    char text[sizeof(size) + 32];
    char used[AMGR_UNITS_LEN];
    char meaning[AMGR_UNITS_LEN + 80];

    snprintf(text, sizeof(text), "%s",
             on ? size_text(amgr_reasons_total_bytes(limits, server), size,
                            sizeof(size))
                : "Off");
    if (limits->max_memory_total_percent != 0) {
        amgr_size_format((apr_uint64_t)amgr_reasons_total_bytes(limits, server),
                         used, sizeof(used));
        snprintf(text, sizeof(text), "%d%% (%s)",
                 limits->max_memory_total_percent, inert ? "n/a" : used);
    }
    amgr_size_format(server->worker_anon_bytes, used, sizeof(used));
    snprintf(meaning, sizeof(meaning),
             "the largest workers are retired while all have more anonymous"
             " memory%s%s",
             on ? ", now " : "", on ? used : "");
    amgr_page_row(rows, "ManagerMaxMemoryTotal", text,
                  effect_of(limits, on ? 0 : AMGR_LIMIT_OFF, inert), meaning);
}

static void put_memory_rows(amgr_page_rows_t *rows)
{
    const amgr_limits_t *limits = &rows->view->config->limits;

    put_size_row(rows, AMGR_VIEW_ACTIVE, "ManagerMaxMemoryActive",
                 limits->max_memory_active_bytes,
                 "an active process or WSGI daemon over this is retired");
    put_size_row(rows, AMGR_VIEW_IDLE, "ManagerMaxMemoryIdle",
                 limits->max_memory_idle_bytes,
                 "an idle process over this is retired");
    put_size_row(rows, AMGR_VIEW_HARD, "ManagerHardMemory",
                 limits->hard_memory_bytes,
                 "a process over this is killed without waiting");
    put_total_row(rows);
}

static void put_time_row(amgr_page_rows_t *rows)
{
    const amgr_limits_t *limits = &rows->view->config->limits;
    int inert = amgr_view_time_is_inert(rows->view);
    int sections = limits->max_time_sections > 0;
    char text[AMGR_UNITS_LEN];

    span_text(limits->max_time_us, text, sizeof(text));
    if (limits->max_time_us == AMGR_LIMIT_OFF) {
        apr_cpystrn(text, sections ? "in sections" : "Off", sizeof(text));
    }
    amgr_page_row(rows, "ManagerMaxTime", text,
                  effect_of(limits, sections ? 0 : limits->max_time_us, inert),
                  inert      ? "ExtendedStatus is off, so nobody records when a"
                               " request began"
                  : sections ? "a process whose request runs longer is retired;"
                               " some sections set other limits for theirs"
                             : "a process whose request runs longer is"
                               " retired");
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

static void put_life_rows(amgr_page_rows_t *rows)
{
    const amgr_limits_t *limits = &rows->view->config->limits;
    int inert = amgr_view_requests_are_inert(rows->view);
    char limit[AMGR_UNITS_LEN];
    char text[AMGR_UNITS_LEN + 16];

    snprintf(limit, sizeof(limit), "%" APR_INT64_T_FMT,
             limits->max_requests.limit);
    amgr_page_row(
        rows, "ManagerMaxRequests",
        jittered_text(limit, &limits->max_requests, text, sizeof(text)),
        effect_of(limits, limits->max_requests.limit, inert),
        inert ? "ExtendedStatus is off, so nobody counts requests"
              : "a worker that has served more is retired");
    span_text(limits->max_lifetime_us.limit, limit, sizeof(limit));
    amgr_page_row(
        rows, "ManagerMaxLifetime",
        jittered_text(limit, &limits->max_lifetime_us, text, sizeof(text)),
        effect_of(limits, limits->max_lifetime_us.limit, 0),
        "a process that has lived longer is retired");
    amgr_page_row(
        rows, "ManagerMaxGenerationAge",
        span_text(limits->max_generation_age_us, limit, sizeof(limit)),
        effect_of(limits, limits->max_generation_age_us, 0),
        "a worker that outlives a graceful restart for longer is killed");
}

static void put_limit_rows(amgr_page_rows_t *rows)
{
    put_memory_rows(rows);
    put_time_row(rows);
    put_life_rows(rows);
}

static int count_rows(const amgr_view_t *view, amgr_page_rows_fn *put,
                      unsigned int effects)
{
    amgr_page_rows_t rows = {view, NULL, effects, 0};

    put(&rows);
    return rows.count;
}

/* A table of those with one of @a first, and then those with one of @a next;
 * nothing when there is none of either. */
static void put_table(const amgr_view_t *view, amgr_sink_t *sink,
                      const char *caption, amgr_page_rows_fn *put,
                      unsigned int first, unsigned int next)
{
    amgr_page_rows_t rows = {view, sink, first, 0};

    if (count_rows(view, put, first | next) == 0) {
        return;
    }
    amgr_page_begin_table(sink, caption, "Directive|#Value|Effect|Meaning");
    put(&rows);
    rows.effects = next;
    put(&rows);
    amgr_page_end_table(sink);
}

static void put_limits(const amgr_view_t *view, amgr_sink_t *sink)
{
    int off = count_rows(view, put_limit_rows, BIT(AMGR_EFFECT_OFF));

    if (!amgr_limits_are_set(&view->config->limits)) {
        amgr_sink_puts(sink, "<p>No limit is set: processes are watched, and"
                             " none is retired.</p>\n");
    }
    put_table(view, sink, "Limits, each with the value in force",
              put_limit_rows, BIT(AMGR_EFFECT_INERT),
              BIT(AMGR_EFFECT_IN_FORCE) | BIT(AMGR_EFFECT_DRY_RUN));
    amgr_page_sections(view, sink);
    if (off > 0) {
        amgr_sink_puts(sink, "<details id=\"limits-off\"><summary>");
        amgr_page_plural(sink, off, "limit");
        amgr_sink_puts(sink, off == 1 ? " is off</summary>\n"
                                      : " are off</summary>\n");
        put_table(view, sink, "Limits that are off", put_limit_rows,
                  BIT(AMGR_EFFECT_OFF), 0);
        amgr_sink_puts(sink, "</details>\n");
    }
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
    unsigned int on = ALL_EFFECTS & ~BIT(AMGR_EFFECT_OFF);

    amgr_page_begin_section(sink, "limits", "Limits and safety rules");
    put_rights(view, sink);
    put_limits(view, sink);
    put_table(view, sink, "How a process over a limit leaves",
              amgr_page_rows_leaving, on, BIT(AMGR_EFFECT_OFF));
    put_table(view, sink, "Safety rules", amgr_page_rows_safety, on,
              BIT(AMGR_EFFECT_OFF));
    put_table(view, sink, "Watching, showing and telling",
              amgr_page_rows_telling, on, BIT(AMGR_EFFECT_OFF));
    amgr_page_end_section(sink);
}
