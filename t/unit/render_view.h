/* SPDX-License-Identifier: Apache-2.0
 *
 * Three fixed views for the tests of the writers: a prefork server at work,
 * an event server under hostile input, a server before its first tick.  Tests
 * change what they need of a view before they write it.
 */
#ifndef AMGR_RENDER_VIEW_H
#define AMGR_RENDER_VIEW_H

#include "render_check.h"

#include <apr_strings.h>

#define VIEW_PROCESSES 16
#define VIEW_SLOTS 16
#define VIEW_RECORDS 4
#define VIEW_EVIDENCES 2
#define VIEW_NOW_US APR_INT64_C(1700000000123456)
#define VIEW_SAMPLES 48
#define VIEW_SEC(n) ((apr_time_t)(n) * APR_USEC_PER_SEC)
#define VIEW_KIB(n) ((apr_uint64_t)(n) * 1024)
#define VIEW_MIB(n) ((apr_uint64_t)(n) * 1024 * 1024)

typedef struct fixed_view_t {
    amgr_view_t view;
    amgr_snapshot_t snapshot;
    amgr_board_config_t config;
    amgr_counters_t counters;
    amgr_record_t records[VIEW_RECORDS];
    amgr_evidence_t evidences[VIEW_EVIDENCES];
    amgr_process_t processes[VIEW_PROCESSES];
    amgr_slot_t slots[VIEW_SLOTS];
    int scratch[VIEW_PROCESSES];
    amgr_history_series_t history;
    amgr_history_sample_t samples[VIEW_SAMPLES];
} fixed_view_t;

typedef void fixed_view_fn(fixed_view_t *fixed);

/* Nothing known, nothing configured, no tick yet. */
static inline void view_empty(fixed_view_t *fixed)
{
    memset(fixed, 0, sizeof(*fixed));
    fixed->snapshot.processes = fixed->processes;
    fixed->snapshot.process_max = VIEW_PROCESSES;
    fixed->snapshot.slots = fixed->slots;
    fixed->snapshot.slot_max = VIEW_SLOTS;
    amgr_snapshot_clear(&fixed->snapshot);
    fixed->snapshot.server.uptime_us = AMGR_NO_TIME;
    fixed->snapshot.server.generation = -1;
    fixed->snapshot.server.cpu_load = -1.0;
    amgr_limits_init(&fixed->config.limits);
    fixed->config.can_signal = 1;
    fixed->config.can_read_proc = 1;
    fixed->view.snapshot = &fixed->snapshot;
    fixed->view.config = &fixed->config;
    fixed->view.counters = &fixed->counters;
    fixed->view.records = fixed->records;
    fixed->view.evidences = fixed->evidences;
    fixed->view.show_requests = AMGR_SHOW_PATH;
    fixed->view.show_clients = AMGR_CLIENTS_FULL;
    fixed->view.tick_wall_us = AMGR_NO_TIME;
    fixed->view.now_wall_us = VIEW_NOW_US;
    fixed->view.base_path = "/manager-status";
    fixed->view.assets_version = "1";
    fixed->view.scratch = fixed->scratch;
    fixed->view.scratch_count = VIEW_PROCESSES;
}

static inline amgr_process_t *add_process(fixed_view_t *fixed, pid_t pid,
                                          const char *group, int role,
                                          apr_uint64_t rss_bytes)
{
    amgr_snapshot_t *snapshot = &fixed->snapshot;
    amgr_process_t *process = &fixed->processes[snapshot->process_count++];
    int native = role == AMGR_ROLE_WORKER;

    assert_true(snapshot->process_count <= VIEW_PROCESSES);
    memset(process, 0, sizeof(*process));
    process->id.pid = pid;
    process->id.start_ticks = (apr_uint64_t)pid * 10;
    process->kind = native ? AMGR_KIND_NATIVE : AMGR_KIND_FOREIGN;
    process->role = role;
    process->group = amgr_snapshot_group(snapshot, group, process->kind, role);
    process->process_slot = -1;
    process->generation = native ? 2 : -1;
    process->threads = 1;
    process->first_slot = snapshot->slot_count;
    process->age_us = VIEW_SEC(3725);
    process->rss_bytes = rss_bytes;
    process->anon_bytes = AMGR_UNKNOWN;
    process->pss_bytes = AMGR_UNKNOWN;
    process->uss_bytes = AMGR_UNKNOWN;
    process->growth_bytes_per_hour = AMGR_GROWTH_UNKNOWN;
    process->busy_slots = -1;
    process->verdict = AMGR_VERDICT_EXEMPT;
    if (native || role == AMGR_ROLE_WSGI) {
        process->verdict = rss_bytes == AMGR_UNKNOWN ? AMGR_VERDICT_UNKNOWN
                                                     : AMGR_VERDICT_OK;
    }
    return process;
}

