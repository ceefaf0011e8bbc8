/* SPDX-License-Identifier: Apache-2.0
 *
 * The table of metrics: what is exported has its name here and nowhere else,
 * in the order of the answer.
 */
#include "render/metric.h"

#define GAUGE AMGR_METRIC_GAUGE
#define COUNTER AMGR_METRIC_COUNTER
#define HISTOGRAM AMGR_METRIC_HISTOGRAM

/* Name without "_total", type, unit, getter with its number, help. */
#define NATIVE(name, type, unit, get, which, help)          \
    {                                                       \
        name, unit, help, amgr_metric_##get, which, type, 0 \
    }
#define COMPAT(name, type, unit, get, which, help)                 \
    {                                                              \
        name, unit, help, amgr_metric_compat_##get, which, type, 1 \
    }

const amgr_metric_t amgr_metrics[] = {
    NATIVE("build_info", GAUGE, "", build_info, 0,
           "Versions of the module and the server, and the MPM."),
    NATIVE("server_start_time_seconds", GAUGE, "seconds", start_time, 0,
           "When the server was started, or restarted not gracefully."),
    NATIVE("config_generation", GAUGE, "", generation, 0,
           "How often the configuration was read."),
    NATIVE("health", GAUGE, "", health, 0,
           "0 healthy, 1 nothing is judged, 2 something to look at, 3 not "
           "working as it should."),
    NATIVE("requests", COUNTER, "", totals, AMGR_METRIC_ACCESSES,
           "Requests served, as of the last check."),
    NATIVE("sent_bytes", COUNTER, "bytes", totals, AMGR_METRIC_BYTES,
           "Bytes sent to clients, as of the last check."),
    NATIVE("request_duration_seconds", COUNTER, "seconds", totals,
           AMGR_METRIC_DURATION,
           "Time that all finished requests took together, as of the last "
           "check."),
    NATIVE("cpu_seconds", COUNTER, "seconds", cpu, 0,
           "CPU time of all processes of the server, as of the last check."),
    NATIVE("workers", GAUGE, "", workers, 0, "Worker slots by what they do."),
    NATIVE("workers_max", GAUGE, "", workers_max, 0,
           "Worker slots that can be used at once."),
    NATIVE("workers_hanging", GAUGE, "", hanging, 0,
           "Workers whose request is older than the threshold."),
    NATIVE("children", GAUGE, "", children, 0, "Child processes of the MPM."),
    NATIVE("connections", GAUGE, "", connections, 0,
           "Connections that hold no worker."),
    NATIVE("group_processes", GAUGE, "", group, AMGR_METRIC_PROCESSES,
           "Processes of a group."),
    NATIVE("group_resident_memory_bytes", GAUGE, "bytes", group,
           AMGR_METRIC_SUM, "Resident memory of all processes of a group."),
    NATIVE("group_resident_memory_min_bytes", GAUGE, "bytes", group,
           AMGR_METRIC_MIN, "Resident memory of the smallest of a group."),
    NATIVE("group_resident_memory_max_bytes", GAUGE, "bytes", group,
           AMGR_METRIC_MAX, "Resident memory of the largest of a group."),
    NATIVE("group_resident_memory_median_bytes", GAUGE, "bytes", group,
           AMGR_METRIC_MEDIAN, "Median of the resident memory of a group."),
    NATIVE("memory_capacity_bytes", GAUGE, "bytes", capacity, 0,
           "Memory that the server may have, of its cgroup or the machine."),
    NATIVE("workers_anonymous_memory_bytes", GAUGE, "bytes", workers_anon, 0,
           "Anonymous memory of all that is limited together."),
    NATIVE("processes_retiring", GAUGE, "", processes, AMGR_METRIC_RETIRING,
           "Processes that were told to go and are not gone."),
    NATIVE("processes_over_limit", GAUGE, "", processes, AMGR_METRIC_OVER_LIMIT,
           "Processes over a limit that are left alone."),
    NATIVE("processes_near_limit", GAUGE, "", processes, AMGR_METRIC_NEAR_LIMIT,
           "Processes close to their limit."),
    NATIVE("limit_bytes", GAUGE, "bytes", limit_bytes, 0,
           "Limits of memory that are set for the server."),
    NATIVE("limit_seconds", GAUGE, "seconds", limit_seconds, 0,
           "Limits of time that are set for the server."),
    NATIVE("limit_inert", GAUGE, "", limit_inert, 0,
           "1 for a limit below a fresh process's size or without measure."),
    NATIVE("workers_killed", COUNTER, "", killed, 0,
           "Processes, workers and daemons, whose retirement was begun, by "
           "the limit that was crossed."),
    NATIVE("workers_drained", COUNTER, "", counter, AMGR_METRIC_DRAINED,
           "Retired processes that went by themselves."),
    NATIVE("workers_forced", COUNTER, "", counter, AMGR_METRIC_FORCED,
           "Retired processes that were ended by SIGKILL."),
    NATIVE("requests_lost", COUNTER, "", counter, AMGR_METRIC_LOST,
           "Requests in flight that were cut off with their process."),
    NATIVE("kills_suppressed", COUNTER, "", suppressed, 0,
           "Processes over a limit that were left alone, by why."),
    NATIVE("storm_breaker_open", GAUGE, "", storm, 0,
           "1 while nothing is retired since retiring did not help."),
    NATIVE("orphaned_locks", COUNTER, "", counter, AMGR_METRIC_ORPHANED,
           "Locks that a dead process left behind."),
    NATIVE("orphaned_locks_since_start", GAUGE, "", orphaned, 0,
           "Orphaned locks since the server was started or restarted."),
    NATIVE("request_age_at_kill_seconds", HISTOGRAM, "seconds", killed_ages, 0,
           "Age of the oldest request that a SIGKILL cut off."),
    NATIVE("checks", COUNTER, "", counter, AMGR_METRIC_TICKS,
           "Checks of all processes."),
    NATIVE("check_errors", COUNTER, "", errors, 0,
           "What could not be collected or done, by stage."),
    NATIVE("check_interval_seconds", GAUGE, "seconds", interval, 0,
           "Time from one check to the next, as it is configured."),
    NATIVE("last_check_timestamp_seconds", GAUGE, "seconds", last_tick, 0,
           "When the last check was, since the epoch."),
    NATIVE("check_duration_seconds", HISTOGRAM, "seconds", tick_spans, 0,
           "Duration of a check."),
    NATIVE("check_cpu_seconds", COUNTER, "seconds", tick_cpu, 0,
           "CPU time of all checks."),

    COMPAT("up", GAUGE, "", up, 0, "1: the server answers."),
    COMPAT("info", GAUGE, "", info, 0, "Version and MPM of the server."),
    COMPAT("version", GAUGE, "", version, 0,
           "Version of the server as a number."),
    COMPAT("generation", GAUGE, "", generation, 0,
           "Restarts by configuration and MPM."),
    COMPAT("load", GAUGE, "", load, 0, "Load of the machine."),
    COMPAT("accesses", COUNTER, "", totals, AMGR_METRIC_ACCESSES,
           "Requests served, as of the last check."),
    COMPAT("sent_kilobytes", COUNTER, "", totals, AMGR_METRIC_BYTES,
           "Kilobytes sent to clients, as of the last check."),
    COMPAT("duration_ms", COUNTER, "", totals, AMGR_METRIC_DURATION,
           "Milliseconds that all finished requests took together, as of the "
           "last check."),
    COMPAT("cpu_time_ms", COUNTER, "", cpu, 0,
           "CPU time of the server in milliseconds, as of the last check."),
    COMPAT("cpuload", GAUGE, "", cpuload, 0,
           "CPU time since the start, in percent of one processor."),
    COMPAT("uptime_seconds", COUNTER, "seconds", uptime, 0,
           "Seconds since the server was started, or restarted not "
           "gracefully."),
    COMPAT("workers", GAUGE, "", workers, 0, "Busy and idle workers."),
    COMPAT("processes", GAUGE, "", processes, 0,
           "Child processes, and those that are stopping."),
    COMPAT("connections", GAUGE, "", connections, 0,
           "Connections as the MPM counts them."),
    COMPAT("scoreboard", GAUGE, "", scoreboard, 0,
           "Worker slots by what they do."),
};

const int amgr_metrics_count = (int)AMGR_COUNT(amgr_metrics);
