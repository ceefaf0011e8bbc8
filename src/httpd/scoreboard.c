/* SPDX-License-Identifier: Apache-2.0
 *
 * See scoreboard.h.  Field by field as in httpd's scoreboard.h; what each
 * figure means is modules/generators/mod_status.c's.
 */
#include "httpd/scoreboard.h"

#include <string.h>
#include <unistd.h>

#include <apr_strings.h>
#include <httpd.h>
#include <ap_listen.h>
#include <ap_mpm.h>
#include <http_core.h>
#include <mpm_common.h>
#include <scoreboard.h>

#include "httpd/config.h"
#include "model/request.h"

/** No slot has been busy for longer, and no sum of so many wraps. */
#define SPAN_MAX_US APR_INT64_C(100000000000000)

/** CPU time in clock ticks: of a process, and of those it has waited for. */
typedef struct cpu_ticks_t {
    apr_uint64_t user;
    apr_uint64_t system;
    apr_uint64_t children_user;
    apr_uint64_t children_system;
} cpu_ticks_t;

/** Sums over the whole scoreboard, and what the pass goes by. */
typedef struct sums_t {
    int columns;
    int used;   /**< of the columns */
    int usable; /**< of the rows */
    int generation;
    int rows;
    int stopping_rows;
    int modes[AMGR_MODE_COUNT];
    amgr_connections_t connections;
    cpu_ticks_t ticks;
    int busy;
    int graceful;
    int idle;
    apr_uint64_t accesses;
    apr_uint64_t bytes;
    apr_interval_time_t duration_us;
} sums_t;

_Static_assert(AMGR_MODE_DEAD == SERVER_DEAD &&
                   AMGR_MODE_READY == SERVER_READY &&
                   AMGR_MODE_WRITE == SERVER_BUSY_WRITE &&
                   AMGR_MODE_LOG == SERVER_BUSY_LOG &&
                   AMGR_MODE_DNS == SERVER_BUSY_DNS &&
                   AMGR_MODE_IDLE_KILL == SERVER_IDLE_KILL &&
                   AMGR_MODE_COUNT == SERVER_NUM_STATUS,
               "modes are those of httpd's scoreboard.h");
_Static_assert(sizeof(((worker_score *)0)->request) <= AMGR_SLOT_REQUEST_LEN &&
                   sizeof(((worker_score *)0)->vhost) <= AMGR_SLOT_VHOST_LEN &&
                   sizeof(((worker_score *)0)->client64) <=
                       AMGR_SLOT_CLIENT_LEN &&
                   sizeof(((worker_score *)0)->protocol) <=
                       AMGR_SLOT_PROTOCOL_LEN,
               "texts of the scoreboard fit");

int amgr_scoreboard_exists(void)
{
    return ap_exists_scoreboard_image();
}

static int query(int what)
{
    int value = 0;

    return ap_mpm_query(what, &value) == APR_SUCCESS && value > 0 ? value : 0;
}

int amgr_scoreboard_rows(void)
{
    return query(AP_MPMQ_HARD_LIMIT_DAEMONS);
}

int amgr_scoreboard_columns(void)
{
    int columns = query(AP_MPMQ_HARD_LIMIT_THREADS);

    return columns > 0 ? columns : 1;
}

int amgr_scoreboard_used_columns(void)
{
    int used = query(AP_MPMQ_MAX_THREADS);
    int columns = amgr_scoreboard_columns();

    return used < 1 ? 1 : used > columns ? columns : used;
}

int amgr_scoreboard_columns_of(const amgr_process_t *process)
{
    return process->columns > 0 ? process->columns
                                : amgr_scoreboard_used_columns();
}

void amgr_scoreboard_read_row(int row, amgr_row_t *out)
{
    const process_score *score = ap_get_scoreboard_process(row);

    memset(out, 0, sizeof(*out));
    if (score != NULL) {
        out->pid = score->pid;
        out->generation = score->generation;
        out->stopping = score->quiescing != 0;
        out->connections.total = score->connections;
        out->connections.wait_io = score->wait_io;
        out->connections.writing = score->write_completion;
        out->connections.keep_alive = score->keep_alive;
        out->connections.closing = score->lingering_close;
    }
}

int amgr_scoreboard_has(pid_t pid)
{
    int rows = amgr_scoreboard_rows();
    int row;

    for (row = 0; row < rows; row++) {
        if (ap_get_scoreboard_process(row)->pid == pid) {
            return 1;
        }
    }
    return 0;
}