static inline amgr_slot_t *add_slot(fixed_view_t *fixed,
                                    amgr_process_t *process, int row,
                                    int thread, int mode)
{
    amgr_snapshot_t *snapshot = &fixed->snapshot;
    amgr_slot_t *slot = &fixed->slots[snapshot->slot_count++];

    assert_true(snapshot->slot_count <= VIEW_SLOTS);
    memset(slot, 0, sizeof(*slot));
    process->process_slot = row;
    process->busy_slots += process->slot_count == 0;
    process->busy_slots += !amgr_mode_is_idle(mode);
    process->slot_count++;
    slot->process_slot = row;
    slot->thread = thread;
    slot->mode = mode;
    slot->start_time_us = VIEW_NOW_US - VIEW_SEC(10);
    slot->stop_time_us = VIEW_NOW_US - VIEW_SEC(10) + 12345;
    slot->last_used_us = VIEW_NOW_US - VIEW_SEC(9);
    slot->duration_us = VIEW_SEC(61) + 999;
    slot->request_age_us = AMGR_NO_TIME;
    slot->max_time_us = AMGR_LIMIT_OFF;
    slot->accesses = 1200;
    slot->child_accesses = 345;
    slot->conn_count = 3;
    slot->bytes = VIEW_MIB(12) + 100;
    slot->child_bytes = VIEW_MIB(3);
    slot->conn_bytes = VIEW_KIB(20) + 512;
    slot->cpu_ticks = 123;
    apr_cpystrn(slot->client, "192.0.2.7", sizeof(slot->client));
    apr_cpystrn(slot->protocol, "http/1.1", sizeof(slot->protocol));
    apr_cpystrn(slot->vhost, "www.example.org:443", sizeof(slot->vhost));
    apr_cpystrn(slot->request, "GET /a?token=secret HTTP/1.1",
                sizeof(slot->request));
    return slot;
}

static inline void set_server(amgr_server_t *server, const char *mpm)
{
    apr_cpystrn(server->version, "Apache/2.4.62 (Debian)",
                sizeof(server->version));
    apr_cpystrn(server->mpm, mpm, sizeof(server->mpm));
    server->time.wall_us = VIEW_NOW_US;
    server->time.mono_us = VIEW_SEC(100000);
    server->uptime_us = VIEW_SEC(93784) + 500000;
    server->generation = 2;
    server->extended = 1;
    server->total_accesses = 123456;
    server->total_bytes = APR_UINT64_C(9876543210);
    server->cpu_load = 1.25;
    server->requests_per_second = 1.3163867;
    server->bytes_per_second = 105311.4;
    server->bytes_per_request = 80000.51;
}

static inline void finish_view(fixed_view_t *fixed)
{
    apr_uint64_t scratch[VIEW_PROCESSES];

    amgr_snapshot_complete(&fixed->snapshot, scratch);
}

static inline amgr_record_t *add_record(fixed_view_t *fixed, pid_t pid,
                                        int verdict, int outcome)
{
    amgr_record_t *record = &fixed->records[fixed->view.record_count++];

    assert_true(fixed->view.record_count <= VIEW_RECORDS);
    memset(record, 0, sizeof(*record));
    record->serial = (apr_uint64_t)(100 - fixed->view.record_count);
    record->time_us = VIEW_NOW_US - VIEW_SEC(fixed->view.record_count * 7);
    record->decided_mono_us = fixed->snapshot.server.time.mono_us -
                              VIEW_SEC(fixed->view.record_count * 7);
    record->ended_us = AMGR_NO_TIME;
    record->announced_us = AMGR_NO_TIME;
    record->asked_us = AMGR_NO_TIME;
    record->killed_us = AMGR_NO_TIME;
    record->replaced_us = AMGR_NO_TIME;
    record->id.pid = pid;
    record->id.start_ticks = (apr_uint64_t)pid * 10;
    record->verdict = verdict;
    record->outcome = outcome;
    record->action = AMGR_ACTION_KILL;
    record->rss_bytes = VIEW_MIB(612);
    record->measured = VIEW_MIB(612);
    record->limit = VIEW_MIB(500);
    record->requests = 1;
    record->active = 1;
    apr_cpystrn(record->group, "native", sizeof(record->group));
    apr_cpystrn(record->request, "POST /upload?key=secret HTTP/1.1",
                sizeof(record->request));
    apr_cpystrn(record->vhost, "www.example.org:443", sizeof(record->vhost));
    return record;
}

