/* SPDX-License-Identifier: Apache-2.0
 *
 * The two lines of the control socket, and talking to whoever listens there:
 * a ticker that answers at once, in pieces, late or nonsense, and processes
 * that are no ticker at all.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "scratch.h"

#include "base/clock.h"
#include "cli/kill/control_client.h"
#include "proc/proc_read.h"

#define GOOD_HEAD                                                  \
    "{\"ok\":true,\"pid\":41,\"workers\":7,\"grace_us\":30000000," \
    "\"vetoed\":[15,16],\"unlisted\":2,"
/* An answer without what is left alone. */
#define NO_REST                                                  \
    "{\"ok\":true,\"workers\":1,\"grace_us\":0,\"syslog\":true," \
    "\"retirements\":[],"
#define GOOD_ONE                                                            \
    "{\"serial\":12,\"pid\":14,\"start_ticks\":123456,\"kind\":\"native\"," \
    "\"active\":false,\"action\":\"ask\",\"outcome\":\"pending\","          \
    "\"line\":\"Killing native worker 14 (idle)\"}"
#define GOOD GOOD_HEAD "\"syslog\":true,\"retirements\":[" GOOD_ONE "]}\n"

static apr_pool_t *pool;
static amgr_demand_t demand;
static char dir[SCRATCH_SIZE];
static char path[96];
static pid_t server;

static int setup(void **state)
{
    (void)state; /* cmocka's signature */
    amgr_demand_init(&demand);
    demand.max_memory_idle_bytes = 1024;
    assert_int_equal(scratch_make(dir, 0700), 0);
    snprintf(path, sizeof(path), "%s/socket", dir);
    server = 0;
    return apr_pool_create(&pool, NULL) != APR_SUCCESS;
}

static int teardown(void **state)
{
    (void)state; /* cmocka's signature */
    if (server > 0) {
        kill(server, SIGKILL);
        waitpid(server, NULL, 0);
    }
    unlink(path);
    rmdir(dir);
    apr_pool_destroy(pool);
    return 0;
}

static void an_order_names_the_limits_that_are_set(void **state)
{
    (void)state; /* cmocka's signature */
    assert_string_equal(amgr_control_request(&demand, pool),
                        "{\"order\":\"retire\",\"max_memory_idle_bytes\":1024,"
                        "\"dry_run\":false}\n");
    demand.max_memory_active_bytes = 1048576;
    demand.max_time_us = 2000000;
    demand.max_kills = 3;
    demand.dry_run = 1;
    assert_string_equal(
        amgr_control_request(&demand, pool),
        "{\"order\":\"retire\",\"max_memory_active_bytes\":1048576,"
        "\"max_memory_idle_bytes\":1024,\"max_time_us\":2000000,"
        "\"max_kills\":3,\"dry_run\":true}\n");
}

static void an_answer_is_read(void **state)
{
    amgr_control_answer_t answer;
    int refused;

    (void)state; /* cmocka's signature */
    assert_null(
        amgr_control_parse(GOOD, strlen(GOOD), &answer, &refused, pool));
    assert_int_equal(answer.workers, 7);
    assert_int_equal(answer.grace_us, 30000000);
    assert_int_equal(answer.syslog, 1);
    assert_int_equal(answer.vetoed_count, 2);
    assert_int_equal(answer.vetoed[0], 15);
    assert_int_equal(answer.vetoed[1], 16);
    assert_int_equal(answer.unlisted, 2);
    assert_int_equal(answer.retirement_count, 1);
    assert_int_equal(answer.retirements[0].id.pid, 14);
    assert_int_equal(answer.retirements[0].id.start_ticks, 123456);
    assert_int_equal(answer.retirements[0].native, 1);
    assert_int_equal(answer.retirements[0].active, 0);
    assert_int_equal(answer.retirements[0].action, AMGR_ACTION_ASK);
    assert_int_equal(answer.retirements[0].outcome, AMGR_OUTCOME_PENDING);
    assert_string_equal(answer.retirements[0].line,
                        "Killing native worker 14 (idle)");
}

