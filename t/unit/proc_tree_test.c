/* SPDX-License-Identifier: Apache-2.0
 *
 * The tree, what is derived of a process, and the processes of an httpd, all
 * on fixture trees; and the tree of the machine while processes come and go.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <apr_general.h>

#include "proc/proc_wsgi.h"
#include "proc/proc_info.h"
#include "proc/proc_tree.h"

#define HTTPD "/usr/sbin/apache2"

/** Storage and an open fixture for one test. */
typedef struct world_t {
    apr_pool_t *pool;
    amgr_proc_dir_t dir;
    amgr_proc_tree_t *tree;
} world_t;

static world_t *open_world(void **state, const char *name)
{
    world_t *world = *state;
    const char *root = getenv("AMGR_SRCDIR");
    char path[4096];

    snprintf(path, sizeof(path), "%s/t/unit/fixtures/proc/%s",
             root == NULL ? "." : root, name);
    amgr_proc_dir_close(&world->dir);
    assert_int_equal(amgr_proc_dir_open(&world->dir, path), APR_SUCCESS);
    assert_int_equal(amgr_proc_tree_read(&world->dir, &world->tree,
                                         world->pool), APR_SUCCESS);
    return world;
}

static int setup(void **state)
{
    world_t *world = calloc(1, sizeof(*world));

    world->dir.fd = -1;
    *state = world;
    return apr_pool_create(&world->pool, NULL) != APR_SUCCESS;
}

static int teardown(void **state)
{
    world_t *world = *state;

    amgr_proc_dir_close(&world->dir);
    apr_pool_destroy(world->pool);
    free(world);
    return 0;
}

/* "101 102 ..." of what is below @a pid. */
static const char *below(const world_t *world, pid_t pid,
                         amgr_proc_scope_e scope)
{
    static char text[256];
    const amgr_proc_node_t *top = amgr_proc_tree_get(world->tree, pid);
    const amgr_proc_node_t *node = NULL;
    apr_size_t len = 0;

    assert_non_null(top);
    text[0] = '\0';
    while ((node = amgr_proc_tree_next(top, scope, node)) != NULL) {
        assert_true(len < sizeof(text) - 20);
        len += (apr_size_t)snprintf(text + len, sizeof(text) - len, "%s%d",
                                    len > 0 ? " " : "", (int)node->id.pid);
    }
    return text;
}

static void test_relations(void **state)
{
    world_t *world = open_world(state, "apache");

    assert_int_equal(world->tree->count, 14);
    assert_int_equal(world->tree->root->id.pid, 1);
    assert_null(amgr_proc_tree_get(world->tree, 3));
    assert_null(amgr_proc_tree_get(world->tree, 2)->parent);
    assert_int_equal(
        amgr_proc_tree_get(world->tree, 112)->parent->id.pid, 110);
    assert_string_equal(below(world, 100, AMGR_PROC_CHILDREN),
                        "101 102 103 104 105 106 107");
    assert_string_equal(below(world, 100, AMGR_PROC_GRANDCHILDREN),
                        "110 111");
    assert_string_equal(below(world, 100, AMGR_PROC_DESCENDANTS),
                        "101 110 112 102 111 103 104 105 106 107");
    assert_string_equal(below(world, 1, AMGR_PROC_CHILDREN), "100");
    assert_string_equal(below(world, 1, AMGR_PROC_GRANDCHILDREN),
                        "101 102 103 104 105 106 107");
    assert_string_equal(below(world, 2, AMGR_PROC_DESCENDANTS), "20");
    assert_string_equal(below(world, 112, AMGR_PROC_CHILDREN), "");
    assert_string_equal(below(world, 112, AMGR_PROC_GRANDCHILDREN), "");
    assert_string_equal(below(world, 112, AMGR_PROC_DESCENDANTS), "");
    assert_string_equal(below(world, 110, AMGR_PROC_GRANDCHILDREN), "");
}

