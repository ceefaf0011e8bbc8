/* SPDX-License-Identifier: Apache-2.0
 *
 * See status_evidence.h.  All its text is untrusted and leaves through the
 * escaping of the JSON writer.
 */
#include "render/status_evidence.h"

#include "render/json_member.h"

static void put_int(amgr_json_t *json, const char *key, apr_int64_t value)
{
    amgr_json_key(json, key);
    amgr_json_i64(json, value);
}

static void put_request(const amgr_view_t *view, amgr_json_t *json,
                        const amgr_evidence_request_t *request)
{
    char mode[2] = {amgr_mode_letter(request->mode), '\0'};
    char shown[AMGR_SLOT_REQUEST_LEN];
    char client[AMGR_CLIENT_SHOWN_LEN];

    amgr_json_begin_object(json);
    put_int(json, "slot", request->process_slot);
    put_int(json, "thread", request->thread);
    put_text(json, "mode", mode);
    amgr_json_key(json, "age_seconds");
    amgr_json_seconds(json, request->age_us);
    put_text(json, "client",
             amgr_client_shown(view->show_clients, request->client, client,
                               sizeof(client)));
    put_text(json, "vhost", request->vhost);
    put_text(json, "protocol", request->protocol);
    put_text(json, "request",
             amgr_request_shown(view->show_requests, request->request, shown,
                                sizeof(shown)));
    amgr_json_end_object(json);
}

static void put_blocked(const amgr_view_t *view, amgr_json_t *json,
                        const amgr_evidence_thread_t *entry)
{
    char target[AMGR_PROC_TARGET_LEN];

    amgr_json_begin_object(json);
    put_int(json, "tid", entry->tid);
    put_int(json, "threads", entry->count);
    put_text(json, "call", entry->call);
    amgr_json_key(json, "fd");
    if (entry->fd < 0) {
        amgr_json_null(json);
    }
    else {
        amgr_json_i64(json, entry->fd);
    }
    put_text(json, "target",
             amgr_client_target_shown(view->show_clients, entry->target,
                                      view->ports, view->port_count, target,
                                      sizeof(target)));
    put_text(json, "wchan", entry->wchan);
    amgr_json_end_object(json);
}

static void put_figures(amgr_json_t *json, const amgr_evidence_t *evidence)
{
    amgr_json_key(json, "time");
    amgr_json_seconds(json, evidence->time_us);
    amgr_json_key(json, "took_seconds");
    amgr_json_seconds(json, evidence->took_us);
    amgr_json_key(json, "rss_bytes");
    amgr_json_u64(json, evidence->rss_bytes);
    amgr_json_key(json, "anon_bytes");
    amgr_json_u64(json, evidence->anon_bytes);
    put_text(json, "access", amgr_evidence_access_word(evidence->access));
    amgr_json_key(json, "threads");
    if (evidence->threads > 0) {
        amgr_json_i64(json, evidence->threads);
    }
    else {
        amgr_json_null(json);
    }
    put_int(json, "threads_unread", evidence->threads_unread);
    put_int(json, "threads_left_out", evidence->threads_left_out);
    put_int(json, "requests_left_out", evidence->requests_left_out);
}

void amgr_write_evidence_json(const amgr_view_t *view, amgr_json_t *json,
                              const amgr_evidence_t *evidence)
{
    int i;

    if (evidence == NULL) {
        amgr_json_null(json);
        return;
    }
    amgr_json_begin_object(json);
    put_figures(json, evidence);
    amgr_json_key(json, "requests");
    amgr_json_begin_array(json);
    for (i = 0; i < evidence->request_count; i++) {
        put_request(view, json, &evidence->requests[i]);
    }
    amgr_json_end_array(json);
    amgr_json_key(json, "blocked");
    amgr_json_begin_array(json);
    for (i = 0; i < evidence->thread_count; i++) {
        put_blocked(view, json, &evidence->blocked[i]);
    }
    amgr_json_end_array(json);
    amgr_json_end_object(json);
}
