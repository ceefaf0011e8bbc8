/* SPDX-License-Identifier: Apache-2.0
 *
 * Ticks over an invented server, as the input says: processes come and go, also
 * while one of them is being signalled, pids are used again, the wall clock
 * jumps, and slots and notes hold whatever a child can write.  Checked besides
 * memory: decisions are sound and in order, and a signal reaches nobody but the
 * process that was decided about, a child of the server whose start time is
 * the one that was seen.
 */
#include "fuzz.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "action/retire.h"

#define PROCESSES 6
#define THREADS 3
#define TICKS_MAX 24
#define PARENT 50
#define FIRST_PID 100
#define PIDFD 1000000 /**< descriptors from here on are invented */
#define LIVES_MAX 1000

/** One process's life; a pidfd is one's for ever. */
typedef struct life_t {
    pid_t pid;
    pid_t parent;
    apr_uint64_t start_ticks;
    int has_ended;
    int role;
} life_t;

long __wrap_syscall(long number, ...);
int __real_close(int fd);
int __wrap_close(int fd);
apr_status_t __wrap_amgr_proc_read_stat(amgr_proc_dir_t *dir, pid_t pid,
                                        amgr_proc_stat_t *out);

static life_t lives[LIVES_MAX];
static int life_count;
static int at[PROCESSES]; /**< the life of each pid, -1: none */
static fuzz_t input;
static const amgr_process_t *meant; /**< who is to be signalled */
static const amgr_limits_t *limits_in_force;
static int is_demanded;

static void be_born(int place)
{
    life_t *life = &lives[life_count];

    if (life_count == LIVES_MAX) {
        return;
    }
    memset(life, 0, sizeof(*life));
    life->pid = FIRST_PID + place;
    life->parent = fuzz_below(&input, 8) == 0 ? 1 : PARENT;
    /* Later than every one before, as the kernel counts. */
    life->start_ticks = 1000 + 10 * (apr_uint64_t)life_count;
    life->role =
        place < 4 ? AMGR_ROLE_WORKER : fuzz_below(&input, AMGR_ROLE_COUNT);
    at[place] = life_count++;
}

static void end_life(int place)
{
    if (at[place] >= 0) {
        lives[at[place]].has_ended = 1;
        at[place] = -1;
    }
}

/* What others do while we look. */
static void meddle(void)
{
    int what = fuzz_below(&input, 12);
    int place = meant == NULL ? 0 : meant->id.pid - FIRST_PID;

    if (what < 2) {
        end_life(place);
    }
    if (what == 1) {
        be_born(place);
    }
}

static void send_signal(const life_t *life, int sig)
{
    check(meant != NULL);
    check(life->pid == meant->id.pid &&
          life->start_ticks == meant->id.start_ticks);
    check(life->parent == PARENT);
    check(sig >= 0 && sig < 65);
    check(!limits_in_force->dry_run || is_demanded);
}

long __wrap_syscall(long number, ...)
{
    va_list args;
    long first;
    long second;

    va_start(args, number);
    first = va_arg(args, long);
    second = va_arg(args, long);
    va_end(args);
    first = (int)first;
    second = (int)second;
    meddle();
    if (number == SYS_pidfd_open) {
        if (first < FIRST_PID || first >= FIRST_PID + PROCESSES ||
            at[first - FIRST_PID] < 0) {
            errno = ESRCH;
            return -1;
        }
        return PIDFD + at[first - FIRST_PID];
    }
    check(first >= PIDFD && first < PIDFD + life_count);
    if (lives[first - PIDFD].has_ended) {
        errno = ESRCH;
        return -1;
    }
    if (number == SYS_pidfd_send_signal) {
        send_signal(&lives[first - PIDFD], (int)second);
    }
    return 0;
}

int __wrap_close(int fd)
{
    return fd >= PIDFD ? 0 : __real_close(fd);
}

apr_status_t __wrap_amgr_proc_read_stat(amgr_proc_dir_t *dir, pid_t pid,
                                        amgr_proc_stat_t *out)
{
    const life_t *life;
    int place = pid - FIRST_PID;

    (void)dir; /* there is none */
    meddle();
    if (place < 0 || place >= PROCESSES || at[place] < 0) {
        return APR_NOTFOUND;
    }
    life = &lives[at[place]];
    memset(out, 0, sizeof(*out));
    out->pid = pid;
    out->ppid = life->parent;
    out->start_ticks = life->start_ticks;
    out->state = "SRDZ"[fuzz_below(&input, 16) == 0 ? 3 : 0];
    out->threads = 1;
    return APR_SUCCESS;
}

/* Any instant, mostly a near one. */
static apr_time_t any_time(apr_time_t now_us)
{
    static const apr_int64_t far[] = {
        0, 1, -1, APR_INT64_MAX, APR_INT64_MIN, APR_INT64_C(1) << 56};

    if (fuzz_below(&input, 8) == 0) {
        return far[fuzz_below(&input, (int)AMGR_COUNT(far))];
    }
    return now_us - (apr_time_t)fuzz_bits(&input, 2) * 10000;
}

