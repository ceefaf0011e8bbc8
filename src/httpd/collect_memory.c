/* SPDX-License-Identifier: Apache-2.0
 *
 * The memory of every process of a snapshot.  One small file each at every
 * tick; dearer ones in turn, or of those that are near a limit.  A process
 * that ends meanwhile is taken out of the snapshot.
 */
#include <errno.h>
#include <signal.h>
#include <unistd.h>

#include "httpd/collector.h"
#include "policy/measure.h"
#include "proc/proc_task.h"

/** The dearer `status` of each process is read once in so many ticks. */
#define STATUS_EVERY 16

/** And of so many processes at one tick. */
#define STATUS_MAX 64

/** And so long the figures that take the process's own lock: well below the
 * silence that a ticker is killed for. */
#define SLOW_CAP_US APR_USEC_PER_SEC

/** The machine and its cgroups change rarely: at each tick of the hook, which
 * comes a little early or late, and not at each of a fast ticker. */
#define CAPACITY_EVERY_US (APR_USEC_PER_SEC * 19 / 2)

/** A tick that has read this long leaves the rest to the next one. */
#define READ_CAP_US (60 * 1000)

void amgr_known_drop(amgr_known_t *known)
{
    if (known->statm_fd >= 0) {
        close(known->statm_fd);
        known->statm_fd = -1;
    }
}

static apr_status_t read_statm(amgr_collector_t *collector, amgr_known_t *known,
                               amgr_proc_statm_t *out)
{
    if (!collector->in_ticker) {
        return amgr_proc_read_statm(&collector->proc, known->id.pid, out);
    }
    if (known->statm_fd < 0) {
        apr_status_t rv = amgr_proc_keep(&collector->proc, known->id.pid,
                                         "statm", &known->statm_fd);

        if (rv != APR_SUCCESS) {
            known->statm_fd = -1;
            return APR_STATUS_IS_EMFILE(rv)
                       ? amgr_proc_read_statm(&collector->proc, known->id.pid,
                                              out)
                       : rv;
        }
    }
    return amgr_proc_reread_statm(&collector->proc, known->statm_fd, out);
}

static void read_status(amgr_collector_t *collector, amgr_known_t *known,
                        amgr_process_t *process)
{
    amgr_proc_status_t status;

    if (amgr_proc_read_status(&collector->proc, known->id.pid, &status) !=
            APR_SUCCESS ||
        status.anon_bytes == AMGR_UNKNOWN) {
        return;
    }
    known->threads = status.threads;
    known->swap_bytes =
        status.swap_bytes == AMGR_UNKNOWN ? 0 : status.swap_bytes;
    process->threads = known->threads;
    process->anon_bytes = status.anon_bytes + known->swap_bytes;
}

/** What is resident and not shared is anonymous (proc(5), statm), so that only
 * the swapped part may be some ticks old. */
static void set_anon(const amgr_known_t *known, const amgr_proc_statm_t *statm,
                     amgr_process_t *process)
{
    if (known->swap_bytes != AMGR_UNKNOWN &&
        statm->shared_bytes <= statm->rss_bytes) {
        process->anon_bytes =
            statm->rss_bytes - statm->shared_bytes + known->swap_bytes;
    }
}

/**
 * Why the memory of a child seems not to be there.  APR_NOTFOUND: it has ended,
 * and keeps its directory until it is reaped.  APR_SUCCESS: it is ending, and
 * one of its threads may hang in the kernel for good; @a out is what that has.
 * APR_INCOMPLETE: the same, and no memory is left.  APR_EACCES: it is only
 * hidden, since under hidepid the whole of its directory is "not there".
 * Anything else (no descriptor is left): nobody knows.
 */
static apr_status_t explain_absence(amgr_collector_t *collector,
                                    amgr_known_t *known, amgr_proc_statm_t *out)
{
    pid_t pid = known->id.pid;
    amgr_proc_stat_t stat;
    apr_status_t rv = amgr_proc_read_stat(&collector->proc, pid, &stat);

    if (rv == APR_SUCCESS) {
        if (amgr_proc_has_ended(&stat)) {
            return APR_NOTFOUND;
        }
        known->threads = stat.threads;
        rv = amgr_proc_read_left_statm(&collector->proc, &known->id, out);
        return rv == APR_SUCCESS ? rv : APR_INCOMPLETE;
    }
    if (rv != APR_NOTFOUND && !APR_STATUS_IS_EACCES(rv)) {
        return rv;
    }
    return kill(pid, 0) == 0 || errno == EPERM ? APR_EACCES : APR_NOTFOUND;
}

int amgr_collector_has_ended(amgr_collector_t *collector,
                             const amgr_proc_id_t *id)
{
    amgr_proc_stat_t stat;
    apr_status_t rv = amgr_proc_read_stat(&collector->proc, id->pid, &stat);

    if (rv == APR_SUCCESS) {
        return stat.ppid != collector->runtime->parent ||
               (id->start_ticks != 0 && stat.start_ticks != id->start_ticks);
    }
    /* Under hidepid it may only seem so. */
    return rv == APR_NOTFOUND && kill(id->pid, 0) != 0 && errno == ESRCH;
}

