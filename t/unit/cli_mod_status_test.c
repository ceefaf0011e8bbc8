/* SPDX-License-Identifier: Apache-2.0
 *
 * mod_status's page read into a view: its figures, its table in the shapes of
 * several versions, and who of those it names is believed.
 */
#include "render_check.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <apr_strings.h>

#include "cli/source/html_rows.h"
#include "cli/local/local_children.h"
#include "cli/source/source_parts.h"
#include "cli/source/mod_status_processes.h"
#include "cli/source/mod_status_table.h"

#define HEAD                                                       \
    "<table border=\"0\"><tr><th>Srv</th><th>PID</th><th>Acc</th>" \
    "<th>M</th><th>CPU\n</th><th>SS</th><th>Req</th><th>Dur</th>"  \
    "<th>Conn</th><th>Child</th><th>Slot</th><th>Client</th>"      \
    "<th>Protocol</th><th>VHost</th><th>Request</th></tr>\n\n"

/* Row, pid, mode, SS. */
#define ROW                                                              \
    "<tr><td><b>%d-0</b></td><td>%d</td><td>1/20/300</td><td><b>%s</b>"  \
    "\n</td><td>1.50</td><td>%d</td><td>0</td><td>345</td><td>2.5</td>"  \
    "<td>0.50</td><td>3.00\n</td><td>192.0.2.7</td><td>http/1.1</td>"    \
    "<td nowrap>a.example:80</td><td nowrap>GET /a?b=1&amp;c=&lt;x&gt; " \
    "HTTP/1.1</td></tr>\n\n"

#define TAIL                                                                 \
    "</table>\n <hr /> <table>\n <tr><th>Srv</th><td>Child Server number - " \
    "generation</td></tr>\n <tr><th>PID</th><td>OS process "                 \
    "ID</td></tr></table>"

static const char prefork_text[] =
    "127.0.0.1\n"
    "ServerVersion: Apache/2.4.71 (Debian)\n"
    "ServerMPM: prefork\n"
    "Server Built: 2026-01-02T03:04:05\n"
    "ParentServerConfigGeneration: 2\n"
    "ParentServerMPMGeneration: 1\n"
    "ServerUptimeSeconds: 89\n"
    "ServerUptime: 1 minute 29 seconds\n"
    "Load1: 0.35\nLoad5: 0.50\nLoad15: 0.60\n"
    "Total Accesses: 12\n"
    "Total kBytes: 18\n"
    "Total Duration: 34\n"
    "CPUUser: .04\nCPUSystem: .06\nCPUChildrenUser: 0\nCPUChildrenSystem: 0\n"
    "CPULoad: .11236\n"
    "Uptime: 89\n"
    "ReqPerSec: .134831\n"
    "BytesPerSec: 3.2e+6\n"
    "BytesPerReq: 1.6e+6\r\n"
    "BusyWorkers: 1\n"
    "GracefulWorkers: 0\n"
    "IdleWorkers: 2\n"
    "Scoreboard: _W_.......\n";

static int set_up(void **state)
{
    apr_pool_t *pool;

    assert_int_equal(apr_initialize(), APR_SUCCESS);
    assert_int_equal(apr_pool_create(&pool, NULL), APR_SUCCESS);
    *state = pool;
    return 0;
}

static int tear_down(void **state)
{
    apr_pool_destroy(*state);
    apr_terminate();
    return 0;
}

static amgr_source_t read_page(const char *text, const char *table,
                               const amgr_local_server_t *local,
                               apr_pool_t *pool)
{
    amgr_source_t source;
    const amgr_fault_t *fault =
        amgr_source_mod_status(text, table, "a test", local, &source, pool);

    if (fault != NULL) {
        fail_msg("%s", fault->text);
    }
    return source;
}

static void refuse(const char *text, const char *table, const char *why,
                   apr_pool_t *pool)
{
    amgr_source_t source;
    const amgr_fault_t *fault =
        amgr_source_mod_status(text, table, "a test", NULL, &source, pool);

    if (fault == NULL) {
        fail_msg("taken: %.80s", text);
        return;
    }
    assert_int_equal(fault->exit_code, AMGR_EXIT_FAILED);
    assert_non_null(strstr(fault->text, why));
}

