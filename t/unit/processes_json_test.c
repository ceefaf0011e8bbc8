/* SPDX-License-Identifier: Apache-2.0
 *
 * Managed processes in JSON: golden files, hostile text, and that status.json
 * has the same array.
 */
#include "managed_view.h"

static fixed_view_t fixed;

static void test_golden(void **state)
{
    (void)state; /* cmocka's signature */
    check_golden(amgr_write_processes_json, view_managed, "processes.json");
    check_golden(amgr_write_processes_json, view_unsupervised,
                 "processes-unsupervised.json");
    check_golden(amgr_write_status_json, view_managed, "managed.json");
    check_golden(amgr_write_ready_json, view_managed, "ready.json");
}

static void test_failing_sink(void **state)
{
    (void)state; /* cmocka's signature */
    check_failing_sink(amgr_write_processes_json, view_managed);
    check_failing_sink(amgr_write_ready_json, view_managed);
}

static void expect(write_fn *write, const char *text)
{
    text_t got = render(write, &fixed.view, 4096);

    assert_string_equal(got.data, text);
    assert_true(json_is_valid(got.data));
    free(got.data);
}

static void test_none(void **state)
{
    (void)state; /* cmocka's signature */
    view_prefork(&fixed);
    expect(amgr_write_processes_json,
           "{\n\"count\":0,\n\"application\":\"running\",\n\"supervisor\":null,"
           "\n\"supervisor_starts\":0,\n\"control\":false,\n\"processes\":[]\n"
           "}\n");
    expect(amgr_write_ready_json, "{\n\"status\":\"running\"\n}\n");
}

static void test_ready(void **state)
{
    (void)state; /* cmocka's signature */
    view_managed_well(&fixed);
    expect(amgr_write_ready_json, "{\n\"status\":\"running\"\n}\n");
    managed_table.application = AMGR_APPLICATION_STARTING;
    managed_table.processes[2].ready = 0;
    expect(amgr_write_ready_json,
           "{\n\"status\":\"starting\",\n\"not_ready\":[\n\"web\"\n]\n}\n");
    view_unsupervised(&fixed);
    expect(amgr_write_ready_json,
           "{\n\"status\":\"degraded\",\n\"not_ready\":[\n\"postgres\","
           "\n\"migrate\",\n\"web\"\n]\n}\n");
}

static char *copy_text(const char *text, size_t len)
{
    char *out = test_malloc(len + 1);

    memcpy(out, text, len);
    out[len] = '\0';
    return out;
}

/* The text from @a from up to the end of the array. */
static char *array_of(const text_t *text, const char *from)
{
    const char *begin = strstr(text->data, from);
    const char *end;

    assert_non_null(begin);
    begin += strlen(from);
    end = json_value_end(begin, 0);
    assert_non_null(end);
    return copy_text(begin, (size_t)(end - begin));
}

static void test_one_writer(void **state)
{
    text_t whole;
    text_t alone;
    char *array;
    char *same;

    (void)state; /* cmocka's signature */
    view_managed(&fixed);
    whole = render(amgr_write_status_json, &fixed.view, 4096);
    alone = render(amgr_write_processes_json, &fixed.view, 4096);
    array = array_of(&whole, "\"managed\":");
    same = array_of(&alone, "\"processes\":");
    assert_string_equal(array, same);
    test_free(array);
    test_free(same);
    free(whole.data);
    free(alone.data);
}

static void write_second(const amgr_view_t *view, amgr_sink_t *sink)
{
    amgr_write_process_json(view, &view->managed->processes[1], sink);
}

static void write_named(const amgr_view_t *view, amgr_sink_t *sink)
{
    const amgr_managed_t *named[2];

    named[0] = &view->managed->processes[2];
    named[1] = &view->managed->processes[0];
    amgr_write_named_json(view, named, 2, sink);
}

/* Some of them, in the order in which they were named. */
static void test_named(void **state)
{
    text_t some;
    const char *first;

    (void)state; /* cmocka's signature */
    view_managed(&fixed);
    some = render(write_named, &fixed.view, 4096);
    assert_true(json_is_valid(some.data));
    assert_non_null(strstr(some.data, "\"count\":2,"));
    first = strstr(some.data, managed_table.processes[2].name);
    assert_non_null(first);
    assert_non_null(strstr(first, managed_table.processes[0].program));
    assert_null(strstr(some.data, managed_table.processes[3].program));
    check_failing_sink(write_named, view_managed);
    free(some.data);
}

/* The answer to an order is the process as the list has it. */
static void test_one_process(void **state)
{
    text_t alone;

    (void)state; /* cmocka's signature */
    view_managed(&fixed);
    alone = render(write_second, &fixed.view, 4096);
    assert_true(json_is_valid(alone.data));
    assert_non_null(strstr(alone.data, managed_table.processes[1].name));
    assert_null(strstr(alone.data, managed_table.processes[0].program));
    check_failing_sink(write_second, view_managed);
    free(alone.data);
}

/* Whoever may order gets what it takes, and nobody else. */
static void test_token(void **state)
{
    text_t text;

    (void)state; /* cmocka's signature */
    view_managed(&fixed);
    text = render(amgr_write_processes_json, &fixed.view, 4096);
    assert_non_null(strstr(text.data, "\n\"token\":\"1a2b3c\",\n"));
    free(text.data);
    fixed.view.control_token = NULL;
    text = render(amgr_write_processes_json, &fixed.view, 4096);
    assert_null(strstr(text.data, "token"));
    free(text.data);
    view_managed(&fixed);
    text = render(amgr_write_status_json, &fixed.view, 4096);
    assert_null(strstr(text.data, "1a2b3c"));
    free(text.data);
}

/* Nothing of what a process says ends a string, or reaches a terminal. */
static void test_hostile(void **state)
{
    text_t text;
    int i;

    (void)state; /* cmocka's signature */
    view_managed(&fixed);
    for (i = 0; i < managed_table.count; i++) {
        memset(managed_table.processes[i].status, 0xff,
               sizeof(managed_table.processes[i].status) - 1);
        strcpy(managed_table.processes[i].reason, MANAGED_HOSTILE);
    }
    text = render(amgr_write_processes_json, &fixed.view, 4096);
    assert_true(json_is_valid(text.data));
    assert_null(strstr(text.data, "\x1b"));
    assert_null(strstr(text.data, "</script>"));
    free(text.data);
}

/* Every number at its end. */
static void test_limits(void **state)
{
    amgr_managed_t *process;
    text_t text;

    (void)state; /* cmocka's signature */
    view_managed_well(&fixed);
    process = &managed_table.processes[0];
    process->cpu_us = AMGR_UNKNOWN;
    process->check_us = AMGR_NO_TIME;
    process->starts = AMGR_UNKNOWN - 1;
    process->since_us = 0;
    text = render(amgr_write_processes_json, &fixed.view, 4096);
    assert_true(json_is_valid(text.data));
    assert_non_null(strstr(text.data, "\"cpu_seconds\":null"));
    assert_non_null(strstr(text.data, "\"last_seconds\":null"));
    assert_non_null(strstr(text.data, "\"since\":null"));
    assert_non_null(strstr(text.data, "\"starts\":18446744073709551614,"));
    free(text.data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_golden),       cmocka_unit_test(test_none),
        cmocka_unit_test(test_failing_sink), cmocka_unit_test(test_ready),
        cmocka_unit_test(test_one_writer),   cmocka_unit_test(test_hostile),
        cmocka_unit_test(test_limits),       cmocka_unit_test(test_token),
        cmocka_unit_test(test_named),        cmocka_unit_test(test_one_process),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
