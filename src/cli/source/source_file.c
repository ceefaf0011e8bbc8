/* SPDX-License-Identifier: Apache-2.0
 *
 * The data file as a source: figures of some while ago, when nothing else
 * answers.  Lines that are not known are passed over, since versions differ;
 * a known one that says no number is not, for then the file is not whole.
 */
#include "cli/source/source_parts.h"

#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <apr_strings.h>

#include "cli/source/source_blank.h"
#include "model/words.h"

/** A thousand groups are 300 kB. */
#define FILE_MAX_BYTES (1024 * 1024)

/** Columns of a line: "memory-usage", the group, the figure, the number. */
#define COLUMNS 4

/** More than anything can be, and less than what fits in 64 bits. */
#define NUMBER_MAX 1e19

typedef struct reader_t {
    amgr_source_blank_t *blank;
    locale_t plain; /**< in which a number has a point */
    int known;      /**< lines of the server that were found */
} reader_t;

/** Takes the number of its line. */
typedef void take_fn(reader_t *reader, double value);

static amgr_server_t *server_of(reader_t *reader)
{
    return &reader->blank->snapshot.server;
}

static int to_int(double value)
{
    return value < (double)APR_INT32_MAX ? (int)value : APR_INT32_MAX;
}

static void take_busy(reader_t *reader, double value)
{
    server_of(reader)->busy_workers = to_int(value);
    reader->known++;
}

static void take_idle(reader_t *reader, double value)
{
    server_of(reader)->idle_workers = to_int(value);
    reader->known++;
}

static void take_bytes_per_request(reader_t *reader, double value)
{
    server_of(reader)->bytes_per_request = value;
}

static void take_bytes_per_second(reader_t *reader, double value)
{
    server_of(reader)->bytes_per_second = value;
}

static void take_requests_per_second(reader_t *reader, double value)
{
    server_of(reader)->requests_per_second = value;
}

static void take_cpu_load(reader_t *reader, double value)
{
    server_of(reader)->cpu_load = value;
}

static void take_accesses(reader_t *reader, double value)
{
    server_of(reader)->total_accesses = (apr_uint64_t)value;
}

static void take_traffic(reader_t *reader, double value)
{
    server_of(reader)->total_bytes = (apr_uint64_t)value;
}

static void take_uptime(reader_t *reader, double value)
{
    /* Within what microseconds can tell. */
    server_of(reader)->uptime_us =
        apr_time_from_sec((apr_int64_t)fmin(value, 1e12));
    reader->known++;
}

static void take_status(reader_t *reader, double value)
{
    reader->blank->snapshot.incomplete = value != 0;
}

static void take_hanging(reader_t *reader, double value)
{
    reader->blank->snapshot.hanging = to_int(value);
}

static void take_killed_active(reader_t *reader, double value)
{
    reader->blank->counters.killed_active = (apr_uint64_t)value;
}

static void take_killed_idle(reader_t *reader, double value)
{
    reader->blank->counters.killed_idle = (apr_uint64_t)value;
}

static const struct {
    const char *key;
    take_fn *take;
} keys[] = {
    {"busy-workers", take_busy},
    {"bytes-per-request", take_bytes_per_request},
    {"bytes-per-second", take_bytes_per_second},
    {"cpu-load", take_cpu_load},
    {"idle-workers", take_idle},
    {"requests-per-second", take_requests_per_second},
    {"total-accesses", take_accesses},
    {"total-traffic", take_traffic},
    {"uptime", take_uptime},
    {"status-response", take_status},
    {"workers-hanging", take_hanging},
    {"workers-killed-active", take_killed_active},
    {"workers-killed-idle", take_killed_idle},
};

/** A decimal number, as Python and the module write it, and nothing else. */
static int parse_number(const reader_t *reader, const char *text, double *out)
{
    char *end;
    double value;

    if (text[0] < '0' || text[0] > '9' ||
        text[strspn(text, "0123456789.e+-")] != '\0') {
        return 0;
    }
    value = strtod_l(text, &end, reader->plain);
    if (*end != '\0' || !isfinite(value) || value > NUMBER_MAX) {
        return 0;
    }
    *out = value;
    return 1;
}

static void take_memory(reader_t *reader, const char *name, const char *figure,
                        double value)
{
    amgr_snapshot_t *snapshot = &reader->blank->snapshot;
    int is_native = strcmp(name, amgr_kind_word(AMGR_KIND_NATIVE)) == 0;
    int index = amgr_snapshot_group(
        snapshot, name, is_native ? AMGR_KIND_NATIVE : AMGR_KIND_FOREIGN,
        is_native ? AMGR_ROLE_WORKER : AMGR_ROLE_WSGI);
    amgr_stats_t *stats = &snapshot->groups[index].rss;

    if (strcmp(figure, "count") == 0) {
        stats->count = (apr_uint64_t)value;
        stats->known = stats->count;
    }
    else if (strcmp(figure, "min") == 0) {
        stats->min = (apr_uint64_t)value;
    }
    else if (strcmp(figure, "max") == 0) {
        stats->max = (apr_uint64_t)value;
    }
    else if (strcmp(figure, "average") == 0) {
        stats->average = value;
    }
    else if (strcmp(figure, "median") == 0) {
        stats->median = value;
    }
    stats->sum =
        (apr_uint64_t)fmin(stats->average * (double)stats->count, NUMBER_MAX);
}

/** The columns of a line, in its own bytes; how many there are. */
static int split(char *line, char **columns)
{
    int count = 0;

    while (count < COLUMNS) {
        columns[count++] = line;
        line = strchr(line, '\t');
        if (line == NULL) {
            return count;
        }
        *line++ = '\0';
    }
    return COLUMNS + 1;
}

