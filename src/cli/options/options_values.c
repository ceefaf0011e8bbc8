/* SPDX-License-Identifier: Apache-2.0
 *
 * See options_values.h.
 */
#include "cli/options/options_values.h"

#include <limits.h>
#include <string.h>

#include "cli/options/python_units.h"
#include "supervise/order/order_line.h"

#define INTERVAL_MIN_US (100 * APR_TIME_C(1000))
#define INTERVAL_MAX_US apr_time_from_sec(86400)

static const amgr_fault_t *value_fault(apr_pool_t *pool, const char *option,
                                       const char *value, const char *expected)
{
    return amgr_fault_make(pool, AMGR_EXIT_USAGE,
                           "%s: '%s' is not %s. Try 'apache-manager --help'",
                           option, amgr_fault_quote(pool, value), expected);
}

static const amgr_fault_t *set_size(amgr_reading_t *reading, const char *option,
                                    const char *value, apr_int64_t *out_bytes,
                                    apr_int64_t *out_given)
{
    const char *expected = amgr_python_size_parse(value, out_bytes);

    *out_given = 1;
    return expected == NULL
               ? NULL
               : value_fault(reading->pool, option, value, expected);
}

static const amgr_fault_t *set_span(amgr_reading_t *reading, const char *option,
                                    const char *value,
                                    apr_interval_time_t *out_us,
                                    apr_interval_time_t *out_given)
{
    const char *expected = amgr_python_span_parse(value, out_us);

    *out_given = 1;
    return expected == NULL
               ? NULL
               : value_fault(reading->pool, option, value, expected);
}

static const amgr_fault_t *set_hanging(amgr_reading_t *reading,
                                       const char *value)
{
    static const char option[] = "--hanging-worker-threshold";
    const amgr_fault_t *fault =
        set_span(reading, option, value, &reading->line.hanging_us,
                 &reading->given.hanging_us);

    if (fault == NULL && reading->line.hanging_us == AMGR_LIMIT_OFF) {
        fault =
            value_fault(reading->pool, option, value, "a time span above 0");
    }
    return fault;
}

static const amgr_fault_t *set_interval(amgr_reading_t *reading,
                                        const char *value)
{
    apr_interval_time_t span_us;

    if (amgr_python_span_parse(value, &span_us) != NULL ||
        span_us < INTERVAL_MIN_US || span_us > INTERVAL_MAX_US) {
        return value_fault(reading->pool, "--interval", value,
                           "a time span from 100ms to 1 day");
    }
    reading->out->interval_us = span_us;
    reading->interval_given = 1;
    return NULL;
}

static const amgr_fault_t *set_wait(amgr_reading_t *reading, const char *value)
{
    apr_interval_time_t span_us;
    const char *wrong = amgr_python_span_parse(value, &span_us);

    if (wrong == NULL && span_us == AMGR_LIMIT_OFF) {
        span_us = 0;
    }
    if (wrong != NULL || span_us > AMGR_ORDER_WAIT_MAX_MS * APR_TIME_C(1000)) {
        return value_fault(reading->pool, "--wait", value,
                           "a time span up to 10 minutes");
    }
    reading->out->wait_us = span_us;
    reading->wait_given = 1;
    return NULL;
}

static const amgr_fault_t *set_max_kills(amgr_reading_t *reading,
                                         const char *value)
{
    reading->given.max_kills = 1;
    if (amgr_count_parse(value, 1, INT_MAX, &reading->line.max_kills) != NULL) {
        return value_fault(reading->pool, "--max-kills", value,
                           "a whole number from 1");
    }
    return NULL;
}

static const amgr_fault_t *set_color(amgr_reading_t *reading, const char *value)
{
    static const char *const words[] = {"auto", "always", "never"};
    apr_size_t i;

    for (i = 0; i < AMGR_COUNT(words); i++) {
        if (strcmp(words[i], value) == 0) {
            reading->out->color = (int)i;
            return NULL;
        }
    }
    return value_fault(reading->pool, "--color", value,
                       "auto, always or never");
}

static const amgr_fault_t *set_text(amgr_reading_t *reading, const char *option,
                                    const char *value, const char *expected,
                                    const char **out)
{
    *out = value;
    return value[0] != '\0'
               ? NULL
               : value_fault(reading->pool, option, value, expected);
}

int amgr_option_switch(amgr_reading_t *reading, int id)
{
    amgr_options_t *out = reading->out;

    switch (id) {
    case 'c':
        out->tasks |= AMGR_TASK_COLLECT;
        return 1;
    case 'k':
        out->tasks |= AMGR_TASK_KILL;
        return 1;
    case 'w':
        out->tasks |= AMGR_TASK_WATCH;
        return 1;
    case 'z':
        out->tasks |= AMGR_TASK_DISCOVERY;
        return 1;
    case 'n':
        out->dry_run = 1;
        return 1;
    case 'v':
        reading->verbosity++;
        return 1;
    case 'q':
        reading->verbosity--;
        return 1;
    case 'h':
        out->tasks |= AMGR_TASK_HELP;
        return 1;
    case AMGR_OPTION_VERSION:
        out->tasks |= AMGR_TASK_VERSION;
        return 1;
    case AMGR_OPTION_JSON:
        out->tasks |= AMGR_TASK_JSON;
        return 1;
    case AMGR_OPTION_PROCESSES:
        out->tasks |= AMGR_TASK_PROCESSES;
        return 1;
    case AMGR_OPTION_ONCE:
        out->tasks |= AMGR_TASK_WATCH;
        out->once = 1;
        return 1;
    default:
        return 0;
    }
}

const amgr_fault_t *amgr_option_set(amgr_reading_t *reading, int id,
                                    const char *value)
{
    amgr_options_t *out = reading->out;

    switch (id) {
    case 'a':
        return set_size(reading, "--max-memory-active", value,
                        &reading->line.max_memory_active_bytes,
                        &reading->given.max_memory_active_bytes);
    case 'i':
        return set_size(reading, "--max-memory-idle", value,
                        &reading->line.max_memory_idle_bytes,
                        &reading->given.max_memory_idle_bytes);
    case 't':
        return set_span(reading, "--max-time", value,
                        &reading->line.max_time_us,
                        &reading->given.max_time_us);
    case 'T':
        return set_hanging(reading, value);
    case 'f':
        out->data_file_given = 1;
        return set_text(reading, "--data-file", value,
                        "the path of a file, or -", &out->data_file);
    case AMGR_OPTION_URL:
        return set_text(reading, "--url", value, "the address of a server",
                        &out->url);
    case AMGR_OPTION_INTERVAL:
        return set_interval(reading, value);
    case AMGR_OPTION_MAX_KILLS:
        return set_max_kills(reading, value);
    case AMGR_OPTION_WAIT:
        return set_wait(reading, value);
    default:
        return set_color(reading, value);
    }
}
