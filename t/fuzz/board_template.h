/* SPDX-License-Identifier: Apache-2.0
 *
 * The board of a server at work, in a file, with texts that would leave their
 * place if they were not escaped.
 */
#ifndef AMGR_BOARD_TEMPLATE_H
#define AMGR_BOARD_TEMPLATE_H

#include "fuzz.h"

#include <sys/mman.h>
#include <unistd.h>

#include "action/board_layout.h"
#include "render/view.h"

/** Would leave its place in HTML and in JSON, and command a terminal. */
#define HOSTILE "<x&\"'\\\x1b[2J\xff\xe2\x80\xae\n"

#define SECOND APR_USEC_PER_SEC
#define NOW_US (1700000000 * SECOND)

static const amgr_board_dims_t dims = {
    .process_max = 8, .slot_max = 32, .thread_limit = 4};
static const amgr_board_owner_t owner = {{77, 88}, "boot"};

static amgr_board_t *board; /**< what is written over */
static apr_size_t board_size;
static int board_fd; /**< the file that it lies in */

static void fill_slot(amgr_slot_t *slot, int row, int thread)
{
    memset(slot, 0, sizeof(*slot));
    slot->process_slot = row;
    slot->thread = thread;
    slot->mode = thread % 2 == 0 ? AMGR_MODE_WRITE : AMGR_MODE_READY;
    slot->start_time_us = NOW_US - 3 * SECOND;
    slot->last_used_us = slot->start_time_us;
    slot->request_age_us = 3 * SECOND;
    slot->max_time_us = 60 * SECOND;
    snprintf(slot->client, sizeof(slot->client), "192.0.2.%d", thread);
    snprintf(slot->request, sizeof(slot->request), "GET /%s", HOSTILE);
    snprintf(slot->vhost, sizeof(slot->vhost), "%s", HOSTILE);
    snprintf(slot->protocol, sizeof(slot->protocol), "http/1.1");
}

static void fill_process(amgr_snapshot_t *snapshot, int index)
{
    amgr_process_t *process = &snapshot->processes[index];
    int is_native = index < 2;
    int i;

    memset(process, 0, sizeof(*process));
    process->id.pid = 100 + index;
    process->id.start_ticks = 5000 + (apr_uint64_t)index;
    process->kind = is_native ? AMGR_KIND_NATIVE : AMGR_KIND_FOREIGN;
    process->role = is_native ? AMGR_ROLE_WORKER : AMGR_ROLE_WSGI;
    process->group = amgr_snapshot_group(
        snapshot, is_native ? "native" : HOSTILE, process->kind, process->role);
    process->process_slot = is_native ? index : -1;
    process->started_us = NOW_US - 100 * SECOND;
    process->age_us = 100 * SECOND;
    process->rss_bytes = 20000000;
    process->anon_bytes = 10000000;
    process->pss_bytes = AMGR_UNKNOWN;
    process->uss_bytes = AMGR_UNKNOWN;
    process->growth_bytes_per_hour = 5000;
    process->first_slot = snapshot->slot_count;
    process->slot_count = is_native ? dims.thread_limit : 0;
    for (i = 0; i < process->slot_count; i++) {
        fill_slot(&snapshot->slots[snapshot->slot_count++], index, i);
    }
    snapshot->process_count++;
}

static void fill_snapshot(amgr_snapshot_t *snapshot)
{
    apr_uint64_t scratch[8];
    int i;

    amgr_snapshot_clear(snapshot);
    for (i = 0; i < 4; i++) {
        fill_process(snapshot, i);
    }
    snapshot->server.extended = 1;
    snapshot->server.threaded = 1;
    snapshot->server.time.mono_us = 1000 * SECOND;
    snapshot->server.time.boot_us = 2000 * SECOND;
    snapshot->server.time.wall_us = NOW_US;
    snapshot->server.started_us = NOW_US - 500 * SECOND;
    snapshot->server.uptime_us = 500 * SECOND;
    snapshot->server.max_workers = dims.slot_max;
    snapshot->server.threads_per_process = dims.thread_limit;
    snprintf(snapshot->server.version, sizeof(snapshot->server.version),
             "Apache/2.4 %s", HOSTILE);
    snprintf(snapshot->server.mpm, sizeof(snapshot->server.mpm), "event");
    amgr_snapshot_complete(snapshot, scratch);
}

