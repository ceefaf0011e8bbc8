/* SPDX-License-Identifier: Apache-2.0
 *
 * See mailbox.h.
 */
#include "httpd/mailbox.h"

#include <errno.h>
#include <signal.h>
#include <sys/mman.h>

#define FAULT_SHIFT 32
#define CACHE_LINE 64

/** One cache line, so that no two children share one. */
struct amgr_mailbox_cell_t {
    apr_int32_t stopping_pid; /**< the stamp: whose word this is */
    apr_int32_t wished_pid;   /**< whom somebody wants to be retired */
    apr_uint64_t ask_fault;   /**< the stamp, and the fault above it */
    apr_int32_t streams_used; /**< places beyond were never taken */
    apr_uint32_t untimed;     /**< requests that found no place */
    apr_int32_t reserved[10];
};

/** One cache line likewise: a busy slot writes its note often. */
struct amgr_mailbox_slot_t {
    apr_uint64_t note;
    apr_uint64_t reserved[7];
};

struct amgr_mailbox_stream_t {
    apr_uint64_t owner; /**< pid and column; 0: free */
    apr_uint64_t note;  /**< 0: not written yet */
};

_Static_assert(sizeof(struct amgr_mailbox_cell_t) == CACHE_LINE &&
                   sizeof(struct amgr_mailbox_slot_t) == CACHE_LINE,
               "cells and notes are cache lines");

apr_status_t amgr_mailbox_create(amgr_mailbox_t *box, int rows, int columns,
                                 int streams_max)
{
    apr_size_t cells = (apr_size_t)rows;
    apr_size_t slots = cells * (apr_size_t)columns;
    apr_size_t streams = cells * (apr_size_t)streams_max;
    apr_size_t bytes =
        (cells + slots) * CACHE_LINE + streams * sizeof(amgr_mailbox_stream_t);
    char *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                        MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    if (memory == MAP_FAILED) {
        return errno;
    }
    box->cells = (amgr_mailbox_cell_t *)(void *)memory;
    box->slots = (amgr_mailbox_slot_t *)(void *)(memory + cells * CACHE_LINE);
    box->streams = (amgr_mailbox_stream_t *)(void *)(memory + (cells + slots) *
                                                                  CACHE_LINE);
    box->bytes = bytes;
    box->rows = rows;
    box->columns = columns;
    box->streams_max = streams_max;
    return APR_SUCCESS;
}

void amgr_mailbox_destroy(amgr_mailbox_t *box)
{
    if (box->cells != NULL) {
        munmap(box->cells, box->bytes);
        box->cells = NULL;
    }
}

static int has_row(const amgr_mailbox_t *box, int row)
{
    return box->cells != NULL && row >= 0 && row < box->rows;
}

void amgr_mailbox_say_stopping(const amgr_mailbox_t *box, int row, pid_t self)
{
    if (has_row(box, row)) {
        __atomic_store_n(&box->cells[row].stopping_pid, self, __ATOMIC_RELAXED);
    }
}

int amgr_mailbox_is_stopping(const amgr_mailbox_t *box, int row, pid_t pid)
{
    return has_row(box, row) && __atomic_load_n(&box->cells[row].stopping_pid,
                                                __ATOMIC_RELAXED) == pid;
}

apr_uint64_t *amgr_mailbox_slot_note(const amgr_mailbox_t *box, int row,
                                     int column)
{
    if (!has_row(box, row) || column < 0 || column >= box->columns) {
        return NULL;
    }
    return &box->slots[(apr_size_t)row * (apr_size_t)box->columns +
                       (apr_size_t)column]
                .note;
}

apr_uint64_t amgr_mailbox_read_slot(const amgr_mailbox_t *box, int row,
                                    int column)
{
    const apr_uint64_t *note = amgr_mailbox_slot_note(box, row, column);

    return note == NULL ? 0 : __atomic_load_n(note, __ATOMIC_ACQUIRE);
}

static amgr_mailbox_stream_t *stream_at(const amgr_mailbox_t *box, int row,
                                        int place)
{
    return &box->streams[(apr_size_t)row * (apr_size_t)box->streams_max +
                         (apr_size_t)place];
}

static apr_uint64_t owner_of(pid_t pid, int column)
{
    return (apr_uint64_t)(apr_uint32_t)pid << 32 | (apr_uint32_t)column;
}

/** Whether a process that ended by force left the place behind.  One whose
 * pid is another's by now keeps it: it is one place less. */
static int is_left_behind(apr_uint64_t owner, pid_t self)
{
    pid_t pid = (pid_t)(owner >> 32);

    return pid > 0 && pid != self && kill(pid, 0) != 0 && errno == ESRCH;
}