static void test_orphans(void **state)
{
    world_t *world = open_world(state, "orphans");
    const amgr_proc_node_t *node;
    int i;

    assert_string_equal(below(world, 50, AMGR_PROC_CHILDREN), "51");
    /* 61 is too young to be the parent of 60; one link of a ring is cut. */
    assert_string_equal(below(world, 60, AMGR_PROC_CHILDREN), "61");
    assert_string_equal(below(world, 1, AMGR_PROC_DESCENDANTS),
                        "50 51 60 61 71 70 72");
    for (i = 0; i < world->tree->count; i++) {
        node = &world->tree->nodes[i];
        assert_true(node->parent != NULL || node == world->tree->root);
    }
}

static void test_hostile(void **state)
{
    world_t *world = open_world(state, "hostile");

    /* No init there, and no node of a file that could not be parsed. */
    assert_null(world->tree->root);
    assert_int_equal(world->tree->count, 8);
    assert_null(amgr_proc_tree_get(world->tree, 25));
    assert_null(amgr_proc_tree_get(world->tree, 10)->parent);
}

static pid_t pid_of(const amgr_proc_node_t *node)
{
    return node == NULL ? 0 : node->id.pid;
}

static void test_find(void **state)
{
    world_t *world = open_world(state, "apache");
    const amgr_proc_tree_t *tree = world->tree;
    const amgr_proc_node_t *top = amgr_proc_tree_get(tree, 100);
    const amgr_proc_match_t perl = { 0, "perl", NULL };
    const amgr_proc_match_t httpd = { 0, NULL, HTTPD };
    const amgr_proc_match_t both = { 111, "perl", "/usr/bin/perl" };
    const amgr_proc_match_t none = { 111, "ruby", NULL };
    const amgr_proc_node_t *node;
    apr_array_header_t *found;

    assert_non_null(top);
    node = amgr_proc_tree_find(tree, top, AMGR_PROC_DESCENDANTS, &perl, NULL);
    assert_int_equal(pid_of(node), 110);
    node = amgr_proc_tree_find(tree, top, AMGR_PROC_DESCENDANTS, &perl, node);
    assert_int_equal(pid_of(node), 111);
    assert_null(amgr_proc_tree_find(tree, top, AMGR_PROC_DESCENDANTS, &perl,
                                    node));
    assert_null(amgr_proc_tree_find(tree, top, AMGR_PROC_CHILDREN, &perl,
                                    NULL));
    assert_non_null(amgr_proc_tree_find(tree, top, AMGR_PROC_GRANDCHILDREN,
                                        &both, NULL));
    assert_null(amgr_proc_tree_find(tree, tree->root, AMGR_PROC_DESCENDANTS,
                                    &none, NULL));
    found = amgr_proc_tree_find_all(tree, tree->root, AMGR_PROC_DESCENDANTS,
                                    &httpd, world->pool);
    assert_int_equal(found->nelts, 5); /* 100 101 102 103 105 */
    node = APR_ARRAY_IDX(found, 4, const amgr_proc_node_t *);
    assert_int_equal(node->id.pid, 105);
}

