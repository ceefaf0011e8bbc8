/* SPDX-License-Identifier: Apache-2.0
 *
 * The mailbox: what children tell the parent, in memory that every child can
 * write, so everything in it is hearsay.  One cell for each row of the
 * scoreboard may colour what is shown, and ask for what the safety rules allow
 * anyway; whom it names is never taken from it.  One note for each slot, and
 * some for the requests of HTTP/2 of each row, say which of the configured time
 * limits a request obeys (policy/budget.h): a choice among what the
 * configuration allows.
 */
#ifndef AMGR_MAILBOX_H
#define AMGR_MAILBOX_H

#include <sys/types.h>

#include "action/record.h"

typedef struct amgr_mailbox_cell_t amgr_mailbox_cell_t;
typedef struct amgr_mailbox_slot_t amgr_mailbox_slot_t;
typedef struct amgr_mailbox_stream_t amgr_mailbox_stream_t;

/** The way to the cells; itself private to each process. */
typedef struct amgr_mailbox_t {
    amgr_mailbox_cell_t *cells; /**< NULL: there is no mailbox */
    amgr_mailbox_slot_t *slots;
    amgr_mailbox_stream_t *streams;
    apr_size_t bytes; /**< of all that, from the cells on */
    apr_int32_t rows;
    apr_int32_t columns;     /**< notes of slots to a row */
    apr_int32_t streams_max; /**< notes of HTTP/2 to a row */
    apr_int32_t reserved;
} amgr_mailbox_t;

/** Map memory for so many rows, inherited by every fork from now on.  What no
 * child ever writes takes up address space alone. */
apr_status_t amgr_mailbox_create(amgr_mailbox_t *box, int rows, int columns,
                                 int streams_max);

/** Unmap it here; children keep it. */
void amgr_mailbox_destroy(amgr_mailbox_t *box);

/** Child: this process, which owns @a row, has begun to stop.  Two stores and
 * nothing else: prefork calls it inside a signal handler. */
void amgr_mailbox_say_stopping(const amgr_mailbox_t *box, int row, pid_t self);

/** Child: how it went when this process was asked to finish,
 * amgr_ask_fault_e. */
void amgr_mailbox_say_ask_fault(const amgr_mailbox_t *box, int row, pid_t self,
                                int fault);

/** Parent: what @a pid, which owns @a row, says of that, within bounds. */
int amgr_mailbox_ask_fault(const amgr_mailbox_t *box, int row, pid_t pid);

/** Anybody: @a pid, which owns @a row, is to be retired. */
void amgr_mailbox_wish(const amgr_mailbox_t *box, int row, pid_t pid);

/** Parent: whether somebody wants @a pid, which owns @a row, retired. */
int amgr_mailbox_is_wished(const amgr_mailbox_t *box, int row, pid_t pid);

/** Parent: whether @a pid, which owns @a row, says that it is stopping. */
int amgr_mailbox_is_stopping(const amgr_mailbox_t *box, int row, pid_t pid);

/** Child: where the note of this slot is, or NULL outside the mailbox.  To be
 * written by amgr_mailbox_write() alone. */
apr_uint64_t *amgr_mailbox_slot_note(const amgr_mailbox_t *box, int row,
                                     int column);

/**
 * Child: a place for the note of a request of HTTP/2, whose connection is in
 * this slot of @a row.  NULL when all are taken, which is counted.  Any thread
 * may ask.
 */
amgr_mailbox_stream_t *amgr_mailbox_claim(const amgr_mailbox_t *box, int row,
                                          int column, pid_t self);

/** Child: where its note is. */
apr_uint64_t *amgr_mailbox_stream_note(amgr_mailbox_stream_t *stream);

/** Child: the request is over. */
void amgr_mailbox_release(amgr_mailbox_stream_t *stream);

static inline void amgr_mailbox_write(apr_uint64_t *note, apr_uint64_t value)
{
    __atomic_store_n(note, value, __ATOMIC_RELEASE);
}

/** Whoever looks: the note of a slot, 0 outside the mailbox. */
apr_uint64_t amgr_mailbox_read_slot(const amgr_mailbox_t *box, int row,
                                    int column);

/** How many places for requests of HTTP/2 the row has used so far, at most
 * streams_max. */
int amgr_mailbox_streams(const amgr_mailbox_t *box, int row);

/** The note in that place when it is one of @a pid's, and the column of its
 * connection's slot, unchecked; otherwise 0. */
apr_uint64_t amgr_mailbox_read_stream(const amgr_mailbox_t *box, int row,
                                      int place, pid_t pid, int *out_column);

/** Requests of HTTP/2 that found no place, by what all rows say. */
apr_uint64_t amgr_mailbox_untimed(const amgr_mailbox_t *box);

#endif
