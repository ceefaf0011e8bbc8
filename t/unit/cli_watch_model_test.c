/* SPDX-License-Identifier: Apache-2.0
 *
 * Rows of the watch in every order, and what each key does.
 */
#include "render_view.h"

#include <sys/wait.h>
#include <unistd.h>

#include <apr_general.h>

#include "cli/watch/watch_history.h"
#include "cli/watch/watch_keys.h"
#include "cli/watch/watch_live.h"

static apr_pool_t *pool;
static fixed_view_t fixed;
static amgr_watch_state_t state;
static amgr_watch_rows_t rows;

static void begin(fixed_view_fn *make)
{
    make(&fixed);
    amgr_watch_state_init(&state, VIEW_SEC(10));
}

/* "1104 1203 ..." of the rows as they stand now; slots as "2001.0". */
static const char *order(void)
{
    static char text[512];
    amgr_sink_t sink;
    int i;

    amgr_watch_rows(&fixed.view, &state, &rows, pool);
    amgr_sink_init_text(&sink, text, sizeof(text));
    for (i = 0; i < rows.count; i++) {
        amgr_sink_printf(&sink, i > 0 ? " %d" : "%d",
                         (int)fixed.processes[rows.rows[i].process].id.pid);
        if (rows.rows[i].slot >= 0) {
            amgr_sink_printf(&sink, ".%d", rows.rows[i].slot);
        }
    }
    return amgr_sink_text(&sink);
}

static int press(int key)
{
    return amgr_watch_key(&state, key, rows.count, 5);
}

static void test_processes_in_order(void **unused)
{
    (void)unused;
    begin(view_prefork);
    assert_string_equal(order(), "1104 1203 1102 1103 1201 1202 1101 1106 "
                                 "1301 1302 1105 1204");
    press('R');
    /* What is not known comes last, whichever way. */
    assert_string_equal(order(), "1302 1301 1106 1101 1202 1201 1103 1102 "
                                 "1203 1104 1105 1204");
    press('p');
    assert_string_equal(order(), "1101 1102 1103 1104 1105 1106 1201 1202 "
                                 "1203 1204 1301 1302");
    press('i');
    assert_string_equal(order(), "1302 1301 1204 1203 1202 1201 1106 1105 "
                                 "1104 1103 1102 1101");
    fixed.processes[2].accesses = 400;
    press('r');
    assert_string_equal(order(), "1103 1101 1102 1104 1105 1106 1201 1202 "
                                 "1203 1204 1301 1302");
    fixed.processes[0].age_us = VIEW_SEC(10);
    press('a');
    assert_string_equal(order(), "1102 1103 1104 1106 1201 1202 1203 1204 "
                                 "1301 1302 1101 1105");
    fixed.slots[3].request_age_us = VIEW_SEC(100);
    press('b');
    assert_string_equal(order(), "1104 1102 1105 1106 1101 1103 1201 1202 "
                                 "1203 1204 1301 1302");
}

static void test_slots_in_order(void **unused)
{
    (void)unused;
    begin(view_event);
    press('s');
    assert_string_equal(order(), "2001.0 2001.2 2004.0 2004.1 2004.2 2007.0 "
                                 "2001.1 2007.1 2007.2");
    press('p');
    assert_string_equal(order(), "2001.0 2001.1 2001.2 2004.0 2004.1 2004.2 "
                                 "2007.0 2007.1 2007.2");
    press('m');
    assert_string_equal(order(), "2007.0 2007.1 2007.2 2004.0 2004.1 2004.2 "
                                 "2001.0 2001.1 2001.2");
    fixed.slots[8].accesses = 1201;
    press('r');
    assert_string_equal(order(), "2007.2 2001.0 2001.1 2001.2 2004.0 2004.1 "
                                 "2004.2 2007.0 2007.1");
    fixed.slots[5].last_used_us = VIEW_NOW_US - VIEW_SEC(1000);
    press('a');
    /* Used in the future is used now; never used is not known. */
    assert_string_equal(order(), "2004.2 2001.0 2001.2 2004.1 2007.0 2007.1 "
                                 "2007.2 2004.0 2001.1");
}

