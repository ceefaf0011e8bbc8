/* SPDX-License-Identifier: Apache-2.0
 *
 * See slot_source.h.
 */
#include "httpd/slot_source.h"

#include <string.h>
#include <unistd.h>

#include "httpd/scoreboard.h"
#include "httpd/slot_times.h"
#include "model/words.h"

/* Of more letters than this, the rest is read when it is written: then it may
 * differ from the counts by what has happened since. */
#define LETTERS_KEPT 32768

/* Slots of a process that are copied together. */
#define SLOTS_AT_A_TIME 32

struct amgr_slot_reader_t {
    amgr_slot_source_t source;
    const amgr_runtime_t *runtime;
    const amgr_limits_t *limits;
    amgr_snapshot_t *snapshot;
    char *letters;
    int letters_kept;
    int last_row; /**< the last with a process */
    int next;     /**< where the process of the next row may be */
    int proc_opened;
    amgr_proc_dir_t proc; /**< open during the pass, once it is needed */
};

/** Where a process of this pid stands or would have to stand. */
static int place_of(const amgr_snapshot_t *snapshot, pid_t pid)
{
    int place = snapshot->process_count;

    while (place > 0 && snapshot->processes[place - 1].id.pid > pid) {
        place--;
    }
    return place;
}

static apr_status_t read_stat(amgr_slot_reader_t *reader, pid_t pid,
                              amgr_proc_stat_t *out)
{
    if (!reader->proc_opened) {
        reader->proc_opened = 1;
        if (amgr_proc_dir_open(&reader->proc, "/proc") != APR_SUCCESS) {
            reader->proc.fd = -1;
        }
    }
    return reader->proc.fd < 0 ? APR_ENOENT
                               : amgr_proc_read_stat(&reader->proc, pid, out);
}

/** Whether the kernel says that this is a child of our parent's, so that a row
 * that was overwritten shows no stranger, and nobody who has gone is counted.
 * Where it hides who others are, it still tells who is of our process group.
 * An unknown start is any. */
static int is_sibling(amgr_slot_reader_t *reader, const amgr_proc_id_t *id)
{
    amgr_proc_stat_t stat;

    if (id->pid == getpid()) {
        return 1;
    }
    if (read_stat(reader, id->pid, &stat) != APR_SUCCESS) {
        return getpgid(id->pid) == getpgrp();
    }
    return stat.ppid == getppid() && !amgr_proc_has_ended(&stat) &&
           (id->start_ticks == 0 || id->start_ticks == stat.start_ticks);
}

/** A worker that was forked after the last tick. */
static amgr_process_t *insert(amgr_snapshot_t *snapshot, const amgr_row_t *row,
                              int index)
{
    int place = place_of(snapshot, row->pid);
    amgr_process_t *process;

    if (snapshot->process_count >= snapshot->process_max) {
        snapshot->incomplete = 1;
        return NULL;
    }
    process = &snapshot->processes[place];
    memmove(process + 1, process,
            (apr_size_t)(snapshot->process_count - place) * sizeof(*process));
    amgr_process_blank(process);
    process->id.pid = row->pid;
    process->kind = AMGR_KIND_NATIVE;
    process->role = AMGR_ROLE_WORKER;
    process->group =
        amgr_snapshot_group(snapshot, amgr_kind_word(AMGR_KIND_NATIVE),
                            AMGR_KIND_NATIVE, AMGR_ROLE_WORKER);
    process->process_slot = index;
    process->generation = row->generation;
    process->state = row->stopping ? AMGR_STATE_STOPPING : AMGR_STATE_SERVING;
    snapshot->process_count++;
    return process;
}

/** The process with this pid, or NULL: those of neighbouring rows were mostly
 * forked one after the other. */
static amgr_process_t *find(amgr_slot_reader_t *reader, pid_t pid)
{
    amgr_snapshot_t *snapshot = reader->snapshot;
    amgr_process_t *process = NULL;

    if (reader->next < snapshot->process_count) {
        process = &snapshot->processes[reader->next];
    }
    if (process == NULL || process->id.pid != pid) {
        process = amgr_snapshot_find(snapshot, pid);
    }
    if (process != NULL) {
        reader->next = (int)(process - snapshot->processes) + 1;
    }
    return process;
}