static void test_text(void **state)
{
    amgr_source_t source = read_page(prefork_text, NULL, NULL, *state);
    const amgr_server_t *server = &source.view.snapshot->server;

    assert_int_equal(source.kind, AMGR_SOURCE_MOD_STATUS);
    assert_int_equal(source.age_us, 0);
    assert_int_equal(source.parent.pid, 0);
    assert_string_equal(server->version, "Apache/2.4.71 (Debian)");
    assert_string_equal(server->mpm, "prefork");
    assert_string_equal(source.view.server_built, "2026-01-02T03:04:05");
    assert_int_equal(server->generation, 1);
    assert_int_equal(server->uptime_us, apr_time_from_sec(89));
    assert_true(server->extended);
    assert_false(server->threaded);
    assert_int_equal(server->total_accesses, 12);
    assert_int_equal(server->total_bytes, 18432);
    assert_float_equal(server->requests_per_second, 0.134831, 1e-9);
    assert_float_equal(server->bytes_per_second, 3200000.0, 1e-3);
    assert_float_equal(server->bytes_per_request, 1600000.0, 1e-3);
    assert_float_equal(server->cpu_load, 0.11236, 1e-9);
    assert_float_equal(server->cpu_seconds, 0.1, 1e-9);
    assert_int_equal(server->busy_workers, 1);
    assert_int_equal(server->idle_workers, 2);
    assert_int_equal(server->max_workers, 10);
    assert_int_equal(server->modes[AMGR_MODE_READY], 2);
    assert_int_equal(server->modes[AMGR_MODE_WRITE], 1);
    assert_float_equal(source.view.load[1], 0.5, 1e-9);
    assert_int_equal(source.view.snapshot->process_count, 0);
    assert_int_equal(source.view.snapshot->hanging, -1);
}

/* A server that has just begun leaves out what it cannot divide. */
static void test_text_absent(void **state)
{
    amgr_source_t source = read_page(
        "Total Accesses: 0\nTotal kBytes: 0\nCPUUser: 0\nCPUSystem: 0\n"
        "CPUChildrenUser: 0\nCPUChildrenSystem: 0\nUptime: 0\n"
        "busyworkers: 1\nIDLEWORKERS: 4\nScoreboard: _____\n",
        NULL, NULL, *state);
    const amgr_server_t *server = &source.view.snapshot->server;

    assert_int_equal(server->uptime_us, 0);
    assert_true(server->requests_per_second < 0);
    assert_true(server->bytes_per_request < 0);
    assert_float_equal(server->cpu_load, 0.0, 0.0);
    assert_int_equal(server->busy_workers, 1);
    source = read_page("BusyWorkers: 1\nIdleWorkers: 4\nScoreboard: _____\n",
                       "<html></html>", NULL, *state);
    server = &source.view.snapshot->server;
    assert_false(server->extended);
    assert_true(server->cpu_load < 0);
    assert_true(server->uptime_us < 0);
    assert_int_equal(source.view.snapshot->hanging, -1);
}

/* Of a key twice the first counts; what is no number is not known. */
static void test_text_hostile(void **state)
{
    amgr_source_t source = read_page(
        "BusyWorkers: 3\nBusyWorkers: 4\nIdleWorkers: 0\n"
        "Total Accesses: 99999999999999999999\nTotal kBytes: 1\n"
        "CPULoad: inf\nReqPerSec: nan\nBytesPerSec: -1\nBytesPerReq: 0x10\n"
        "Uptime: 99999999999\nLoad1: 1e999\nLoad5: 1,5\n"
        "ServerVersion: 12345678901234567890123456789012345678901234567890"
        "123456789012345678901234567890\n"
        "Scoreboard: WWW\n",
        NULL, NULL, *state);
    const amgr_server_t *server = &source.view.snapshot->server;

    assert_int_equal(server->busy_workers, 3);
    assert_false(server->extended);
    assert_true(server->uptime_us < 0);
    assert_true(source.view.load[0] < 0);
    assert_true(source.view.load[1] < 0);
    assert_int_equal(strlen(server->version), sizeof(server->version) - 1);
}

