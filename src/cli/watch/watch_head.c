/* SPDX-License-Identifier: Apache-2.0
 *
 * The lines above the table: whose picture this is and how old, workers,
 * memory against its limits, rates.
 */
#include "cli/watch/watch_parts.h"

#include <limits.h>

#include <apr_strings.h>

#include "render/trends.h"

/** Width of what a line begins with, and of the bar. */
#define LABEL_LEN 9
#define BAR_MIN 10
#define BAR_MAX 60

/** What the server's own part of the first line takes. */
#define SERVER_LEN 56

/** A limit that takes no more than this is shown exactly. */
#define LIMIT_LEN 5

static void put_label(amgr_canvas_t *canvas, const char *text)
{
    amgr_canvas_put_styled(canvas, AMGR_STYLE_STRONG, text);
    amgr_canvas_fill(canvas, LABEL_LEN);
}

/* A part of a line, whole or not at all. */
static void put_whole(amgr_canvas_t *canvas, const char *text)
{
    if (amgr_canvas_width(canvas, text) <= amgr_canvas_room(canvas)) {
        amgr_canvas_put(canvas, text);
    }
}

static int health_style(int health)
{
    switch (health) {
    case AMGR_HEALTH_OK:
        return AMGR_STYLE_GOOD;
    case AMGR_HEALTH_WAITING:
    case AMGR_HEALTH_NO_LIMITS:
    case AMGR_HEALTH_NO_MONITOR:
        return AMGR_STYLE_PLAIN;
    case AMGR_HEALTH_NEAR:
    case AMGR_HEALTH_INERT:
    case AMGR_HEALTH_RETIRING:
        return AMGR_STYLE_WARN;
    default:
        return AMGR_STYLE_BAD;
    }
}

/* Other sources do not tell enough to say how the server fares. */
static int tells_health(const amgr_source_t *source)
{
    return source->kind == AMGR_SOURCE_BOARD ||
           source->kind == AMGR_SOURCE_STATUS_JSON;
}

/* The server's own name and version, without what modules add to it. */
static const char *short_version(const char *version, apr_pool_t *pool)
{
    int depth = 0;
    int i;

    for (i = 0; version[i] != '\0'; i++) {
        depth += version[i] == '(';
        depth -= version[i] == ')';
        if (depth == 0 && version[i] == ' ' && version[i + 1] != '(') {
            break;
        }
    }
    return i > 0 ? apr_pstrmemdup(pool, version, (apr_size_t)i) : "Apache";
}

static void put_server(const amgr_source_t *source, amgr_canvas_t *canvas)
{
    const amgr_server_t *server = &source->view.snapshot->server;
    amgr_view_counts_t counts;
    char span[AMGR_SHORT_LEN];

    amgr_canvas_put_styled(canvas, AMGR_STYLE_STRONG,
                           short_version(server->version, canvas->pool));
    if (server->mpm[0] != '\0') {
        amgr_canvas_printf(canvas, "  %s", server->mpm);
    }
    if (server->uptime_us >= 0) {
        amgr_canvas_printf(canvas, "  up %s",
                           amgr_short_span(server->uptime_us, span));
    }
    if (tells_health(source)) {
        amgr_view_count(&source->view, &counts);
        amgr_canvas_put(canvas, "  ");
        amgr_canvas_put_styled(canvas, health_style(counts.health),
                               amgr_health_word(counts.health));
    }
}

static const char *interval_text(const amgr_watch_picture_t *picture, char *buf)
{
    apr_interval_time_t interval_us = picture->state->interval_us;

    return apr_time_usec(interval_us) == 0
               ? amgr_short_span(interval_us, buf)
               : amgr_short_tenths(interval_us, buf);
}

/* Where the figures come from, with its name where there is room for it. */
static const char *source_text(const amgr_watch_picture_t *picture,
                               const amgr_canvas_t *canvas)
{
    const amgr_source_t *source = picture->source;
    const char *word = amgr_source_word(source->kind);
    char age[AMGR_SHORT_LEN];
    char every[AMGR_SHORT_LEN];
    const char *rest = apr_psprintf(
        canvas->pool, ", %s old%s%s", amgr_short_span(picture->age_us, age),
        picture->once ? "" : ", every ",
        picture->once ? "" : interval_text(picture, every));
    const char *full =
        apr_pstrcat(canvas->pool, word, " ", source->name, rest, NULL);

    return amgr_canvas_width(canvas, full) < canvas->columns - SERVER_LEN
               ? full
               : apr_pstrcat(canvas->pool, word, rest, NULL);
}

/* The server to the left; to the right where its figures come from, which
 * goes first when there is room for one only. */
static void put_title(const amgr_watch_picture_t *picture,
                      amgr_canvas_t *canvas)
{
    const char *right = source_text(picture, canvas);
    int room = canvas->columns - amgr_canvas_width(canvas, right) - 2;
    amgr_canvas_t *left =
        amgr_canvas_create(room, 1, canvas->utf8, canvas->pool);

    put_server(picture->source, left);
    amgr_canvas_append(canvas, left);
    amgr_canvas_fill(canvas, room + 2);
    amgr_canvas_put_styled(canvas, AMGR_STYLE_FAINT, right);
    amgr_canvas_end_line(canvas);
}