/* GOOD_ONE with one of its members replaced. */
static const char *one_with(const char *member, const char *value)
{
    static char text[1024];
    const char *at = strstr(GOOD_ONE, member);
    const char *end;

    assert_non_null(at);
    at += strlen(member);
    end = at + strcspn(at, ",}");
    snprintf(text, sizeof(text),
             GOOD_HEAD "\"syslog\":true,\"retirements\":[%.*s%s%s]}",
             (int)(at - GOOD_ONE), GOOD_ONE, value, end);
    return text;
}

static void assert_senseless(const char *text)
{
    amgr_control_answer_t answer;
    int refused;

    memset(&answer, 0x5a, sizeof(answer));
    if (amgr_control_parse(text, strlen(text), &answer, &refused, pool) ==
        NULL) {
        fail_msg("accepted: %s", text);
    }
    assert_false(refused);
    assert_int_equal(answer.workers, 0x5a5a5a5a); /* untouched */
}

static void an_answer_without_sense_is_none(void **state)
{
    static const char *const whole[] = {
        "",
        "\n",
        "[]",
        "{}",
        "{\"ok\":1}",
        "{\"ok\":true}",
        "nonsense",
        GOOD_HEAD "\"syslog\":true}",
        GOOD_HEAD "\"syslog\":1,\"retirements\":[]}",
        GOOD_HEAD "\"syslog\":true,\"retirements\":{}}",
        GOOD_HEAD "\"syslog\":true,\"retirements\":[1]}",
        GOOD_HEAD "\"syslog\":true,\"retirements\":[],\"workers\":7}",
        NO_REST "\"unlisted\":0}",
        NO_REST "\"vetoed\":[]}",
        NO_REST "\"vetoed\":[],\"unlisted\":-1}",
        NO_REST "\"vetoed\":15,\"unlisted\":0}",
        NO_REST "\"vetoed\":[\"15\"],\"unlisted\":0}",
        NO_REST "\"vetoed\":[1],\"unlisted\":0}",
        NO_REST "\"vetoed\":[4294967297],\"unlisted\":0}",
        "{\"ok\":true,\"workers\":-1,\"grace_us\":0,\"syslog\":true,"
        "\"retirements\":[]}",
        "{\"ok\":true,\"workers\":1,\"grace_us\":1.5,\"syslog\":true,"
        "\"retirements\":[]}",
        "{\"ok\":true,\"workers\":1,\"grace_us\":9000000000000000000,"
        "\"syslog\":true,\"retirements\":[]}",
    };
    static const char *const members[][2] = {
        {"\"pid\":", "1"},
        {"\"pid\":", "-1"},
        {"\"pid\":", "99999999999"},
        {"\"pid\":", "\"14\""},
        {"\"start_ticks\":", "0"},
        {"\"kind\":", "\"other\""},
        {"\"kind\":", "null"},
        {"\"active\":", "0"},
        {"\"action\":", "\"shoot\""},
        {"\"outcome\":", "\"\""},
        {"\"line\":", "\"\""},
        {"\"line\":", "\"two\\nlines\""},
        {"\"line\":", "\"\\u001b[31m\""},
        {"\"line\":", "\"\\u009b31m\""},
        {"\"line\":", "\"\\u007f\""},
    };
    apr_size_t i;

    (void)state; /* cmocka's signature */
    for (i = 0; i < AMGR_COUNT(whole); i++) {
        assert_senseless(whole[i]);
    }
    for (i = 0; i < AMGR_COUNT(members); i++) {
        assert_senseless(one_with(members[i][0], members[i][1]));
    }
}

static void a_refusal_is_told_in_its_words(void **state)
{
    static const char text[] = "{\"ok\":false,\"error\":\"not \\u001b now\"}";
    amgr_control_answer_t answer;
    int refused;

    (void)state; /* cmocka's signature */
    assert_string_equal(
        amgr_control_parse(text, sizeof(text) - 1, &answer, &refused, pool),
        "not \\x1b now");
    assert_true(refused);
}

