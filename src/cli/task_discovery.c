/* SPDX-License-Identifier: Apache-2.0
 *
 * Zabbix's discovery of groups.  It must not fail because the server is busy
 * or down, and Zabbix waits for three seconds: /proc knows the groups too, by
 * the titles of their processes.
 */
#include "cli/tasks.h"

#include "cli/local/local_address.h"
#include "cli/local/local_server.h"
#include "cli/message.h"
#include "cli/output.h"
#include "cli/source/source_url.h"
#include "proc/proc_apache.h"

#define HTTP_TIMEOUT_US apr_time_from_sec(1)

/** A view of groups alone. */
typedef struct groups_t {
    amgr_view_t view;
    amgr_snapshot_t snapshot;
    amgr_board_config_t config;
    amgr_counters_t counters;
} groups_t;

static void add_group(amgr_snapshot_t *snapshot, const char *name,
                      const apr_array_header_t *rss_bytes)
{
    int index =
        amgr_snapshot_group(snapshot, name, AMGR_KIND_FOREIGN, AMGR_ROLE_WSGI);

    /* That there are some is all that the writer asks for. */
    snapshot->groups[index].rss.count += (apr_uint64_t)rss_bytes->nelts;
    snapshot->groups[index].rss.known += (apr_uint64_t)rss_bytes->nelts;
}

/* What the processes below the httpd parent @a pid say, or of the first one
 * (0); returns 0 without any. */
static int read_proc(amgr_snapshot_t *snapshot, pid_t pid, apr_pool_t *pool)
{
    const amgr_proc_node_t *master;
    const apr_array_header_t *groups;
    amgr_proc_tree_t *tree;
    amgr_proc_dir_t dir;
    int found = 0;
    int i;

    if (amgr_proc_dir_open(&dir, "/proc") != APR_SUCCESS) {
        return 0;
    }
    if (amgr_proc_tree_read(&dir, &tree, pool) == APR_SUCCESS &&
        amgr_proc_apache_find(tree, NULL, pid, &master) == APR_SUCCESS) {
        found = 1;
        groups = amgr_proc_apache_memory(tree, master, pool);
        for (i = 0; i < groups->nelts; i++) {
            const amgr_proc_apache_group_t *group =
                &APR_ARRAY_IDX(groups, i, amgr_proc_apache_group_t);

            if (group->name != NULL) {
                add_group(snapshot, group->name, group->rss_bytes);
            }
        }
    }
    amgr_proc_dir_close(&dir);
    return found;
}

/* The httpd parent that is meant, 0 for any; APR_NOTFOUND when it is none of
 * this machine. */
static apr_status_t find_parent(const char *url, pid_t *out_pid,
                                apr_pool_t *pool)
{
    const amgr_local_server_t *only;
    amgr_local_server_t server;
    amgr_source_url_t parts;
    apr_status_t status;

    *out_pid = 0;
    if (url == NULL) {
        return APR_SUCCESS;
    }
    if (amgr_source_url_parse(url, &parts, pool) != NULL ||
        !amgr_local_server_is_here(parts.host, pool)) {
        return APR_NOTFOUND;
    }
    status = amgr_local_server_at(NULL, parts.port, &server, pool);
    if (APR_STATUS_IS_EACCES(status)) {
        /* Somebody listens there: who, when there is but one? */
        only = amgr_local_only_server(pool);
        if (only != NULL) {
            server = *only;
            status = APR_SUCCESS;
        }
    }
    if (status == APR_SUCCESS) {
        *out_pid = server.parent.pid;
    }
    return status;
}

static const amgr_fault_t *ask_proc(const amgr_options_t *options,
                                    const amgr_fault_t *why, apr_pool_t *pool)
{
    groups_t *groups = apr_pcalloc(pool, sizeof(*groups));
    pid_t pid;

    if (find_parent(options->url, &pid, pool) != APR_SUCCESS) {
        return why;
    }
    amgr_message(AMGR_LEVEL_VERBOSE, "%s; /proc is asked", why->text);
    groups->view.snapshot = &groups->snapshot;
    groups->view.config = &groups->config;
    groups->view.counters = &groups->counters;
    if (!read_proc(&groups->snapshot, pid, pool)) {
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
