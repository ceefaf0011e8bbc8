/* SPDX-License-Identifier: Apache-2.0
 *
 * Copying a board out of its file.  Nothing is mapped from the file, so that
 * one that is cut short meanwhile cannot end the reader (SIGBUS); the copy
 * lies in memory of its own that is as large as the board, and of which the
 * kernel gives only what is filled in.
 *
 * A region is whole when its sequence number is even and the same before and
 * after: three reads for what a reader of the mapping does in one go.
 */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "action/board_layout.h"

#define TRIES 20
#define PAUSE_US 500

typedef struct copy_t {
    int fd;
    int parts;
    amgr_board_t *board;
    apr_size_t size;
} copy_t;

/** Copies what stands under a sequence number. */
typedef apr_status_t copy_fn(copy_t *copy);

/* All of it, or APR_EGENERAL: then the file has been cut short. */
static apr_status_t read_at(int fd, apr_uint64_t offset, void *buf,
                            apr_size_t size)
{
    apr_size_t done = 0;
    ssize_t got;

    while (done < size) {
        got =
            pread(fd, (char *)buf + done, size - done, (off_t)(offset + done));
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got <= 0) {
            return got < 0 ? errno : APR_EGENERAL;
        }
        done += (apr_size_t)got;
    }
    return APR_SUCCESS;
}

/* To the place that it has in the file. */
static apr_status_t fetch(copy_t *copy, apr_uint64_t offset, apr_size_t size)
{
    return read_at(copy->fd, offset, amgr_board_at_rw(copy->board, offset),
                   size);
}

/* What @a fn copies, whole; the copy of the number at @a offset says so. */
static apr_status_t fetch_stable(copy_t *copy, apr_uint64_t offset, copy_fn *fn)
{
    apr_uint64_t *seq = amgr_board_at_rw(copy->board, offset);
    apr_uint64_t before;
    apr_uint64_t after;
    apr_status_t rv;
    int i;

    for (i = 0; i < TRIES; i++) {
        if (i > 0) {
            apr_sleep(PAUSE_US);
        }
        rv = read_at(copy->fd, offset, &before, sizeof(before));
        if (rv == APR_SUCCESS && before % 2 == 0) {
            __atomic_thread_fence(__ATOMIC_ACQUIRE);
            rv = fn(copy);
            __atomic_thread_fence(__ATOMIC_ACQUIRE);
        }
        if (rv == APR_SUCCESS) {
            rv = read_at(copy->fd, offset, &after, sizeof(after));
        }
        if (rv != APR_SUCCESS) {
            return rv;
        }
        if (before % 2 == 0 && before == after) {
            *seq = before;
            return APR_SUCCESS;
        }
    }
    return APR_EAGAIN;
}

static apr_status_t fetch_config(copy_t *copy)
{
    return fetch(copy,
                 copy->board->at.config +
                     offsetof(amgr_board_config_region_t, config),
                 sizeof(amgr_board_config_t));
}

static apr_status_t fetch_about(copy_t *copy)
{
    return fetch(copy,
                 copy->board->at.config +
                     offsetof(amgr_board_config_region_t, about),
                 sizeof(amgr_board_about_t));
}

/* Processes and slots as far as there are any; what is not asked for is not
 * there.  Counts that are torn lead nowhere, since they are bounded. */
static apr_status_t fetch_tick(copy_t *copy)
{
    amgr_board_t *board = copy->board;
    amgr_board_tick_t *tick = amgr_board_at_rw(board, board->at.tick);
    apr_status_t rv = fetch(copy, board->at.tick, sizeof(*tick));
    int processes;
    int slots;

    if (rv != APR_SUCCESS) {
        return rv;
    }
    amgr_board_count_tick(board, &processes, &slots);
    if (!(copy->parts & AMGR_BOARD_PROCESSES)) {
        processes = 0;
    }
    if (!(copy->parts & AMGR_BOARD_SLOTS)) {
        slots = 0;
    }
    tick->process_count = processes;
    tick->slot_count = slots;
    rv = fetch(copy, board->at.processes,
               (apr_size_t)processes * sizeof(amgr_process_t));
    if (rv == APR_SUCCESS) {
        rv = fetch(copy, board->at.slots,
                   (apr_size_t)slots * sizeof(amgr_slot_t));
    }
    return rv;
}