static void test_exe(void **state)
{
    world_t *world = open_world(state, "apache");
    char text[AMGR_PROC_TEXT_LEN];

    assert_int_equal(amgr_proc_read_exe_path(&world->dir, 101, text,
                                             sizeof(text)), APR_SUCCESS);
    assert_string_equal(text, HTTPD); /* without " (deleted)" */
    assert_int_equal(amgr_proc_read_exe_path(&world->dir, 104, text,
                                             sizeof(text)), APR_NOTFOUND);
    assert_string_equal(text, "");
    assert_int_equal(amgr_proc_read_exe_path(&world->dir, 999, text,
                                             sizeof(text)), APR_NOTFOUND);
    assert_int_equal(amgr_proc_read_exe_name(&world->dir, 106, NULL, text,
                                             sizeof(text)), APR_SUCCESS);
    assert_string_equal(text, "rotatelogs");
    /* sh by PATH, or by comm when it is not there */
    assert_int_equal(amgr_proc_read_exe_name(&world->dir, 112, "x::/bin:/",
                                             text, sizeof(text)),
                     APR_SUCCESS);
    assert_string_equal(text, "sh");
    assert_int_equal(amgr_proc_read_exe_name(&world->dir, 104, "/bin", text,
                                             sizeof(text)), APR_SUCCESS);
    assert_string_equal(text, "apache2");
    assert_int_equal(amgr_proc_read_exe_name(&world->dir, 20, "", text,
                                             sizeof(text)), APR_SUCCESS);
    assert_string_equal(text, "kworker/0:1");
    assert_int_equal(amgr_proc_read_exe_name(&world->dir, 20, "", text, 5),
                     APR_ENOSPC);
    assert_int_equal(amgr_proc_read_exe_name(&world->dir, 999, "/bin", text,
                                             sizeof(text)), APR_NOTFOUND);
    assert_string_equal(text, "");
    assert_int_equal(amgr_proc_read_cwd(&world->dir, 100, text, sizeof(text)),
                     APR_SUCCESS);
    assert_string_equal(text, "/srv/application");
    assert_int_equal(amgr_proc_read_cwd(&world->dir, 101, text, sizeof(text)),
                     APR_NOTFOUND);
    assert_string_equal(text, "");
}

static void test_strings(void **state)
{
    world_t *world = open_world(state, "apache");
    apr_array_header_t *strings = NULL;

    assert_int_equal(amgr_proc_read_strings(&world->dir, 100, "cmdline",
                                            &strings, world->pool),
                     APR_SUCCESS);
    assert_int_equal(strings->nelts, 3);
    assert_string_equal(APR_ARRAY_IDX(strings, 1, const char *), "-k");
    assert_int_equal(amgr_proc_read_strings(&world->dir, 100, "environ",
                                            &strings, world->pool),
                     APR_SUCCESS);
    assert_string_equal(amgr_proc_environ_get(strings, "PATH"), "/usr/bin");
    assert_string_equal(amgr_proc_environ_get(strings, "EMPTY"), "");
    assert_string_equal(amgr_proc_environ_get(strings, "PATHS"), "x");
    assert_null(amgr_proc_environ_get(strings, "PAT"));
    assert_null(amgr_proc_environ_get(strings, "APACHE=1"));
    strings = NULL;
    assert_int_equal(amgr_proc_read_strings(&world->dir, 2, "cmdline",
                                            &strings, world->pool),
                     APR_NOTFOUND);
    assert_null(strings);
}

/* Longer than the first buffer: our own environment, seen through /proc. */
static void test_long_environ(void **state)
{
    world_t *world = *state;
    apr_array_header_t *strings = NULL;
    char *value = malloc(100001);
    char *argv[] = { (char *)(apr_uintptr_t)"sleep",
                     (char *)(apr_uintptr_t)"1000", NULL };
    char *envp[2] = { NULL, NULL };
    apr_status_t rv = APR_NOTFOUND;
    pid_t child;
    int i;

    memset(value, 'v', 100000);
    memcpy(value, "LONG=", 5);
    value[100000] = '\0';
    envp[0] = value;
    amgr_proc_dir_close(&world->dir);
    assert_int_equal(amgr_proc_dir_open(&world->dir, "/proc"), APR_SUCCESS);
    child = fork();
    if (child == 0) {
        execve("/bin/sleep", argv, envp);
        _exit(9);
    }
    for (i = 0; i < 10000; i++) { /* until it has called exec */
        rv = amgr_proc_read_strings(&world->dir, child, "environ", &strings,
                                    world->pool);
        if (rv == APR_SUCCESS && strings->nelts == 1 &&
            amgr_proc_environ_get(strings, "LONG") != NULL) {
            break;
        }
        usleep(1000);
    }
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    assert_int_equal(rv, APR_SUCCESS);
    assert_int_equal(strlen(amgr_proc_environ_get(strings, "LONG")), 99995);
    free(value);
}