static inline amgr_evidence_t *add_evidence(fixed_view_t *fixed,
                                            const amgr_record_t *record)
{
    amgr_evidence_t *evidence =
        &fixed->evidences[fixed->view.evidence_count++];

    assert_true(fixed->view.evidence_count <= VIEW_EVIDENCES);
    memset(evidence, 0, sizeof(*evidence));
    evidence->serial = record->serial;
    evidence->time_us = record->time_us;
    evidence->took_us = 456;
    evidence->rss_bytes = record->rss_bytes;
    evidence->anon_bytes = AMGR_UNKNOWN;
    evidence->pid = (apr_int32_t)record->id.pid;
    return evidence;
}

static inline amgr_evidence_request_t *add_in_flight(amgr_evidence_t *evidence,
                                                     int mode,
                                                     apr_time_t age_us)
{
    amgr_evidence_request_t *request =
        &evidence->requests[evidence->request_count++];

    request->age_us = age_us;
    request->process_slot = 3;
    request->thread = evidence->request_count - 1;
    request->mode = mode;
    apr_cpystrn(request->client, "192.0.2.7", sizeof(request->client));
    apr_cpystrn(request->protocol, "http/1.1", sizeof(request->protocol));
    apr_cpystrn(request->vhost, "www.example.org:443", sizeof(request->vhost));
    apr_cpystrn(request->request, "POST /upload?key=secret HTTP/1.1",
                sizeof(request->request));
    return request;
}

static inline amgr_evidence_thread_t *add_blocked(amgr_evidence_t *evidence,
                                                  const char *call, int fd,
                                                  const char *target,
                                                  const char *wchan)
{
    amgr_evidence_thread_t *entry =
        &evidence->blocked[evidence->thread_count++];

    entry->tid = evidence->pid + evidence->thread_count - 1;
    entry->count = 1;
    entry->state = AMGR_TASK_SYSCALL;
    entry->fd = fd;
    apr_cpystrn(entry->call, call, sizeof(entry->call));
    apr_cpystrn(entry->target, target, sizeof(entry->target));
    apr_cpystrn(entry->wchan, wchan, sizeof(entry->wchan));
    return entry;
}

static inline void add_prefork_evidence(fixed_view_t *fixed,
                                        const amgr_record_t *record)
{
    amgr_evidence_t *evidence = add_evidence(fixed, record);

    evidence->anon_bytes = VIEW_MIB(580);
    evidence->threads = 7;
    evidence->threads_left_out = 1;
    evidence->threads_unread = 2;
    evidence->requests_left_out = 3;
    add_in_flight(evidence, AMGR_MODE_WRITE, VIEW_SEC(121) + 250000);
    add_in_flight(evidence, AMGR_MODE_READ, AMGR_NO_TIME)->request[0] = '\0';
    add_blocked(evidence, "recvfrom", 12,
                "tcp 127.0.0.1:40000 to 10.0.0.5:3306", "wait_woken");
    add_blocked(evidence, "running", -1, "", "")->state = AMGR_TASK_RUNNING;
    add_blocked(evidence, "futex", -1, "private futex", "futex_do_wait")
        ->count = 2;
}

