/* SPDX-License-Identifier: Apache-2.0 */
#include "load_stats.h"

#include <inttypes.h>
#include <string.h>

static const char *const hard_words[LOAD_HARD_COUNT] = {
    [LOAD_HARD_CONNECT] = "connect",     [LOAD_HARD_TLS] = "tls",
    [LOAD_HARD_RESET] = "reset",         [LOAD_HARD_EOF] = "eof",
    [LOAD_HARD_TRUNCATED] = "truncated", [LOAD_HARD_STATUS] = "status",
    [LOAD_HARD_FRAMING] = "framing",     [LOAD_HARD_BODY] = "body",
    [LOAD_HARD_TIMEOUT] = "timeout",
};

/* Exact below 64, then 64 steps to each power of two. */
static unsigned bucket_of(uint64_t value)
{
    unsigned shift = 0;

    while (value >> shift >= 2u << LOAD_FINE_BITS)
        shift++;
    return (shift << LOAD_FINE_BITS) + (unsigned)(value >> shift);
}

/* The least value of a bucket. */
static uint64_t value_of(unsigned bucket)
{
    unsigned shift = bucket >> LOAD_FINE_BITS;

    if (shift < 2)
        return bucket;
    shift--;
    return ((uint64_t)bucket - ((uint64_t)shift << LOAD_FINE_BITS)) << shift;
}

void load_stats_ok(load_stats_t *stats, int path, uint64_t latency_us)
{
    unsigned bucket = bucket_of(latency_us);

    if (bucket >= LOAD_LATENCIES)
        bucket = LOAD_LATENCIES - 1;
    stats->latency[bucket]++;
    if (latency_us > stats->max_us)
        stats->max_us = latency_us;
    stats->path[path].ok++;
    stats->ok++;
}

void load_stats_hard(load_stats_t *stats, const load_failure_t *failure)
{
    stats->hard[failure->kind]++;
    stats->hard_total++;
    stats->path[failure->path].hard++;
    if (stats->failures < LOAD_FAILURES)
        stats->failure[stats->failures++] = *failure;
}

static uint64_t percentile(const load_stats_t *stats, unsigned percent)
{
    uint64_t wanted = (stats->ok * percent + 99) / 100;
    uint64_t seen = 0;
    unsigned i;

    for (i = 0; i < LOAD_LATENCIES; i++) {
        seen += stats->latency[i];
        if (seen >= wanted && seen > 0)
            return value_of(i);
    }
    return 0;
}

/* Paths come from the command line: whatever could hurt is left out. */
static void print_text(const char *text, FILE *out)
{
    fputc('"', out);
    for (; *text; text++) {
        if (*text >= ' ' && *text < 0x7f && *text != '"' && *text != '\\')
            fputc(*text, out);
    }
    fputc('"', out);
}

static void print_failure(const load_stats_t *stats, const load_failure_t *f,
                          FILE *out)
{
    fprintf(out, "{\"kind\":\"%s\",\"path\":", hard_words[f->kind]);
    print_text(stats->path[f->path].path, out);
    fprintf(out,
            ",\"status\":%d,\"bytes\":%" PRIu64 ",\"after\":%" PRIu64
            ",\"retry\":%s,\"time\":%.3f,\"error\":",
            f->status, f->bytes, f->after, f->is_retry ? "true" : "false",
            f->time_sec);
    print_text(f->error ? strerror(f->error) : "", out);
    fputs(",\"detail\":", out);
    print_text(f->detail ? f->detail : "", out);
    fputc('}', out);
}

void load_stats_print(const load_stats_t *stats, double seconds, int is_final,
                      FILE *out)
{
    int i;

    fprintf(out,
            "{\"final\":%s,\"seconds\":%.3f,\"begun\":%" PRIu64
            ",\"requests\":%" PRIu64 ",\"ok\":%" PRIu64 ",\"stale\":%" PRIu64
            ",\"idle_closed\":%" PRIu64 ",\"connections\":%" PRIu64
            ",\"said_close\":%" PRIu64 ",\"body_bytes\":%" PRIu64,
            is_final ? "true" : "false", seconds, stats->begun,
            stats->ok + stats->hard_total, stats->ok, stats->stale,
            stats->idle_closed, stats->connections, stats->said_close,
            stats->body_bytes);
    fprintf(out,
            ",\"latency_us\":{\"p50\":%" PRIu64 ",\"p99\":%" PRIu64
            ",\"max\":%" PRIu64 "},\"hard\":{\"total\":%" PRIu64,
            percentile(stats, 50), percentile(stats, 99), stats->max_us,
            stats->hard_total);
    for (i = 0; i < LOAD_HARD_COUNT; i++)
        fprintf(out, ",\"%s\":%" PRIu64, hard_words[i], stats->hard[i]);
    fputs("},\"paths\":[", out);
    for (i = 0; i < stats->paths; i++) {
        fputs(i ? ",{\"path\":" : "{\"path\":", out);
        print_text(stats->path[i].path, out);
        fprintf(out, ",\"ok\":%" PRIu64 ",\"hard\":%" PRIu64 "}",
                stats->path[i].ok, stats->path[i].hard);
    }
    fputs("],\"failures\":[", out);
    for (i = 0; i < stats->failures; i++) {
        if (i)
            fputc(',', out);
        print_failure(stats, &stats->failure[i], out);
    }
    fputs("]}\n", out);
    fflush(out);
}