static void test_users(void **state)
{
    world_t *world = open_world(state, "apache");
    char name[64] = "x";

    assert_int_equal(amgr_user_name(0, name, sizeof(name)), APR_SUCCESS);
    assert_string_equal(name, "root");
    assert_int_equal(amgr_group_name(0, name, sizeof(name)), APR_SUCCESS);
    assert_string_equal(name, "root");
    assert_int_equal(amgr_user_name(4123456, name, sizeof(name)),
                     APR_NOTFOUND);
    assert_string_equal(name, "");
    assert_int_equal(amgr_proc_read_user(&world->dir, 100, name,
                                         sizeof(name)), APR_SUCCESS);
    assert_string_equal(name, "root");
    assert_int_equal(amgr_proc_read_group(&world->dir, 100, name,
                                          sizeof(name)), APR_SUCCESS);
    assert_int_equal(amgr_proc_read_user(&world->dir, 999, name,
                                         sizeof(name)), APR_NOTFOUND);
    assert_string_equal(name, "");
    assert_true(amgr_user_name(0, name, 3) != APR_SUCCESS);
}

static void test_times(void **state)
{
    world_t *world = open_world(state, "apache");
    amgr_instant_t now = { 0, APR_INT64_C(1700000000000000), 60000000 };
    amgr_proc_id_t id = { 100, 5000 };
    apr_interval_time_t span = 4711;

    /* 5000 ticks of 10 ms after boot, which was 60 s ago */
    assert_int_equal(amgr_proc_ticks_us(5000), 50000000);
    assert_int_equal(amgr_proc_started_us(5000, &now),
                     APR_INT64_C(1699999990000000));
    assert_int_equal(amgr_proc_started_us(0, &now), AMGR_NO_TIME);
    assert_int_equal(amgr_proc_started_us(APR_UINT64_MAX, &now),
                     AMGR_NO_TIME);
    assert_int_equal(amgr_proc_read_runtime(&world->dir, &id, &now, &span),
                     APR_SUCCESS);
    assert_int_equal(span, 10000000);
    now.boot_us = 1;
    assert_int_equal(amgr_proc_read_runtime(&world->dir, &id, &now, &span),
                     APR_SUCCESS);
    assert_int_equal(span, 0);
    id.start_ticks = 4999;
    assert_int_equal(amgr_proc_read_runtime(&world->dir, &id, &now, &span),
                     APR_NOTFOUND);
    id.pid = 107; /* a zombie */
    id.start_ticks = 5007;
    assert_int_equal(amgr_proc_read_runtime(&world->dir, &id, &now, &span),
                     APR_NOTFOUND);
    assert_int_equal(span, 0);
}

static void test_find_exe(void **state)
{
    world_t *world = open_world(state, "apache");
    apr_array_header_t *found;

    assert_int_equal(amgr_proc_find_exe(&world->dir, HTTPD, &found,
                                        world->pool), APR_SUCCESS);
    assert_int_equal(found->nelts, 5);
    assert_int_equal(APR_ARRAY_IDX(found, 0, amgr_proc_id_t).pid, 100);
    assert_int_equal(APR_ARRAY_IDX(found, 4, amgr_proc_id_t).pid, 105);
    assert_int_equal(APR_ARRAY_IDX(found, 4, amgr_proc_id_t).start_ticks,
                     5005);
    assert_int_equal(amgr_proc_find_exe(&world->dir, "/usr/sbin/apache",
                                        &found, world->pool), APR_SUCCESS);
    assert_int_equal(found->nelts, 0);
}

typedef struct wsgi_case_t {
    const char *title;
    const char *name; /**< NULL: none */
} wsgi_case_t;