int amgr_scoreboard_generation(void)
{
    return ap_get_scoreboard_global()->running_generation;
}

int amgr_scoreboard_is_of_today(void)
{
    int generation = -1;

    return ap_mpm_query(AP_MPMQ_GENERATION, &generation) == APR_SUCCESS &&
           generation == amgr_scoreboard_generation();
}

static int checked_mode(int mode)
{
    return mode >= 0 && mode < AMGR_MODE_COUNT ? mode : AMGR_MODE_DEAD;
}

/** A count or an amount of bytes: what cannot be true is cut to what can. */
static apr_uint64_t plausible(apr_int64_t value)
{
    return value < 0 ? 0 : (apr_uint64_t)value;
}

/** The same of a span, which sums of all slots must be able to hold. */
static apr_interval_time_t plausible_span(apr_interval_time_t span_us)
{
    return span_us < 0 || span_us > SPAN_MAX_US ? 0 : span_us;
}

static apr_uint64_t cpu_sum(const cpu_ticks_t *ticks)
{
    return ticks->user + ticks->system + ticks->children_user +
           ticks->children_system;
}

static void read_ticks(const struct tms *times, cpu_ticks_t *out)
{
    out->user = plausible(times->tms_utime);
    out->system = plausible(times->tms_stime);
    out->children_user = plausible(times->tms_cutime);
    out->children_system = plausible(times->tms_cstime);
}

static void add_ticks(cpu_ticks_t *sum, const cpu_ticks_t *more)
{
    sum->user += more->user;
    sum->system += more->system;
    sum->children_user += more->children_user;
    sum->children_system += more->children_system;
}

static void add_connections(amgr_connections_t *sum,
                            const amgr_connections_t *more)
{
    sum->total += more->total;
    sum->wait_io += more->wait_io;
    sum->writing += more->writing;
    sum->keep_alive += more->keep_alive;
    sum->closing += more->closing;
}

/** A slot beyond what the MPM may use is none unless something is in it. */
static void count_letter(sums_t *sums, int mode, int row, int column)
{
    sums->modes[mode] +=
        mode != AMGR_MODE_DEAD || (row < sums->usable && column < sums->used);
}

static void count_mode(sums_t *sums, int mode, const amgr_row_t *row)
{
    if (row->pid <= 0 || row->stopping || mode == AMGR_MODE_DEAD ||
        mode == AMGR_MODE_STARTING || mode == AMGR_MODE_IDLE_KILL) {
        return;
    }
    if (mode == AMGR_MODE_READY) {
        sums->idle += row->generation == sums->generation;
    }
    else if (mode == AMGR_MODE_GRACEFUL) {
        sums->graceful++;
    }
    else {
        sums->busy++;
    }
}

static void add_score(sums_t *sums, const worker_score *score)
{
    sums->accesses += plausible((apr_int64_t)score->access_count);
    sums->bytes += plausible(score->bytes_served);
    sums->duration_us += plausible_span(score->duration);
}

/** What a slot adds to the figures of its row. */
static void scan_slot(amgr_scan_t *scan, const worker_score *score, int mode,
                      amgr_row_scan_t *row)
{
    row->busy += !amgr_mode_is_idle(mode);
    row->accesses += plausible((apr_int64_t)score->my_access_count);
    if (scan->letters_used < scan->letters_max) {
        scan->letters[scan->letters_used] = amgr_mode_letter(mode);
    }
    scan->letters_used++;
}

/** The kernel counts CPU time by process: the slot with the most is the
 * latest. */
static void see_ticks(const worker_score *score, cpu_ticks_t *latest)
{
    cpu_ticks_t ticks;

    read_ticks(&score->times, &ticks);
    if (cpu_sum(&ticks) > cpu_sum(latest)) {
        *latest = ticks;
    }
}

static void sum_row(sums_t *sums, amgr_scan_t *scan, int index)
{
    /* The slots of a row stand one behind the other. */
    const worker_score *score = ap_get_scoreboard_worker_from_indexes(index, 0);
    amgr_row_scan_t row;
    cpu_ticks_t ticks;
    int i;

    memset(&row, 0, sizeof(row));
    memset(&ticks, 0, sizeof(ticks));
    amgr_scoreboard_read_row(index, &row.row);
    for (i = 0; score != NULL && i < sums->columns; i++, score++) {
        int mode =
            row.row.pid > 0 ? checked_mode(score->status) : AMGR_MODE_DEAD;

        count_letter(sums, mode, index, i);
        count_mode(sums, mode, &row.row);
        add_score(sums, score);
        if (scan != NULL && i < sums->used) {
            scan_slot(scan, score, mode, &row);
        }
        see_ticks(score, &ticks);
    }
    add_ticks(&sums->ticks, &ticks);
    if (row.row.pid > 0) {
        sums->rows++;
        sums->stopping_rows += row.row.stopping;
        add_connections(&sums->connections, &row.row.connections);
        if (scan != NULL) {
            scan->visit(scan->baton, index, &row);
        }
    }
}

