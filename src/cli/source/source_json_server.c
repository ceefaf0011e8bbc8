/* SPDX-License-Identifier: Apache-2.0
 *
 * "server" and "limits" of status.json.
 */
#include <string.h>

#include "cli/source/source_json_parts.h"
#include "model/words.h"
#include "policy/sections.h"

/** More slots than any httpd can be built for: the letter of each is written
 * somewhere. */
#define WORKERS_MAX (4 * 1024 * 1024)

/** A rate is shown with its decimals written out. */
#define RATE_MAX 1e300

static void read_workers(amgr_members_t *members, const json_t *from,
                         amgr_server_t *out)
{
    out->busy_workers =
        (int)amgr_members_whole(members, from, "busy_workers", 0, WORKERS_MAX);
    out->graceful_workers = (int)amgr_members_whole(
        members, from, "graceful_workers", 0, WORKERS_MAX);
    out->idle_workers =
        (int)amgr_members_whole(members, from, "idle_workers", 0, WORKERS_MAX);
    out->max_workers =
        (int)amgr_members_whole(members, from, "max_workers", 0, WORKERS_MAX);
}

static double read_rate(amgr_members_t *members, const json_t *from,
                        const char *key)
{
    double rate = amgr_members_rate(members, from, key);

    if (rate > RATE_MAX) {
        amgr_members_fail(members, key, "is too high");
    }
    return rate;
}

/* Nobody counts without ExtendedStatus, and the writer says so by null. */
static void read_sums(amgr_members_t *members, const json_t *from,
                      amgr_server_t *out)
{
    out->total_accesses = amgr_members_u64(members, from, "total_accesses");
    out->total_bytes = amgr_members_u64(members, from, "total_bytes");
    out->requests_per_second = read_rate(members, from, "requests_per_second");
    out->bytes_per_second = read_rate(members, from, "bytes_per_second");
    out->bytes_per_request = read_rate(members, from, "bytes_per_request");
    out->cpu_load = read_rate(members, from, "cpu_load");
    out->extended = out->total_accesses != AMGR_UNKNOWN;
    if (!out->extended) {
        out->total_accesses = 0;
        out->total_bytes = 0;
    }
}

static void read_memory(amgr_members_t *members, const json_t *from,
                        amgr_server_t *out)
{
    const json_t *machine = amgr_members_object(members, from, "machine");
    const json_t *cgroup = amgr_members_object_or_null(members, from, "cgroup");

    out->memory_capacity_bytes =
        amgr_members_u64(members, from, "memory_capacity_bytes");
    out->cgroup_limited = amgr_members_bool(members, from, "cgroup_limited");
    out->worker_anon_bytes =
        amgr_members_u64(members, from, "worker_anon_bytes");
    out->machine_bytes = amgr_members_u64(members, machine, "bytes");
    out->machine_available_bytes =
        amgr_members_u64(members, machine, "available_bytes");
    out->cgroup_limit_bytes = amgr_members_u64(members, cgroup, "limit_bytes");
    out->cgroup_used_bytes = amgr_members_u64(members, cgroup, "used_bytes");
}

void amgr_source_json_server(amgr_members_t *members, const json_t *from,
                             amgr_server_t *out)
{
    amgr_members_text(members, from, "version", out->version,
                      sizeof(out->version));
    amgr_members_text(members, from, "mpm", out->mpm, sizeof(out->mpm));
    out->uptime_us = amgr_members_time(members, from, "uptime_seconds");
    out->generation = (int)amgr_members_whole_or(members, from, "generation", 0,
                                                 APR_INT32_MAX, -1);
    out->async = strcmp(out->mpm, "event") == 0;
    out->threaded = out->async || strcmp(out->mpm, "worker") == 0;
    read_sums(members, from, out);
    read_workers(members, from, out);
    read_memory(members, from, out);
}

/* A number of bytes or requests; null is off. */
static apr_int64_t read_limit(amgr_members_t *members, const json_t *from,
                              const char *key)
{
    return amgr_members_whole_or(members, from, key, 1, APR_INT64_MAX - 1,
                                 AMGR_LIMIT_OFF);
}

static apr_interval_time_t read_span(amgr_members_t *members,
                                     const json_t *from, const char *key)
{
    apr_interval_time_t span_us = amgr_members_time(members, from, key);

    return span_us == AMGR_NO_TIME ? AMGR_LIMIT_OFF : span_us;
}

static void read_lifetime(amgr_members_t *members, const json_t *from,
                          amgr_jittered_t *out)
{
    out->limit = read_span(members, from, "max_lifetime_seconds");
    out->jitter_percent = (int)amgr_members_whole(
        members, from, "max_lifetime_jitter_percent", 0, 99);
}

