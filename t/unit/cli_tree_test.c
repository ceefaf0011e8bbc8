/* SPDX-License-Identifier: Apache-2.0
 *
 * The tree on the fixture of an httpd: kinds with and without its board, and
 * how it looks.
 */
#include "render_check.h"

#include <locale.h>
#include <stdio.h>

#include <apr_general.h>
#include <apr_strings.h>

#include "cli/watch/canvas_print.h"
#include "cli/tree/tree_kind.h"
#include "cli/tree/tree_text.h"

static apr_pool_t *pool;
static amgr_proc_dir_t dir;
static amgr_proc_tree_t *tree;
static amgr_snapshot_t board;
static amgr_process_t processes[3];

static const amgr_proc_node_t *node_of(pid_t pid)
{
    const amgr_proc_node_t *node = amgr_proc_tree_get(tree, pid);

    assert_non_null(node);
    return node;
}

static void know(int index, pid_t pid, int role, const char *group)
{
    amgr_process_t *process = &processes[index];

    memset(process, 0, sizeof(*process));
    process->id = node_of(pid)->id;
    process->role = role;
    process->pss_bytes = AMGR_UNKNOWN;
    process->group = amgr_snapshot_group(
        &board, group,
        role == AMGR_ROLE_WORKER ? AMGR_KIND_NATIVE : AMGR_KIND_FOREIGN, role);
    board.process_count = index + 1;
}

/* What the server's board says of three of its children. */
static int setup(void **state)
{
    (void)state;
    memset(&board, 0, sizeof(board));
    board.processes = processes;
    board.process_max = (int)AMGR_COUNT(processes);
    know(0, 101, AMGR_ROLE_WORKER, "native");
    know(1, 102, AMGR_ROLE_DAEMON, "daemon");
    know(2, 105, AMGR_ROLE_WSGI, "my application");
    processes[0].pss_bytes = 3 * 1024 * 1024;
    return 0;
}

static const char *kind(pid_t pid, const amgr_snapshot_t *snapshot, uid_t uid,
                        uid_t top_uid)
{
    static char buf[AMGR_TREE_KIND_LEN];

    return amgr_tree_kind(tree, node_of(100), node_of(pid), snapshot, uid,
                          top_uid, buf);
}

static void test_kinds_by_the_kernel(void **state)
{
    (void)state;
    assert_string_equal(kind(100, NULL, 0, 0), "parent");
    assert_string_equal(kind(101, NULL, 33, 0), "worker");
    /* Of a server that root started, what stayed root's is no worker. */
    assert_string_equal(kind(101, NULL, 0, 0), "helper");
    assert_string_equal(kind(101, NULL, 1000, 1000), "worker");
    assert_string_equal(kind(103, NULL, 33, 0), "wsgi:example");
    assert_string_equal(kind(105, NULL, 33, 0), "wsgi:other");
    assert_string_equal(kind(106, NULL, 0, 0), "program");
    assert_string_equal(kind(110, NULL, 33, 0), "program");
}

static void test_kinds_by_the_board(void **state)
{
    (void)state;
    assert_string_equal(kind(101, &board, 0, 0), "worker");
    assert_string_equal(kind(102, &board, 33, 0), "daemon");
    assert_string_equal(kind(105, &board, 33, 0), "wsgi:my application");
    processes[2].group = 99;
    assert_string_equal(kind(105, &board, 33, 0), "wsgi");
    processes[2].role = AMGR_ROLE_PROGRAM;
    assert_string_equal(kind(106, &board, 0, 0), "program");
    /* Another process of the same pid: the board is no longer true. */
    processes[0].id.start_ticks++;
    assert_null(amgr_tree_process(&board, node_of(101)));
    assert_string_equal(kind(101, &board, 33, 0), "worker");
    assert_null(amgr_tree_process(NULL, node_of(101)));
}

