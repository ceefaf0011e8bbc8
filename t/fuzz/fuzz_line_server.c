/* SPDX-License-Identifier: Apache-2.0
 *
 * A server of lines among any clients: they connect, send in pieces, hang up
 * and take their answers slowly or never, in any order, and the kernel refuses
 * what it likes.  Checked besides memory: a line is that of its client, whole
 * and once; an answer goes to who is to have it, in order and not twice; no
 * descriptor is kept, and nobody but who waits for the owner stays for longer
 * than his patience lasts.
 */
#include "fuzz.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/line_server.h"

#define CLIENTS 3
#define LINE_MAX_LEN 24

/** Descriptors of this world; the socket's own is the first. */
#define FIRST_FD 5000
#define FDS 16

int __wrap_accept4(int fd, struct sockaddr *from, socklen_t *from_len,
                   int flags);
int __wrap_getsockopt(int fd, int level, int name, void *out, socklen_t *len);
ssize_t __wrap_recv(int fd, void *buf, size_t size, int flags);
ssize_t __wrap_send(int fd, const void *buf, size_t size, int flags);
int __real_close(int fd);
int __wrap_close(int fd);
int __real_poll(struct pollfd *rows, nfds_t count, int timeout_ms);
int __wrap_poll(struct pollfd *rows, nfds_t count, int timeout_ms);
apr_time_t __wrap_amgr_clock_monotonic_us(void);

/** The other end of a descriptor. */
typedef struct peer_t {
    int is_open;
    int is_gone; /**< it hung up */
    int is_slow; /**< it takes nothing now */
    char said[LINE_MAX_LEN + 1];
    size_t said_len;
    size_t heard; /**< of what it was answered */
    int lines;    /**< that were taken of it */
} peer_t;

static fuzz_t input;
static int is_inside;
static apr_time_t now_us;
static peer_t peers[FDS];
static int knocking; /**< connections that wait */
static amgr_line_server_t server;

apr_time_t __wrap_amgr_clock_monotonic_us(void)
{
    return now_us;
}

static peer_t *peer_of(int fd)
{
    check(fd > FIRST_FD && fd < FIRST_FD + FDS);
    check(peers[fd - FIRST_FD].is_open);
    return &peers[fd - FIRST_FD];
}

