/* SPDX-License-Identifier: Apache-2.0
 *
 * Zabbix's discovery: golden files, hostile names, and that it announces the
 * groups of the metrics file, no more and no less.
 */
#include "render/metrics_txt.h"
#include "render_view.h"

static fixed_view_t fixed;

static void expect(const char *text)
{
    text_t got = render(amgr_write_discovery_json, &fixed.view, 4096);

    assert_string_equal(got.data, text);
    assert_true(json_is_valid(got.data));
    free(got.data);
}

static void test_empty(void **state)
{
    (void)state; /* cmocka's signature */
    view_empty(&fixed);
    expect("{\n\"data\":[\n{\"{#NAME}\":\"native\"}\n]\n}\n");
}

static void test_golden(void **state)
{
    (void)state; /* cmocka's signature */
    check_golden(amgr_write_discovery_json, view_prefork,
                 "prefork-discovery.json");
    check_golden(amgr_write_discovery_json, view_event, "event-discovery.json");
}

static void test_failing_sink(void **state)
{
    (void)state; /* cmocka's signature */
    check_failing_sink(amgr_write_discovery_json, view_prefork);
}

/* Of foreign processes WSGI groups alone, and of these those with a size. */
static void test_choice(void **state)
{
    (void)state; /* cmocka's signature */
    view_empty(&fixed);
    add_process(&fixed, 5, "shop", AMGR_ROLE_WSGI, 7);
    add_process(&fixed, 6, "blog", AMGR_ROLE_WSGI, 7);
    add_process(&fixed, 7, "gone", AMGR_ROLE_WSGI, AMGR_UNKNOWN);
    add_process(&fixed, 8, "daemon", AMGR_ROLE_DAEMON, 7);
    add_process(&fixed, 9, "helper", AMGR_ROLE_HELPER, 7);
    add_process(&fixed, 10, "program", AMGR_ROLE_PROGRAM, 7);
    finish_view(&fixed);
    expect("{\n\"data\":[\n{\"{#NAME}\":\"native\"},\n{\"{#NAME}\":\"blog\"},"
           "\n{\"{#NAME}\":\"shop\"}\n]\n}\n");
}

static void test_hostile(void **state)
{
    (void)state; /* cmocka's signature */
    view_empty(&fixed);
    add_process(&fixed, 5, "a\"b\\c", AMGR_ROLE_WSGI, 7);
    add_process(&fixed, 6, "b\t\n\xff", AMGR_ROLE_WSGI, 7);
    add_process(&fixed, 7, "zo\xc3\xab", AMGR_ROLE_WSGI, 7);
    finish_view(&fixed);
    expect("{\n\"data\":[\n{\"{#NAME}\":\"native\"},"
           "\n{\"{#NAME}\":\"a\\\"b\\\\c\"},\n{\"{#NAME}\":\"b???\"},"
           "\n{\"{#NAME}\":\"zo\xc3\xab\"}\n]\n}\n");
}

/* A key of Zabbix's is there once. */
static void test_repeated(void **state)
{
    (void)state; /* cmocka's signature */
    view_empty(&fixed);
    add_process(&fixed, 5, "native", AMGR_ROLE_WSGI, 7);
    add_process(&fixed, 6, "b\x01", AMGR_ROLE_WSGI, 7);
    add_process(&fixed, 7, "b\x02", AMGR_ROLE_WSGI, 7);
    add_process(&fixed, 8, "b?", AMGR_ROLE_WSGI, 7);
    finish_view(&fixed);
    expect("{\n\"data\":[\n{\"{#NAME}\":\"native\"},\n{\"{#NAME}\":\"b?\"}\n]"
           "\n}\n");
}

/* A name without its NUL within the usual length ends all the same, between
 * two characters. */
static void test_long(void **state)
{
    char name[3 * AMGR_GROUP_NAME_LEN];
    char column[AMGR_GROUP_NAME_LEN];
    size_t i;

    (void)state; /* cmocka's signature */
    for (i = 0; i + 2 < sizeof(name); i += 2) {
        memcpy(name + i, "\xc3\xab", 2);
    }
    name[i] = '\0';
    amgr_metrics_column(name, column);
    assert_int_equal(strlen(column), AMGR_GROUP_NAME_LEN - 2);
    for (i = 0; i < strlen(column); i += (size_t)utf8_length(column + i)) {
        assert_int_equal(utf8_length(column + i), 2);
    }
}

/* For each name a section with that column, in the same order. */
static void check_sections(fixed_view_fn *make)
{
    int order[AMGR_GROUPS_MAX];
    char column[AMGR_GROUP_NAME_LEN];
    char line[2 * AMGR_GROUP_NAME_LEN];
    const char *at;
    text_t metrics;
    int count;
    int i;

    make(&fixed);
    metrics = render(amgr_write_metrics_txt, &fixed.view, 4096);
    at = strstr(metrics.data, "\nmemory-usage\tnative\tcount\t");
    assert_non_null(at);
    count = amgr_metrics_groups(&fixed.snapshot, order);
    for (i = 0; i < count; i++) {
        amgr_metrics_column(fixed.snapshot.groups[order[i]].name, column);
        snprintf(line, sizeof(line), "\nmemory-usage\t%s\tcount\t", column);
        at = strstr(at + 1, line);
        assert_non_null(at);
    }
    assert_null(strstr(strchr(at + 1, '\n'), "\tcount\t"));
    free(metrics.data);
}

static void test_sections(void **state)
{
    (void)state; /* cmocka's signature */
    check_sections(view_empty);
    check_sections(view_prefork);
    check_sections(view_event);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_empty),        cmocka_unit_test(test_golden),
        cmocka_unit_test(test_failing_sink), cmocka_unit_test(test_choice),
        cmocka_unit_test(test_hostile),      cmocka_unit_test(test_repeated),
        cmocka_unit_test(test_long),         cmocka_unit_test(test_sections)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
