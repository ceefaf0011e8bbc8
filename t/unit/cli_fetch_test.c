/* SPDX-License-Identifier: Apache-2.0
 *
 * Running the program that does HTTP: scripts stand in for it, of every kind
 * that it must never be.  HTTP itself is t/cli/200-http-faults.t's.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include <apr_general.h>
#include <apr_strings.h>

#include "scratch.h"

#include "base/clock.h"
#include "cli/source/fetch.h"
#include "cli/source/fetch_process.h"

#define URL "http://user:secret@127.0.0.1:8080/status.json"
#define SHOWN "http://127.0.0.1:8080/status.json"
#define HEAD "printf 'status 200\\ntype text/plain\\n\\n'\n"

typedef struct place_t {
    apr_pool_t *pool;
    char dir[SCRATCH_SIZE];
    char program[96];
} place_t;

static int set_up(void **state)
{
    place_t *place = calloc(1, sizeof(*place));

    assert_non_null(place);
    assert_int_equal(apr_initialize(), APR_SUCCESS);
    assert_int_equal(apr_pool_create(&place->pool, NULL), APR_SUCCESS);
    assert_int_equal(scratch_make(place->dir, 0700), 0);
    snprintf(place->program, sizeof(place->program), "%s/fetch", place->dir);
    *state = place;
    return 0;
}

static int tear_down(void **state)
{
    place_t *place = *state;

    unlink(place->program);
    rmdir(place->dir);
    apr_pool_destroy(place->pool);
    apr_terminate();
    free(place);
    return 0;
}

static void write_program(const place_t *place, const char *script)
{
    FILE *file;

    unlink(place->program);
    file = fopen(place->program, "w");
    assert_non_null(file);
    fprintf(file, "#!/bin/sh\n%s", script);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(chmod(place->program, 0700), 0);
}

/* Nothing is left of what was run. */
static void assert_reaped(void)
{
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
    assert_int_equal(errno, ECHILD);
}

static void test_answer(void **state)
{
    place_t *place = *state;
    const amgr_fault_t *fault;
    amgr_answer_t answer;
    int timed_out = -1;

    write_program(
        place, "read url\n"
               "printf 'status 302\\ntype a/b; c\\nlocation http://x/\\n\\n'\n"
               "printf '%s\\n\\n%s %s %s' \"$url\" \"$1\" \"$2\" \"$HOME\"\n");
    fault = amgr_fetch_by(place->program, URL, 2500000, &answer, &timed_out,
                          place->pool);
    assert_null(fault);
    assert_int_equal(timed_out, 0);
    assert_int_equal(answer.status, 302);
    assert_string_equal(answer.content_type, "a/b; c");
    assert_string_equal(answer.location, "http://x/");
    /* The URL came whole, by standard input; nothing of our environment did. */
    assert_string_equal(answer.body, URL "\n\n2500 67108864 ");
    assert_int_equal(answer.length, strlen(answer.body));
    assert_reaped();
}

static void test_environment(void **state)
{
    place_t *place = *state;
    amgr_answer_t answer;

    setenv("https_proxy", "http://proxy/", 1);
    setenv("LD_BIND_NOW", "1", 1);
    setenv("SSL_CERT_DIR", "/certs", 1);
    write_program(place, HEAD "echo \"$https_proxy $SSL_CERT_DIR "
                              "$LD_BIND_NOW\"\n");
    assert_null(amgr_fetch_by(place->program, URL, APR_USEC_PER_SEC * 9,
                              &answer, NULL, place->pool));
    unsetenv("https_proxy");
    unsetenv("LD_BIND_NOW");
    unsetenv("SSL_CERT_DIR");
    assert_string_equal(answer.body, "http://proxy/ /certs \n");
    assert_string_equal(answer.location, "");
}

static void test_big(void **state)
{
    place_t *place = *state;
    amgr_answer_t answer;

    write_program(place, HEAD "head -c 3000000 /dev/zero\n");
    assert_null(amgr_fetch_by(place->program, URL, APR_USEC_PER_SEC * 20,
                              &answer, NULL, place->pool));
    assert_int_equal(answer.length, 3000000);
    assert_int_equal(answer.body[2999999], 0);
    assert_int_equal(answer.body[3000000], 0);
}

