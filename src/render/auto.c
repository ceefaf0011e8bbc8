/* SPDX-License-Identifier: Apache-2.0
 *
 * `?auto`: what programs that were written for mod_status read.  Its keys, its
 * order and its forms are theirs; what is added stands before the scoreboard,
 * which is the last line.  No key is there twice.
 */
#include "render/view.h"

#include <string.h>
#include <time.h>

#include <apr_strings.h>

#include "render/letters.h"
#include "render/server_status.h"

#define LETTERS_CHUNK 8192

/* Keys with what parts them from the value: fewer pieces. */
static void put_text(amgr_sink_t *sink, const char *key, const char *value)
{
    amgr_sink_puts(sink, key);
    amgr_sink_puts(sink, value);
    amgr_sink_putc(sink, '\n');
}

static void put_count(amgr_sink_t *sink, const char *key, apr_uint64_t value)
{
    amgr_sink_puts(sink, key);
    amgr_sink_u64(sink, value);
    amgr_sink_putc(sink, '\n');
}

/* Of APR's making, as mod_status's: never an exponent where clients have not
 * seen one, ".5" for a half. */
static void put_number(amgr_sink_t *sink, const char *key, double value)
{
    char buf[64];

    apr_snprintf(buf, sizeof(buf), "%g", value);
    put_text(sink, key, buf);
}

static void put_load(amgr_sink_t *sink, const char *key, double value)
{
    char buf[64];

    apr_snprintf(buf, sizeof(buf), "%.2f", value);
    put_text(sink, key, buf);
}

/* As mod_status has it, in English whatever the locale is.  By hand, since
 * strftime() looks at each call whether the time zone's file has changed. */
static void put_time(amgr_sink_t *sink, const char *key, apr_time_t time_us)
{
    static const char *const days[7] = {"Sunday",    "Monday",   "Tuesday",
                                        "Wednesday", "Thursday", "Friday",
                                        "Saturday"};
    time_t seconds = (time_t)apr_time_sec(time_us);
    struct tm local;

    if (localtime_r(&seconds, &local) == NULL) {
        put_text(sink, key, "");
        return;
    }
    amgr_sink_printf(sink, "%s%s, %02d-%s-%d %02d:%02d:%02d %s\n", key,
                     days[local.tm_wday], local.tm_mday,
                     apr_month_snames[local.tm_mon], local.tm_year + 1900,
                     local.tm_hour, local.tm_min, local.tm_sec, local.tm_zone);
}

/* The client may have chosen it: no blank, so it is no line with a key, and
 * nothing that is more than a letter to anybody. */
static void put_name(amgr_sink_t *sink, const char *name)
{
    if (name == NULL || *name == '\0') {
        name = "-";
    }
    for (; *name != '\0'; name++) {
        amgr_sink_putc(sink, *name > ' ' && *name <= '~' ? *name : '?');
    }
    amgr_sink_putc(sink, '\n');
}

static void put_unit(amgr_sink_t *sink, apr_uint32_t count, const char *unit)
{
    if (count > 0) {
        amgr_sink_putc(sink, ' ');
        amgr_sink_u64(sink, count);
        amgr_sink_putc(sink, ' ');
        amgr_sink_puts(sink, unit);
        if (count != 1) {
            amgr_sink_putc(sink, 's');
        }
    }
}

static void put_uptime(amgr_sink_t *sink, apr_uint32_t uptime_sec)
{
    put_count(sink, "ServerUptimeSeconds: ", uptime_sec);
    amgr_sink_puts(sink, "ServerUptime:");
    put_unit(sink, uptime_sec / 86400, "day");
    put_unit(sink, uptime_sec / 3600 % 24, "hour");
    put_unit(sink, uptime_sec / 60 % 60, "minute");
    put_unit(sink, uptime_sec % 60, "second");
    amgr_sink_putc(sink, '\n');
}

static void put_server(const amgr_view_t *view, amgr_sink_t *sink,
                       apr_uint32_t uptime_sec)
{
    const amgr_server_t *server = &view->snapshot->server;

    put_name(sink, view->server_name);
    put_text(sink, "ServerVersion: ",
             view->server_description != NULL ? view->server_description
                                              : server->version);
    put_text(sink, "ServerMPM: ", server->mpm);
    put_text(sink, "Server Built: ",
             view->server_built != NULL ? view->server_built : "");
    put_time(sink, "CurrentTime: ", view->now_wall_us);
    put_time(sink, "RestartTime: ", server->started_us);
    put_count(sink, "ParentServerConfigGeneration: ",
              (apr_uint64_t)server->config_generation);
    put_count(sink, "ParentServerMPMGeneration: ",
              server->generation < 0 ? 0 : (apr_uint64_t)server->generation);
    put_uptime(sink, uptime_sec);
    put_load(sink, "Load1: ", view->load[0]);
    put_load(sink, "Load5: ", view->load[1]);
    put_load(sink, "Load15: ", view->load[2]);
}

/* mod_status counts in clock ticks and floats, and so it rounds. */
static void put_cpu(const amgr_cpu_times_t *cpu, amgr_sink_t *sink,
                    apr_uint32_t uptime_sec)
{
    double all =
        cpu->user + cpu->system + cpu->children_user + cpu->children_system;

    put_number(sink, "CPUUser: ", (float)cpu->user);
    put_number(sink, "CPUSystem: ", (float)cpu->system);
    put_number(sink, "CPUChildrenUser: ", (float)cpu->children_user);
    put_number(sink, "CPUChildrenSystem: ", (float)cpu->children_system);
    /* In the first second its "inf" would be no number to many. */
    if (all > 0 && uptime_sec > 0) {
        put_number(
            sink, "CPULoad: ", (double)((float)all / (float)uptime_sec) * 100.);
    }
}

