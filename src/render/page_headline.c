/* SPDX-License-Identifier: Apache-2.0
 *
 * The page's first sentence: what is the matter, how many it concerns, and
 * why nothing is done when nothing is done.  One writer per kind of health.
 */
#include "render/page.h"

#include <string.h>

static const char *const cause_texts[AMGR_CAUSE_COUNT] = {
    "no reason is known",
    "this is a dry run",
    "the limit is below the size of a fresh worker",
    "the process is younger than ManagerMinAge",
    "it was not over the limit often enough in a row (ManagerStrikes)",
    "the storm breaker is open (ManagerStormLimit)",
    "as many as allowed are retiring already (ManagerMaxRetiring)",
    "too few would be left to serve (ManagerMinServing)",
    "the right to signal it is missing",
    "another module does not want it to go"};

const char *amgr_page_cause_text(int cause)
{
    if (cause < 0 || cause >= AMGR_CAUSE_COUNT) {
        cause = AMGR_CAUSE_NONE;
    }
    return cause_texts[cause];
}

const char *amgr_page_health_class(int health)
{
    switch (health) {
    case AMGR_HEALTH_OK:
        return "ok";
    case AMGR_HEALTH_WAITING:
    case AMGR_HEALTH_NO_LIMITS:
    case AMGR_HEALTH_NO_MONITOR:
        return "info";
    case AMGR_HEALTH_STORM:
    case AMGR_HEALTH_FAILED:
    case AMGR_HEALTH_NO_SUPERVISOR:
    case AMGR_HEALTH_NO_RIGHTS:
    case AMGR_HEALTH_STALE:
        return "bad";
    default:
        return "warn";
    }
}

/* Names the cause that holds back the most of them. */
static void put_left_alone(amgr_sink_t *sink, const amgr_view_counts_t *counts)
{
    int cause = AMGR_CAUSE_NONE + 1;
    int i;

    for (i = cause; i < AMGR_CAUSE_COUNT; i++) {
        if (counts->causes[i] > counts->causes[cause]) {
            cause = i;
        }
    }
    amgr_page_plural(sink, counts->over, "process");
    amgr_sink_puts(sink, counts->over == 1 ? " is over its limit and is"
                                           : " are over their limit and are");
    amgr_sink_puts(sink, " left alone, ");
    if (counts->causes[cause] < counts->over) {
        amgr_sink_puts(sink, "mostly ");
    }
    amgr_sink_puts(sink, "because ");
    amgr_sink_puts(sink, amgr_page_cause_text(cause));
    amgr_sink_putc(sink, '.');
}

/* Limits that are inert for another reason than a fresh process. */
static void put_inert_server(const amgr_view_t *view, amgr_sink_t *sink)
{
    if (amgr_view_time_is_inert(view)) {
        amgr_sink_puts(sink, "ManagerMaxTime is inert because ExtendedStatus"
                             " is off: nobody records when a request began.");
    }
    else if (amgr_view_requests_are_inert(view)) {
        amgr_sink_puts(sink, "ManagerMaxRequests is inert because"
                             " ExtendedStatus is off: nobody counts"
                             " requests.");
    }
    else {
        amgr_sink_puts(sink, "ManagerMaxMemoryTotal is inert because it is not"
                             " known how much memory there is.");
    }
}

static void put_inert(const amgr_view_t *view, amgr_sink_t *sink)
{
    static const char *const directives[AMGR_VIEW_LIMIT_COUNT] = {
        "ManagerMaxMemoryActive", "ManagerMaxMemoryIdle", "ManagerHardMemory"};
    const amgr_group_t *group = NULL;
    const char *directive = NULL;
    int which;

    for (which = 0; which < AMGR_VIEW_LIMIT_COUNT && group == NULL; which++) {
        group = amgr_view_inert_group(view, which);
        directive = directives[which];
    }
    if (group == NULL) {
        put_inert_server(view, sink);
        return;
    }
    amgr_sink_puts(sink, directive);
    amgr_sink_puts(sink, " is inert because it is below the size of a fresh"
                         " process of group ");
    amgr_page_text(sink, group->name);
    if (group->fresh_bytes != AMGR_UNKNOWN) {
        amgr_sink_puts(sink, " (");
        amgr_page_size(sink, group->fresh_bytes);
        amgr_sink_putc(sink, ')');
    }
    amgr_sink_puts(sink, ": killing would not help.");
}