static int listen_at(const char *name)
{
    struct sockaddr_un address;
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    memset(&address, 0, sizeof(address));
    address.sun_family = AF_UNIX;
    snprintf(address.sun_path, sizeof(address.sun_path), "%s", name);
    return bind(fd, (const struct sockaddr *)&address, sizeof(address)) != 0 ||
                   listen(fd, 1) != 0
               ? -1
               : fd;
}

/* Take the line of one client and answer with these pieces; then sleep, or
 * hang up.  Without pieces hang up on whatever it says. */
static void serve(int fd, const char *const *pieces, int hang_up)
{
    char line[4096];
    int client = accept(fd, NULL, NULL);

    if (pieces == NULL) {
        recv(client, line, 1, MSG_PEEK); /* it is there, and stays unread */
        close(client);
        pause();
    }
    if (read(client, line, sizeof(line)) <= 0) {
        _exit(1);
    }
    for (; *pieces != NULL; pieces++) {
        if (write(client, *pieces, strlen(*pieces)) < 0) {
            _exit(1);
        }
        usleep(2000);
    }
    if (hang_up) {
        close(client);
    }
    pause();
}

/* A ticker: a child of this process. */
static void start_server(const char *const *pieces, int hang_up)
{
    int ready[2];
    char c;

    assert_int_equal(pipe(ready), 0);
    server = fork();
    assert_true(server >= 0);
    if (server == 0) {
        int fd = listen_at(path);

        if (fd < 0 || write(ready[1], "x", 1) != 1) {
            _exit(1);
        }
        serve(fd, pieces, hang_up);
        _exit(0);
    }
    assert_int_equal(read(ready[0], &c, 1), 1);
    close(ready[0]);
    close(ready[1]);
}

static amgr_control_result_e ask(apr_interval_time_t timeout_us,
                                 amgr_control_answer_t *answer,
                                 const char **why)
{
    amgr_proc_dir_t proc;
    amgr_proc_id_t self;

    assert_int_equal(amgr_proc_dir_open(&proc, "/proc"), APR_SUCCESS);
    assert_int_equal(amgr_proc_read_id(&proc, getpid(), &self), APR_SUCCESS);
    amgr_proc_dir_close(&proc);
    return amgr_control_ask(path, &self, &demand, timeout_us, answer, why,
                            pool);
}

static void assert_unheard(int result, const char *expected)
{
    amgr_control_answer_t answer;
    const char *why;

    assert_int_equal(ask(apr_time_from_msec(200), &answer, &why), result);
    assert_non_null(strstr(why, expected));
}

static void assert_away(const char *expected)
{
    assert_unheard(AMGR_CONTROL_AWAY, expected);
}

static void a_ticker_that_answers_is_heard(void **state)
{
    static const char *const pieces[] = {GOOD_HEAD "\"syslog\":true,",
                                         "\"retirements\":[" GOOD_ONE, "]}",
                                         "\n", NULL};
    amgr_control_answer_t answer;
    const char *why;

    (void)state; /* cmocka's signature */
    start_server(pieces, 0);
    assert_int_equal(ask(apr_time_from_sec(10), &answer, &why),
                     AMGR_CONTROL_DONE);
    assert_int_equal(answer.retirement_count, 1);
    assert_true(answer.is_ours);
}

static void a_ticker_that_is_silent_is_late(void **state)
{
    static const char *const pieces[] = {NULL};
    apr_time_t begun_us = amgr_clock_monotonic_us();

    (void)state; /* cmocka's signature */
    start_server(pieces, 0);
    assert_unheard(AMGR_CONTROL_LATE, "does not answer");
    assert_true(amgr_clock_monotonic_us() - begun_us < apr_time_from_sec(5));
}

static void half_an_answer_is_none(void **state)
{
    static const char *const pieces[] = {GOOD_HEAD, NULL};

    (void)state; /* cmocka's signature */
    start_server(pieces, 1);
    assert_unheard(AMGR_CONTROL_LATE, "hung up");
}

