/* SPDX-License-Identifier: Apache-2.0
 *
 * See mod_status_text.h.  Any bytes: numbers are bounded, and what is none is
 * not known.
 */
#include "cli/source/mod_status_text.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <apr_lib.h>
#include <apr_strings.h>

#define NUMBER_LEN 64

/** Above, nothing is a rate or a sum of seconds. */
#define NUMBER_MAX 1e18

/* The value of a key in the line that begins with it; NULL without. */
static const char *find(const char *text, const char *key, apr_size_t *out_len)
{
    apr_size_t len = strlen(key);

    while (*text != '\0') {
        apr_size_t line = strcspn(text, "\n");

        if (line > len && text[len] == ':' &&
            strncasecmp(text, key, len) == 0) {
            const char *value = text + len + 1;
            apr_size_t left = line - len - 1;

            while (left > 0 && (*value == ' ' || *value == '\t')) {
                value++;
                left--;
            }
            while (left > 0 &&
                   (value[left - 1] == '\r' || value[left - 1] == ' ')) {
                left--;
            }
            *out_len = left;
            return value;
        }
        text += line + (text[line] == '\n');
    }
    return NULL;
}

/* A number of at least 0, with an exponent or without; else -1. */
static double read_number(const char *text, const char *key)
{
    char digits[NUMBER_LEN];
    apr_size_t len = 0;
    const char *value = find(text, key, &len);
    double number;
    char *end;

    if (value == NULL || len == 0 || len >= sizeof(digits)) {
        return -1.0;
    }
    memcpy(digits, value, len);
    digits[len] = '\0';
    /* "inf", "nan" and "0x" are numbers to the library. */
    if (strspn(digits, "0123456789.eE+-") != len) {
        return -1.0;
    }
    number = strtod(digits, &end);
    if (*end != '\0' || !isfinite(number) || number < 0 ||
        number > NUMBER_MAX) {
        return -1.0;
    }
    return number;
}

/* A whole number; AMGR_UNKNOWN for anything else. */
static apr_uint64_t read_count(const char *text, const char *key)
{
    apr_size_t len = 0;
    const char *value = find(text, key, &len);
    apr_uint64_t count = 0;
    apr_size_t i;

    if (value == NULL || len == 0 || len > 18) {
        return AMGR_UNKNOWN;
    }
    for (i = 0; i < len; i++) {
        if (value[i] < '0' || value[i] > '9') {
            return AMGR_UNKNOWN;
        }
        count = count * 10 + (apr_uint64_t)(value[i] - '0');
    }
    return count;
}

static int read_int(const char *text, const char *key, int none)
{
    apr_uint64_t count = read_count(text, key);

    return count > APR_INT32_MAX ? none : (int)count;
}

static void read_word(const char *text, const char *key, char *buf,
                      apr_size_t size)
{
    apr_size_t len = 0;
    const char *value = find(text, key, &len);

    if (value == NULL) {
        len = 0;
    }
    if (len >= size) {
        len = size - 1;
    }
    if (len > 0) {
        memcpy(buf, value, len);
    }
    buf[len] = '\0';
}

static void read_identity(const char *text, amgr_source_blank_t *blank)
{
    amgr_server_t *server = &blank->snapshot.server;
    char built[64];
    char *at;

    read_word(text, "ServerVersion", server->version, sizeof(server->version));
    read_word(text, "ServerMPM", server->mpm, sizeof(server->mpm));
    for (at = server->mpm; *at != '\0'; at++) {
        *at = (char)apr_tolower(*at);
    }
    server->async = strcmp(server->mpm, "event") == 0;
    server->threaded = server->async || strcmp(server->mpm, "worker") == 0;
    read_word(text, "Server Built", built, sizeof(built));
    if (built[0] != '\0') {
        blank->view.server_built = apr_pstrdup(blank->pool, built);
    }
    server->generation = read_int(text, "ParentServerMPMGeneration", -1);
    server->config_generation =
        read_int(text, "ParentServerConfigGeneration", 0);
    blank->view.load[0] = read_number(text, "Load1");
    blank->view.load[1] = read_number(text, "Load5");
    blank->view.load[2] = read_number(text, "Load15");
}

static void read_uptime(const char *text, amgr_source_blank_t *blank)
{
    amgr_server_t *server = &blank->snapshot.server;
    int seconds = read_int(text, "Uptime", -1);

    if (seconds < 0) {
        seconds = read_int(text, "ServerUptimeSeconds", -1);
    }
    if (seconds < 0) {
        return;
    }
    server->uptime_us = apr_time_from_sec(seconds);
    server->started_us = blank->view.now_wall_us - server->uptime_us;
    blank->view.uptime_us = server->uptime_us;
    blank->view.started_us = server->started_us;
}

