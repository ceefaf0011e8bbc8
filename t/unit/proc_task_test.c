/* SPDX-License-Identifier: Apache-2.0
 *
 * What a thread is blocked in: the parsers, hostile bytes first, each case also
 * cut at every length; and a real process that waits in calls of known
 * arguments, until it is gone.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <linux/futex.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "proc/proc_task.h"

#define WAIT_US apr_time_from_sec(10)

typedef struct line_case_t {
    const char *text;
    int state; /**< -1: an error */
    int number;
    apr_uint64_t first;
    apr_uint64_t last;
} line_case_t;

static const line_case_t lines[] = {
    { "", -1, 0, 0, 0 },
    { "\n", -1, 0, 0, 0 },
    { "running", -1, 0, 0, 0 },
    { "running\n", AMGR_TASK_RUNNING, -1, 0, 0 },
    { "running \n", -1, 0, 0, 0 },
    { "runninG\n", -1, 0, 0, 0 },
    { "-1 0x7f 0x0\n", AMGR_TASK_OUTSIDE, -1, 0, 0 },
    { "-1 0x7f\n", -1, 0, 0, 0 },
    { "-1 0x7f 0x0 0x0\n", -1, 0, 0, 0 },
    { "-2 0x7f 0x0\n", -1, 0, 0, 0 },
    { "-1\n", -1, 0, 0, 0 },
    { "45 0x4 0x0 0x1 0x0 0x0 0x9 0x7f 0x8\n", AMGR_TASK_SYSCALL, 45, 4, 9 },
    { "45 0x4 0 1 0 0 0xF 7f 8\n", AMGR_TASK_SYSCALL, 45, 4, 15 },
    { "0 0xffffffffffffffff 0x0 0x1 0x0 0x0 0x9 0x7f 0x8\n", AMGR_TASK_SYSCALL,
      0, APR_UINT64_MAX, 9 },
    { "0 0x10000000000000000 0x0 0x1 0x0 0x0 0x9 0x7f 0x8\n", -1, 0, 0, 0 },
    { "2147483648 0x1 0x0 0x1 0x0 0x0 0x9 0x7f 0x8\n", -1, 0, 0, 0 },
    { "45 0x4 0x0 0x1 0x0 0x0 0x9 0x7f\n", -1, 0, 0, 0 },
    { "45 0x4 0x0 0x1 0x0 0x0 0x9 0x7f 0x8 0x1\n", -1, 0, 0, 0 },
    { "45 0x4  0x0 0x1 0x0 0x0 0x9 0x7f 0x8\n", -1, 0, 0, 0 },
    { "45 0x4 0xg 0x1 0x0 0x0 0x9 0x7f 0x8\n", -1, 0, 0, 0 },
    { "45 0x4 0x 0x1 0x0 0x0 0x9 0x7f 0x8\n", -1, 0, 0, 0 },
    { "+5 0x4 0x0 0x1 0x0 0x0 0x9 0x7f 0x8\n", -1, 0, 0, 0 },
    { "45 0x4 0x0 0x1 0x0 0x0 0x9 0x7f 0x8\nx\n", -1, 0, 0, 0 },
};

/* In a buffer of exactly this size, for the address sanitizer. */
static apr_status_t parse(const char *text, size_t len,
                          amgr_proc_syscall_t *out)
{
    char *copy = malloc(len > 0 ? len : 1);
    apr_status_t rv;

    assert_non_null(copy);
    memcpy(copy, text, len);
    rv = amgr_proc_parse_syscall(copy, len, out);
    free(copy);
    return rv;
}

static void test_parse(void **state)
{
    amgr_proc_syscall_t call;
    amgr_proc_syscall_t untouched;
    size_t i;
    size_t cut;

    (void)state; /* cmocka's signature */
    memset(&untouched, 0x5a, sizeof(untouched));
    for (i = 0; i < AMGR_COUNT(lines); i++) {
        size_t len = strlen(lines[i].text);
        int good = lines[i].state >= 0;

        call = untouched;
        assert_int_equal(parse(lines[i].text, len, &call),
                         good ? APR_SUCCESS : APR_EGENERAL);
        if (!good) {
            assert_memory_equal(&call, &untouched, sizeof(call));
            continue;
        }
        assert_int_equal(call.state, lines[i].state);
        assert_int_equal(call.number, lines[i].number);
        assert_true(call.args[0] == lines[i].first);
        assert_true(call.args[5] == lines[i].last);
        /* No beginning of a line is a line. */
        for (cut = 0; cut < len; cut++) {
            assert_int_equal(parse(lines[i].text, cut, &call), APR_EGENERAL);
        }
    }
}

