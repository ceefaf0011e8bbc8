/* SPDX-License-Identifier: Apache-2.0
 *
 * See attempt_program.h.
 */
#include "supervise/check/attempt_program.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/descriptors.h"

/** What is read at once, and how often once the program has ended: as much as
 * a pipe of the usual size can hold. */
#define CHUNK 4096
#define CHUNKS_AFTER_END 16

/** Where the program-to-be tells why it cannot be executed, and itself; both
 * are closed when it is. */
enum { ERROR_FD = STDERR_FILENO + 1, PROGRAM_FD };

/** A program whose end nobody tells has not ended well. */
#define NOT_KNOWN W_EXITCODE(127, 0)

enum { READ_END, WRITE_END };

/** Its pipes, and the line that has no end yet. */
typedef struct following_t {
    amgr_attempt_program_t *run;
    int input[2];
    int output[2];
    int error[2];
    apr_size_t used; /**< of the line */
    char line[AMGR_ATTEMPT_TEXT_LEN + 1];
} following_t;

static void close_fd(int *fd)
{
    if (*fd >= 0) {
        close(*fd);
        *fd = -1;
    }
}

/* 0, or an errno; whatever is open then is closed with the attempt. */
static int open_pipes(following_t *following)
{
    if (pipe2(following->output, O_CLOEXEC) != 0 ||
        pipe2(following->error, O_CLOEXEC) != 0 ||
        fcntl(following->output[READ_END], F_SETFL, O_NONBLOCK) != 0) {
        return errno;
    }
    if (following->run->input != NULL &&
        pipe2(following->input, O_CLOEXEC) != 0) {
        return errno;
    }
    return 0;
}

/* To its place, by way of one where nothing is in the way. */
static int move(int from, int to, int flags)
{
    int aside = fcntl(from, F_DUPFD_CLOEXEC, PROGRAM_FD + 1);

    return aside < 0 || dup3(aside, to, flags) < 0 ? errno : 0;
}

static int arrange(const following_t *following)
{
    int program_fd = following->run->program_fd;
    int error = 0;

    if (following->run->input != NULL) {
        error = move(following->input[READ_END], STDIN_FILENO, 0);
    }
    if (error == 0) {
        error = move(following->output[WRITE_END], STDOUT_FILENO, 0);
    }
    if (error == 0 && dup2(STDOUT_FILENO, STDERR_FILENO) < 0) {
        error = errno;
    }
    if (error == 0 && program_fd >= 0 && program_fd != PROGRAM_FD) {
        error = move(program_fd, PROGRAM_FD, O_CLOEXEC);
    }
    amgr_descriptors_close(program_fd >= 0 ? PROGRAM_FD + 1 : PROGRAM_FD,
                           INT_MAX);
    return error;
}

static void become_program(const following_t *following, pid_t attempt)
    __attribute__((noreturn));

static void become_program(const following_t *following, pid_t attempt)
{
    const amgr_attempt_program_t *run = following->run;
    ssize_t written;
    int error;

    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != attempt) {
        _exit(127);
    }
    error = move(following->error[WRITE_END], ERROR_FD, O_CLOEXEC);
    if (error != 0) {
        _exit(127);
    }
    error = arrange(following);
    amgr_attempt_reset_signals();
    if (error == 0) {
        if (run->program_fd >= 0) {
            execveat(PROGRAM_FD, "", run->argv, environ, AT_EMPTY_PATH);
        }
        else {
            execvp(run->argv[0], run->argv);
        }
        error = errno;
    }
    written = write(ERROR_FD, &error, sizeof(error));
    (void)written; /* the exit code says that much */
    _exit(127);
}

static void end_line(following_t *following)
{
    if (following->used > 0) {
        memcpy(following->run->line, following->line, following->used);
        following->run->line[following->used] = '\0';
        following->used = 0;
    }
}