static inline void add_prefork_records(fixed_view_t *fixed)
{
    amgr_record_t *record;

    add_record(fixed, 1104, AMGR_VERDICT_MEMORY_ACTIVE, AMGR_OUTCOME_PENDING);
    record = add_record(fixed, 1003, AMGR_VERDICT_TIME, AMGR_OUTCOME_GONE);
    record->measured = (apr_uint64_t)VIEW_SEC(121) + 250000;
    record->limit = (apr_uint64_t)VIEW_SEC(120);
    record->announced_us = 0;
    record->asked_us = 100000;
    record->killed_us = 301000;
    record->ended_us = 312456;
    record->replaced_us = 1250000;
    record->replacement = AMGR_REPLACEMENT_SERVING;
    record->requests_lost = 1;
    record->freed_bytes = VIEW_MIB(580);
    add_prefork_evidence(fixed, record);
    record = add_record(fixed, 1002, AMGR_VERDICT_MEMORY_IDLE,
                        AMGR_OUTCOME_FAILED);
    record->active = 0;
    record->demanded = 1;
    record->requests = 0;
    record->limit = VIEW_MIB(250);
    record = add_record(fixed, 1201, AMGR_VERDICT_MEMORY_ACTIVE,
                        AMGR_OUTCOME_DRY_RUN);
    record->kind = AMGR_KIND_FOREIGN;
    record->role = AMGR_ROLE_WSGI;
    record->action = AMGR_ACTION_NONE;
    record->requests = 0;
    record->request[0] = '\0';
    record->vhost[0] = '\0';
    apr_cpystrn(record->group, "example", sizeof(record->group));
}

static inline void add_prefork_workers(fixed_view_t *fixed)
{
    static const struct {
        pid_t pid;
        apr_uint64_t rss_bytes;
        int mode;
        int verdict;
        int cause;
        int state;
    } workers[] = {
        { 1101, 12050432, AMGR_MODE_READY, AMGR_VERDICT_OK, 0, 0 },
        { 1102, VIEW_MIB(430), AMGR_MODE_WRITE, AMGR_VERDICT_OK, 0, 0 },
        { 1103, VIEW_MIB(260), AMGR_MODE_READY, AMGR_VERDICT_MEMORY_IDLE,
          AMGR_CAUSE_MIN_AGE, AMGR_STATE_SERVING },
        { 1104, VIEW_MIB(612), AMGR_MODE_WRITE, AMGR_VERDICT_MEMORY_ACTIVE, 0,
          AMGR_STATE_RETIRING },
        { 1105, AMGR_UNKNOWN, AMGR_MODE_GRACEFUL, AMGR_VERDICT_UNKNOWN, 0,
          AMGR_STATE_STOPPING },
        { 1106, 11907072, AMGR_MODE_KEEPALIVE, AMGR_VERDICT_OK, 0, 0 },
    };
    int i;

    for (i = 0; i < (int)AMGR_COUNT(workers); i++) {
        amgr_process_t *process = add_process(
            fixed, workers[i].pid, "native", AMGR_ROLE_WORKER,
            workers[i].rss_bytes);
        amgr_slot_t *slot = add_slot(fixed, process, i, 0, workers[i].mode);

        process->verdict = workers[i].verdict;
        process->cause = workers[i].cause;
        process->state = workers[i].state;
        if (workers[i].mode == AMGR_MODE_WRITE) {
            slot->start_time_us = VIEW_NOW_US - 2500000;
            slot->request_age_us = 2500000;
            slot->max_time_us = VIEW_SEC(120);
        }
    }
    fixed->processes[4].age_us = AMGR_NO_TIME;
    fixed->processes[4].threads = 0;
}

/* The total, requests and lifetime; a group with limits of its own. */
static inline void set_reasons(fixed_view_t *fixed)
{
    amgr_limits_t *limits = &fixed->config.limits;
    amgr_section_t *section = &limits->sections[0];

    limits->hard_memory_bytes = (apr_int64_t)VIEW_MIB(2048);
    limits->max_memory_total_percent = 80;
    limits->max_requests.limit = 10000;
    limits->max_lifetime_us.limit = VIEW_SEC(86400);
    limits->max_lifetime_us.jitter_percent = 25;
    limits->max_generation_age_us = VIEW_SEC(300);
    limits->section_count = 1;
    apr_cpystrn(section->name, "another", sizeof(section->name));
    section->role = AMGR_ROLE_WSGI;
    section->max_memory_active_bytes = (apr_int64_t)VIEW_MIB(700);
    section->max_lifetime_us.limit = VIEW_SEC(3600);
    amgr_sections_assign(limits, &fixed->snapshot);
    fixed->snapshot.server.memory_capacity_bytes = VIEW_MIB(8192);
    fixed->snapshot.server.cgroup_limited = 1;
    fixed->snapshot.server.worker_anon_bytes = VIEW_MIB(1700);
}