static void test_refused(void **state)
{
    static const char *const cases[] = {
        "",
        "<html><body>It works!</body></html>",
        "BusyWorkers: 1\nIdleWorkers: 1\n",
        "BusyWorkers: 1\nScoreboard: _\n",
        "BusyWorkers: -1\nIdleWorkers: 1\nScoreboard: _\n",
        "BusyWorkers: 1\nIdleWorkers: 1\nScoreboard: _x\n",
        " BusyWorkers: 1\n IdleWorkers: 1\n Scoreboard: _\n",
        "{\"schema\":1}",
    };
    size_t i;

    for (i = 0; i < AMGR_COUNT(cases); i++) {
        refuse(cases[i], NULL, "is no status page of Apache", *state);
    }
    refuse(prefork_text, "<html><body>Log in</body></html>",
           "has no table of workers", *state);
    refuse(prefork_text, TAIL, "has no table of workers", *state);
}

static void test_rows(void **state)
{
    amgr_html_rows_t rows = {
        "<p>x<!-- <table><tr><td>no</td> --><TABLE a='>'><tr><td> a &amp;&lt;"
        "&#39;&#x41;&#200;&zz; b<br>c \n </td><td>2<td>3</tr>"
        "<tr></tr><tr><th>t</th></tr></table><table><tr><td>last",
        0};
    amgr_html_row_t row;

    (void)state; /* cmocka's signature */
    assert_true(amgr_html_rows_next(&rows, &row));
    assert_int_equal(row.table, 1);
    assert_int_equal(row.count, 3);
    assert_string_equal(row.cells[0], "a &<'A?&zz; bc");
    assert_string_equal(row.cells[1], "2");
    assert_string_equal(row.cells[2], "3");
    assert_true(amgr_html_rows_next(&rows, &row));
    assert_int_equal(row.count, 1);
    assert_int_equal(row.titles, 1);
    assert_true(amgr_html_rows_next(&rows, &row));
    assert_int_equal(row.table, 2);
    assert_string_equal(row.cells[0], "last");
    assert_false(amgr_html_rows_next(&rows, &row));
}

static void test_table(void **state)
{
    apr_time_t now_us = apr_time_from_sec(1700000000);
    const char *html = apr_psprintf(
        *state,
        "<table><tr><th rowspan=\"2\">Slot</th><th>PID</th></tr></table>" HEAD
            ROW ROW ROW "<tr><td><b>9-0</b></td><td>-</td><td>0/0/4</td>"
        "<td>.\n</td></tr>" TAIL,
        7, 300, "W", 40, 2, 200, "_", 5, 7, 300, "K", 50);
    int incomplete = 0;
    apr_array_header_t *rows =
        amgr_mod_status_table_read(html, now_us, &incomplete, *state);
    const amgr_mod_status_row_t *row;

    assert_non_null(rows);
    assert_int_equal(rows->nelts, 3);
    row = &APR_ARRAY_IDX(rows, 0, amgr_mod_status_row_t);
    assert_int_equal(row->pid, 200);
    row = &APR_ARRAY_IDX(rows, 1, amgr_mod_status_row_t);
    assert_int_equal(row->pid, 300);
    assert_int_equal(row->generation, 0);
    assert_int_equal(row->since_us, apr_time_from_sec(40));
    assert_int_equal(row->slot.mode, AMGR_MODE_WRITE);
    assert_int_equal(row->slot.process_slot, 7);
    assert_int_equal(row->slot.conn_count, 1);
    assert_int_equal(row->slot.child_accesses, 20);
    assert_int_equal(row->slot.accesses, 300);
    assert_int_equal(row->slot.conn_bytes, 2560);
    assert_int_equal(row->slot.child_bytes, 524288);
    assert_int_equal(row->slot.bytes, 3145728);
    assert_int_equal(row->slot.duration_us, 345000);
    assert_int_equal(amgr_proc_ticks_us(row->slot.cpu_ticks), 1500000);
    assert_string_equal(row->slot.client, "192.0.2.7");
    assert_string_equal(row->slot.protocol, "http/1.1");
    assert_string_equal(row->slot.vhost, "a.example:80");
    assert_string_equal(row->slot.request, "GET /a?b=1&c=<x> HTTP/1.1");
    row = &APR_ARRAY_IDX(rows, 2, amgr_mod_status_row_t);
    assert_int_equal(row->slot.mode, AMGR_MODE_KEEPALIVE);
}