/** Take the first place that is free, or @a stale: left behind. */
static int take_place(const amgr_mailbox_t *box, int row, apr_uint64_t mine,
                      pid_t self, int stale)
{
    int place;

    for (place = 0; place < box->streams_max; place++) {
        amgr_mailbox_stream_t *stream = stream_at(box, row, place);
        apr_uint64_t owner = __atomic_load_n(&stream->owner, __ATOMIC_RELAXED);

        if ((stale ? is_left_behind(owner, self) : owner == 0) &&
            __atomic_compare_exchange_n(&stream->owner, &owner, mine, 0,
                                        __ATOMIC_ACQ_REL, __ATOMIC_RELAXED)) {
            return place;
        }
    }
    return -1;
}

amgr_mailbox_stream_t *amgr_mailbox_claim(const amgr_mailbox_t *box, int row,
                                          int column, pid_t self)
{
    amgr_mailbox_cell_t *cell;
    apr_int32_t used;
    int place;

    if (!has_row(box, row)) {
        return NULL;
    }
    cell = &box->cells[row];
    place = take_place(box, row, owner_of(self, column), self, 0);
    if (place < 0) {
        place = take_place(box, row, owner_of(self, column), self, 1);
    }
    if (place < 0) {
        __atomic_fetch_add(&cell->untimed, 1, __ATOMIC_RELAXED);
        return NULL;
    }
    used = __atomic_load_n(&cell->streams_used, __ATOMIC_RELAXED);
    while (used <= place && !__atomic_compare_exchange_n(
                                &cell->streams_used, &used, place + 1, 0,
                                __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
        /* another thread moved it: look again */
    }
    return stream_at(box, row, place);
}

apr_uint64_t *amgr_mailbox_stream_note(amgr_mailbox_stream_t *stream)
{
    return &stream->note;
}

void amgr_mailbox_release(amgr_mailbox_stream_t *stream)
{
    /* The note first: nobody may find it under the next owner. */
    __atomic_store_n(&stream->note, 0, __ATOMIC_RELEASE);
    __atomic_store_n(&stream->owner, 0, __ATOMIC_RELEASE);
}

int amgr_mailbox_streams(const amgr_mailbox_t *box, int row)
{
    apr_int32_t used;

    if (!has_row(box, row)) {
        return 0;
    }
    used = __atomic_load_n(&box->cells[row].streams_used, __ATOMIC_RELAXED);
    return used < 0 ? 0 : used < box->streams_max ? used : box->streams_max;
}

apr_uint64_t amgr_mailbox_read_stream(const amgr_mailbox_t *box, int row,
                                      int place, pid_t pid, int *out_column)
{
    const amgr_mailbox_stream_t *stream;
    apr_uint64_t owner;

    if (!has_row(box, row) || place < 0 || place >= box->streams_max) {
        return 0;
    }
    stream = stream_at(box, row, place);
    owner = __atomic_load_n(&stream->owner, __ATOMIC_ACQUIRE);
    if (owner >> 32 != (apr_uint32_t)pid) {
        return 0;
    }
    *out_column = (int)(owner & 0x7fffffff);
    return __atomic_load_n(&stream->note, __ATOMIC_ACQUIRE);
}

apr_uint64_t amgr_mailbox_untimed(const amgr_mailbox_t *box)
{
    apr_uint64_t sum = 0;
    int row;

    for (row = 0; box->cells != NULL && row < box->rows; row++) {
        sum += __atomic_load_n(&box->cells[row].untimed, __ATOMIC_RELAXED);
    }
    return sum;
}

void amgr_mailbox_say_ask_fault(const amgr_mailbox_t *box, int row, pid_t self,
                                int fault)
{
    if (has_row(box, row)) {
        __atomic_store_n(&box->cells[row].ask_fault,
                         (apr_uint64_t)(apr_uint32_t)self | (apr_uint64_t)fault
                                                                << FAULT_SHIFT,
                         __ATOMIC_RELAXED);
    }
}

int amgr_mailbox_ask_fault(const amgr_mailbox_t *box, int row, pid_t pid)
{
    apr_uint64_t word;
    apr_uint64_t fault;

    if (!has_row(box, row)) {
        return AMGR_ASK_FINE;
    }
    word = __atomic_load_n(&box->cells[row].ask_fault, __ATOMIC_RELAXED);
    fault = word >> FAULT_SHIFT;
    return (pid_t)(apr_uint32_t)word == pid && fault < AMGR_ASK_FAULT_COUNT
               ? (int)fault
               : AMGR_ASK_FINE;
}

void amgr_mailbox_wish(const amgr_mailbox_t *box, int row, pid_t pid)
{
    if (box->cells != NULL && row >= 0 && row < box->rows) {
        __atomic_store_n(&box->cells[row].wished_pid, pid, __ATOMIC_RELAXED);
    }
}

int amgr_mailbox_is_wished(const amgr_mailbox_t *box, int row, pid_t pid)
{
    return box->cells != NULL && row >= 0 && row < box->rows &&
           __atomic_load_n(&box->cells[row].wished_pid, __ATOMIC_RELAXED) ==
               pid;
}