/* Of the machine and a cgroup. */
static inline void set_memory(amgr_server_t *server)
{
    server->machine_bytes = VIEW_MIB(16384);
    server->machine_available_bytes = VIEW_MIB(9000);
    server->cgroup_limit_bytes = VIEW_MIB(8192);
    server->cgroup_used_bytes = VIEW_MIB(5000);
}

/* Ten minutes, with a gap of two in the middle. */
static inline void set_history(fixed_view_t *fixed)
{
    const amgr_server_t *server = &fixed->snapshot.server;
    amgr_history_series_t *series = &fixed->history;
    int i;

    for (i = 0; i < VIEW_SAMPLES; i++) {
        amgr_history_sample_t *sample = &fixed->samples[i];
        int ago = 10 * (VIEW_SAMPLES - 1 - i) + 4 + (i < 24 ? 120 : 0);

        sample->mono_us = server->time.mono_us - VIEW_SEC(ago);
        sample->wall_us = VIEW_NOW_US - VIEW_SEC(ago);
        sample->span_us = i == 24 ? 0 : VIEW_SEC(10);
        sample->total_accesses =
            server->total_accesses - (apr_uint64_t)(ago * 12);
        sample->total_bytes =
            server->total_bytes - (apr_uint64_t)(ago * 250000);
        sample->ticks = 1;
        sample->busy_milli = (apr_uint32_t)(i * 7 % 5 + 1) * 1000;
        sample->busy_peak = (apr_uint32_t)(i * 7 % 5 + 1);
        sample->idle_milli = 6000 - sample->busy_milli;
        sample->retired = i == 30 || i == 41;
        sample->workers_kib = (apr_uint32_t)(900 + i) * 1024;
        sample->groups[0].sum_kib = (apr_uint32_t)(800 + i) * 1024;
        sample->groups[0].largest_kib = (apr_uint32_t)(300 + i) * 1024;
        sample->groups[2].sum_kib = i < 20 ? 0 : 100 * 1024;
        sample->groups[2].largest_kib = i < 20 ? 0 : 51 * 1024;
    }
    apr_cpystrn(series->groups[0], "native", sizeof(series->groups[0]));
    apr_cpystrn(series->groups[1], "vanished", sizeof(series->groups[1]));
    apr_cpystrn(series->groups[2], "another", sizeof(series->groups[2]));
    series->group_count = 3;
    series->samples = fixed->samples;
    series->count = VIEW_SAMPLES;
    fixed->view.history = series;
    fixed->processes[0].growth_bytes_per_hour = (apr_int64_t)VIEW_MIB(24);
    fixed->processes[1].growth_bytes_per_hour = -(apr_int64_t)VIEW_MIB(1);
}

