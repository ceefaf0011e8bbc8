/* SPDX-License-Identifier: Apache-2.0
 *
 * The table of children: who stays in it, told of their ends or not.
 */
#include "httpd/children.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define MAX 4

static amgr_proc_dir_t proc;
static void *memory;
static amgr_children_t *table;

static int set_up(void **state)
{
    (void)state; /* cmocka's signature */
    memory = calloc(1, amgr_children_size(MAX));
    table = amgr_children_init(memory, MAX);
    return amgr_proc_dir_open(&proc, "/proc") != APR_SUCCESS;
}

static int tear_down(void **state)
{
    (void)state; /* cmocka's signature */
    amgr_proc_dir_close(&proc);
    free(memory);
    return 0;
}

/* A child that waits to be killed. */
static pid_t start(void)
{
    pid_t pid = fork();

    if (pid == 0) {
        alarm(60);
        for (;;) {
            pause();
        }
    }
    assert_true(pid > 0);
    return pid;
}

static void end(pid_t pid)
{
    siginfo_t info;

    assert_int_equal(kill(pid, SIGKILL), 0);
    assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
}

static void reap(pid_t pid)
{
    assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void add(pid_t pid, int slot)
{
    amgr_child_t child = {{pid, 0}, slot, 7, 5, 0};

    assert_int_equal(amgr_children_add(table, &proc, &child), APR_SUCCESS);
}

static int has(pid_t pid)
{
    amgr_child_t children[MAX];
    int count = amgr_children_copy(table, children, MAX);
    int i;

    for (i = 0; i < count; i++) {
        if (children[i].id.pid == pid) {
            return 1;
        }
    }
    return 0;
}

static void test_noted(void **state)
{
    amgr_child_t child;
    pid_t pid = start();

    (void)state; /* cmocka's signature */
    add(pid, 3);
    assert_int_equal(amgr_children_copy(table, &child, 1), 1);
    assert_int_equal(child.id.pid, pid);
    assert_true(child.id.start_ticks != 0);
    assert_int_equal(child.slot, 3);
    assert_int_equal(child.generation, 7);
    assert_int_equal(child.columns, 5);
    end(pid);
    reap(pid);
}

static void test_reaped(void **state)
{
    pid_t lives = start();
    pid_t ended = start();
    pid_t gone = start();

    (void)state; /* cmocka's signature */
    add(lives, 0);
    add(ended, 1);
    add(gone, 2);
    add(getpid(), 3); /* as under -X */
    end(ended);
    end(gone);
    reap(gone);
    amgr_children_drop_reaped(table);
    amgr_children_drop_replaced(table, &proc);
    assert_true(has(lives));
    assert_true(has(ended)); /* its end will be told */
    assert_false(has(gone));
    assert_true(has(getpid()));
    end(lives);
    reap(lives);
    reap(ended);
    amgr_children_drop_reaped(table);
    assert_false(has(lives));
    assert_false(has(ended));
    assert_true(has(getpid()));
}

/* The pid of one that was reaped is another child's. */
static void test_replaced(void **state)
{
    amgr_proc_dir_t nowhere = {.fd = -1};
    pid_t lives = start();
    pid_t later = start();
    amgr_child_t child = {{later, 0}, 1, 7, 5, 0};
    amgr_child_t *found;
    int i;

    (void)state; /* cmocka's signature */
    add(lives, 0);
    assert_int_not_equal(amgr_children_add(table, &nowhere, &child),
                         APR_SUCCESS);
    amgr_children_drop_replaced(table, &proc);
    assert_true(has(lives));
    assert_true(has(later)); /* its start is not known */
    /* The table's own entry of the first is made that of another. */
    for (i = 0; (char *)memory + (size_t)i + sizeof(*found) <=
                (char *)memory + amgr_children_size(MAX);
         i += (int)_Alignof(amgr_child_t)) {
        found = (amgr_child_t *)(void *)((char *)memory + i);
        if (found->id.pid == lives && found->id.start_ticks != 0) {
            found->id.start_ticks++;
            break;
        }
    }
    amgr_children_drop_reaped(table);
    assert_true(has(lives));
    amgr_children_drop_replaced(table, &proc);
    assert_false(has(lives));
    assert_true(has(later));
    end(lives);
    reap(lives);
    end(later);
    reap(later);
}

/* Said to be workers by others; what is known stays. */
static void test_heard(void **state)
{
    amgr_child_t children[MAX];
    pid_t known = start();
    pid_t heard = start();
    pid_t gone = start();

    (void)state; /* cmocka's signature */
    end(gone);
    reap(gone);
    add(known, 3);
    amgr_children_hear(table, &proc, known);
    amgr_children_hear(table, &proc, heard);
    amgr_children_hear(table, &proc, heard);
    amgr_children_hear(table, &proc, gone);
    amgr_children_hear(table, &proc, getpid());
    amgr_children_hear(table, &proc, getppid());
    amgr_children_hear(table, &proc, 0);
    amgr_children_hear(table, &proc, -1);
    assert_int_equal(amgr_children_copy(table, children, MAX), 2);
    assert_true(has(known) && has(heard));
    assert_int_equal(children[children[0].id.pid != known].unheard, 0);
    assert_int_equal(children[children[0].id.pid != heard].unheard, 1);
    assert_int_equal(children[children[0].id.pid != heard].slot, -1);
    /* The MPM's own word is another matter. */
    add(heard, 1);
    assert_int_equal(amgr_children_copy(table, children, MAX), 2);
    assert_int_equal(children[children[0].id.pid != heard].unheard, 0);
    end(known);
    end(heard);
    reap(known);
    reap(heard);
}

/* Tables of builds whose entries have less at their end, and more. */
typedef struct older_t {
    amgr_proc_id_t id;
    apr_int32_t slot;
    apr_int32_t generation;
} older_t;

typedef struct newer_t {
    amgr_child_t child;
    apr_uint64_t next[3];
} newer_t;

typedef struct head_t {
    apr_uint32_t sequence;
    apr_int32_t max;
    apr_int32_t count;
    apr_uint32_t child_size;
} head_t;

typedef struct older_table_t {
    head_t head;
    older_t child[2];
} older_table_t;

typedef struct newer_table_t {
    head_t head;
    newer_t child[MAX + 1];
} newer_table_t;

static void test_carried(void **state)
{
    older_table_t older = {{3, 2, 2, sizeof(older_t)},
                           {{{11, 5}, 3, 7}, {{12, 6}, -1, 8}}};
    newer_table_t newer = {.head = {0, MAX + 1, MAX, sizeof(newer_t)}};
    amgr_children_t *old = (void *)&older;
    amgr_child_t children[MAX];
    int i;

    (void)state; /* cmocka's signature */
    assert_true(amgr_children_fits(table, MAX));
    assert_false(amgr_children_fits(table, MAX + 1));
    assert_false(amgr_children_fits(old, 2));
    memset(table, 0xff, amgr_children_size(MAX));
    table = amgr_children_init(memset(memory, 0, sizeof(head_t)), MAX);
    assert_int_equal(amgr_children_carry(table, old), APR_SUCCESS);
    assert_int_equal(amgr_children_copy(table, children, MAX), 2);
    assert_int_equal(children[0].id.pid, 11);
    assert_int_equal(children[0].id.start_ticks, 5);
    assert_int_equal(children[0].slot, 3);
    assert_int_equal(children[0].generation, 7);
    assert_int_equal(children[0].columns, 0);
    assert_int_equal(children[0].unheard, 0);
    assert_int_equal(children[1].id.pid, 12);
    assert_int_equal(children[1].slot, -1);

    for (i = 0; i <= MAX; i++) {
        amgr_child_t child = {{21 + i, 9}, i, 2, 4, 1};

        newer.child[i].child = child;
        memset(newer.child[i].next, 0xff, sizeof(newer.child[i].next));
    }
    old = (void *)&newer;
    assert_false(amgr_children_fits(old, MAX + 1));
    table = amgr_children_init(memory, MAX);
    assert_int_equal(amgr_children_carry(table, old), APR_SUCCESS);
    assert_int_equal(amgr_children_copy(table, children, MAX), MAX);
    assert_memory_equal(&children[MAX - 1], &newer.child[MAX - 1].child,
                        sizeof(amgr_child_t));
    newer.head.count++;
    table = amgr_children_init(memory, MAX);
    assert_int_equal(amgr_children_carry(table, old), APR_ENOSPC);
    assert_int_equal(amgr_children_copy(table, children, MAX), MAX);
    assert_memory_equal(&children[0], &newer.child[0].child,
                        sizeof(amgr_child_t));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_noted, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_reaped, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_replaced, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_heard, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_carried, set_up, tear_down)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
