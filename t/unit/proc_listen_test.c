/* SPDX-License-Identifier: Apache-2.0
 *
 * Who listens: this process's own sockets, by the kernel's diagnostics and by
 * the tables; and tables of fixtures.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "proc/proc_listen.h"

#define SECONDS_US (30 * APR_USEC_PER_SEC)

/* What is looked for among all. */
typedef struct wanted_t {
    apr_uint64_t inode;
    amgr_proc_socket_t found; /* inode 0: not found */
    int calls;
    int enough; /* after so many calls; 0: never */
} wanted_t;

static void in_time(amgr_proc_budget_t *budget)
{
    budget->file_bytes = 64 * 1024 * 1024;
    budget->mono_us = amgr_clock_monotonic_us() + SECONDS_US;
}

static int take_socket(void *baton, const amgr_proc_socket_t *socket)
{
    wanted_t *wanted = baton;

    assert_int_equal(socket->kind, AMGR_SOCKET_TCP);
    assert_true(socket->listening);
    wanted->calls++;
    if (socket->inode == wanted->inode) {
        wanted->found = *socket;
    }
    return wanted->calls == wanted->enough;
}

static int take_inode(void *baton, apr_uint64_t inode)
{
    wanted_t *wanted = baton;

    wanted->calls++;
    if (inode == wanted->inode) {
        wanted->found.inode = inode;
    }
    return wanted->calls == wanted->enough;
}

static apr_uint64_t inode_of(int fd)
{
    struct stat st;

    assert_int_equal(fstat(fd, &st), 0);
    return st.st_ino;
}

/* A socket at 127.0.0.1, with the address as the kernel has it. */
static int bound(int listens, char *text, size_t size)
{
    struct sockaddr_in address;
    socklen_t len = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_true(fd >= 0);
    memset(&address, 0, sizeof(address));
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(bind(fd, (struct sockaddr *)(void *)&address, len), 0);
    if (listens) {
        assert_int_equal(listen(fd, 4), 0);
    }
    assert_int_equal(getsockname(fd, (struct sockaddr *)(void *)&address, &len),
                     0);
    snprintf(text, size, "127.0.0.1:%d", ntohs(address.sin_port));
    return fd;
}

static void open_dir(amgr_proc_dir_t *dir)
{
    assert_int_equal(amgr_proc_dir_open(dir, "/proc"), APR_SUCCESS);
}

static void find(pid_t pid, wanted_t *wanted)
{
    amgr_proc_budget_t budget;
    amgr_proc_dir_t dir;

    in_time(&budget);
    open_dir(&dir);
    assert_int_equal(
        amgr_proc_each_listener(&dir, pid, &budget, take_socket, wanted),
        APR_SUCCESS);
    amgr_proc_dir_close(&dir);
}

static void test_own_listener(void **state)
{
    char text[64];
    int fd = bound(1, text, sizeof(text));
    wanted_t wanted = {inode_of(fd), {0}, 0, 0};
    wanted_t first = {inode_of(fd), {0}, 0, 1};

    (void)state;
    find(getpid(), &wanted);
    assert_string_equal(wanted.found.local, text);
    assert_int_equal(wanted.found.uid, geteuid());
    find(getpid(), &first);
    assert_int_equal(first.calls, 1);
    close(fd);
}

static void test_silent_socket(void **state)
{
    char text[64];
    int fd = bound(0, text, sizeof(text));
    wanted_t wanted = {inode_of(fd), {0}, 0, 0};

    (void)state;
    find(getpid(), &wanted);
    assert_int_equal(wanted.found.inode, 0);
    close(fd);
}

static void test_listener_of_six(void **state)
{
    int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in6 address;
    wanted_t wanted;

    (void)state;
    memset(&address, 0, sizeof(address));
    address.sin6_family = AF_INET6;
    address.sin6_addr = in6addr_loopback;
    /* A machine without IPv6 has none to be found. */
    if (fd < 0 ||
        bind(fd, (struct sockaddr *)(void *)&address, sizeof(address)) != 0) {
        return;
    }
    memset(&wanted, 0, sizeof(wanted));
    assert_int_equal(listen(fd, 4), 0);
    wanted.inode = inode_of(fd);
    find(getpid(), &wanted);
    assert_memory_equal(wanted.found.local, "[::1]:", 6);
    close(fd);
}

