/* SPDX-License-Identifier: Apache-2.0
 *
 * See endpoints.h.
 */
#include "httpd/endpoints.h"

#include <string.h>

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

/** Rows of one path stand together: a client chooses among their formats, and
 * gets the first of them unless it says that it likes another one better. */
static const amgr_endpoint_t endpoints[] = {
    {"", HTML, amgr_write_page, NULL, AMGR_NEED_ALL, AMGR_LIVE | AMGR_LONG},
    {"", JSON, amgr_write_status_json, NULL, NEED_STATUS, AMGR_LONG},
    {"", METRICS, amgr_write_metrics, NULL, AMGR_NEED_LOAD, 0},
    {"", OPEN_METRICS, amgr_write_openmetrics, NULL, AMGR_NEED_LOAD, 0},
    {AMGR_ENDPOINT_AUTO, TEXT, amgr_write_auto, NULL,
     AMGR_NEED_LETTERS | AMGR_NEED_LOAD, 0},
    {"/status.json", JSON, amgr_write_status_json, NULL, NEED_STATUS,
     AMGR_LONG},
    {"/metrics.txt", TEXT, amgr_write_metrics_txt, NULL, 0, 0},
    {"/metrics", METRICS, amgr_write_metrics, NULL, AMGR_NEED_LOAD, 0},
    {"/metrics", OPEN_METRICS, amgr_write_openmetrics, NULL, AMGR_NEED_LOAD, 0},
    {"/discovery.json", JSON, amgr_write_discovery_json, NULL, 0, 0},
    {"/assets/page.css", CSS, NULL, amgr_asset_page_css, 0, 0},
    {"/assets/page.js", JAVASCRIPT, NULL, amgr_asset_page_js, 0, 0},
};

#define FORMATS_MAX 8 /* of one path */

static int ends_with(const char *text, apr_size_t text_len, const char *end)
{
    apr_size_t end_len = strlen(end);

    return text_len >= end_len &&
           memcmp(text + text_len - end_len, end, end_len) == 0;
}

apr_size_t amgr_endpoints_path_len(const char *uri)
{
    apr_size_t uri_len = strlen(uri);
    apr_size_t i;

    for (i = 0; i < AMGR_COUNT(endpoints); i++) {
        if (endpoints[i].path[0] != '\0' &&
            ends_with(uri, uri_len, endpoints[i].path)) {
            return strlen(endpoints[i].path);
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
