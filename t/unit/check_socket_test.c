/* SPDX-License-Identifier: Apache-2.0
 *
 * The verifiers tcp and unix: who listens, who does not, and who listens but
 * never takes a connection.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "check_run.h"
#include "scratch.h"

static int listen_at(int family, int backlog, int *out_port)
{
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6,
                              .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    struct sockaddr_in v4 = {.sin_family = AF_INET};
    struct sockaddr *at =
        family == AF_INET ? (struct sockaddr *)&v4 : (struct sockaddr *)&v6;
    socklen_t len = family == AF_INET ? sizeof(v4) : sizeof(v6);
    int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_true(fd >= 0);
    v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(bind(fd, at, len), 0);
    if (backlog >= 0) {
        assert_int_equal(listen(fd, backlog), 0);
    }
    assert_int_equal(getsockname(fd, at, &len), 0);
    *out_port = ntohs(family == AF_INET ? v4.sin_port : v6.sin6_port);
    return fd;
}

static void set_tcp(run_t *run, const char *format, int port)
{
    set_verify(&run->spec.verify, AMGR_VERIFY_TCP, "tcp",
               apr_psprintf(run->pool, "%s:%d", format, port));
}

static void tcp_is_somebody_who_accepts(void **state)
{
    run_t *run = *state;
    int port;
    int fd;

    fd = listen_at(AF_INET, -1, &port);
    set_tcp(run, "127.0.0.1", port);
    fails(run, "connection refused");
    assert_int_equal(listen(fd, 4), 0);
    passes(run);
    set_tcp(run, "localhost", port);
    passes(run);
    set_tcp(run, "[::1]", port);
    fails(run, "connection refused");
    close(fd);
    fd = listen_at(AF_INET6, 4, &port);
    set_tcp(run, "[::1]", port);
    passes(run);
    close(fd);
    set_tcp(run, "nobody.invalid", 80);
    assert_int_equal(strncmp(attempt(run, AMGR_CHECK_FAILED), "its host ", 9),
                     0);
    set_verify(&run->spec.verify, AMGR_VERIFY_TCP, "tcp", "127.0.0.1");
    fails(run, "its target is not HOST:PORT");
}

/* A queue that is full: who asks is not even refused. */
static void tcp_that_hangs_is_given_up(void **state)
{
    struct sockaddr_in at = {.sin_family = AF_INET};
    run_t *run = *state;
    int clients[8];
    int port;
    int fd = listen_at(AF_INET, 0, &port);
    size_t i;

    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    at.sin_port = htons((in_port_t)port);
    for (i = 0; i < AMGR_COUNT(clients); i++) {
        int result;

        clients[i] =
            socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        result = connect(clients[i], (struct sockaddr *)&at, sizeof(at));
        assert_true(result == 0 || errno == EINPROGRESS);
    }
    set_tcp(run, "127.0.0.1", port);
    run->spec.verify.timeout_us = 200 * MSEC;
    fails(run, "no answer within 200ms");
    for (i = 0; i < AMGR_COUNT(clients); i++) {
        close(clients[i]);
    }
    close(fd);
}

static int bind_path(const char *path, int type)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);

    assert_true(fd >= 0);
    unlink(path);
    snprintf(at.sun_path, sizeof(at.sun_path), "%s", path);
    assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
    assert_int_equal(chmod(path, 0777), 0);
    return fd;
}

static void unix_is_somebody_who_listens(void **state)
{
    char dir[SCRATCH_SIZE];
    run_t *run = *state;
    const char *path;
    int fd;

    assert_int_equal(scratch_make(dir, 0755), 0);
    path = apr_pstrcat(run->pool, dir, "/socket", NULL);
    set_verify(&run->spec.verify, AMGR_VERIFY_UNIX, "unix", path);
    fails(run, "no such file or directory");
    fd = bind_path(path, SOCK_STREAM);
    fails(run, "connection refused");
    assert_int_equal(listen(fd, 0), 0);
    passes(run);
    /* Nobody accepts, and there is no more room to wait in. */
    run->spec.verify.timeout_us = 200 * MSEC;
    fails(run, "no answer within 200ms");
    close(fd);
    run->spec.verify.timeout_us = 20 * APR_USEC_PER_SEC;
    fails(run, "connection refused"); /* stale */
    fd = bind_path(path, SOCK_DGRAM);
    passes(run);
    assert_int_equal(chmod(path, 0600), 0);
    if (geteuid() == 0) {
        fails(run, "permission denied"); /* it is nobody who asks */
    }
    close(fd);
    fd = bind_path(path, SOCK_SEQPACKET);
    assert_int_equal(listen(fd, 1), 0);
    passes(run);
    close(fd);
    unlink(path);
    rmdir(dir);
    run->spec.verify.target = "relative";
    fails(run, "its target is no path of a socket");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(tcp_is_somebody_who_accepts, run_set_up,
                                        run_tear_down),
        cmocka_unit_test_setup_teardown(tcp_that_hangs_is_given_up, run_set_up,
                                        run_tear_down),
        cmocka_unit_test_setup_teardown(unix_is_somebody_who_listens,
                                        run_set_up, run_tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
