/* SPDX-License-Identifier: Apache-2.0
 *
 * What a descriptor is: fixtures with every kind of table, forged names, and
 * tables beyond the budget; and a real connection of this process.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <netinet/in.h>
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "proc/proc_socket.h"

#define FIRST "   0: 0100007F:E3F4 0500000A:0CEA 01 "
#define REST "00000000:00000000 00:00000000 00000000    33        0 "

static void open_fixture(amgr_proc_dir_t *dir)
{
    const char *root = getenv("AMGR_SRCDIR");
    char path[4096];

    snprintf(path, sizeof(path), "%s/t/unit/fixtures/proc/sockets",
             root == NULL ? "." : root);
    assert_int_equal(amgr_proc_dir_open(dir, path), APR_SUCCESS);
}

static amgr_proc_budget_t budget_of(apr_size_t bytes)
{
    amgr_proc_budget_t budget;

    budget.file_bytes = bytes;
    budget.mono_us = amgr_clock_monotonic_us() + apr_time_from_sec(60);
    return budget;
}

static void test_targets(void **state)
{
    static const struct {
        int fd;
        int kind;
        apr_uint64_t inode;
        const char *text;
    } cases[] = {
        { 3, AMGR_TARGET_SOCKET, 502, "socket:[502]" },
        { 4, AMGR_TARGET_PIPE, 77, "pipe:[77]" },
        { 5, AMGR_TARGET_PATH, 0, "/var/lib/php/sessions/sess_0123456789" },
        { 6, AMGR_TARGET_OTHER, 0, "anon_inode:[eventpoll]" },
        { 7, AMGR_TARGET_OTHER, 0, "socket:[5x]" },
    };
    amgr_proc_dir_t dir;
    amgr_proc_target_t target;
    size_t i;

    (void)state; /* cmocka's signature */
    open_fixture(&dir);
    for (i = 0; i < AMGR_COUNT(cases); i++) {
        assert_int_equal(amgr_proc_read_target(&dir, 400, cases[i].fd, &target),
                         APR_SUCCESS);
        assert_int_equal(target.kind, cases[i].kind);
        assert_int_equal(target.inode, cases[i].inode);
        assert_string_equal(target.text, cases[i].text);
    }
    /* Of a path too long the end is kept, and it says so. */
    assert_int_equal(amgr_proc_read_target(&dir, 400, 8, &target),
                     APR_SUCCESS);
    assert_int_equal(strlen(target.text), sizeof(target.text) - 1);
    assert_memory_equal(target.text, "...ddd", 6);
    assert_string_equal(target.text + sizeof(target.text) - 6, "d/end");
    assert_int_equal(amgr_proc_read_target(&dir, 400, 9, &target),
                     APR_NOTFOUND);
    assert_int_equal(amgr_proc_read_target(&dir, 400, -1, &target),
                     APR_NOTFOUND);
    assert_int_equal(amgr_proc_read_target(&dir, 999, 3, &target),
                     APR_NOTFOUND);
    assert_int_equal(amgr_proc_parse_target("", 0, &target), APR_EGENERAL);
    amgr_proc_dir_close(&dir);
}

