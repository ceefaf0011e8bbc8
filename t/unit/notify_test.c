/* SPDX-License-Identifier: Apache-2.0
 *
 * Notifications: what they say, and who is heard.  The processes that notify
 * are this program itself, called with what they shall send.
 */
#include "guard_rig.h"

#include <stddef.h>
#include <sys/socket.h>
#include <sys/un.h>

static void test_parse(void **state)
{
    static const struct {
        const char *bytes;
        apr_size_t len;
        unsigned int said;
        const char *status;
    } cases[] = {
        {"READY=1", 7, AMGR_NOTICE_READY, NULL},
        {"READY=1\n", 8, AMGR_NOTICE_READY, NULL},
        {"\n\nREADY=1\n\n", 11, AMGR_NOTICE_READY, NULL},
        {"READY=0", 7, 0, NULL},
        {"READY=10", 8, 0, NULL},
        {"READY=1 ", 8, 0, NULL},
        {"NOTREADY=1", 10, 0, NULL},
        {"WATCHDOG=1\nSTOPPING=1", 21,
         AMGR_NOTICE_WATCHDOG | AMGR_NOTICE_STOPPING, NULL},
        {"READY=1\nSTOPPING=1", 18, AMGR_NOTICE_READY | AMGR_NOTICE_STOPPING,
         NULL},
        {"STOPPING=1\nREADY=1", 18, AMGR_NOTICE_READY, NULL},
        {"READY=1\nSTOPPING=1\nREADY=1", 26, AMGR_NOTICE_READY, NULL},
        {"WATCHDOG=trigger", 16, 0, NULL},
        {"STATUS=loading 3%\nREADY=1", 25,
         AMGR_NOTICE_STATUS | AMGR_NOTICE_READY, "loading 3%"},
        {"STATUS=one\nSTATUS=two", 21, AMGR_NOTICE_STATUS, "two"},
        {"STATUS=", 7, AMGR_NOTICE_STATUS, ""},
        {"STATUS=\033[2J", 11, AMGR_NOTICE_STATUS, "\033[2J"},
        {"STATUS=a\0b\nREADY=1", 18, AMGR_NOTICE_STATUS, "a"},
        {"MAINPID=1\nFDSTORE=1\nBARRIER=1", 29, 0, NULL},
        {"", 0, 0, NULL},
        {"READY=1", 5, 0, NULL},
    };
    amgr_notice_t notice;
    apr_size_t i;

    (void)state; /* cmocka's signature */
    for (i = 0; i < AMGR_COUNT(cases); i++) {
        notice.said = 0;
        amgr_notice_parse(cases[i].bytes, cases[i].len, &notice);
        assert_int_equal(notice.said, cases[i].said);
        if (cases[i].status != NULL) {
            assert_string_equal(notice.status, cases[i].status);
        }
    }
}

/* Cut at the end of a character. */
static void test_a_long_status(void **state)
{
    char bytes[7 + 400];
    amgr_notice_t notice;

    (void)state; /* cmocka's signature */
    memset(bytes, 'x', sizeof(bytes));
    memcpy(bytes, "STATUS=", 7);
    memcpy(bytes + 7 + AMGR_MANAGED_TEXT_LEN - 2, "\xc3\xa4", 2);
    notice.said = 0;
    amgr_notice_parse(bytes, sizeof(bytes), &notice);
    assert_int_equal(strlen(notice.status), AMGR_MANAGED_TEXT_LEN - 2);
}

/* To the socket of @a address, "@NAME"; -1 on failure. */
static int connect_to(const char *address)
{
    struct sockaddr_un name;
    int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
    size_t len = strlen(address);

    memset(&name, 0, sizeof(name));
    name.sun_family = AF_UNIX;
    memcpy(name.sun_path + 1, address + 1, len - 1);
    if (connect(fd, (struct sockaddr *)&name,
                (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len)) !=
        0) {
        return -1;
    }
    return fd;
}

/* Send with a descriptor, and wait until the other side has closed it. */
static int send_barrier(int fd)
{
    _Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int))];
    char bytes[] = "BARRIER=1";
    struct iovec vector = {bytes, sizeof(bytes) - 1};
    struct msghdr message;
    struct cmsghdr *part;
    struct pollfd row;
    int ends[2];

    if (pipe(ends) != 0) {
        return 1;
    }
    memset(&message, 0, sizeof(message));
    memset(control, 0, sizeof(control));
    message.msg_iov = &vector;
    message.msg_iovlen = 1;
    message.msg_control = control;
    message.msg_controllen = sizeof(control);
    part = CMSG_FIRSTHDR(&message);
    part->cmsg_level = SOL_SOCKET;
    part->cmsg_type = SCM_RIGHTS;
    part->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(part), &ends[1], sizeof(int));
    if (sendmsg(fd, &message, 0) < 0) {
        return 1;
    }
    close(ends[1]);
    row.fd = ends[0];
    row.events = 0;
    return poll(&row, 1, 30000) == 1 && (row.revents & POLLHUP) != 0 ? 0 : 1;
}