static apr_status_t fetch_records(copy_t *copy)
{
    const amgr_board_records_t *ring =
        amgr_board_at(copy->board, copy->board->at.records);
    apr_status_t rv = fetch(copy, copy->board->at.records,
                            offsetof(amgr_board_records_t, records));

    if (rv != APR_SUCCESS || ring->last_serial == 0) {
        return rv;
    }
    return fetch(
        copy, copy->board->at.records + offsetof(amgr_board_records_t, records),
        sizeof(ring->records));
}

/* They are large and few: places that were never used are passed over. */
static apr_status_t fetch_evidences(copy_t *copy)
{
    apr_uint64_t offset =
        copy->board->at.evidences + offsetof(amgr_board_evidences_t, evidences);
    const amgr_evidence_t *evidence;
    apr_status_t rv = APR_SUCCESS;
    int i;

    for (i = 0; i < AMGR_EVIDENCES_MAX && rv == APR_SUCCESS; i++) {
        evidence = amgr_board_at(copy->board, offset);
        rv = fetch(copy, offset + offsetof(amgr_evidence_t, serial),
                   sizeof(evidence->serial));
        if (rv == APR_SUCCESS && evidence->serial != 0) {
            rv = fetch(copy, offset, sizeof(*evidence));
        }
        offset += sizeof(*evidence);
    }
    return rv;
}

static apr_status_t fetch_history(copy_t *copy)
{
    return fetch(copy, copy->board->at.history, sizeof(amgr_board_history_t));
}

static apr_status_t fetch_managed(copy_t *copy)
{
    apr_uint64_t offset = copy->board->managed_at;
    const amgr_board_managed_t *region = amgr_board_at(copy->board, offset);
    apr_status_t rv =
        fetch(copy, offset, offsetof(amgr_board_managed_t, table.processes));
    int count = region->table.count;

    if (rv != APR_SUCCESS || count <= 0) {
        return rv;
    }
    if (count > AMGR_MANAGED_MAX) {
        count = AMGR_MANAGED_MAX;
    }
    return fetch(copy, offset + offsetof(amgr_board_managed_t, table.processes),
                 (apr_size_t)count * sizeof(amgr_managed_t));
}

/* What a writer that died in the middle left is better than nothing, since
 * nothing would look as if there were no processes: its number stays odd, so
 * that the reader knows. */
static apr_status_t fetch_managed_or_torn(copy_t *copy)
{
    apr_uint64_t offset = copy->board->managed_at;
    apr_status_t rv = fetch_stable(copy, offset, fetch_managed);

    if (rv == APR_EAGAIN) {
        rv = fetch_managed(copy);
        *(apr_uint64_t *)amgr_board_at_rw(copy->board, offset) = 1;
    }
    return rv;
}

/* Something that a reader can do without: while it is being written there is
 * nothing of it. */
static apr_status_t fetch_optional(copy_t *copy, apr_uint64_t offset,
                                   apr_size_t size, copy_fn *fn)
{
    apr_status_t rv = fetch_stable(copy, offset, fn);

    if (rv != APR_EAGAIN) {
        return rv;
    }
    memset(amgr_board_at_rw(copy->board, offset), 0, size);
    return APR_SUCCESS;
}

/* Single words that stand under no number: all right, and of one time, when
 * two reads say the same. */
static apr_status_t fetch_counters(copy_t *copy)
{
    apr_uint64_t offset = copy->board->at.counters;
    const amgr_counters_t *counters = amgr_board_at(copy->board, offset);
    amgr_counters_t before;
    apr_status_t rv;
    int i;

    for (i = 0; i < TRIES; i++) {
        rv = read_at(copy->fd, offset, &before, sizeof(before));
        if (rv == APR_SUCCESS) {
            rv = fetch(copy, offset, sizeof(*counters));
        }
        if (rv != APR_SUCCESS ||
            memcmp(&before, counters, sizeof(before)) == 0) {
            return rv;
        }
    }
    return APR_EAGAIN;
}