static void test_wchan(void **state)
{
    static const struct {
        const char *text;
        const char *wchan; /* NULL: an error */
    } cases[] = {
        { "", NULL },      { "\n", NULL },
        { "0", "" },       { "0\n", "" },
        { "wait_woken", "wait_woken" },
        { "do_poll.constprop.0", "do_poll.co" },
        { "a b", NULL },   { "a<b", NULL },
        { "a\nb", NULL },  { "\xff", NULL },
        { "00", "00" },
    };
    char out[11];
    size_t i;

    (void)state; /* cmocka's signature */
    for (i = 0; i < AMGR_COUNT(cases); i++) {
        memcpy(out, "before", 7);
        assert_int_equal(amgr_proc_parse_wchan(cases[i].text,
                                               strlen(cases[i].text), out,
                                               sizeof(out)),
                         cases[i].wchan == NULL ? APR_EGENERAL : APR_SUCCESS);
        assert_string_equal(out, cases[i].wchan == NULL ? "before"
                                                        : cases[i].wchan);
    }
}

static amgr_proc_syscall_t call_of(int number, apr_uint64_t first,
                                   apr_uint64_t second)
{
    amgr_proc_syscall_t call = { AMGR_TASK_SYSCALL, number,
                                 { first, second, 0, 0, 0, 0 } };

    return call;
}

static void test_meaning(void **state)
{
    static const struct {
        int number;
        const char *name;
        apr_uint64_t first;
        int fd;
    } cases[] = {
        { SYS_read, "read", 5, 5 },
        { SYS_recvfrom, "recvfrom", 0, 0 },
        { SYS_connect, "connect", 0x7fffffff, 0x7fffffff },
        { SYS_flock, "flock", APR_UINT64_C(0xdead00000009), 9 },
        { SYS_write, "write", APR_UINT64_MAX, -1 },
        { SYS_futex, "futex", 5, -1 },
        { SYS_ppoll, "ppoll", 5, -1 },
        { SYS_openat, "openat", 5, -1 },
        { 99999, "syscall 99999", 5, -1 },
        { APR_INT32_MAX, "syscall 2147483647", 5, -1 },
    };
    amgr_proc_syscall_t call;
    char name[AMGR_SYSCALL_NAME_LEN];
    char small[4];
    size_t i;

    (void)state; /* cmocka's signature */
    for (i = 0; i < AMGR_COUNT(cases); i++) {
        call = call_of(cases[i].number, cases[i].first, 0);
        assert_string_equal(amgr_proc_syscall_name(&call, name, sizeof(name)),
                            cases[i].name);
        assert_int_equal(amgr_proc_syscall_fd(&call), cases[i].fd);
    }
    call.state = AMGR_TASK_RUNNING;
    assert_string_equal(amgr_proc_syscall_name(&call, name, sizeof(name)),
                        "running");
    assert_string_equal(amgr_proc_syscall_name(&call, small, sizeof(small)),
                        "run");
    call = call_of(SYS_read, 5, 0);
    call.state = AMGR_TASK_OUTSIDE;
    assert_string_equal(amgr_proc_syscall_name(&call, name, sizeof(name)),
                        "page fault");
    assert_int_equal(amgr_proc_syscall_fd(&call), -1);
}

