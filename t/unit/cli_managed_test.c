/* SPDX-License-Identifier: Apache-2.0
 *
 * Managed processes in the tool: the line for all of them, the table, and when
 * somebody has to look.
 */
#include "managed_view.h"

#include "cli/managed_text.h"
#include "cli/source/source.h"

static fixed_view_t fixed;

static void write_summary(const amgr_view_t *view, amgr_sink_t *sink)
{
    amgr_managed_put_summary(view->managed, sink);
}

static void expect(write_fn *write, const char *text)
{
    text_t got = render(write, &fixed.view, 4096);

    assert_string_equal(got.data, text);
    free(got.data);
}

static void test_summary(void **state)
{
    int i;

    (void)state; /* cmocka's signature */
    view_managed(&fixed);
    expect(write_summary,
           "3 ready, 1 FATAL (solr), 1 BACKOFF (worker), 1 "
           "STOPPED (search-index), 1 STOPPING (old), 1 STARTING "
           "(mailer), 1 RUNNING (queue), 1 not wanted");
    view_managed_well(&fixed);
    expect(write_summary, "3 ready");
    view_unsupervised(&fixed);
    expect(write_summary,
           "no supervisor, 1 EXITED (migrate), 2 READY (postgres, web)");
    view_managed(&fixed);
    for (i = 0; i < managed_table.count; i++) {
        managed_table.processes[i].state = AMGR_MANAGED_FATAL;
        managed_table.processes[i].ready = 0;
    }
    strcpy(managed_table.processes[0].name, "\x1b[2Jx");
    expect(write_summary,
           "9 FATAL (\\x1b[2Jx, migrate, web, ...), 1 not wanted");
}

static void test_table(void **state)
{
    (void)state; /* cmocka's signature */
    check_golden(amgr_managed_put_table, view_managed, "processes.txt");
    check_golden(amgr_managed_put_table, view_unsupervised,
                 "processes-unsupervised.txt");
    check_failing_sink(amgr_managed_put_table, view_managed);
}

/* Whatever they say, it is one line each, and commands no terminal. */
static void test_hostile(void **state)
{
    text_t text;
    size_t lines = 0;
    size_t i;

    (void)state; /* cmocka's signature */
    view_managed(&fixed);
    for (i = 0; i < 10; i++) {
        memset(managed_table.processes[i].name, 'n', AMGR_MANAGED_NAME_LEN - 1);
        strcpy(managed_table.processes[i].reason, MANAGED_HOSTILE);
        strcpy(managed_table.processes[i].status, "\r\x9b" MANAGED_HOSTILE);
    }
    text = render(amgr_managed_put_table, &fixed.view, 4096);
    for (i = 0; i < text.len; i++) {
        unsigned char byte = (unsigned char)text.data[i];

        lines += byte == '\n';
        assert_true(byte == '\n' || (byte >= 0x20 && byte < 0x7f));
    }
    assert_int_equal(lines, 10);
    free(text.data);
}

/* The clock may have been set back, and numbers may be none. */
static void test_times(void **state)
{
    amgr_managed_t *process = &managed_table.processes[0];

    (void)state; /* cmocka's signature */
    view_managed_well(&fixed);
    managed_table.count = 1;
    process->started_us = VIEW_NOW_US + VIEW_SEC(5);
    expect(amgr_managed_put_table, "postgres  READY     pid 4001, uptime 0s\n");
    process->started_us = 0;
    expect(amgr_managed_put_table, "postgres  READY     pid 4001\n");
    process->state = AMGR_MANAGED_BACKOFF;
    process->pid = 0;
    process->next_start_us = 1;
    expect(amgr_managed_put_table, "postgres  BACKOFF   next start in 0s\n");
    process->state = AMGR_MANAGED_EXITED;
    process->ready = 0;
    process->exit_known = 1;
    process->exit_signal = 9;
    process->since_us = 0;
    expect(amgr_managed_put_table, "postgres  EXITED    killed by SIGKILL\n");
    process->exit_signal = 0;
    process->exit_code = 0;
    process->ready = 1;
    process->since_us = VIEW_NOW_US - VIEW_SEC(3);
    strcpy(process->reason, "exited with code 0");
    expect(amgr_managed_put_table,
           "postgres  EXITED    exited with code 0, 3s ago, ready\n");
    process->reason[0] = '\0';
    process->ready = 0;
    process->state = AMGR_MANAGED_STOPPED;
    expect(amgr_managed_put_table, "postgres  STOPPED   not started yet\n");
    process->want = AMGR_MANAGED_WANT_DOWN;
    expect(amgr_managed_put_table, "postgres  STOPPED   not wanted\n");
}

static void test_attention(void **state)
{
    amgr_source_t source;

    (void)state; /* cmocka's signature */
    memset(&source, 0, sizeof(source));
    view_managed_well(&fixed);
    fixed.snapshot.hanging = 0;
    source.view = fixed.view;
    assert_false(amgr_source_misses_process(&source));
    assert_false(amgr_source_needs_attention(&source));
    managed_table.processes[2].ready = 0;
    assert_true(amgr_source_misses_process(&source));
    assert_true(amgr_source_needs_attention(&source));
    managed_table.processes[2].want = AMGR_MANAGED_WANT_DOWN;
    assert_false(amgr_source_needs_attention(&source));
    managed_table.supervisor = 0;
    assert_true(amgr_source_misses_process(&source));
    managed_table.application = AMGR_APPLICATION_SHUTDOWN;
    assert_false(amgr_source_misses_process(&source));
    source.view.managed = NULL;
    assert_false(amgr_source_misses_process(&source));
    fixed.snapshot.hanging = 1;
    assert_true(amgr_source_needs_attention(&source));
    assert_false(amgr_source_misses_process(&source));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_summary),   cmocka_unit_test(test_table),
        cmocka_unit_test(test_hostile),   cmocka_unit_test(test_times),
        cmocka_unit_test(test_attention),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