static void take(following_t *following, const char *data, apr_size_t len)
{
    amgr_attempt_program_t *run = following->run;
    apr_size_t room = AMGR_ATTEMPT_HEAD_LEN - run->head_len;
    apr_size_t i;

    if (room > len) {
        room = len;
    }
    memcpy(run->head + run->head_len, data, room);
    run->head_len += room;
    for (i = 0; i < len; i++) {
        if (data[i] == '\n' || data[i] == '\r' || data[i] == '\0') {
            end_line(following);
        }
        else if (following->used < sizeof(following->line) - 1) {
            following->line[following->used++] = data[i];
        }
    }
}

/* 0: there is no more now. */
static int read_some(following_t *following)
{
    char data[CHUNK];
    ssize_t len = read(following->output[READ_END], data, sizeof(data));

    if (len > 0) {
        take(following, data, (apr_size_t)len);
        return 1;
    }
    if (len == 0 || (errno != EAGAIN && errno != EINTR)) {
        close_fd(&following->output[READ_END]);
    }
    return 0;
}

/* It only has to interrupt ppoll(2). */
static void on_signal(int number)
{
    (void)number; /* whoever waits looks for himself */
}

/* Both are heard only in ppoll(2), and the supervisor's end is one of them from
 * here on. */
static void hear_signals(sigset_t *out_waiting)
{
    struct sigaction action = {.sa_handler = on_signal};
    sigset_t blocked;

    sigemptyset(&blocked);
    sigaddset(&blocked, SIGCHLD);
    sigaddset(&blocked, SIGTERM);
    sigprocmask(SIG_BLOCK, &blocked, out_waiting);
    sigaction(SIGCHLD, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    signal(SIGPIPE, SIG_IGN);
    prctl(PR_SET_PDEATHSIG, SIGTERM); /* no such signal: its only error */
}

/* The program may have children, whom no signal of a parent's death reaches; it
 * reaches us, and we are in one group with them.  A SIGTERM of anybody else's,
 * such as a script's own `kill 0`, is not our end. */
static void end_with_supervisor(const amgr_attempt_program_t *run)
{
    if (getppid() != run->supervisor) {
        kill(0, SIGKILL);
    }
}

static void follow(following_t *following, pid_t pid, const sigset_t *waiting)
{
    struct pollfd entry;
    int i;

    for (;;) {
        end_with_supervisor(following->run);
        entry.fd = following->output[READ_END]; /* -1 is left out */
        entry.events = POLLIN;
        entry.revents = 0;
        if (ppoll(&entry, 1, NULL, waiting) > 0) {
            read_some(following);
        }
        if (waitpid(pid, &following->run->status, WNOHANG) != 0) {
            break;
        }
    }
    for (i = 0; i < CHUNKS_AFTER_END && following->output[READ_END] >= 0; i++) {
        if (!read_some(following)) {
            break;
        }
    }
    end_line(following);
}

/* Whether it reads it all is its own business. */
static void feed(following_t *following)
{
    const char *at = following->run->input;
    apr_size_t len = at == NULL ? 0 : strlen(at);

    close_fd(&following->input[READ_END]);
    while (len > 0) {
        ssize_t n = write(following->input[WRITE_END], at, len);

        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            break;
        }
        at += n;
        len -= (apr_size_t)n;
    }
    close_fd(&following->input[WRITE_END]);
}

void amgr_attempt_program_run(amgr_attempt_program_t *run)
{
    following_t following = {run, {-1, -1}, {-1, -1}, {-1, -1}, 0, ""};
    pid_t attempt = getpid();
    sigset_t waiting;
    pid_t pid;

    run->head_len = 0;
    run->line[0] = '\0';
    run->status = NOT_KNOWN;
    run->error = open_pipes(&following);
    if (run->error != 0) {
        return;
    }
    hear_signals(&waiting);
    pid = fork();
    if (pid == 0) {
        become_program(&following, attempt);
    }
    if (pid < 0) {
        run->error = errno;
        return;
    }
    close_fd(&following.output[WRITE_END]);
    close_fd(&following.error[WRITE_END]);
    feed(&following);
    follow(&following, pid, &waiting);
    run->head[run->head_len] = '\0';
    if (read(following.error[READ_END], &run->error, sizeof(run->error)) !=
        (ssize_t)sizeof(run->error)) {
        run->error = 0;
    }
}
