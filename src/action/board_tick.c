/* SPDX-License-Identifier: Apache-2.0
 *
 * The board's largest region: the last tick.  Only used entries are copied,
 * in either direction.  A reader trusts nothing it copied until the sequence
 * number says that the copy is whole, and no count or index even then.
 */
#include <string.h>

#include "action/board_layout.h"
#include "action/seqlock.h"

#define TIME_MAX (APR_INT64_C(1) << 56)

static int clamp(int value, int max)
{
    if (value < 0) {
        return 0;
    }
    return value < max ? value : max;
}

void amgr_board_write_tick(amgr_board_t *board, const amgr_snapshot_t *snapshot)
{
    amgr_board_tick_t *tick = amgr_board_at_rw(board, board->at.tick);
    amgr_process_t *processes = amgr_board_at_rw(board, board->at.processes);
    amgr_slot_t *slots = amgr_board_at_rw(board, board->at.slots);
    int group_count = clamp(snapshot->group_count, AMGR_GROUPS_MAX);
    int process_count = clamp(snapshot->process_count, board->dims.process_max);
    int slot_count = clamp(snapshot->slot_count, board->dims.slot_max);

    amgr_seq_begin_write(&tick->seq);
    tick->written = 1;
    tick->group_count = group_count;
    tick->process_count = process_count;
    tick->slot_count = slot_count;
    tick->incomplete = snapshot->incomplete ||
                       process_count < snapshot->process_count ||
                       slot_count < snapshot->slot_count;
    tick->hanging = snapshot->hanging;
    tick->server = snapshot->server;
    memcpy(tick->groups, snapshot->groups,
           (apr_size_t)group_count * sizeof(tick->groups[0]));
    if (process_count > 0) {
        memcpy(processes, snapshot->processes,
               (apr_size_t)process_count * sizeof(processes[0]));
    }
    if (slot_count > 0) {
        memcpy(slots, snapshot->slots,
               (apr_size_t)slot_count * sizeof(slots[0]));
    }
    amgr_seq_end_write(&tick->seq);
}

/* Copy what may be half written.  The counts are clamped before they are
 * used, so that a torn one can lead nowhere. */
static void copy_tick(const amgr_board_t *board, amgr_snapshot_t *out)
{
    const amgr_board_tick_t *tick = amgr_board_at(board, board->at.tick);
    int process_count = clamp(tick->process_count, board->dims.process_max);
    int slot_count = clamp(tick->slot_count, board->dims.slot_max);

    out->server = tick->server;
    out->incomplete = tick->incomplete;
    out->hanging = tick->hanging;
    out->group_count = clamp(tick->group_count, AMGR_GROUPS_MAX);
    out->process_count = clamp(process_count, out->process_max);
    out->slot_count = clamp(slot_count, out->slot_max);
    memcpy(out->groups, tick->groups,
           (apr_size_t)out->group_count * sizeof(out->groups[0]));
    if (out->process_count > 0) {
        memcpy(out->processes, amgr_board_at(board, board->at.processes),
               (apr_size_t)out->process_count * sizeof(out->processes[0]));
    }
    if (out->slot_count > 0) {
        memcpy(out->slots, amgr_board_at(board, board->at.slots),
               (apr_size_t)out->slot_count * sizeof(out->slots[0]));
    }
}

/* Some thousand years either way: times that are added and compared. */
static void bound(apr_time_t *time_us)
{
    if (*time_us < -TIME_MAX || *time_us > TIME_MAX) {
        *time_us = AMGR_NO_TIME;
    }
}

static int row_count(const amgr_board_dims_t *dims)
{
    return dims->thread_limit > 0 ? dims->slot_max / dims->thread_limit : 0;
}