/* It ends: the next one can be told. */
static void what_nobody_has_read_was_not_ordered(void **state)
{
    (void)state; /* cmocka's signature */
    start_server(NULL, 1);
    assert_unheard(AMGR_CONTROL_ABSENT, ": ");
}

static void nonsense_is_no_reason_to_try_again(void **state)
{
    static const char *const pieces[] = {"nonsense\n", NULL};
    amgr_control_answer_t answer;
    const char *why;

    (void)state; /* cmocka's signature */
    start_server(pieces, 0);
    assert_int_equal(ask(apr_time_from_sec(10), &answer, &why),
                     AMGR_CONTROL_SENSELESS);
    assert_string_equal(why, "it is no JSON");
}

static void a_socket_without_anybody_may_be_a_restart(void **state)
{
    int fd = listen_at(path);

    (void)state; /* cmocka's signature */
    close(fd);
    assert_unheard(AMGR_CONTROL_ABSENT, "connect: ");
    unlink(path);
    assert_unheard(AMGR_CONTROL_ABSENT, "it cannot be looked at: ");
}

static void a_file_is_no_socket(void **state)
{
    FILE *file = fopen(path, "w");

    (void)state; /* cmocka's signature */
    assert_non_null(file);
    fclose(file);
    assert_away("it is no socket");
}

/* This process listens, and is no child of the httpd, which is itself. */
static void a_stranger_is_not_talked_to(void **state)
{
    int fd = listen_at(path);
    int client;
    char c;

    (void)state; /* cmocka's signature */
    assert_away("no child of this httpd");
    client = accept(fd, NULL, NULL);
    assert_int_equal(read(client, &c, 1), 0);
    close(client);
    close(fd);
}

static int tick(apr_interval_time_t timeout_us)
{
    amgr_proc_dir_t proc;
    amgr_proc_id_t self;

    assert_int_equal(amgr_proc_dir_open(&proc, "/proc"), APR_SUCCESS);
    assert_int_equal(amgr_proc_read_id(&proc, getpid(), &self), APR_SUCCESS);
    amgr_proc_dir_close(&proc);
    return amgr_control_tick(path, &self, timeout_us, pool);
}

static void a_tick_is_asked_for(void **state)
{
    static const char *const pieces[] = {"{\"ok\":true,\"pid\":41,",
                                         "\"time\":1.5}\n", NULL};

    (void)state; /* cmocka's signature */
    start_server(pieces, 0);
    assert_true(tick(apr_time_from_sec(10)));
}

static void a_tick_that_was_not_is_none(void **state)
{
    static const char *const pieces[] = {"{\"ok\":false}\n", NULL};
    static const char *const silent[] = {NULL};
    apr_time_t begun_us;

    assert_false(tick(apr_time_from_sec(10)));
    start_server(pieces, 0);
    assert_false(tick(apr_time_from_sec(10)));
    teardown(state);
    setup(state);
    start_server(silent, 0);
    begun_us = amgr_clock_monotonic_us();
    assert_false(tick(apr_time_from_msec(200)));
    assert_true(amgr_clock_monotonic_us() - begun_us < apr_time_from_sec(5));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(an_order_names_the_limits_that_are_set),
        TEST(an_answer_is_read),
        TEST(an_answer_without_sense_is_none),
        TEST(a_refusal_is_told_in_its_words),
        TEST(a_ticker_that_answers_is_heard),
        TEST(a_ticker_that_is_silent_is_late),
        TEST(half_an_answer_is_none),
        TEST(what_nobody_has_read_was_not_ordered),
        TEST(nonsense_is_no_reason_to_try_again),
        TEST(a_socket_without_anybody_may_be_a_restart),
        TEST(a_file_is_no_socket),
        TEST(a_stranger_is_not_talked_to),
        TEST(a_tick_is_asked_for),
        TEST(a_tick_that_was_not_is_none),
    };
    int rv;

    apr_initialize();
    rv = cmocka_run_group_tests_name("control client", tests, NULL, NULL);
    apr_terminate();
    return rv;
}
