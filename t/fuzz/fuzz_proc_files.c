/* SPDX-License-Identifier: Apache-2.0
 *
 * A /proc that answers with any bytes, in any pieces, or not at all, and
 * another time otherwise: directories of processes and threads, files, links.
 * Checked besides memory: lists are in order and fit, a tree is one whatever
 * was read of it, texts end, what is found is what was looked for, and no
 * descriptor is kept.
 */
#include "proc_world.h"

#include "proc/proc_cgroup.h"
#include "proc/proc_info.h"
#include "proc/proc_listen.h"
#include "proc/proc_maps.h"
#include "proc/proc_task.h"
#include "proc/proc_tree.h"
#include "proc/proc_wsgi.h"

/* ---- what is made of it ------------------------------------------------- */

static void check_list(const pid_t *pids, int count, int max)
{
    int i;

    check(count >= 0 && count <= max);
    for (i = 0; i < count; i++) {
        check(pids[i] > (i > 0 ? pids[i - 1] : 0));
    }
}

static void check_lists(amgr_proc_dir_t *dir)
{
    pid_t pids[5];
    int count = -1;

    if (amgr_proc_list(dir, pids, 5, &count) == APR_SUCCESS) {
        check_list(pids, count, 5);
    }
    if (amgr_proc_read_children(dir, 3, pids, 5, &count) == APR_SUCCESS) {
        check_list(pids, count, 5);
    }
}

/* Each node is below one other or none, once, and nobody below himself. */
static void check_tree(amgr_proc_dir_t *dir, apr_pool_t *pool)
{
    const amgr_proc_match_t match = {0, "name", NULL};
    const amgr_proc_node_t *node;
    amgr_proc_tree_t *tree = NULL;
    int below = 0;
    int tops = 0;
    int i;

    if (amgr_proc_tree_read(dir, &tree, pool) != APR_SUCCESS) {
        return;
    }
    for (i = 0; i < tree->count; i++) {
        const amgr_proc_node_t *top = &tree->nodes[i];
        int steps = 0;

        check(i == 0 || tree->nodes[i - 1].id.pid < top->id.pid);
        check(amgr_proc_tree_get(tree, top->id.pid) == top);
        for (node = top; node->parent != NULL; node = node->parent) {
            check(++steps < tree->count);
        }
        for (node = amgr_proc_tree_next(top, AMGR_PROC_GRANDCHILDREN, NULL);
             node != NULL;
             node = amgr_proc_tree_next(top, AMGR_PROC_GRANDCHILDREN, node)) {
            check(node->parent->parent == top);
        }
        if (top->parent == NULL) {
            tops++;
            for (node = amgr_proc_tree_next(top, AMGR_PROC_DESCENDANTS, NULL);
                 node != NULL;
                 node = amgr_proc_tree_next(top, AMGR_PROC_DESCENDANTS, node)) {
                check(++below <= tree->count);
            }
        }
    }
    check(tops + below == tree->count);
    if (tree->count > 0) {
        (void)amgr_proc_tree_find_all(tree, &tree->nodes[0],
                                      AMGR_PROC_DESCENDANTS, &match, pool);
    }
}

static int count_socket(void *baton, const amgr_proc_socket_t *found)
{
    check(found->listening && found->local[0] != '\0');
    ++*(int *)baton;
    return fuzz_below(&input, 8) == 7;
}

static int take_inode(void *baton, apr_uint64_t inode)
{
    *(apr_uint64_t *)baton += inode;
    return 0;
}

static void check_sockets(amgr_proc_dir_t *dir, const amgr_proc_budget_t *all)
{
    amgr_proc_socket_t sockets[2];
    apr_uint64_t inodes = 0;
    int count = 0;
    int i;

    memset(sockets, 0, sizeof(sockets));
    sockets[0].inode = 41;
    sockets[1].inode = 42;
    if (amgr_proc_find_sockets(dir, 3, all, sockets, 2) == APR_SUCCESS) {
        check(sockets[0].kind != AMGR_SOCKET_UNKNOWN &&
              sockets[1].kind != AMGR_SOCKET_UNKNOWN);
    }
    for (i = 0; i < 2; i++) {
        check(sockets[i].inode == 41 + (apr_uint64_t)i);
        check(memchr(sockets[i].local, '\0', sizeof(sockets[i].local)));
    }
    (void)amgr_proc_each_listener(dir, 3, all, count_socket, &count);
    (void)amgr_proc_each_socket(dir, 3, all, take_inode, &inodes);
}

