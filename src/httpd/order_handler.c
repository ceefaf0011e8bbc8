/* SPDX-License-Identifier: Apache-2.0
 *
 * See order_handler.h.
 */
#include "httpd/order_handler.h"

#include <string.h>

#include <apr_strings.h>
#include <http_protocol.h>
#include <http_request.h>

#include "base/escape.h"
#include "base/fields.h"
#include "base/units.h"
#include "httpd/answer.h"
#include "httpd/control_setting.h"
#include "httpd/handler_place.h"
#include "httpd/managed_order.h"
#include "httpd/order_audit.h"
#include "httpd/order_body.h"
#include "httpd/order_proof.h"
#include "httpd/page_view.h"
#include "render/accept.h"
#include "render/assets.h"
#include "render/json.h"

/** One order from its request to its answer. */
typedef struct serving_t {
    request_rec *r;
    amgr_order_words_t words;
    amgr_managed_order_t order;
    const char *base_path;
    amgr_page_query_t query; /**< of the page that the order was given on */
    int wants_html;
} serving_t;

/* Programs are the rule, and say nothing; a browser says what it likes. */
static int wants_html(request_rec *r)
{
    static const char *const types[] = {AMGR_TYPE_JSON, AMGR_TYPE_HTML};

    return amgr_accept_choose(apr_table_get(r->headers_in, "Accept"), types,
                              (int)AMGR_COUNT(types)) == 1;
}

/** Where the page is, as it was asked for: of the order's own address only what
 * a page knows, written anew. */
static const char *page_address(const serving_t *serving)
{
    const char *path = serving->base_path;
    char query[AMGR_PAGE_ADDRESS_LEN];
    amgr_sink_t sink;

    amgr_sink_init_text(&sink, query, sizeof(query));
    amgr_page_query_write_address(&serving->query, &sink);
    return apr_pstrcat(serving->r->pool, path[0] == '\0' ? "/" : path,
                       amgr_sink_text(&sink), NULL);
}

static void put_refusal_html(const serving_t *serving, const char *why,
                             amgr_sink_t *sink)
{
    amgr_sink_puts(sink, "<!doctype html>\n<html lang=\"en\"><head>"
                         "<meta charset=\"utf-8\"><meta name=\"viewport\""
                         " content=\"width=device-width, initial-scale=1\">"
                         "<title>Not done</title>"
                         "<link rel=\"icon\" href=\"data:,\">"
                         "<link rel=\"stylesheet\" href=\"");
    amgr_escape_html(sink, serving->base_path);
    amgr_sink_puts(sink, "/assets/page.css?v=");
    amgr_sink_puts(sink, amgr_assets_version);
    amgr_sink_puts(sink, "\"></head><body><main><h1>Not done</h1>\n"
                         "<p>The order was refused: ");
    amgr_escape_html(sink, why);
    amgr_sink_puts(sink, ".</p>\n<p><a href=\"");
    amgr_escape_html(sink, page_address(serving));
    amgr_sink_puts(sink, "\">Back to the page</a></p></main></body></html>\n");
}

static void put_refusal_json(int status, const char *why, amgr_sink_t *sink)
{
    amgr_json_t json;

    amgr_json_init(&json, sink);
    amgr_json_begin_object(&json);
    amgr_json_key(&json, "ok");
    amgr_json_bool(&json, 0);
    amgr_json_key(&json, "status");
    amgr_json_i64(&json, status);
    amgr_json_key(&json, "error");
    amgr_json_string(&json, why);
    amgr_json_end_object(&json);
    amgr_sink_putc(sink, '\n');
}

/** Nothing was done, and why not, as one clause. */
static int refuse_order(const serving_t *serving, int status, const char *why)
{
    request_rec *r = serving->r;
    amgr_sink_t sink;

    amgr_order_audit_refusal(r, &serving->words, status, why);
    amgr_answer_set_headers(
        r, serving->wants_html ? AMGR_TYPE_HTML : AMGR_TYPE_JSON, 0);
    apr_table_mergen(r->headers_out, "Vary", "Accept");
    amgr_answer_set_status(r, status);
    amgr_answer_open(r, &sink);
    if (serving->wants_html) {
        put_refusal_html(serving, why, &sink);
    }
    else {
        put_refusal_json(status, why, &sink);
    }
    amgr_sink_finish(&sink);
    return OK;
}

/** What the process is now, or all are. */
static int answer_json(const serving_t *serving, int status)
{
    request_rec *r = serving->r;
    const amgr_managed_order_t *order = &serving->order;
    const amgr_managed_t *process = NULL;
    amgr_view_t view;
    amgr_sink_t sink;

    memset(&view, 0, sizeof(view));
    if (amgr_page_view_collect(&view, 0, r->pool) != APR_SUCCESS) {
        return HTTP_SERVICE_UNAVAILABLE;
    }
    view.managed = order->table->count > 0 ? order->table : NULL;
    if (order->name != NULL) {
        process = amgr_managed_find(order->table, order->name);
    }
    amgr_answer_set_headers(r, AMGR_TYPE_JSON, 0);
    apr_table_mergen(r->headers_out, "Vary", "Accept");
    amgr_answer_set_status(r, status);
    amgr_answer_open(r, &sink);
    if (process != NULL) {
        amgr_write_process_json(&view, process, &sink);
    }
    else {
        amgr_write_processes_json(&view, &sink);
    }
    amgr_sink_finish(&sink);
    return OK;
}

