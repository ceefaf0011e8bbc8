/* SPDX-License-Identifier: Apache-2.0
 *
 * Any bytes as a request to the handler: method, address, headers and body,
 * under each ManagerControl.  Checked besides memory: nothing is ordered
 * without a right method, a known place, a proof that a plain reading finds as
 * well and a line in the log; what is refused is logged; a line of the log is
 * one line; the answer is what its type says, and nothing in it leaves its
 * place or leads to another server.
 */
#include "request_httpd.h"

#include <jansson.h>

#include "httpd/answer.h"
#include "httpd/control_setting.h"
#include "httpd/handler.h"
#include "httpd/log.h"
#include "httpd/managed_order.h"
#include "httpd/order_proof.h"
#include "httpd/page_view.h"
#include "httpd/status_lines.h"

/** Sixteen times 0xab, which the token is made of. */
#define SECRET "abababababababababababababababab"

apr_status_t __wrap_apr_generate_random_bytes(unsigned char *buf,
                                              apr_size_t length);

static request_rec *request;
static int control;
static int order_end;  /**< amgr_order_end_e */
static int is_shut;    /* by an order, until httpd is restarted */
static int is_stopped; /* by that, or with a supervisor that ends */
static int logged_orders;
static int logged_refusals;
static int given;

apr_status_t __wrap_apr_generate_random_bytes(unsigned char *buf,
                                              apr_size_t length)
{
    memset(buf, 0xab, length);
    return APR_SUCCESS;
}

int amgr_control_of(const request_rec *r)
{
    check(r == request);
    return control;
}

static void check_logged(const char *format, va_list args)
    __attribute__((format(printf, 1, 0)));

static void check_logged(const char *format, va_list args)
{
    char line[1024];

    vsnprintf(line, sizeof(line), format, args);
    check_line_text(line);
}

void amgr_log(server_rec *s, amgr_log_tag_e tag, int level, apr_status_t rv,
              const char *format, ...)
{
    (void)s; /* never: there are random bytes */
    (void)tag;
    (void)level;
    (void)rv;
    check(format == NULL);
}

void amgr_log_request(const request_rec *r, amgr_log_tag_e tag, int level,
                      const char *format, ...)
{
    va_list args;

    check(r == request);
    logged_orders += tag == AMGR_TAG_ORDER_HTTP && level == APLOG_NOTICE;
    logged_refusals += tag == AMGR_TAG_ORDER_REFUSED;
    va_start(args, format);
    check_logged(format, args);
    va_end(args);
}

void amgr_status_lines_write(void *baton, amgr_sink_t *sink)
{
    check(baton == request);
    amgr_sink_puts(sink, "");
}

static void fill_table(amgr_managed_table_t *table)
{
    static const char *const names[] = {"web", "a", "x-1.b_c"};
    int i;

    memset(table, 0, sizeof(*table));
    table->count = (int)AMGR_COUNT(names);
    table->supervisor = 70;
    table->control = 1;
    table->is_shut = is_shut;
    table->application =
        is_stopped ? AMGR_APPLICATION_SHUTDOWN : AMGR_APPLICATION_RUNNING;
    for (i = 0; i < table->count; i++) {
        strcpy(table->processes[i].name, names[i]);
        table->processes[i].id = i + 1;
        table->processes[i].state = AMGR_MANAGED_READY;
        table->processes[i].want = AMGR_MANAGED_WANT_UP;
        table->processes[i].pid = 300 + i;
    }
}

void amgr_managed_order_read(amgr_managed_table_t *table)
{
    fill_table(table);
}

/* A server before its first tick. */
apr_status_t amgr_page_view_collect(amgr_view_t *view, int needs, apr_pool_t *p)
{
    static amgr_board_config_t config;
    static amgr_counters_t counters;
    static amgr_snapshot_t snapshot;
    static amgr_managed_table_t table;

    (void)needs; /* there is nothing more */
    amgr_limits_init(&config.limits);
    amgr_snapshot_clear(&snapshot);
    snapshot.server.uptime_us = AMGR_NO_TIME;
    snapshot.server.async = 1;
    fill_table(&table);
    view->pool = p;
    view->snapshot = &snapshot;
    view->config = &config;
    view->counters = &counters;
    view->managed = &table;
    view->server_description = "Apache";
    view->server_built = "today";
    view->load[0] = view->load[1] = view->load[2] = -1.0F;
    return APR_SUCCESS;
}

/* ---- what may be ordered ------------------------------------------------ */

static const char *header(const char *name)
{
    return apr_table_get(request->headers_in, name);
}