static apr_status_t fetch_parts(copy_t *copy)
{
    const amgr_board_offsets_t *at = &copy->board->at;
    apr_status_t rv = fetch_stable(
        copy, at->config + offsetof(amgr_board_config_region_t, seq),
        fetch_config);

    if (rv == APR_SUCCESS) {
        rv = fetch_stable(
            copy, at->config + offsetof(amgr_board_config_region_t, about_seq),
            fetch_about);
    }
    if (rv == APR_SUCCESS) {
        rv = fetch(copy, at->beat, sizeof(apr_uint64_t));
    }
    if (rv == APR_SUCCESS) {
        rv = fetch_counters(copy);
    }
    if (rv == APR_SUCCESS) {
        rv = fetch_managed_or_torn(copy);
    }
    if (rv == APR_SUCCESS && copy->parts & AMGR_BOARD_TICK) {
        rv = fetch_stable(copy, at->tick + offsetof(amgr_board_tick_t, seq),
                          fetch_tick);
    }
    if (rv == APR_SUCCESS && copy->parts & AMGR_BOARD_RECORDS) {
        rv = fetch_optional(copy, at->records, sizeof(amgr_board_records_t),
                            fetch_records);
    }
    if (rv == APR_SUCCESS && copy->parts & AMGR_BOARD_RECORDS) {
        rv = fetch_optional(copy, at->evidences, sizeof(amgr_board_evidences_t),
                            fetch_evidences);
    }
    if (rv == APR_SUCCESS && copy->parts & AMGR_BOARD_HISTORY) {
        rv = fetch_optional(copy, at->history, sizeof(amgr_board_history_t),
                            fetch_history);
    }
    return rv;
}

/* The header, read and checked against the size of the file. */
static apr_status_t fetch_header(int fd, amgr_board_t *out)
{
    struct stat st;
    apr_status_t rv;

    if (fstat(fd, &st) != 0) {
        return errno;
    }
    if (!S_ISREG(st.st_mode) || st.st_size < (off_t)sizeof(*out)) {
        return APR_EGENERAL;
    }
    rv = read_at(fd, 0, out, sizeof(*out));
    if (rv == APR_SUCCESS) {
        rv = amgr_board_check_header(out, (apr_size_t)st.st_size);
    }
    if (rv == APR_SUCCESS && out->at.total > AMGR_BOARD_COPY_MAX_BYTES) {
        rv = APR_EGENERAL;
    }
    return rv;
}

static apr_status_t release(void *baton)
{
    copy_t *copy = baton;

    return munmap(copy->board, copy->size) == 0 ? APR_SUCCESS : errno;
}

apr_status_t amgr_board_copy(int fd, int parts, const amgr_board_t **out,
                             apr_pool_t *pool)
{
    amgr_board_t header;
    apr_status_t rv;
    copy_t *copy;
    void *memory;

    memset(&header, 0, sizeof(header));
    rv = fetch_header(fd, &header);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    memory = mmap(NULL, header.at.total, PROT_READ | PROT_WRITE,
                  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED) {
        return errno;
    }
    copy = apr_pcalloc(pool, sizeof(*copy));
    copy->fd = fd;
    copy->parts = parts;
    if (parts & (AMGR_BOARD_PROCESSES | AMGR_BOARD_SLOTS)) {
        copy->parts |= AMGR_BOARD_TICK;
    }
    copy->board = memory;
    copy->size = header.at.total;
    *copy->board = header;
    apr_pool_cleanup_register(pool, copy, release, apr_pool_cleanup_null);
    rv = fetch_parts(copy);
    if (rv == APR_SUCCESS) {
        *out = copy->board;
    }
    return rv;
}
