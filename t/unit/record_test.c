/* SPDX-License-Identifier: Apache-2.0
 *
 * The record of a retirement: what it keeps of the snapshot, and its line in
 * the log, byte for byte.
 */
#include <stdio.h>

#include "invented.h"

#include "action/record.h"
#include "model/request.h"

static char line[1024];

static const char *format(const amgr_record_t *record, int show)
{
    char buf[1024];
    amgr_sink_t sink;

    amgr_sink_init(&sink, buf, sizeof(buf), NULL, NULL);
    amgr_record_format(record, show, &sink);
    assert_int_equal(sink.status, APR_SUCCESS);
    assert_true(sink.used < sizeof(line));
    memcpy(line, buf, sink.used);
    line[sink.used] = '\0';
    return line;
}

static amgr_record_t idle_record(void)
{
    amgr_record_t record;

    memset(&record, 0, sizeof(record));
    record.id.pid = 12;
    record.kind = AMGR_KIND_NATIVE;
    record.role = AMGR_ROLE_WORKER;
    record.verdict = AMGR_VERDICT_MEMORY_IDLE;
    record.measured = 12050432;
    record.limit = 1024;
    record.action = AMGR_ACTION_KILL;
    strcpy(record.request, "GET /a?x=1 HTTP/1.1");
    strcpy(record.group, "native");
    return record;
}

static void idle_worker_by_memory(void **state)
{
    amgr_record_t record = idle_record();

    (void)state; /* cmocka's signature */
    assert_string_equal(
        format(&record, AMGR_SHOW_PATH),
        "Killing native worker 12 (idle) using 12.05 MB (GET /a HTTP/1.1): "
        "rss 12050432 bytes over ManagerMaxMemoryIdle 1024 bytes, SIGKILL");
    assert_string_equal(
        format(&record, AMGR_SHOW_FULL),
        "Killing native worker 12 (idle) using 12.05 MB "
        "(GET /a?x=1 HTTP/1.1): "
        "rss 12050432 bytes over ManagerMaxMemoryIdle 1024 bytes, SIGKILL");
    assert_string_equal(
        format(&record, AMGR_SHOW_OFF),
        "Killing native worker 12 (idle) using 12.05 MB "
        "(last request unknown): "
        "rss 12050432 bytes over ManagerMaxMemoryIdle 1024 bytes, SIGKILL");
}

static void an_order_names_its_option(void **state)
{
    static const struct {
        int verdict;
        apr_uint64_t measured;
        apr_uint64_t limit;
        const char *figures;
    } cases[] = {
        {AMGR_VERDICT_MEMORY_IDLE, 12050432, 1024,
         ": rss 12050432 bytes over --max-memory-idle 1024 bytes, SIGKILL"},
        {AMGR_VERDICT_MEMORY_ACTIVE, 12050432, 1024,
         ": rss 12050432 bytes over --max-memory-active 1024 bytes, SIGKILL"},
        {AMGR_VERDICT_TIME, 4200000, 2000000,
         ": request age 4.2s over --max-time 2s, SIGKILL"},
    };
    amgr_record_t record = idle_record();
    size_t i;

    (void)state; /* cmocka's signature */
    record.demanded = 1;
    for (i = 0; i < AMGR_COUNT(cases); i++) {
        record.verdict = cases[i].verdict;
        record.measured = cases[i].measured;
        record.limit = cases[i].limit;
        format(&record, AMGR_SHOW_PATH);
        assert_string_equal(strstr(line, ": "), cases[i].figures);
    }
}

static void hung_worker_by_time(void **state)
{
    static const struct {
        apr_uint64_t measured_us;
        const char *seconds;
    } cases[] = {
        {4200000, "4.2s"},   {4000000, "4s"},    {4000999, "4s"},
        {4001000, "4.001s"}, {4010000, "4.01s"}, {4999999, "4.999s"},
    };
    amgr_record_t record = idle_record();
    char expected[300];
    size_t i;

    (void)state; /* cmocka's signature */
    record.id.pid = 13;
    record.active = 1;
    record.verdict = AMGR_VERDICT_TIME;
    record.limit = 2000000;
    strcpy(record.request, "GET /b HTTP/1.1");
    for (i = 0; i < AMGR_COUNT(cases); i++) {
        record.measured = cases[i].measured_us;
        format(&record, AMGR_SHOW_PATH);
        snprintf(expected, sizeof(expected),
                 " since last request (GET /b HTTP/1.1): "
                 "request age %s over ManagerMaxTime 2s, SIGKILL",
                 cases[i].seconds);
        assert_string_equal(strstr(line, " since"), expected);
        if (cases[i].measured_us < 4500000) {
            assert_int_equal(
                strncmp(line,
                        "Killing native worker 13 (active) hanging for "
                        "4 seconds since",
                        61),
                0);
        }
    }
}