/* As a managed process, or something below one: say each of these. */
static int say(int count, char **texts)
{
    const char *address = getenv("NOTIFY_SOCKET");
    int fd = address == NULL ? -1 : connect_to(address);
    int i;

    if (fd < 0) {
        return 1;
    }
    for (i = 0; i < count; i++) {
        if (strcmp(texts[i], "BARRIER") == 0) {
            if (send_barrier(fd) != 0) {
                return 2;
            }
        }
        else if (send(fd, texts[i], strlen(texts[i]), 0) < 0) {
            return 3;
        }
    }
    return 0;
}

/* A child of a child, in a session of its own. */
static int speak_from_below(void)
{
    char ready[] = "READY=1";
    char barrier[] = "BARRIER";
    char *texts[] = {ready, barrier};

    if (fork() == 0) {
        setsid();
        if (fork() == 0) {
            _exit(say(2, texts));
        }
    }
    for (;;) {
        pause();
    }
}

/* Notes its address for strangers, and waits. */
static int wait_for_strangers(const char *dir)
{
    char from[128];
    char to[128];
    FILE *f;

    snprintf(from, sizeof(from), "%s/new", dir);
    snprintf(to, sizeof(to), "%s/address", dir);
    f = fopen(from, "w");
    if (f == NULL) {
        return 1;
    }
    fprintf(f, "%s\n", getenv("NOTIFY_SOCKET"));
    fclose(f);
    rename(from, to);
    for (;;) {
        pause();
    }
}

/* So many times, as fast as it can. */
static int flood(int count)
{
    int fd = connect_to(getenv("NOTIFY_SOCKET"));
    char text[32];
    int i;

    for (i = 1; i <= count; i++) {
        snprintf(text, sizeof(text), "STATUS=%d\nWATCHDOG=1", i);
        if (send(fd, text, strlen(text), 0) < 0) {
            return 1;
        }
    }
    return 0;
}

/* It is heard to its last word before its end is told. */
static void test_what_it_says(void **state)
{
    rig_t *rig = *state;

    rig->spec.verify.type = AMGR_VERIFY_NOTIFY;
    rig->spec.argv =
        rig_argv(rig, "/proc/self/exe", "say", "STATUS=almost\nREADY=1",
                 "WATCHDOG=1", "BARRIER", "STATUS=there", "STOPPING=1", NULL);
    rig_run(rig);
    rig_finish(rig);
    assert_int_equal(rig->last[AMGR_GUARD_EXITED].wait_status, 0);
    assert_true(rig->seen & (1u << AMGR_GUARD_READY));
    assert_true(rig->seen & (1u << AMGR_GUARD_WATCHDOG));
    assert_true(rig->seen & (1u << AMGR_GUARD_STOPPING));
    assert_string_equal(rig->last[AMGR_GUARD_STATUS].text, "there");
    assert_int_equal(rig->log->lines, 0);
}

/* From a process far below, which is there until it was heard. */
static void test_a_grandchild_speaks(void **state)
{
    rig_t *rig = *state;

    rig->spec.verify.type = AMGR_VERIFY_NOTIFY;
    rig->spec.argv = rig_argv(rig, "/proc/self/exe", "below", NULL);
    rig_run(rig);
    assert_true(rig_wait(rig, AMGR_GUARD_READY));
    rig_order(rig, AMGR_GUARD_STOP);
    rig_finish(rig);
}

/* Anybody can reach the socket; who is not below the guard is not heard. */
static void test_a_stranger(void **state)
{
    rig_t *rig = *state;
    char *address;
    int fd;

    rig->spec.verify.type = AMGR_VERIFY_NOTIFY;
    rig->spec.argv = rig_argv(rig, "/proc/self/exe", "wait", rig->dir, NULL);
    rig_run(rig);
    address = rig_read(rig, "address");
    address[strlen(address) - 1] = '\0';
    fd = connect_to(address);
    assert_true(fd >= 0);
    assert_int_equal(send(fd, "READY=1", 7, 0), 7);
    assert_int_equal(send_barrier(fd), 0); /* it was read */
    close(fd);
    rig_order(rig, AMGR_GUARD_STOP);
    rig_finish(rig);
    assert_int_equal(rig->seen & (1u << AMGR_GUARD_READY), 0);
    assert_int_equal(rig->log->lines, 1);
    assert_non_null(strstr(rig->log->text, "is not heard"));
}

/* As fast as they can they cost the guard next to nothing, of whatever user
 * they are. */
