/* SPDX-License-Identifier: Apache-2.0
 *
 * status.json: byte for byte, valid under any input, and nothing of a request
 * that must not be shown.  The schema is checked by t/lint/status-schema.t.
 */
#include "render_view.h"

static fixed_view_t fixed;

static void test_golden(void **state)
{
    (void)state; /* cmocka's signature */
    check_golden(amgr_write_status_json, view_prefork, "prefork.json");
    check_golden(amgr_write_status_json, view_event, "event.json");
    check_golden(amgr_write_status_json, view_empty, "empty.json");
}

static void test_failing_sink(void **state)
{
    (void)state; /* cmocka's signature */
    check_failing_sink(amgr_write_status_json, view_prefork);
}

static void check_valid(fixed_view_fn *make)
{
    text_t text;

    make(&fixed);
    text = render(amgr_write_status_json, &fixed.view, 4096);
    assert_true(json_is_valid(text.data));
    assert_int_equal(text.data[text.len - 1], '\n');
    free(text.data);
}

static void test_valid(void **state)
{
    (void)state; /* cmocka's signature */
    check_valid(view_prefork);
    check_valid(view_event);
    check_valid(view_empty);
}

static void check_shown(int show, int path, int secret)
{
    text_t text;

    view_prefork(&fixed);
    fixed.view.show_requests = show;
    text = render(amgr_write_status_json, &fixed.view, 4096);
    assert_int_equal(strstr(text.data, "GET /a") != NULL, path);
    assert_int_equal(strstr(text.data, "POST /upload") != NULL, path);
    assert_int_equal(strstr(text.data, "secret") != NULL, secret);
    free(text.data);
}

static void test_requests(void **state)
{
    (void)state; /* cmocka's signature */
    check_shown(AMGR_SHOW_OFF, 0, 0);
    check_shown(AMGR_SHOW_PATH, 1, 0);
    check_shown(AMGR_SHOW_FULL, 1, 1);
}

/* Clients of the slots, of the evidence, and who a thread waits for. */
static void test_clients(void **state)
{
    static const apr_uint16_t ports[] = {443, 8080};
    static const struct {
        const char *client;
        const char *target;
    } wants[AMGR_CLIENTS_COUNT] = {
        [AMGR_CLIENTS_OFF] = {"\"client\":null",
                              "\"target\":\"tcp 10.0.0.2:8080 to a client\""},
        [AMGR_CLIENTS_NETWORK] = {"\"client\":\"192.0.2.0/24\"",
                                  "\"target\":\"tcp 10.0.0.2:8080 to "
                                  "192.0.2.0/24\""},
        [AMGR_CLIENTS_FULL] = {"\"client\":\"192.0.2.7\"",
                               "\"target\":\"tcp 10.0.0.2:8080 to "
                               "192.0.2.7:1025\""},
    };
    int show;

    (void)state; /* cmocka's signature */
    for (show = 0; show < AMGR_CLIENTS_COUNT; show++) {
        text_t text;

        view_prefork(&fixed);
        apr_cpystrn(fixed.evidences[0].blocked[0].target,
                    "tcp 10.0.0.2:8080 to 192.0.2.7:1025",
                    sizeof(fixed.evidences[0].blocked[0].target));
        fixed.view.ports = ports;
        fixed.view.port_count = 2;
        fixed.view.show_clients = show;
        text = render(amgr_write_status_json, &fixed.view, 4096);
        assert_true(json_is_valid(text.data));
        assert_non_null(strstr(text.data, wants[show].client));
        assert_non_null(strstr(text.data, wants[show].target));
        assert_int_equal(strstr(text.data, "192.0.2.7") != NULL,
                         show == AMGR_CLIENTS_FULL);
        free(text.data);
    }
}

/* Indices that lead nowhere are not followed. */
static void test_bad_indices(void **state)
{
    text_t text;

    (void)state; /* cmocka's signature */
    view_prefork(&fixed);
    fixed.processes[0].first_slot = APR_INT32_MAX;
    fixed.processes[1].first_slot = -1;
    fixed.processes[2].slot_count = APR_INT32_MAX;
    fixed.processes[3].group = 1000;
    fixed.processes[4].group = -1;
    fixed.processes[5].verdict = 99;
    text = render(amgr_write_status_json, &fixed.view, 4096);
    assert_true(json_is_valid(text.data));
    assert_non_null(strstr(text.data, "\"pid\":1101,"));
    assert_non_null(strstr(text.data, "\"pid\":1104,\"kind\":\"native\","
                                      "\"group\":\"unknown\""));
    free(text.data);
}

