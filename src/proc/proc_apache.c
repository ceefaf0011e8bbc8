/* SPDX-License-Identifier: Apache-2.0
 *
 * The processes of an httpd, seen from outside.  A worker is recognised by its
 * executable, not by its title, which any process may write; the title only
 * sorts workers into groups.
 */
#include "proc/proc_apache.h"

#include <string.h>

#include <apr_strings.h>

#include "proc/proc_info.h"

/** Enough for a title; a longer first argument is none. */
#define TITLE_LEN 1024

static int is_apache(const amgr_proc_tree_t *tree,
                     const amgr_proc_node_t *node, const char *exe_path)
{
    char text[AMGR_PROC_TEXT_LEN];
    pid_t pid = node->id.pid;

    if (exe_path != NULL) {
        return amgr_proc_read_exe_path(tree->dir, pid, text, sizeof(text)) ==
                   APR_SUCCESS &&
               strcmp(text, exe_path) == 0;
    }
    return amgr_proc_read_exe_name(tree->dir, pid, NULL, text,
                                   sizeof(text)) == APR_SUCCESS &&
           (strcmp(text, "apache2") == 0 || strcmp(text, "httpd") == 0);
}

static int is_master(const amgr_proc_tree_t *tree,
                     const amgr_proc_node_t *node, const char *exe_path)
{
    return node->state != 'Z' && is_apache(tree, node, exe_path) &&
           (node->parent == NULL || !is_apache(tree, node->parent, exe_path));
}

apr_status_t amgr_proc_apache_find(const amgr_proc_tree_t *tree,
                                   const char *exe_path, pid_t pid,
                                   const amgr_proc_node_t **out_master)
{
    const amgr_proc_node_t *node;
    int i;

    for (i = 0; i < tree->count; i++) {
        node = &tree->nodes[i];
        if ((pid == 0 || pid == node->id.pid) &&
            is_master(tree, node, exe_path)) {
            *out_master = node;
            return APR_SUCCESS;
        }
    }
    return APR_NOTFOUND;
}

static int is_worker(const amgr_proc_tree_t *tree,
                     const amgr_proc_node_t *node, const char *master_exe)
{
    char exe[AMGR_PROC_TEXT_LEN];

    if (node->state == 'Z') {
        return 0;
    }
    if (master_exe[0] != '\0' &&
        amgr_proc_read_exe_path(tree->dir, node->id.pid, exe, sizeof(exe)) ==
            APR_SUCCESS) {
        return strcmp(exe, master_exe) == 0;
    }
    return (node->flags & AMGR_PROC_FORKED_NO_EXEC) != 0;
}

apr_array_header_t *amgr_proc_apache_workers(const amgr_proc_tree_t *tree,
                                             const amgr_proc_node_t *master,
                                             apr_pool_t *pool)
{
    apr_array_header_t *workers = apr_array_make(pool, 16, sizeof(void *));
    char exe[AMGR_PROC_TEXT_LEN];
    const amgr_proc_node_t *node;

    /* Failing leaves an empty text, which is handled like any unreadable. */
    (void)amgr_proc_read_exe_path(tree->dir, master->id.pid, exe, sizeof(exe));
    for (node = master->first_child; node != NULL; node = node->next_sibling) {
        if (is_worker(tree, node, exe)) {
            APR_ARRAY_PUSH(workers, const amgr_proc_node_t *) = node;
        }
    }
    return workers;
}

apr_status_t amgr_proc_wsgi_parse(const char *argument, apr_size_t len,
                                  char *buf, apr_size_t size)
{
    static const char mark[] = "(wsgi:";

    if (len < sizeof(mark) - 1 ||
        memcmp(argument, mark, sizeof(mark) - 1) != 0) {
        return APR_NOTFOUND;
    }
    argument += sizeof(mark) - 1;
    len -= sizeof(mark) - 1;
    while (len > 0 && argument[len - 1] == ' ') {
        len--;
    }
    if (len > 0 && argument[len - 1] == ')') {
        len--;
    }
    if (len == 0 || size == 0) {
        return APR_NOTFOUND;
    }
    if (len >= size) {
        len = size - 1;
    }
    memcpy(buf, argument, len);
    buf[len] = '\0';
    return APR_SUCCESS;
}

/* The group of this name (NULL: of none), added when it is new. */
static amgr_proc_apache_group_t *get_group(apr_array_header_t *groups,
                                           const char *name, apr_pool_t *pool)
{
    amgr_proc_apache_group_t *group;
    int i;

    for (i = 0; i < groups->nelts; i++) {
        group = &APR_ARRAY_IDX(groups, i, amgr_proc_apache_group_t);
        if (name == NULL ? group->name == NULL
                         : group->name != NULL &&
                               strcmp(group->name, name) == 0) {
            return group;
        }
    }
    group = apr_array_push(groups);
    group->name = name == NULL ? NULL : apr_pstrdup(pool, name);
    group->rss_bytes = apr_array_make(pool, 16, sizeof(apr_uint64_t));
    return group;
}

/* The WSGI group of a worker in @a buf, or NULL. */
static const char *read_group(amgr_proc_dir_t *dir, pid_t pid, char *buf,
                              apr_size_t size)
{
    char cmdline[TITLE_LEN];
    const char *title;
    apr_size_t cursor = 0;
    apr_size_t len;

    if (amgr_proc_read_raw(dir, pid, "cmdline", cmdline, sizeof(cmdline),
                           &len) != APR_SUCCESS ||
        amgr_proc_next_string(cmdline, len, &cursor, &title, &len) !=
            APR_SUCCESS ||
        amgr_proc_wsgi_parse(title, len, buf, size) != APR_SUCCESS) {
        return NULL;
    }
    return buf;
}

apr_array_header_t *amgr_proc_apache_memory(const amgr_proc_tree_t *tree,
                                            const amgr_proc_node_t *master,
                                            apr_pool_t *pool)
{
    apr_array_header_t *groups =
        apr_array_make(pool, 4, sizeof(amgr_proc_apache_group_t));
    apr_array_header_t *workers =
        amgr_proc_apache_workers(tree, master, pool);
    const amgr_proc_node_t *node;
    amgr_proc_apache_group_t *group;
    amgr_proc_statm_t statm;
    char name[TITLE_LEN];
    amgr_proc_id_t now;
    const char *wsgi;
    int i;

    get_group(groups, NULL, pool);
    for (i = 0; i < workers->nelts; i++) {
        node = APR_ARRAY_IDX(workers, i, const amgr_proc_node_t *);
        wsgi = read_group(tree->dir, node->id.pid, name, sizeof(name));
        if (amgr_proc_read_statm(tree->dir, node->id.pid, &statm) !=
                APR_SUCCESS ||
            amgr_proc_read_id(tree->dir, node->id.pid, &now) != APR_SUCCESS ||
            now.start_ticks != node->id.start_ticks) {
            continue;
        }
        group = get_group(groups, wsgi, pool);
        APR_ARRAY_PUSH(group->rss_bytes, apr_uint64_t) = statm.rss_bytes;
    }
    return groups;
}