static void read_section(amgr_members_t *members, const json_t *from,
                         amgr_section_t *out)
{
    char word[16];

    memset(out, 0, sizeof(*out));
    amgr_members_text(members, from, "name", out->name, sizeof(out->name));
    out->role = amgr_members_word(members, from, "role", amgr_role_word, 0,
                                  AMGR_ROLE_COUNT);
    out->max_memory_active_bytes =
        read_limit(members, from, "max_memory_active_bytes");
    out->max_memory_idle_bytes =
        read_limit(members, from, "max_memory_idle_bytes");
    out->hard_memory_bytes = read_limit(members, from, "hard_memory_bytes");
    out->grace_us = read_span(members, from, "grace_period_seconds");
    read_lifetime(members, from, &out->max_lifetime_us);
    amgr_members_text(members, from, "ask_signal", word, sizeof(word));
    out->ask_signal = amgr_sections_signal_number(word);
}

static void read_sections(amgr_members_t *members, const json_t *from,
                          amgr_limits_t *out)
{
    apr_size_t count = json_array_size(from);
    apr_size_t i;

    if (count > AMGR_SECTIONS_MAX) {
        amgr_members_fail(members, "groups", "has too many");
        return;
    }
    for (i = 0; i < count; i++) {
        read_section(members, amgr_members_at(members, from, i),
                     &out->sections[i]);
    }
    out->section_count = (int)count;
}

static void read_reasons(amgr_members_t *members, const json_t *from,
                         amgr_limits_t *out)
{
    apr_int64_t total_bytes =
        read_limit(members, from, "max_memory_total_bytes");

    out->hard_memory_bytes = read_limit(members, from, "hard_memory_bytes");
    out->max_memory_total_percent = (int)amgr_members_whole_or(
        members, from, "max_memory_total_percent", 1, 100, 0);
    /* What a percentage comes to follows from the capacity. */
    out->max_memory_total_bytes =
        out->max_memory_total_percent == 0 ? total_bytes : AMGR_LIMIT_OFF;
    out->max_requests.limit = read_limit(members, from, "max_requests");
    out->max_requests.jitter_percent = (int)amgr_members_whole(
        members, from, "max_requests_jitter_percent", 0, 99);
    read_lifetime(members, from, &out->max_lifetime_us);
    out->max_generation_age_us =
        read_span(members, from, "max_generation_age_seconds");
    read_sections(members, amgr_members_array(members, from, "groups"), out);
}

static void read_safety(amgr_members_t *members, const json_t *from,
                        amgr_limits_t *out)
{
    const json_t *storm =
        amgr_members_object_or_null(members, from, "storm_limit");
    char share[32];

    amgr_members_text(members, from, "max_retiring", share, sizeof(share));
    if (from != NULL && amgr_share_parse(share, &out->max_retiring) != NULL) {
        amgr_members_fail(members, "max_retiring", "is no share");
    }
    out->min_serving =
        (int)amgr_members_whole(members, from, "min_serving", 0, APR_INT32_MAX);
    out->strikes =
        (int)amgr_members_whole(members, from, "strikes", 0, APR_INT32_MAX);
    out->storm_count = 0;
    if (storm != NULL) {
        out->storm_count =
            (int)amgr_members_whole(members, storm, "count", 1, APR_INT32_MAX);
        out->storm_window_us =
            amgr_members_time(members, storm, "window_seconds");
    }
}

void amgr_source_json_limits(amgr_members_t *members, const json_t *from,
                             amgr_limits_t *out)
{
    out->max_memory_active_bytes =
        read_limit(members, from, "max_memory_active_bytes");
    out->max_memory_idle_bytes =
        read_limit(members, from, "max_memory_idle_bytes");
    out->max_time_us = read_span(members, from, "max_time_seconds");
    out->hanging_us = read_span(members, from, "hanging_threshold_seconds");
    out->metric = amgr_members_word(members, from, "memory_metric",
                                    amgr_metric_word, 0, AMGR_METRIC_COUNT);
    out->dry_run = amgr_members_bool(members, from, "dry_run");
    out->interval_us = amgr_members_time(members, from, "interval_seconds");
    if (out->interval_us < 0 || out->interval_us > apr_time_from_sec(86400)) {
        amgr_members_fail(members, "interval_seconds",
                          "is no time between two ticks");
    }
    out->min_age_us = read_span(members, from, "min_age_seconds");
    out->lame_duck_us = read_span(members, from, "lame_duck_seconds");
    out->grace_us = read_span(members, from, "grace_period_seconds");
    out->endless_grace_us =
        read_span(members, from, "endless_grace_period_seconds");
    read_safety(members, from, out);
    read_reasons(members, from, out);
}