static void test_tables(void **state)
{
    static const struct {
        apr_uint64_t inode;
        int kind;
        int listening;
        const char *tcp; /* state */
        const char *local;
        const char *peer;
    } cases[] = {
        { 501, AMGR_SOCKET_TCP, 1, "LISTEN", "0.0.0.0:80", "" },
        { 502, AMGR_SOCKET_TCP, 0, "ESTABLISHED", "127.0.0.1:58356",
          "10.0.0.5:3306" },
        { 503, AMGR_SOCKET_TCP, 0, "SYN_SENT", "127.0.0.1:58357",
          "10.0.0.5:3306" },
        { 511, AMGR_SOCKET_TCP, 1, "LISTEN", "[::]:443", "" },
        { 512, AMGR_SOCKET_TCP, 0, "CLOSE_WAIT", "127.0.0.1:50979",
          "192.0.2.7:46540" },
        { 513, AMGR_SOCKET_TCP, 0, "ESTABLISHED", "[2001:db8::beef]:58358",
          "[2001:db8::1]:5432" },
        { 521, AMGR_SOCKET_UDP, 0, "ESTABLISHED", "127.0.0.1:49153",
          "127.0.0.53:53" },
        { 531, AMGR_SOCKET_UNIX, 0, "unknown", "", "" },
        { 532, AMGR_SOCKET_UNIX, 1, "unknown", "/run/a b.sock", "" },
        { 533, AMGR_SOCKET_UNIX, 0, "unknown", "/run/a b.sock", "" },
        { 534, AMGR_SOCKET_UNIX, 0, "unknown", "@abs", "" },
        /* There twice: nobody knows which of the two is real. */
        { 535, AMGR_SOCKET_UNIX, 0, "unknown", "", "" },
        { 536, AMGR_SOCKET_UNIX, 0, "unknown", "@\xff\x01<b>", "" },
    };
    amgr_proc_budget_t budget = budget_of(1 << 20);
    amgr_proc_socket_t sockets[AMGR_COUNT(cases)];
    amgr_proc_dir_t dir;
    size_t i;

    (void)state; /* cmocka's signature */
    open_fixture(&dir);
    memset(sockets, 0x5a, sizeof(sockets));
    for (i = 0; i < AMGR_COUNT(cases); i++) {
        sockets[i].inode = cases[i].inode;
    }
    assert_int_equal(amgr_proc_find_sockets(&dir, 400, &budget, sockets,
                                            (int)AMGR_COUNT(cases)),
                     APR_SUCCESS);
    for (i = 0; i < AMGR_COUNT(cases); i++) {
        assert_int_equal(sockets[i].inode, cases[i].inode);
        assert_int_equal(sockets[i].kind, cases[i].kind);
        assert_int_equal(sockets[i].listening, cases[i].listening);
        assert_string_equal(amgr_proc_tcp_state_word(sockets[i].state),
                            cases[i].tcp);
        assert_string_equal(sockets[i].local, cases[i].local);
        assert_string_equal(sockets[i].peer, cases[i].peer);
    }
    assert_string_equal(amgr_proc_tcp_state_word(-1), "unknown");
    assert_string_equal(amgr_proc_tcp_state_word(12), "unknown");
    amgr_proc_dir_close(&dir);
}

static void test_not_found(void **state)
{
    amgr_proc_budget_t budget = budget_of(1 << 20);
    amgr_proc_socket_t sockets[2];
    amgr_proc_dir_t dir;

    (void)state; /* cmocka's signature */
    open_fixture(&dir);
    memset(sockets, 0, sizeof(sockets));
    sockets[0].inode = 9999;
    sockets[1].inode = 502;
    assert_int_equal(amgr_proc_find_sockets(&dir, 400, &budget, sockets, 2),
                     APR_NOTFOUND);
    assert_int_equal(sockets[0].kind, AMGR_SOCKET_UNKNOWN);
    assert_int_equal(sockets[1].kind, AMGR_SOCKET_TCP);
    /* Nobody's connections have inode 0, and nobody is looked for by it. */
    sockets[0].inode = 0;
    assert_int_equal(amgr_proc_find_sockets(&dir, 400, &budget, sockets, 1),
                     APR_NOTFOUND);
    assert_int_equal(amgr_proc_find_sockets(&dir, 999, &budget, sockets, 1),
                     APR_NOTFOUND);
    assert_int_equal(amgr_proc_find_sockets(&dir, 400, &budget, sockets, 0),
                     APR_SUCCESS);
    amgr_proc_dir_close(&dir);
}

