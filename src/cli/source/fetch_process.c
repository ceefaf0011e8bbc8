/* SPDX-License-Identifier: Apache-2.0
 *
 * See fetch_process.h.
 */
#include "cli/source/fetch_process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"

/** What the output grows by at first. */
#define CHUNK (64 * 1024)

enum { READ_END, WRITE_END };

/** The three pipes by the number of their descriptor in the child. */
typedef struct pipes_t {
    int fds[3][2];
} pipes_t;

/** The bytes so far; freed with the pool. */
typedef struct heap_t {
    char *data;
    apr_size_t size;
    apr_size_t used;
} heap_t;

static apr_status_t free_heap(void *data)
{
    free(((heap_t *)data)->data);
    return APR_SUCCESS;
}

static void close_end(int *fd)
{
    if (*fd >= 0) {
        close(*fd);
        *fd = -1;
    }
}

static void close_pipes(pipes_t *pipes)
{
    int i;

    for (i = 0; i < 3; i++) {
        close_end(&pipes->fds[i][READ_END]);
        close_end(&pipes->fds[i][WRITE_END]);
    }
}

static apr_status_t open_pipes(pipes_t *pipes)
{
    apr_status_t rv;
    int i;

    memset(pipes, -1, sizeof(*pipes));
    for (i = 0; i < 3; i++) {
        if (pipe2(pipes->fds[i], O_CLOEXEC) != 0) {
            rv = errno;
            close_pipes(pipes);
            return rv;
        }
    }
    return APR_SUCCESS;
}

/* Written before there is a reader: a pipe has room for it, and nobody who
 * ended early makes it a signal. */
static apr_status_t feed(pipes_t *pipes, const char *input)
{
    apr_size_t len = strlen(input);
    ssize_t n = write(pipes->fds[0][WRITE_END], input, len);

    close_end(&pipes->fds[0][WRITE_END]);
    if (n < 0) {
        return errno;
    }
    return (apr_size_t)n == len ? APR_SUCCESS : APR_ENOSPC;
}

static int is_kept(const char *variable)
{
    static const char *const names[] = {
        "http_proxy=", "https_proxy=",   "HTTPS_PROXY=",
        "all_proxy=",  "ALL_PROXY=",     "no_proxy=",
        "NO_PROXY=",   "SSL_CERT_FILE=", "SSL_CERT_DIR=",
    };
    apr_size_t i;

    for (i = 0; i < AMGR_COUNT(names); i++) {
        if (strncmp(variable, names[i], strlen(names[i])) == 0) {
            return 1;
        }
    }
    return 0;
}

static char **make_environment(apr_pool_t *pool)
{
    apr_size_t count = 0;
    apr_size_t kept = 0;
    char **out;
    apr_size_t i;

    while (environ != NULL && environ[count] != NULL) {
        count++;
    }
    out = apr_palloc(pool, (count + 1) * sizeof(*out));
    for (i = 0; i < count; i++) {
        if (is_kept(environ[i])) {
            out[kept++] = environ[i];
        }
    }
    out[kept] = NULL;
    return out;
}

static int set_actions(posix_spawn_file_actions_t *actions,
                       const pipes_t *pipes)
{
    int rv =
        posix_spawn_file_actions_adddup2(actions, pipes->fds[0][READ_END], 0);

    if (rv == 0) {
        rv = posix_spawn_file_actions_adddup2(actions, pipes->fds[1][WRITE_END],
                                              1);
    }
    if (rv == 0) {
        rv = posix_spawn_file_actions_adddup2(actions, pipes->fds[2][WRITE_END],
                                              2);
    }
    return rv;
}

/* Signals as a program expects them, whatever the caller does with them. */
static int set_attributes(posix_spawnattr_t *attributes)
{
    sigset_t none;
    sigset_t all;

    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_setsigmask(attributes, &none);
    posix_spawnattr_setsigdefault(attributes, &all);
    return posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETSIGMASK |
                                                    POSIX_SPAWN_SETSIGDEF);
}

static apr_status_t spawn(const amgr_fetch_process_t *process, pipes_t *pipes,
                          pid_t *out_pid, apr_pool_t *pool)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    int rv;

    rv = posix_spawn_file_actions_init(&actions);
    if (rv != 0) {
        return rv;
    }
    rv = posix_spawnattr_init(&attributes);
    if (rv == 0) {
        rv = set_actions(&actions, pipes);
        if (rv == 0) {
            rv = set_attributes(&attributes);
        }
        if (rv == 0) {
            /* It takes what it does not change without const. */
            rv = posix_spawn(out_pid, process->argv[0], &actions, &attributes,
                             (char *const *)process->argv,
                             make_environment(pool));
        }
        posix_spawnattr_destroy(&attributes);
    }
    posix_spawn_file_actions_destroy(&actions);
    close_end(&pipes->fds[0][READ_END]);
    close_end(&pipes->fds[1][WRITE_END]);
    close_end(&pipes->fds[2][WRITE_END]);
    return rv;
}

/* Room for another read and a NUL; 0: there is none. */
static int grow(heap_t *heap, apr_size_t max)
{
    apr_size_t size = heap->size == 0 ? CHUNK : heap->size * 2;
    char *data;

    if (heap->size - heap->used > 1) {
        return 1;
    }
    if (size > max + 2) {
        size = max + 2;
    }
    data = realloc(heap->data, size);
    if (data == NULL) {
        return 0;
    }
    heap->data = data;
    heap->size = size;
    return 1;
}