/** Whether the Host is one that the configuration has, or an address. */
static int is_our_host(const char *host)
{
    static const char *const names[] = {"www.example.org", "alias.example.org",
                                        "localhost"};
    size_t len = strcspn(host, ":");
    size_t i;

    for (i = 0; i < AMGR_COUNT(names); i++) {
        /* A name may end with the root's dot. */
        if (strncasecmp(host, names[i], strlen(names[i])) == 0 &&
            len - strlen(names[i]) <= 1) {
            return 1;
        }
    }
    if (strcasestr(host, ".example.net") != NULL) {
        return 1;
    }
    return host[0] == '[' || strspn(host, "0123456789.") >= len;
}

static int has_token(const char *body)
{
    const char *said = header("X-Manager-Token");

    return (said != NULL && strcmp(said, SECRET) == 0) ||
           strstr(body, "token=" SECRET) != NULL;
}

static void check_proof(const char *body)
{
    const char *site = header("Sec-Fetch-Site");
    const char *origin = header("Origin");
    const char *said = header("X-Manager-Token");

    check(site == NULL || strcmp(site, "same-origin") == 0 ||
          strcmp(site, "none") == 0);
    check(said == NULL || strcmp(said, SECRET) == 0);
    if (origin != NULL) {
        check(strcasestr(origin, world.is_https ? "https://" : "http://") ==
              origin);
    }
    if (has_token(body)) {
        return;
    }
    if (control == AMGR_CONTROL_PYMANAGER && origin == NULL && site == NULL) {
        return;
    }
    check(header("Host") != NULL && is_our_host(header("Host")));
    check(origin != NULL || site != NULL || header("Referer") != NULL);
}

static char *body_text;

int amgr_managed_order_give(request_rec *r, amgr_managed_order_t *order)
{
    static const char *const verbs[] = {"start", "stop", "restart", "shutdown"};
    size_t i = 0;

    check(r == request && ++given == 1);
    check(r->method_number == M_POST || r->method_number == M_DELETE);
    while (i < AMGR_COUNT(verbs) && strcmp(verbs[i], order->verb) != 0) {
        i++;
    }
    check(i < AMGR_COUNT(verbs));
    check((order->name == NULL) == (r->method_number == M_DELETE));
    check((order->name == NULL) == (strcmp(order->verb, "shutdown") == 0));
    check(order->name == NULL ||
          amgr_managed_find(order->table, order->name) != NULL);
    check(order->wait_us >= 0 &&
          order->wait_us <= apr_time_from_sec(AMGR_ORDER_WAIT_MAX_SEC));
    check(control != AMGR_CONTROL_OFF && !is_shut);
    check(has_place(r->uri));
    check(world.body_status == OK && !world.is_cut);
    check(logged_orders == 1 && logged_refusals == 0);
    check_proof(body_text);
    order->status = 503;
    strcpy(order->error, "nobody is there <to hear> \"it\"");
    return order_end;
}

/* ---- the request -------------------------------------------------------- */

/* httpd lets no other byte into a header. */
static int is_value(const char *text)
{
    for (; *text != '\0'; text++) {
        if (((unsigned char)*text < 0x20 && *text != '\t') || *text == 0x7f) {
            return 0;
        }
    }
    return 1;
}

static void read_headers(fuzz_t *in)
{
    int is_over = 0;

    while (!is_over && fuzz_left(in) > 0) {
        char *line = fuzz_line(in);
        char *colon = strchr(line, ':');

        is_over = line[0] == '\0';
        if (colon != NULL && colon > line && is_value(line)) {
            *colon = '\0';
            apr_table_mergen(
                request->headers_in, apr_pstrdup(request->pool, line),
                apr_pstrdup(request->pool, colon + 1 + (colon[1] == ' ')));
        }
        free(line);
    }
}

