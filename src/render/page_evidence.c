/* SPDX-License-Identifier: Apache-2.0
 *
 * How a retirement went, folded under its record: its steps, and what was seen
 * of the process before them.
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
    char client[AMGR_CLIENT_SHOWN_LEN];

    amgr_client_shown(view->show_clients, request->client, client,
                      sizeof(client));
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
    if (client[0] != '\0') {
        amgr_sink_puts(sink, " from ");
        amgr_page_text(sink, client);
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

static void put_memory(amgr_sink_t *sink, apr_uint64_t bytes, const char *word)
{
    if (bytes != AMGR_UNKNOWN) {
        amgr_sink_puts(sink, ", ");
        amgr_page_size(sink, bytes);
        amgr_sink_puts(sink, word);
    }
}

/* @a count -1: nobody knows. */
static void put_in_flight(amgr_sink_t *sink, apr_int64_t count)
{
    if (count < 0) {
        amgr_sink_puts(sink, "nobody knows how many requests");
    }
    else {
        amgr_page_plural(sink, count, "request");
    }
    amgr_sink_puts(sink, " in flight");
}

/* What there is to read behind it, so that one may leave it folded. */
static void put_summary(amgr_sink_t *sink, const amgr_record_t *record,
                        const amgr_evidence_t *evidence)
{
    amgr_sink_puts(sink, "<summary>How it went with ");
    amgr_sink_i64(sink, record->id.pid);
    amgr_sink_puts(sink, ": ");
    if (evidence == NULL) {
        put_in_flight(sink, record->requests);
    }
    else {
        put_in_flight(sink, record->requests < 0
                                ? -1
                                : (apr_int64_t)evidence->request_count +
                                      evidence->requests_left_out);
        if (evidence->threads > 0) {
            amgr_sink_puts(sink, ", ");
            amgr_page_plural(sink, evidence->threads, "thread");
        }
        put_memory(sink, evidence->rss_bytes, " resident");
        put_memory(sink, evidence->anon_bytes, " anonymous");
    }
    amgr_sink_puts(sink, "</summary>\n");
}

/* One step; nothing when it was not taken. */
static int begin_step(amgr_sink_t *sink, apr_interval_time_t after_us)
{
    if (after_us < 0) {
        return 0;
    }
    amgr_sink_puts(sink, "<li>After ");
    amgr_page_after(sink, after_us);
    amgr_sink_puts(sink, ": ");
    return 1;
}

static void put_step(amgr_sink_t *sink, apr_interval_time_t after_us,
                     const char *text)
{
    if (begin_step(sink, after_us)) {
        amgr_sink_puts(sink, text);
        amgr_sink_puts(sink, "</li>\n");
    }
}

static void put_kill(amgr_sink_t *sink, const amgr_record_t *record)
{
    if (!begin_step(sink, record->killed_us)) {
        return;
    }
    amgr_sink_puts(sink, "killed (SIGKILL), ");
    if (record->requests_lost < 0) {
        amgr_sink_puts(sink, "which cut off nobody knows how many requests");
    }
    else if (record->requests_lost == 0) {
        amgr_sink_puts(sink, "no request was lost");
    }
    else {
        amgr_sink_puts(sink, "which cut off ");
        amgr_page_plural(sink, record->requests_lost, "request");
    }
    amgr_sink_puts(sink, "</li>\n");
}

static void put_end(amgr_sink_t *sink, const amgr_record_t *record)
{
    if (record->outcome == AMGR_OUTCOME_GONE &&
        begin_step(sink, record->ended_us)) {
        amgr_sink_puts(sink, "gone");
        if (record->freed_bytes != AMGR_UNKNOWN) {
            amgr_sink_puts(sink, ", ");
            amgr_page_size(sink, record->freed_bytes);
            amgr_sink_puts(sink, " came back");
        }
        amgr_sink_puts(sink, "</li>\n");
    }
}

static void put_note(amgr_sink_t *sink, const char *text)
{
    amgr_sink_puts(sink, "<li>");
    amgr_sink_puts(sink, text);
    amgr_sink_puts(sink, "</li>\n");
}

