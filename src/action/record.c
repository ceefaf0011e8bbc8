/* SPDX-License-Identifier: Apache-2.0
 *
 * The record of one retirement, and its line in the log.  The words before
 * the colon are the Python tool's, since filters of syslog look for them; all
 * that this module adds stands behind it.
 */
#include <string.h>

#include <apr_strings.h>

#include "action/record.h"
#include "base/escape.h"
#include "model/request.h"
#include "policy/reasons.h"

static int is_better_slot(const amgr_slot_t *slot, const amgr_slot_t *best,
                          int active)
{
    if (best == NULL) {
        return 1;
    }
    if (active && slot->request_age_us != best->request_age_us) {
        return slot->request_age_us > best->request_age_us;
    }
    return slot->last_used_us > best->last_used_us;
}

/* The slot whose request is the record's, or NULL. */
static const amgr_slot_t *telling_slot(const amgr_snapshot_t *snapshot,
                                       const amgr_process_t *process,
                                       const amgr_decision_t *decision)
{
    const amgr_slot_t *slot = snapshot->slots + process->first_slot;
    const amgr_slot_t *end = slot + process->slot_count;
    const amgr_slot_t *best = NULL;

    if (decision->slot >= 0 && decision->slot < snapshot->slot_count) {
        return &snapshot->slots[decision->slot];
    }
    for (; slot < end; slot++) {
        if (process->active && amgr_mode_is_idle(slot->mode)) {
            continue;
        }
        if (is_better_slot(slot, best, process->active)) {
            best = slot;
        }
    }
    return best;
}

static void fill_request(amgr_record_t *record, const amgr_snapshot_t *snapshot,
                         const amgr_slot_t *slot)
{
    apr_time_t now_us = snapshot->server.time.wall_us;

    if (slot == NULL) {
        return;
    }
    apr_cpystrn(record->request, slot->request, sizeof(record->request));
    apr_cpystrn(record->vhost, slot->vhost, sizeof(record->vhost));
    if (slot->request_age_us != AMGR_NO_TIME) {
        record->since_us = slot->request_age_us;
    }
    else if (slot->last_used_us > 0 && slot->last_used_us <= now_us) {
        record->since_us = now_us - slot->last_used_us;
    }
}

void amgr_record_note_memory(amgr_record_t *record,
                             const amgr_process_t *process)
{
    record->freed_bytes = process->anon_bytes != AMGR_UNKNOWN
                              ? process->anon_bytes
                              : process->rss_bytes;
}

void amgr_record_fill(amgr_record_t *record, const amgr_snapshot_t *snapshot,
                      const amgr_decision_t *decision,
                      const amgr_limits_t *limits)
{
    const amgr_process_t *process = &snapshot->processes[decision->process];

    memset(record, 0, sizeof(*record));
    record->time_us = snapshot->server.time.wall_us;
    record->decided_mono_us = snapshot->server.time.mono_us;
    record->ended_us = AMGR_NO_TIME;
    record->announced_us = AMGR_NO_TIME;
    record->asked_us = AMGR_NO_TIME;
    record->killed_us = AMGR_NO_TIME;
    record->replaced_us = AMGR_NO_TIME;
    record->since_us = AMGR_NO_TIME;
    amgr_record_note_memory(record, process);
    record->id = process->id;
    record->measured = decision->measured;
    record->limit = decision->limit;
    record->rss_bytes = process->rss_bytes;
    record->kind = process->kind;
    record->role = process->role;
    record->process_slot = process->process_slot;
    record->generation = process->generation;
    /* Nobody can see whether a daemon is busy. */
    record->active = process->active || process->role != AMGR_ROLE_WORKER;
    record->verdict = decision->verdict;
    /* An order is about resident sizes, whatever the configuration judges. */
    record->metric = decision->demanded ? AMGR_METRIC_RSS : limits->metric;
    record->demanded = decision->demanded;
    record->requests = decision->requests;
    if (process->group >= 0 && process->group < snapshot->group_count) {
        apr_cpystrn(record->group, snapshot->groups[process->group].name,
                    sizeof(record->group));
    }
    fill_request(record, snapshot, telling_slot(snapshot, process, decision));
}

/* "native worker 12 (idle)", "WSGI worker 9 (example)" */
static void format_subject(const amgr_record_t *record, amgr_sink_t *sink)
{
    long pid = (long)record->id.pid;

    if (record->kind == AMGR_KIND_NATIVE) {
        amgr_sink_printf(sink, "native worker %ld (%s)", pid,
                         record->active ? "active" : "idle");
    }
    else if (record->role == AMGR_ROLE_WSGI) {
        amgr_sink_printf(sink, "WSGI worker %ld (", pid);
        amgr_escape_line(sink, record->group);
        amgr_sink_putc(sink, ')');
    }
    else {
        amgr_sink_printf(sink, "non-native worker %ld", pid);
    }
}

static void put_span(amgr_sink_t *sink, apr_uint64_t span_us)
{
    char text[AMGR_UNITS_LEN];

    amgr_sink_puts(sink, amgr_duration_format((apr_interval_time_t)span_us,
                                              text, sizeof(text)));
}