/** The pass counts as many slots of each row as are used now: those of a
 * process from before a restart with another number are counted anew. */
static void count_own(amgr_process_t *process)
{
    amgr_slot_t slot;
    int i;

    process->busy_slots = 0;
    process->accesses = 0;
    for (i = 0; amgr_scoreboard_copy_slots(process->process_slot, i, &slot,
                                           i < process->slot_count) > 0;
         i++) {
        process->busy_slots += !amgr_mode_is_idle(slot.mode);
        process->accesses += slot.child_accesses;
    }
}

/** What the process of this row does now. */
static void see_row(void *baton, int index, const amgr_row_scan_t *seen)
{
    amgr_slot_reader_t *reader = baton;
    amgr_snapshot_t *snapshot = reader->snapshot;
    amgr_process_t *process = find(reader, seen->row.pid);
    amgr_proc_id_t id = {seen->row.pid, 0};

    reader->last_row = index;
    if (process == NULL && is_sibling(reader, &id)) {
        process = insert(snapshot, &seen->row, index);
    }
    if (process != NULL && process->process_slot == index &&
        process->slot_count == 0) {
        process->slot_count = amgr_scoreboard_columns_of(process);
        process->busy_slots = seen->busy;
        process->accesses = seen->accesses;
        if (process->slot_count != reader->source.columns) {
            count_own(process);
        }
    }
}

/** Workers that have gone since the tick have no row any more; few that are
 * there have lost theirs.  One that was told to go stays until the tick has
 * confirmed that it has. */
static void drop_gone(amgr_slot_reader_t *reader)
{
    amgr_snapshot_t *snapshot = reader->snapshot;
    int kept = 0;
    int i;

    for (i = 0; i < snapshot->process_count; i++) {
        const amgr_process_t *process = &snapshot->processes[i];

        if (process->kind == AMGR_KIND_NATIVE && process->slot_count == 0 &&
            process->state != AMGR_STATE_RETIRING &&
            !is_sibling(reader, &process->id)) {
            continue;
        }
        if (kept < i) {
            snapshot->processes[kept] = *process;
        }
        kept++;
    }
    snapshot->process_count = kept;
}

/** For display the wall clock will do. */
static void set_age(const amgr_slot_reader_t *reader,
                    const amgr_process_t *process, amgr_slot_t *slot)
{
    apr_time_t now_us = reader->snapshot->server.time.wall_us;

    if (amgr_slot_is_timed(slot, process->started_us)) {
        slot->request_age_us =
            now_us > slot->start_time_us ? now_us - slot->start_time_us : 0;
    }
}

/** A connection of HTTP/2 shows the oldest of its requests. */
static void show_stream(const amgr_slot_reader_t *reader,
                        const amgr_stream_t *stream, amgr_slot_t *slot)
{
    apr_time_t now_us = reader->snapshot->server.time.wall_us;
    apr_interval_time_t age_us =
        now_us > stream->start_time_us ? now_us - stream->start_time_us : 0;

    if (!amgr_slot_is_timed(slot, 0) && age_us > slot->request_age_us) {
        slot->request_age_us = age_us;
        slot->max_time_us = stream->max_time_us;
        slot->endless = stream->endless;
    }
}

static void show_streams(const amgr_slot_reader_t *reader,
                         const amgr_process_t *process, int first,
                         amgr_slot_t *slots, int count)
{
    int places =
        amgr_slot_times_places(reader->runtime, reader->limits, process);
    int i;

    for (i = 0; i < places; i++) {
        amgr_stream_t stream;

        if (amgr_slot_times_read_stream(
                reader->runtime, reader->limits, process, i,
                reader->snapshot->server.time.wall_us, &stream) &&
            stream.slot >= first && stream.slot < first + count) {
            show_stream(reader, &stream, &slots[stream.slot - first]);
        }
    }
}

