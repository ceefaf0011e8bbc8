/* SPDX-License-Identifier: Apache-2.0
 *
 * What is said of the descriptor that a thread waits at: each kind of socket,
 * with both ends where it has them, and one that was closed under it.
 */
#include "invented.h"
#include "scratch.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "action/evidence.h"
#include "base/clock.h"

#define NEVER APR_INT64_MAX
#define WAIT_US (30 * SEC)

/* What a process of one thread does all the time. */
typedef void wait_fn(int fd);

static void wait_to_receive(int fd)
{
    char byte;

    (void)recv(fd, &byte, 1, 0); /* nobody sends */
}

static void wait_to_accept(int fd)
{
    (void)accept(fd, NULL, NULL); /* nobody connects */
}

static void *receive(void *fd)
{
    wait_to_receive(*(int *)fd);
    return NULL;
}

/* The thread that waits goes on when the descriptor is closed, since the
 * socket is not. */
static void wait_at_a_closed_one(int fd)
{
    static int own;
    pthread_t thread;

    own = dup2(fd, 100);
    if (pthread_create(&thread, NULL, receive, &own) == 0) {
        usleep(100000); /* should it be later, it finds nothing, and ends */
        close(own);
        pthread_join(thread, NULL);
    }
}

static pid_t fork_victim(wait_fn *wait, int fd)
{
    pid_t parent = getpid();
    pid_t pid = fork();

    assert_true(pid >= 0);
    while (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != parent) {
            _exit(1);
        }
        wait(fd);
    }
    return pid;
}

/* Until a thread of a process that waits so is said to wait at this. */
static void expect(wait_fn *wait, int fd, const char *want)
{
    apr_time_t end_us = amgr_clock_monotonic_us() + WAIT_US;
    pid_t pid = fork_victim(wait, fd);
    world_t *world = world_create(1, 1);
    amgr_process_t *process = world_native(world, pid);
    amgr_evidence_t evidence;
    amgr_proc_dir_t proc;
    int is_found = 0;
    int i;

    assert_int_equal(amgr_proc_dir_open(&proc, "/proc"), APR_SUCCESS);
    assert_int_equal(amgr_proc_read_id(&proc, pid, &process->id), APR_SUCCESS);
    while (!is_found && amgr_clock_monotonic_us() < end_us) {
        amgr_evidence_collect(&proc, &world->snapshot, 0, NEVER, &evidence);
        for (i = 0; i < evidence.thread_count; i++) {
            is_found |= strcmp(evidence.blocked[i].target, want) == 0;
        }
    }
    if (!is_found) {
        for (i = 0; i < evidence.thread_count; i++) {
            print_error("%s\n", evidence.blocked[i].target);
        }
        fail_msg("nobody waits at %s", want);
    }
    assert_int_equal(kill(pid, SIGKILL), 0);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    world_destroy(world);
    amgr_proc_dir_close(&proc);
}

/* A socket of 127.0.0.1, and its port. */
static int bind_inet(int type, int *out_port)
{
    struct sockaddr_in at = {.sin_family = AF_INET};
    socklen_t len = sizeof(at);
    int fd = socket(AF_INET, type, 0);

    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(bind(fd, (struct sockaddr *)&at, len), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &len), 0);
    *out_port = ntohs(at.sin_port);
    return fd;
}

static void connect_inet(int fd, int port)
{
    struct sockaddr_in at = {.sin_family = AF_INET};

    at.sin_port = htons((in_port_t)port);
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(connect(fd, (struct sockaddr *)&at, sizeof(at)), 0);
}

static void sockets_of_tcp(void **state)
{
    char want[128];
    int server_port;
    int client_port;
    int server = bind_inet(SOCK_STREAM, &server_port);
    int client = bind_inet(SOCK_STREAM, &client_port);

    (void)state; /* cmocka's signature */
    assert_int_equal(listen(server, 5), 0);
    snprintf(want, sizeof(want), "tcp listening on 127.0.0.1:%d", server_port);
    expect(wait_to_accept, server, want);
    connect_inet(client, server_port);
    snprintf(want, sizeof(want), "tcp 127.0.0.1:%d to 127.0.0.1:%d",
             client_port, server_port);
    expect(wait_to_receive, client, want);
    /* The other end has heard that there is nothing more to come. */
    assert_int_equal(shutdown(client, SHUT_WR), 0);
    snprintf(want, sizeof(want), "tcp 127.0.0.1:%d to 127.0.0.1:%d (FIN_WAIT2)",
             client_port, server_port);
    expect(wait_to_receive, client, want);
    close(client);
    close(server);
}

static void sockets_of_udp(void **state)
{
    char want[128];
    int server_port;
    int client_port;
    int server = bind_inet(SOCK_DGRAM, &server_port);
    int client = bind_inet(SOCK_DGRAM, &client_port);

    (void)state; /* cmocka's signature */
    snprintf(want, sizeof(want), "udp 127.0.0.1:%d", server_port);
    expect(wait_to_receive, server, want);
    connect_inet(client, server_port);
    snprintf(want, sizeof(want), "udp 127.0.0.1:%d to 127.0.0.1:%d",
             client_port, server_port);
    expect(wait_to_receive, client, want);
    close(client);
    close(server);
}

static void sockets_of_unix(void **state)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    char dir[SCRATCH_SIZE];
    char want[128];
    int ends[2];
    int server = socket(AF_UNIX, SOCK_STREAM, 0);

    (void)state; /* cmocka's signature */
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    expect(wait_to_receive, ends[0], "unix (no name)");
    assert_int_equal(scratch_make(dir, 0700), 0);
    snprintf(at.sun_path, sizeof(at.sun_path), "%s/socket", dir);
    assert_int_equal(bind(server, (struct sockaddr *)&at, sizeof(at)), 0);
    assert_int_equal(listen(server, 5), 0);
    snprintf(want, sizeof(want), "unix listening on %s/socket", dir);
    expect(wait_to_accept, server, want);
    unlink(at.sun_path);
    rmdir(dir);
    close(server);
    close(ends[0]);
    close(ends[1]);
}

static void a_descriptor_that_is_closed_by_now(void **state)
{
    int ends[2];

    (void)state; /* cmocka's signature */
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    expect(wait_at_a_closed_one, ends[0], "closed by now");
    close(ends[0]);
    close(ends[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sockets_of_tcp),
        cmocka_unit_test(sockets_of_udp),
        cmocka_unit_test(sockets_of_unix),
        cmocka_unit_test(a_descriptor_that_is_closed_by_now),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