/* The oldest request, then what is busy, then what was used last. */
static void test_telling_slot(void **unused)
{
    (void)unused;
    begin(view_event);
    press('p');
    order();
    assert_int_equal(rows.rows[0].telling, 0);
    assert_int_equal(rows.rows[0].oldest_us, VIEW_SEC(301) + 7);
    assert_int_equal(rows.rows[0].busy, 2);
    assert_int_equal(rows.rows[1].telling, 0);
    assert_int_equal(rows.rows[1].oldest_us, AMGR_NO_TIME);
    assert_int_equal(rows.rows[2].telling, 0);
    fixed.slots[6].mode = AMGR_MODE_READY;
    fixed.slots[8].last_used_us = VIEW_NOW_US;
    order();
    assert_int_equal(rows.rows[2].telling, 2);
    assert_int_equal(rows.rows[2].busy, 0);
    /* No slots: nothing to tell. */
    assert_int_equal(rows.rows[3].telling, -1);
    assert_int_equal(rows.rows[3].busy, -1);
}

static void test_line_counts(void **unused)
{
    (void)unused;
    begin(view_prefork);
    order();
    assert_int_equal(amgr_watch_line_count(&fixed.view, &rows, &state), 12);
    assert_int_equal(amgr_watch_line_count(NULL, &rows, &state), 0);
    press('k');
    assert_string_equal(order(), "");
    assert_int_equal(amgr_watch_line_count(&fixed.view, &rows, &state), 4);
    press('k');
    assert_int_equal(state.table, AMGR_WATCH_PROCESSES);
    fixed.snapshot.process_count = 0;
    assert_string_equal(order(), "");
    assert_false(amgr_watch_has_processes(&fixed.view));
    assert_int_equal(amgr_watch_line_count(&fixed.view, &rows, &state),
                     fixed.snapshot.group_count);
    amgr_watch_rows(NULL, &state, &rows, pool);
    assert_int_equal(rows.count, 0);
}

static void test_tables(void **unused)
{
    (void)unused;
    begin(view_prefork);
    assert_true(press('\t') & AMGR_KEY_SORT);
    assert_int_equal(state.table, AMGR_WATCH_SLOTS);
    press(AMGR_KEY_BACK_TAB);
    assert_int_equal(state.table, AMGR_WATCH_PROCESSES);
    press('k');
    assert_int_equal(press('m'), AMGR_KEY_NOTHING);
    assert_int_equal(press('R'), AMGR_KEY_NOTHING);
    press('s');
    assert_int_equal(state.table, AMGR_WATCH_PROCESSES);
    /* Each table keeps its own order. */
    press('p');
    press('R');
    press('s');
    assert_int_equal(state.sort[state.table], AMGR_WATCH_BY_BUSY);
    press('s');
    assert_int_equal(state.sort[state.table], AMGR_WATCH_BY_PID);
    assert_true(state.reversed[state.table]);
}

static void test_scrolling(void **unused)
{
    (void)unused;
    begin(view_prefork);
    order();
    press(AMGR_KEY_UP);
    assert_int_equal(state.scroll, 0);
    press(AMGR_KEY_DOWN);
    assert_int_equal(state.scroll, 1);
    press(AMGR_KEY_PAGE_DOWN);
    assert_int_equal(state.scroll, 5);
    press(AMGR_KEY_PAGE_DOWN);
    assert_int_equal(state.scroll, 7);
    press(AMGR_KEY_DOWN);
    assert_int_equal(state.scroll, 7);
    press(AMGR_KEY_PAGE_UP);
    assert_int_equal(state.scroll, 3);
    press(AMGR_KEY_HOME);
    assert_int_equal(state.scroll, 0);
    press(AMGR_KEY_END);
    assert_int_equal(state.scroll, 7);
    amgr_watch_clamp(&state, 6, 5);
    assert_int_equal(state.scroll, 1);
    amgr_watch_clamp(&state, 2, 5);
    assert_int_equal(state.scroll, 0);
    press(AMGR_KEY_END);
    press('m');
    assert_int_equal(state.scroll, 0);
}