static void test_wsgi_title(void **state)
{
    static const wsgi_case_t cases[] = {
        { "", NULL },
        { "(wsgi", NULL },
        { "(wsgi:", NULL },
        { "(wsgi:)", NULL },
        { "(wsgi:   ", NULL },
        { "(wsgi:   )", "   " },
        { " (wsgi:a)", NULL },
        { "(WSGI:a)", NULL },
        { "/usr/sbin/apache2", NULL },
        { "(wsgi:a)", "a" },
        { "(wsgi:example", "example" },
        { "(wsgi:example)    ", "example" },
        { "(wsgi:a b", "a b" },
        { "(wsgi:a))", "a)" },
        { "(wsgi:a-very-long-name)", "a-very-lon" }
    };
    char name[11];
    apr_size_t i;

    (void)state; /* cmocka's signature */
    for (i = 0; i < AMGR_COUNT(cases); i++) {
        apr_status_t rv;

        memset(name, '#', sizeof(name));
        rv = amgr_proc_wsgi_parse(cases[i].title, strlen(cases[i].title),
                                  name, sizeof(name));
        if (cases[i].name == NULL) {
            assert_int_equal(rv, APR_NOTFOUND);
            assert_int_equal(name[0], '#');
        }
        else {
            assert_int_equal(rv, APR_SUCCESS);
            assert_string_equal(name, cases[i].name);
        }
    }
}

static void test_wsgi_read(void **state)
{
    world_t *world = open_world(state, "apache");
    char name[16] = "untouched";

    assert_int_equal(
        amgr_proc_wsgi_read(&world->dir, 101, name, sizeof(name)),
        APR_NOTFOUND);
    assert_string_equal(name, "untouched");
    assert_int_equal(
        amgr_proc_wsgi_read(&world->dir, 103, name, sizeof(name)),
        APR_SUCCESS);
    assert_string_equal(name, "example");
}

/* The machine's own tree, many times, while a child forks as fast as it can. */
static void test_churn(void **state)
{
    world_t *world = *state;
    const amgr_proc_node_t *self;
    pid_t storm;
    pid_t child;
    int i;

    storm = fork();
    if (storm == 0) {
        for (;;) {
            child = fork();
            if (child == 0) {
                if (fork() == 0) {
                    _exit(0);
                }
                _exit(0);
            }
            waitpid(child, NULL, 0);
        }
    }
    amgr_proc_dir_close(&world->dir);
    assert_int_equal(amgr_proc_dir_open(&world->dir, "/proc"), APR_SUCCESS);
    for (i = 0; i < 100; i++) {
        assert_int_equal(amgr_proc_tree_read(&world->dir, &world->tree,
                                             world->pool), APR_SUCCESS);
        self = amgr_proc_tree_get(world->tree, getpid());
        assert_non_null(self);
        assert_non_null(amgr_proc_tree_get(world->tree, storm));
        assert_ptr_equal(
            amgr_proc_tree_get(world->tree, storm)->parent, self);
        apr_pool_clear(world->pool);
    }
    kill(storm, SIGKILL);
    waitpid(storm, NULL, 0);
    assert_int_equal(world->dir.errors.malformed, 0);
    assert_int_equal(world->dir.errors.other, 0);
}

#define IN_WORLD(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_WORLD(test_relations), IN_WORLD(test_orphans),
        IN_WORLD(test_hostile),   IN_WORLD(test_find),
        IN_WORLD(test_exe),       IN_WORLD(test_strings),
        IN_WORLD(test_long_environ), IN_WORLD(test_users),
        IN_WORLD(test_times),     IN_WORLD(test_find_exe),
        cmocka_unit_test(test_wsgi_title), IN_WORLD(test_wsgi_read),
        IN_WORLD(test_churn)
    };
    int failed;

    apr_initialize();
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    apr_terminate();
    return failed;
}