static void other_reasons(void **state)
{
    static const struct {
        int verdict;
        apr_uint64_t measured;
        apr_uint64_t limit;
        const char *line;
    } cases[] = {
        {AMGR_VERDICT_MEMORY_HARD, 12050432, 1024,
         "Killing native worker 12 (idle) using 12.05 MB (GET /a HTTP/1.1): "
         "rss 12050432 bytes over ManagerHardMemory 1024 bytes, SIGKILL"},
        {AMGR_VERDICT_MEMORY_TOTAL, 5000000000, 4000000000,
         "Killing native worker 12 (idle) using 30 MB (GET /a HTTP/1.1): "
         "anon of all 5000000000 bytes over ManagerMaxMemoryTotal 4000000000 "
         "bytes, SIGKILL"},
        {AMGR_VERDICT_REQUESTS, 10012, 9800,
         "Killing native worker 12 (idle) having served 10012 requests "
         "(GET /a HTTP/1.1): requests 10012 over ManagerMaxRequests 9800, "
         "SIGKILL"},
        {AMGR_VERDICT_LIFETIME, APR_UINT64_C(7201500000),
         APR_UINT64_C(7034123456),
         "Killing native worker 12 (idle) having lived for 2 hours and "
         "1 second (GET /a HTTP/1.1): age 7201.5s over ManagerMaxLifetime "
         "7034.123s, SIGKILL"},
        {AMGR_VERDICT_GENERATION, 301000000, 300000000,
         "Killing native worker 12 (idle) outliving its generation for "
         "5 minutes and 1 second (GET /a HTTP/1.1): outdated 301s over "
         "ManagerMaxGenerationAge 5m, SIGKILL"},
    };
    amgr_record_t record = idle_record();
    size_t i;

    (void)state; /* cmocka's signature */
    record.rss_bytes = 30000000;
    for (i = 0; i < AMGR_COUNT(cases); i++) {
        record.verdict = cases[i].verdict;
        record.measured = cases[i].measured;
        record.limit = cases[i].limit;
        assert_string_equal(format(&record, AMGR_SHOW_PATH), cases[i].line);
    }
}

static void wsgi_and_other_foreign_processes(void **state)
{
    amgr_record_t record = idle_record();

    (void)state; /* cmocka's signature */
    record.id.pid = 9;
    record.kind = AMGR_KIND_FOREIGN;
    record.role = AMGR_ROLE_WSGI;
    record.active = 1;
    record.verdict = AMGR_VERDICT_MEMORY_ACTIVE;
    record.metric = AMGR_METRIC_PSS;
    record.measured = 13030000;
    record.request[0] = '\0';
    strcpy(record.group, "exa\nmple");
    assert_string_equal(
        format(&record, AMGR_SHOW_FULL),
        "Killing WSGI worker 9 (exa\\x0ample) using 13.03 MB "
        "(last request unknown): "
        "pss 13030000 bytes over ManagerMaxMemoryActive 1024 bytes, SIGKILL");
    record.role = AMGR_ROLE_DAEMON;
    assert_int_equal(strncmp(format(&record, AMGR_SHOW_FULL),
                             "Killing non-native worker 9 using 13.03 MB ", 43),
                     0);
}

static void action_and_outcome(void **state)
{
    static const struct {
        int action;
        int outcome;
        const char *begin;
        const char *end;
    } cases[] = {
        {AMGR_ACTION_KILL, AMGR_OUTCOME_PENDING, "Killing ", "bytes, SIGKILL"},
        {AMGR_ACTION_KILL, AMGR_OUTCOME_GONE, "Killing ", "bytes, SIGKILL"},
        {AMGR_ACTION_KILL, AMGR_OUTCOME_FAILED, "Killing ",
         "bytes, signal failed"},
        {AMGR_ACTION_ANNOUNCE, AMGR_OUTCOME_PENDING, "Killing ",
         "bytes, announced"},
        {AMGR_ACTION_ASK, AMGR_OUTCOME_PENDING, "Killing ",
         "bytes, asked to finish"},
        {AMGR_ACTION_KILL, AMGR_OUTCOME_VANISHED, "Killing ",
         "bytes, already gone"},
        {AMGR_ACTION_NONE, AMGR_OUTCOME_DRY_RUN,
         "Would kill native worker 12 (idle) using 12.05 MB (GET /a ",
         "bytes, nothing sent"},
        {AMGR_ACTION_NONE, AMGR_OUTCOME_FAILED, "Killing ",
         "bytes, nothing sent"},
    };
    amgr_record_t record = idle_record();
    size_t i;

    (void)state; /* cmocka's signature */
    for (i = 0; i < AMGR_COUNT(cases); i++) {
        record.action = cases[i].action;
        record.outcome = cases[i].outcome;
        format(&record, AMGR_SHOW_PATH);
        assert_int_equal(strncmp(line, cases[i].begin, strlen(cases[i].begin)),
                         0);
        assert_true(strlen(line) > strlen(cases[i].end));
        assert_string_equal(line + strlen(line) - strlen(cases[i].end),
                            cases[i].end);
    }
}