static void put_bar(const amgr_server_t *server, int width,
                    amgr_canvas_t *canvas)
{
    double max = server->max_workers;
    apr_int64_t busy = server->busy_workers;
    apr_int64_t graceful = server->graceful_workers;
    apr_int64_t idle = server->idle_workers;
    const struct {
        apr_int64_t until;
        int style;
        const char *mark;
    } parts[] = {
        {busy, AMGR_STYLE_GOOD, "|"},
        {busy + graceful, AMGR_STYLE_WARN, "/"},
        {busy + graceful + idle, AMGR_STYLE_FAINT, "."},
        {INT_MAX, AMGR_STYLE_PLAIN, " "},
    };
    int cells = width - 2;
    int done = 0;
    apr_size_t i;

    amgr_canvas_put(canvas, "[");
    for (i = 0; i < AMGR_COUNT(parts); i++) {
        double part = (double)parts[i].until / max * cells;
        int until = part < cells ? (int)(part + 0.5) : cells;

        /* Whatever there is is seen. */
        if (until == 0 && parts[i].until > 0) {
            until = 1;
        }
        canvas->style = parts[i].style;
        for (; done < until; done++) {
            amgr_canvas_put(canvas, parts[i].mark);
        }
    }
    canvas->style = AMGR_STYLE_PLAIN;
    amgr_canvas_put(canvas, "] ");
}

static void put_workers(const amgr_view_t *view, amgr_canvas_t *canvas)
{
    const amgr_server_t *server = &view->snapshot->server;
    int hanging = view->snapshot->hanging;
    char text[160];
    char more[48] = "";
    int width;

    if (server->busy_workers < 0) {
        put_label(canvas, "Workers");
        amgr_canvas_put(canvas, "n/a");
        amgr_canvas_end_line(canvas);
        return;
    }
    apr_snprintf(text, sizeof(text), "%d busy, %d idle", server->busy_workers,
                 server->idle_workers);
    if (server->graceful_workers > 0) {
        apr_snprintf(more, sizeof(more), ", %d graceful",
                     server->graceful_workers);
    }
    if (server->max_workers > 0) {
        apr_snprintf(text + strlen(text), sizeof(text) - strlen(text),
                     "%s of %d", more, server->max_workers);
    }
    apr_snprintf(more, sizeof(more), hanging > 0 ? ", %d hanging" : "",
                 hanging);
    put_label(canvas, "Workers");
    width = amgr_canvas_room(canvas) - 1 - amgr_canvas_width(canvas, text) -
            amgr_canvas_width(canvas, more);
    if (width >= BAR_MIN && server->max_workers > 0) {
        put_bar(server, width < BAR_MAX ? width : BAR_MAX, canvas);
    }
    amgr_canvas_put(canvas, text);
    amgr_canvas_put_styled(canvas, AMGR_STYLE_BAD, more);
    amgr_canvas_end_line(canvas);
}

/* Sizes of all that is judged, by the statistics of its groups. */
static void sum_up(const amgr_snapshot_t *snapshot, amgr_stats_t *out)
{
    int i;

    memset(out, 0, sizeof(*out));
    for (i = 0; i < snapshot->group_count; i++) {
        const amgr_group_t *group = &snapshot->groups[i];

        if (group->role != AMGR_ROLE_WORKER && group->role != AMGR_ROLE_WSGI) {
            continue;
        }
        out->count += group->rss.count;
        if (group->rss.known > 0) {
            out->known += group->rss.known;
            out->sum += group->rss.sum;
            out->max = group->rss.max > out->max ? group->rss.max : out->max;
        }
    }
    if (out->known > 0) {
        out->average = (double)out->sum / (double)out->known;
    }
}

/* As a directive has it where that is short: "2G" and not "2.00G". */
static const char *limit_text(apr_int64_t bytes, char *exact, char *rounded)
{
    amgr_size_format_exact(bytes, exact, AMGR_UNITS_LEN);
    return strlen(exact) <= LIMIT_LEN
               ? exact
               : amgr_short_size((apr_uint64_t)bytes, rounded);
}

/* ", idle 250M" of a limit that is set; the first has no comma. */
static void put_limit(amgr_canvas_t *canvas, const char *name,
                      apr_int64_t bytes, const char **separator)
{
    char exact[AMGR_UNITS_LEN];
    char rounded[AMGR_SHORT_LEN];
    char text[80];

    if (bytes == AMGR_LIMIT_OFF || bytes <= 0) {
        return;
    }
    apr_snprintf(text, sizeof(text), "%s%s %s", *separator, name,
                 limit_text(bytes, exact, rounded));
    put_whole(canvas, text);
    *separator = ", ";
}

