/* SPDX-License-Identifier: Apache-2.0
 *
 * Any bytes as what comes through the pipes and sockets among supervisor,
 * guards, launches, attempts and the programs of verifiers: an event of a
 * guard, the report of a launch, what an attempt says, what a program prints.
 * Checked besides memory: what is taken is in range and ends, what is shown is
 * one clean line that fits, and of a program's output head and last line are
 * those that a plain reading finds.
 */
#include "fuzz.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "supervise/check/attempt_program.h"
#include "supervise/guard/launch.h"

#define PROGRAM_PID 12345

int __real_pipe2(int ends[2], int flags);
int __wrap_pipe2(int ends[2], int flags);
pid_t __real_fork(void);
pid_t __wrap_fork(void);
int __wrap_ppoll(struct pollfd *rows, nfds_t count, const struct timespec *span,
                 const sigset_t *mask);
pid_t __wrap_waitpid(pid_t pid, int *status, int options);
pid_t __wrap_getppid(void);
int __wrap_prctl(int option, ...);
int __real_sigprocmask(int how, const sigset_t *set, sigset_t *old);
int __wrap_sigprocmask(int how, const sigset_t *set, sigset_t *old);
int __real_sigaction(int sig, const struct sigaction *action,
                     struct sigaction *old);
int __wrap_sigaction(int sig, const struct sigaction *action,
                     struct sigaction *old);
__sighandler_t __wrap_signal(int sig, __sighandler_t handler);

/** A program: what it prints in which pieces, and how it ends. */
static struct {
    int runs; /**< in the attempt that is waited for */
    int ends[3][2];
    int opened;
    fuzz_t output;
    size_t piece;
    int status;
    int error; /**< it could not be executed */
} program;

int __wrap_pipe2(int ends[2], int flags)
{
    int rv = __real_pipe2(ends, flags);

    if (program.runs && rv == 0 && program.opened < 3) {
        memcpy(program.ends[program.opened++], ends, sizeof(program.ends[0]));
    }
    return rv;
}

/* The child is this file. */
pid_t __wrap_fork(void)
{
    int i;

    if (!program.runs) {
        return __real_fork();
    }
    check(program.opened == 2); /* output, and why it was not executed */
    for (i = 0; i < 2; i++) {
        program.ends[i][1] = dup(program.ends[i][1]);
        check(program.ends[i][1] >= 0);
    }
    if (program.error != 0) {
        check(write(program.ends[1][1], &program.error,
                    sizeof(program.error)) == sizeof(program.error));
    }
    close(program.ends[1][1]);
    return PROGRAM_PID;
}

int __wrap_ppoll(struct pollfd *rows, nfds_t count, const struct timespec *span,
                 const sigset_t *mask)
{
    size_t len = fuzz_left(&program.output);

    (void)mask; /* no signal comes */
    check(program.runs && count == 1 && span == NULL);
    len = program.piece > 0 && len > program.piece ? program.piece : len;
    len = len > 4096 ? 4096 : len;
    if (len > 0 && program.ends[0][1] >= 0) {
        check(write(program.ends[0][1], program.output.at, len) ==
              (ssize_t)len);
        program.output.at += len;
    }
    rows->revents = POLLIN;
    return 1;
}

pid_t __wrap_waitpid(pid_t pid, int *status, int options)
{
    check(program.runs && pid == PROGRAM_PID && options == WNOHANG);
    if (fuzz_left(&program.output) > 0) {
        return 0;
    }
    if (program.ends[0][1] >= 0) {
        close(program.ends[0][1]);
        program.ends[0][1] = -1;
    }
    *status = program.status;
    return pid;
}

pid_t __wrap_getppid(void)
{
    return 1;
}

int __wrap_prctl(int option, ...)
{
    (void)option;
    return 0;
}

int __wrap_sigprocmask(int how, const sigset_t *set, sigset_t *old)
{
    return program.runs ? 0 : __real_sigprocmask(how, set, old);
}

int __wrap_sigaction(int sig, const struct sigaction *action,
                     struct sigaction *old)
{
    return program.runs ? 0 : __real_sigaction(sig, action, old);
}

__sighandler_t __wrap_signal(int sig, __sighandler_t handler)
{
    (void)sig; /* nobody writes to a pipe without reader */
    (void)handler;
    return SIG_DFL;
}

/* ---- what is read at once ----------------------------------------------- */