/* What is out of the ordinary, or not over yet. */
static void put_notes(amgr_sink_t *sink, const amgr_record_t *record)
{
    if (record->ask_fault == AMGR_ASK_NO_PIPE) {
        put_note(sink, "It could not be asked: the MPM's pipe of death is not"
                       " what this module knows");
    }
    else if (record->ask_fault != AMGR_ASK_FINE) {
        put_note(sink, "It could not be asked: no descriptor was to be had");
    }
    if (record->stuck) {
        put_note(sink, "It outlived its SIGKILL, as a process does that waits"
                       " in the kernel");
    }
    if (record->outcome == AMGR_OUTCOME_VANISHED) {
        put_note(sink, "It had gone by itself before a signal was sent");
    }
    else if (record->outcome == AMGR_OUTCOME_FAILED) {
        put_note(sink, "The signal could not be sent");
    }
    else if (record->outcome == AMGR_OUTCOME_DRY_RUN) {
        put_note(sink, "Nothing was sent, as this is a dry run");
    }
    else if (record->outcome == AMGR_OUTCOME_PENDING) {
        put_note(sink, "It is not gone yet");
    }
}

static void put_replacement(amgr_sink_t *sink, const amgr_record_t *record)
{
    switch (record->replacement) {
    case AMGR_REPLACEMENT_WAITING:
        put_note(sink, "Another is waited for");
        break;
    case AMGR_REPLACEMENT_READY:
        put_step(sink, record->replaced_us, "enough workers are idle again");
        break;
    case AMGR_REPLACEMENT_SERVING:
        put_step(sink, record->replaced_us, "a younger process serves");
        break;
    case AMGR_REPLACEMENT_NOT_FORKED:
        put_step(sink, record->replaced_us,
                 "the MPM had the time and saw no need for another");
        break;
    default:
        break;
    }
}

static void put_steps(amgr_sink_t *sink, const amgr_record_t *record)
{
    amgr_sink_puts(sink, "<ol>\n<li>Decided: ");
    amgr_page_reason(sink, record);
    amgr_sink_puts(sink, "; ");
    put_in_flight(sink, record->requests);
    amgr_sink_puts(sink, "</li>\n");
    put_step(sink, record->announced_us,
             "announced, its clients were told to connect anew");
    put_step(sink, record->asked_us,
             "asked to take no connection, finish and go");
    put_kill(sink, record);
    put_end(sink, record);
    put_replacement(sink, record);
    put_notes(sink, record);
    amgr_sink_puts(sink, "</ol>\n");
}

static void put_requests(const amgr_view_t *view, amgr_sink_t *sink,
                         const amgr_evidence_t *evidence)
{
    int i;

    if (evidence->request_count == 0 && evidence->requests_left_out == 0) {
        return;
    }
    amgr_sink_puts(sink, "<h3>Requests in flight</h3>\n<ul>\n");
    for (i = 0; i < evidence->request_count; i++) {
        put_request(view, sink, &evidence->requests[i]);
    }
    put_left_out(sink, evidence->requests_left_out, "request",
                 "more, not shown");
    amgr_sink_puts(sink, "</ul>\n");
}

static void put_threads(const amgr_view_t *view, amgr_sink_t *sink,
                        const amgr_evidence_t *evidence)
{
    int i;

    if (evidence->thread_count == 0 && evidence->threads_left_out == 0 &&
        evidence->threads_unread == 0 && evidence->access == AMGR_EVIDENCE_OK) {
        return;
    }
    amgr_sink_puts(sink, "<h3>What its threads were at</h3>\n<ul>\n");
    for (i = 0; i < evidence->thread_count; i++) {
        put_blocked(view, sink, &evidence->blocked[i]);
    }
    put_left_out(sink, evidence->threads_left_out, "thread", "in other states");
    put_left_out(sink, evidence->threads_unread, "thread", "not looked at");
    put_access(sink, evidence->access);
    amgr_sink_puts(sink, "</ul>\n");
}

void amgr_page_evidence(const amgr_view_t *view, amgr_sink_t *sink,
                        const amgr_record_t *record, int columns)
{
    const amgr_evidence_t *evidence = amgr_view_evidence(view, record);

    amgr_sink_puts(sink, "<tr id=\"e-");
    amgr_sink_u64(sink, record->serial);
    amgr_sink_puts(sink, "\"><td class=\"seen\" colspan=\"");
    amgr_sink_i64(sink, columns);
    amgr_sink_puts(sink, "\"><details id=\"kill-");
    amgr_sink_u64(sink, record->serial);
    amgr_sink_puts(sink, "\">");
    put_summary(sink, record, evidence);
    put_steps(sink, record);
    if (evidence != NULL) {
        put_requests(view, sink, evidence);
        put_threads(view, sink, evidence);
    }
    amgr_sink_puts(sink, "</details></td></tr>\n");
}