static void test_interval(void **unused)
{
    int i;

    (void)unused;
    begin(view_prefork);
    press('+');
    assert_int_equal(state.interval_us, VIEW_SEC(30));
    press('-');
    press('-');
    assert_int_equal(state.interval_us, VIEW_SEC(5));
    for (i = 0; i < 20; i++) {
        press('-');
    }
    assert_int_equal(state.interval_us, 200000);
    for (i = 0; i < 20; i++) {
        press('=');
    }
    assert_int_equal(state.interval_us, VIEW_SEC(600));
    state.interval_us = VIEW_SEC(7);
    press('+');
    assert_int_equal(state.interval_us, VIEW_SEC(10));
    amgr_watch_state_init(&state, 0);
    assert_int_equal(state.interval_us, 100000);
}

static void test_other_keys(void **unused)
{
    (void)unused;
    begin(view_prefork);
    assert_int_equal(press('q'), AMGR_KEY_QUIT);
    assert_int_equal(press('Q'), AMGR_KEY_QUIT);
    assert_int_equal(press(' '), AMGR_KEY_READ);
    assert_int_equal(press(0x0c), AMGR_KEY_DRAW | AMGR_KEY_REPAIR);
    assert_int_equal(press('x'), AMGR_KEY_NOTHING);
    assert_int_equal(press(0), AMGR_KEY_NOTHING);
    assert_int_equal(press(0xff), AMGR_KEY_NOTHING);
    press('h');
    assert_true(state.help);
    press('?');
    assert_false(state.help);
    press('h');
    press('s');
    assert_false(state.help);
}

static void type(const char *text)
{
    press('/');
    for (; *text != '\0'; text++) {
        press((unsigned char)*text);
    }
}

/* By group, state, pid and what slots show, in either case of letters. */
static void test_filtered_processes(void **unused)
{
    (void)unused;
    begin(view_prefork);
    type("Example");
    assert_string_equal(order(), "1104 1102 1103 1201 1202 1101 1106 1105");
    press(0x15);
    type("another");
    assert_string_equal(order(), "1203");
    assert_int_equal(amgr_watch_line_count(&fixed.view, &rows, &state), 1);
    press(0x1b);
    type("retir");
    assert_string_equal(order(), "1104");
    press(0x1b);
    type("1301");
    press('\r');
    press('p');
    assert_string_equal(order(), "1301");
    press('/');
    press(0x7f);
    assert_string_equal(order(), "1301 1302");
    type("no such text");
    assert_string_equal(order(), "");
    press(0x1b);
    assert_string_equal(order(), "1101 1102 1103 1104 1105 1106 1201 1202 "
                                 "1203 1204 1301 1302");
    /* What is hidden is not found. */
    type("192.0.2.7");
    assert_string_equal(order(), "1101 1102 1103 1104 1105 1106");
    fixed.view.show_clients = AMGR_CLIENTS_OFF;
    assert_string_equal(order(), "");
}

static void test_filtered_slots(void **unused)
{
    (void)unused;
    begin(view_event);
    press('s');
    type("2004");
    assert_string_equal(order(), "2004.0 2004.1 2004.2");
    press(0x1b);
    press('I');
    assert_string_equal(order(), "2001.0 2001.2 2004.0 2004.1 2004.2 2007.0");
    type("2007");
    assert_string_equal(order(), "2007.0");
    press(0x1b);
    press('I');
    assert_string_equal(order(), "2001.0 2001.2 2004.0 2004.1 2004.2 2007.0 "
                                 "2001.1 2007.1 2007.2");
    press('s');
    press('I');
    assert_false(state.busy_only);
}

static void test_typing(void **unused)
{
    int i;

    (void)unused;
    begin(view_prefork);
    press('h');
    press('/');
    assert_false(state.help);
    assert_true(state.typing);
    press('q');
    press(0xc3);
    press(0xa4);
    press(0x01);
    press(AMGR_KEY_BACK_TAB);
    assert_string_equal(state.filter, "q\xc3\xa4");
    press(AMGR_KEY_BACKSPACE);
    assert_string_equal(state.filter, "q");
    press(AMGR_KEY_BACKSPACE);
    press(AMGR_KEY_BACKSPACE);
    assert_string_equal(state.filter, "");
    for (i = 0; i < 200; i++) {
        press('x');
    }
    assert_int_equal(strlen(state.filter), AMGR_PAGE_FILTER_LEN - 1);
    assert_int_equal(press(AMGR_KEY_ENTER), AMGR_KEY_DRAW);
    assert_false(state.typing);
    assert_int_equal(press('q'), AMGR_KEY_QUIT);
    press(0x1b);
    assert_string_equal(state.filter, "");
    press('k');
    assert_int_equal(press('/'), AMGR_KEY_NOTHING);
}

