/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading the server beside the watch: a reading may take as long as a server
 * that does not answer is waited for, and keys must be obeyed meanwhile.  A
 * thread reads, one at a time, and hands over what it got through a pipe.
 */
#ifndef AMGR_WATCH_READER_H
#define AMGR_WATCH_READER_H

#include "cli/source/source.h"

/** A reading. */
typedef struct amgr_reading_t {
    apr_pool_t *pool;          /**< that everything in it is from */
    const amgr_fault_t *fault; /**< NULL: it has a source */
    amgr_source_t source;
    int is_asked; /**< the server looked because it was asked to just before,
                       or not even a second ago */
    apr_time_t ended_mono_us;
} amgr_reading_t;

typedef struct amgr_watch_reader_t amgr_watch_reader_t;

/** Nothing is read yet; @a hanging_us as of amgr_hanging_judge(), for every
 * reading.  An error of APR: there was no pipe to be had. */
apr_status_t amgr_watch_reader_create(const amgr_target_t *target,
                                      apr_interval_time_t hanging_us,
                                      amgr_watch_reader_t **out);

/** Give it back; while a reading is under way it is left to the end of the
 * program, with the thread. */
void amgr_watch_reader_destroy(amgr_watch_reader_t *reader);

/** Begin a reading, unless one is under way.  When @a last (NULL: none), the
 * last source that could be read, has a control socket, the server is asked to
 * look at its workers before, once a second at most. */
void amgr_watch_reader_begin(amgr_watch_reader_t *reader,
                             const amgr_source_t *last);

/** Whether one is under way. */
int amgr_watch_reader_is_reading(const amgr_watch_reader_t *reader);

/** A descriptor that can be read when a reading is there to be taken. */
int amgr_watch_reader_fd(const amgr_watch_reader_t *reader);

/** Take it, with its pool; NULL while there is none. */
amgr_reading_t *amgr_watch_reader_take(amgr_watch_reader_t *reader);

/** Read here and now, into a pool of its own; NULL without memory. */
amgr_reading_t *amgr_watch_read(const amgr_target_t *target,
                                apr_interval_time_t hanging_us);

#endif
