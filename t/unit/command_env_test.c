/* SPDX-License-Identifier: Apache-2.0
 *
 * The environment of an administrator's program: every variable, both events,
 * what is not known, text that means harm, and the longest there can be.
 */
#include "invented.h"

#include "action/command_env.h"
#include "model/request.h"

#define PATH_VAR \
    "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

static amgr_command_env_t env;

static amgr_record_t a_record(void)
{
    amgr_record_t record;

    memset(&record, 0, sizeof(record));
    record.id.pid = 1234;
    record.kind = AMGR_KIND_NATIVE;
    record.role = AMGR_ROLE_WORKER;
    record.verdict = AMGR_VERDICT_MEMORY_IDLE;
    record.measured = 12050432;
    record.limit = 1024;
    record.requests = 2;
    record.requests_lost = 1;
    record.action = AMGR_ACTION_KILL;
    record.outcome = AMGR_OUTCOME_GONE;
    record.killed_us = 2 * SEC;
    record.ended_us = 2345678;
    record.freed_bytes = 8 * MB;
    strcpy(record.group, "native");
    strcpy(record.vhost, "www.example.org:80");
    strcpy(record.request, "GET /a?secret=1 HTTP/1.1");
    return record;
}

static void build(int event, const amgr_record_t *record, int show)
{
    int i;

    memset(&env, 'x', sizeof(env));
    assert_int_equal(amgr_command_env_build(&env, event, record, show),
                     APR_SUCCESS);
    for (i = 0; env.vars[i] != NULL; i++) {
        assert_true(i < AMGR_COMMAND_ENV_VARS);
        assert_true(env.vars[i] >= env.text);
        assert_true(env.vars[i] + strlen(env.vars[i]) <
                    env.text + sizeof(env.text));
        assert_non_null(strchr(env.vars[i], '='));
    }
}

static void is_just(const char *const *expected)
{
    int i;

    for (i = 0; expected[i] != NULL; i++) {
        assert_non_null(env.vars[i]);
        assert_string_equal(env.vars[i], expected[i]);
    }
    assert_null(env.vars[i]);
}

/* The value of a variable, which must be there. */
static const char *value_of(const char *name)
{
    size_t len = strlen(name);
    int i;

    for (i = 0; env.vars[i] != NULL; i++) {
        if (strncmp(env.vars[i], name, len) == 0 && env.vars[i][len] == '=') {
            return env.vars[i] + len + 1;
        }
    }
    fail_msg("%s is missing", name);
    return "";
}

static void before_a_retirement(void **state)
{
    static const char *const expected[] = {PATH_VAR,
                                           "AMGR_EVENT=before",
                                           "AMGR_PID=1234",
                                           "AMGR_GROUP=native",
                                           "AMGR_KIND=native",
                                           "AMGR_REASON=memory_idle",
                                           "AMGR_MEASURED=12050432",
                                           "AMGR_LIMIT=1024",
                                           "AMGR_REQUESTS=2",
                                           "AMGR_VHOST=www.example.org:80",
                                           "AMGR_REQUEST=GET /a HTTP/1.1",
                                           NULL};
    amgr_record_t record = a_record();

    (void)state; /* cmocka's signature */
    build(AMGR_COMMAND_BEFORE, &record, AMGR_SHOW_PATH);
    is_just(expected);
}

static void after_a_retirement(void **state)
{
    static const char *const expected[] = {PATH_VAR,
                                           "AMGR_EVENT=after",
                                           "AMGR_PID=1234",
                                           "AMGR_GROUP=native",
                                           "AMGR_KIND=native",
                                           "AMGR_REASON=time",
                                           "AMGR_MEASURED=4.002",
                                           "AMGR_LIMIT=2.000",
                                           "AMGR_REQUESTS=2",
                                           "AMGR_VHOST=www.example.org:80",
                                           "AMGR_REQUEST=GET /a HTTP/1.1",
                                           "AMGR_ACTION=kill",
                                           "AMGR_OUTCOME=gone",
                                           "AMGR_SECONDS=2.345",
                                           "AMGR_REQUESTS_LOST=1",
                                           "AMGR_FREED=8388608",
                                           NULL};
    amgr_record_t record = a_record();

    (void)state; /* cmocka's signature */
    record.verdict = AMGR_VERDICT_TIME;
    record.measured = 4002999;
    record.limit = 2000000;
    build(AMGR_COMMAND_AFTER, &record, AMGR_SHOW_PATH);
    is_just(expected);
}

