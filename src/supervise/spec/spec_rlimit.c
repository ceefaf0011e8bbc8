/* SPDX-License-Identifier: Apache-2.0
 *
 * Limit: the resources of setrlimit(2) under the names of limits.conf(5), each
 * in its own unit.  Those that Linux counts nothing by (rss, locks) are none.
 */
#include <string.h>
#include <strings.h>

#include <apr_strings.h>

#include "base/units.h"
#include "supervise/spec/spec_parts.h"

#define NUMBER_MAX 2147483647

typedef enum unit_e {
    UNIT_NUMBER = 0,
    UNIT_BYTES,
    UNIT_SECONDS,
    UNIT_MICROSECONDS
} unit_e;

static const struct resource_t {
    const char *name;
    int number;
    int unit;
} resources[] = {
    {"nofile", RLIMIT_NOFILE, UNIT_NUMBER},
    {"nproc", RLIMIT_NPROC, UNIT_NUMBER},
    {"as", RLIMIT_AS, UNIT_BYTES},
    {"core", RLIMIT_CORE, UNIT_BYTES},
    {"cpu", RLIMIT_CPU, UNIT_SECONDS},
    {"data", RLIMIT_DATA, UNIT_BYTES},
    {"fsize", RLIMIT_FSIZE, UNIT_BYTES},
    {"memlock", RLIMIT_MEMLOCK, UNIT_BYTES},
    {"stack", RLIMIT_STACK, UNIT_BYTES},
    {"msgqueue", RLIMIT_MSGQUEUE, UNIT_BYTES},
    {"sigpending", RLIMIT_SIGPENDING, UNIT_NUMBER},
    {"nice", RLIMIT_NICE, UNIT_NUMBER},
    {"rtprio", RLIMIT_RTPRIO, UNIT_NUMBER},
    {"rttime", RLIMIT_RTTIME, UNIT_MICROSECONDS},
};

static const struct resource_t *find_resource(int number)
{
    apr_size_t i = 0;

    while (i + 1 < AMGR_COUNT(resources) && resources[i].number != number) {
        i++;
    }
    return &resources[i];
}

const char *amgr_rlimit_name(int resource)
{
    return find_resource(resource)->name;
}

const char *amgr_rlimit_name_parse(const char *text, int *out)
{
    apr_size_t i;

    for (i = 0; i < AMGR_COUNT(resources); i++) {
        if (strcasecmp(text, resources[i].name) == 0) {
            *out = resources[i].number;
            return NULL;
        }
    }
    return "one of nofile, nproc, as, core, cpu, data, fsize, memlock, stack, "
           "msgqueue, sigpending, nice, rtprio, rttime";
}

static int parse_number(const char *text, rlim_t *out)
{
    int number;

    if (amgr_count_parse(text, 0, NUMBER_MAX, &number) != NULL) {
        return 0;
    }
    *out = (rlim_t)number;
    return 1;
}

static int parse_bytes(const char *text, rlim_t *out)
{
    apr_int64_t bytes = 0;

    if (strcmp(text, "0") != 0 && amgr_size_parse(text, &bytes) != NULL) {
        return 0;
    }
    *out = (rlim_t)bytes;
    return 1;
}

static int parse_span(const char *text, apr_interval_time_t unit_us,
                      rlim_t *out)
{
    apr_interval_time_t span_us;

    if (amgr_duration_parse(text, &span_us) != NULL || span_us % unit_us != 0) {
        return 0;
    }
    *out = (rlim_t)(span_us / unit_us);
    return 1;
}

/* SOFT or HARD. */
static int parse_value(const char *text, int unit, rlim_t *out)
{
    if (strcasecmp(text, "unlimited") == 0) {
        *out = RLIM_INFINITY;
        return 1;
    }
    switch (unit) {
    case UNIT_BYTES:
        return parse_bytes(text, out);
    case UNIT_SECONDS:
        return parse_span(text, APR_USEC_PER_SEC, out);
    case UNIT_MICROSECONDS:
        return parse_span(text, 1, out);
    default:
        return parse_number(text, out);
    }
}

static const char *expected_of(int unit)
{
    switch (unit) {
    case UNIT_BYTES:
        return "SOFT, SOFT:HARD or unlimited, in bytes or with a unit (K, M, G "
               "or T), SOFT not above HARD";
    case UNIT_SECONDS:
        return "SOFT, SOFT:HARD or unlimited, durations of whole seconds, SOFT "
               "not above HARD";
    case UNIT_MICROSECONDS:
        return "SOFT, SOFT:HARD or unlimited, durations, SOFT not above HARD";
    default:
        return "SOFT, SOFT:HARD or unlimited, whole numbers, SOFT not above "
               "HARD";
    }
}

const char *amgr_rlimit_parse(const char *text, amgr_rlimit_t *limit,
                              apr_pool_t *pool)
{
    int unit = find_resource(limit->resource)->unit;
    const char *colon = strchr(text, ':');
    const char *soft =
        colon == NULL ? text
                      : apr_pstrmemdup(pool, text, (apr_size_t)(colon - text));
    struct rlimit value;

    if (!parse_value(soft, unit, &value.rlim_cur) ||
        !parse_value(colon == NULL ? soft : colon + 1, unit, &value.rlim_max) ||
        value.rlim_cur > value.rlim_max) {
        return expected_of(unit);
    }
    limit->limit = value;
    return NULL;
}

static void put_value(amgr_sink_t *sink, rlim_t value, int unit)
{
    char text[AMGR_UNITS_LEN];

    if (value == RLIM_INFINITY) {
        amgr_sink_puts(sink, "unlimited");
    }
    else if (unit == UNIT_BYTES) {
        amgr_sink_puts(sink, amgr_size_format_exact((apr_int64_t)value, text,
                                                    sizeof(text)));
    }
    else if (unit == UNIT_NUMBER) {
        amgr_sink_u64(sink, value);
    }
    else {
        amgr_sink_puts(sink,
                       amgr_duration_format_exact(
                           (apr_interval_time_t)value *
                               (unit == UNIT_SECONDS ? APR_USEC_PER_SEC : 1),
                           text, sizeof(text)));
    }
}

void amgr_rlimit_put(amgr_sink_t *sink, const amgr_rlimit_t *limit)
{
    const struct resource_t *resource = find_resource(limit->resource);

    amgr_sink_puts(sink, resource->name);
    amgr_sink_putc(sink, ' ');
    put_value(sink, limit->limit.rlim_cur, resource->unit);
    if (limit->limit.rlim_max != limit->limit.rlim_cur) {
        amgr_sink_putc(sink, ':');
        put_value(sink, limit->limit.rlim_max, resource->unit);
    }
}