/* A server at work: limits set, one worker retiring, WSGI groups. */
static inline void view_prefork(fixed_view_t *fixed)
{
    amgr_limits_t *limits;

    view_empty(fixed);
    set_server(&fixed->snapshot.server, "prefork");
    fixed->snapshot.server.busy_workers = 3;
    fixed->snapshot.server.graceful_workers = 1;
    fixed->snapshot.server.idle_workers = 2;
    fixed->snapshot.server.max_workers = 150;
    fixed->snapshot.server.max_processes = 150;
    fixed->snapshot.server.threads_per_process = 1;
    add_prefork_workers(fixed);
    add_process(fixed, 1201, "example", AMGR_ROLE_WSGI, 13025280);
    add_process(fixed, 1202, "example", AMGR_ROLE_WSGI, 12774400);
    add_process(fixed, 1203, "another", AMGR_ROLE_WSGI, VIEW_MIB(499));
    add_process(fixed, 1204, "gone", AMGR_ROLE_WSGI, AMGR_UNKNOWN);
    add_process(fixed, 1301, "daemon", AMGR_ROLE_DAEMON, 5400000);
    add_process(fixed, 1302, "program", AMGR_ROLE_PROGRAM, 2400000);
    finish_view(fixed);
    fixed->snapshot.groups[0].fresh_bytes = 11500000;
    fixed->snapshot.incomplete = 1;
    limits = &fixed->config.limits;
    limits->max_memory_active_bytes = (apr_int64_t)VIEW_MIB(500);
    limits->max_memory_idle_bytes = (apr_int64_t)VIEW_MIB(250);
    limits->max_time_us = VIEW_SEC(120);
    set_reasons(fixed);
    set_memory(&fixed->snapshot.server);
    set_history(fixed);
    fixed->counters.ticks = 9378;
    fixed->counters.killed_active = 12;
    fixed->counters.killed_idle = 3;
    fixed->counters.errors[AMGR_STAGE_SIGNAL] = 1;
    fixed->counters.suppressed[AMGR_CAUSE_MIN_AGE] = 4;
    fixed->counters.suppressed[AMGR_CAUSE_MAX_RETIRING] = 2;
    fixed->counters.tick_cpu_us = 4567890;
    fixed->counters.last_wall_us = 812;
    fixed->view.tick_wall_us = VIEW_NOW_US - VIEW_SEC(4) - 500;
    add_prefork_records(fixed);
}

/* Every byte but NUL in turn, from @a first on. */
static inline void fill_bytes(char *buf, size_t size, int first)
{
    size_t i;

    for (i = 0; i + 1 < size; i++) {
        buf[i] = (char)(unsigned char)(1 + (first + (int)i) % 255);
    }
    buf[size - 1] = '\0';
}

static inline void add_event_workers(fixed_view_t *fixed)
{
    static const int modes[9] = {
        AMGR_MODE_WRITE, AMGR_MODE_READY, AMGR_MODE_READ,
        AMGR_MODE_LOG, AMGR_MODE_CLOSING, AMGR_MODE_DNS,
        AMGR_MODE_STARTING, AMGR_MODE_IDLE_KILL, AMGR_MODE_DEAD
    };
    int i;

    for (i = 0; i < 9; i++) {
        amgr_process_t *process;
        amgr_slot_t *slot;

        if (i % 3 == 0) {
            process = add_process(fixed, 2001 + i, "native", AMGR_ROLE_WORKER,
                                  VIEW_MIB(40 + i));
            process->threads = 5;
            process->pss_bytes = VIEW_MIB(20 + i) + 1;
            process->anon_bytes = VIEW_MIB(10 + i);
        }
        process = &fixed->processes[i / 3];
        /* Rows in another order than pids, as after a graceful restart. */
        slot = add_slot(fixed, process, 2 - i / 3, i % 3, modes[i]);
        fill_bytes(slot->request, sizeof(slot->request), i * 63);
        fill_bytes(slot->client, sizeof(slot->client), i * 63);
        fill_bytes(slot->vhost, sizeof(slot->vhost), i * 31);
        fill_bytes(slot->protocol, sizeof(slot->protocol), i * 15);
    }
    apr_cpystrn(fixed->slots[8].request,
                "GET /\"><script>alert('x')</script>&amp;\xff\xc3\x28 HTTP/1.1",
                sizeof(fixed->slots[8].request));
    fixed->slots[0].request_age_us = VIEW_SEC(301) + 7;
    fixed->slots[1].last_used_us = 0;
    fixed->slots[2].bytes = APR_UINT64_C(1) << 62;
    fixed->slots[2].stop_time_us = 0;
    fixed->slots[3].last_used_us = VIEW_NOW_US + VIEW_SEC(60);
}

/* Whatever a child, a path or a socket's name may hold. */
static inline void add_hostile_evidence(fixed_view_t *fixed,
                                        const amgr_record_t *record)
{
    amgr_evidence_t *evidence = add_evidence(fixed, record);
    amgr_evidence_request_t *request;
    amgr_evidence_thread_t *entry;

    evidence->access = AMGR_EVIDENCE_DENIED;
    evidence->rss_bytes = AMGR_UNKNOWN;
    request = add_in_flight(evidence, 99, 1);
    request->process_slot = -1;
    fill_bytes(request->request, sizeof(request->request), 30);
    fill_bytes(request->client, sizeof(request->client), 90);
    fill_bytes(request->vhost, sizeof(request->vhost), 150);
    fill_bytes(request->protocol, sizeof(request->protocol), 200);
    entry = add_blocked(evidence, "", 0, "", "");
    fill_bytes(entry->call, sizeof(entry->call), 0);
    fill_bytes(entry->target, sizeof(entry->target), 25);
    fill_bytes(entry->wchan, sizeof(entry->wchan), 225);
}

