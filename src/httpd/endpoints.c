/* SPDX-License-Identifier: Apache-2.0
 *
 * See endpoints.h.
 */
#include "httpd/endpoints.h"

#include <string.h>

#include <httpd.h>

#include "httpd/answer.h"
#include "httpd/page_view.h"
#include "render/accept.h"
#include "render/assets.h"

#define HTML AMGR_TYPE_HTML
#define JSON AMGR_TYPE_JSON
#define TEXT "text/plain; charset=utf-8"
#define METRICS "text/plain; version=0.0.4; charset=utf-8"
#define OPEN_METRICS \
    "application/openmetrics-text; version=1.0.0; charset=utf-8"
#define CSS "text/css; charset=utf-8"
#define JAVASCRIPT "text/javascript; charset=utf-8"

#define NEED_STATUS (AMGR_NEED_SLOTS | AMGR_NEED_RECORDS | AMGR_NEED_HISTORY)

#define PROCESSES "/processes"

/** Whoever asks wants to know whether clients may be sent here. */
static int ready_status(const amgr_view_t *view)
{
    const amgr_managed_table_t *managed = view->managed;

    return managed == NULL || managed->count == 0 ||
                   managed->application == AMGR_APPLICATION_RUNNING
               ? HTTP_OK
               : HTTP_SERVICE_UNAVAILABLE;
}

/** Rows of one path stand together: a client chooses among their formats, and
 * gets the first of them unless it says that it likes another one better. */
static const amgr_endpoint_t endpoints[] = {
    {"", HTML, amgr_write_page, NULL, AMGR_NEED_ALL, AMGR_LIVE | AMGR_LONG,
     NULL},
    {"", JSON, amgr_write_status_json, NULL, NEED_STATUS, AMGR_LONG, NULL},
    {"", METRICS, amgr_write_metrics, NULL, AMGR_NEED_LOAD, 0, NULL},
    {"", OPEN_METRICS, amgr_write_openmetrics, NULL, AMGR_NEED_LOAD, 0, NULL},
    {AMGR_ENDPOINT_AUTO, TEXT, amgr_write_auto, NULL,
     AMGR_NEED_LETTERS | AMGR_NEED_LOAD, 0, NULL},
    {"/status.json", JSON, amgr_write_status_json, NULL, NEED_STATUS, AMGR_LONG,
     NULL},
    {"/metrics.txt", TEXT, amgr_write_metrics_txt, NULL, 0, 0, NULL},
    {"/metrics", METRICS, amgr_write_metrics, NULL, AMGR_NEED_LOAD, 0, NULL},
    {"/metrics", OPEN_METRICS, amgr_write_openmetrics, NULL, AMGR_NEED_LOAD, 0,
     NULL},
    {"/discovery.json", JSON, amgr_write_discovery_json, NULL, 0, 0, NULL},
    {PROCESSES, JSON, amgr_write_processes_json, NULL, 0, AMGR_STOPS_ALL, NULL},
    {"/ready", JSON, amgr_write_ready_json, NULL, 0, 0, ready_status},
    {"/assets/page.css", CSS, NULL, amgr_asset_page_css, 0, 0, NULL},
    {"/assets/page.js", JAVASCRIPT, NULL, amgr_asset_page_js, 0, 0, NULL},
};

#define FORMATS_MAX 8 /* of one path */

static int ends_with(const char *text, apr_size_t text_len, const char *end)
{
    apr_size_t end_len = strlen(end);

    return text_len >= end_len &&
           memcmp(text + text_len - end_len, end, end_len) == 0;
}

const char *amgr_endpoints_order_part(const char *path)
{
    apr_size_t prefix_len = strlen(PROCESSES "/");

    return strncmp(path, PROCESSES "/", prefix_len) == 0 ? path + prefix_len
                                                         : NULL;
}

int amgr_endpoints_find_order(const char *path, amgr_endpoint_order_t *out)
{
    static const char *const verbs[] = {"start", "stop", "restart"};
    const char *name = amgr_endpoints_order_part(path);
    const char *slash;
    apr_size_t name_len;
    apr_size_t i;

    if (name == NULL) {
        return 0;
    }
    slash = strchr(name, '/');
    name_len = slash == NULL ? 0 : (apr_size_t)(slash - name);
    if (name_len == 0 || name_len >= sizeof(out->name)) {
        return 0;
    }
    for (i = 0; i < AMGR_COUNT(verbs); i++) {
        if (strcmp(slash + 1, verbs[i]) == 0) {
            memcpy(out->name, name, name_len);
            out->name[name_len] = '\0';
            out->verb = verbs[i];
            return 1;
        }
    }
    return 0;
}

/** The last but two of the slashes in @a uri, where the path of an order would
 * begin; NULL: there are fewer. */
static const char *third_slash(const char *uri)
{
    const char *at = uri + strlen(uri);
    int slashes = 0;

    while (at > uri && slashes < 3) {
        at--;
        slashes += *at == '/';
    }
    return slashes == 3 ? at : NULL;
}

apr_size_t amgr_endpoints_path_len(const char *uri)
{
    apr_size_t uri_len = strlen(uri);
    const char *order = third_slash(uri);
    amgr_endpoint_order_t unused;
    apr_size_t i;

    for (i = 0; i < AMGR_COUNT(endpoints); i++) {
        if (endpoints[i].path[0] != '\0' &&
            ends_with(uri, uri_len, endpoints[i].path)) {
            return strlen(endpoints[i].path);
        }
    }
    if (order != NULL && amgr_endpoints_find_order(order, &unused)) {
        return strlen(order);
    }
    return 0;
}

int amgr_endpoints_is_above(const char *uri)
{
    apr_size_t i;

    for (i = 0; i < AMGR_COUNT(endpoints); i++) {
        const char *path = endpoints[i].path;
        apr_size_t path_len = strlen(path);
        const char *at = path_len == 0 ? NULL : strstr(uri, path);

        for (; at != NULL; at = strstr(at + 1, path)) {
            if (at[path_len] == '/') {
                return 1;
            }
        }
    }
    return 0;
}

const amgr_endpoint_t *amgr_endpoints_find(const char *path, const char *accept,
                                           int *out_varies)
{
    const amgr_endpoint_t *end = endpoints + AMGR_COUNT(endpoints);
    const amgr_endpoint_t *first = endpoints;
    const char *types[FORMATS_MAX];
    int count = 0;

    while (first < end && strcmp(first->path, path) != 0) {
        first++;
    }
    while (count < FORMATS_MAX && first + count < end &&
           strcmp(first[count].path, path) == 0) {
        types[count] = first[count].content_type;
        count++;
    }
    *out_varies = count > 1;
    if (count == 0) {
        return NULL;
    }
    if (count > 1) {
        first += amgr_accept_choose(accept, types, count);
    }
    return first;
}