static void check_fault(const amgr_fault_t *fault, int code, const char *text)
{
    assert_non_null(fault);
    assert_string_equal(fault->text, text);
    assert_int_equal(fault->exit_code, code);
    assert_null(strstr(fault->text, "secret"));
    assert_reaped();
}

static void test_failures(void **state)
{
    static const struct {
        const char *script;
        int code;
        const char *text;
    } cases[] = {
        {"echo 'apache-manager-fetch: connection refused' >&2; exit 1\n",
         AMGR_EXIT_FAILED, SHOWN ": connection refused"},
        {"printf 'a\\033[2Jb\\nc\\n' >&2; exit 1\n", AMGR_EXIT_FAILED,
         SHOWN ": a?[2Jb"},
        {"exit 1\n", AMGR_EXIT_FAILED,
         SHOWN ": apache-manager-fetch has failed"},
        {"kill -9 $$\n", AMGR_EXIT_FAILED,
         SHOWN ": apache-manager-fetch has failed"},
        {"echo 'no URL' >&2; exit 2\n", AMGR_EXIT_USAGE, SHOWN ": no URL"},
        {"exit 3\n", AMGR_EXIT_FAILED, SHOWN ": no answer within 2 seconds"},
        {"echo 'too long' >&2; exit 4\n", AMGR_EXIT_FAILED, SHOWN ": too long"},
        {HEAD "exit 1\n", AMGR_EXIT_FAILED,
         SHOWN ": apache-manager-fetch has failed"},
    };
    place_t *place = *state;
    amgr_answer_t answer;
    size_t i;

    for (i = 0; i < AMGR_COUNT(cases); i++) {
        write_program(place, cases[i].script);
        check_fault(amgr_fetch_by(place->program, URL, 2 * APR_USEC_PER_SEC,
                                  &answer, NULL, place->pool),
                    cases[i].code, cases[i].text);
    }
}

static void test_no_answer(void **state)
{
    static const char *const scripts[] = {
        "exit 0\n",
        "echo hello\n",
        "printf 'status 200\\n'\n",
        "printf 'status x\\n\\n'\n",
        "printf 'status 99\\n\\n'\n",
        "printf 'type a\\n\\n'\n",
        "head -c 100000 /dev/zero | tr '\\0' x; printf '\\n\\n'\n",
    };
    place_t *place = *state;
    const amgr_fault_t *fault;
    amgr_answer_t answer;
    size_t i;

    for (i = 0; i < AMGR_COUNT(scripts); i++) {
        write_program(place, scripts[i]);
        fault = amgr_fetch_by(place->program, URL, APR_USEC_PER_SEC * 9,
                              &answer, NULL, place->pool);
        assert_non_null(fault);
        assert_non_null(strstr(fault->text, "did not hand on an answer"));
    }
}

/* However it hangs, it is killed and gone in time. */
static void test_late(void **state)
{
    static const char *const scripts[] = {
        "exec sleep 60\n",
        "exec >&- 2>&-; exec sleep 60\n",
        "trap '' TERM INT; while :; do echo x; echo x >&2; done\n",
        HEAD "while :; do echo x; sleep 0.05; done\n",
    };
    place_t *place = *state;
    amgr_answer_t answer;
    size_t i;

    for (i = 0; i < AMGR_COUNT(scripts); i++) {
        amgr_fetch_process_t process;
        const char *argv[] = {place->program, NULL};
        apr_time_t begun_us = amgr_clock_monotonic_us();

        write_program(place, scripts[i]);
        memset(&process, 0, sizeof(process));
        process.argv = argv;
        process.input = "";
        process.wait_us = 300000;
        process.max_bytes = 1 << 30;
        assert_int_equal(amgr_fetch_process_run(&process, place->pool),
                         APR_SUCCESS);
        assert_true(process.late);
        assert_int_equal(process.exit_code, -1);
        assert_true(amgr_clock_monotonic_us() - begun_us < 20000000);
        assert_reaped();
    }
    {
        int timed_out = 0;

        write_program(place, "exec sleep 60\n");
        check_fault(amgr_fetch_by(place->program, URL, 250000, &answer,
                                  &timed_out, place->pool),
                    AMGR_EXIT_FAILED, SHOWN ": no answer within 250ms");
        assert_int_equal(timed_out, 1);
    }
}

