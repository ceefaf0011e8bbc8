/* SPDX-License-Identifier: Apache-2.0
 *
 * What is left of sessions: ended when they are those of a table, and nobody
 * else's.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <apr_general.h>

#include "supervise/tree.h"

static amgr_proc_dir_t dir;
static apr_pool_t *pool;
static amgr_managed_table_t table;
static pid_t leader;
static amgr_proc_id_t id;

/* A session of two; its leader goes with the test, and so does the other. */
static int begin(void **state)
{
    int ready[2];
    char c;

    (void)state; /* cmocka's signature */
    apr_pool_create(&pool, NULL);
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    if (amgr_proc_dir_open(&dir, "/proc") != APR_SUCCESS || pipe(ready) != 0) {
        return 1;
    }
    leader = fork();
    if (leader == 0) {
        setsid();
        if (fork() >= 0 && write(ready[1], "", 1) == 1) {
            alarm(60);
            pause();
        }
        _exit(0);
    }
    if (read(ready[0], &c, 1) != 1 || read(ready[0], &c, 1) != 1 ||
        amgr_proc_read_id(&dir, leader, &id) != APR_SUCCESS) {
        return 1;
    }
    close(ready[0]);
    close(ready[1]);
    memset(&table, 0, sizeof(table));
    table.count = 2;
    table.processes[1].pid = leader;
    table.processes[1].start_ticks = id.start_ticks;
    return 0;
}

static int end(void **state)
{
    (void)state; /* cmocka's signature */
    if (leader != 0) {
        kill(-leader, SIGKILL); /* not reaped */
    }
    while (wait(NULL) > 0) {
        /* the next one */
    }
    amgr_proc_dir_close(&dir);
    apr_pool_destroy(pool);
    return 0;
}

static void test_ends_both(void **state)
{
    int status = 0;

    (void)state; /* cmocka's signature */
    assert_int_equal(amgr_tree_end_sessions(&dir, &table, pool), 2);
    assert_int_equal(waitpid(leader, &status, 0), leader);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    leader = 0;
    assert_true(wait(&status) > 0); /* the other one, which we have adopted */
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    assert_int_equal(amgr_tree_end_sessions(&dir, &table, pool), 0);
}

/* The number is another's by now. */
static void test_leaves_others_alone(void **state)
{
    int status;

    (void)state; /* cmocka's signature */
    table.processes[1].start_ticks = id.start_ticks - 1;
    assert_int_equal(amgr_tree_end_sessions(&dir, &table, pool), 0);
    table.processes[1].start_ticks = id.start_ticks + 1;
    assert_int_equal(amgr_tree_end_sessions(&dir, &table, pool), 0);
    table.processes[1].start_ticks = 0; /* not known */
    assert_int_equal(amgr_tree_end_sessions(&dir, &table, pool), 0);
    table.processes[1].start_ticks = id.start_ticks;
    table.count = 1;
    assert_int_equal(amgr_tree_end_sessions(&dir, &table, pool), 0);
    assert_int_equal(waitpid(leader, &status, WNOHANG), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_ends_both, begin, end),
        cmocka_unit_test_setup_teardown(test_leaves_others_alone, begin, end),
    };

    apr_initialize();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