/** Back to where the page shows what came of it. */
static int answer_html(const serving_t *serving)
{
    request_rec *r = serving->r;
    const char *page = page_address(serving);
    const char *name = serving->order.name;

    amgr_answer_set_headers(r, AMGR_TYPE_HTML, 0);
    apr_table_mergen(r->headers_out, "Vary", "Accept");
    apr_table_setn(r->headers_out, "Location",
                   name == NULL
                       ? page
                       : apr_pstrcat(r->pool, page, "#managed-", name, NULL));
    amgr_answer_set_status(r, HTTP_SEE_OTHER);
    ap_set_content_length(r, 0);
    return OK;
}

static const char *outcome_of(const amgr_managed_order_t *order)
{
    const amgr_managed_table_t *table = order->table;
    const amgr_managed_t *process =
        order->name == NULL ? NULL : amgr_managed_find(table, order->name);

    if (process != NULL) {
        return amgr_managed_state_word(process->state);
    }
    return order->name == NULL ? amgr_application_word(table->application)
                               : "there is none";
}

static int answer_done(const serving_t *serving, int status)
{
    if (serving->order.wait_us > 0) {
        amgr_order_audit_outcome(serving->r, &serving->words, status,
                                 outcome_of(&serving->order));
    }
    return serving->wants_html ? answer_html(serving)
                               : answer_json(serving, status);
}

/** The whole seconds that `wait` says; -1: nothing that can be waited for. */
static apr_interval_time_t find_wait(const request_rec *r)
{
    const char *value;
    apr_size_t len;
    int count = amgr_fields_find(r->args, "wait", &value, &len);
    int seconds = 0;

    if (count == 0) {
        return 0;
    }
    if (count > 1 ||
        amgr_count_parse(apr_pstrmemdup(r->pool, value, len), 0,
                         AMGR_ORDER_WAIT_MAX_SEC, &seconds) != NULL) {
        return -1;
    }
    return apr_time_from_sec(seconds);
}

static int give(serving_t *serving)
{
    amgr_managed_order_t *order = &serving->order;

    amgr_order_audit(serving->r, &serving->words);
    if (order->table->count == 0 && order->name == NULL) {
        return answer_done(serving, HTTP_OK); /* nothing runs, as ordered */
    }
    switch (amgr_managed_order_give(serving->r, order)) {
    case AMGR_ORDER_SETTLED:
        return answer_done(serving, HTTP_OK);
    case AMGR_ORDER_GOING:
        return answer_done(serving, HTTP_ACCEPTED);
    default:
        return refuse_order(serving, order->status, order->error);
    }
}

/** What can be told before anybody is asked. */
static int check_and_give(serving_t *serving)
{
    amgr_managed_order_t *order = &serving->order;

    order->wait_us = find_wait(serving->r);
    if (order->wait_us < 0) {
        return refuse_order(
            serving, HTTP_BAD_REQUEST,
            "wait must be a whole number of seconds from 0 to " APR_STRINGIFY(
                AMGR_ORDER_WAIT_MAX_SEC));
    }
    order->table = apr_palloc(serving->r->pool, sizeof(*order->table));
    amgr_managed_order_read(order->table);
    if (order->name != NULL &&
        amgr_managed_find(order->table, order->name) == NULL) {
        return refuse_order(serving, HTTP_NOT_FOUND,
                            "there is no managed process of this name");
    }
    if (order->table->count > 0 && order->table->is_shut) {
        return refuse_order(
            serving, HTTP_FORBIDDEN,
            "all managed processes are shut down until httpd is "
            "restarted");
    }
    return give(serving);
}

static void begin(serving_t *serving, request_rec *r, const char *base_path)
{
    memset(serving, 0, sizeof(*serving));
    serving->r = r;
    serving->base_path = base_path;
    amgr_page_query_parse(r->args, &serving->query);
    serving->wants_html = wants_html(r);
}

static int refuse_method(const serving_t *serving)
{
    /* httpd itself says it in its own answers alone. */
    apr_table_setn(serving->r->headers_out, "Allow", "POST");
    return refuse_order(serving, HTTP_METHOD_NOT_ALLOWED,
                        "orders are given by POST");
}

int amgr_order_serve(request_rec *r, const amgr_endpoint_order_t *order,
                     const char *base_path)
{
    amgr_handler_place_t place;
    amgr_order_token_t token;
    serving_t serving;
    const char *why;
    int status;

    begin(&serving, r, base_path);
    serving.order.verb = order == NULL ? "shutdown" : order->verb;
    serving.order.name = order == NULL ? NULL : order->name;
    serving.words.verb = serving.order.verb;
    serving.words.name = serving.order.name;
    if (order != NULL && r->method_number != M_POST) {
        return refuse_method(&serving);
    }
    if (amgr_control_of(r) != AMGR_CONTROL_ON) {
        return refuse_order(&serving, HTTP_FORBIDDEN,
                            "ManagerControl is Off here");
    }
    amgr_handler_place_find(r, &place);
    if (!place.is_known) {
        return refuse_order(&serving, HTTP_FORBIDDEN,
                            AMGR_HANDLER_PLACE_UNKNOWN);
    }
    status = amgr_order_body_read(r, &token);
    if (status != OK) {
        return refuse_order(&serving, status, amgr_order_body_fault(status));
    }
    why = amgr_order_proof_check(r, &token);
    if (why != NULL) {
        return refuse_order(&serving, HTTP_FORBIDDEN, why);
    }
    return check_and_give(&serving);
}

int amgr_order_refuse_unknown(request_rec *r, const char *rest,
                              const char *base_path)
{
    serving_t serving;

    begin(&serving, r, base_path);
    serving.words.verb = "unknown order";
    serving.words.name = rest;
    return refuse_order(&serving, HTTP_NOT_FOUND, "there is no such order");
}
