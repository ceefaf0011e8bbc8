/* SPDX-License-Identifier: Apache-2.0
 *
 * Orders by lines: a few connections to a unix socket at a time, each of them
 * one line of the client's and an answer.  A client has a time until which it
 * must have sent its line, and taken the answer; nothing here ever blocks.
 *
 * Who is let in, what a line means and how long it waits for its answer is the
 * owner's, as the place of the socket is.  For processes of one thread.
 */
#ifndef AMGR_LINE_SERVER_H
#define AMGR_LINE_SERVER_H

#include <poll.h>
#include <sys/socket.h>

#include "base/sink.h"
#include "base/socket_place.h"

/** A client has so long for its line, and to take the answer. */
#define AMGR_LINE_PATIENCE_US (2 * APR_USEC_PER_SEC)

/** Of waiting: the owner knows when it ends. */
#define AMGR_LINE_FOREVER APR_INT64_MAX

typedef enum amgr_line_phase_e {
    AMGR_LINE_FREE = 0,
    AMGR_LINE_READING,
    AMGR_LINE_WAITING, /**< for its answer, which the owner owes */
    AMGR_LINE_WRITING
} amgr_line_phase_e;

typedef struct amgr_line_client_t {
    void *own; /**< the owner's, stays with this place */
    char *line;
    int fd;
    int phase;                /**< amgr_line_phase_e */
    apr_time_t since_mono_us; /**< of this phase */
    apr_time_t until_mono_us;
    struct ucred who; /**< as the kernel says */
    apr_size_t used;  /**< of the line */
    char *answer;     /**< malloc'ed */
    apr_size_t room;
    apr_size_t length;
    apr_size_t sent;
} amgr_line_client_t;

/** A client has connected: where it is answered now, it is not let in. */
typedef void amgr_line_admit_fn(void *baton, amgr_line_client_t *client);

/** Its line is there, @a len bytes without the end: it is to be answered, or to
 * wait.  @a wrong: why there is none, else NULL. */
typedef void amgr_line_take_fn(void *baton, amgr_line_client_t *client,
                               apr_size_t len, const char *wrong);

typedef struct amgr_line_server_t {
    amgr_socket_place_t place; /**< the owner sets it, and looks after it */
    amgr_line_admit_fn *admit;
    amgr_line_take_fn *take;
    void *baton;
    apr_time_t deaf_mono_us; /**< nobody is let in before this, which the owner
                                  may put off */
    apr_size_t line_max;
    int count;
    amgr_line_client_t *clients;
} amgr_line_server_t;

/** @a count clients at most, each with a line of at most @a line_max bytes with
 * its end; place, functions and baton are the caller's to set.  From @a pool,
 * without a socket at first. */
void amgr_line_server_init(amgr_line_server_t *server, int count,
                           apr_size_t line_max, apr_pool_t *pool);

/** Entries to poll for, at most one more than clients; how many. */
int amgr_line_server_list(const amgr_line_server_t *server,
                          struct pollfd *entries);

/** When there is something to do without any event, the place's time of a look
 * and waiting for ever left out; AMGR_NO_TIME: never. */
apr_time_t amgr_line_server_due(const amgr_line_server_t *server);

/** After a poll, with the entries as they were listed: let in, read, write, and
 * hang up on those whose time is over.  Those that wait are the owner's. */
void amgr_line_server_serve(amgr_line_server_t *server,
                            const struct pollfd *entries, int count);

/** Hang up on all; the socket's file goes. */
void amgr_line_server_end(amgr_line_server_t *server);

/** From now on it waits, for @a span_us at most. */
void amgr_line_wait(amgr_line_client_t *client, apr_interval_time_t span_us);

/** Whether it hung up: whoever gave up waiting for an answer believes that
 * nothing was done. */
int amgr_line_is_gone(const amgr_line_client_t *client);

/** The flush of an answer's sink, whose baton is the client. */
apr_status_t amgr_line_append(void *baton, const char *data, apr_size_t len);

/** The answer is in this sink: send it and hang up, also where it failed. */
void amgr_line_answer(amgr_line_client_t *client, amgr_sink_t *sink);

void amgr_line_hang_up(amgr_line_client_t *client);

#endif