/* Hostile bytes everywhere, the storm breaker open, the dearer metric. */
static inline void view_event(fixed_view_t *fixed)
{
    amgr_record_t *record;

    view_empty(fixed);
    set_server(&fixed->snapshot.server, "event");
    apr_cpystrn(fixed->snapshot.server.version, "A<b>&\"'\xff/2.4",
                sizeof(fixed->snapshot.server.version));
    fixed->snapshot.server.threaded = 1;
    fixed->snapshot.server.async = 1;
    fixed->snapshot.server.busy_workers = 6;
    fixed->snapshot.server.idle_workers = 2;
    fixed->snapshot.server.max_workers = 12;
    fixed->snapshot.server.max_processes = 4;
    fixed->snapshot.server.threads_per_process = 3;
    add_event_workers(fixed);
    add_process(fixed, 2101, "it's \xe2\x82\xac", AMGR_ROLE_WSGI, 1000);
    add_process(fixed, 2102, "tab\there\nand \xff\\", AMGR_ROLE_WSGI, 2000);
    add_process(fixed, 2103, "<img src=x onerror='y'>\"", AMGR_ROLE_WSGI,
                3000);
    finish_view(fixed);
    fixed->processes[0].verdict = AMGR_VERDICT_MEMORY_ACTIVE;
    fixed->processes[0].cause = AMGR_CAUSE_STORM;
    fixed->processes[2].state = AMGR_STATE_STOPPING;
    fixed->processes[2].generation = 1;
    fixed->config.limits.metric = AMGR_METRIC_PSS;
    fixed->config.limits.max_memory_active_bytes = (apr_int64_t)VIEW_MIB(20);
    fixed->config.limits.max_retiring.percent = 0;
    fixed->config.limits.max_retiring.value = 3;
    fixed->config.limits.interval_us = VIEW_SEC(1) / 2;
    fixed->config.ticker = 1;
    fixed->snapshot.hanging = 1;
    fixed->view.tick_wall_us = VIEW_NOW_US - 250000;
    fixed->view.show_requests = AMGR_SHOW_FULL;
    fixed->view.query.refresh_sec = 10;
    fixed->view.base_path = "/a\"b<c>&d";
    record = add_record(fixed, 2001, AMGR_VERDICT_MEMORY_ACTIVE,
                        AMGR_OUTCOME_VANISHED);
    fill_bytes(record->request, sizeof(record->request), 170);
    fill_bytes(record->vhost, sizeof(record->vhost), 120);
    fill_bytes(record->group, sizeof(record->group), 20);
    add_hostile_evidence(fixed, record);
}

/* A golden file, and the same bytes through buffers too small for a single
 * element. */
static inline void check_golden(write_fn *write, fixed_view_fn *make,
                                const char *name)
{
    static fixed_view_t fixed;
    size_t size;
    text_t text;

    make(&fixed);
    text = render(write, &fixed.view, 8192);
    for (size = 1; size <= 7; size++) {
        text_t again = render(write, &fixed.view, size);

        assert_int_equal(again.len, text.len);
        assert_memory_equal(again.data, text.data, text.len);
        free(again.data);
    }
    golden_compare(name, &text);
    free(text.data);
}

/* A writer whose sink fails comes to its end, and the error is kept. */
static inline void check_failing_sink(write_fn *write, fixed_view_fn *make)
{
    static fixed_view_t fixed;
    int after;

    make(&fixed);
    for (after = 0; after < 3; after++) {
        failing_t failing = { after, 0 };
        char buf[16];
        amgr_sink_t sink;

        amgr_sink_init(&sink, buf, sizeof(buf), failing_flush, &failing);
        write(&fixed.view, &sink);
        assert_int_equal(amgr_sink_finish(&sink), APR_ENOSPC);
        assert_int_equal(failing.failures, 1);
    }
}

#endif