static void put_stale(const amgr_view_t *view, amgr_sink_t *sink)
{
    char text[AMGR_UNITS_LEN];

    amgr_sink_puts(sink, view->tick_wall_us == AMGR_NO_TIME
                             ? "There has been no tick since the server was"
                               " started or restarted, "
                             : "The last tick was ");
    amgr_page_span(sink, amgr_view_since_tick_us(view));
    amgr_sink_puts(sink, " ago, and one is due every ");
    amgr_sink_puts(sink,
                   amgr_duration_format_exact(view->config->limits.interval_us,
                                              text, sizeof(text)));
    amgr_sink_puts(sink, view->tick_wall_us == AMGR_NO_TIME
                             ? ": nothing is measured, and nothing acted on."
                             : ": memory and verdicts are old, and nothing is"
                               " acted on.");
}

static void put_rights(const amgr_view_t *view, amgr_sink_t *sink)
{
    int may_signal = view->config->can_signal || view->config->limits.dry_run;

    amgr_sink_puts(
        sink,
        may_signal
            ? "The memory of the workers cannot be read, so the memory limits"
              " cannot be enforced."
            : "Limits are set, but the right to signal the workers is missing:"
              " nothing will be retired.");
}

static void put_healthy(amgr_sink_t *sink, const amgr_view_counts_t *counts)
{
    if (counts->native == 1) {
        amgr_sink_puts(sink, "The one worker process is within its limits.");
        return;
    }
    if (counts->native == 0) {
        amgr_sink_puts(sink, "There was no worker process at the last tick.");
        return;
    }
    amgr_sink_puts(sink, "All ");
    amgr_page_plural(sink, counts->native, "worker process");
    amgr_sink_puts(sink, " are within their limits.");
}

static void put_near(const amgr_view_t *view, amgr_sink_t *sink,
                     const amgr_view_counts_t *counts)
{
    const amgr_process_t *nearest = counts->nearest;
    apr_uint64_t used = amgr_measure_of(nearest, view->config->limits.metric);
    apr_int64_t limit = amgr_trends_limit(view, nearest);
    apr_interval_time_t left_us = amgr_trends_time_to_limit(view, nearest);

    amgr_page_plural(sink, counts->near, "process");
    amgr_sink_puts(sink, counts->near == 1 ? " is near its limit: process "
                                           : " are near their limit; the"
                                             " closest, process ");
    amgr_sink_i64(sink, nearest->id.pid);
    amgr_sink_puts(sink, counts->near == 1 ? " has " : ", has ");
    amgr_sink_u64(sink, (apr_uint64_t)((double)used / (double)limit * 100.0));
    amgr_sink_puts(sink, "% of ");
    amgr_page_size(sink, (apr_uint64_t)limit);
    if (left_us != AMGR_NO_TIME) {
        amgr_sink_puts(sink, " and reaches it in about ");
        amgr_page_span(sink, left_us);
    }
    amgr_sink_putc(sink, '.');
}

static void put_hanging(const amgr_view_t *view, amgr_sink_t *sink)
{
    char text[AMGR_UNITS_LEN];

    amgr_page_plural(sink, view->snapshot->hanging, "request");
    amgr_sink_puts(sink, view->snapshot->hanging == 1 ? " has been running for "
                                                      : " have been running"
                                                        " for ");
    amgr_sink_puts(sink,
                   amgr_duration_format_exact(view->config->limits.hanging_us,
                                              text, sizeof(text)));
    amgr_sink_puts(sink, " or longer.");
}