static void test_futex(void **state)
{
    static const struct {
        int number;
        apr_uint64_t op;
        int is_wait;
        int is_private;
    } cases[] = {
        { SYS_futex, FUTEX_WAIT, 1, 0 },
        { SYS_futex, FUTEX_WAIT | FUTEX_PRIVATE_FLAG, 1, 1 },
        { SYS_futex, FUTEX_WAIT_BITSET | FUTEX_CLOCK_REALTIME, 1, 0 },
        { SYS_futex, FUTEX_WAIT_BITSET | FUTEX_PRIVATE_FLAG, 1, 1 },
        { SYS_futex, FUTEX_LOCK_PI, 1, 0 },
        { SYS_futex, APR_UINT64_C(0xdead00000000) | FUTEX_WAIT, 1, 0 },
        { SYS_futex, FUTEX_WAKE, 0, 0 },
        { SYS_futex, 0x7f, 0, 0 },
        { SYS_read, FUTEX_WAIT, 0, 0 },
    };
    amgr_proc_syscall_t call;
    amgr_proc_futex_t futex;
    size_t i;

    (void)state; /* cmocka's signature */
    for (i = 0; i < AMGR_COUNT(cases); i++) {
        call = call_of(cases[i].number, 0x1234, cases[i].op);
        memset(&futex, 0, sizeof(futex));
        assert_int_equal(amgr_proc_syscall_futex(&call, &futex),
                         cases[i].is_wait);
        assert_int_equal(futex.is_private, cases[i].is_private);
        assert_true(futex.address == (cases[i].is_wait ? 0x1234u : 0u));
    }
    call = call_of(SYS_futex, 0x1234, FUTEX_WAIT);
    call.state = AMGR_TASK_RUNNING;
    assert_false(amgr_proc_syscall_futex(&call, &futex));
}

static void *wait_forever(void *word)
{
    while (syscall(SYS_futex, word, FUTEX_WAIT, 0, NULL, NULL, 0) <= 0) {
        continue; /* woken by a signal */
    }
    return NULL;
}

/* A child that waits for its end of the pair in its first thread, and for a
 * shared futex in another; it ends with this process. */
static pid_t fork_waiter(const int *pair)
{
    static int word;
    pid_t pid = fork();
    pthread_t thread;
    char byte;

    if (pid == 0) {
        close(pair[1]);
        if (pthread_create(&thread, NULL, wait_forever, &word) != 0) {
            _exit(1);
        }
        for (;;) {
            if (recv(pair[0], &byte, 1, 0) == 0) {
                _exit(0);
            }
        }
    }
    return pid;
}

/* Until the thread is in that call. */
static void wait_for_call(amgr_proc_dir_t *tasks, pid_t tid, int number,
                          amgr_proc_syscall_t *out)
{
    apr_time_t end_us = amgr_clock_monotonic_us() + WAIT_US;

    do {
        assert_true(amgr_clock_monotonic_us() < end_us);
        assert_int_equal(amgr_proc_read_syscall(tasks, tid, out), APR_SUCCESS);
    } while (out->number != number);
}

/* Until it has both its threads. */
static void wait_for_threads(amgr_proc_dir_t *tasks, pid_t *tids)
{
    apr_time_t end_us = amgr_clock_monotonic_us() + WAIT_US;
    int count;

    do {
        assert_true(amgr_clock_monotonic_us() < end_us);
        assert_int_equal(amgr_proc_list(tasks, tids, 2, &count), APR_SUCCESS);
    } while (count < 2);
}

static void test_real(void **state)
{
    amgr_proc_dir_t dir;
    amgr_proc_dir_t tasks;
    amgr_proc_id_t id;
    amgr_proc_syscall_t call;
    amgr_proc_futex_t futex;
    char wchan[AMGR_PROC_WCHAN_LEN];
    pid_t tids[2];
    pid_t pid;
    int count;
    int pair[2];

    (void)state; /* cmocka's signature */
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    pid = fork_waiter(pair);
    assert_true(pid > 0);
    assert_int_equal(amgr_proc_dir_open(&dir, "/proc"), APR_SUCCESS);
    assert_int_equal(amgr_proc_read_id(&dir, pid, &id), APR_SUCCESS);
    assert_int_equal(amgr_proc_tasks_open(&dir, &id, &tasks), APR_SUCCESS);
    wait_for_threads(&tasks, tids);
    assert_int_equal(amgr_proc_list(&tasks, tids, 1, &count), APR_ENOSPC);
    wait_for_call(&tasks, tids[0], SYS_recvfrom, &call);
    assert_int_equal(tids[0], pid);
    assert_int_equal(call.state, AMGR_TASK_SYSCALL);
    assert_int_equal(amgr_proc_syscall_fd(&call), pair[0]);
    assert_int_equal(amgr_proc_read_wchan(&tasks, pid, wchan, sizeof(wchan)),
                     APR_SUCCESS);
    wait_for_call(&tasks, tids[1], SYS_futex, &call);
    assert_true(amgr_proc_syscall_futex(&call, &futex));
    assert_false(futex.is_private);
    /* Gone: the directory never becomes another's. */
    assert_int_equal(kill(pid, SIGKILL), 0);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    assert_int_equal(amgr_proc_read_syscall(&tasks, pid, &call), APR_NOTFOUND);
    assert_int_equal(amgr_proc_read_wchan(&tasks, pid, wchan, sizeof(wchan)),
                     APR_NOTFOUND);
    assert_int_equal(amgr_proc_tasks_open(&dir, &id, &tasks), APR_NOTFOUND);
    amgr_proc_dir_close(&tasks);
    amgr_proc_dir_close(&dir);
    close(pair[0]);
    close(pair[1]);
}