/* Thirteen columns, as httpd 2.2 and 2.4.20 had them; and broken rows. */
static void test_table_shapes(void **state)
{
    static const char old[] =
        "<table border=0><tr><th>Srv<th>PID<th>Acc<th>M<th>SS<th>Req<th>Conn"
        "<th>Child<th>Slot<th>Client<th>VHost<th>Request</tr>"
        "<tr><td>0-3<td>77<td>0/1/2<td>R<td>9<td>0<td>0.0<td>0.00<td>0.00"
        "<td>::1<td>v<td>GET /</tr>"
        "<tr><td>x<td>78<td>0/1/2<td>R<td>9<td>0<td>0.0<td>0.00<td>0.00"
        "<td>::1<td>v<td>GET /</tr>"
        "<tr><td>1-3<td>-5<td>0/1/2<td>R<td>9<td>0<td>0.0<td>0.00<td>0.00"
        "<td>::1<td>v<td>GET /</tr>"
        "<tr><td>1-3<td>79</tr></table>";
    int incomplete = 0;
    apr_array_header_t *rows =
        amgr_mod_status_table_read(old, APR_USEC_PER_SEC, &incomplete, *state);

    assert_non_null(rows);
    assert_int_equal(rows->nelts, 1);
    assert_true(incomplete);
    assert_int_equal(APR_ARRAY_IDX(rows, 0, amgr_mod_status_row_t).generation, 3);
    assert_string_equal(APR_ARRAY_IDX(rows, 0, amgr_mod_status_row_t).slot.client,
                        "::1");
    assert_int_equal(APR_ARRAY_IDX(rows, 0, amgr_mod_status_row_t).since_us,
                     AMGR_NO_TIME);
}

static amgr_local_child_t child(pid_t pid, int role, int threads)
{
    amgr_local_child_t out;

    memset(&out, 0, sizeof(out));
    out.id.pid = pid;
    out.id.start_ticks = 1;
    out.role = role;
    out.threads = threads;
    out.rss_bytes = 1000 * (apr_uint64_t)pid;
    apr_cpystrn(out.group, role == AMGR_ROLE_WSGI ? "example" : "",
                sizeof(out.group));
    return out;
}

/* Of the last join. */
static int is_guessed;

/* The snapshot of these children and rows. */
static const amgr_snapshot_t *join(const char *mpm, int processes, int used,
                                   const char *html,
                                   const amgr_local_child_t *children,
                                   int count, int strangers, apr_pool_t *pool)
{
    amgr_source_blank_t *blank = amgr_source_blank_make(pool, 0, 0);
    apr_array_header_t *list =
        apr_array_make(pool, 8, sizeof(amgr_local_child_t));
    amgr_mod_status_text_t told = {used, processes};
    amgr_mod_status_processes_t from = {.told = &told, .children = list};
    int incomplete = 0;
    int i;

    for (i = 0; i < count; i++) {
        APR_ARRAY_PUSH(list, amgr_local_child_t) = children[i];
    }
    if (html != NULL) {
        from.rows = amgr_mod_status_table_read(html, blank->view.now_wall_us,
                                           &incomplete, pool);
        assert_non_null(from.rows);
    }
    blank->snapshot.server.threaded = strcmp(mpm, "prefork") != 0;
    amgr_mod_status_processes(&from, blank);
    assert_int_equal(from.strangers, strangers);
    assert_int_equal(incomplete, 0);
    is_guessed = from.is_guessed;
    return &blank->snapshot;
}

static const char *role_of(const amgr_snapshot_t *snapshot, pid_t pid)
{
    const amgr_process_t *process = amgr_snapshot_find(snapshot, pid);

    if (process == NULL) {
        return "gone";
    }
    return snapshot->groups[process->group].name;
}

/* More than there can be is none. */
static void test_table_of_too_much(void **state)
{
    static const char html[] =
        "<table><tr><th>Srv<th>PID<th>Acc<th>M<th>SS<th>Req<th>Conn"
        "<th>Child<th>Slot<th>Client<th>VHost<th>Request</tr>"
        "<tr><td>0-0<td>77<td>99999999999999/1000000000000/99999999999999<td>W"
        "<td>99999999999999<td>99999999999999<td>99999999999999"
        "<td>99999999999999<td>1000000000000<td>::1<td>v<td>GET /</tr></table>";
    int incomplete = 0;
    apr_array_header_t *rows =
        amgr_mod_status_table_read(html, APR_USEC_PER_SEC, &incomplete, *state);
    const amgr_slot_t *slot;

    assert_non_null(rows);
    assert_int_equal(rows->nelts, 1);
    slot = &APR_ARRAY_IDX(rows, 0, amgr_mod_status_row_t).slot;
    assert_int_equal(slot->conn_bytes, 0);
    assert_int_equal(slot->child_bytes, 0);
    assert_int_equal(slot->bytes, APR_UINT64_C(1000000000000) * 1024 * 1024);
    assert_int_equal(slot->conn_count, 0);
    assert_int_equal(slot->child_accesses, APR_UINT64_C(1000000000000));
    assert_int_equal(slot->accesses, 0);
    assert_int_equal(slot->stop_time_us, slot->start_time_us);
}

