/* SPDX-License-Identifier: Apache-2.0
 *
 * "kills" of status.json, and what was seen before each.
 */
#include <string.h>

#include "cli/source/source_json_parts.h"
#include "model/words.h"

/** A pid of Linux is below. */
#define PID_MAX (4 * 1024 * 1024)

/* Bytes of a memory reason, microseconds of a time, a number of requests. */
static apr_uint64_t read_measure(amgr_members_t *members, const json_t *from,
                                 const char *key, int verdict)
{
    apr_time_t span_us;

    if (!amgr_reasons_is_span(verdict)) {
        return amgr_members_u64(members, from, key);
    }
    span_us = amgr_members_time(members, from, key);
    return span_us < 0 ? AMGR_UNKNOWN : (apr_uint64_t)span_us;
}

static void read_steps(amgr_members_t *members, const json_t *from,
                       amgr_record_t *out)
{
    out->ended_us = amgr_members_time(members, from, "ended_seconds");
    out->announced_us = amgr_members_time(members, from, "announced_seconds");
    out->asked_us = amgr_members_time(members, from, "asked_seconds");
    out->killed_us = amgr_members_time(members, from, "killed_seconds");
    out->requests_lost = (int)amgr_members_whole_or(
        members, from, "requests_lost", 0, APR_INT32_MAX, -1);
    out->freed_bytes = amgr_members_u64(members, from, "freed_bytes");
    out->ask_fault =
        amgr_members_word_or(members, from, "ask_fault", amgr_ask_fault_word, 0,
                             AMGR_ASK_FAULT_COUNT, AMGR_ASK_FINE);
    out->replacement = amgr_members_word_or(
        members, from, "replacement", amgr_replacement_word, 0,
        AMGR_REPLACEMENT_COUNT, AMGR_REPLACEMENT_NONE);
    out->replaced_us = amgr_members_time(members, from, "replaced_seconds");
}

static void read_record(amgr_members_t *members, const json_t *from,
                        amgr_record_t *out)
{
    memset(out, 0, sizeof(*out));
    out->time_us = amgr_members_time(members, from, "time");
    out->decided_mono_us = out->time_us;
    out->id.pid = (pid_t)amgr_members_whole(members, from, "pid", 1, PID_MAX);
    out->kind = amgr_members_word(members, from, "kind", amgr_kind_word, 0,
                                  AMGR_KIND_COUNT);
    out->role = amgr_members_word(members, from, "role", amgr_role_word, 0,
                                  AMGR_ROLE_COUNT);
    out->process_slot = -1;
    out->generation = -1;
    amgr_members_text(members, from, "group", out->group, sizeof(out->group));
    out->active = amgr_members_bool(members, from, "active");
    out->demanded = amgr_members_bool(members, from, "demanded");
    out->verdict = amgr_members_word(members, from, "reason", amgr_verdict_word,
                                     0, AMGR_VERDICT_COUNT);
    out->measured = read_measure(members, from, "measured", out->verdict);
    out->limit = read_measure(members, from, "limit", out->verdict);
    out->action = amgr_members_word(members, from, "action", amgr_action_word,
                                    0, AMGR_ACTION_COUNT);
    out->outcome = amgr_members_word(members, from, "outcome",
                                     amgr_outcome_word, 0, AMGR_OUTCOME_COUNT);
    out->requests = (int)amgr_members_whole_or(members, from, "requests", 0,
                                               APR_INT32_MAX, -1);
    out->since_us = AMGR_NO_TIME;
    amgr_members_text(members, from, "request", out->request,
                      sizeof(out->request));
    amgr_members_text(members, from, "vhost", out->vhost, sizeof(out->vhost));
    out->rss_bytes = amgr_members_u64(members, from, "rss_bytes");
    read_steps(members, from, out);
}

static void read_request(amgr_members_t *members, const json_t *from,
                         amgr_evidence_request_t *out)
{
    char letter[2];

    out->process_slot = (int)amgr_members_whole(members, from, "slot",
                                                APR_INT32_MIN, APR_INT32_MAX);
    out->thread = (int)amgr_members_whole(members, from, "thread",
                                          APR_INT32_MIN, APR_INT32_MAX);
    amgr_members_text(members, from, "mode", letter, sizeof(letter));
    while (out->mode < AMGR_MODE_COUNT &&
           amgr_mode_letter(out->mode) != letter[0]) {
        out->mode++;
    }
    out->age_us = amgr_members_time(members, from, "age_seconds");
    amgr_members_text(members, from, "client", out->client,
                      sizeof(out->client));
    amgr_members_text(members, from, "vhost", out->vhost, sizeof(out->vhost));
    amgr_members_text(members, from, "protocol", out->protocol,
                      sizeof(out->protocol));
    amgr_members_text(members, from, "request", out->request,
                      sizeof(out->request));
}

