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

#include "httpd/config.h"
#include "httpd/page_view.h"
#include "render/assets.h"

#define HANDLER_NAME "manager-status"

/* Each flush is a call of the kernel, which wakes the client up. */
#define SINK_SIZE 32768

/** Nothing inline, nothing from elsewhere, no framing. */
#define SECURITY_POLICY                                           \
    "default-src 'none'; script-src 'self'; style-src 'self'; "   \
    "img-src 'self' data:; connect-src 'self'; base-uri 'none'; " \
    "form-action 'self'; frame-ancestors 'none'"

/** What a sub-path stands for. */
typedef struct endpoint_t {
    const char *path; /**< after the place the handler is set at */
    const char *content_type;
    void (*write)(const amgr_view_t *view, amgr_sink_t *sink);
    const char *asset; /**< its text; NULL: written from a view */
    int with_history;  /**< the writer tells of the past */
    int is_live;       /**< asked for again and again by one reader */
} endpoint_t;

static const endpoint_t endpoints[] = {
    {"", "text/html; charset=utf-8", amgr_write_page, NULL, 1, 1},
    {"/status.json", "application/json", amgr_write_status_json, NULL, 1, 0},
    {"/metrics.txt", "text/plain; charset=utf-8", amgr_write_metrics_txt, NULL,
     0, 0},
    {"/metrics", "text/plain; version=0.0.4; charset=utf-8", amgr_write_metrics,
     NULL, 0, 0},
    {"/assets/page.css", "text/css; charset=utf-8", NULL, amgr_asset_page_css,
     0, 0},
    {"/assets/page.js", "text/javascript; charset=utf-8", NULL,
     amgr_asset_page_js, 0, 0},
};

/** Whether @a path is @a base or below it. */
static int is_below(const char *path, const char *base, apr_size_t base_len)
{
    return strncmp(path, base, base_len) == 0 &&
           (path[base_len] == '\0' || path[base_len] == '/');
}

/* SetHandler takes an expression. */
int amgr_handler_is_set(request_rec *r, const core_dir_config *section)
{
    const char *handler = section->handler;
    const char *error = NULL;

    if (section->expr_handler != NULL) {
        handler = ap_expr_str_exec(r, section->expr_handler, &error);
    }
    return error == NULL && handler != NULL &&
           strcmp(handler, HANDLER_NAME) == 0;
}

/**
 * Length of the part of the URI at which the handler was set: the longest
 * <Location> with this handler.  0 when it was set in another way.
 */
static apr_size_t location_len(request_rec *r)
{
    const core_server_config *core =
        ap_get_core_module_config(r->server->module_config);
    ap_conf_vector_t **sections = (ap_conf_vector_t **)core->sec_url->elts;
    apr_size_t longest = 0;
    int i;

    for (i = 0; i < core->sec_url->nelts; i++) {
        const core_dir_config *section = ap_get_core_module_config(sections[i]);
        apr_size_t len = section->d == NULL ? 0 : strlen(section->d);

        while (len > 1 && section->d[len - 1] == '/') {
            len--;
        }
        if (len > longest && section->r == NULL && !section->d_is_fnmatch &&
            is_below(r->uri, section->d, len) &&
            amgr_handler_is_set(r, section)) {
            longest = len;
        }
    }
    return longest;
}

static int ends_with(const char *text, const char *end)
{
    apr_size_t text_len = strlen(text);
    apr_size_t end_len = strlen(end);

    return text_len >= end_len && strcmp(text + text_len - end_len, end) == 0;
}

/** Where the page is, so that its links can be absolute. */
static apr_size_t find_base(request_rec *r)
{
    apr_size_t len = location_len(r);
    apr_size_t i;

    if (len > 0) {
        return len;
    }
    for (i = 1; i < AMGR_COUNT(endpoints); i++) {
        if (ends_with(r->uri, endpoints[i].path)) {
            return strlen(r->uri) - strlen(endpoints[i].path);
        }
    }
    return strlen(r->uri);
}

static const endpoint_t *find_endpoint(const char *rest)
{
    apr_size_t i;

    if (strcmp(rest, "/") == 0) {
        rest = "";
    }
    for (i = 0; i < AMGR_COUNT(endpoints); i++) {
        if (strcmp(rest, endpoints[i].path) == 0) {
            return &endpoints[i];
        }
    }
    return NULL;
}