/* mod_status leaves the load out while it is 0. */
static void read_cpu(const char *text, amgr_server_t *server)
{
    amgr_cpu_times_t *cpu = &server->scoreboard_cpu;

    server->cpu_load = read_number(text, "CPULoad");
    cpu->user = read_number(text, "CPUUser");
    cpu->system = read_number(text, "CPUSystem");
    cpu->children_user = read_number(text, "CPUChildrenUser");
    cpu->children_system = read_number(text, "CPUChildrenSystem");
    if (cpu->user < 0 || cpu->system < 0 || cpu->children_user < 0 ||
        cpu->children_system < 0) {
        memset(cpu, 0, sizeof(*cpu));
        return;
    }
    server->cpu_user_seconds = cpu->user + cpu->children_user;
    server->cpu_system_seconds = cpu->system + cpu->children_system;
    server->cpu_seconds = server->cpu_user_seconds + server->cpu_system_seconds;
    if (server->cpu_seconds <= 0 && server->cpu_load < 0) {
        server->cpu_load = 0;
    }
}

/* What is counted with ExtendedStatus alone. */
static void read_sums(const char *text, amgr_server_t *server)
{
    apr_uint64_t accesses = read_count(text, "Total Accesses");
    apr_uint64_t kbytes = read_count(text, "Total kBytes");
    apr_uint64_t duration_ms = read_count(text, "Total Duration");

    if (accesses == AMGR_UNKNOWN || kbytes == AMGR_UNKNOWN) {
        return;
    }
    server->extended = 1;
    server->total_accesses = accesses;
    server->total_bytes =
        kbytes > APR_INT64_MAX / 1024 ? APR_INT64_MAX : kbytes * 1024;
    if (duration_ms < APR_INT64_MAX / 1000) {
        server->total_duration_us = (apr_interval_time_t)duration_ms * 1000;
    }
    server->requests_per_second = read_number(text, "ReqPerSec");
    server->bytes_per_second = read_number(text, "BytesPerSec");
    server->bytes_per_request = read_number(text, "BytesPerReq");
    read_cpu(text, server);
}

static apr_uint64_t count_or_0(const char *text, const char *key)
{
    apr_uint64_t count = read_count(text, key);

    return count == AMGR_UNKNOWN ? 0 : count;
}

static void read_connections(const char *text, amgr_connections_t *out)
{
    out->total = count_or_0(text, "ConnsTotal");
    out->wait_io = count_or_0(text, "ConnsAsyncWaitIO");
    out->writing = count_or_0(text, "ConnsAsyncWriting");
    out->keep_alive = count_or_0(text, "ConnsAsyncKeepAlive");
    out->closing = count_or_0(text, "ConnsAsyncClosing");
}

/* 0 when there is a letter that is none. */
static int read_scoreboard(const char *text, amgr_server_t *server,
                           amgr_mod_status_text_t *out)
{
    apr_size_t len = 0;
    const char *letters = find(text, "Scoreboard", &len);
    apr_size_t i;

    if (letters == NULL || len > APR_INT32_MAX) {
        return 0;
    }
    for (i = 0; i < len; i++) {
        int mode = 0;

        while (mode < AMGR_MODE_COUNT && amgr_mode_letter(mode) != letters[i]) {
            mode++;
        }
        if (mode < AMGR_MODE_COUNT) {
            server->modes[mode]++;
        }
        else if (letters[i] != amgr_mode_letter(mode)) {
            return 0;
        }
        out->used_slots += mode != AMGR_MODE_DEAD;
    }
    server->max_workers = (int)len;
    return 1;
}

int amgr_mod_status_text_read(const char *text, amgr_source_blank_t *blank,
                              amgr_mod_status_text_t *out)
{
    amgr_server_t *server = &blank->snapshot.server;
    int busy = read_int(text, "BusyWorkers", -1);
    int idle = read_int(text, "IdleWorkers", -1);

    memset(out, 0, sizeof(*out));
    if (busy < 0 || idle < 0 || !read_scoreboard(text, server, out)) {
        return 0;
    }
    server->busy_workers = busy;
    server->idle_workers = idle;
    server->graceful_workers = read_int(text, "GracefulWorkers", 0);
    read_identity(text, blank);
    read_uptime(text, blank);
    read_sums(text, server);
    read_connections(text, &server->connections);
    out->processes = read_int(text, "Processes", -1);
    if (out->processes < 0 && strcmp(server->mpm, "prefork") == 0) {
        out->processes = out->used_slots;
    }
    if (out->processes >= 0) {
        server->row_count = out->processes;
    }
    server->stopping_rows = read_int(text, "Stopping", 0);
    return 1;
}
