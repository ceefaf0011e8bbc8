/* SPDX-License-Identifier: Apache-2.0
 *
 * The lines above the table: workers, memory against its limits, rates.
 */
#include "cli/watch/watch_parts.h"

#include <limits.h>

#include <apr_strings.h>

#include "render/trends.h"

/** Width of what a line begins with, and of the bar. */
#define LABEL_LEN 9
#define BAR_MIN 10
#define BAR_MAX 60

/** A limit that takes no more than this is shown exactly. */
#define LIMIT_LEN 5

static void put_label(amgr_canvas_t *canvas, const char *text)
{
    amgr_canvas_put_styled(canvas, AMGR_STYLE_STRONG, text);
    amgr_canvas_fill(canvas, LABEL_LEN);
}

/* A part of a line, whole or not at all; after one that did not fit there is
 * nothing more on the line. */
static void put_whole(amgr_canvas_t *canvas, int *is_full, const char *text)
{
    *is_full |= amgr_canvas_width(canvas, text) > amgr_canvas_room(canvas);
    if (!*is_full) {
        amgr_canvas_put(canvas, text);
    }
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

/* How many workers are what.  Where there is no room for all of it, the
 * stopping ones go first, then how many there may be. */
static const char *workers_text(const amgr_server_t *server, int room,
                                const amgr_canvas_t *canvas)
{
    apr_pool_t *pool = canvas->pool;
    const char *text = apr_psprintf(pool, "%d busy, %d idle",
                                    server->busy_workers, server->idle_workers);
    const char *most = server->max_workers > 0
                           ? apr_psprintf(pool, " of %d", server->max_workers)
                           : "";
    const char *all = apr_pstrcat(pool, text, most, NULL);

    if (server->graceful_workers > 0) {
        const char *full = apr_psprintf(pool, "%s, %d graceful%s", text,
                                        server->graceful_workers, most);

        all = amgr_canvas_width(canvas, full) <= room ? full : all;
    }
    return amgr_canvas_width(canvas, all) <= room ? all : text;
}

static void put_workers(const amgr_view_t *view, amgr_canvas_t *canvas)
{
    const amgr_server_t *server = &view->snapshot->server;
    int hanging = view->snapshot->hanging;
    const char *text;
    const char *more = "";
    int room;

    if (server->busy_workers < 0) {
        put_label(canvas, "Workers");
        amgr_canvas_put(canvas, "n/a");
        amgr_canvas_end_line(canvas);
        return;
    }
    put_label(canvas, "Workers");
    if (hanging > 0) {
        more = apr_psprintf(canvas->pool, ", %d hanging", hanging);
    }
    room = amgr_canvas_room(canvas) - amgr_canvas_width(canvas, more);
    text = workers_text(server, room, canvas);
    room -= amgr_canvas_width(canvas, text) + 1;
    if (room >= BAR_MIN && server->max_workers > 0) {
        put_bar(server, room < BAR_MAX ? room : BAR_MAX, canvas);
    }
    amgr_canvas_put(canvas, text);
    amgr_canvas_put_styled(canvas, AMGR_STYLE_BAD, more);
    amgr_canvas_end_line(canvas);
}

static int is_judged(int role)
{
    return role == AMGR_ROLE_WORKER || role == AMGR_ROLE_WSGI;
}

static void sum_up_groups(const amgr_snapshot_t *snapshot, amgr_stats_t *out)
{
    int i;

    for (i = 0; i < snapshot->group_count; i++) {
        const amgr_group_t *group = &snapshot->groups[i];

        if (is_judged(group->role) && group->rss.known > 0) {
            out->known += group->rss.known;
            out->sum += group->rss.sum;
            out->max = group->rss.max > out->max ? group->rss.max : out->max;
        }
    }
}

/* Sizes of all that is judged: of the processes, which may have been read
 * since their groups were summed up, where they are told. */
static void sum_up(const amgr_snapshot_t *snapshot, amgr_stats_t *out)
{
    int i;

    memset(out, 0, sizeof(*out));
    for (i = 0; i < snapshot->process_count; i++) {
        const amgr_process_t *process = &snapshot->processes[i];

        if (is_judged(process->role) && process->rss_bytes != AMGR_UNKNOWN) {
            out->known++;
            out->sum += process->rss_bytes;
            out->max =
                process->rss_bytes > out->max ? process->rss_bytes : out->max;
        }
    }
    if (snapshot->process_count == 0) {
        sum_up_groups(snapshot, out);
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
                      apr_int64_t bytes, const char **separator, int *is_full)
{
    char exact[AMGR_UNITS_LEN];
    char rounded[AMGR_SHORT_LEN];
    char text[80];

    if (bytes == AMGR_LIMIT_OFF || bytes <= 0) {
        return;
    }
    apr_snprintf(text, sizeof(text), "%s%s %s", *separator, name,
                 limit_text(bytes, exact, rounded));
    put_whole(canvas, is_full, text);
    *separator = ", ";
}

static void put_limits(const amgr_view_t *view, int *is_full,
                       amgr_canvas_t *canvas)
{
    const amgr_limits_t *limits = &view->config->limits;
    const char *separator = "; limits: ";

    put_limit(canvas, "active", limits->max_memory_active_bytes, &separator,
              is_full);
    put_limit(canvas, "idle", limits->max_memory_idle_bytes, &separator,
              is_full);
    put_limit(canvas, "hard", limits->hard_memory_bytes, &separator, is_full);
    put_limit(canvas, "all",
              amgr_reasons_total_bytes(limits, &view->snapshot->server),
              &separator, is_full);
    if (limits->metric != AMGR_METRIC_RSS) {
        put_whole(canvas, is_full,
                  apr_pstrcat(canvas->pool, " of ",
                              amgr_metric_word(limits->metric), NULL));
    }
    if (limits->dry_run && amgr_limits_are_set(limits)) {
        put_whole(canvas, is_full, " (dry run)");
    }
}

static void put_memory(const amgr_view_t *view, amgr_canvas_t *canvas)
{
    apr_pool_t *pool = canvas->pool;
    amgr_stats_t rss;
    char size[AMGR_SHORT_LEN];
    int is_full = 0;

    sum_up(view->snapshot, &rss);
    put_label(canvas, "Memory");
    if (rss.known == 0) {
        amgr_canvas_put(canvas, "n/a");
    }
    else {
        amgr_canvas_printf(canvas, "%s in %lu", amgr_short_size(rss.sum, size),
                           (unsigned long)rss.known);
        amgr_short_size((apr_uint64_t)rss.average, size);
        put_whole(canvas, &is_full, apr_pstrcat(pool, ", avg ", size, NULL));
        amgr_short_size(rss.max, size);
        put_whole(canvas, &is_full, apr_pstrcat(pool, ", max ", size, NULL));
    }
    put_limits(view, &is_full, canvas);
    amgr_canvas_end_line(canvas);
}

/* "; CPU 1.25%; killed 12 active, 3 idle". */
static void put_more_rates(const amgr_source_t *source, int *is_full,
                           amgr_canvas_t *canvas)
{
    const amgr_view_t *view = &source->view;
    const amgr_server_t *server = &view->snapshot->server;
    char text[AMGR_SHORT_LEN];

    if (server->cpu_load >= 0) {
        amgr_short_rate(server->cpu_load, text);
        put_whole(canvas, is_full,
                  apr_pstrcat(canvas->pool, "; CPU ", text, "%", NULL));
    }
    /* mod_status knows of nobody who kills. */
    if (source->kind != AMGR_SOURCE_MOD_STATUS) {
        put_whole(canvas, is_full,
                  apr_psprintf(canvas->pool,
                               "; killed %" APR_UINT64_T_FMT
                               " active, %" APR_UINT64_T_FMT " idle",
                               view->counters->killed_active,
                               view->counters->killed_idle));
    }
}

static void put_rate_of_bytes(amgr_canvas_t *canvas, double bytes,
                              const char *unit, int *is_full)
{
    char text[AMGR_SHORT_LEN];

    if (bytes >= 0 && bytes < 1e15) {
        amgr_short_size((apr_uint64_t)bytes, text);
        put_whole(canvas, is_full,
                  apr_pstrcat(canvas->pool, ", ", text, unit, NULL));
    }
}

/* Of the last minute or so; without samples, since the server's start. */
static void put_rates(const amgr_source_t *source, amgr_canvas_t *canvas)
{
    const amgr_view_t *view = &source->view;
    const amgr_server_t *server = &view->snapshot->server;
    amgr_trends_rates_t rates;
    char text[AMGR_SHORT_LEN];
    int is_full = 0;
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
    put_rate_of_bytes(canvas, rates.bytes_per_second, "/s", &is_full);
    put_rate_of_bytes(canvas, rates.bytes_per_request, " each", &is_full);
    if (!is_late && rates.requests_per_second >= 0) {
        put_whole(canvas, &is_full, " since its start");
    }
    put_more_rates(source, &is_full, canvas);
    amgr_canvas_end_line(canvas);
}

void amgr_watch_put_head(const amgr_watch_picture_t *picture, int is_short,
                         amgr_canvas_t *canvas)
{
    if (picture->source == NULL) {
        amgr_canvas_put_styled(canvas, AMGR_STYLE_STRONG, "apache-manager");
        amgr_canvas_put(canvas, picture->fault == NULL ? "  reading..." : "");
        amgr_canvas_end_line(canvas);
        amgr_watch_put_fault(picture, canvas);
        return;
    }
    amgr_watch_put_title(picture, canvas);
    amgr_watch_put_fault(picture, canvas);
    put_workers(&picture->source->view, canvas);
    put_memory(&picture->source->view, canvas);
    if (picture->source->view.managed != NULL) {
        amgr_watch_put_managed_line(picture->source->view.managed, canvas);
    }
    if (!is_short) {
        put_rates(picture->source, canvas);
        if (picture->source->view.history != NULL) {
            amgr_watch_put_sparklines(picture, canvas);
        }
    }
}