/* Sizes are the kernel's of now, of the very processes that were read. */
static void test_live_sizes(void **unused)
{
    static amgr_source_t source;
    amgr_watch_live_t live;
    amgr_proc_dir_t proc;
    amgr_proc_id_t self;
    pid_t child = fork();
    int i;

    (void)unused;
    assert_true(child >= 0);
    if (child == 0) {
        _exit(0);
    }
    assert_int_equal(waitpid(child, NULL, 0), child);
    assert_int_equal(amgr_proc_dir_open(&proc, "/proc"), APR_SUCCESS);
    assert_int_equal(amgr_proc_read_id(&proc, getpid(), &self), APR_SUCCESS);
    begin(view_prefork);
    for (i = 0; i < 4; i++) {
        fixed.processes[i].id = self;
    }
    fixed.processes[1].id.start_ticks++;
    fixed.processes[2].id.pid = child;
    fixed.processes[3].id.start_ticks = 0; /* not known */
    fixed.processes[3].rss_bytes = 7;
    for (i = 4; i < fixed.snapshot.process_count; i++) {
        fixed.processes[i].id = self;
    }
    source.view = fixed.view;
    /* Elsewhere: these pids are not ours. */
    amgr_watch_live_follow(&live, &source, pool);
    assert_int_equal(live.count, 0);
    assert_ptr_equal(source.view.snapshot, &fixed.snapshot);
    source.parent = self;
    amgr_watch_live_follow(&live, &source, pool);
    assert_int_equal(live.count, 12);
    amgr_watch_live_read(&live, &proc);
    assert_int_equal(live.gone[0], 0);
    assert_true(source.view.snapshot->processes[0].rss_bytes > 100000);
    assert_true(source.view.snapshot->processes[0].rss_bytes !=
                fixed.processes[0].rss_bytes);
    assert_int_equal(live.gone[1], 1);
    assert_int_equal(source.view.snapshot->processes[1].rss_bytes,
                     AMGR_UNKNOWN);
    assert_int_equal(live.gone[2], 1);
    assert_int_equal(live.gone[3], 0);
    assert_int_equal(source.view.snapshot->processes[3].rss_bytes, 7);
    amgr_proc_dir_close(&proc);
}

/* A source without a history gets what was read of it. */
static void test_own_history(void **unused)
{
    static amgr_history_t history;
    amgr_source_t source;

    (void)unused;
    begin(view_prefork);
    memset(&history, 0, sizeof(history));
    memset(&source, 0, sizeof(source));
    source.view = fixed.view;
    amgr_watch_history_follow(&history, &source, VIEW_SEC(1), pool);
    assert_ptr_equal(source.view.history, &fixed.history);
    fixed.view.history = NULL;
    source.view = fixed.view;
    amgr_watch_history_follow(&history, &source, VIEW_SEC(1), pool);
    assert_non_null(source.view.history);
    assert_ptr_equal(source.view.recent, source.view.history);
    assert_int_equal(source.view.history->count, 1);
    assert_int_equal(source.view.history->samples[0].busy_peak, 3);
    assert_int_equal(source.view.history->samples[0].mono_us,
                     source.view.snapshot->server.time.mono_us);
    /* The source's own is left as it is. */
    assert_int_equal(fixed.snapshot.server.time.mono_us, VIEW_SEC(100000));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_processes_in_order),
        cmocka_unit_test(test_slots_in_order),
        cmocka_unit_test(test_telling_slot),
        cmocka_unit_test(test_line_counts),
        cmocka_unit_test(test_tables),
        cmocka_unit_test(test_scrolling),
        cmocka_unit_test(test_interval),
        cmocka_unit_test(test_other_keys),
        cmocka_unit_test(test_filtered_processes),
        cmocka_unit_test(test_filtered_slots),
        cmocka_unit_test(test_typing),
        cmocka_unit_test(test_live_sizes),
        cmocka_unit_test(test_own_history),
    };
    int failed;

    if (apr_initialize() != APR_SUCCESS ||
        apr_pool_create(&pool, NULL) != APR_SUCCESS) {
        return 1;
    }
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    apr_terminate();
    return failed;
}
