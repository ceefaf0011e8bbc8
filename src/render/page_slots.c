/* SPDX-License-Identifier: Apache-2.0
 *
 * See page_slots.h.
 */
#include "render/page_slots.h"

int amgr_page_slot_marks(const amgr_view_t *view, const amgr_slot_t *slot)
{
    apr_interval_time_t age_us = slot->request_age_us;
    apr_interval_time_t hanging_us = view->config->limits.hanging_us;
    int marks = 0;

    if (age_us < 0) {
        return 0;
    }
    if (slot->max_time_us > 0 && !slot->endless &&
        age_us >= slot->max_time_us / 5 * 4) {
        marks |= AMGR_SLOT_NEAR_LIMIT;
    }
    if (hanging_us > 0 && age_us >= hanging_us) {
        marks |= AMGR_SLOT_HANGING;
    }
    return marks;
}

/* Tenths of a second tell something of a request, up to a minute. */
static void put_span(amgr_sink_t *sink, apr_interval_time_t span_us)
{
    if (span_us >= 0 && span_us < apr_time_from_sec(60)) {
        amgr_page_fixed(sink, (apr_uint64_t)span_us / 100000, 1);
        amgr_sink_putc(sink, 's');
        return;
    }
    amgr_page_span(sink, span_us);
}

void amgr_page_slot_age(amgr_sink_t *sink, const amgr_slot_t *slot, int marks)
{
    put_span(sink, slot->request_age_us);
    if (marks & AMGR_SLOT_NEAR_LIMIT) {
        amgr_sink_puts(sink, " of ");
        amgr_page_span(sink, slot->max_time_us);
    }
    if (marks & AMGR_SLOT_HANGING) {
        amgr_sink_puts(sink, ", hanging");
    }
}

int amgr_page_pid_matches(const amgr_view_t *view,
                          const amgr_process_t *process)
{
    char digits[24];
    amgr_sink_t sink;

    amgr_sink_init_text(&sink, digits, sizeof(digits));
    amgr_sink_i64(&sink, process->id.pid);
    return amgr_page_query_matches(&view->query, amgr_sink_text(&sink));
}

int amgr_page_slot_matches(const amgr_view_t *view,
                           const amgr_process_t *process,
                           const amgr_slot_t *slot)
{
    const amgr_page_query_t *query = &view->query;
    char letter[2] = {amgr_mode_letter(slot->mode), '\0'};
    char client[AMGR_CLIENT_SHOWN_LEN];
    char request[AMGR_SLOT_REQUEST_LEN];

    if (query->filter[0] == '\0') {
        return 1;
    }
    amgr_client_shown(view->show_clients, slot->client, client, sizeof(client));
    amgr_request_shown(view->show_requests, slot->request, request,
                       sizeof(request));
    return amgr_page_pid_matches(view, process) ||
           amgr_page_query_matches(query, letter) ||
           amgr_page_query_matches(query, client) ||
           amgr_page_query_matches(query, slot->protocol) ||
           amgr_page_query_matches(query, slot->vhost) ||
           amgr_page_query_matches(query, request);
}

void amgr_page_slot_id(amgr_sink_t *sink, char prefix, const amgr_slot_t *slot)
{
    amgr_sink_putc(sink, prefix);
    amgr_sink_putc(sink, '-');
    amgr_sink_i64(sink, slot->process_slot);
    amgr_sink_putc(sink, '-');
    amgr_sink_i64(sink, slot->thread);
}
