/* SPDX-License-Identifier: Apache-2.0
 *
 * A server that logs by syslog(3): the C library keeps a descriptor by its
 * number, and forks of the supervisor that close what they need not have get
 * that number for something else.
 */
#include "check_run.h"
#include "guard_rig.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <syslog.h>

/* Of what a guard or an attempt opens itself nothing has a higher number. */
#define FIRST_FD (STDERR_FILENO + 1)
#define LAST_FD 24

#define FAR_FD 100

static int daemon_fd = -1; /* of the test, which reads there */
static struct sockaddr_un daemon_address;
static socklen_t daemon_len = sizeof(daemon_address);
static int syslog_fd = -1;

/* Instead of the C library's; send_line() does what its syslog(3) does. */
void closelog(void)
{
    if (syslog_fd >= 0) {
        close(syslog_fd);
    }
    syslog_fd = -1;
}

static void connect_to_daemon(void)
{
    syslog_fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (connect(syslog_fd, (struct sockaddr *)&daemon_address, daemon_len) !=
        0) {
        closelog();
    }
}

/* Where that fails the descriptor is closed, whatever it is by now. */
static void send_line(const char *line)
{
    if (syslog_fd >= 0 &&
        send(syslog_fd, line, strlen(line), MSG_NOSIGNAL) >= 0) {
        return;
    }
    closelog();
    connect_to_daemon();
    if (syslog_fd >= 0) {
        send(syslog_fd, line, strlen(line), MSG_NOSIGNAL);
    }
}

static void tell_syslog(void *baton, int what, int level, int error,
                        const char *text)
{
    (void)baton; /* the line is all that goes out */
    (void)what;
    (void)level;
    (void)error;
    send_line(text);
}

static void listen_far(void)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    /* The kernel finds an address that nobody has. */
    assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at.sun_family)),
                     0);
    assert_int_equal(
        getsockname(fd, (struct sockaddr *)&daemon_address, &daemon_len), 0);
    daemon_fd = fcntl(fd, F_DUPFD_CLOEXEC, FAR_FD);
    assert_true(daemon_fd >= FAR_FD);
    close(fd);
}

/* Here a line was told with this number; 0: it is not free. */
static int open_log_at(int number)
{
    closelog();
    if (fcntl(number, F_GETFD) >= 0) {
        return 0;
    }
    connect_to_daemon();
    assert_true(syslog_fd >= 0);
    if (syslog_fd != number) {
        assert_int_equal(dup3(syslog_fd, number, O_CLOEXEC), number);
        close(syslog_fd);
        syslog_fd = number;
    }
    return 1;
}

static void expect_line(const char *line)
{
    char got[256];
    ssize_t len = recv(daemon_fd, got, sizeof(got) - 1, MSG_DONTWAIT);

    got[len < 0 ? 0 : len] = '\0';
    assert_string_equal(got, line);
}

static void a_guard_reads_what_is_written(void **state)
{
    rig_t *rig = *state;
    int tried = 0;
    int number;

    rig->setup.log_fd = -1;
    rig->setup.teller.line = tell_syslog;
    rig_shell(rig, "echo one; sleep 0.02; echo two; exit 3", NULL, NULL);
    for (number = FIRST_FD; number <= LAST_FD; number++) {
        if (open_log_at(number)) {
            rig_start(rig);
            rig_finish(rig);
            assert_int_equal(rig->last[AMGR_GUARD_EXITED].wait_status, 3 << 8);
            expect_line("process web: one");
            expect_line("process web: two");
            amgr_guard_close(&rig->guard);
            rig->seen = 0;
            tried++;
        }
    }
    assert_true(tried > 0);
    closelog();
}

/* A verifier of another module, which keeps a pipe while it says a line. */
static int answer(int argc, const char *const *argv, char *text,
                  apr_size_t size)
{
    struct stat info;
    int ends[2];
    int i;

    (void)argc; /* the signature of a verifier */
    (void)argv;
    snprintf(text, size, "it has its pipe");
    if (pipe2(ends, O_CLOEXEC) != 0) {
        return 0;
    }
    send_line("a verifier");
    for (i = 0; i < 2; i++) {
        if (fstat(ends[i], &info) != 0 || !S_ISFIFO(info.st_mode)) {
            snprintf(text, size, "it has lost its pipe");
        }
    }
    return 1;
}

static amgr_verify_run_fn *find_answer(const char *name)
{
    (void)name; /* there is one alone */
    return answer;
}

static void an_attempt_keeps_what_it_opens(void **state)
{
    run_t *run = *state;
    int tried = 0;
    int number;

    set_verify(&run->spec.verify, AMGR_VERIFY_OTHER, "answers", NULL);
    run->setup.lookup = find_answer;
    for (number = FIRST_FD; number <= LAST_FD; number++) {
        if (open_log_at(number)) {
            fails(run, "it has its pipe");
            expect_line("a verifier");
            amgr_check_end(&run->check);
            tried++;
        }
    }
    assert_true(tried > 0);
    closelog();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RIGGED(a_guard_reads_what_is_written),
        cmocka_unit_test_setup_teardown(an_attempt_keeps_what_it_opens,
                                        run_set_up, run_tear_down),
    };

    apr_initialize();
    listen_far();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
