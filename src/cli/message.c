/* SPDX-License-Identifier: Apache-2.0
 *
 * See message.h.  A line is one write(2) each, so that lines of several runs
 * in one log do not mix; a kill is one datagram each, since syslog(3) would
 * wait for whoever reads them.
 */
#include "cli/message.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/sink.h"

#define PROGRAM "apache-manager"
#define LINE_SIZE 4096
#define SYSLOG_PATH "/dev/log"
#define SYSLOG_NONE (-1)
#define SYSLOG_UNTRIED (-2)

/** Facility user, severity warning. */
#define SYSLOG_PRIORITY 12

/** How long a full queue of the logger may hold up all kills together. */
#define SYSLOG_WAIT_MS 200

static struct {
    int level;
    int hold;
    int log_fd;     /**< or one of the above */
    int log_stream; /**< where a NUL ends a line */
    int wait_ms;    /**< what is left of the patience */
} state = {AMGR_LEVEL_INFO, 0, SYSLOG_UNTRIED, 0, SYSLOG_WAIT_MS};

void amgr_message_level(int level)
{
    state.level = level;
}

void amgr_message_hold(int hold)
{
    state.hold = hold;
}

/* Whoever cannot be told cannot be told of that either. */
static void write_all(const char *data, apr_size_t len)
{
    while (len > 0) {
        ssize_t n = write(STDERR_FILENO, data, len);

        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            return;
        }
        data += n;
        len -= (apr_size_t)n;
    }
}

void amgr_message(int level, const char *format, ...)
{
    char line[LINE_SIZE];
    va_list args;
    apr_size_t len = strlen(PROGRAM ": ");
    int n;

    if (level > state.level || state.hold) {
        return;
    }
    memcpy(line, PROGRAM ": ", len);
    va_start(args, format);
    n = vsnprintf(line + len, sizeof(line) - len - 1, format, args);
    va_end(args);
    if (n < 0) {
        return;
    }
    len += strlen(line + len); /* cut is fine */
    line[len++] = '\n';
    write_all(line, len);
}

/* Datagrams as rsyslog and journald take them; a stream where a logger wants
 * that. */
/* NOLINTNEXTLINE(misc-no-recursion): once, for the second type is another */
static int open_log(int type)
{
    struct sockaddr_un address;
    int fd = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (fd < 0) {
        return SYSLOG_NONE;
    }
    memset(&address, 0, sizeof(address));
    address.sun_family = AF_UNIX;
    memcpy(address.sun_path, SYSLOG_PATH, sizeof(SYSLOG_PATH));
    if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) != 0) {
        int wrong_type = errno == EPROTOTYPE;

        close(fd);
        state.log_stream = wrong_type;
        return wrong_type && type == SOCK_DGRAM ? open_log(SOCK_STREAM)
                                                : SYSLOG_NONE;
    }
    return fd;
}

static int send_line(const char *line, apr_size_t len)
{
    len += (apr_size_t)state.log_stream;
    return send(state.log_fd, line, len, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0;
}

static void log_line(const char *line, apr_size_t len)
{
    struct pollfd ready;

    if (state.log_fd == SYSLOG_UNTRIED) {
        state.log_fd = open_log(SOCK_DGRAM);
    }
    if (state.log_fd == SYSLOG_NONE || send_line(line, len) ||
        errno != EAGAIN) {
        return;
    }
    ready.fd = state.log_fd;
    ready.events = POLLOUT;
    if (state.wait_ms > 0 && poll(&ready, 1, state.wait_ms) > 0) {
        send_line(line, len);
        return;
    }
    state.wait_ms = 0;
}

void amgr_message_kill(const char *line, int to_syslog)
{
    char text[LINE_SIZE];
    amgr_sink_t sink;

    amgr_message(AMGR_LEVEL_NOTICE, "%s", line);
    if (!to_syslog) {
        return;
    }
    amgr_sink_init_text(&sink, text, sizeof(text));
    amgr_sink_printf(&sink, "<%d>" PROGRAM "[%d]: NOTICE ", SYSLOG_PRIORITY,
                     (int)getpid());
    amgr_sink_puts(&sink, line);
    log_line(amgr_sink_text(&sink), strlen(text));
}