static void fill_slot(amgr_slot_t *slot, int row, int thread, apr_time_t now_us)
{
    memset(slot, 0, sizeof(*slot));
    slot->process_slot = row;
    slot->thread = thread;
    slot->mode = fuzz_below(&input, AMGR_MODE_COUNT);
    slot->start_time_us = any_time(now_us);
    slot->stop_time_us = any_time(now_us);
    slot->last_used_us = slot->start_time_us;
    slot->request_age_us = AMGR_NO_TIME;
    slot->child_accesses = fuzz_bits(&input, 1);
    slot->max_time_us = limits_in_force->max_time_us;
    slot->paused = fuzz_below(&input, 8) == 0;
    slot->endless = fuzz_below(&input, 8) == 0;
    slot->restamp = (apr_uint32_t)fuzz_below(&input, 2);
}

static void fill_process(amgr_snapshot_t *snapshot, const life_t *life,
                         int place)
{
    amgr_process_t *process = &snapshot->processes[snapshot->process_count++];
    int is_native = life->role == AMGR_ROLE_WORKER;
    apr_uint64_t mib = fuzz_bits(&input, 1);
    int i;

    amgr_process_blank(process);
    process->id.pid = life->pid;
    process->id.start_ticks =
        fuzz_below(&input, 32) == 0 ? 0 : life->start_ticks;
    process->kind = is_native ? AMGR_KIND_NATIVE : AMGR_KIND_FOREIGN;
    process->role = life->role;
    process->group = amgr_snapshot_group(snapshot, is_native ? "native" : "app",
                                         process->kind, process->role);
    process->process_slot = is_native ? place : -1;
    process->generation = is_native ? fuzz_below(&input, 3) : -1;
    process->state = fuzz_below(&input, AMGR_STATE_COUNT);
    process->age_us = any_time(3600 * APR_USEC_PER_SEC);
    process->started_us = snapshot->server.time.wall_us - 60000000;
    process->rss_bytes = mib == 255 ? AMGR_UNKNOWN : mib << 20;
    process->anon_bytes = mib == 254 ? APR_UINT64_MAX - 1 : mib << 19;
    process->wished = fuzz_below(&input, 16) == 0;
    process->accesses = fuzz_bits(&input, 2);
    process->first_slot = snapshot->slot_count;
    process->slot_count = is_native ? THREADS : 0;
    for (i = 0; i < process->slot_count; i++) {
        fill_slot(&snapshot->slots[snapshot->slot_count++], place, i,
                  snapshot->server.time.wall_us);
    }
}

static void collect(amgr_snapshot_t *snapshot)
{
    apr_uint64_t scratch[PROCESSES];
    amgr_instant_t time = snapshot->server.time;
    int i;

    amgr_snapshot_clear(snapshot);
    time.mono_us += (apr_time_t)fuzz_bits(&input, 1) * 500000;
    time.boot_us = time.mono_us;
    time.wall_us = APR_INT64_C(1700000000000000) + time.mono_us;
    if (fuzz_below(&input, 16) == 0) {
        time.wall_us += ((apr_int64_t)fuzz_bits(&input, 1) - 128) * 100000000;
    }
    snapshot->server.time = time;
    snapshot->server.extended = fuzz_below(&input, 8) != 0;
    snapshot->server.threaded = fuzz_below(&input, 2);
    snapshot->server.max_processes = PROCESSES;
    snapshot->server.memory_capacity_bytes = APR_UINT64_C(1) << 30;
    snapshot->server.lone_buckets = fuzz_below(&input, 3);
    snapshot->out_of_turn = fuzz_below(&input, 8) == 0;
    for (i = 0; i < PROCESSES; i++) {
        if (at[i] >= 0) {
            fill_process(snapshot, &lives[at[i]], i);
        }
    }
    amgr_snapshot_complete(snapshot, scratch);
}

static apr_int64_t any_limit(apr_int64_t unit)
{
    apr_int64_t value = (apr_int64_t)fuzz_bits(&input, 1);

    return value == 0 ? AMGR_LIMIT_OFF : value * unit;
}

static void configure(amgr_limits_t *limits)
{
    amgr_limits_init(limits);
    limits->max_memory_active_bytes = any_limit(1 << 20);
    limits->max_memory_idle_bytes = any_limit(1 << 20);
    limits->hard_memory_bytes = any_limit(1 << 20);
    limits->max_memory_total_bytes = any_limit(1 << 22);
    limits->max_time_us = any_limit(APR_USEC_PER_SEC);
    limits->max_lifetime_us.limit = any_limit(60 * APR_USEC_PER_SEC);
    limits->max_requests.limit = any_limit(100);
    limits->max_generation_age_us = any_limit(APR_USEC_PER_SEC);
    limits->grace_us = 1 + (apr_int64_t)fuzz_bits(&input, 1) * 100000;
    limits->lame_duck_us = any_limit(100000);
    limits->min_age_us = (apr_int64_t)fuzz_bits(&input, 1) * 1000000;
    limits->strikes = 1 + fuzz_below(&input, 3);
    limits->min_serving = fuzz_below(&input, 4);
    limits->metric = fuzz_below(&input, AMGR_METRIC_COUNT);
    limits->dry_run = fuzz_below(&input, 8) == 0;
    limits->max_retiring.value = 1 + fuzz_below(&input, 100);
    limits->max_retiring.percent = fuzz_below(&input, 2);
}