/* Who never served has no row, and is an idle worker. */
static void test_join(void **state)
{
    const amgr_local_child_t children[] = {
        child(200, AMGR_ROLE_DAEMON, 1),  child(300, AMGR_ROLE_DAEMON, 1),
        child(400, AMGR_ROLE_DAEMON, 1),  child(500, AMGR_ROLE_WSGI, 18),
        child(600, AMGR_ROLE_PROGRAM, 1), child(700, AMGR_ROLE_HELPER, 1),
    };
    const char *html = apr_psprintf(*state, HEAD ROW ROW ROW ROW ROW TAIL, 0, 1,
                                    "W", 9, 1, 300, "W", 400, 2, 200, "_", 5, 3,
                                    600, "W", 999, 4, 999, "W", 999);
    const amgr_snapshot_t *snapshot =
        join("prefork", 3, 3, html, children, 6, 3, *state);
    const amgr_process_t *process;

    assert_int_equal(snapshot->process_count, 6);
    assert_string_equal(role_of(snapshot, 200), "native");
    assert_string_equal(role_of(snapshot, 300), "native");
    assert_string_equal(role_of(snapshot, 400), "native");
    assert_string_equal(role_of(snapshot, 500), "example");
    assert_string_equal(role_of(snapshot, 600), "program");
    assert_string_equal(role_of(snapshot, 700), "helper");
    assert_null(amgr_snapshot_find(snapshot, 1));
    assert_null(amgr_snapshot_find(snapshot, 999));
    process = amgr_snapshot_find(snapshot, 300);
    assert_int_equal(process->active, 1);
    assert_int_equal(process->rss_bytes, 300000);
    assert_int_equal(process->accesses, 20);
    assert_int_equal(snapshot->slots[process->first_slot].request_age_us,
                     apr_time_from_sec(400));
    process = amgr_snapshot_find(snapshot, 400);
    assert_int_equal(process->active, 0);
    assert_int_equal(process->slot_count, 1);
    assert_int_equal(amgr_snapshot_find(snapshot, 600)->slot_count, 0);
    assert_int_equal(snapshot->groups[0].rss.count, 3);
    assert_int_equal(snapshot->groups[0].rss.sum, 900000);
}

/* A fork too many may be a daemon, and then none that has no row is judged. */
static void test_join_ambiguous(void **state)
{
    amgr_local_child_t prefork[] = {
        child(100, AMGR_ROLE_DAEMON, 1),
        child(200, AMGR_ROLE_DAEMON, 1),
        child(300, AMGR_ROLE_DAEMON, 1),
    };
    const amgr_local_child_t event[] = {
        child(100, AMGR_ROLE_DAEMON, 1),
        child(200, AMGR_ROLE_DAEMON, 6),
        child(300, AMGR_ROLE_DAEMON, 6),
    };
    const char *html = apr_psprintf(*state, HEAD ROW TAIL, 0, 200, "_", 9);
    const amgr_snapshot_t *snapshot =
        join("prefork", 2, 2, html, prefork, 3, 0, *state);

    assert_string_equal(role_of(snapshot, 100), "daemon");
    assert_string_equal(role_of(snapshot, 200), "native");
    assert_string_equal(role_of(snapshot, 300), "daemon");
    /* Unless it is known not to listen; a worker that stops does not, too. */
    prefork[0].listens = AMGR_LISTENERS_NOT_HELD;
    prefork[1].listens = AMGR_LISTENERS_NOT_HELD;
    prefork[2].listens = AMGR_LISTENERS_HELD;
    snapshot = join("prefork", 2, 2, html, prefork, 3, 0, *state);
    assert_string_equal(role_of(snapshot, 100), "daemon");
    assert_string_equal(role_of(snapshot, 200), "native");
    assert_string_equal(role_of(snapshot, 300), "native");
    /* A worker of event has its threads, which tells a daemon with one. */
    snapshot = join("event", 2, 8, html, event, 3, 0, *state);
    assert_string_equal(role_of(snapshot, 100), "daemon");
    assert_string_equal(role_of(snapshot, 300), "native");
    assert_int_equal(amgr_snapshot_find(snapshot, 200)->slot_count, 4);
    assert_int_equal(amgr_snapshot_find(snapshot, 300)->slot_count, 4);
    assert_int_equal(amgr_snapshot_find(snapshot, 300)->active, 0);
    /* The worker MPM does not say how many processes it has. */
    snapshot = join("worker", -1, 8, html, event, 3, 0, *state);
    assert_string_equal(role_of(snapshot, 300), "native");
    snapshot = join("worker", -1, 4, html, event, 3, 0, *state);
    assert_string_equal(role_of(snapshot, 200), "native");
    assert_string_equal(role_of(snapshot, 300), "daemon");
    /* Without a table nobody is known to be idle. */
    prefork[0].listens = AMGR_LISTENERS_UNKNOWN;
    snapshot = join("prefork", 3, 3, NULL, prefork, 3, 0, *state);
    assert_string_equal(role_of(snapshot, 100), "native");
    assert_int_equal(amgr_snapshot_find(snapshot, 100)->active, 1);
}