static void test_budget(void **state)
{
    static const apr_uint64_t no_lines[] = { 70, 701 };
    amgr_proc_budget_t budget = budget_of(4096);
    amgr_proc_socket_t sockets[2];
    amgr_proc_dir_t dir;
    int i;

    (void)state; /* cmocka's signature */
    open_fixture(&dir);
    memset(sockets, 0, sizeof(sockets));
    sockets[0].inode = 601;
    sockets[1].inode = 700;
    assert_int_equal(amgr_proc_find_sockets(&dir, 401, &budget, sockets, 2),
                     APR_ENOSPC);
    assert_int_equal(sockets[0].kind, AMGR_SOCKET_TCP);
    assert_int_equal(sockets[1].kind, AMGR_SOCKET_UNKNOWN);
    budget.file_bytes = 1 << 20;
    assert_int_equal(amgr_proc_find_sockets(&dir, 401, &budget, sockets, 2),
                     APR_SUCCESS);
    assert_string_equal(sockets[1].local, "127.0.0.1:1100");
    budget.mono_us = amgr_clock_monotonic_us();
    assert_int_equal(amgr_proc_find_sockets(&dir, 401, &budget, sockets, 2),
                     APR_TIMEUP);
    assert_int_equal(sockets[0].kind, AMGR_SOCKET_UNKNOWN);
    /* Garbage is skipped; neither the end of a line that was too long nor one
     * without an end is a line. */
    budget = budget_of(1 << 20);
    for (i = 0; i < (int)AMGR_COUNT(no_lines); i++) {
        sockets[0].inode = no_lines[i];
        assert_int_equal(amgr_proc_find_sockets(&dir, 402, &budget, sockets, 2),
                         APR_NOTFOUND);
        assert_int_equal(sockets[0].kind, AMGR_SOCKET_UNKNOWN);
    }
    assert_int_equal(sockets[1].kind, AMGR_SOCKET_TCP);
    amgr_proc_dir_close(&dir);
}

static void test_bad_lines(void **state)
{
    static const char *const inet[] = {
        "", "x", "   0:", FIRST, FIRST REST, FIRST REST "x",
        FIRST REST "18446744073709551616 1", FIRST REST "5x 1",
        "   0: 0100007F:E3F 0500000A:0CEA 01 " REST "5 1",
        "   0: 0100007F:E3F44 0500000A:0CEA 01 " REST "5 1",
        "   0: 0100007:E3F4 0500000A:0CEA 01 " REST "5 1",
        "   0: 0100007FF:E3F4 0500000A:0CEA 01 " REST "5 1",
        "   0: 0100007F0100007F:E3F4 0500000A:0CEA 01 " REST "5 1",
        "   0: 0100007F:E3F4 0500000G:0CEA 01 " REST "5 1",
        "   0: 0100007F:E3F4 0500000A:0CEA 1 " REST "5 1",
        "0100007F:E3F4 0500000A:0CEA 01 " REST "5 1",
    };
    static const char *const names[] = {
        "", "x", "Num       RefCount Protocol Flags    Type St Inode Path",
        "0000000046dda965: 00000003 00000000 00000000 0001 03",
        "0000000046dda965: 00000003 00000000 00000000 0001 03 ",
        "0000000046dda965: 00000003 00000000 00000000 0001 03 5x",
        "0000000046dda965: 00000003 00000000 00000000 0001 03 5 ",
        "0000000046dda965: 0003 00000000 00000000 0001 03 5",
        "10000000046dda965: 00000003 00000000 00000000 0001 03 5",
        "0000000046dda965: 00000003 00000000 00000000 0001 03 99999999999999999"
        "999",
    };
    amgr_proc_socket_t found;
    size_t i;

    (void)state; /* cmocka's signature */
    memset(&found, 0, sizeof(found));
    assert_int_equal(amgr_proc_parse_inet(FIRST REST "5",
                                          strlen(FIRST REST "5"),
                                          AMGR_SOCKET_TCP, &found),
                     APR_SUCCESS);
    assert_int_equal(found.inode, 5);
    for (i = 0; i < AMGR_COUNT(inet); i++) {
        assert_int_equal(amgr_proc_parse_inet(inet[i], strlen(inet[i]),
                                              AMGR_SOCKET_UDP, &found),
                         APR_EGENERAL);
    }
    for (i = 0; i < AMGR_COUNT(names); i++) {
        assert_int_equal(amgr_proc_parse_unix(names[i], strlen(names[i]),
                                              &found),
                         APR_EGENERAL);
    }
    assert_int_equal(found.kind, AMGR_SOCKET_TCP);
}