int __wrap_accept4(int fd, struct sockaddr *from, socklen_t *from_len,
                   int flags)
{
    static const int errors[] = {EMFILE, EAGAIN, ECONNABORTED, EINTR};
    int which = fuzz_below(&input, 32);
    int i = 1;

    check(fd == FIRST_FD && from == NULL && from_len == NULL);
    check(flags == (SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (knocking == 0 || which < (int)AMGR_COUNT(errors)) {
        errno = knocking == 0 ? EAGAIN : errors[which];
        return -1;
    }
    knocking--;
    while (peers[i].is_open) {
        i++;
        check(i < FDS);
    }
    memset(&peers[i], 0, sizeof(peers[i]));
    peers[i].is_open = 1;
    return FIRST_FD + i;
}

int __wrap_getsockopt(int fd, int level, int name, void *out, socklen_t *len)
{
    (void)peer_of(fd); /* it is there */
    check(level == SOL_SOCKET && name == SO_PEERCRED &&
          *len == sizeof(struct ucred));
    memset(out, 0, *len);
    return fuzz_below(&input, 32) == 31 ? -1 : 0;
}

ssize_t __wrap_recv(int fd, void *buf, size_t size, int flags)
{
    peer_t *peer = peer_of(fd);
    size_t len = 1 + (size_t)fuzz_below(&input, LINE_MAX_LEN + 4);

    check(flags == 0 && size > 0);
    if (fuzz_left(&input) == 0 || fuzz_below(&input, 16) == 15) {
        errno = peer->is_gone ? ECONNRESET : EAGAIN;
        return peer->is_gone ? 0 : -1;
    }
    len = len < size ? len : size;
    fuzz_bytes(&input, buf, len);
    if (fuzz_below(&input, 2)) {
        ((char *)buf)[len - 1] = '\n';
    }
    check(peer->said_len + len <= LINE_MAX_LEN); /* no more is asked for */
    memcpy(peer->said + peer->said_len, buf, len);
    peer->said_len += len;
    return (ssize_t)len;
}

/* The answer of a client is its descriptor's letter, again and again. */
static char letter_of(int fd)
{
    return (char)('a' + fd % 26);
}

ssize_t __wrap_send(int fd, const void *buf, size_t size, int flags)
{
    peer_t *peer = peer_of(fd);
    const char *bytes = buf;
    size_t len = 1 + (size_t)fuzz_below(&input, 256) * 8;
    size_t i;

    check(flags == MSG_NOSIGNAL && size > 0);
    if (peer->is_gone || peer->is_slow) {
        errno = peer->is_gone ? EPIPE : EAGAIN;
        return -1;
    }
    len = len < size ? len : size;
    for (i = 0; i < len; i++) {
        check(bytes[i] == letter_of(fd));
    }
    peer->heard += len;
    return (ssize_t)len;
}

int __wrap_close(int fd)
{
    if (!is_inside) {
        return __real_close(fd);
    }
    peer_of(fd)->is_open = 0;
    return 0;
}

/* Whether one hung up. */
int __wrap_poll(struct pollfd *rows, nfds_t count, int timeout_ms)
{
    if (!is_inside) {
        return __real_poll(rows, count, timeout_ms);
    }
    check(count == 1 && timeout_ms == 0 && rows->events == 0);
    return peer_of(rows->fd)->is_gone;
}

/* ---- the owner ---------------------------------------------------------- */

static void answer(amgr_line_client_t *client)
{
    char buf[16];
    amgr_sink_t sink;
    int len = fuzz_below(&input, 256) * 8;
    int fd = client->fd;

    amgr_sink_init(&sink, buf, sizeof(buf), amgr_line_append, client);
    for (; len > 0; len--) {
        amgr_sink_putc(&sink, letter_of(fd));
    }
    amgr_line_answer(client, &sink);
}

static void admit(void *baton, amgr_line_client_t *client)
{
    check(baton == &server && client->phase == AMGR_LINE_READING);
    if (fuzz_below(&input, 8) == 7) {
        answer(client);
    }
}

static void take(void *baton, amgr_line_client_t *client, apr_size_t len,
                 const char *wrong)
{
    peer_t *peer = peer_of(client->fd);

    check(baton == &server && ++peer->lines == 1);
    if (wrong == NULL) {
        check(len + 1 == peer->said_len && peer->said[len] == '\n');
        check(memcmp(client->line, peer->said, len) == 0);
        check(memchr(client->line, '\n', len) == NULL);
    }
    if (fuzz_below(&input, 2)) {
        amgr_line_wait(client, fuzz_below(&input, 2) ? AMGR_LINE_FOREVER
                                                     : APR_USEC_PER_SEC);
        return;
    }
    answer(client);
}

/* What is owed, or is not any more. */
static void settle(amgr_line_client_t *client)
{
    if (client->phase != AMGR_LINE_WAITING) {
        return;
    }
    if (amgr_line_is_gone(client)) {
        amgr_line_hang_up(client);
    }
    else if (now_us >= client->until_mono_us || fuzz_below(&input, 2)) {
        answer(client);
    }
}

/* ---- the world ---------------------------------------------------------- */

static void happen(void)
{
    peer_t *peer = &peers[1 + fuzz_below(&input, FDS - 1)];

    switch (fuzz_below(&input, 8)) {
    case 0:
    case 1:
        knocking += knocking < 4;
        break;
    case 2:
        peer->is_gone = peer->is_open;
        break;
    case 3:
        peer->is_slow = !peer->is_slow;
        break;
    case 4:
        now_us += (apr_time_t)fuzz_below(&input, 256) * 10000;
        break;
    case 5:
        settle(&server.clients[fuzz_below(&input, CLIENTS)]);
        break;
    default:
        break;
    }
}

static void look(void)
{
    struct pollfd entries[CLIENTS + 1];
    int count = amgr_line_server_list(&server, entries);
    apr_time_t due_us = amgr_line_server_due(&server);
    int i;

    check(count >= 0 && count <= CLIENTS + 1);
    for (i = 0; i < count; i++) {
        const peer_t *peer =
            entries[i].fd == FIRST_FD ? NULL : peer_of(entries[i].fd);

        if (peer == NULL) {
            entries[i].revents = knocking > 0 ? POLLIN : 0;
        }
        else if (peer->is_gone) {
            entries[i].revents = POLLHUP;
        }
        else if (fuzz_below(&input, 2)) {
            entries[i].revents = entries[i].events;
        }
    }
    if (due_us != AMGR_NO_TIME && fuzz_below(&input, 8) == 7) {
        now_us = due_us > now_us ? due_us : now_us;
    }
    amgr_line_server_serve(&server, entries, count);
    for (i = 0; i < CLIENTS; i++) {
        const amgr_line_client_t *client = &server.clients[i];

        if (client->phase == AMGR_LINE_FREE) {
            continue;
        }
        (void)peer_of(client->fd); /* it is there */
        check(client->used <= LINE_MAX_LEN && client->sent <= client->length);
        check(client->phase == AMGR_LINE_WAITING ||
              client->until_mono_us > now_us);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    apr_pool_t *pool = fuzz_pool();
    int i;

    input.at = data;
    input.end = data + size;
    now_us = APR_USEC_PER_SEC;
    knocking = 0;
    memset(peers, 0, sizeof(peers));
    memset(&server, 0, sizeof(server));
    amgr_line_server_init(&server, CLIENTS, LINE_MAX_LEN, pool);
    server.place.fd = FIRST_FD;
    server.admit = admit;
    server.take = take;
    server.baton = &server;
    is_inside = 1;
    while (fuzz_left(&input) > 0) {
        happen();
        look();
    }
    /* Whoever still waits for the owner is answered or gone. */
    for (i = 0; i < CLIENTS; i++) {
        if (server.clients[i].phase == AMGR_LINE_WAITING) {
            answer(&server.clients[i]);
        }
    }
    server.place.fd = -1; /* which has no path */
    amgr_line_server_end(&server);
    is_inside = 0;
    for (i = 0; i < FDS; i++) {
        check(!peers[i].is_open);
    }
    apr_pool_destroy(pool);
    return 0;
}