static void put_retiring(amgr_sink_t *sink, const amgr_view_counts_t *counts)
{
    amgr_page_plural(sink, counts->retiring, "process");
    amgr_sink_puts(sink, counts->retiring == 1
                             ? " was told to go and is not gone yet."
                             : " were told to go and are not gone yet.");
    if (counts->over > 0) {
        amgr_sink_putc(sink, ' ');
        put_left_alone(sink, counts);
    }
}

/* Of those over their limit, the ones that the breaker holds. */
static void put_storm(amgr_sink_t *sink, const amgr_view_counts_t *counts)
{
    amgr_view_counts_t held = *counts;

    memset(held.causes, 0, sizeof(held.causes));
    held.causes[AMGR_CAUSE_STORM] = counts->causes[AMGR_CAUSE_STORM];
    held.over = held.causes[AMGR_CAUSE_STORM];
    amgr_sink_puts(sink, "Retiring did not help and was stopped: ");
    put_left_alone(sink, &held);
}

static void put_sentence(const amgr_view_t *view, amgr_sink_t *sink,
                         const amgr_view_counts_t *counts)
{
    switch (counts->health) {
    case AMGR_HEALTH_WAITING:
        amgr_sink_puts(sink, "The first tick has not come yet: nothing is"
                             " measured or judged before it.");
        break;
    case AMGR_HEALTH_NO_LIMITS:
        amgr_sink_puts(sink, "No limits are set: everything is measured and"
                             " nothing will be retired.");
        break;
    case AMGR_HEALTH_NO_MONITOR:
        amgr_sink_puts(sink, "The server runs in one process (-X): figures are"
                             " collected on demand and nothing is acted on.");
        break;
    case AMGR_HEALTH_NEAR:
        put_near(view, sink, counts);
        break;
    case AMGR_HEALTH_INERT:
        put_inert(view, sink);
        break;
    case AMGR_HEALTH_OVER:
        put_left_alone(sink, counts);
        break;
    case AMGR_HEALTH_HANGING:
        put_hanging(view, sink);
        break;
    case AMGR_HEALTH_RETIRING:
        put_retiring(sink, counts);
        break;
    case AMGR_HEALTH_STORM:
        put_storm(sink, counts);
        break;
    case AMGR_HEALTH_NO_RIGHTS:
        put_rights(view, sink);
        break;
    case AMGR_HEALTH_STALE:
        put_stale(view, sink);
        break;
    case AMGR_HEALTH_NOT_READY:
    case AMGR_HEALTH_FAILED:
    case AMGR_HEALTH_NO_SUPERVISOR:
        amgr_page_managed_sentence(view, sink, counts);
        break;
    default:
        put_healthy(sink, counts);
        break;
    }
}

void amgr_page_verdict_text(const amgr_view_t *view, amgr_sink_t *sink,
                            const amgr_view_counts_t *counts)
{
    const char *word = amgr_health_word((int)counts->health);

    amgr_sink_puts(sink, "<strong>");
    /* Our own words are plain ASCII and begin with a small letter. */
    amgr_sink_putc(sink, (char)(word[0] - 'a' + 'A'));
    amgr_sink_puts(sink, word + 1);
    amgr_sink_puts(sink, ".</strong> ");
    put_sentence(view, sink, counts);
}

void amgr_page_headline(const amgr_view_t *view, amgr_sink_t *sink,
                        const amgr_view_counts_t *counts)
{
    amgr_sink_puts(sink, "<section id=\"verdict\" class=\"headline ");
    amgr_sink_puts(sink, amgr_page_health_class((int)counts->health));
    amgr_sink_puts(sink, "\" aria-label=\"Verdict\">\n<p>");
    amgr_page_verdict_text(view, sink, counts);
    amgr_sink_puts(sink, "</p>\n");
    if (view->snapshot->incomplete) {
        amgr_sink_puts(sink, "<p class=\"note\">The last tick could not"
                             " collect everything; what is missing is shown as"
                             " " AMGR_PAGE_NA ".</p>\n");
    }
    amgr_page_end_section(sink);
}
