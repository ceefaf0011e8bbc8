/* SPDX-License-Identifier: Apache-2.0
 *
 * See pymanager.h.
 */
#include "httpd/pymanager.h"

#include <string.h>

#include <apr_strings.h>
#include <http_protocol.h>
#include <http_request.h>

#include "httpd/answer.h"
#include "httpd/handler_place.h"
#include "httpd/managed_order.h"
#include "httpd/order_audit.h"
#include "httpd/order_body.h"
#include "httpd/order_proof.h"
#include "render/pymanager_json.h"

#define RESTART "/restart/"
#define IN_SHUTDOWN "Process is in shutdown."

/** A request, and the answer that is being written. */
typedef struct serving_t {
    request_rec *r;
    amgr_order_words_t words;
    amgr_managed_table_t *table;
    amgr_sink_t sink;
} serving_t;

static void begin_answer(serving_t *serving, int status)
{
    amgr_answer_set_headers(serving->r, AMGR_TYPE_JSON, 0);
    amgr_answer_set_status(serving->r, status);
    amgr_answer_open(serving->r, &serving->sink);
}

static int end_answer(serving_t *serving)
{
    amgr_sink_finish(&serving->sink);
    return OK;
}

static int fail(serving_t *serving, int status, const char *message)
{
    begin_answer(serving, status);
    amgr_pymanager_write_failure(message, &serving->sink);
    return end_answer(serving);
}

/** An order that comes to nothing. */
static int refuse_order(serving_t *serving, int status, const char *message)
{
    amgr_order_audit_refusal(serving->r, &serving->words, status, message);
    return fail(serving, status, message);
}

static int is_shut_down(const serving_t *serving)
{
    return serving->table->count > 0 && serving->table->is_shut;
}

static int serve_status(serving_t *serving)
{
    begin_answer(serving, HTTP_OK);
    amgr_pymanager_write_status(serving->table, &serving->sink);
    return end_answer(serving);
}

static int serve_list(serving_t *serving)
{
    if (is_shut_down(serving)) {
        return fail(serving, HTTP_FORBIDDEN, IN_SHUTDOWN);
    }
    begin_answer(serving, HTTP_OK);
    amgr_pymanager_write_list(serving->table, &serving->sink);
    return end_answer(serving);
}

/** Whether the order may be given, by its body and its proof; else it has been
 * answered as *out_answer says. */
static int may_order(serving_t *serving, int *out_answer)
{
    amgr_order_token_t token;
    const char *why;

    *out_answer = amgr_order_body_read(serving->r, &token);
    if (*out_answer != OK) {
        amgr_order_audit_refusal(serving->r, &serving->words, *out_answer,
                                 amgr_order_body_fault(*out_answer));
        return 0;
    }
    why = amgr_order_proof_check(serving->r, &token);
    if (why != NULL) {
        *out_answer = refuse_order(serving, HTTP_FORBIDDEN, why);
        return 0;
    }
    if (is_shut_down(serving)) {
        *out_answer = refuse_order(serving, HTTP_FORBIDDEN, IN_SHUTDOWN);
        return 0;
    }
    return 1;
}

/** Give the order; the answer to one that was not obeyed is *out_answer. */
static int give(serving_t *serving, amgr_managed_order_t *order,
                int *out_answer)
{
    int end;

    order->table = serving->table;
    amgr_order_audit(serving->r, &serving->words);
    end = amgr_managed_order_give(serving->r, order);
    if (end == AMGR_ORDER_REFUSED) {
        *out_answer = refuse_order(serving, order->status, order->error);
    }
    return end;
}

static int serve_delete(serving_t *serving)
{
    amgr_managed_order_t order = {"shutdown", NULL, 0, 0, NULL, 0, ""};
    int answer;

    serving->words.verb = order.verb;
    if (!may_order(serving, &answer)) {
        return answer;
    }
    if (serving->table->count == 0) {
        amgr_order_audit(serving->r, &serving->words);
    }
    else if (give(serving, &order, &answer) >= AMGR_ORDER_REFUSED) {
        return answer;
    }
    begin_answer(serving, HTTP_OK);
    amgr_pymanager_write_success(NULL, &serving->sink);
    return end_answer(serving);
}