/* The longest name a unix socket can have is cut, its end kept. */
static void test_long_name(void **state)
{
    static const char start[] =
        "0000000046dda965: 00000003 00000000 00000000 0001 03 5 /";
    amgr_proc_socket_t found;
    char line[256];
    size_t len = sizeof(start) - 1;

    (void)state; /* cmocka's signature */
    memset(line, 'd', sizeof(line));
    memcpy(line, start, len);
    memcpy(line + len + 103, ".sock", 5);
    assert_int_equal(amgr_proc_parse_unix(line, len + 108, &found),
                     APR_SUCCESS);
    assert_int_equal(strlen(found.local), sizeof(found.local) - 1);
    assert_memory_equal(found.local, "...d", 4);
    assert_string_equal(found.local + sizeof(found.local) - 7, "d.sock");
}

/* A host has more connections than may be read: of the own namespace the
 * kernel tells those that somebody owns.  By the thread, as evidence asks. */
static void find_without_tables(apr_uint64_t inode, const char *peer)
{
    amgr_proc_budget_t none = budget_of(1);
    amgr_proc_socket_t found;
    amgr_proc_dir_t tasks;

    memset(&found, 0, sizeof(found));
    found.inode = inode;
    assert_int_equal(amgr_proc_dir_open(&tasks, "/proc/self/task"),
                     APR_SUCCESS);
    assert_int_equal(amgr_proc_find_sockets(&tasks, gettid(), &none, &found, 1),
                     APR_SUCCESS);
    amgr_proc_dir_close(&tasks);
    assert_int_equal(found.kind, AMGR_SOCKET_TCP);
    assert_string_equal(found.peer, peer);
}

static void test_real(void **state)
{
    amgr_proc_budget_t budget = budget_of(1 << 24);
    struct sockaddr_in at;
    socklen_t len = sizeof(at);
    amgr_proc_dir_t dir;
    amgr_proc_target_t target;
    amgr_proc_socket_t found;
    char want[AMGR_PROC_ADDRESS_LEN];
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    int client = socket(AF_INET, SOCK_STREAM, 0);

    (void)state; /* cmocka's signature */
    memset(&at, 0, sizeof(at));
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(bind(listener, (struct sockaddr *)&at, sizeof(at)), 0);
    assert_int_equal(listen(listener, 1), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&at, &len), 0);
    assert_int_equal(connect(client, (struct sockaddr *)&at, len), 0);
    assert_int_equal(amgr_proc_dir_open(&dir, "/proc"), APR_SUCCESS);
    assert_int_equal(amgr_proc_read_target(&dir, getpid(), client, &target),
                     APR_SUCCESS);
    assert_int_equal(target.kind, AMGR_TARGET_SOCKET);
    found.inode = target.inode;
    assert_int_equal(amgr_proc_find_sockets(&dir, getpid(), &budget, &found,
                                            1), APR_SUCCESS);
    amgr_proc_dir_close(&dir);
    snprintf(want, sizeof(want), "127.0.0.1:%d", ntohs(at.sin_port));
    assert_int_equal(found.kind, AMGR_SOCKET_TCP);
    assert_string_equal(found.peer, want);
    assert_string_equal(amgr_proc_tcp_state_word(found.state), "ESTABLISHED");
    find_without_tables(found.inode, want);
    close(client);
    close(listener);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_targets),   cmocka_unit_test(test_tables),
        cmocka_unit_test(test_not_found), cmocka_unit_test(test_budget),
        cmocka_unit_test(test_bad_lines), cmocka_unit_test(test_long_name),
        cmocka_unit_test(test_real),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