static void check_event(const uint8_t *data, size_t size)
{
    amgr_guard_event_t event;
    amgr_guard_t guard = {PROGRAM_PID, -1};
    apr_status_t rv;
    int ends[2];

    check(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) == 0);
    check(size > 8192 || send(ends[0], data, size, 0) == (ssize_t)size);
    close(ends[0]);
    guard.fd = ends[1];
    memset(&event, 0x5a, sizeof(event));
    rv = amgr_guard_receive(&guard, &event);
    check(rv == (rv == APR_SUCCESS ? APR_SUCCESS : APR_EOF));
    check(rv != APR_SUCCESS || size == sizeof(event));
    if (rv == APR_SUCCESS) {
        check(event.type >= 0 && event.type < AMGR_GUARD_EVENT_COUNT);
        check(event.stage >= 0 && event.stage < AMGR_LAUNCH_STAGE_COUNT);
        check(memchr(event.text, '\0', sizeof(event.text)) != NULL);
        check(amgr_launch_text(event.stage)[0] != '\0');
    }
    amgr_guard_close(&guard);
    check(guard.fd == -1 && amgr_guard_receive(&guard, &event) == APR_EOF);
}

/* The reading end of a pipe with these bytes in it and nobody to write more. */
static int make_pipe(const uint8_t *data, size_t size)
{
    int ends[2];

    size = size > 8192 ? 8192 : size;
    check(__real_pipe2(ends, O_CLOEXEC | O_NONBLOCK) == 0);
    check(write(ends[1], data, size) == (ssize_t)size);
    close(ends[1]);
    return ends[0];
}

static void check_launch(const uint8_t *data, size_t size)
{
    amgr_launch_fault_t fault;
    int fd = make_pipe(data, size);
    apr_status_t rv = amgr_launch_report(fd, &fault);

    check(rv == APR_SUCCESS || rv == APR_EOF);
    if (rv == APR_SUCCESS) {
        check(fault.stage > AMGR_LAUNCH_FINE &&
              fault.stage < AMGR_LAUNCH_STAGE_COUNT);
        check(memchr(fault.text, '\0', sizeof(fault.text)) != NULL);
    }
    close(fd);
}

static void check_attempt(const uint8_t *data, size_t size, size_t room)
{
    char *text = malloc(room);

    check(text != NULL);
    memset(text, 0x5a, room);
    amgr_attempt_hear(make_pipe(data, size), text, room);
    check(memchr(text, '\0', room) != NULL);
    check_line_text(text);
    check_utf8(text);
    check(size > 0 || text[0] == '\0');
    free(text);
}

/* ---- what a program prints ---------------------------------------------- */

/* The last line that is not empty, cut as it is kept. */
static void find_line(const uint8_t *data, size_t size, char *out)
{
    size_t len = 0;
    size_t i;

    out[0] = '\0';
    for (i = 0; i <= size; i++) {
        int is_end =
            i == size || data[i] == '\n' || data[i] == '\r' || data[i] == '\0';

        if (is_end && len > 0) {
            size_t kept =
                len > AMGR_ATTEMPT_TEXT_LEN ? AMGR_ATTEMPT_TEXT_LEN : len;

            memcpy(out, data + i - len, kept);
            out[kept] = '\0';
        }
        len = is_end ? 0 : len + 1;
    }
}

static void run_program(const uint8_t *data, size_t size)
{
    static char name[] = "/bin/verifier";
    static char *argv[] = {name, NULL};
    char line[AMGR_ATTEMPT_TEXT_LEN + 1];
    amgr_attempt_program_t *run = malloc(sizeof(*run));

    check(run != NULL);
    memset(run, 0x5a, sizeof(*run));
    run->argv = argv;
    run->program_fd = -1;
    run->input = NULL;
    run->supervisor = 1;
    program.opened = 0;
    program.output.at = data;
    program.output.end = data + size;
    program.runs = 1;
    amgr_attempt_program_run(run);
    program.runs = 0;
    close(program.ends[0][0]); /* the attempt's, which would have ended */
    close(program.ends[1][0]);
    check(run->error == program.error && run->status == program.status);
    check(
        run->head_len ==
        (size < AMGR_ATTEMPT_HEAD_LEN ? size : (size_t)AMGR_ATTEMPT_HEAD_LEN));
    check(run->head[run->head_len] == '\0' &&
          memcmp(run->head, data, run->head_len) == 0);
    find_line(data, size, line);
    check(strcmp(run->line, line) == 0);
    free(run);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_t in = {data, data + size};
    size_t room = 1 + (size_t)fuzz_below(&in, 256);

    program.piece = (size_t)fuzz_below(&in, 128);
    program.status = fuzz_below(&in, 4) << 8;
    program.error = program.status == 3 << 8 ? ENOENT : 0;
    check_event(in.at, fuzz_left(&in));
    check_launch(in.at, fuzz_left(&in));
    check_attempt(in.at, fuzz_left(&in), room);
    run_program(in.at, fuzz_left(&in));
    return 0;
}