/** It has been restarted, or was tried for as long as anybody may wait. */
static int answer_restart(serving_t *serving, const char *name, int end)
{
    const amgr_managed_t *process = amgr_managed_find(serving->table, name);
    int is_up = end == AMGR_ORDER_SETTLED && process != NULL &&
                process->state != AMGR_MANAGED_FATAL;
    int status = is_up ? HTTP_OK : HTTP_INTERNAL_SERVER_ERROR;

    amgr_order_audit_outcome(
        serving->r, &serving->words, status,
        process == NULL ? "gone" : amgr_managed_state_word(process->state));
    if (!is_up) {
        return fail(serving, status, "Process verification failed.");
    }
    begin_answer(serving, status);
    amgr_pymanager_write_success(process, &serving->sink);
    return end_answer(serving);
}

static int serve_restart(serving_t *serving, const char *text)
{
    amgr_managed_order_t order = {
        "restart", NULL, apr_time_from_sec(AMGR_ORDER_WAIT_MAX_SEC), 1, NULL,
        0,         ""};
    const amgr_managed_table_t *table = serving->table;
    apr_int64_t id = 0;
    int answer;
    int end;

    serving->words.verb = order.verb;
    serving->words.name = text;
    if (!may_order(serving, &answer)) {
        return answer;
    }
    if (!amgr_pymanager_parse_id(text, &id)) {
        return refuse_order(
            serving, HTTP_BAD_REQUEST,
            apr_psprintf(serving->r->pool, "Invalid ID '%s'.", text));
    }
    if (id < 1 || id > table->count) {
        amgr_order_audit_refusal(serving->r, &serving->words, HTTP_NOT_FOUND,
                                 "there is no process of this ID");
        /* Word for word what its clients have always got. */
        return fail(serving, HTTP_NOT_FOUND,
                    "Process with id '{0}' not found.");
    }
    order.name = apr_pstrdup(serving->r->pool, table->processes[id - 1].name);
    serving->words.name = order.name;
    end = give(serving, &order, &answer);
    return end >= AMGR_ORDER_REFUSED ? answer
                                     : answer_restart(serving, order.name, end);
}

/** A method that is none of @a path's; an order that way is one that is
 * refused. */
static int refuse_method(const serving_t *serving)
{
    if (serving->words.verb != NULL) {
        amgr_order_audit_refusal(serving->r, &serving->words,
                                 HTTP_METHOD_NOT_ALLOWED,
                                 "orders are given by POST");
    }
    return HTTP_METHOD_NOT_ALLOWED;
}

static int serve_root(serving_t *serving)
{
    request_rec *r = serving->r;

    ap_allow_standard_methods(r, REPLACE_ALLOW, M_GET, M_DELETE, -1);
    if (r->method_number == M_DELETE) {
        return serve_delete(serving);
    }
    return r->method_number == M_GET ? serve_list(serving)
                                     : refuse_method(serving);
}

/** Where the handler's place is not known, its addresses are not either. */
static int refuse_place(serving_t *serving)
{
    request_rec *r = serving->r;

    if (r->method_number != M_POST && r->method_number != M_DELETE) {
        return HTTP_NOT_FOUND;
    }
    serving->words.verb = r->method_number == M_POST ? "restart" : "shutdown";
    serving->words.name = r->method_number == M_POST ? r->uri : NULL;
    return refuse_order(serving, HTTP_FORBIDDEN, AMGR_HANDLER_PLACE_UNKNOWN);
}

int amgr_pymanager_serve(request_rec *r, const char *path)
{
    apr_size_t restart_len = strlen(RESTART);
    serving_t serving;

    memset(&serving, 0, sizeof(serving));
    serving.r = r;
    serving.table = apr_palloc(r->pool, sizeof(*serving.table));
    amgr_managed_order_read(serving.table);
    if (path == NULL) {
        return refuse_place(&serving);
    }
    if (path[0] == '\0' || strcmp(path, "/") == 0) {
        return serve_root(&serving);
    }
    if (strcmp(path, "/status") == 0) {
        ap_allow_standard_methods(r, REPLACE_ALLOW, M_GET, -1);
        return r->method_number == M_GET ? serve_status(&serving)
                                         : refuse_method(&serving);
    }
    if (strncmp(path, RESTART, restart_len) == 0 && path[restart_len] != '\0' &&
        strchr(path + restart_len, '/') == NULL) {
        ap_allow_standard_methods(r, REPLACE_ALLOW, M_POST, -1);
        if (r->method_number == M_POST) {
            return serve_restart(&serving, path + restart_len);
        }
        serving.words.verb = "restart";
        serving.words.name = path + restart_len;
        return refuse_method(&serving);
    }
    return HTTP_NOT_FOUND;
}