static void test_another_process(void **state)
{
    char text[64];
    int fd = bound(1, text, sizeof(text));
    wanted_t wanted = {inode_of(fd), {0}, 0, 0};

    (void)state;
    find(getppid(), &wanted); /* of the same namespace */
    assert_string_equal(wanted.found.local, text);
    close(fd);
}

static void test_tables(void **state)
{
    const char *root = getenv("AMGR_SRCDIR");
    char path[4096];
    amgr_proc_budget_t budget;
    amgr_proc_dir_t dir;
    wanted_t wanted;

    (void)state;
    memset(&wanted, 0, sizeof(wanted));
    snprintf(path, sizeof(path), "%s/t/unit/fixtures/proc/listeners",
             root == NULL ? "." : root);
    assert_int_equal(amgr_proc_dir_open(&dir, path), APR_SUCCESS);
    in_time(&budget);
    wanted.inode = 1003;
    assert_int_equal(
        amgr_proc_each_listener(&dir, 7, &budget, take_socket, &wanted),
        APR_SUCCESS);
    /* Behind the first that does not listen nothing is read. */
    assert_int_equal(wanted.calls, 3);
    assert_string_equal(wanted.found.local, "[::]:443");
    assert_int_equal(wanted.found.uid, 33);
    assert_int_equal(
        amgr_proc_each_listener(&dir, 8, &budget, take_socket, &wanted),
        APR_NOTFOUND);
    budget.mono_us = 0;
    assert_int_equal(
        amgr_proc_each_listener(&dir, 7, &budget, take_socket, &wanted),
        APR_TIMEUP);
    amgr_proc_dir_close(&dir);
}

static void test_sockets_of_a_process(void **state)
{
    char text[64];
    int fd = bound(1, text, sizeof(text));
    wanted_t wanted = {inode_of(fd), {0}, 0, 0};
    amgr_proc_budget_t budget;
    amgr_proc_dir_t dir;

    (void)state;
    in_time(&budget);
    open_dir(&dir);
    assert_int_equal(
        amgr_proc_each_socket(&dir, getpid(), &budget, take_inode, &wanted),
        APR_SUCCESS);
    assert_int_equal(wanted.found.inode, wanted.inode);
    wanted.calls = 0;
    wanted.enough = 1;
    assert_int_equal(
        amgr_proc_each_socket(&dir, getpid(), &budget, take_inode, &wanted),
        APR_SUCCESS);
    assert_int_equal(wanted.calls, 1);
    budget.mono_us = 0;
    assert_int_equal(
        amgr_proc_each_socket(&dir, getpid(), &budget, take_inode, &wanted),
        APR_TIMEUP);
    amgr_proc_dir_close(&dir);
    close(fd);
}

/* One that has ended, and is not reaped, has no descriptors that anybody may
 * see; one that is reaped is gone. */
static void test_ended_process(void **state)
{
    wanted_t wanted = {1, {0}, 0, 0};
    amgr_proc_budget_t budget;
    amgr_proc_dir_t dir;
    pid_t pid = fork();

    (void)state;
    if (pid == 0) {
        _exit(0);
    }
    assert_true(pid > 0);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    in_time(&budget);
    open_dir(&dir);
    assert_int_equal(
        amgr_proc_each_socket(&dir, pid, &budget, take_inode, &wanted),
        APR_NOTFOUND);
    assert_int_equal(wanted.calls, 0);
    amgr_proc_dir_close(&dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_own_listener),
        cmocka_unit_test(test_silent_socket),
        cmocka_unit_test(test_listener_of_six),
        cmocka_unit_test(test_another_process),
        cmocka_unit_test(test_tables),
        cmocka_unit_test(test_sockets_of_a_process),
        cmocka_unit_test(test_ended_process),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