/** Returns 0 when the process turns out to have ended. */
static int read_memory(amgr_collector_t *collector, int index,
                       const amgr_limits_t *limits,
                       amgr_collect_faults_t *faults)
{
    amgr_process_t *process = &collector->snapshot.processes[index];
    amgr_known_t *known = &collector->known[index];
    amgr_proc_statm_t statm;
    apr_status_t rv = read_statm(collector, known, &statm);

    if (rv == APR_NOTFOUND) {
        rv = explain_absence(collector, known, &statm);
        if (rv == APR_NOTFOUND) {
            return 0;
        }
        if (rv == APR_SUCCESS || rv == APR_INCOMPLETE) {
            process->state = AMGR_STATE_STOPPING;
            process->threads = known->threads;
        }
        if (rv == APR_INCOMPLETE) {
            return 1; /* and nothing that could not be read */
        }
    }
    if (rv != APR_SUCCESS) {
        faults->unreadable++;
        faults->denied += APR_STATUS_IS_EACCES(rv);
        return 1;
    }
    process->rss_bytes = statm.rss_bytes;
    set_anon(known, &statm, process);
    if (limits->metric == AMGR_METRIC_ANON ||
        process->state == AMGR_STATE_STOPPING ||
        (amgr_measure_sums(limits) && known->swap_bytes == AMGR_UNKNOWN) ||
        (collector->status_reads < STATUS_MAX &&
         (known->swap_bytes == AMGR_UNKNOWN ||
          ((unsigned int)index + collector->turn) % STATUS_EVERY == 0))) {
        collector->status_reads++;
        read_status(collector, known, process);
    }
    return 1;
}

/** Read every process's memory, from where the last tick had to stop. */
static void read_all(amgr_collector_t *collector, const amgr_limits_t *limits,
                     amgr_collect_faults_t *faults)
{
    amgr_snapshot_t *snapshot = &collector->snapshot;
    int count = snapshot->process_count;
    apr_time_t deadline_us = amgr_clock_monotonic_us() + READ_CAP_US;
    int start = collector->cursor < count ? collector->cursor : 0;
    int i;

    collector->cursor = 0;
    collector->status_reads = 0;
    for (i = 0; i < count; i++) {
        int index = (start + i) % count;

        if (i % 8 == 7 && amgr_clock_monotonic_us() > deadline_us) {
            faults->overrun = 1;
            collector->cursor = index;
            break;
        }
        if (!read_memory(collector, index, limits, faults)) {
            snapshot->processes[index].id.pid = 0; /* taken out below */
        }
    }
}

/** Take out the processes that ended while they were being looked at. */
static void sift(amgr_collector_t *collector)
{
    amgr_snapshot_t *snapshot = &collector->snapshot;
    int kept = 0;
    int i;

    for (i = 0; i < snapshot->process_count; i++) {
        if (snapshot->processes[i].id.pid == 0) {
            amgr_known_drop(&collector->known[i]);
            continue;
        }
        snapshot->processes[kept] = snapshot->processes[i];
        collector->known[kept] = collector->known[i];
        kept++;
    }
    snapshot->process_count = kept;
}

/** The figures that take the process's own lock: the ticker's alone. */
void amgr_collect_slow_memory(amgr_collector_t *collector,
                              const amgr_limits_t *limits,
                              amgr_collect_faults_t *faults)
{
    amgr_snapshot_t *snapshot = &collector->snapshot;
    int count = snapshot->process_count;
    int start = collector->slow_cursor < count ? collector->slow_cursor : 0;
    apr_time_t deadline_us = amgr_clock_monotonic_us() + SLOW_CAP_US;
    int i;

    if (!collector->in_ticker || (limits->metric != AMGR_METRIC_PSS &&
                                  limits->metric != AMGR_METRIC_USS)) {
        return;
    }
    collector->slow_cursor = 0;
    for (i = 0; i < count; i++) {
        int index = (start + i) % count;
        amgr_process_t *process = &snapshot->processes[index];
        amgr_proc_smaps_t smaps;

        if (i > 0 && amgr_clock_monotonic_us() > deadline_us) {
            collector->slow_cursor = index;
            faults->overrun = 1;
            return;
        }
        if (amgr_measure_is_needed(limits, process) &&
            amgr_proc_read_smaps(&collector->proc, process->id.pid, &smaps) ==
                APR_SUCCESS) {
            process->pss_bytes = smaps.pss_bytes;
            process->uss_bytes = smaps.uss_bytes;
        }
    }
}

void amgr_collect_capacity(amgr_collector_t *collector)
{
    amgr_server_t *server = &collector->snapshot.server;
    apr_time_t now_us = server->time.mono_us;

    if (collector->capacity_mono_us == 0 ||
        now_us - collector->capacity_mono_us >= CAPACITY_EVERY_US) {
        collector->capacity_mono_us = now_us;
        if (amgr_proc_read_capacity(
                &collector->proc, collector->runtime->parent, "",
                &collector->mount, &collector->capacity) != APR_SUCCESS) {
            amgr_proc_capacity_clear(&collector->capacity);
        }
    }
    server->memory_capacity_bytes = collector->capacity.bytes;
    server->cgroup_limited = collector->capacity.limited;
    server->machine_bytes = collector->capacity.machine_bytes;
    server->machine_available_bytes = collector->capacity.available_bytes;
    server->cgroup_limit_bytes = collector->capacity.cgroup_limit_bytes;
    server->cgroup_used_bytes = collector->capacity.cgroup_used_bytes;
}

void amgr_collect_memory(amgr_collector_t *collector,
                         const amgr_limits_t *limits,
                         amgr_collect_faults_t *faults)
{
    read_all(collector, limits, faults);
    sift(collector);
}