static void what_is_not_known_is_empty(void **state)
{
    amgr_record_t record = a_record();

    (void)state; /* cmocka's signature */
    record.requests = -1;
    record.requests_lost = -1;
    record.freed_bytes = AMGR_UNKNOWN;
    record.measured = AMGR_UNKNOWN;
    record.ended_us = AMGR_NO_TIME;
    record.request[0] = '\0';
    record.vhost[0] = '\0';
    build(AMGR_COMMAND_AFTER, &record, AMGR_SHOW_FULL);
    assert_string_equal(value_of("AMGR_REQUESTS"), "");
    assert_string_equal(value_of("AMGR_REQUESTS_LOST"), "");
    assert_string_equal(value_of("AMGR_FREED"), "");
    assert_string_equal(value_of("AMGR_MEASURED"), "");
    assert_string_equal(value_of("AMGR_SECONDS"), "");
    assert_string_equal(value_of("AMGR_REQUEST"), "");
    assert_string_equal(value_of("AMGR_VHOST"), "");
    /* Nobody counts what one that went by itself may have lost. */
    record.requests_lost = 0;
    record.killed_us = AMGR_NO_TIME;
    build(AMGR_COMMAND_AFTER, &record, AMGR_SHOW_FULL);
    assert_string_equal(value_of("AMGR_REQUESTS_LOST"), "");
    record.killed_us = 0;
    build(AMGR_COMMAND_AFTER, &record, AMGR_SHOW_FULL);
    assert_string_equal(value_of("AMGR_REQUESTS_LOST"), "0");
}

static void as_much_of_the_request_as_allowed(void **state)
{
    amgr_record_t record = a_record();

    (void)state; /* cmocka's signature */
    build(AMGR_COMMAND_BEFORE, &record, AMGR_SHOW_FULL);
    assert_string_equal(value_of("AMGR_REQUEST"), "GET /a?secret=1 HTTP/1.1");
    assert_string_equal(value_of("AMGR_VHOST"), "www.example.org:80");
    build(AMGR_COMMAND_BEFORE, &record, AMGR_SHOW_OFF);
    assert_string_equal(value_of("AMGR_REQUEST"), "");
    assert_string_equal(value_of("AMGR_VHOST"), "");
}

static void hostile_text(void **state)
{
    amgr_record_t record = a_record();

    (void)state; /* cmocka's signature */
    strcpy(record.request, "GET /\n\x1b[2J\\\xff$(id)`id`\r PATH=/evil\x7f");
    strcpy(record.vhost, "a\nAMGR_PID=1");
    strcpy(record.group, "g\tr");
    build(AMGR_COMMAND_BEFORE, &record, AMGR_SHOW_FULL);
    assert_string_equal(
        value_of("AMGR_REQUEST"),
        "GET /\\x0a\\x1b[2J\\x5c\\xff$(id)`id`\\x0d PATH=/evil\\x7f");
    assert_string_equal(value_of("AMGR_VHOST"), "a\\x0aAMGR_PID=1");
    assert_string_equal(value_of("AMGR_GROUP"), "g\\x09r");
    assert_string_equal(value_of("AMGR_PID"), "1234");
}

static void the_longest_fits(void **state)
{
    amgr_record_t record = a_record();

    (void)state; /* cmocka's signature */
    memset(record.request, '\x01', sizeof(record.request) - 1);
    memset(record.vhost, '\xff', sizeof(record.vhost) - 1);
    memset(record.group, '\\', sizeof(record.group) - 1);
    record.id.pid = APR_INT32_MAX;
    record.kind = -1;
    record.action = -1;
    record.outcome = -1;
    record.measured = AMGR_UNKNOWN - 1;
    record.limit = AMGR_UNKNOWN - 1;
    record.freed_bytes = AMGR_UNKNOWN - 1;
    record.requests = APR_INT32_MAX;
    record.requests_lost = APR_INT32_MAX;
    record.ended_us = APR_INT64_MAX;
    build(AMGR_COMMAND_AFTER, &record, AMGR_SHOW_FULL);
    assert_int_equal(strlen(value_of("AMGR_REQUEST")),
                     4 * (sizeof(record.request) - 1));
    assert_string_equal(value_of("AMGR_FREED"), "18446744073709551614");
    /* A time reason with a figure that is no time. */
    record.verdict = AMGR_VERDICT_TIME;
    build(AMGR_COMMAND_AFTER, &record, AMGR_SHOW_FULL);
    assert_string_equal(value_of("AMGR_MEASURED"), "18446744073709551614");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(before_a_retirement),
        cmocka_unit_test(after_a_retirement),
        cmocka_unit_test(what_is_not_known_is_empty),
        cmocka_unit_test(as_much_of_the_request_as_allowed),
        cmocka_unit_test(hostile_text),
        cmocka_unit_test(the_longest_fits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
