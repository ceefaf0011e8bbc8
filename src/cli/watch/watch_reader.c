/* SPDX-License-Identifier: Apache-2.0
 *
 * See watch_reader.h.  The thread and the watch share nothing but the pipe: a
 * reading has a pool and an allocator of its own and belongs to one of them at
 * a time.  When the program ends, a thread that still waits for a server ends
 * with it.
 */
#include "cli/watch/watch_reader.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include <apr_strings.h>

#include "base/clock.h"
#include "cli/hanging.h"
#include "cli/kill/control_client.h"

/** A server is asked to look no more often, and waited for no longer: what is
 * on the board is read in any case. */
#define ASK_EVERY_US APR_USEC_PER_SEC
#define ASK_TIMEOUT_US (200 * 1000)

/** Room for a socket's path, which may lead through /proc/PID/root. */
#define SOCKET_LEN 256

struct amgr_watch_reader_t {
    apr_pool_t *pool;
    amgr_target_t target;
    apr_interval_time_t hanging_us;
    int pipe[2];
    int is_reading;
    /* The rest is the thread's while it runs. */
    char control_socket[SOCKET_LEN]; /* empty: there is nobody to be asked */
    amgr_proc_id_t parent;
    apr_time_t asked_mono_us;
    int is_asked; /* the last time it did look */
};

amgr_reading_t *amgr_watch_read(const amgr_target_t *target,
                                apr_interval_time_t hanging_us)
{
    amgr_reading_t *reading;
    apr_pool_t *pool;

    if (apr_pool_create_unmanaged_ex(&pool, NULL, NULL) != APR_SUCCESS) {
        return NULL;
    }
    reading = apr_pcalloc(pool, sizeof(*reading));
    reading->pool = pool;
    reading->fault =
        amgr_source_read(target, AMGR_WANT_ALL, &reading->source, pool);
    if (reading->fault == NULL) {
        amgr_hanging_judge(&reading->source, hanging_us, pool);
    }
    reading->ended_mono_us = amgr_clock_monotonic_us();
    return reading;
}

/* Have the server look at its workers now.  Whoever may not ask, or gets no
 * answer, reads what there is. */
static int ask(amgr_watch_reader_t *reader)
{
    apr_time_t now_us = amgr_clock_monotonic_us();
    apr_pool_t *pool;

    if (reader->control_socket[0] == '\0') {
        return 0;
    }
    if (reader->asked_mono_us != 0 &&
        now_us - reader->asked_mono_us < ASK_EVERY_US) {
        return reader->is_asked;
    }
    reader->is_asked = 0;
    if (apr_pool_create_unmanaged_ex(&pool, NULL, NULL) == APR_SUCCESS) {
        reader->asked_mono_us = now_us;
        reader->is_asked = amgr_control_tick(
            reader->control_socket, &reader->parent, ASK_TIMEOUT_US, pool);
        apr_pool_destroy(pool);
    }
    return reader->is_asked;
}

/* The pointer is less than a pipe takes at once, so it comes whole. */
static void *run(void *baton)
{
    amgr_watch_reader_t *reader = baton;
    int is_asked = ask(reader);
    amgr_reading_t *reading =
        amgr_watch_read(&reader->target, reader->hanging_us);

    if (reading != NULL) {
        reading->is_asked = is_asked;
    }
    while (write(reader->pipe[1], &reading, sizeof(amgr_reading_t *)) < 0 &&
           errno == EINTR) {
        continue;
    }
    return NULL;
}

/* In a pool of its own, since the thread may outlive the watch. */
apr_status_t amgr_watch_reader_create(const amgr_target_t *target,
                                      apr_interval_time_t hanging_us,
                                      amgr_watch_reader_t **out)
{
    amgr_watch_reader_t *reader;
    apr_pool_t *pool;
    apr_status_t rv = apr_pool_create_unmanaged_ex(&pool, NULL, NULL);

    if (rv != APR_SUCCESS) {
        return rv;
    }
    reader = apr_pcalloc(pool, sizeof(*reader));
    reader->pool = pool;
    reader->target = *target;
    reader->target.url = apr_pstrdup(pool, target->url);
    reader->hanging_us = hanging_us;
    if (pipe2(reader->pipe, O_CLOEXEC) != 0 ||
        fcntl(reader->pipe[0], F_SETFL, O_NONBLOCK) != 0) {
        rv = apr_get_os_error();
        apr_pool_destroy(pool);
        return rv;
    }
    *out = reader;
    return APR_SUCCESS;
}

void amgr_watch_reader_destroy(amgr_watch_reader_t *reader)
{
    amgr_reading_t *reading = amgr_watch_reader_take(reader);

    if (reading != NULL) {
        apr_pool_destroy(reading->pool);
    }
    if (!reader->is_reading) {
        close(reader->pipe[0]);
        close(reader->pipe[1]);
        apr_pool_destroy(reader->pool);
    }
}

static void note_socket(amgr_watch_reader_t *reader, const amgr_source_t *last)
{
    reader->control_socket[0] = '\0';
    if (last != NULL && last->control_socket != NULL && last->parent.pid != 0 &&
        strlen(last->control_socket) < SOCKET_LEN) {
        apr_cpystrn(reader->control_socket, last->control_socket, SOCKET_LEN);
        reader->parent = last->parent;
    }
}

void amgr_watch_reader_begin(amgr_watch_reader_t *reader,
                             const amgr_source_t *last)
{
    pthread_attr_t attributes;
    pthread_t thread;

    if (reader->is_reading) {
        return;
    }
    note_socket(reader, last);
    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    /* Without a thread the next turn tries again. */
    reader->is_reading = pthread_create(&thread, &attributes, run, reader) == 0;
    pthread_attr_destroy(&attributes);
}

int amgr_watch_reader_is_reading(const amgr_watch_reader_t *reader)
{
    return reader->is_reading;
}

int amgr_watch_reader_fd(const amgr_watch_reader_t *reader)
{
    return reader->pipe[0];
}

amgr_reading_t *amgr_watch_reader_take(amgr_watch_reader_t *reader)
{
    amgr_reading_t *reading;

    if (read(reader->pipe[0], &reading, sizeof(amgr_reading_t *)) !=
        (ssize_t)sizeof(amgr_reading_t *)) {
        return NULL;
    }
    reader->is_reading = 0;
    return reading;
}