static void check_decision(const amgr_snapshot_t *snapshot,
                           const amgr_decision_t *decision, int can_signal)
{
    const amgr_process_t *process;

    check(decision->process >= 0 &&
          decision->process < snapshot->process_count);
    process = &snapshot->processes[decision->process];
    check(decision->verdict >= 0 && decision->verdict < AMGR_VERDICT_COUNT);
    check(decision->cause >= 0 && decision->cause < AMGR_CAUSE_COUNT);
    check(decision->step >= 0 && decision->step < AMGR_STEP_COUNT);
    check(decision->slot >= -1 && decision->slot < snapshot->slot_count);
    if (decision->cause == AMGR_CAUSE_NONE) {
        check(can_signal || decision->follow_up);
        check(process->id.start_ticks != 0 && process->id.pid > 1);
        check(amgr_measure_is_judged(process));
        check(decision->step != AMGR_STEP_NONE);
        check(!limits_in_force->dry_run || decision->demanded);
    }
}

static void act(amgr_snapshot_t *snapshot, amgr_ledger_t *ledger,
                const amgr_decision_t *decision)
{
    amgr_proc_dir_t proc;
    amgr_retire_t retire = {&proc, PARENT, fuzz_below(&input, 2),
                            limits_in_force};
    char line[AMGR_RECORD_LINE_LEN];
    amgr_record_t record;
    amgr_sink_t sink;
    apr_status_t rv;

    memset(&proc, 0, sizeof(proc));
    amgr_record_fill(&record, snapshot, decision, limits_in_force);
    meant = &snapshot->processes[decision->process];
    is_demanded = decision->demanded;
    rv = amgr_retire_take(&retire, snapshot, decision, &record);
    meant = NULL;
    amgr_judge_done(snapshot, ledger, decision, rv == APR_SUCCESS);
    (void)amgr_retire_follow(snapshot, &record); /* memory alone */
    amgr_sink_init_text(&sink, line, sizeof(line));
    amgr_record_format(&record, 0, &sink);
    check_line_text(amgr_sink_text(&sink));
}

static void tick(amgr_snapshot_t *snapshot, amgr_ledger_t *ledger)
{
    amgr_decision_t decisions[PROCESSES];
    int can_signal = fuzz_below(&input, 16) != 0;
    int count;
    int i;

    collect(snapshot);
    count = amgr_judge(limits_in_force, snapshot, ledger, can_signal, decisions,
                       PROCESSES);
    check(count >= 0 && count <= snapshot->process_count);
    check(amgr_ledger_fits(ledger, PROCESSES,
                           PROCESSES * amgr_ledger_columns(THREADS), THREADS));
    for (i = 0; i < count; i++) {
        check(i == 0 || decisions[i - 1].process < decisions[i].process);
        check_decision(snapshot, &decisions[i], can_signal);
        if (decisions[i].cause == AMGR_CAUSE_NONE &&
            fuzz_below(&input, 16) == 0) {
            amgr_judge_veto(snapshot, ledger, &decisions[i]);
        }
        else if (decisions[i].cause == AMGR_CAUSE_VETO &&
                 fuzz_below(&input, 4) == 0) {
            amgr_judge_lift(snapshot, ledger, &decisions[i]);
        }
        act(snapshot, ledger, &decisions[i]);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static amgr_process_t processes[PROCESSES];
    static amgr_slot_t slots[PROCESSES * THREADS];
    static amgr_snapshot_t snapshot;
    int columns = amgr_ledger_columns(THREADS);
    void *memory = malloc(amgr_ledger_size(PROCESSES, PROCESSES * columns));
    amgr_ledger_t *ledger;
    amgr_limits_t limits;
    int i;

    check(memory != NULL);
    ledger = amgr_ledger_init(memory, PROCESSES, PROCESSES * columns, THREADS);
    input.at = data;
    input.end = data + size;
    memset(&snapshot, 0, sizeof(snapshot));
    snapshot.processes = processes;
    snapshot.process_max = PROCESSES;
    snapshot.slots = slots;
    snapshot.slot_max = PROCESSES * THREADS;
    snapshot.server.time.mono_us = 1000 * APR_USEC_PER_SEC;
    limits_in_force = &limits;
    life_count = 0;
    for (i = 0; i < PROCESSES; i++) {
        be_born(i);
    }
    configure(&limits);
    for (i = 0; i < TICKS_MAX && fuzz_left(&input) > 0; i++) {
        int place = fuzz_below(&input, 4 * PROCESSES);

        if (place < PROCESSES) {
            end_life(place);
            be_born(place);
        }
        else if (place == PROCESSES) {
            configure(&limits);
            amgr_ledger_restart(ledger);
        }
        tick(&snapshot, ledger);
    }
    free(memory);
    return 0;
}