/* 0 when there is nothing more to come, or too much has. */
static int take_output(amgr_fetch_process_t *process, int fd, heap_t *heap)
{
    ssize_t n;

    if (heap->used > process->max_bytes || !grow(heap, process->max_bytes)) {
        process->too_long = 1;
        return 0;
    }
    n = read(fd, heap->data + heap->used, heap->size - heap->used - 1);
    if (n > 0) {
        heap->used += (apr_size_t)n;
    }
    return n > 0 || (n < 0 && errno == EINTR);
}

/* All is read, so that it is never held up; what has no room is dropped. */
static int take_complaint(amgr_fetch_process_t *process, int fd,
                          apr_size_t *used)
{
    char spill[256];
    apr_size_t room = sizeof(process->complaint) - 1 - *used;
    ssize_t n = room > 0 ? read(fd, process->complaint + *used, room)
                         : read(fd, spill, sizeof(spill));

    if (n > 0 && room > 0) {
        *used += (apr_size_t)n;
    }
    return n > 0 || (n < 0 && errno == EINTR);
}

/* Until it has closed both, or its time is over. */
static void listen_to(amgr_fetch_process_t *process, pipes_t *pipes,
                      heap_t *heap, apr_time_t end_us)
{
    struct pollfd fds[2] = {{pipes->fds[1][READ_END], POLLIN, 0},
                            {pipes->fds[2][READ_END], POLLIN, 0}};
    apr_size_t complaint_used = 0;

    while (fds[0].fd >= 0 || fds[1].fd >= 0) {
        apr_interval_time_t left_us = end_us - amgr_clock_monotonic_us();

        if (left_us <= 0) {
            process->late = 1;
            return;
        }
        if (poll(fds, 2, (int)(left_us / 1000) + 1) < 0 && errno != EINTR) {
            return;
        }
        if (fds[0].fd >= 0 && fds[0].revents != 0 &&
            !take_output(process, fds[0].fd, heap)) {
            fds[0].fd = -1;
        }
        if (fds[1].fd >= 0 && fds[1].revents != 0 &&
            !take_complaint(process, fds[1].fd, &complaint_used)) {
            fds[1].fd = -1;
        }
        if (process->too_long) {
            return;
        }
    }
}

/* Reap it: at once after a kill, else until its time is over, since it may have
 * closed what it writes to and go on. */
static void reap(amgr_fetch_process_t *process, pid_t pid, apr_time_t end_us)
{
    const struct timespec nap = {0, 1000000};
    int status = 0;
    pid_t got = 0;

    while (!process->late && !process->too_long) {
        got = waitpid(pid, &status, WNOHANG);
        if (got == pid || (got < 0 && errno != EINTR)) {
            break;
        }
        if (amgr_clock_monotonic_us() > end_us) {
            process->late = 1;
            break;
        }
        nanosleep(&nap, NULL);
    }
    if (got != pid) {
        kill(pid, SIGKILL);
        do {
            got = waitpid(pid, &status, 0);
        } while (got < 0 && errno == EINTR);
    }
    process->exit_code =
        got == pid && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void cut_complaint(amgr_fetch_process_t *process)
{
    char *at;

    process->complaint[strcspn(process->complaint, "\n")] = '\0';
    for (at = process->complaint; *at != '\0'; at++) {
        unsigned char byte = (unsigned char)*at;

        if (byte < 0x20 || byte == 0x7f) {
            *at = '?';
        }
    }
}

static apr_status_t run(amgr_fetch_process_t *process, pipes_t *pipes,
                        heap_t *heap, apr_pool_t *pool)
{
    apr_time_t end_us = amgr_clock_monotonic_us() + process->wait_us;
    apr_status_t rv = feed(pipes, process->input);
    pid_t pid = 0;

    if (rv == APR_SUCCESS) {
        rv = spawn(process, pipes, &pid, pool);
    }
    if (rv != APR_SUCCESS) {
        return rv;
    }
    listen_to(process, pipes, heap, end_us);
    reap(process, pid, end_us);
    cut_complaint(process);
    return APR_SUCCESS;
}

apr_status_t amgr_fetch_process_run(amgr_fetch_process_t *process,
                                    apr_pool_t *pool)
{
    heap_t *heap = apr_pcalloc(pool, sizeof(*heap));
    struct sigaction before;
    struct sigaction usual;
    pipes_t pipes;
    apr_status_t rv;

    apr_pool_cleanup_register(pool, heap, free_heap, apr_pool_cleanup_null);
    process->exit_code = -1;
    process->late = 0;
    process->too_long = 0;
    memset(process->complaint, 0, sizeof(process->complaint));
    rv = open_pipes(&pipes);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    /* Whoever started us may have had the kernel reap our children, and then
     * nobody knows how they ended. */
    memset(&usual, 0, sizeof(usual));
    usual.sa_handler = SIG_DFL;
    sigaction(SIGCHLD, &usual, &before);
    rv = run(process, &pipes, heap, pool);
    sigaction(SIGCHLD, &before, NULL);
    close_pipes(&pipes);
    process->output = "";
    process->length = heap->used;
    if (heap->used > 0) {
        heap->data[heap->used] = '\0';
        process->output = heap->data;
    }
    return rv;
}
