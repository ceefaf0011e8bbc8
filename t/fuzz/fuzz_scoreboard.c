/* SPDX-License-Identifier: Apache-2.0
 *
 * Any memory as httpd's scoreboard and as the mailbox beside it, which every
 * child can write, read as a tick reads them.  Checked besides memory: every
 * text ends, every mode and span is one, counts add up, and what is read can be
 * judged, at once and a tick later.
 */
#include "fuzz.h"

#include <httpd.h>
#include <ap_listen.h>
#include <ap_mpm.h>
#include <http_core.h>
#include <scoreboard.h>

#include "httpd/config.h"
#include "httpd/scoreboard.h"
#include "httpd/slot_times.h"
#include "policy/judge.h"

#define ROWS 3
#define COLUMNS 2
#define STREAMS 4

#define NOW_US APR_INT64_C(1700000000000000)

static global_score global;
static process_score processes[ROWS];
static worker_score workers[ROWS][COLUMNS];
static amgr_config_t config;

int ap_extended_status = 1;
int ap_mod_status_reqtail;
int ap_num_listen_buckets = 1;

amgr_config_t *amgr_config_main(void)
{
    return &config;
}

int ap_exists_scoreboard_image(void)
{
    return 1;
}

global_score *ap_get_scoreboard_global(void)
{
    return &global;
}

process_score *ap_get_scoreboard_process(int row)
{
    return row < 0 || row >= ROWS ? NULL : &processes[row];
}

worker_score *ap_get_scoreboard_worker_from_indexes(int row, int column)
{
    return row < 0 || row >= ROWS || column < 0 || column >= COLUMNS
               ? NULL
               : &workers[row][column];
}

void ap_copy_scoreboard_worker(worker_score *out, int row, int column)
{
    check(row >= 0 && row < ROWS && column >= 0 && column < COLUMNS);
    *out = workers[row][column];
}

const char *ap_get_server_banner(void)
{
    return "Apache";
}

const char *ap_show_mpm(void)
{
    return "event";
}

int ap_state_query(int what)
{
    (void)what; /* there is one */
    return 1;
}

apr_status_t ap_mpm_query(int what, int *out)
{
    switch (what) {
    case AP_MPMQ_HARD_LIMIT_DAEMONS:
    case AP_MPMQ_MAX_DAEMONS:
        *out = ROWS;
        return APR_SUCCESS;
    case AP_MPMQ_HARD_LIMIT_THREADS:
    case AP_MPMQ_MAX_THREADS:
        *out = COLUMNS;
        return APR_SUCCESS;
    default:
        *out = 1;
        return APR_SUCCESS;
    }
}

/* Bytes of the input over all of it, or a word here and there. */
static void write_over(fuzz_t *in, void *memory, size_t size)
{
    static const apr_uint64_t words[] = {0,
                                         1,
                                         APR_UINT64_MAX,
                                         APR_INT64_MAX,
                                         APR_UINT64_C(1) << 63,
                                         APR_UINT64_C(1) << 56};
    int count = fuzz_below(in, 32);
    apr_uint64_t word;
    size_t offset;

    if (count == 31) {
        fuzz_bytes(in, memory, size);
        return;
    }
    for (; count > 0; count--) {
        offset = (size_t)(fuzz_bits(in, 2) * 8) % (size - 7);
        word = fuzz_below(in, 2) != 0
                   ? words[fuzz_below(in, (int)AMGR_COUNT(words))]
                   : (apr_uint64_t)NOW_US - fuzz_bits(in, 4);
        memcpy((char *)memory + offset, &word, sizeof(word));
    }
}

static void check_slot(const amgr_slot_t *slot, int row)
{
    check(slot->process_slot == row && slot->thread >= 0 &&
          slot->thread < COLUMNS);
    check(slot->mode >= 0 && slot->mode < AMGR_MODE_COUNT);
    check(slot->duration_us >= 0);
    check(memchr(slot->client, '\0', sizeof(slot->client)) != NULL);
    check(memchr(slot->request, '\0', sizeof(slot->request)) != NULL);
    check(memchr(slot->vhost, '\0', sizeof(slot->vhost)) != NULL);
    check(memchr(slot->protocol, '\0', sizeof(slot->protocol)) != NULL);
}

