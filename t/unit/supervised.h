/* SPDX-License-Identifier: Apache-2.0
 *
 * A real supervisor in a process of its own, with an invented board and small
 * real processes, for the tests of it.  Whatever a test leaves running ends
 * with its supervisor, and that with the test.
 */
#ifndef AMGR_SUPERVISED_H
#define AMGR_SUPERVISED_H

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <apr_general.h>
#include <apr_strings.h>

#include "invented_board.h"
#include "scratch.h"

#include "base/clock.h"
#include "proc/proc_control.h"
#include "supervise/supervisor.h"

#define WAIT_US (8 * SEC)

typedef struct supervised_t {
    apr_pool_t *pool;
    amgr_board_t *board;
    apr_size_t board_size;
    pid_t parent; /* of the supervisor */
    pid_t pid;    /* of the supervisor; 0: there is none */
    int fd;       /* to it */
    int wait_fd;  /* hangs up when nothing of it is left */
    int log_fd;
    int is_syslog; /* the error log has no descriptor to hand on */
    int log_from;  /* the next supervisor has it there or above; 0: as we do */
    char dir[SCRATCH_SIZE];     /* var in it is for everybody */
    const char *lock_file;      /* of the next supervisor; NULL: none */
    int is_short;               /* it can open no more than so many files, */
    int spare;                  /* if is_short */
    amgr_managed_table_t table; /* as last read */
} supervised_t;

static void say_line(void *baton, int what, int level, int error,
                     const char *text)
{
    char line[1400];
    int len =
        snprintf(line, sizeof(line), "[%d] %s%s%s\n", level, text,
                 error == 0 ? "" : ": ", error == 0 ? "" : strerror(error));

    (void)what; /* lines are told by their text */
    if (write(*(const int *)baton, line, (size_t)len) < 0) {
        _exit(3);
    }
}

/* From now on so many more can be opened. */
static inline void leave_descriptors(int spare)
{
    struct rlimit limit;
    int fd = 0;

    for (; spare >= 0; fd++) {
        spare -= fcntl(fd, F_GETFD) < 0;
    }
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = (rlim_t)fd - 1;
    setrlimit(RLIMIT_NOFILE, &limit);
}

static inline int log_of_supervisor(const supervised_t *s)
{
    if (s->is_syslog) {
        return -1;
    }
    return s->log_from == 0 ? s->log_fd
                            : fcntl(s->log_fd, F_DUPFD_CLOEXEC, s->log_from);
}

static inline void become_supervisor(supervised_t *s, int fd, int hold_fd,
                                     int wait_fd)
{
    static char user[32];
    amgr_supervisor_setup_t setup;
    amgr_teller_t teller = {say_line, &s->log_fd};

    snprintf(user, sizeof(user), "#%lu",
             geteuid() == 0 ? 65534UL : (unsigned long)geteuid());
    memset(&setup, 0, sizeof(setup));
    setup.parent = getppid();
    setup.parent_fd = fd;
    setup.wait_fd = wait_fd;
    setup.board = s->board;
    setup.lock_file = s->lock_file;
    setup.guard.teller = teller;
    setup.guard.log_fd = log_of_supervisor(s);
    setup.guard.hold_fd = hold_fd;
    setup.guard.default_user = user;
    setup.guard.default_group = geteuid() == 0 ? "#65534" : NULL;
    setup.check.teller = teller;
    setup.check.fetch_program = "/nonexistent";
    setup.check.default_user = user;
    setup.check.default_group = setup.guard.default_group;
    setup.patience_us = SEC / 2;
    setup.away_us = 2 * SEC;
    if (s->is_short) {
        if (wait_fd >= 0) { /* it is closed, and is no spare one then */
            setup.wait_fd = fcntl(wait_fd, F_DUPFD_CLOEXEC, 512);
            close(wait_fd);
        }
        leave_descriptors(s->spare);
    }
    amgr_supervisor_run(&setup);
}