static void read_blocked(amgr_members_t *members, const json_t *from,
                         amgr_evidence_thread_t *out)
{
    out->tid = (int)amgr_members_whole(members, from, "tid", 0, APR_INT32_MAX);
    out->count =
        (int)amgr_members_whole(members, from, "threads", 0, APR_INT32_MAX);
    out->fd =
        (int)amgr_members_whole_or(members, from, "fd", 0, APR_INT32_MAX, -1);
    amgr_members_text(members, from, "call", out->call, sizeof(out->call));
    amgr_members_text(members, from, "target", out->target,
                      sizeof(out->target));
    amgr_members_text(members, from, "wchan", out->wchan, sizeof(out->wchan));
}

static void read_figures(amgr_members_t *members, const json_t *from,
                         amgr_evidence_t *out)
{
    out->time_us = amgr_members_time(members, from, "time");
    out->took_us = amgr_members_time(members, from, "took_seconds");
    out->rss_bytes = amgr_members_u64(members, from, "rss_bytes");
    out->anon_bytes = amgr_members_u64(members, from, "anon_bytes");
    out->access =
        amgr_members_word(members, from, "access", amgr_evidence_access_word, 0,
                          AMGR_EVIDENCE_ACCESS_COUNT);
    out->threads = (int)amgr_members_whole_or(members, from, "threads", 0,
                                              APR_INT32_MAX, 0);
    out->threads_unread = (int)amgr_members_whole(
        members, from, "threads_unread", 0, APR_INT32_MAX);
    out->threads_left_out = (int)amgr_members_whole(
        members, from, "threads_left_out", 0, APR_INT32_MAX);
    out->requests_left_out = (int)amgr_members_whole(
        members, from, "requests_left_out", 0, APR_INT32_MAX);
}

static void read_evidence(amgr_members_t *members, const json_t *from,
                          const amgr_record_t *record, amgr_evidence_t *out)
{
    const json_t *requests = amgr_members_array(members, from, "requests");
    const json_t *blocked = amgr_members_array(members, from, "blocked");
    int i;

    memset(out, 0, sizeof(*out));
    out->serial = record->serial;
    out->pid = record->id.pid;
    read_figures(members, from, out);
    if (json_array_size(requests) > AMGR_EVIDENCE_REQUESTS ||
        json_array_size(blocked) > AMGR_EVIDENCE_THREADS) {
        amgr_members_fail(members, "evidence", "has too many");
        return;
    }
    out->request_count = (int)json_array_size(requests);
    for (i = 0; i < out->request_count; i++) {
        read_request(members, amgr_members_at(members, requests, (size_t)i),
                     &out->requests[i]);
    }
    out->thread_count = (int)json_array_size(blocked);
    for (i = 0; i < out->thread_count; i++) {
        read_blocked(members, amgr_members_at(members, blocked, (size_t)i),
                     &out->blocked[i]);
    }
}

void amgr_source_json_records(amgr_members_t *members, const json_t *from,
                              amgr_source_blank_t *blank)
{
    apr_size_t count = json_array_size(from);
    amgr_evidence_t *evidences;
    amgr_record_t *records;
    apr_size_t i;

    if (count > AMGR_RECORDS_MAX) {
        count = AMGR_RECORDS_MAX; /* the newest */
    }
    records = apr_pcalloc(blank->pool, (count + 1) * sizeof(*records));
    evidences =
        apr_pcalloc(blank->pool, (AMGR_EVIDENCES_MAX) * sizeof(*evidences));
    for (i = 0; i < count && members->fault == NULL; i++) {
        const json_t *kill = amgr_members_at(members, from, i);
        const json_t *evidence =
            amgr_members_object_or_null(members, kill, "evidence");

        read_record(members, kill, &records[i]);
        /* By which the two belong together; the newest has the highest. */
        records[i].serial = count - i;
        if (evidence != NULL &&
            blank->view.evidence_count < AMGR_EVIDENCES_MAX) {
            read_evidence(members, evidence, &records[i],
                          &evidences[blank->view.evidence_count++]);
        }
    }
    blank->view.records = records;
    blank->view.record_count = (int)count;
    blank->view.evidences = evidences;
}