/**
 * For how long an answer may be kept.  An asset for good, but only under the
 * address with its own version: behind a balancer the page may have been
 * another server's, whose asset is not this one.
 */
static const char *cache_control(const request_rec *r,
                                 const endpoint_t *endpoint)
{
    if (endpoint->asset != NULL && r->args != NULL &&
        strncmp(r->args, "v=", 2) == 0 &&
        strcmp(r->args + 2, amgr_assets_version) == 0) {
        return "private, max-age=31536000, immutable";
    }
    return "no-store";
}

static void set_headers(request_rec *r, const endpoint_t *endpoint)
{
    apr_table_t *headers = r->headers_out;

    ap_set_content_type(r, endpoint->content_type);
    apr_table_setn(headers, "Cache-Control", cache_control(r, endpoint));
    apr_table_setn(headers, "X-Content-Type-Options", "nosniff");
    apr_table_setn(headers, "Content-Security-Policy", SECURITY_POLICY);
    apr_table_setn(headers, "Referrer-Policy", "same-origin");
}

static apr_status_t send_part(void *baton, const char *data, apr_size_t len)
{
    request_rec *r = baton;

    return ap_rwrite(data, (int)len, r) < 0 ? APR_EGENERAL : APR_SUCCESS;
}

static int answer_asset(request_rec *r, const endpoint_t *endpoint)
{
    apr_size_t len = strlen(endpoint->asset);

    set_headers(r, endpoint);
    ap_set_content_length(r, (apr_off_t)len);
    if (!r->header_only) {
        ap_rwrite(endpoint->asset, (int)len, r);
    }
    return OK;
}

/** A page that keeps itself up to date would hold a worker between two answers
 * for as long as its connection waits, unless the MPM lets it wait alone. */
static void end_connection(request_rec *r, const amgr_view_t *view)
{
    if (!view->snapshot->server.async) {
        r->connection->keepalive = AP_CONN_CLOSE;
    }
}

static int answer(request_rec *r, const endpoint_t *endpoint,
                  apr_size_t base_len)
{
    amgr_sink_t sink;
    amgr_view_t view;

    if (amgr_page_view_collect(&view, r->pool) != APR_SUCCESS) {
        return HTTP_SERVICE_UNAVAILABLE;
    }
    view.base_path = ap_os_escape_path(
        r->pool, apr_pstrmemdup(r->pool, r->uri, base_len), 1);
    view.assets_version = amgr_assets_version;
    view.server_name = ap_get_server_name(r);
    amgr_page_query_parse(r->args, &view.query);
    set_headers(r, endpoint);
    if (endpoint->is_live) {
        end_connection(r, &view);
    }
    if (r->header_only) {
        return OK;
    }
    if (endpoint->with_history) {
        amgr_page_view_history(&view, r->pool);
    }
    amgr_sink_init(&sink, apr_palloc(r->pool, SINK_SIZE), SINK_SIZE, send_part,
                   r);
    endpoint->write(&view, &sink);
    amgr_sink_finish(&sink);
    return OK;
}

/** A request for us.  Apart, so that the hook sets up no frame for the requests
 * of others. */
static __attribute__((noinline)) int serve(request_rec *r)
{
    apr_size_t base_len = find_base(r);
    const endpoint_t *endpoint = find_endpoint(r->uri + base_len);

    if (endpoint == NULL) {
        return HTTP_NOT_FOUND;
    }
    ap_allow_standard_methods(r, REPLACE_ALLOW, M_GET, -1);
    if (r->method_number != M_GET) {
        return HTTP_METHOD_NOT_ALLOWED;
    }
    return endpoint->asset != NULL ? answer_asset(r, endpoint)
                                   : answer(r, endpoint, base_len);
}

int amgr_hook_handler(request_rec *r)
{
    /* Every request comes by here: the first letter tells nearly all others
     * without a call. */
    if (r->handler[0] != HANDLER_NAME[0] ||
        strcmp(r->handler, HANDLER_NAME) != 0) {
        return DECLINED;
    }
    return serve(r);
}
