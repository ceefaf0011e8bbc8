/* SPDX-License-Identifier: Apache-2.0 */
#include "load_run.h"
#include "load_answer.h"
#include "load_wire.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

enum {
    REQUEST_BYTES = 2048,
    READ_BYTES = 65536,
    EVENTS = 64,
    /* After a failure, so that a dead server is not asked in a tight loop. */
    PAUSE_US = 10000
};

typedef enum state_e {
    STATE_REST, /* no request: until due_us, with or without a connection */
    STATE_SHAKE,
    STATE_ASK,
    STATE_ANSWER,
    STATE_OVER
} state_e;

typedef struct conn_t {
    load_wire_t wire;
    load_mode_e mode;
    state_e state;
    uint64_t due_us; /* end of the rest, or of the server's time */
    uint32_t watched;
    int path;
    int is_retry;
    uint64_t serial;
    uint64_t begun_us;
    uint64_t answered; /* requests, on this connection */
    size_t size;
    size_t sent;
    char request[REQUEST_BYTES];
    load_answer_t answer;
} conn_t;

static struct {
    load_plan_t *plan;
    uint64_t random;
    uint64_t begun_us;
    int is_ending;
    int epoll;
    int conns;
    conn_t conn[LOAD_CONNECTIONS];
} load;
static uint64_t now_us(clockid_t clock)
{
    struct timespec now;

    clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static int next_path(void)
{
    uint64_t at;
    int i;

    /* xorshift: the same requests in the same order at every run. */
    load.random ^= load.random << 13;
    load.random ^= load.random >> 7;
    load.random ^= load.random << 17;
    at = load.random % load.plan->weights;
    for (i = 0; i < load.plan->stats.paths - 1; i++) {
        if (at < load.plan->stats.path[i].weight)
            break;
        at -= load.plan->stats.path[i].weight;
    }
    return i;
}

static void watch(conn_t *conn)
{
    uint32_t events = EPOLLIN | (conn->wire.wants_write ? EPOLLOUT : 0u);
    struct epoll_event event = {.events = events, .data.ptr = conn};
    int what = conn->watched ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;

    if (conn->watched == events)
        return;
    if (epoll_ctl(load.epoll, what, conn->wire.fd, &event) != 0)
        load_die("epoll_ctl: %s", strerror(errno));
    conn->watched = events;
}

static void hang_up(conn_t *conn)
{
    load_wire_close(&conn->wire);
    conn->watched = 0;
    conn->answered = 0;
}

static void rest(conn_t *conn, uint64_t time_us)
{
    conn->state = STATE_REST;
    conn->due_us = now_us(CLOCK_MONOTONIC) + time_us;
}

static void fail(conn_t *conn, load_hard_e kind, int error, const char *detail)
{
    load_failure_t failure = {
        .kind = kind,
        .path = conn->path,
        .status = conn->answer.status,
        .error = error,
        .is_retry = conn->is_retry,
        .bytes = conn->answer.received_bytes,
        .after = conn->answered,
        .time_sec = (double)now_us(CLOCK_REALTIME) / 1e6,
        .detail = detail,
    };

    load_stats_hard(&load.plan->stats, &failure);
    hang_up(conn);
    rest(conn, PAUSE_US);
}

static void ask(conn_t *conn);

/* Over a new connection. */
static void connect_and_ask(conn_t *conn)
{
    load.plan->stats.connections++;
    conn->state = STATE_SHAKE;
    if (load_wire_open(&conn->wire, load.plan->port, load.plan->tls) ==
        LOAD_IO_ERROR)
        fail(conn, LOAD_HARD_CONNECT, conn->wire.error, NULL);
    else
        watch(conn);
}

/* The connection ended, or broke with an error, under a request. */
static void lost(conn_t *conn, int error)
{
    if (conn->answer.received_bytes > 0) {
        fail(conn, LOAD_HARD_TRUNCATED, error, NULL);
    }
    else if (conn->answered > 0) {
        load.plan->stats.stale++;
        hang_up(conn);
        conn->is_retry = 1;
        conn->sent = 0;
        connect_and_ask(conn);
    }
    else {
        fail(conn, error ? LOAD_HARD_RESET : LOAD_HARD_EOF, error, NULL);
    }
}

static void shake(conn_t *conn)
{
    switch (load_wire_shake(&conn->wire)) {
    case LOAD_IO_DONE:
        ask(conn);
        break;
    case LOAD_IO_AGAIN:
        watch(conn);
        break;
    case LOAD_IO_END:
        fail(conn, LOAD_HARD_EOF, 0, "instead of TLS");
        break;
    default:
        fail(conn,
             conn->wire.error == EPROTO ? LOAD_HARD_TLS : LOAD_HARD_CONNECT,
             conn->wire.error, NULL);
    }
}

static void ask(conn_t *conn)
{
    conn->state = STATE_ASK;
    while (conn->sent < conn->size) {
        size_t moved = 0;

        switch (load_wire_write(&conn->wire, conn->request + conn->sent,
                                conn->size - conn->sent, &moved)) {
        case LOAD_IO_DONE:
            conn->sent += moved;
            break;
        case LOAD_IO_AGAIN:
            watch(conn);
            return;
        case LOAD_IO_END:
            lost(conn, 0);
            return;
        default:
            lost(conn, conn->wire.error);
            return;
        }
    }
    conn->state = STATE_ANSWER;
    conn->wire.wants_write = 0;
    watch(conn);
}

static void start_request(conn_t *conn)
{
    const load_path_t *path;
    int size;

    if (load.is_ending) {
        hang_up(conn);
        conn->state = STATE_OVER;
        return;
    }
    load.plan->stats.begun++;
    if (load.plan->stats.begun == load.plan->most_requests)
        load.is_ending = 1;
    conn->path = next_path();
    conn->serial = load.plan->stats.begun;
    conn->is_retry = 0;
    conn->sent = 0;
    conn->begun_us = now_us(CLOCK_MONOTONIC);
    conn->due_us = conn->begun_us + load.plan->timeout_us;
    load_answer_init(&conn->answer);
    path = &load.plan->stats.path[conn->path];
    size =
        snprintf(conn->request, sizeof conn->request,
                 "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%u\r\n"
                 "X-Serial: %" PRIu64 "\r\n%s\r\n",
                 path->path, load.plan->port, conn->serial,
                 conn->mode == LOAD_MODE_FRESH ? "Connection: close\r\n" : "");
    if (size < 0 || (size_t)size >= sizeof conn->request)
        load_die("the path %s is too long", path->path);
    conn->size = (size_t)size;
    if (conn->wire.fd < 0)
        connect_and_ask(conn);
    else
        ask(conn);
}

/* What is wrong with a whole answer of status 200, or NULL. */
static const char *wrong_body(const conn_t *conn)
{
    const load_answer_t *answer = &conn->answer;
    const load_path_t *path = &load.plan->stats.path[conn->path];
    uint64_t bytes =
        path->is_known ? path->body_bytes : answer->check.body_bytes;
    uint32_t crc = path->is_known ? path->crc : answer->check.crc;

    if (!path->is_known && !answer->check.is_given)
        return "nothing to check it against";
    if (answer->check.is_given && answer->check.serial != conn->serial)
        return "the answer to another request";
    if (answer->body_bytes != bytes)
        return "another length";
    return answer->crc != crc ? "another checksum" : NULL;
}

static void end_request(conn_t *conn)
{
    const load_answer_t *answer = &conn->answer;
    const char *wrong;

    if (answer->status != 200) {
        fail(conn, LOAD_HARD_STATUS, 0, NULL);
        return;
    }
    wrong = wrong_body(conn);
    if (wrong) {
        fail(conn, LOAD_HARD_BODY, 0, wrong);
        return;
    }
    load.plan->stats.body_bytes += answer->body_bytes;
    load_stats_ok(&load.plan->stats, conn->path,
                  now_us(CLOCK_MONOTONIC) - conn->begun_us);
    conn->answered++;
    if (answer->says_close)
        load.plan->stats.said_close++;
    if (conn->mode == LOAD_MODE_FRESH || answer->says_close)
        hang_up(conn);
    rest(conn, conn->mode == LOAD_MODE_THINK ? load.plan->think_us : 0);
}

static void read_answer(conn_t *conn)
{
    static char data[READ_BYTES];

    while (conn->state == STATE_ANSWER) {
        const char *wrong;
        size_t moved = 0;

        switch (load_wire_read(&conn->wire, data, sizeof data, &moved)) {
        case LOAD_IO_DONE:
            wrong = load_answer_feed(&conn->answer, data, moved);
            if (wrong)
                fail(conn, LOAD_HARD_FRAMING, 0, wrong);
            else if (conn->answer.part == LOAD_PART_DONE)
                end_request(conn);
            break;
        case LOAD_IO_AGAIN:
            watch(conn);
            return;
        case LOAD_IO_END:
            lost(conn, 0);
            return;
        default:
            lost(conn, conn->wire.error);
            return;
        }
    }
}

/* Something came where nothing was asked: usually the end. */
static void read_idle(conn_t *conn)
{
    char byte;
    size_t moved = 0;

    if (conn->wire.fd < 0)
        return;
    load_answer_init(&conn->answer);
    switch (load_wire_read(&conn->wire, &byte, 1, &moved)) {
    case LOAD_IO_DONE:
        fail(conn, LOAD_HARD_FRAMING, 0, "bytes nobody asked for");
        break;
    case LOAD_IO_AGAIN:
        watch(conn);
        break;
    default:
        load.plan->stats.idle_closed++;
        hang_up(conn);
    }
}

static void on_event(conn_t *conn)
{
    switch (conn->state) {
    case STATE_REST:
        read_idle(conn);
        break;
    case STATE_SHAKE:
        shake(conn);
        break;
    case STATE_ASK:
        ask(conn);
        break;
    case STATE_ANSWER:
        read_answer(conn);
        break;
    case STATE_OVER:
        break;
    }
}

/* What is due now.  Returns milliseconds to wait for the rest, -1 when all
 * connections are over. */
static int on_time(void)
{
    uint64_t now = now_us(CLOCK_MONOTONIC);
    uint64_t next = UINT64_MAX;
    int i;

    if (load.plan->most_us && now - load.begun_us >= load.plan->most_us)
        load.is_ending = 1;
    for (i = 0; i < load.conns; i++) {
        conn_t *conn = &load.conn[i];

        if (conn->state == STATE_REST &&
            (conn->due_us <= now || load.is_ending))
            start_request(conn);
        else if (conn->state != STATE_OVER && conn->state != STATE_REST &&
                 conn->due_us <= now)
            fail(conn, LOAD_HARD_TIMEOUT, 0, NULL);
        if (conn->state != STATE_OVER && conn->due_us < next)
            next = conn->due_us;
    }
    if (next == UINT64_MAX)
        return -1;
    if (next <= now)
        return 0;
    next = (next - now) / 1000 + 1;
    return next > 100 ? 100 : (int)next;
}

static void report(int is_final)
{
    uint64_t us = now_us(CLOCK_MONOTONIC) - load.begun_us;

    load_stats_print(&load.plan->stats, (double)us / 1e6, is_final, stdout);
}

static void on_signal(int fd)
{
    struct signalfd_siginfo info;

    while (read(fd, &info, sizeof info) == (ssize_t)sizeof info) {
        if (info.ssi_signo == SIGUSR1)
            report(0);
        else
            load.is_ending = 1;
    }
}

/* The descriptor that signals come from, in the epoll as a NULL. */
static int catch_signals(void)
{
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};
    sigset_t set;
    int fd;

    signal(SIGPIPE, SIG_IGN);
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigprocmask(SIG_BLOCK, &set, NULL);
    fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
    if (fd < 0 || epoll_ctl(load.epoll, EPOLL_CTL_ADD, fd, &event) != 0)
        load_die("no signals: %s", strerror(errno));
    return fd;
}