/** Zero when the line says no number where there is one. */
static int take_line(reader_t *reader, char *line)
{
    char *columns[COLUMNS];
    int count = split(line, columns);
    double value;
    apr_size_t i;

    if (strcmp(columns[0], "memory-usage") == 0) {
        if (count != COLUMNS || !parse_number(reader, columns[3], &value)) {
            return 0;
        }
        take_memory(reader, columns[1], columns[2], value);
        return 1;
    }
    for (i = 0; i < AMGR_COUNT(keys); i++) {
        if (strcmp(columns[0], keys[i].key) == 0) {
            if (count != 2 || !parse_number(reader, columns[1], &value)) {
                return 0;
            }
            keys[i].take(reader, value);
            return 1;
        }
    }
    return 1;
}

/** Zero, and the number of the line, when one is bad. */
static int take_lines(reader_t *reader, char *text, int *out_line)
{
    char *end;
    int line;

    /* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): never NULL */
    for (line = 1; *text != '\0'; line++, text = end + 1) {
        end = strchr(text, '\n');
        if (end == NULL) {
            *out_line = line; /* whoever wrote it did not come to the end */
            return 0;
        }
        *end = '\0';
        if (!take_line(reader, text)) {
            *out_line = line;
            return 0;
        }
    }
    return 1;
}

/** The whole file, NUL-terminated, or why not. */
static const amgr_fault_t *read_fd(int fd, const char *shown, char **out_text,
                                   apr_time_t *out_time_us, apr_pool_t *pool)
{
    apr_size_t length = 0;
    struct stat st;
    char *text;
    ssize_t got;

    if (fstat(fd, &st) != 0) {
        return amgr_fault_make(pool, amgr_fault_code(errno), "data file %s: %s",
                               shown, amgr_fault_reason(pool, errno));
    }
    if (!S_ISREG(st.st_mode) || st.st_size > FILE_MAX_BYTES) {
        return amgr_fault_make(
            pool, AMGR_EXIT_FAILED, "data file %s: %s", shown,
            S_ISREG(st.st_mode) ? "too large" : "not a regular file");
    }
    text = apr_palloc(pool, (apr_size_t)st.st_size + 1);
    while (length < (apr_size_t)st.st_size) {
        got = read(fd, text + length, (apr_size_t)st.st_size - length);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got <= 0) {
            break; /* shorter than it was, which its last line shows */
        }
        length += (apr_size_t)got;
    }
    text[length] = '\0';
    *out_text = text;
    *out_time_us = apr_time_from_sec(st.st_mtim.tv_sec) +
                   (apr_time_t)st.st_mtim.tv_nsec / 1000;
    return strlen(text) == length
               ? NULL
               : amgr_fault_make(pool, AMGR_EXIT_FAILED,
                                 "data file %s: it is not text", shown);
}

static const amgr_fault_t *read_file(const char *path, const char *shown,
                                     char **out_text, apr_time_t *out_time_us,
                                     apr_pool_t *pool)
{
    const amgr_fault_t *fault;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

    if (fd < 0) {
        return amgr_fault_make(
            pool, amgr_fault_code(errno), "data file %s: %s", shown,
            errno == ENOENT ? "none" : amgr_fault_reason(pool, errno));
    }
    fault = read_fd(fd, shown, out_text, out_time_us, pool);
    close(fd);
    return fault;
}

/** What the lines say, in @a blank. */
static const amgr_fault_t *parse(amgr_source_blank_t *blank, char *text,
                                 const char *shown, apr_pool_t *pool)
{
    reader_t reader = {blank, newlocale(LC_ALL_MASK, "C", (locale_t)0), 0};
    int line = 0;
    int is_good;

    if (reader.plain == (locale_t)0) {
        return amgr_fault_make(pool, AMGR_EXIT_FAILED, "data file %s: %s",
                               shown, amgr_fault_reason(pool, errno));
    }
    is_good = take_lines(&reader, text, &line);
    freelocale(reader.plain);
    if (!is_good) {
        return amgr_fault_make(pool, AMGR_EXIT_FAILED,
                               "data file %s: line %d is not whole or not a "
                               "number",
                               shown, line);
    }
    if (reader.known == 0) {
        return amgr_fault_make(pool, AMGR_EXIT_FAILED,
                               "data file %s: it has no figures of a server",
                               shown);
    }
    return NULL;
}

const amgr_fault_t *amgr_source_data_file(const char *path, amgr_source_t *out,
                                          apr_pool_t *pool)
{
    amgr_source_blank_t *blank = amgr_source_blank_make(pool, 0, 0);
    const char *shown = amgr_fault_quote(pool, path);
    const amgr_fault_t *fault;
    apr_time_t time_us = 0;
    char *text = NULL;

    fault = read_file(path, shown, &text, &time_us, pool);
    if (fault == NULL) {
        blank->snapshot.server.extended = 1;
        amgr_snapshot_group(&blank->snapshot, amgr_kind_word(AMGR_KIND_NATIVE),
                            AMGR_KIND_NATIVE, AMGR_ROLE_WORKER);
        fault = parse(blank, text, shown, pool);
    }
    if (fault != NULL) {
        return fault;
    }
    memset(out, 0, sizeof(*out));
    out->kind = AMGR_SOURCE_DATA_FILE;
    out->name = shown;
    out->view = blank->view;
    out->view.tick_wall_us = time_us;
    out->age_us = out->view.now_wall_us - time_us;
    if (out->age_us < 0) {
        out->age_us = 0;
    }
    return NULL;
}