static void the_end_tells_what_it_cost(void **state)
{
    static const struct {
        int action;
        int lost;
        apr_uint64_t freed_bytes;
        const char *line;
    } cases[] = {
        {AMGR_ACTION_ASK, 0, 12050000,
         "native worker 12 (idle) is gone after 3.4s: drained, 12.05 MB freed"},
        {AMGR_ACTION_ASK, 0, AMGR_UNKNOWN,
         "native worker 12 (idle) is gone after 3.4s: drained"},
        {AMGR_ACTION_KILL, 0, AMGR_UNKNOWN,
         "native worker 12 (idle) is gone after 3.4s: SIGKILL after 3s, no "
         "request lost"},
        {AMGR_ACTION_KILL, 1, AMGR_UNKNOWN,
         "native worker 12 (idle) is gone after 3.4s: SIGKILL after 3s cut off "
         "1 request"},
        {AMGR_ACTION_KILL, 2, AMGR_UNKNOWN,
         "native worker 12 (idle) is gone after 3.4s: SIGKILL after 3s cut off "
         "2 requests"},
        {AMGR_ACTION_KILL, -1, AMGR_UNKNOWN,
         "native worker 12 (idle) is gone after 3.4s: SIGKILL after 3s cut off "
         "nobody knows how many requests"},
    };
    amgr_record_t record = idle_record();
    amgr_sink_t sink;
    size_t i;

    (void)state; /* cmocka's signature */
    record.ended_us = 3400 * 1000;
    record.killed_us = 3 * SEC;
    for (i = 0; i < AMGR_COUNT(cases); i++) {
        record.action = cases[i].action;
        record.requests_lost = cases[i].lost;
        record.freed_bytes = cases[i].freed_bytes;
        amgr_sink_init(&sink, line, sizeof(line) - 1, NULL, NULL);
        amgr_record_format_end(&record, &sink);
        line[sink.used] = '\0';
        assert_string_equal(line, cases[i].line);
    }
}

static void hostile_requests_stay_on_one_line(void **state)
{
    amgr_record_t record = idle_record();

    (void)state; /* cmocka's signature */
    strcpy(record.request, "GET /\n\x1b[2J\\\xff");
    format(&record, AMGR_SHOW_FULL);
    assert_non_null(strstr(line, "(GET /\\x0a\\x1b[2J\\x5c\\xff): rss "));
}

/* Counters of lines look for " (active)" and " (idle)". */
static void requests_pass_for_no_verdict(void **state)
{
    amgr_record_t record = idle_record();

    (void)state; /* cmocka's signature */
    strcpy(record.request, "GET (a) (active) (active) / (");
    format(&record, AMGR_SHOW_FULL);
    assert_non_null(strstr(line, "(GET \\x28a) \\x28active) \\x28active) / "
                                 "\\x28): rss "));
    strcpy(record.request, "(active) (active)");
    format(&record, AMGR_SHOW_FULL);
    assert_non_null(strstr(line, " ((active) \\x28active)): rss "));
    assert_null(strstr(line, " (active)"));
}

/* A worker with one idle, one busy and one earlier busy slot. */
static world_t *three_slots(void)
{
    world_t *world = world_create(4, 4);
    amgr_slot_t *slot;
    int i;

    world_natives(world, 1);
    world->limits.max_time_us = 5 * SEC;
    for (i = 0; i < 4; i++) {
        slot = world_slot(world, 100, i);
        snprintf(slot->request, sizeof(slot->request), "GET /%d", i);
        snprintf(slot->vhost, sizeof(slot->vhost), "host%d:80", i);
        slot->last_used_us =
            world->snapshot.server.time.wall_us + (i == 2 ? 3 : i) * SEC;
    }
    world_tick(world, 10 * SEC);
    return world;
}