/* Fork one; the next of two waits for the end of what the first has left. */
static inline void start_supervisor(supervised_t *s)
{
    static const int on = 1;
    int pair[2];
    int hold[2];
    int last = s->wait_fd;

    assert_int_equal(
        socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
    assert_int_equal(pipe2(hold, O_CLOEXEC), 0);
    setsockopt(pair[1], SOL_SOCKET, SO_PASSCRED, &on, sizeof(on));
    s->pid = fork();
    assert_true(s->pid >= 0);
    if (s->pid == 0) {
        close(pair[0]);
        close(hold[0]);
        if (s->fd >= 0) {
            close(s->fd);
        }
        become_supervisor(s, pair[1], hold[1], last);
    }
    close(pair[1]);
    close(hold[1]);
    if (last >= 0) {
        close(last);
    }
    if (s->fd >= 0) {
        close(s->fd);
    }
    s->parent = getpid();
    s->fd = pair[0];
    s->wait_fd = hold[0];
}

static inline int supervised_setup(void **state)
{
    supervised_t *s = test_calloc(1, sizeof(*s));
    char path[96];

    apr_pool_create(&s->pool, NULL);
    s->board = map_board(&dims, &s->board_size);
    assert_int_equal(scratch_make(s->dir, 0755), 0);
    snprintf(path, sizeof(path), "%s/var", s->dir);
    assert_int_equal(mkdir(path, 0777), 0);
    assert_int_equal(chmod(path, 0777), 0); /* its processes are others' */
    snprintf(path, sizeof(path), "%s/log", s->dir);
    s->log_fd = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    assert_true(s->log_fd >= 0);
    s->fd = s->wait_fd = -1;
    start_supervisor(s);
    *state = s;
    return 0;
}

/* Without a word: its guards end what they have. */
static inline void kill_supervisor(supervised_t *s)
{
    if (s->pid > 0 && s->parent == getpid()) {
        kill(s->pid, SIGKILL); /* our child, not reaped */
        waitpid(s->pid, NULL, 0);
    }
    s->pid = 0;
}

static inline int supervised_teardown(void **state)
{
    supervised_t *s = *state;
    char command[96];

    kill_supervisor(s);
    close(s->fd);
    close(s->wait_fd);
    close(s->log_fd);
    munmap(s->board, s->board_size);
    apr_pool_destroy(s->pool);
    snprintf(command, sizeof(command), "rm -rf %s", s->dir);
    assert_int_equal(system(command), 0);
    test_free(s);
    return 0;
}

/* One argument, which ' ' may keep together; NULL at the end of the line. */
static inline char *next_argument(char **cursor)
{
    char *at = *cursor + strspn(*cursor, " ");
    char end = ' ';
    char *begin;

    if (*at == '\0') {
        return NULL;
    }
    if (*at == '\'') {
        end = *at++;
    }
    begin = at;
    at += strcspn(at, end == ' ' ? " " : "'");
    if (*at != '\0') {
        *at++ = '\0';
    }
    *cursor = at;
    return begin;
}

static inline void add_line(supervised_t *s, amgr_spec_t **spec, char *line)
{
    const char *argv[16];
    const char *wrong;
    char *word;
    int argc = 0;

    while (argc < 16 && (word = next_argument(&line)) != NULL) {
        argv[argc++] = word;
    }
    if (argc == 1) { /* a name alone begins a section */
        wrong = amgr_spec_create(argv[0], spec, s->pool);
    }
    else {
        wrong =
            amgr_spec_add(*spec, argv[0], argc - 1, argv + 1, NULL, s->pool);
    }
    if (wrong != NULL) {
        fail_msg("%s", wrong);
    }
}

/* Sections: a line with a name, and one for each directive.  How many. */
static inline int read_specs(supervised_t *s, const char *text,
                             const amgr_spec_t **out)
{
    char *copy = apr_pstrdup(s->pool, text);
    amgr_spec_t *spec = NULL;
    amgr_spec_t *before;
    char *cursor = NULL;
    const char *wrong;
    int count = 0;
    char *line;
    int i;

    for (line = apr_strtok(copy, "\n", &cursor); line != NULL;
         line = apr_strtok(NULL, "\n", &cursor)) {
        before = spec;
        add_line(s, &spec, line);
        if (spec != before) {
            out[count++] = spec;
        }
    }
    for (i = 0; i < count; i++) {
        wrong = amgr_spec_finish((amgr_spec_t *)out[i], s->pool);
        if (wrong != NULL) {
            fail_msg("%s", wrong);
        }
    }
    return count;
}

static inline void send_message(const supervised_t *s,
                                const amgr_parent_message_t *message,
                                const int *fds, int count)
{
    _Alignas(struct cmsghdr) char control[CMSG_SPACE(16 * sizeof(int))] = {0};
    struct iovec part = {(void *)message, sizeof(*message)};
    struct msghdr sent = {.msg_iov = &part, .msg_iovlen = 1};
    struct cmsghdr *header;

    if (count > 0) {
        sent.msg_control = control;
        sent.msg_controllen = CMSG_SPACE((size_t)count * sizeof(int));
        header = CMSG_FIRSTHDR(&sent);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN((size_t)count * sizeof(int));
        memcpy(CMSG_DATA(header), fds, (size_t)count * sizeof(int));
    }
    assert_int_equal(sendmsg(s->fd, &sent, MSG_NOSIGNAL), sizeof(*message));
}

static inline amgr_parent_message_t message_of(const supervised_t *s, int word)
{
    amgr_parent_message_t message = {
        .version = AMGR_PARENT_VERSION, .size = sizeof(message), .word = word};

    if (word == AMGR_PARENT_APPLY) {
        snprintf(message.socket, sizeof(message.socket), "%s/socket", s->dir);
    }
    return message;
}

/* A configuration with its options, as the parent sends it. */
static inline void apply_with(supervised_t *s, const char *text,
                              amgr_parent_message_t message)
{
    const amgr_spec_t *specs[AMGR_MANAGED_MAX];
    static char bytes[1 << 20];
    amgr_sink_t sink;
    int fds[2];
    int count = read_specs(s, text, specs);

    amgr_sink_init(&sink, bytes, sizeof(bytes), NULL, NULL);
    amgr_specs_pack(specs, count, &sink);
    assert_int_equal(sink.status, APR_SUCCESS);
    fds[0] = memfd_create("specs", MFD_CLOEXEC);
    assert_int_equal(write(fds[0], bytes, sink.used), sink.used);
    fds[1] = s->log_fd;
    message.bytes = sink.used;
    send_message(s, &message, fds, s->is_syslog ? 1 : 2);
    close(fds[0]);
}

static inline void apply(supervised_t *s, const char *text)
{
    apply_with(s, text, message_of(s, AMGR_PARENT_APPLY));
}

static inline void tell_end(supervised_t *s)
{
    amgr_parent_message_t message = message_of(s, AMGR_PARENT_END);

    send_message(s, &message, NULL, 0);
}

/* The row of @a name as of now; NULL: there is none. */
static inline const amgr_managed_t *row(supervised_t *s, const char *name)
{
    if (amgr_board_read_managed(s->board, &s->table) == APR_NOTFOUND) {
        return NULL;
    }
    return amgr_managed_find(&s->table, name);
}

/* Everything that was said. */
static inline const char *logged(const supervised_t *s)
{
    static char text[1 << 18];
    ssize_t len = pread(s->log_fd, text, sizeof(text) - 1, 0);

    text[len < 0 ? 0 : len] = '\0';
    return text;
}

static inline int count_logged(const supervised_t *s, const char *what)
{
    const char *at = logged(s);
    int count = 0;

    while ((at = strstr(at, what)) != NULL) {
        count++;
        at += strlen(what);
    }
    return count;
}

/* Polls until @a condition holds, with a deadline. */
#define WAIT_UNTIL(s, condition)                                    \
    do {                                                            \
        apr_time_t until_us_ = amgr_clock_monotonic_us() + WAIT_US; \
        while (!(condition)) {                                      \
            if (amgr_clock_monotonic_us() > until_us_) {            \
                fail_msg("never: %s\n%s", #condition, logged(s));   \
            }                                                       \
            usleep(2000);                                           \
        }                                                           \
    } while (0)

static inline int is_in(supervised_t *s, const char *name, int wanted)
{
    const amgr_managed_t *found = row(s, name);

    return found != NULL && found->state == wanted;
}

static inline amgr_managed_t wait_state(supervised_t *s, const char *name,
                                        int wanted)
{
    WAIT_UNTIL(s, is_in(s, name, wanted));
    return *row(s, name);
}

static inline int is_ended(supervised_t *s)
{
    if (s->pid != 0 && waitpid(s->pid, NULL, WNOHANG) == s->pid) {
        s->pid = 0;
    }
    return s->pid == 0;
}

/* Whether a process is gone, a zombie counting as that. */
static inline int is_gone(pid_t pid, apr_uint64_t start_ticks)
{
    amgr_proc_id_t id = {pid, start_ticks};
    amgr_proc_dir_t proc;
    int alive;

    assert_int_equal(amgr_proc_dir_open(&proc, "/proc"), APR_SUCCESS);
    alive = amgr_proc_is_alive(&proc, &id);
    amgr_proc_dir_close(&proc);
    return !alive;
}

/* A process of which only the pid is known, while it lives. */
static inline amgr_proc_id_t id_of(pid_t pid)
{
    amgr_proc_id_t id = {0, 0};
    amgr_proc_dir_t proc;

    assert_int_equal(amgr_proc_dir_open(&proc, "/proc"), APR_SUCCESS);
    assert_int_equal(amgr_proc_read_id(&proc, pid, &id), APR_SUCCESS);
    amgr_proc_dir_close(&proc);
    return id;
}

#define SUPERVISED(test) \
    cmocka_unit_test_setup_teardown(test, supervised_setup, supervised_teardown)

#endif
