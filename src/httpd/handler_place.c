/* SPDX-License-Identifier: Apache-2.0
 *
 * See handler_place.h.
 */
#include "httpd/handler_place.h"

#include <string.h>

#include <http_config.h>

#include "httpd/endpoints.h"

/** Whether @a path is @a base, which has no slash at its end, or below it. */
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
           strcmp(handler, AMGR_HANDLER_NAME) == 0;
}

/** Whether @a section is a <Location> with a plain path that sets the handler
 * for @a r; *out_len is the path's length. */
static int is_place(request_rec *r, const core_dir_config *section,
                    apr_size_t *out_len)
{
    apr_size_t len;

    if (section->d == NULL || section->r != NULL || section->d_is_fnmatch) {
        return 0;
    }
    len = strlen(section->d);
    while (len > 0 && section->d[len - 1] == '/') {
        len--;
    }
    *out_len = len;
    return is_below(r->uri, section->d, len) && amgr_handler_is_set(r, section);
}

void amgr_handler_place_find(request_rec *r, amgr_handler_place_t *out)
{
    const core_server_config *core =
        ap_get_core_module_config(r->server->module_config);
    ap_conf_vector_t **sections = (ap_conf_vector_t **)core->sec_url->elts;
    apr_size_t len;
    int i;

    out->len = 0;
    out->is_known = 0;
    for (i = 0; i < core->sec_url->nelts; i++) {
        if (is_place(r, ap_get_core_module_config(sections[i]), &len)) {
            out->is_known = 1;
            out->len = len > out->len ? len : out->len;
        }
    }
    if (!out->is_known) {
        out->len = strlen(r->uri) - amgr_endpoints_path_len(r->uri);
    }
}