/* " using 12.05 MB", " hanging for 4 seconds since last request" */
static void format_reason(const amgr_record_t *record, amgr_sink_t *sink)
{
    char text[AMGR_UNITS_LEN];

    switch (record->verdict) {
    case AMGR_VERDICT_TIME:
        amgr_sink_puts(sink, " hanging for ");
        put_span(sink, record->measured);
        amgr_sink_puts(sink, " since last request");
        return;
    case AMGR_VERDICT_REQUESTS:
        amgr_sink_puts(sink, " having served ");
        amgr_sink_u64(sink, record->measured);
        amgr_sink_puts(sink, " requests");
        return;
    case AMGR_VERDICT_LIFETIME:
        amgr_sink_puts(sink, " having lived for ");
        put_span(sink, record->measured);
        return;
    case AMGR_VERDICT_GENERATION:
        amgr_sink_puts(sink, " outliving its generation for ");
        put_span(sink, record->measured);
        return;
    case AMGR_VERDICT_REQUESTED:
        amgr_sink_puts(sink, " at the request of a module");
        return;
    default:
        break;
    }
    amgr_sink_puts(sink, " using ");
    /* What it uses, not what all of them use. */
    amgr_sink_puts(sink,
                   amgr_size_format(record->verdict == AMGR_VERDICT_MEMORY_TOTAL
                                        ? record->rss_bytes
                                        : record->measured,
                                    text, sizeof(text)));
}

/* What a client asked for: a word in parentheses after a blank is how the line
 * tells active from idle, and who counts lines by that shall count no
 * client's. */
static void put_request(amgr_sink_t *sink, char *shown)
{
    char *at;

    while ((at = strstr(shown, " (")) != NULL) {
        *at = '\0';
        amgr_escape_line(sink, shown);
        amgr_sink_puts(sink, " \\x28");
        shown = at + 2;
    }
    amgr_escape_line(sink, shown);
}

static void format_request(const amgr_record_t *record, int show,
                           amgr_sink_t *sink)
{
    char shown[AMGR_SLOT_REQUEST_LEN];

    amgr_request_shown(show, record->request, shown, sizeof(shown));
    amgr_sink_puts(sink, " (");
    if (shown[0] == '\0') {
        amgr_sink_puts(sink, "last request unknown");
    }
    else {
        put_request(sink, shown);
    }
    amgr_sink_putc(sink, ')');
}

/* Seconds with up to three decimals and no trailing zeros: "4s", "4.2s". */
static void format_seconds(apr_uint64_t span_us, amgr_sink_t *sink)
{
    unsigned int millis = (unsigned int)(span_us / 1000 % 1000);
    int digits = 3;

    amgr_sink_u64(sink, span_us / APR_USEC_PER_SEC);
    if (millis != 0) {
        while (millis % 10 == 0) {
            millis /= 10;
            digits--;
        }
        amgr_sink_printf(sink, ".%0*u", digits, millis);
    }
    amgr_sink_putc(sink, 's');
}

/* What was measured, as the figures name it. */
static const char *measure_word(const amgr_record_t *record)
{
    switch (record->verdict) {
    case AMGR_VERDICT_TIME:
        return "request age";
    case AMGR_VERDICT_MEMORY_TOTAL:
        return "anon of all";
    case AMGR_VERDICT_REQUESTS:
        return "requests";
    case AMGR_VERDICT_LIFETIME:
        return "age";
    case AMGR_VERDICT_GENERATION:
        return "outdated";
    default:
        return amgr_metric_word(record->metric);
    }
}

/* "rss 12050432 bytes over ManagerMaxMemoryIdle 1024 bytes" */
static void format_figures(const amgr_record_t *record, amgr_sink_t *sink)
{
    const char *unit = record->verdict == AMGR_VERDICT_REQUESTS ? "" : " bytes";
    int is_span = amgr_reasons_is_span(record->verdict);

    amgr_sink_puts(sink, measure_word(record));
    amgr_sink_putc(sink, ' ');
    if (is_span) {
        format_seconds(record->measured, sink);
    }
    else {
        amgr_sink_u64(sink, record->measured);
        amgr_sink_puts(sink, unit);
    }
    amgr_sink_puts(sink, " over ");
    amgr_sink_puts(sink, record->demanded
                             ? amgr_reasons_option(record->verdict)
                             : amgr_reasons_directive(record->verdict));
    amgr_sink_putc(sink, ' ');
    if (record->verdict == AMGR_VERDICT_LIFETIME) {
        /* With jitter it is no number that anybody wrote. */
        format_seconds(record->limit, sink);
    }
    else if (is_span) {
        char text[AMGR_UNITS_LEN];

        amgr_sink_puts(
            sink, amgr_duration_format_exact((apr_interval_time_t)record->limit,
                                             text, sizeof(text)));
    }
    else {
        amgr_sink_u64(sink, record->limit);
        amgr_sink_puts(sink, unit);
    }
}