static void fill_rates(amgr_server_t *out)
{
    double seconds = (double)apr_time_sec(out->uptime_us);

    out->requests_per_second = -1;
    out->bytes_per_second = -1;
    out->bytes_per_request = -1;
    if (seconds > 0) {
        out->requests_per_second = (double)out->total_accesses / seconds;
        out->bytes_per_second = (double)out->total_bytes / seconds;
    }
    if (out->total_accesses > 0) {
        out->bytes_per_request =
            (double)out->total_bytes / (double)out->total_accesses;
    }
}

static void fill_sums(amgr_server_t *out, const sums_t *sums)
{
    out->busy_workers = sums->busy;
    out->graceful_workers = sums->graceful;
    out->idle_workers = sums->idle;
    out->total_accesses = sums->accesses;
    out->total_bytes = sums->bytes;
    out->total_duration_us = sums->duration_us;
    out->row_count = sums->rows;
    out->stopping_rows = sums->stopping_rows;
    memcpy(out->modes, sums->modes, sizeof(out->modes));
    out->connections = sums->connections;
}

/** As mod_status has it: of the slots, and of the parent when it last looked.
 * Returns those of the slots alone. */
static amgr_slots_cpu_t fill_cpu(amgr_server_t *out, const sums_t *sums)
{
    double per_second = (double)sysconf(_SC_CLK_TCK);
    amgr_slots_cpu_t slots;
    cpu_ticks_t all;

    read_ticks(&ap_get_scoreboard_global()->times, &all);
    add_ticks(&all, &sums->ticks);
    out->scoreboard_cpu.user = (double)all.user / per_second;
    out->scoreboard_cpu.system = (double)all.system / per_second;
    out->scoreboard_cpu.children_user = (double)all.children_user / per_second;
    out->scoreboard_cpu.children_system =
        (double)all.children_system / per_second;
    slots.user_seconds =
        (double)(sums->ticks.user + sums->ticks.children_user) / per_second;
    slots.system_seconds =
        (double)(sums->ticks.system + sums->ticks.children_system) / per_second;
    return slots;
}

amgr_slots_cpu_t amgr_scoreboard_read_server(amgr_server_t *out,
                                             amgr_scan_t *scan)
{
    sums_t sums;
    int rows = amgr_scoreboard_rows();
    int i;

    memset(&sums, 0, sizeof(sums));
    amgr_clock_read(&out->time);
    apr_cpystrn(out->version, ap_get_server_banner(), sizeof(out->version));
    apr_cpystrn(out->mpm, ap_show_mpm(), sizeof(out->mpm));
    out->generation = amgr_scoreboard_generation();
    out->config_generation = ap_state_query(AP_SQ_CONFIG_GEN);
    out->started_us = ap_get_scoreboard_global()->restart_time;
    if (out->started_us < 0 || out->started_us > out->time.wall_us) {
        out->started_us = out->time.wall_us; /* or the clock was set back */
    }
    out->uptime_us = out->time.wall_us - out->started_us;
    out->extended = ap_extended_status;
    out->threads_per_process = amgr_scoreboard_used_columns();
    out->threaded = query(AP_MPMQ_IS_THREADED) > 0;
    /* The threaded MPMs keep idle threads in each bucket. */
    out->lone_buckets = out->threaded ? 1 : ap_num_listen_buckets;
    out->async = query(AP_MPMQ_IS_ASYNC) > 0;
    /* One of the two is 0, whatever the MPM. */
    out->min_spare_workers =
        query(AP_MPMQ_MIN_SPARE_DAEMONS) + query(AP_MPMQ_MIN_SPARE_THREADS);
    out->max_processes = query(AP_MPMQ_MAX_DAEMONS);
    out->max_workers = out->max_processes * out->threads_per_process;
    sums.columns = amgr_scoreboard_columns();
    sums.used = out->threads_per_process;
    sums.usable = out->max_processes;
    sums.generation = out->generation;
    for (i = 0; i < rows; i++) {
        sum_row(&sums, scan, i);
    }
    fill_sums(out, &sums);
    fill_rates(out);
    return fill_cpu(out, &sums);
}