/* One that listens and is no worker was forked before those; how many there
 * are the page tells. */
static void test_join_guessed(void **state)
{
    amgr_local_child_t children[] = {
        child(100, AMGR_ROLE_DAEMON, 1),
        child(200, AMGR_ROLE_DAEMON, 1),
        child(300, AMGR_ROLE_DAEMON, 1),
        child(400, AMGR_ROLE_DAEMON, 1),
    };
    const char *html = apr_psprintf(*state, HEAD ROW TAIL, 0, 200, "_", 9);
    const amgr_snapshot_t *snapshot;
    int i;

    for (i = 0; i < 4; i++) {
        children[i].listens = AMGR_LISTENERS_HELD;
        children[i].id.start_ticks = 10 + (apr_uint64_t)i;
    }
    snapshot = join("prefork", 3, 3, html, children, 4, 0, *state);
    assert_true(is_guessed);
    assert_string_equal(role_of(snapshot, 100), "daemon");
    assert_string_equal(role_of(snapshot, 200), "native");
    assert_string_equal(role_of(snapshot, 300), "native");
    assert_string_equal(role_of(snapshot, 400), "native");
    assert_int_equal(amgr_snapshot_find(snapshot, 200)->process_slot, 0);
    assert_int_equal(amgr_snapshot_find(snapshot, 300)->process_slot, -1);
    /* Pids begin anew. */
    children[3].id.start_ticks = 1;
    snapshot = join("prefork", 3, 3, html, children, 4, 0, *state);
    assert_string_equal(role_of(snapshot, 100), "native");
    assert_string_equal(role_of(snapshot, 400), "daemon");
    snapshot = join("prefork", 4, 4, html, children, 4, 0, *state);
    assert_false(is_guessed);
    /* As many workers as have a row: the others are none. */
    snapshot = join("prefork", 1, 1, html, children, 4, 0, *state);
    assert_string_equal(role_of(snapshot, 100), "daemon");
    assert_string_equal(role_of(snapshot, 200), "native");
    assert_string_equal(role_of(snapshot, 300), "daemon");
}

/* Only a request that runs has an age: not one that is read, nor a connection
 * that is kept, nor what was before the process. */
static void test_ages(void **state)
{
    static const struct {
        const char *mode;
        int since;
        int age;
    } cases[] = {
        {"W", 400, 400}, {"L", 3, 3},  {"D", 3, 3},  {"R", 400, -1},
        {"K", 400, -1},  {"C", 3, -1}, {"G", 3, -1}, {"_", 3, -1},
        {"S", 3, -1},    {"I", 3, -1}, {"W", 0, 0},
    };
    size_t i;

    for (i = 0; i < AMGR_COUNT(cases); i++) {
        const char *html = apr_psprintf(*state, HEAD ROW TAIL, 0, 200,
                                        cases[i].mode, cases[i].since);
        amgr_source_t source = read_page(prefork_text, html, NULL, *state);
        const amgr_slot_t *slot = source.view.snapshot->slots;

        assert_int_equal(source.view.snapshot->slot_count, 1);
        assert_int_equal(slot->request_age_us,
                         cases[i].age < 0 ? AMGR_NO_TIME
                                          : apr_time_from_sec(cases[i].age));
        assert_int_equal(source.view.snapshot->hanging, cases[i].age >= 300);
    }
}