static const char *action_phrase(const amgr_record_t *record)
{
    static const char *const phrases[AMGR_ACTION_COUNT] = {
        [AMGR_ACTION_NONE] = ", nothing sent",
        [AMGR_ACTION_ANNOUNCE] = ", announced",
        [AMGR_ACTION_ASK] = ", asked to finish",
        [AMGR_ACTION_KILL] = ", SIGKILL",
    };

    if (record->action <= AMGR_ACTION_NONE ||
        record->action >= AMGR_ACTION_COUNT ||
        record->outcome == AMGR_OUTCOME_DRY_RUN) {
        return phrases[AMGR_ACTION_NONE];
    }
    switch (record->outcome) {
    case AMGR_OUTCOME_FAILED:
        return ", signal failed";
    case AMGR_OUTCOME_VANISHED:
        return ", already gone";
    default:
        return phrases[record->action];
    }
}

void amgr_record_format(const amgr_record_t *record, int show,
                        amgr_sink_t *sink)
{
    amgr_sink_puts(sink, record->outcome == AMGR_OUTCOME_DRY_RUN ? "Would kill "
                                                                 : "Killing ");
    format_subject(record, sink);
    format_reason(record, sink);
    format_request(record, show, sink);
    if (record->verdict != AMGR_VERDICT_REQUESTED) {
        amgr_sink_puts(sink, ": ");
        format_figures(record, sink);
    }
    amgr_sink_puts(sink, action_phrase(record));
}

static void format_span(apr_interval_time_t span_us, amgr_sink_t *sink)
{
    format_seconds(span_us > 0 ? (apr_uint64_t)span_us : 0, sink);
}

static void format_lost(int requests, amgr_sink_t *sink)
{
    if (requests < 0) {
        amgr_sink_puts(sink, " cut off nobody knows how many requests");
    }
    else if (requests == 0) {
        amgr_sink_puts(sink, ", no request lost");
    }
    else {
        amgr_sink_printf(sink, " cut off %d request%s", requests,
                         requests == 1 ? "" : "s");
    }
}

void amgr_record_format_end(const amgr_record_t *record, amgr_sink_t *sink)
{
    char text[AMGR_UNITS_LEN];

    format_subject(record, sink);
    amgr_sink_puts(sink, " is gone after ");
    format_span(record->ended_us, sink);
    if (record->action == AMGR_ACTION_KILL) {
        amgr_sink_puts(sink, ": SIGKILL after ");
        format_span(record->killed_us, sink);
        format_lost(record->requests_lost, sink);
    }
    else {
        amgr_sink_puts(sink, ": drained");
    }
    if (record->freed_bytes != AMGR_UNKNOWN) {
        amgr_sink_puts(sink, ", ");
        amgr_sink_puts(
            sink, amgr_size_format(record->freed_bytes, text, sizeof(text)));
        amgr_sink_puts(sink, " freed");
    }
}

const char *amgr_ask_fault_word(int fault)
{
    static const char *const words[AMGR_ASK_FAULT_COUNT] = {
        [AMGR_ASK_FINE] = "none",
        [AMGR_ASK_NO_PIPE] = "no_pipe",
        [AMGR_ASK_FAILED] = "failed",
    };

    if (fault < 0 || fault >= AMGR_ASK_FAULT_COUNT) {
        return "unknown";
    }
    return words[fault];
}

const char *amgr_replacement_word(int replacement)
{
    static const char *const words[AMGR_REPLACEMENT_COUNT] = {
        [AMGR_REPLACEMENT_NONE] = "none",
        [AMGR_REPLACEMENT_WAITING] = "waiting",
        [AMGR_REPLACEMENT_READY] = "ready",
        [AMGR_REPLACEMENT_SERVING] = "serving",
        [AMGR_REPLACEMENT_NOT_FORKED] = "not_forked",
    };

    if (replacement < 0 || replacement >= AMGR_REPLACEMENT_COUNT) {
        return "unknown";
    }
    return words[replacement];
}

const char *amgr_action_word(int action)
{
    static const char *const words[AMGR_ACTION_COUNT] = {
        [AMGR_ACTION_NONE] = "none",
        [AMGR_ACTION_ANNOUNCE] = "announce",
        [AMGR_ACTION_ASK] = "ask",
        [AMGR_ACTION_KILL] = "kill",
    };

    if (action < 0 || action >= AMGR_ACTION_COUNT) {
        return "unknown";
    }
    return words[action];
}

const char *amgr_outcome_word(int outcome)
{
    static const char *const words[AMGR_OUTCOME_COUNT] = {
        [AMGR_OUTCOME_PENDING] = "pending",   [AMGR_OUTCOME_GONE] = "gone",
        [AMGR_OUTCOME_VANISHED] = "vanished", [AMGR_OUTCOME_FAILED] = "failed",
        [AMGR_OUTCOME_DRY_RUN] = "dry_run",
    };

    if (outcome < 0 || outcome >= AMGR_OUTCOME_COUNT) {
        return "unknown";
    }
    return words[outcome];
}
