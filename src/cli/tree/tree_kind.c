/* SPDX-License-Identifier: Apache-2.0
 *
 * See tree_kind.h.  Everything that is read here another process may have
 * made up, and is for show only.
 */
#include "cli/tree/tree_kind.h"

#include <string.h>

#include <apr_strings.h>

#include "proc/proc_wsgi.h"
#include "proc/proc_info.h"

#define LINK_LEN 64

/** An environment is looked through up to here. */
#define ENVIRON_LEN 16384

int amgr_tree_is_orphan(const amgr_proc_tree_t *tree,
                        const amgr_proc_node_t *top)
{
    amgr_proc_stat_t stat;

    return (top->flags & AMGR_PROC_FORKED_NO_EXEC) &&
           amgr_proc_read_stat(tree->dir, top->id.pid, &stat) == APR_SUCCESS &&
           stat.start_ticks == top->id.start_ticks &&
           stat.session != top->id.pid;
}

int amgr_tree_can_be_asked(const amgr_proc_node_t *node)
{
    return node->state != 'D';
}

const amgr_process_t *amgr_tree_process(const amgr_snapshot_t *snapshot,
                                        const amgr_proc_node_t *node)
{
    const amgr_process_t *process;

    if (snapshot == NULL) {
        return NULL;
    }
    process = amgr_snapshot_find(snapshot, node->id.pid);
    return process != NULL && amgr_proc_id_equal(&process->id, &node->id)
               ? process
               : NULL;
}

/* By what the server knows of its children; NULL when it does not say. */
static const char *kind_by_role(const amgr_snapshot_t *snapshot,
                                const amgr_process_t *process, char *buf)
{
    switch (process->role) {
    case AMGR_ROLE_WORKER:
        return "worker";
    case AMGR_ROLE_DAEMON:
        return "daemon";
    case AMGR_ROLE_HELPER:
        return "helper";
    case AMGR_ROLE_WSGI:
        if (process->group < 0 || process->group >= snapshot->group_count) {
            return "wsgi";
        }
        apr_snprintf(buf, AMGR_TREE_KIND_LEN, "wsgi:%s",
                     snapshot->groups[process->group].name);
        return buf;
    default:
        return NULL;
    }
}

static const char *read_fd(amgr_proc_dir_t *dir, pid_t pid, const char *name,
                           char *buf)
{
    if (amgr_proc_read_link(dir, pid, name, buf, LINK_LEN) != APR_SUCCESS) {
        buf[0] = '\0';
    }
    return buf;
}

static int is_pipe(const char *target)
{
    return strncmp(target, "pipe:", strlen("pipe:")) == 0;
}

/* Reads what httpd writes and answers nothing: the map of a RewriteMap has
 * pipes for both. */
static int is_piped_log(const amgr_proc_tree_t *tree,
                        const amgr_proc_node_t *top,
                        const amgr_proc_node_t *node)
{
    char in[LINK_LEN];
    char out[LINK_LEN];
    char own[LINK_LEN];

    if (!is_pipe(read_fd(tree->dir, node->id.pid, "fd/0", in))) {
        return 0;
    }
    return !is_pipe(read_fd(tree->dir, node->id.pid, "fd/1", out)) ||
           strcmp(out, read_fd(tree->dir, top->id.pid, "fd/1", own)) == 0;
}

/* Whether it was started with the environment of RFC 3875. */
static int is_cgi(amgr_proc_dir_t *dir, const amgr_proc_node_t *node)
{
    static const char mark[] = "GATEWAY_INTERFACE=";
    char text[ENVIRON_LEN];
    const char *entry;
    apr_size_t cursor = 0;
    apr_size_t entry_len;
    apr_size_t len;

    if (!amgr_tree_can_be_asked(node) ||
        amgr_proc_read_raw(dir, node->id.pid, "environ", text, sizeof(text),
                           &len) != APR_SUCCESS) {
        return 0;
    }
    while (amgr_proc_next_string(text, len, &cursor, &entry, &entry_len) ==
           APR_SUCCESS) {
        if (entry_len >= sizeof(mark) - 1 &&
            memcmp(entry, mark, sizeof(mark) - 1) == 0) {
            return 1;
        }
    }
    return 0;
}

/* "wsgi:NAME" by the title that mod_wsgi gives its daemons; NULL without. */
static const char *kind_by_title(amgr_proc_dir_t *dir,
                                 const amgr_proc_node_t *node, char *buf)
{
    char name[AMGR_GROUP_NAME_LEN];

    if (!amgr_tree_can_be_asked(node) ||
        amgr_proc_wsgi_read(dir, node->id.pid, name, sizeof(name)) !=
            APR_SUCCESS) {
        return NULL;
    }
    apr_snprintf(buf, AMGR_TREE_KIND_LEN, "wsgi:%s", name);
    return buf;
}

static const char *kind_of_top(const amgr_proc_tree_t *tree,
                               const amgr_proc_node_t *top, uid_t uid,
                               char *buf)
{
    char title[AMGR_TREE_KIND_LEN];
    const char *was;

    if (!amgr_tree_is_orphan(tree, top)) {
        return "parent";
    }
    was = kind_by_title(tree->dir, top, title);
    if (was == NULL) {
        was = uid == 0 ? "process" : "worker";
    }
    apr_snprintf(buf, AMGR_TREE_KIND_LEN, "orphaned %s", was);
    return buf;
}

const char *amgr_tree_kind(const amgr_proc_tree_t *tree,
                           const amgr_proc_node_t *top,
                           const amgr_proc_node_t *node,
                           const amgr_snapshot_t *snapshot, uid_t uid,
                           uid_t top_uid, char *buf)
{
    const amgr_process_t *process = amgr_tree_process(snapshot, node);
    int is_fork = (node->flags & AMGR_PROC_FORKED_NO_EXEC) != 0;
    const char *kind = NULL;

    if (node == top) {
        return kind_of_top(tree, top, uid, buf);
    }
    if (process != NULL) {
        kind = kind_by_role(snapshot, process, buf);
    }
    else if (node->parent == top && is_fork) {
        kind = kind_by_title(tree->dir, node, buf);
        if (kind == NULL) {
            /* Workers of a server that root started are somebody else's. */
            kind = top_uid == 0 && uid == 0 ? "helper" : "worker";
        }
    }
    if (kind != NULL) {
        return kind;
    }
    if (is_fork) {
        return "process";
    }
    if (node->parent == top) {
        return is_piped_log(tree, top, node) ? "piped log" : "program";
    }
    return is_cgi(tree->dir, node) ? "CGI" : "program";
}
