/* SPDX-License-Identifier: Apache-2.0
 *
 * See handler.h.
 */
#include "httpd/handler.h"

#include <stdlib.h>
#include <string.h>

#include <apr_strings.h>
#include <http_config.h>
#include <http_core.h>
#include <http_protocol.h>
#include <http_request.h>

#include "httpd/answer.h"
#include "httpd/control_setting.h"
#include "httpd/endpoints.h"
#include "httpd/handler_place.h"
#include "httpd/order_handler.h"
#include "httpd/order_proof.h"
#include "httpd/page_view.h"
#include "httpd/pymanager.h"
#include "httpd/status_lines.h"
#include "render/assets.h"

/* Each flush is a call of the kernel, which wakes the client up. */
#define SINK_SIZE 32768

/* More than what a filter lets pass as too short to be changed. */
#define ANY_BODY_LEN 256

/** Whether an asset was asked for under the address with its own version. */
static int has_version(const request_rec *r)
{
    return r->args != NULL && strncmp(r->args, "v=", 2) == 0 &&
           strcmp(r->args + 2, amgr_assets_version) == 0;
}

/**
 * An asset may be kept for good, but only under the address with its own
 * version: behind a balancer the page may have been another server's, whose
 * asset is not this one.
 */
static void set_headers(request_rec *r, const amgr_endpoint_t *endpoint,
                        int varies)
{
    apr_table_t *headers = r->headers_out;

    amgr_answer_set_headers(r, endpoint->content_type,
                            endpoint->asset != NULL && has_version(r));
    if (varies) {
        apr_table_mergen(headers, "Vary", "Accept");
    }
    if (endpoint->asset != NULL) {
        apr_table_setn(
            headers, "ETag",
            apr_pstrcat(r->pool, "\"", amgr_assets_version, "\"", NULL));
    }
}

/**
 * Whether @a tags, of a header, name this asset: the tag that does, or NULL.
 * A filter that compresses gives each form a tag of its own, which is not
 * undone when the client sends it.  A "*" names it as it is.
 */
static const char *find_tag(request_rec *r, const char *tags,
                            int (*find)(apr_pool_t *p, const char *list,
                                        const char *tag))
{
    static const char *const forms[] = {"", "-gzip", "-br"};
    apr_size_t i;

    for (i = 0; i < AMGR_COUNT(forms); i++) {
        const char *tag = apr_pstrcat(r->pool, "\"", amgr_assets_version,
                                      forms[i], "\"", NULL);

        if ((i == 0 && tags[0] == '*') || find(r->pool, tags, tag)) {
            return tag;
        }
    }
    return NULL;
}

/** As ap_meets_conditions() has it, for tags of which there are several. */
static int meet_conditions(request_rec *r)
{
    const char *wanted = apr_table_get(r->headers_in, "If-Match");
    const char *known = apr_table_get(r->headers_in, "If-None-Match");
    const char *tag;

    if (!amgr_answer_is_whole(r)) {
        return OK;
    }
    if (wanted != NULL && find_tag(r, wanted, ap_find_etag_strong) == NULL) {
        return HTTP_PRECONDITION_FAILED;
    }
    tag = known == NULL ? NULL : find_tag(r, known, ap_find_etag_weak);
    if (tag == NULL) {
        return OK;
    }
    apr_table_setn(r->headers_out, "ETag", tag);
    return HTTP_NOT_MODIFIED;
}

static int answer_asset(request_rec *r, const amgr_endpoint_t *endpoint)
{
    apr_size_t len = strlen(endpoint->asset);
    int status = meet_conditions(r);

    if (status != OK) {
        return status;
    }
    ap_set_content_length(r, (apr_off_t)len);
    ap_rwrite(endpoint->asset, (int)len, r);
    return OK;
}

/** A page that keeps itself up to date would hold a worker between two answers
 * for as long as its connection waits, unless the MPM lets it wait alone.  Not
 * by the connection's own state: then httpd sends no chunks (ap_set_keepalive()
 * of its http_protocol.c), and half a page of a worker that is killed would be
 * taken for a whole one. */
static void end_connection(request_rec *r, const amgr_view_t *view)
{
    if (!view->snapshot->server.async && r->connection->master == NULL) {
        apr_table_setn(r->headers_out, "Connection", "close");
    }
}

/** Where the sink's parts go. */
typedef struct sending_t {
    request_rec *r;
    int parts; /**< sent so far */
} sending_t;

static apr_status_t send_part(void *baton, const char *data, apr_size_t len)
{
    sending_t *sending = baton;

    sending->parts++;
    return ap_rwrite(data, (int)len, sending->r) < 0 ? APR_EGENERAL
                                                     : APR_SUCCESS;
}

/** What one buffer holds goes with its length, but for answers whose HEAD could
 * not tell it. */
static void send_written(request_rec *r, const amgr_endpoint_t *endpoint,
                         const amgr_view_t *view)
{
    sending_t sending = {r, 0};
    amgr_sink_t sink;

    amgr_sink_init(&sink, apr_palloc(r->pool, SINK_SIZE), SINK_SIZE, send_part,
                   &sending);
    endpoint->write(view, &sink);
    if (sending.parts == 0 && !(endpoint->traits & AMGR_LONG)) {
        ap_set_content_length(r, (apr_off_t)sink.used);
    }
    amgr_sink_finish(&sink);
    /* A filter may still have it all: before its end is known, nobody can count
     * it. */
    if (endpoint->traits & AMGR_LONG && !r->sent_bodyct) {
        ap_rflush(r);
    }
}