static void test_a_flood_of_strangers(void **state)
{
    rig_t *rig = *state;
    apr_time_t until_us;
    char *address;
    pid_t pid;

    rig->spec.verify.type = AMGR_VERIFY_NOTIFY;
    rig->spec.argv = rig_argv(rig, "/proc/self/exe", "wait", rig->dir, NULL);
    rig_run(rig);
    address = rig_read(rig, "address");
    address[strlen(address) - 1] = '\0';
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        int fd = connect_to(address);

        if (geteuid() == 0 && setuid(12345) != 0) {
            _exit(1);
        }
        while (send(fd, "READY=1", 7, 0) == 7) {
            /* and on */
        }
        _exit(0); /* nobody listens any more */
    }
    until_us = amgr_clock_monotonic_us() + APR_USEC_PER_SEC;
    while (amgr_clock_monotonic_us() < until_us) {
        poll(NULL, 0, 20);
    }
    rig_order(rig, AMGR_GUARD_STOP);
    rig_finish(rig);
    assert_int_equal(kill(pid, SIGKILL), 0); /* our child, not reaped */
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    assert_int_equal(rig->seen & (1u << AMGR_GUARD_READY), 0);
    assert_int_equal(rig->log->lines, 1);
    assert_int_equal(rig->usage.ru_utime.tv_sec + rig->usage.ru_stime.tv_sec,
                     0);
    assert_in_range(rig->usage.ru_utime.tv_usec + rig->usage.ru_stime.tv_usec,
                    0, 250000);
}

/* It may say what it likes as often as it likes: the last is told, and the
 * supervisor is not flooded. */
static void test_a_flood(void **state)
{
    rig_t *rig = *state;
    amgr_guard_event_t event;
    apr_time_t begin;
    apr_status_t rv;
    int told = 0;

    rig->spec.liveness.type = AMGR_VERIFY_NOTIFY;
    rig->spec.argv = rig_argv(rig, "/proc/self/exe", "flood", NULL);
    begin = amgr_clock_monotonic_us();
    rig_start(rig);
    while ((rv = amgr_guard_receive(&rig->guard, &event)) != APR_EOF) {
        if (rv == APR_EAGAIN) {
            poll(NULL, 0, 2);
            continue;
        }
        told += event.type == AMGR_GUARD_STATUS;
        rig->last[event.type] = event;
    }
    assert_int_equal(rig_reap(rig->guard.pid), 0);
    assert_string_equal(rig->last[AMGR_GUARD_STATUS].text, "5000");
    assert_in_range(told, 1,
                    3 + (amgr_clock_monotonic_us() - begin) /
                            (APR_USEC_PER_SEC / 10));
}

/* Watchdogs are told how often, and whom it is about. */
static void test_watchdog(void **state)
{
    rig_t *rig = *state;

    rig->spec.liveness.type = AMGR_VERIFY_NOTIFY;
    rig->spec.liveness.timeout_us = 1500000;
    rig_shell(rig, "test $WATCHDOG_PID = $$ && echo $WATCHDOG_USEC", NULL,
              NULL);
    rig_run(rig);
    rig_finish(rig);
    assert_string_equal(rig->log->text, "process web: 1500000\n");
}

/* Descriptors that it sends are not taken, not even for a moment. */
static void test_it_keeps_no_descriptor(void **state)
{
    amgr_notice_t notice = {0, ""};
    amgr_proc_dir_t proc;
    amgr_notify_t notify;
    int status;
    pid_t pid;
    int probe;
    int i;

    (void)state; /* cmocka's signature */
    assert_int_equal(amgr_proc_dir_open(&proc, "/proc"), APR_SUCCESS);
    assert_int_equal(amgr_notify_open(&notify), APR_SUCCESS);
    probe = dup(0);
    close(probe);
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        int fd = connect_to(notify.address);

        status = 0;
        for (i = 0; i < 20; i++) {
            status |= send_barrier(fd);
        }
        _exit(status);
    }
    while (waitpid(pid, &status, WNOHANG) == 0) {
        amgr_notify_read(&notify, &proc, amgr_clock_monotonic_us(), &notice);
    }
    assert_int_equal(status, 0);
    i = dup(0);
    assert_int_equal(i, probe);
    close(i);
    assert_int_equal(notice.said, 0);
    assert_int_equal(notify.stranger, 0);
    amgr_notify_close(&notify);
    assert_int_equal(notify.fd, -1);
    amgr_proc_dir_close(&proc);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parse),
        cmocka_unit_test(test_a_long_status),
        RIGGED(test_what_it_says),
        RIGGED(test_a_grandchild_speaks),
        RIGGED(test_a_stranger),
        RIGGED(test_a_flood_of_strangers),
        RIGGED(test_a_flood),
        RIGGED(test_watchdog),
        cmocka_unit_test(test_it_keeps_no_descriptor),
    };

    if (argc > 2 && strcmp(argv[1], "say") == 0) {
        return say(argc - 2, argv + 2);
    }
    if (argc > 2 && strcmp(argv[1], "wait") == 0) {
        return wait_for_strangers(argv[2]);
    }
    if (argc > 1 && strcmp(argv[1], "flood") == 0) {
        return flood(5000);
    }
    if (argc > 1 && strcmp(argv[1], "below") == 0) {
        return speak_from_below();
    }
    apr_initialize();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
