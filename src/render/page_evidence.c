/* SPDX-License-Identifier: Apache-2.0
 *
 * What was seen of a process before it was retired, folded under its record.
 */
#include "render/page.h"

static void put_left_out(amgr_sink_t *sink, int count, const char *noun,
                         const char *why)
{
    if (count > 0) {
        amgr_sink_puts(sink, "<li class=\"why\">");
        amgr_page_plural(sink, count, noun);
        amgr_sink_putc(sink, ' ');
        amgr_sink_puts(sink, why);
        amgr_sink_puts(sink, "</li>\n");
    }
}

static void put_request(const amgr_view_t *view, amgr_sink_t *sink,
                        const amgr_evidence_request_t *request)
{
    amgr_sink_puts(sink, "<li><b>");
    amgr_sink_putc(sink, amgr_mode_letter(request->mode));
    amgr_sink_puts(sink, "</b> ");
    amgr_page_span(sink, request->age_us);
    amgr_sink_puts(sink, " <code>");
    amgr_page_request(view, sink, request->request);
    amgr_sink_puts(sink, "</code>");
    if (request->vhost[0] != '\0') {
        amgr_sink_puts(sink, " of ");
        amgr_page_text(sink, request->vhost);
    }
    if (request->client[0] != '\0') {
        amgr_sink_puts(sink, " from ");
        amgr_page_client(view, sink, request->client);
    }
    if (request->protocol[0] != '\0') {
        amgr_sink_puts(sink, ", ");
        amgr_page_text(sink, request->protocol);
    }
    amgr_sink_puts(sink, "</li>\n");
}

static void put_blocked(const amgr_view_t *view, amgr_sink_t *sink,
                        const amgr_evidence_thread_t *entry)
{
    amgr_sink_puts(sink, "<li>");
    amgr_page_plural(sink, entry->count, "thread");
    amgr_sink_puts(sink, entry->state == AMGR_TASK_RUNNING ? " " : " in ");
    amgr_sink_puts(sink, "<code>");
    amgr_page_text(sink, entry->call);
    amgr_sink_puts(sink, "</code>");
    if (entry->fd >= 0) {
        amgr_sink_puts(sink, " on descriptor ");
        amgr_sink_i64(sink, entry->fd);
    }
    if (entry->target[0] != '\0') {
        amgr_sink_puts(sink, entry->fd >= 0 ? ": <code>" : " on <code>");
        amgr_page_target(view, sink, entry->target);
        amgr_sink_puts(sink, "</code>");
    }
    if (entry->wchan[0] != '\0') {
        amgr_sink_puts(sink, " <span class=\"why\">");
        amgr_page_text(sink, entry->wchan);
        amgr_sink_puts(sink, "</span>");
    }
    amgr_sink_puts(sink, "</li>\n");
}

static void put_access(amgr_sink_t *sink, int access)
{
    static const char *const texts[AMGR_EVIDENCE_ACCESS_COUNT] = {
        [AMGR_EVIDENCE_DENIED] = "no permission to look at its threads",
        [AMGR_EVIDENCE_GONE] = "it ended before its threads were looked at",
        [AMGR_EVIDENCE_FAILED] = "its threads could not be looked at",
    };

    if (access > AMGR_EVIDENCE_OK && access < AMGR_EVIDENCE_ACCESS_COUNT) {
        amgr_sink_puts(sink, "<li class=\"why\">");
        amgr_sink_puts(sink, texts[access]);
        amgr_sink_puts(sink, "</li>\n");
    }
}

static void put_summary(amgr_sink_t *sink, const amgr_evidence_t *evidence)
{
    apr_int64_t requests =
        (apr_int64_t)evidence->request_count + evidence->requests_left_out;

    amgr_sink_puts(sink, "<summary>Seen before: ");
    amgr_page_plural(sink, requests, "request");
    amgr_sink_puts(sink, " in flight, ");
    if (evidence->threads > 0) {
        amgr_page_plural(sink, evidence->threads, "thread");
        amgr_sink_puts(sink, ", ");
    }
    if (evidence->rss_bytes == AMGR_UNKNOWN) {
        amgr_sink_puts(sink, AMGR_PAGE_NA);
    }
    else {
        amgr_page_size(sink, evidence->rss_bytes);
    }
    amgr_sink_puts(sink, " resident");
    if (evidence->anon_bytes != AMGR_UNKNOWN) {
        amgr_sink_puts(sink, ", ");
        amgr_page_size(sink, evidence->anon_bytes);
        amgr_sink_puts(sink, " anonymous");
    }
    amgr_sink_puts(sink, "</summary>\n");
}

void amgr_page_evidence(const amgr_view_t *view, amgr_sink_t *sink,
                        const amgr_record_t *record, int columns)
{
    const amgr_evidence_t *evidence = amgr_view_evidence(view, record);
    int i;

    if (evidence == NULL) {
        return;
    }
    amgr_sink_puts(sink, "<tr><td class=\"seen\" colspan=\"");
    amgr_sink_i64(sink, columns);
    amgr_sink_puts(sink, "\"><details>");
    put_summary(sink, evidence);
    amgr_sink_puts(sink, "<ul>\n");
    for (i = 0; i < evidence->request_count; i++) {
        put_request(view, sink, &evidence->requests[i]);
    }
    put_left_out(sink, evidence->requests_left_out, "request",
                 "more, not shown");
    for (i = 0; i < evidence->thread_count; i++) {
        put_blocked(view, sink, &evidence->blocked[i]);
    }
    put_left_out(sink, evidence->threads_left_out, "thread", "in other states");
    put_left_out(sink, evidence->threads_unread, "thread", "not looked at");
    put_access(sink, evidence->access);
    amgr_sink_puts(sink, "</ul></details></td></tr>\n");
}