static void check_texts(amgr_proc_dir_t *dir, apr_pool_t *pool)
{
    apr_array_header_t *strings = NULL;
    char buf[48];

    memset(buf, 'x', sizeof(buf));
    (void)amgr_proc_read_exe_path(dir, 3, buf, sizeof(buf));
    check(memchr(buf, '\0', sizeof(buf)) != NULL);
    memset(buf, 'x', sizeof(buf));
    (void)amgr_proc_read_exe_name(dir, 3, "/bin::x:/usr/bin", buf, sizeof(buf));
    check(memchr(buf, '\0', sizeof(buf)) != NULL);
    memset(buf, 'x', sizeof(buf));
    (void)amgr_proc_read_cwd(dir, 3, buf, sizeof(buf));
    check(memchr(buf, '\0', sizeof(buf)) != NULL);
    if (amgr_proc_wsgi_read(dir, 3, buf, sizeof(buf)) == APR_SUCCESS) {
        check(buf[0] != '\0' && memchr(buf, '\0', sizeof(buf)) != NULL);
    }
    if (amgr_proc_read_strings(dir, 3, "environ", &strings, pool) ==
        APR_SUCCESS) {
        (void)amgr_proc_environ_get(strings, "A"); /* memory alone */
    }
    strings = NULL;
    if (amgr_proc_find_exe(dir, "/bin/x", &strings, pool) == APR_SUCCESS) {
        check(strings->nelts <= PIDS + 256);
    }
}

static void check_numbers(amgr_proc_dir_t *dir, const amgr_proc_budget_t *all)
{
    const amgr_instant_t now = {.boot_us = APR_USEC_PER_SEC};
    amgr_proc_id_t id = {3, 2};
    amgr_proc_mount_t mount = {0, "", ""};
    amgr_proc_capacity_t capacity;
    amgr_proc_mapping_t mapping;
    amgr_proc_status_t status;
    amgr_proc_statm_t statm;
    amgr_proc_smaps_t smaps;
    apr_interval_time_t span_us = 0;

    (void)amgr_proc_read_statm(dir, 3, &statm); /* memory alone, and the next */
    (void)amgr_proc_read_status(dir, 3, &status);
    (void)amgr_proc_read_smaps(dir, 3, &smaps);
    if (amgr_proc_read_uptime(dir, &span_us) == APR_SUCCESS) {
        check(span_us >= 0);
    }
    if (amgr_proc_read_runtime(dir, &id, &now, &span_us) == APR_SUCCESS) {
        check(span_us >= 0 && span_us <= now.boot_us);
    }
    if (amgr_proc_find_mapping(dir, 3, 0x1000, all, &mapping) == APR_SUCCESS) {
        check(mapping.start <= 0x1000 && mapping.end > 0x1000);
    }
    if (amgr_proc_read_capacity(dir, 3, "", &mount, &capacity) == APR_SUCCESS) {
        check(capacity.bytes <= capacity.machine_bytes &&
              capacity.bytes <= capacity.cgroup_limit_bytes);
    }
}

static void check_tasks(amgr_proc_dir_t *dir)
{
    const amgr_proc_id_t id = {3, 2};
    char wchan[AMGR_PROC_WCHAN_LEN];
    amgr_proc_dir_t tasks;
    amgr_proc_syscall_t call;

    if (amgr_proc_tasks_open(dir, &id, &tasks) != APR_SUCCESS) {
        return;
    }
    if (amgr_proc_read_syscall(&tasks, 4, &call) == APR_SUCCESS) {
        check(call.state >= 0 && call.state < AMGR_TASK_STATE_COUNT);
    }
    if (amgr_proc_read_wchan(&tasks, 4, wchan, sizeof(wchan)) == APR_SUCCESS) {
        check(memchr(wchan, '\0', sizeof(wchan)) != NULL);
    }
    amgr_proc_dir_close(&tasks);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const amgr_proc_budget_t all = {1 << 20, APR_INT64_MAX};
    apr_pool_t *pool = fuzz_pool();
    amgr_proc_dir_t dir;
    int which;
    int i;

    input.at = data;
    input.end = data + size;
    memset(files, 0, sizeof(files));
    memset(&dir, 0, sizeof(dir));
    dir.fd = FIRST_FD;
    which = fuzz_below(&input, 8);
    is_inside = 1;
    switch (which) {
    case 0:
        check_lists(&dir);
        break;
    case 1:
        check_sockets(&dir, &all);
        break;
    case 2:
        check_texts(&dir, pool);
        break;
    case 3:
        check_numbers(&dir, &all);
        break;
    case 4:
        check_tasks(&dir);
        break;
    default:
        check_tree(&dir, pool);
        break;
    }
    is_inside = 0;
    for (i = 0; i < FDS; i++) {
        check(!files[i].is_open);
    }
    apr_pool_destroy(pool);
    return 0;
}