static void test_measures(void **state)
{
    static const struct {
        int verdict;
        const char *text;
    } cases[] = {
        { AMGR_VERDICT_MEMORY_HARD,
          "\"reason\":\"memory_hard\",\"measured\":1500000," },
        { AMGR_VERDICT_MEMORY_TOTAL,
          "\"reason\":\"memory_total\",\"measured\":1500000," },
        { AMGR_VERDICT_REQUESTS,
          "\"reason\":\"requests\",\"measured\":1500000," },
        { AMGR_VERDICT_LIFETIME,
          "\"reason\":\"lifetime\",\"measured\":1.5," },
        { AMGR_VERDICT_GENERATION,
          "\"reason\":\"generation\",\"measured\":1.5," },
    };
    size_t i;

    (void)state; /* cmocka's signature */
    for (i = 0; i < AMGR_COUNT(cases); i++) {
        text_t text;

        view_empty(&fixed);
        add_record(&fixed, 1, cases[i].verdict, AMGR_OUTCOME_GONE)->measured =
            1500000;
        text = render(amgr_write_status_json, &fixed.view, 4096);
        assert_true(json_is_valid(text.data));
        assert_non_null(strstr(text.data, cases[i].text));
        free(text.data);
    }
}

/* What was in flight in it nobody knows. */
static void test_unseen_requests(void **state)
{
    amgr_record_t *record;
    text_t text;

    (void)state; /* cmocka's signature */
    view_empty(&fixed);
    record = add_record(&fixed, 1, AMGR_VERDICT_LIFETIME, AMGR_OUTCOME_GONE);
    record->requests = -1;
    record->killed_us = VIEW_SEC(3);
    record->requests_lost = -1;
    text = render(amgr_write_status_json, &fixed.view, 4096);
    assert_true(json_is_valid(text.data));
    assert_non_null(strstr(text.data, "\"requests\":null,"));
    assert_non_null(strstr(text.data, "\"requests_lost\":null,"));
    free(text.data);
}

static void test_not_counted(void **state)
{
    text_t text;

    (void)state; /* cmocka's signature */
    view_prefork(&fixed);
    fixed.snapshot.server.extended = 0;
    fixed.snapshot.hanging = -1;
    text = render(amgr_write_status_json, &fixed.view, 4096);
    assert_non_null(strstr(text.data, "\"total_accesses\":null"));
    assert_non_null(strstr(text.data, "\"requests_per_second\":null"));
    assert_non_null(strstr(text.data, "\"inert\":true"));
    assert_non_null(strstr(text.data, "\"hanging\":null"));
    assert_non_null(strstr(text.data,
                           "\"ss\":null,\"req\":null,\"dur\":null,\"acc\":"
                           "[null,null,null],\"conn\":null,\"child\":null,"
                           "\"total\":null,\"cpu\":null,"));
    assert_null(strstr(text.data, "\"acc\":[3"));
    free(text.data);
}

/* The samples of the span that was asked for, and nothing older. */
static void test_history(void **state)
{
    text_t text;

    (void)state; /* cmocka's signature */
    view_prefork(&fixed);
    fixed.samples[0].mono_us -= VIEW_SEC(3600);
    fixed.samples[0].retired = 77;
    text = render(amgr_write_status_json, &fixed.view, 4096);
    assert_non_null(strstr(text.data, "\"span\":\"hour\",\n"
                                      "\"interval_seconds\":10.0"));
    assert_null(strstr(text.data, "[77,"));
    free(text.data);
    fixed.view.query.history = AMGR_HISTORY_DAY;
    text = render(amgr_write_status_json, &fixed.view, 4096);
    assert_non_null(strstr(text.data, "\"span\":\"day\",\n"
                                      "\"interval_seconds\":120.0"));
    assert_non_null(strstr(text.data, "\"retired\":[77,"));
    free(text.data);
    fixed.config.limits.interval_us = VIEW_SEC(300);
    fixed.history.count = 0;
    text = render(amgr_write_status_json, &fixed.view, 4096);
    assert_non_null(strstr(text.data, "\"interval_seconds\":300.0,\n"
                                      "\"time\":[],\n"));
    assert_non_null(strstr(text.data, "\"groups\":[]\n"));
    assert_true(json_is_valid(text.data));
    free(text.data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_golden),
        cmocka_unit_test(test_failing_sink),
        cmocka_unit_test(test_valid),
        cmocka_unit_test(test_requests),
        cmocka_unit_test(test_clients),
        cmocka_unit_test(test_bad_indices),
        cmocka_unit_test(test_measures),
        cmocka_unit_test(test_unseen_requests),
        cmocka_unit_test(test_not_counted),
        cmocka_unit_test(test_history)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