static void put_limits(const amgr_view_t *view, amgr_canvas_t *canvas)
{
    const amgr_limits_t *limits = &view->config->limits;
    const char *separator = "; limits: ";

    put_limit(canvas, "active", limits->max_memory_active_bytes, &separator);
    put_limit(canvas, "idle", limits->max_memory_idle_bytes, &separator);
    put_limit(canvas, "hard", limits->hard_memory_bytes, &separator);
    put_limit(canvas, "all",
              amgr_reasons_total_bytes(limits, &view->snapshot->server),
              &separator);
    if (limits->metric != AMGR_METRIC_RSS) {
        put_whole(canvas, " of ");
        put_whole(canvas, amgr_metric_word(limits->metric));
    }
    if (limits->dry_run && amgr_limits_are_set(limits)) {
        put_whole(canvas, " (dry run)");
    }
}

static void put_memory(const amgr_view_t *view, amgr_canvas_t *canvas)
{
    amgr_stats_t rss;
    char size[AMGR_SHORT_LEN];

    sum_up(view->snapshot, &rss);
    put_label(canvas, "Memory");
    if (rss.known == 0) {
        amgr_canvas_put(canvas, "n/a");
    }
    else {
        amgr_canvas_printf(canvas, "%s in %lu", amgr_short_size(rss.sum, size),
                           (unsigned long)rss.known);
        amgr_canvas_printf(canvas, ", avg %s",
                           amgr_short_size((apr_uint64_t)rss.average, size));
        amgr_canvas_printf(canvas, ", max %s", amgr_short_size(rss.max, size));
    }
    put_limits(view, canvas);
    amgr_canvas_end_line(canvas);
}

/* Of the last minute or so; without samples, since the server's start. */
static void put_rates(const amgr_source_t *source, amgr_canvas_t *canvas)
{
    const amgr_view_t *view = &source->view;
    const amgr_server_t *server = &view->snapshot->server;
    amgr_trends_rates_t rates;
    char text[AMGR_SHORT_LEN];
    int is_late;

    amgr_trends_rates(view, &rates);
    is_late = rates.requests_per_second >= 0;
    if (!is_late) {
        rates.requests_per_second = server->requests_per_second;
        rates.bytes_per_second = server->bytes_per_second;
        rates.bytes_per_request = server->bytes_per_request;
    }
    put_label(canvas, "Rates");
    amgr_canvas_printf(canvas, "%s requests/s",
                       amgr_short_rate(rates.requests_per_second, text));
    if (rates.bytes_per_second >= 0 && rates.bytes_per_second < 1e15) {
        amgr_canvas_printf(
            canvas, ", %s/s",
            amgr_short_size((apr_uint64_t)rates.bytes_per_second, text));
    }
    if (rates.bytes_per_request >= 0 && rates.bytes_per_request < 1e15) {
        amgr_canvas_printf(
            canvas, ", %s each",
            amgr_short_size((apr_uint64_t)rates.bytes_per_request, text));
    }
    if (!is_late && rates.requests_per_second >= 0) {
        amgr_canvas_put(canvas, " since its start");
    }
    if (server->cpu_load >= 0) {
        amgr_canvas_printf(canvas, "; CPU %s%%",
                           amgr_short_rate(server->cpu_load, text));
    }
    /* mod_status knows of nobody who kills. */
    if (source->kind != AMGR_SOURCE_MOD_STATUS) {
        put_whole(canvas, apr_psprintf(canvas->pool,
                                       "; killed %" APR_UINT64_T_FMT
                                       " active, %" APR_UINT64_T_FMT " idle",
                                       view->counters->killed_active,
                                       view->counters->killed_idle));
    }
    amgr_canvas_end_line(canvas);
}

static void put_fault(const amgr_watch_picture_t *picture,
                      amgr_canvas_t *canvas)
{
    char span[AMGR_SHORT_LEN];

    if (picture->fault == NULL) {
        return;
    }
    canvas->style = AMGR_STYLE_BAD;
    amgr_canvas_printf(
        canvas, "No answer for %s: ", amgr_short_span(picture->fault_us, span));
    amgr_canvas_put(canvas, picture->fault);
    amgr_canvas_end_line(canvas);
}

void amgr_watch_put_head(const amgr_watch_picture_t *picture, int is_short,
                         amgr_canvas_t *canvas)
{
    if (picture->source == NULL) {
        amgr_canvas_put_styled(canvas, AMGR_STYLE_STRONG, "apache-manager");
        amgr_canvas_put(canvas, picture->fault == NULL ? "  reading..." : "");
        amgr_canvas_end_line(canvas);
        put_fault(picture, canvas);
        return;
    }
    put_title(picture, canvas);
    put_fault(picture, canvas);
    put_workers(&picture->source->view, canvas);
    put_memory(&picture->source->view, canvas);
    if (!is_short) {
        put_rates(picture->source, canvas);
        if (picture->source->view.history != NULL) {
            amgr_watch_put_sparklines(picture, canvas);
        }
    }
}
