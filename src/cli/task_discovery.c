/* SPDX-License-Identifier: Apache-2.0
 *
 * Zabbix's discovery of groups.  It must not fail because the server is busy
 * or down, and Zabbix waits for three seconds: /proc knows the groups too, by
 * the titles of their processes.
 */
#include "cli/tasks.h"

#include <string.h>

#include "cli/local/local_children.h"
#include "cli/message.h"
#include "cli/output.h"
#include "cli/source/source.h"
#include "cli/tree/tree_server.h"

#define HTTP_TIMEOUT_US apr_time_from_sec(1)

/** A view of groups alone. */
typedef struct groups_t {
    amgr_view_t view;
    amgr_snapshot_t snapshot;
    amgr_board_config_t config;
    amgr_counters_t counters;
} groups_t;

static void add_group(amgr_snapshot_t *snapshot, const char *name)
{
    int index =
        amgr_snapshot_group(snapshot, name, AMGR_KIND_FOREIGN, AMGR_ROLE_WSGI);

    /* That there are some is all that the writer asks for. */
    snapshot->groups[index].rss.count++;
    snapshot->groups[index].rss.known++;
}

/* What the children of this httpd say; returns 0 without it. */
static int read_proc(amgr_snapshot_t *snapshot,
                     const amgr_local_server_t *server, apr_pool_t *pool)
{
    apr_array_header_t *children;
    amgr_proc_dir_t dir;
    apr_status_t rv;
    int i;

    rv = amgr_proc_dir_open(&dir, "/proc");
    if (rv != APR_SUCCESS) {
        return 0;
    }
    rv = amgr_local_children_read(&dir, server, &children,
                                  &snapshot->incomplete, pool);
    amgr_proc_dir_close(&dir);
    if (rv != APR_SUCCESS) {
        return 0;
    }
    for (i = 0; i < children->nelts; i++) {
        const amgr_local_child_t *child =
            &APR_ARRAY_IDX(children, i, amgr_local_child_t);

        if (child->role == AMGR_ROLE_WSGI) {
            add_group(snapshot, child->group);
        }
    }
    return 1;
}

/* The server that is meant; pid 0 when it does not run.  APR_NOTFOUND
 * when that is not known: it is elsewhere, or there are several. */
static apr_status_t find_server(const char *url, amgr_local_server_t *out,
                                apr_pool_t *pool)
{
    const amgr_local_server_t *only;
    const amgr_fault_t *fault;
    apr_array_header_t *servers;

    memset(out, 0, sizeof(*out));
    fault = amgr_tree_servers(url, &servers, NULL, pool);
    if (fault == NULL && servers->nelts == 1) {
        *out = APR_ARRAY_IDX(servers, 0, amgr_local_server_t);
        return APR_SUCCESS;
    }
    if (fault != NULL && fault->exit_code != AMGR_EXIT_PERMISSION) {
        return url == NULL ? APR_SUCCESS : APR_NOTFOUND;
    }
    if (fault == NULL && servers->nelts == 0) {
        return APR_SUCCESS;
    }
    /* Which of them, when there is but one? */
    only = amgr_local_only_server(pool);
    if (only == NULL) {
        return APR_NOTFOUND;
    }
    *out = *only;
    return APR_SUCCESS;
}

static const amgr_fault_t *ask_proc(const amgr_options_t *options,
                                    const amgr_fault_t *why, apr_pool_t *pool)
{
    groups_t *groups = apr_pcalloc(pool, sizeof(*groups));
    amgr_local_server_t server;

    if (find_server(options->url, &server, pool) != APR_SUCCESS) {
        return why;
    }
    amgr_message(AMGR_LEVEL_VERBOSE, "%s; /proc is asked", why->text);
    groups->view.snapshot = &groups->snapshot;
    groups->view.config = &groups->config;
    groups->view.counters = &groups->counters;
    if (server.parent.pid == 0 ||
        !read_proc(&groups->snapshot, &server, pool)) {
        amgr_message(AMGR_LEVEL_WARNING, "no httpd runs here: %s", why->text);
    }
    amgr_write_discovery_json(&groups->view, amgr_output());
    return amgr_output_flush(pool);
}

const amgr_fault_t *amgr_task_discovery(const amgr_options_t *options,
                                        apr_pool_t *pool)
{
    amgr_target_t target;
    amgr_source_t source;
    const amgr_fault_t *fault;

    target.url = options->url;
    target.timeout_us = HTTP_TIMEOUT_US;
    fault = amgr_source_read(&target, 0, &source, pool);
    if (fault != NULL) {
        /* A wrong address stays one. */
        return fault->exit_code == AMGR_EXIT_USAGE
                   ? fault
                   : ask_proc(options, fault, pool);
    }
    /* mod_status knows no groups: the processes it counts do. */
    if (source.kind == AMGR_SOURCE_MOD_STATUS && source.parent.pid == 0) {
        fault = amgr_fault_make(pool, AMGR_EXIT_FAILED,
                                "%s does not tell of groups, and its server "
                                "is not known to be one of this machine",
                                amgr_fault_quote(pool, source.name));
        return ask_proc(options, fault, pool);
    }
    amgr_write_discovery_json(&source.view, amgr_output());
    return amgr_output_flush(pool);
}