static int read_slots(void *baton, const amgr_process_t *process, int first,
                      amgr_slot_t *out, int max)
{
    const amgr_slot_reader_t *reader = baton;
    amgr_row_t row;
    int count;
    int i;

    if (process->process_slot < 0 || first < 0 ||
        first >= process->slot_count) {
        return 0;
    }
    /* A slow reader's page takes long: the row may be another's by now. */
    amgr_scoreboard_read_row(process->process_slot, &row);
    if (row.pid != process->id.pid) {
        return 0;
    }
    count = process->slot_count - first;
    count = amgr_scoreboard_copy_slots(process->process_slot, first, out,
                                       count < max ? count : max);
    amgr_slot_times_read_slots(reader->runtime, reader->limits, process, out,
                               count);
    if (reader->snapshot->server.extended) {
        for (i = 0; i < count; i++) {
            set_age(reader, process, &out[i]);
        }
        show_streams(reader, process, first, out, count);
    }
    return count;
}

static void read_letters(void *baton, apr_int64_t first, char *out, int count)
{
    const amgr_slot_reader_t *reader = baton;
    int kept = 0;

    if (first >= 0 && first < reader->letters_kept) {
        kept = reader->letters_kept - (int)first;
        kept = kept < count ? kept : count;
        memcpy(out, reader->letters + first, (apr_size_t)kept);
    }
    if (kept < count) {
        amgr_scoreboard_read_letters(first + kept, out + kept, count - kept);
    }
}

static void make_letters(amgr_slot_reader_t *reader, apr_pool_t *p)
{
    apr_int64_t letters =
        (apr_int64_t)amgr_scoreboard_rows() * reader->source.columns;

    reader->letters_kept = letters < LETTERS_KEPT ? (int)letters : LETTERS_KEPT;
    reader->letters = apr_palloc(p, (apr_size_t)reader->letters_kept);
    memset(reader->letters, '.', (apr_size_t)reader->letters_kept);
}

amgr_slot_reader_t *amgr_slot_source_create(const amgr_runtime_t *runtime,
                                            const amgr_limits_t *limits,
                                            amgr_snapshot_t *snapshot, int what,
                                            apr_pool_t *p)
{
    amgr_slot_reader_t *reader = apr_pcalloc(p, sizeof(*reader));

    reader->runtime = runtime;
    reader->limits = limits;
    reader->snapshot = snapshot;
    reader->last_row = -1;
    reader->source.read_slots = read_slots;
    reader->source.read_letters = read_letters;
    reader->source.baton = reader;
    reader->source.columns = amgr_scoreboard_used_columns();
    if (what & AMGR_SOURCE_SLOTS) {
        reader->source.room_max = SLOTS_AT_A_TIME;
        reader->source.room =
            apr_palloc(p, SLOTS_AT_A_TIME * sizeof(reader->source.room[0]));
    }
    if (what & AMGR_SOURCE_LETTERS) {
        make_letters(reader, p);
    }
    return reader;
}

void amgr_slot_source_scan(amgr_slot_reader_t *reader)
{
    amgr_snapshot_t *snapshot = reader->snapshot;
    amgr_scan_t scan;
    apr_int64_t seen;
    int i;

    for (i = 0; i < snapshot->process_count; i++) {
        snapshot->processes[i].busy_slots = -1;
    }
    memset(&scan, 0, sizeof(scan));
    scan.letters = reader->letters;
    scan.letters_max = reader->letters_kept;
    scan.visit = see_row;
    scan.baton = reader;
    /* CPU time is the tick's. */
    (void)amgr_scoreboard_read_server(&snapshot->server, &scan);
    drop_gone(reader);
    if (reader->proc_opened) {
        amgr_proc_dir_close(&reader->proc);
    }
    seen = (apr_int64_t)(reader->last_row + 1) * reader->source.columns;
    reader->source.letter_count = seen > snapshot->server.max_workers
                                      ? seen
                                      : snapshot->server.max_workers;
}

const amgr_slot_source_t *amgr_slot_source_get(const amgr_slot_reader_t *reader)
{
    return &reader->source;
}