/* "Req" is of a request that has ended: none runs, as between those of a
 * connection of HTTP/2. */
static void test_age_of_ended(void **state)
{
    char *html = apr_psprintf(*state, HEAD ROW TAIL, 0, 200, "W", 400);
    char *req = strstr(html, "<td>0</td><td>345");
    amgr_source_t source;

    assert_non_null(req);
    req[4] = '9';
    source = read_page(prefork_text, html, NULL, *state);
    assert_int_equal(source.view.snapshot->slots[0].request_age_us,
                     AMGR_NO_TIME);
    assert_int_equal(source.view.snapshot->slots[0].stop_time_us -
                         source.view.snapshot->slots[0].start_time_us,
                     9000);
}

static pid_t fork_child(void)
{
    pid_t pid = fork();

    assert_true(pid >= 0);
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        for (;;) {
            pause();
        }
    }
    return pid;
}

/* With this test's own children as the server's: what is theirs is read from
 * the kernel, and a page that names others changes nothing. */
static void test_local(void **state)
{
    amgr_local_server_t local;
    amgr_proc_dir_t proc;
    const amgr_process_t *process;
    amgr_source_t source;
    pid_t pids[3];
    const char *html;
    int i;

    for (i = 0; i < 3; i++) {
        pids[i] = fork_child();
    }
    memset(&local, 0, sizeof(local));
    assert_int_equal(amgr_proc_dir_open(&proc, "/proc"), APR_SUCCESS);
    assert_int_equal(amgr_proc_read_id(&proc, getpid(), &local.parent),
                     APR_SUCCESS);
    amgr_proc_dir_close(&proc);
    html = apr_psprintf(*state, HEAD ROW ROW ROW TAIL, 0, (int)pids[0], "W",
                        99999, 1, (int)pids[1], "_", 3, 2, 1, "W", 3);
    source = read_page(prefork_text, html, &local, *state);
    assert_int_equal(source.parent.pid, getpid());
    assert_int_equal(source.view.snapshot->process_count, 3);
    assert_null(amgr_snapshot_find(source.view.snapshot, 1));
    for (i = 0; i < 3; i++) {
        process = amgr_snapshot_find(source.view.snapshot, pids[i]);
        assert_non_null(process);
        assert_int_equal(process->kind, AMGR_KIND_NATIVE);
        assert_int_equal(process->active, i == 0);
        assert_true(process->id.start_ticks > 0);
        assert_true(process->rss_bytes > 0 && process->rss_bytes < 1 << 30);
        assert_true(process->age_us >= 0 &&
                    process->age_us < apr_time_from_sec(60));
        assert_int_equal(
            source.view.snapshot->slots[process->first_slot].request_age_us,
            AMGR_NO_TIME);
    }
    assert_false(source.is_untold);
    /* The page is another server's, which is as large. */
    source = read_page(prefork_text,
                       apr_psprintf(*state, HEAD ROW ROW ROW TAIL, 0, 1, "W", 3,
                                    1, 2, "_", 3, 2, (int)pids[2], "_", 3),
                       &local, *state);
    assert_true(source.is_untold);
    assert_int_equal(source.view.snapshot->process_count, 3);
    assert_int_equal(source.view.snapshot->hanging, -1);
    for (i = 0; i < 3; i++) {
        process = amgr_snapshot_find(source.view.snapshot, pids[i]);
        assert_int_equal(process->kind, AMGR_KIND_NATIVE);
        assert_int_equal(process->active, 1);
        assert_int_equal(process->busy_slots, -1);
    }
    for (i = 0; i < 3; i++) {
        kill(pids[i], SIGKILL);
        assert_int_equal(waitpid(pids[i], NULL, 0), pids[i]);
    }
    /* The parent is another one by now. */
    local.parent.start_ticks++;
    source = read_page(prefork_text, html, &local, *state);
    assert_int_equal(source.view.snapshot->process_count, 0);
    assert_true(source.view.snapshot->incomplete);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_text, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_text_absent, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_text_hostile, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_rows, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_table, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_table_shapes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_table_of_too_much, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_join, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_join_ambiguous, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_join_guessed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_ages, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_age_of_ended, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_local, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