static void test_endless(void **state)
{
    place_t *place = *state;
    const char *argv[] = {place->program, NULL};
    amgr_fetch_process_t process;

    write_program(place, "exec cat /dev/zero\n");
    memset(&process, 0, sizeof(process));
    process.argv = argv;
    process.input = "";
    process.wait_us = 60 * APR_USEC_PER_SEC;
    process.max_bytes = 100000;
    assert_int_equal(amgr_fetch_process_run(&process, place->pool),
                     APR_SUCCESS);
    assert_true(process.too_long);
    assert_int_equal(process.length, 100001);
    assert_reaped();
}

static void test_no_program(void **state)
{
    place_t *place = *state;
    const amgr_fault_t *fault;
    amgr_answer_t answer;

    fault = amgr_fetch_by("/nonexistent/fetch", URL, APR_USEC_PER_SEC, &answer,
                          NULL, place->pool);
    check_fault(fault, AMGR_EXIT_FAILED,
                "cannot run /nonexistent/fetch: No such file or directory");
    fault = amgr_fetch_by(place->program, "http://a/\nhttp://b/",
                          APR_USEC_PER_SEC, &answer, NULL, place->pool);
    assert_non_null(fault);
    assert_int_equal(fault->exit_code, AMGR_EXIT_USAGE);
}

static void test_shown(void **state)
{
    static const struct {
        const char *url;
        const char *shown;
    } cases[] = {
        {"http://a/b", "http://a/b"},
        {"http://u:p@a/b", "http://a/b"},
        {"http://u:p@q@a:80/b", "http://a:80/b"},
        {"http://u:p/q@a/b", "http://a/b"},
        {"http://u:p?q#r@a/b", "http://a/b"},
        {"http://a/~u@b", "http://a/~u@b"},
        {"http://a:80/~u@b", "http://a:80/~u@b"},
        {"http://[::1]:80/~u@b", "http://[::1]:80/~u@b"},
        {"http://u:p@[::1]/~u@b", "http://[::1]/~u@b"},
        {"u:p@a/b", "a/b"},
        {"http://a/\033[2J", "http://a/\\x1b[2J"},
        {"", ""},
    };
    place_t *place = *state;
    size_t i;

    for (i = 0; i < AMGR_COUNT(cases); i++) {
        assert_string_equal(amgr_fetch_shown(cases[i].url, place->pool),
                            cases[i].shown);
    }
}

static void test_refusal(void **state)
{
    static const struct {
        int status;
        const char *location;
        int code;
        const char *text;
    } cases[] = {
        {403, "", AMGR_EXIT_PERMISSION, SHOWN ": HTTP 403 Forbidden"},
        {401, "", AMGR_EXIT_PERMISSION, SHOWN ": HTTP 401 Unauthorized"},
        {404, "", AMGR_EXIT_FAILED, SHOWN ": HTTP 404 Not Found"},
        {599, "", AMGR_EXIT_FAILED, SHOWN ": HTTP 599"},
        {204, "", AMGR_EXIT_FAILED, SHOWN ": HTTP 204 No Content"},
        {302, "", AMGR_EXIT_FAILED, SHOWN ": HTTP 302"},
        {302, "https://u:p@b/\033", AMGR_EXIT_FAILED,
         SHOWN ": redirected to https://b/\\x1b: ask there with --url"},
    };
    place_t *place = *state;
    amgr_answer_t answer;
    size_t i;

    memset(&answer, 0, sizeof(answer));
    answer.location = "";
    answer.status = 200;
    assert_null(amgr_fetch_refusal(&answer, URL, place->pool));
    for (i = 0; i < AMGR_COUNT(cases); i++) {
        answer.status = cases[i].status;
        answer.location = cases[i].location;
        check_fault(amgr_fetch_refusal(&answer, URL, place->pool),
                    cases[i].code, cases[i].text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_answer, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_environment, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_big, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_failures, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_no_answer, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_late, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_endless, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_no_program, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_shown, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_refusal, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