static void *wait_for_end(void *baton)
{
    const int *pair = baton;
    char byte;

    for (;;) {
        if (recv(pair[0], &byte, 1, 0) == 0) {
            _exit(0);
        }
    }
    return NULL;
}

/* Until its first thread has ended, or all have. */
static void wait_for_zombie(amgr_proc_dir_t *dir, pid_t pid, int ended,
                            amgr_proc_stat_t *out)
{
    apr_time_t end_us = amgr_clock_monotonic_us() + WAIT_US;

    do {
        assert_true(amgr_clock_monotonic_us() < end_us);
        assert_int_equal(amgr_proc_read_stat(dir, pid, out), APR_SUCCESS);
    } while (out->state != 'Z' || (ended && out->threads > 1));
}

/* The kernel tells the memory of the first thread, which has none any more:
 * the others have it still. */
static void test_memory_without_the_first_thread(void **state)
{
    amgr_proc_dir_t dir;
    amgr_proc_id_t id;
    amgr_proc_stat_t stat;
    amgr_proc_statm_t statm;
    pthread_t thread;
    int pair[2];

    (void)state; /* cmocka's signature */
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    id.pid = fork();
    if (id.pid == 0) {
        close(pair[1]);
        if (pthread_create(&thread, NULL, wait_for_end, pair) != 0) {
            _exit(1);
        }
        pthread_exit(NULL);
    }
    assert_true(id.pid > 0);
    assert_int_equal(amgr_proc_dir_open(&dir, "/proc"), APR_SUCCESS);
    wait_for_zombie(&dir, id.pid, 0, &stat);
    id.start_ticks = stat.start_ticks;
    assert_false(amgr_proc_has_ended(&stat));
    assert_int_equal(amgr_proc_read_statm(&dir, id.pid, &statm), APR_NOTFOUND);
    statm.rss_bytes = 0;
    assert_int_equal(amgr_proc_read_left_statm(&dir, &id, &statm), APR_SUCCESS);
    assert_true(statm.rss_bytes > 0);
    id.start_ticks++;
    assert_int_equal(amgr_proc_read_left_statm(&dir, &id, &statm),
                     APR_NOTFOUND);
    id.start_ticks--;
    assert_int_equal(kill(id.pid, SIGKILL), 0);
    wait_for_zombie(&dir, id.pid, 1, &stat);
    assert_true(amgr_proc_has_ended(&stat));
    assert_int_equal(amgr_proc_read_left_statm(&dir, &id, &statm),
                     APR_NOTFOUND);
    assert_int_equal(waitpid(id.pid, NULL, 0), id.pid);
    amgr_proc_dir_close(&dir);
    close(pair[0]);
    close(pair[1]);
}

static void test_another(void **state)
{
    amgr_proc_dir_t dir;
    amgr_proc_dir_t tasks;
    amgr_proc_id_t id;

    (void)state; /* cmocka's signature */
    assert_int_equal(amgr_proc_dir_open(&dir, "/proc"), APR_SUCCESS);
    assert_int_equal(amgr_proc_read_id(&dir, getpid(), &id), APR_SUCCESS);
    id.start_ticks++;
    tasks.fd = -7;
    assert_int_equal(amgr_proc_tasks_open(&dir, &id, &tasks), APR_NOTFOUND);
    assert_int_equal(tasks.fd, -7);
    id.start_ticks = 0;
    assert_int_equal(amgr_proc_tasks_open(&dir, &id, &tasks), APR_NOTFOUND);
    id.pid = 0;
    assert_int_equal(amgr_proc_tasks_open(&dir, &id, &tasks), APR_NOTFOUND);
    amgr_proc_dir_close(&dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parse),
        cmocka_unit_test(test_wchan),
        cmocka_unit_test(test_meaning),
        cmocka_unit_test(test_futex),
        cmocka_unit_test(test_real),
        cmocka_unit_test(test_another),
        cmocka_unit_test(test_memory_without_the_first_thread),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