static void draw(const amgr_snapshot_t *snapshot, int columns, int utf8,
                 text_t *out)
{
    amgr_canvas_t *canvas =
        amgr_canvas_create(columns, AMGR_CANVAS_ENDLESS, utf8, pool);
    amgr_instant_t now = {0, 0, apr_time_from_sec(100000)};
    char buf[512];
    amgr_sink_t sink;

    amgr_sink_init(&sink, buf, sizeof(buf), text_flush, out);
    amgr_tree_draw(tree, amgr_tree_tops(tree, node_of(100), pool), snapshot,
                   &now, canvas);
    amgr_canvas_print(canvas, 0, &sink);
    assert_int_equal(amgr_sink_finish(&sink), APR_SUCCESS);
}

static void test_pictures(void **state)
{
    text_t text = {NULL, 0};

    (void)state;
    draw(&board, 100, 1, &text);
    golden_compare("tree.txt", &text);
    free(text.data);
    memset(&text, 0, sizeof(text));
    draw(NULL, 70, 0, &text);
    golden_compare("tree-narrow.txt", &text);
    free(text.data);
}

/* Of who may hold a lock nothing is read that takes it. */
static void test_stuck_process(void **state)
{
    amgr_proc_node_t *node = &tree->nodes[node_of(103) - tree->nodes];
    char before = node->state;
    text_t text = {NULL, 0};

    (void)state;
    node->state = 'D';
    assert_false(amgr_tree_can_be_asked(node));
    assert_string_equal(kind(103, NULL, 33, 0), "worker");
    draw(NULL, 100, 0, &text);
    assert_non_null(strstr(text.data, "[apache2] (state D)"));
    node->state = before;
    free(text.data);
}

/* Parents are none: they called exec, or lead the session that they made. */
static void test_no_orphans(void **state)
{
    amgr_proc_node_t *node = &tree->nodes[node_of(101) - tree->nodes];
    char buf[AMGR_TREE_KIND_LEN];

    (void)state;
    assert_false(amgr_tree_is_orphan(tree, node_of(100)));
    /* It leads its session, as a parent in the background does. */
    assert_false(amgr_tree_is_orphan(tree, node));
    assert_string_equal(amgr_tree_kind(tree, node, node, NULL, 33, 33, buf),
                        "parent");
    assert_int_equal(amgr_tree_tops(tree, node, pool)->nelts, 1);
}

/* Every width down to one column: nothing but cut. */
static void test_every_width(void **state)
{
    int columns;

    (void)state;
    for (columns = 1; columns < 120; columns++) {
        text_t text = {NULL, 0};
        const char *at;

        draw(&board, columns, 0, &text);
        for (at = text.data; *at != '\0'; at += strcspn(at, "\n") + 1) {
            assert_true(strcspn(at, "\n") <= (size_t)columns);
        }
        free(text.data);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_kinds_by_the_kernel, setup),
        cmocka_unit_test_setup(test_kinds_by_the_board, setup),
        cmocka_unit_test_setup(test_pictures, setup),
        cmocka_unit_test_setup(test_stuck_process, setup),
        cmocka_unit_test_setup(test_no_orphans, setup),
        cmocka_unit_test_setup(test_every_width, setup),
    };
    const char *root = getenv("AMGR_SRCDIR");
    const char *path;
    int failed;

    if (setlocale(LC_CTYPE, "C.UTF-8") == NULL ||
        apr_initialize() != APR_SUCCESS ||
        apr_pool_create(&pool, NULL) != APR_SUCCESS) {
        return 1;
    }
    path = apr_psprintf(pool, "%s/t/unit/fixtures/proc/apache",
                        root == NULL ? "." : root);
    if (amgr_proc_dir_open(&dir, path) != APR_SUCCESS ||
        amgr_proc_tree_read(&dir, &tree, pool) != APR_SUCCESS) {
        return 1;
    }
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    amgr_proc_dir_close(&dir);
    apr_terminate();
    return failed;
}