static void fill_record(const amgr_snapshot_t *snapshot)
{
    static amgr_evidence_t evidence;
    amgr_decision_t decision;
    amgr_limits_t limits;
    amgr_record_t record;

    amgr_limits_init(&limits);
    memset(&decision, 0, sizeof(decision));
    decision.process = 1;
    decision.verdict = AMGR_VERDICT_TIME;
    decision.slot = 4;
    decision.step = AMGR_STEP_KILL;
    decision.measured = 9 * SECOND;
    decision.limit = 5 * SECOND;
    amgr_record_fill(&record, snapshot, &decision, &limits);
    record.serial = 0;
    amgr_board_write_record(board, &record);
    memset(&evidence, 0, sizeof(evidence));
    amgr_evidence_take_requests(snapshot, 1, &evidence);
    evidence.serial = record.serial;
    evidence.thread_count = 1;
    evidence.threads = 3;
    evidence.blocked[0].count = 3;
    evidence.blocked[0].fd = 7;
    strcpy(evidence.blocked[0].call, "recvfrom");
    strcpy(evidence.blocked[0].target,
           "tcp 192.0.2.1:80 to 198.51.100.7:40000");
    amgr_board_write_evidence(board, &evidence);
}

static void fill_managed(void)
{
    static amgr_managed_table_t table;
    int i;

    table.count = 3;
    table.supervisor = 70;
    table.control = 1;
    table.beat_mono_us = APR_INT64_MAX / 4;
    for (i = 0; i < table.count; i++) {
        amgr_managed_t *process = &table.processes[i];

        snprintf(process->name, sizeof(process->name), "web%d", i);
        strcpy(process->program, "/bin/web");
        strcpy(process->reason, HOSTILE);
        strcpy(process->status, HOSTILE);
        process->id = i + 1;
        process->state = AMGR_MANAGED_READY + i;
        process->want = AMGR_MANAGED_WANT_UP;
        process->exit_known = 1;
        process->pid = 300 + i;
        process->after = (apr_uint64_t)i;
        process->since_us = NOW_US - SECOND;
        process->memory_bytes = 1000000;
    }
    amgr_board_write_managed(board, &table);
}

static void fill_about(void)
{
    amgr_board_about_t about;
    amgr_board_config_t config;

    memset(&about, 0, sizeof(about));
    about.started_us = NOW_US;
    about.show_requests = AMGR_SHOW_FULL;
    about.show_clients = AMGR_CLIENTS_FULL;
    about.metrics_names = AMGR_METRICS_BOTH;
    about.listen_count = 1;
    about.listens[0].port = 80;
    strcpy(about.description, HOSTILE);
    strcpy(about.kill_commands[0], HOSTILE);
    strcpy(about.data_file, "/run/" HOSTILE);
    amgr_board_write_about(board, &about);
    memset(&config, 0, sizeof(config));
    amgr_limits_init(&config.limits);
    config.limits.max_memory_active_bytes = 1 << 24;
    config.limits.max_time_us = 5 * SECOND;
    config.limits.section_count = 1;
    strcpy(config.limits.sections[0].name, HOSTILE);
    config.can_signal = 1;
    config.can_read_proc = 1;
    amgr_board_write_config(board, &config);
}

/* A board as a server has it, in a file that both ways of reading share. */
static const void *make_template(void)
{
    static amgr_process_t processes[8];
    static amgr_slot_t slots[32];
    static amgr_snapshot_t snapshot;
    void *copy;
    int i;

    board_size = amgr_board_size(&dims);
    board_fd = memfd_create("fuzz", MFD_CLOEXEC);
    check(board_fd >= 0 && ftruncate(board_fd, (off_t)board_size) == 0);
    board =
        mmap(NULL, board_size, PROT_READ | PROT_WRITE, MAP_SHARED, board_fd, 0);
    copy = malloc(board_size);
    check(board != MAP_FAILED && copy != NULL);
    amgr_board_init(board, &dims, &owner);
    snapshot.processes = processes;
    snapshot.process_max = 8;
    snapshot.slots = slots;
    snapshot.slot_max = 32;
    fill_snapshot(&snapshot);
    amgr_board_write_tick(board, &snapshot);
    for (i = 0; i < 3; i++) {
        fill_record(&snapshot);
    }
    for (i = 0; i < 40; i++) {
        snapshot.server.time.mono_us += 10 * SECOND;
        snapshot.server.time.wall_us += 10 * SECOND;
        amgr_board_write_history(board, &snapshot, (apr_uint64_t)i,
                                 10 * SECOND);
    }
    fill_managed();
    fill_about();
    amgr_board_beat(board, 1000 * SECOND);
    return memcpy(copy, board, board_size);
}

#endif