static void keeps_the_deciding_request(void **state)
{
    world_t *world = three_slots();
    amgr_record_t record;

    (void)state; /* cmocka's signature */
    world_begin(world, 100, 3);
    world_tick(world, SEC);
    world_begin(world, 100, 1);
    assert_int_equal(world_tick(world, 10 * SEC), 1);
    memset(&record, 0xa5, sizeof(record));
    amgr_record_fill(&record, &world->snapshot, &world->decisions[0],
                     &world->limits);
    assert_string_equal(record.request, "GET /3");
    assert_string_equal(record.vhost, "host3:80");
    assert_string_equal(record.group, "native");
    assert_int_equal(record.since_us, 11 * SEC);
    assert_int_equal(record.time_us, world->snapshot.server.time.wall_us);
    assert_int_equal(record.decided_mono_us,
                     world->snapshot.server.time.mono_us);
    assert_int_equal(record.ended_us, AMGR_NO_TIME);
    assert_int_equal(record.id.pid, 100);
    assert_int_equal(record.id.start_ticks, 1001);
    assert_int_equal(record.measured, 11 * SEC);
    assert_int_equal(record.limit, 5 * SEC);
    assert_int_equal(record.rss_bytes, 10 * MB);
    assert_int_equal(record.kind, AMGR_KIND_NATIVE);
    assert_int_equal(record.role, AMGR_ROLE_WORKER);
    assert_int_equal(record.process_slot, 0);
    assert_int_equal(record.active, 1);
    assert_int_equal(record.verdict, AMGR_VERDICT_TIME);
    assert_int_equal(record.requests, 2);
    assert_int_equal(record.serial, 0);
    world_destroy(world);
}

static void memory_names_the_likeliest_request(void **state)
{
    world_t *world = three_slots();
    amgr_record_t record;

    (void)state; /* cmocka's signature */
    world->limits.max_memory_active_bytes = MB;
    world->limits.max_memory_idle_bytes = MB;
    world->limits.max_time_us = AMGR_LIMIT_OFF;
    world_tick(world, SEC);
    amgr_record_fill(&record, &world->snapshot, &world->decisions[0],
                     &world->limits);
    assert_string_equal(record.request, "GET /2"); /* used last */
    assert_int_equal(record.since_us, 8 * SEC);
    assert_int_equal(record.active, 0);
    world_begin(world, 100, 0);
    world_tick(world, SEC);
    world_begin(world, 100, 1);
    world_tick(world, SEC);
    amgr_record_fill(&record, &world->snapshot, &world->decisions[0],
                     &world->limits);
    assert_string_equal(record.request, "GET /0"); /* runs longest */
    assert_int_equal(record.since_us, 2 * SEC);
    assert_int_equal(record.active, 1);
    world_destroy(world);
}

static void daemons_have_no_request(void **state)
{
    world_t *world = world_create(2, 1);
    amgr_record_t record;

    (void)state; /* cmocka's signature */
    world_add(world, 100, AMGR_ROLE_WSGI, "example");
    world->limits.max_memory_active_bytes = MB;
    assert_int_equal(world_tick(world, SEC), 1);
    amgr_record_fill(&record, &world->snapshot, &world->decisions[0],
                     &world->limits);
    assert_string_equal(record.request, "");
    assert_string_equal(record.group, "example");
    assert_int_equal(record.since_us, AMGR_NO_TIME);
    assert_int_equal(record.process_slot, -1);
    /* Nobody can see whether it is busy. */
    assert_int_equal(record.active, 1);
    world->snapshot.processes[0].active = 0;
    amgr_record_fill(&record, &world->snapshot, &world->decisions[0],
                     &world->limits);
    assert_int_equal(record.active, 1);
    world_destroy(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(idle_worker_by_memory),
        cmocka_unit_test(an_order_names_its_option),
        cmocka_unit_test(hung_worker_by_time),
        cmocka_unit_test(other_reasons),
        cmocka_unit_test(wsgi_and_other_foreign_processes),
        cmocka_unit_test(action_and_outcome),
        cmocka_unit_test(the_end_tells_what_it_cost),
        cmocka_unit_test(hostile_requests_stay_on_one_line),
        cmocka_unit_test(requests_pass_for_no_verdict),
        cmocka_unit_test(keeps_the_deciding_request),
        cmocka_unit_test(memory_names_the_likeliest_request),
        cmocka_unit_test(daemons_have_no_request),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