/** With SeeRequestTail On a long line is there without its beginning, and what
 * is left may be the middle of a query string: whoever hides those cannot show
 * it. */
static void copy_request(const worker_score *score, amgr_slot_t *out)
{
    int is_tail = ap_mod_status_reqtail &&
                  strlen(score->request) == sizeof(score->request) - 1;

    apr_cpystrn(out->request,
                is_tail && amgr_config_main()->show_requests != AMGR_SHOW_FULL
                    ? ""
                    : score->request,
                sizeof(out->request));
}

/** A text that ends, to where there is room for it. */
static void copy_text(char *to, const char *from)
{
    memcpy(to, from, strlen(from) + 1);
}

/** One slot, from a private copy, so that nothing changes between a check and
 * its use. */
static void convert(const worker_score *score, int row, int column,
                    amgr_slot_t *out)
{
    cpu_ticks_t ticks;

    out->start_time_us = score->start_time;
    out->stop_time_us = score->stop_time;
    out->last_used_us = score->last_used;
    out->duration_us = plausible_span(score->duration);
    out->request_age_us = AMGR_NO_TIME;
    out->accesses = plausible((apr_int64_t)score->access_count);
    out->bytes = plausible(score->bytes_served);
    out->child_accesses = plausible((apr_int64_t)score->my_access_count);
    out->child_bytes = plausible(score->my_bytes_served);
    out->conn_bytes = plausible(score->conn_bytes);
    out->conn_count = score->conn_count;
    read_ticks(&score->times, &ticks);
    out->cpu_ticks = cpu_sum(&ticks);
    out->process_slot = row;
    out->thread = column;
    out->mode = checked_mode(score->status);
    copy_text(out->client, score->client64);
    copy_request(score, out);
    copy_text(out->vhost, score->vhost);
    copy_text(out->protocol, score->protocol);
}

int amgr_scoreboard_copy_slots(int row, int first, amgr_slot_t *out, int max)
{
    int columns = amgr_scoreboard_columns();
    int count = 0;

    if (row < 0 || row >= amgr_scoreboard_rows() || first < 0) {
        return 0;
    }
    for (; count < max && first + count < columns; count++) {
        worker_score score;

        ap_copy_scoreboard_worker(&score, row, first + count);
        /* The copy ends its own texts only as far as httpd's does. */
        score.client64[sizeof(score.client64) - 1] = '\0';
        score.request[sizeof(score.request) - 1] = '\0';
        score.vhost[sizeof(score.vhost) - 1] = '\0';
        score.protocol[sizeof(score.protocol) - 1] = '\0';
        convert(&score, row, first + count, &out[count]);
    }
    return count;
}

void amgr_scoreboard_copy_row(int row, amgr_process_t *process,
                              amgr_snapshot_t *snapshot)
{
    int room = snapshot->slot_max - snapshot->slot_count;
    int columns = amgr_scoreboard_columns_of(process);

    process->first_slot = snapshot->slot_count;
    process->slot_count = amgr_scoreboard_copy_slots(
        row, 0, snapshot->slots + snapshot->slot_count,
        columns < room ? columns : room);
    snapshot->slot_count += process->slot_count;
    if (process->slot_count == room && process->slot_count < columns) {
        snapshot->incomplete = 1;
    }
}

void amgr_scoreboard_read_letters(apr_int64_t first, char *out, int count)
{
    int columns = amgr_scoreboard_used_columns();
    int i;

    for (i = 0; i < count; i++) {
        apr_int64_t row = (first + i) / columns;
        const process_score *process = NULL;
        const worker_score *score = NULL;

        if (first + i >= 0 && row < amgr_scoreboard_rows()) {
            process = ap_get_scoreboard_process((int)row);
            score = ap_get_scoreboard_worker_from_indexes(
                (int)row, (int)((first + i) % columns));
        }
        out[i] = amgr_mode_letter(process != NULL && process->pid > 0 &&
                                          score != NULL
                                      ? checked_mode(score->status)
                                      : AMGR_MODE_DEAD);
    }
}

int amgr_scoreboard_still_has(int row, int column, apr_time_t start_time_us)
{
    const worker_score *score =
        ap_get_scoreboard_worker_from_indexes(row, column);

    return score != NULL && __atomic_load_n(&score->start_time,
                                            __ATOMIC_RELAXED) == start_time_us;
}