/* Writers draw as many slots as there are said to be. */
static void mend_server(const amgr_board_dims_t *dims, amgr_server_t *server)
{
    int i;

    server->max_workers = clamp(server->max_workers, dims->slot_max);
    server->threads_per_process =
        clamp(server->threads_per_process, dims->thread_limit);
    for (i = 0; i < AMGR_MODE_COUNT; i++) {
        server->modes[i] = clamp(server->modes[i], dims->slot_max);
    }
    bound(&server->time.mono_us);
    bound(&server->time.wall_us);
    bound(&server->time.boot_us);
    bound(&server->started_us);
    bound(&server->uptime_us);
    server->version[sizeof(server->version) - 1] = '\0';
    server->mpm[sizeof(server->mpm) - 1] = '\0';
}

static void mend_slot(const amgr_board_dims_t *dims, amgr_slot_t *slot)
{
    if (slot->process_slot < -1 || slot->process_slot >= row_count(dims)) {
        slot->process_slot = -1;
    }
    slot->thread = clamp(slot->thread, dims->thread_limit - 1);
    bound(&slot->start_time_us);
    bound(&slot->stop_time_us);
    bound(&slot->last_used_us);
    bound(&slot->duration_us);
    bound(&slot->request_age_us);
    slot->client[sizeof(slot->client) - 1] = '\0';
    slot->request[sizeof(slot->request) - 1] = '\0';
    slot->vhost[sizeof(slot->vhost) - 1] = '\0';
    slot->protocol[sizeof(slot->protocol) - 1] = '\0';
}

static void mend_process(const amgr_board_dims_t *dims,
                         const amgr_snapshot_t *snapshot,
                         amgr_process_t *process)
{
    if (process->process_slot < -1 ||
        process->process_slot >= row_count(dims)) {
        process->process_slot = -1;
    }
    if (process->group < 0 || process->group >= snapshot->group_count) {
        process->group = 0;
    }
    if (process->slot_count < 0 || process->first_slot < 0 ||
        process->first_slot >= snapshot->slot_count) {
        process->first_slot = 0;
        process->slot_count = 0;
    }
    process->columns = clamp(process->columns, dims->thread_limit);
    process->slot_count =
        clamp(process->slot_count, snapshot->slot_count - process->first_slot);
}

/* Make every index valid and every string end. */
static void mend(const amgr_board_dims_t *dims, amgr_snapshot_t *snapshot)
{
    int i;

    mend_server(dims, &snapshot->server);
    for (i = 0; i < snapshot->group_count; i++) {
        amgr_group_t *group = &snapshot->groups[i];

        group->name[sizeof(group->name) - 1] = '\0';
    }
    /* Without a group there is no index that would do. */
    if (snapshot->group_count == 0) {
        snapshot->process_count = 0;
    }
    for (i = 0; i < snapshot->process_count; i++) {
        mend_process(dims, snapshot, &snapshot->processes[i]);
    }
    for (i = 0; i < snapshot->slot_count; i++) {
        mend_slot(dims, &snapshot->slots[i]);
    }
}

apr_status_t amgr_board_read_tick(const amgr_board_t *board,
                                  amgr_snapshot_t *out)
{
    const amgr_board_tick_t *tick = amgr_board_at(board, board->at.tick);
    apr_status_t rv = APR_EAGAIN;
    apr_uint64_t written;
    apr_uint64_t seq;
    int i;

    for (i = 0; i < AMGR_SEQ_TRIES && rv == APR_EAGAIN; i++) {
        seq = amgr_seq_begin_read(&tick->seq);
        if (seq % 2 != 0) {
            continue;
        }
        written = tick->written;
        if (written) {
            copy_tick(board, out);
        }
        if (amgr_seq_is_stable(&tick->seq, seq)) {
            rv = written ? APR_SUCCESS : APR_NOTFOUND;
        }
    }
    if (rv != APR_SUCCESS) {
        amgr_snapshot_clear(out);
        return rv;
    }
    mend(&board->dims, out);
    return APR_SUCCESS;
}

void amgr_board_count_tick(const amgr_board_t *board, int *out_processes,
                           int *out_slots)
{
    const amgr_board_tick_t *tick = amgr_board_at(board, board->at.tick);

    *out_processes = clamp(tick->process_count, board->dims.process_max);
    *out_slots = clamp(tick->slot_count, board->dims.slot_max);
}