/**
 * The head of a long answer, for which nothing is written.  httpd drops the
 * body of an answer to HEAD after its filters have seen it: they get one, so
 * that those which compress set their headers, and none can count it.
 */
static void send_head(request_rec *r)
{
    ap_rwrite(apr_pcalloc(r->pool, ANY_BODY_LEN), ANY_BODY_LEN, r);
    ap_rflush(r);
}

/** Where the page is, as its links have it, which go on with a slash: with two
 * at its beginning it would be the address of another server. */
static const char *base_path(request_rec *r, apr_size_t base_len)
{
    const char *base = r->uri;
    const char *end = r->uri + base_len;

    while (end > base && end[-1] == '/') {
        end--;
    }
    while (base[0] == '/' && base[1] == '/' && base + 1 < end) {
        base++;
    }
    return ap_os_escape_path(
        r->pool, apr_pstrmemdup(r->pool, base, (apr_size_t)(end - base)), 1);
}

static int answer(request_rec *r, const amgr_endpoint_t *endpoint,
                  const amgr_page_query_t *query, apr_size_t base_len)
{
    amgr_view_t view;
    int is_head = r->header_only && endpoint->traits & AMGR_LONG;

    memset(&view, 0, sizeof(view));
    view.query = *query;
    if (amgr_page_view_collect(&view, is_head ? 0 : endpoint->needs, r->pool) !=
        APR_SUCCESS) {
        return HTTP_SERVICE_UNAVAILABLE;
    }
    view.base_path = base_path(r, base_len);
    view.assets_version = amgr_assets_version;
    view.server_name = ap_get_server_name(r);
    view.control_token = amgr_order_proof_token(r, &view.control_refusal);
    view.write_foreign = amgr_status_lines_write;
    view.foreign_baton = r;
    if (endpoint->traits & AMGR_LIVE && amgr_answer_is_whole(r)) {
        end_connection(r, &view);
    }
    if (endpoint->status != NULL) {
        amgr_answer_set_status(r, endpoint->status(&view));
    }
    if (is_head) {
        send_head(r);
    }
    else {
        send_written(r, endpoint, &view);
    }
    return OK;
}

/** What is not an order. */
static int serve_endpoint(request_rec *r, const amgr_handler_place_t *place)
{
    const char *path = r->uri + place->len;
    const amgr_endpoint_t *endpoint;
    amgr_page_query_t query;
    int varies;

    amgr_page_query_parse(r->args, &query);
    if (path[0] == '\0' || strcmp(path, "/") == 0) {
        path = query.is_auto ? AMGR_ENDPOINT_AUTO : "";
    }
    endpoint = amgr_endpoints_find(
        path,
        amgr_answer_is_whole(r) ? apr_table_get(r->headers_in, "Accept") : NULL,
        &varies);
    if (endpoint == NULL) {
        return HTTP_NOT_FOUND;
    }
    ap_allow_standard_methods(r, REPLACE_ALLOW, M_GET, -1);
    if (endpoint->traits & AMGR_STOPS_ALL) {
        ap_allow_standard_methods(r, MERGE_ALLOW, M_DELETE, -1);
        if (r->method_number == M_DELETE) {
            return amgr_order_serve(r, NULL, base_path(r, place->len));
        }
    }
    if (!place->is_known && (endpoint->traits & AMGR_STOPS_ALL ||
                             amgr_endpoints_is_above(r->uri))) {
        return HTTP_NOT_FOUND;
    }
    if (r->method_number != M_GET) {
        return HTTP_METHOD_NOT_ALLOWED;
    }
    set_headers(r, endpoint, varies && amgr_answer_is_whole(r));
    return endpoint->asset != NULL ? answer_asset(r, endpoint)
                                   : answer(r, endpoint, &query, place->len);
}

/** A request for us. */
static int serve(request_rec *r)
{
    amgr_endpoint_order_t order;
    amgr_handler_place_t place;
    const char *part;

    amgr_handler_place_find(r, &place);
    if (amgr_control_of(r) == AMGR_CONTROL_PYMANAGER) {
        return amgr_pymanager_serve(r,
                                    place.is_known ? r->uri + place.len : NULL);
    }
    if (amgr_endpoints_find_order(r->uri + place.len, &order)) {
        return amgr_order_serve(r, &order, base_path(r, place.len));
    }
    part = amgr_endpoints_order_part(r->uri + place.len);
    if (r->method_number != M_GET && part != NULL) {
        return amgr_order_refuse_unknown(r, part, base_path(r, place.len));
    }
    return serve_endpoint(r, &place);
}

/** Apart, so that the hook sets up no frame for the requests of others. */
static __attribute__((noinline)) int serve_with_headers(request_rec *r)
{
    int status = serve(r);

    if (ap_is_HTTP_ERROR(status)) {
        amgr_answer_set_error_headers(r, status);
    }
    return status;
}

int amgr_hook_handler(request_rec *r)
{
    /* Every request comes by here: the first letter tells nearly all others
     * without a call. */
    if (r->handler[0] != AMGR_HANDLER_NAME[0] ||
        strcmp(r->handler, AMGR_HANDLER_NAME) != 0) {
        return DECLINED;
    }
    return serve_with_headers(r);
}