/* What is counted with ExtendedStatus alone. */
static void put_totals(const amgr_server_t *server, amgr_sink_t *sink,
                       apr_uint32_t uptime_sec)
{
    apr_uint64_t kilobytes = server->total_bytes / 1024;
    apr_uint64_t duration_ms = (apr_uint64_t)server->total_duration_us / 1000;
    float accesses = (float)server->total_accesses;
    float bytes = 1024 * (float)kilobytes;

    put_count(sink, "Total Accesses: ", server->total_accesses);
    put_count(sink, "Total kBytes: ", kilobytes);
    put_count(sink, "Total Duration: ", duration_ms);
    put_cpu(&server->scoreboard_cpu, sink, uptime_sec);
    put_count(sink, "Uptime: ", uptime_sec);
    if (uptime_sec > 0) {
        put_number(sink, "ReqPerSec: ", accesses / (float)uptime_sec);
        put_number(sink, "BytesPerSec: ", bytes / (float)uptime_sec);
    }
    if (server->total_accesses > 0) {
        put_number(sink, "BytesPerReq: ", bytes / accesses);
        put_number(sink, "DurationPerReq: ", (float)duration_ms / accesses);
    }
}

static void put_workers(const amgr_server_t *server, amgr_sink_t *sink)
{
    const amgr_connections_t *connections = &server->connections;

    put_count(sink, "BusyWorkers: ", (apr_uint64_t)server->busy_workers);
    put_count(sink,
              "GracefulWorkers: ", (apr_uint64_t)server->graceful_workers);
    put_count(sink, "IdleWorkers: ", (apr_uint64_t)server->idle_workers);
    if (server->async) {
        put_count(sink, "Processes: ", (apr_uint64_t)server->row_count);
        put_count(sink, "Stopping: ", (apr_uint64_t)server->stopping_rows);
        put_count(sink, "ConnsTotal: ", connections->total);
        put_count(sink, "ConnsAsyncWaitIO: ", connections->wait_io);
        put_count(sink, "ConnsAsyncWriting: ", connections->writing);
        put_count(sink, "ConnsAsyncKeepAlive: ", connections->keep_alive);
        put_count(sink, "ConnsAsyncClosing: ", connections->closing);
    }
}

/* Without those of slots that may not be used and are not. */
static int keep_shown(char *letters, int first, int count)
{
    int kept = first;
    int i;

    for (i = first; i < count; i++) {
        if (letters[i] != '.') {
            letters[kept++] = letters[i];
        }
    }
    return kept;
}

/* Some letters from the @a first on, as mod_status shows them; how many. */
static int read_shown(const amgr_view_t *view, apr_int64_t first, char *letters,
                      int count)
{
    apr_int64_t usable = view->snapshot->server.max_workers - first;

    amgr_letters_read(view, first, letters, count);
    if (usable >= count) {
        return count;
    }
    return keep_shown(letters, usable < 0 ? 0 : (int)usable, count);
}

static apr_int64_t sum_modes(const int *modes)
{
    apr_int64_t sum = 0;
    int i;

    for (i = 0; i < AMGR_MODE_COUNT; i++) {
        sum += modes[i];
    }
    return sum;
}

/* After a restart with fewer threads to a process, processes of before have
 * slots beyond those.  They have no letters among the others, and are counted:
 * what has been counted and not been @a seen comes last.  No more than are
 * missing: a letter that was read late may be another by then. */
static void put_others(const amgr_server_t *server, amgr_sink_t *sink,
                       const int *seen)
{
    apr_int64_t missing = sum_modes(server->modes) - sum_modes(seen);
    int mode;
    int i;

    for (mode = 0; mode < AMGR_MODE_COUNT; mode++) {
        for (i = seen[mode]; i < server->modes[mode] && missing > 0; i++) {
            amgr_sink_putc(sink, amgr_mode_letter(mode));
            missing--;
        }
    }
}

static void count_modes(const char *letters, int count, int *seen)
{
    int modes[256] = {0};
    int i;

    for (i = 0; i < count; i++) {
        modes[(unsigned char)letters[i]]++;
    }
    for (i = 0; i < AMGR_MODE_COUNT; i++) {
        seen[i] += modes[(unsigned char)amgr_mode_letter(i)];
    }
}

static void put_scoreboard(const amgr_view_t *view, amgr_sink_t *sink)
{
    apr_int64_t count = amgr_letters_count(view);
    int seen[AMGR_MODE_COUNT] = {0};
    char letters[LETTERS_CHUNK];
    apr_int64_t first;

    amgr_sink_puts(sink, "Scoreboard: ");
    for (first = 0; first < count; first += LETTERS_CHUNK) {
        int here = count - first < LETTERS_CHUNK ? (int)(count - first)
                                                 : LETTERS_CHUNK;

        here = read_shown(view, first, letters, here);
        count_modes(letters, here, seen);
        amgr_sink_put(sink, letters, (apr_size_t)here);
    }
    put_others(&view->snapshot->server, sink, seen);
    amgr_sink_putc(sink, '\n');
}

void amgr_write_auto(const amgr_view_t *view, amgr_sink_t *sink)
{
    const amgr_server_t *server = &view->snapshot->server;
    apr_uint32_t uptime_sec = 0;

    if (server->uptime_us > 0) {
        uptime_sec = (apr_uint32_t)apr_time_sec(server->uptime_us);
    }
    put_server(view, sink, uptime_sec);
    if (server->extended) {
        put_totals(server, sink, uptime_sec);
    }
    put_workers(server, sink);
    amgr_write_server_status_auto(view, sink);
    if (view->write_foreign != NULL) {
        view->write_foreign(view->foreign_baton, sink);
    }
    put_scoreboard(view, sink);
}