static void make_request(fuzz_t *in, apr_pool_t *pool)
{
    static const char *const methods[] = {"GET", "POST", "DELETE", "PUT",
                                          "OPTIONS"};
    static const int numbers[] = {M_GET, M_POST, M_DELETE, M_PUT, M_OPTIONS};
    static char client[] = "192.0.2.1";
    static conn_rec connection;
    int flags = fuzz_below(in, 256);
    int method = fuzz_below(in, (int)AMGR_COUNT(methods));
    char *line;
    char *args;

    request = apr_pcalloc(pool, sizeof(*request));
    world.piece = (size_t)fuzz_below(in, 64);
    world.body_status = (flags & 0x30) == 0x30 ? HTTP_LENGTH_REQUIRED : OK;
    world.is_cut = (flags & 0xc0) == 0xc0;
    world.is_https = flags >> 3 & 1;
    control = AMGR_CONTROL_OFF + (flags & 3) % 3;
    is_stopped = flags >> 7 & 1;
    is_shut = is_stopped && (flags & 4);
    order_end = method % AMGR_ORDER_END_COUNT;
    order_end = (flags & 4) ? order_end : AMGR_ORDER_SETTLED;
    request->pool = pool;
    request->server = &server;
    request->connection = &connection;
    request->handler = AMGR_HANDLER_NAME;
    request->method = methods[method];
    request->method_number = numbers[method];
    request->headers_in = apr_table_make(pool, 8);
    request->headers_out = apr_table_make(pool, 8);
    request->err_headers_out = apr_table_make(pool, 8);
    request->useragent_ip = client;
    request->per_dir_config = section_list[3];
    request->status = HTTP_OK;
    line = fuzz_line(in);
    request->uri = apr_pstrcat(pool, line[0] == '/' ? "" : "/", line, NULL);
    args = strchr(request->uri, '?');
    if (args != NULL) {
        *args = '\0';
        request->args = args + 1;
    }
    free(line);
    read_headers(in);
    request->user = (char *)(uintptr_t)header("X-User");
    world.body = *in;
    world.is_cut = world.is_cut && fuzz_left(in) > 0;
}

/* ---- the answer --------------------------------------------------------- */

static void check_json(void)
{
    json_t *json = json_loadb(world.sent.data, world.sent.len,
                              JSON_DECODE_INT_AS_REAL, NULL);

    check(json != NULL);
    json_decref(json);
}

/* What stands in an attribute that leads somewhere. */
static void check_links(const char *name)
{
    const char *at = world.sent.data;

    while ((at = strstr(at, name)) != NULL) {
        at += strlen(name);
        check(at[0] != '/' || at[1] != '/');
        check(strncmp(at, "javascript", 10) != 0);
    }
}

static void check_html(void)
{
    const char *at;

    check_utf8(world.sent.data);
    check(strpbrk(world.sent.data, "\x1b\x7f\x01\x02\r") == NULL);
    check(strstr(world.sent.data, "<x") == NULL);
    check_links("href=\"");
    check_links("src=\"");
    check_links("action=\"");
    /* Each tag is one of the writers'. */
    for (at = world.sent.data; (at = strchr(at, '<')) != NULL; at++) {
        check(at[1] == '/' || at[1] == '!' || apr_islower(at[1]));
    }
}

static int check_header(void *unused, const char *key, const char *value)
{
    (void)unused;
    check(key[0] != '\0');
    check_line_text(value);
    return 1;
}

static void check_answer(int status)
{
    const char *location = apr_table_get(request->headers_out, "Location");
    const char *type = request->content_type;

    apr_table_do(check_header, NULL, request->headers_out, NULL);
    apr_table_do(check_header, NULL, request->err_headers_out, NULL);
    check(location == NULL || (location[0] == '/' && location[1] != '/'));
    if (status != OK) {
        check(status == HTTP_NOT_MODIFIED || status >= 400);
        check(world.sent.len == 0);
        check(status < 400 || apr_table_get(request->err_headers_out,
                                            "X-Content-Type-Options") != NULL);
        return;
    }
    check(type != NULL);
    check(request->status >= 200 && request->status < 600);
    if (world.sent.len == 0 || request->header_only) {
        return;
    }
    if (strcmp(type, AMGR_TYPE_HTML) == 0) {
        check_html();
    }
    else if (strcmp(type, AMGR_TYPE_JSON) == 0) {
        check_json();
    }
}

/* An order that was not given is a line in the log. */
static void check_log(int status)
{
    if (request->method_number == M_DELETE && control == AMGR_CONTROL_ON &&
        status == OK) {
        check(given || logged_refusals > 0);
    }
    check(logged_refusals <= 1 && logged_orders <= 1);
    check(given == logged_orders);
    check(!given || order_end != AMGR_ORDER_REFUSED || logged_refusals == 1);
    check(request->method_number != M_GET || !given);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_t in = {data, data + size};
    apr_pool_t *pool = fuzz_pool();
    int status;

    memset(&world, 0, sizeof(world));
    fuzz_append(&world.sent, "", 0);
    given = logged_orders = logged_refusals = 0;
    if (server.server_hostname == NULL) {
        configure();
        amgr_order_proof_renew(&server);
    }
    make_request(&in, pool);
    body_text = fuzz_text(world.body.at, fuzz_left(&world.body));
    status = amgr_hook_handler(request);
    check_answer(status);
    check_log(status);
    free(body_text);
    free(world.sent.data);
    apr_pool_destroy(pool);
    return 0;
}