static void check_server(amgr_server_t *server)
{
    char letters[ROWS * COLUMNS];
    int modes = 0;
    int i;

    (void)amgr_scoreboard_read_server(server, NULL); /* CPU time of slots */
    check(server->uptime_us >= 0 && server->total_duration_us >= 0);
    check(server->busy_workers + server->idle_workers +
              server->graceful_workers <=
          ROWS * COLUMNS);
    for (i = 0; i < AMGR_MODE_COUNT; i++) {
        modes += server->modes[i];
    }
    check(modes == ROWS * COLUMNS);
    amgr_scoreboard_read_letters(0, letters, ROWS * COLUMNS);
    for (i = 0; i < ROWS * COLUMNS; i++) {
        check(strchr("_SRWKLDCGI.", letters[i]) != NULL);
    }
    amgr_scoreboard_read_letters(-1, letters, 2);
    amgr_scoreboard_read_letters(ROWS * COLUMNS - 1, letters, 2);
}

static void collect(amgr_snapshot_t *snapshot, const amgr_runtime_t *runtime)
{
    apr_uint64_t scratch[ROWS];
    int i;
    int j;

    amgr_snapshot_clear(snapshot);
    check_server(&snapshot->server);
    for (i = 0; i < ROWS; i++) {
        amgr_process_t *process =
            &snapshot->processes[snapshot->process_count++];

        amgr_process_blank(process);
        process->id.pid = 100 + i; /* of our own table, never the row's */
        process->id.start_ticks = 7;
        process->process_slot = i;
        process->group = amgr_snapshot_group(
            snapshot, "native", AMGR_KIND_NATIVE, AMGR_ROLE_WORKER);
        process->age_us = 60 * APR_USEC_PER_SEC;
        process->started_us = NOW_US - process->age_us;
        process->rss_bytes = 1 << 20;
        amgr_scoreboard_copy_row(i, process, snapshot);
        check(process->slot_count == COLUMNS);
        for (j = 0; j < COLUMNS; j++) {
            check_slot(&snapshot->slots[process->first_slot + j], i);
        }
    }
    amgr_slot_times_read(runtime, &config.limits, snapshot);
    check(snapshot->stream_count >= 0 &&
          snapshot->stream_count <= snapshot->stream_max);
    amgr_snapshot_complete(snapshot, scratch);
}

static void judge(amgr_snapshot_t *snapshot, amgr_ledger_t *ledger)
{
    amgr_decision_t decisions[ROWS];
    int count =
        amgr_judge(&config.limits, snapshot, ledger, 1, decisions, ROWS);
    int i;

    check(count >= 0 && count <= ROWS);
    for (i = 0; i < snapshot->slot_count; i++) {
        check(snapshot->slots[i].request_age_us == AMGR_NO_TIME ||
              snapshot->slots[i].request_age_us >= 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static amgr_process_t table[ROWS];
    static amgr_slot_t slots[ROWS * COLUMNS];
    static amgr_stream_t streams[ROWS * STREAMS];
    static amgr_runtime_t runtime;
    static amgr_snapshot_t snapshot;
    int columns = amgr_ledger_columns(COLUMNS);
    void *memory = malloc(amgr_ledger_size(ROWS, ROWS * columns));
    amgr_ledger_t *ledger;
    fuzz_t in = {data, data + size};
    int i;

    check(memory != NULL);
    ledger = amgr_ledger_init(memory, ROWS, ROWS * columns, COLUMNS);
    if (runtime.mailbox.cells == NULL) {
        check(amgr_mailbox_create(&runtime.mailbox, ROWS, COLUMNS, STREAMS) ==
              APR_SUCCESS);
    }
    runtime.thread_limit = COLUMNS;
    memset(&snapshot, 0, sizeof(snapshot));
    snapshot.processes = table;
    snapshot.process_max = ROWS;
    snapshot.slots = slots;
    snapshot.slot_max = ROWS * COLUMNS;
    snapshot.streams = streams;
    snapshot.stream_max = ROWS * STREAMS;
    amgr_limits_init(&config.limits);
    config.limits.max_time_us = APR_USEC_PER_SEC;
    memset(processes, 0, sizeof(processes));
    memset(workers, 0, sizeof(workers));
    for (i = 0; i < 2; i++) {
        write_over(&in, &global, sizeof(global));
        write_over(&in, processes, sizeof(processes));
        write_over(&in, workers, sizeof(workers));
        write_over(&in, runtime.mailbox.cells,
                   (ROWS + ROWS * COLUMNS) * 64 + ROWS * STREAMS * 16);
        collect(&snapshot, &runtime);
        judge(&snapshot, ledger);
    }
    free(memory);
    return 0;
}