static void add_conns(void)
{
    load_mode_e mode;
    uint64_t i;

    for (mode = 0; mode < LOAD_MODE_COUNT; mode++) {
        for (i = 0; i < load.plan->conns[mode]; i++) {
            if (load.conns == LOAD_CONNECTIONS)
                load_die("more than %d connections", LOAD_CONNECTIONS);
            load.conn[load.conns].mode = mode;
            load.conn[load.conns].wire.fd = -1;
            load.conns++;
        }
    }
}

void load_run(load_plan_t *plan)
{
    struct epoll_event events[EVENTS];
    int wait_ms;
    int signals;

    load.plan = plan;
    load.random = plan->random;
    load.begun_us = now_us(CLOCK_MONOTONIC);
    load.epoll = epoll_create1(EPOLL_CLOEXEC);
    if (load.epoll < 0)
        load_die("no epoll: %s", strerror(errno));
    signals = catch_signals();
    add_conns();
    report(0);
    while ((wait_ms = on_time()) >= 0) {
        int count = epoll_wait(load.epoll, events, EVENTS, wait_ms);
        int i;

        if (count < 0 && errno != EINTR)
            load_die("epoll_wait: %s", strerror(errno));
        for (i = 0; i < count; i++) {
            if (events[i].data.ptr)
                on_event(events[i].data.ptr);
            else
                on_signal(signals);
        }
    }
    close(signals);
    close(load.epoll);
    report(1);
}
