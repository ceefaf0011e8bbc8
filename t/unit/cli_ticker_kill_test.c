/* SPDX-License-Identifier: Apache-2.0
 *
 * Killing by a ticker that is a child of this process and answers what it is
 * made to; nobody is signalled, and the victims are this process's own.
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

#include <apr_strings.h>

#include "scratch.h"

#include "base/clock.h"
#include "cli/kill/ticker_kill.h"
#include "cli/message.h"
#include "proc/proc_read.h"

#define HEAD                                                     \
    "{\"ok\":true,\"pid\":41,\"workers\":7,\"grace_us\":300000," \
    "\"syslog\":false,\"vetoed\":[%s],\"unlisted\":%d,"          \
    "\"retirements\":["

static apr_pool_t *pool;
static amgr_proc_dir_t proc;
static char dir[SCRATCH_SIZE];
static char path[96];
static char moved[96];
static pid_t ticker;
static amgr_snapshot_t snapshot;
static amgr_board_config_t config;
static amgr_source_t source;
static amgr_source_t newer; /* what is read again */
static amgr_options_t options;
static amgr_demand_t demand;
static amgr_kill_run_t run;
static amgr_kill_result_t result;
static char said[16384];
static int in_syslog;

/* ---- what the tool's other parts do ------------------------------------ */

void amgr_message(int level, const char *format, ...)
{
    size_t used = strlen(said);
    va_list args;

    (void)level; /* all are wanted */
    va_start(args, format);
    vsnprintf(said + used, sizeof(said) - used, format, args);
    va_end(args);
    used = strlen(said);
    snprintf(said + used, sizeof(said) - used, "\n");
}

void amgr_message_kill(const char *line, int to_syslog)
{
    amgr_message(AMGR_LEVEL_NOTICE, "%s", line);
    in_syslog += to_syslog != 0;
}

const amgr_fault_t *amgr_source_read(const amgr_target_t *target, int wants,
                                     amgr_source_t *out, apr_pool_t *p)
{
    (void)target; /* there is one */
    (void)wants;  /* all of it is there */
    (void)p;      /* nothing has to be kept */
    *out = newer;
    return NULL;
}

/* ---- a ticker ------------------------------------------------------------- */

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

static void serve(int fd, const char *answer)
{
    char line[4096];
    int client = accept(fd, NULL, NULL);

    if (read(client, line, sizeof(line)) <= 0 ||
        write(client, answer, strlen(answer)) < 0) {
        _exit(1);
    }
    close(client);
    pause();
}

/* A child that listens at @a name and answers one client. */
static void start_ticker(const char *name, const char *answer)
{
    int ready[2];
    char c;

    assert_int_equal(pipe(ready), 0);
    ticker = fork();
    assert_true(ticker >= 0);
    if (ticker == 0) {
        int fd = listen_at(name);

        if (fd < 0 || write(ready[1], "x", 1) != 1) {
            _exit(1);
        }
        serve(fd, answer);
        _exit(0);
    }
    assert_int_equal(read(ready[0], &c, 1), 1);
    close(ready[0]);
    close(ready[1]);
}

static const char *head(const char *vetoed, int unlisted)
{
    return apr_psprintf(pool, HEAD, vetoed, unlisted);
}

/* One of the answer's retirements, of a process that lives. */
static const char *retirement(pid_t pid, const char *outcome)
{
    amgr_proc_id_t id;

    assert_int_equal(amgr_proc_read_id(&proc, pid, &id), APR_SUCCESS);
    return apr_psprintf(pool,
                        "{\"serial\":1,\"pid\":%ld,\"start_ticks\":%ld,"
                        "\"kind\":\"native\",\"active\":true,\"action\":"
                        "\"ask\",\"outcome\":\"%s\",\"line\":\"Killing native "
                        "worker %ld (active)\"}",
                        (long)pid, (long)id.start_ticks, outcome, (long)pid);
}

static const amgr_fault_t *kill_by_ticker(int *out_settled)
{
    static const amgr_target_t target;
    const amgr_fault_t *fault;

    demand.dry_run = options.dry_run;
    *out_settled = amgr_ticker_kill(&run, &demand, &target, &source, &fault);
    return fault;
}

static void assert_said(const char *text)
{
    if (strstr(said, text) == NULL) {
        fail_msg("not said: %s\nbut:\n%s", text, said);
    }
}

static void assert_fault(const char *text)
{
    const amgr_fault_t *fault;
    int settled;

    fault = kill_by_ticker(&settled);
    assert_non_null(fault);
    assert_true(settled);
    assert_int_equal(fault->exit_code, AMGR_EXIT_FAILED);
    if (strstr(fault->text, text) == NULL) {
        fail_msg("not told: %s\nbut: %s", text, fault->text);
    }
}

static int setup(void **state)
{
    (void)state; /* cmocka's signature */
    assert_int_equal(apr_pool_create(&pool, NULL), APR_SUCCESS);
    assert_int_equal(amgr_proc_dir_open(&proc, "/proc"), APR_SUCCESS);
    assert_int_equal(scratch_make(dir, 0700), 0);
    snprintf(path, sizeof(path), "%s/socket", dir);
    snprintf(moved, sizeof(moved), "%s/moved", dir);
    ticker = 0;
    said[0] = '\0';
    in_syslog = 0;
    memset(&snapshot, 0, sizeof(snapshot));
    memset(&config, 0, sizeof(config));
    memset(&source, 0, sizeof(source));
    memset(&options, 0, sizeof(options));
    memset(&run, 0, sizeof(run));
    memset(&result, 0, sizeof(result));
    amgr_limits_init(&config.limits);
    config.limits.lame_duck_us = AMGR_LIMIT_OFF;
    source.kind = AMGR_SOURCE_BOARD;
    source.name = "a board";
    source.view.snapshot = &snapshot;
    source.view.config = &config;
    source.control_socket = path;
    assert_int_equal(amgr_proc_read_id(&proc, getpid(), &source.parent),
                     APR_SUCCESS);
    newer = source;
    amgr_demand_init(&demand);
    demand.max_memory_active_bytes = 1024;
    options.max_memory_active_bytes = 1024;
    options.max_memory_idle_bytes = AMGR_LIMIT_OFF;
    options.max_time_us = AMGR_LIMIT_OFF;
    options.max_kills = AMGR_KILLS_UNLIMITED;
    run.options = &options;
    run.proc = &proc;
    run.pool = pool;
    return 0;
}

static int teardown(void **state)
{
    (void)state; /* cmocka's signature */
    if (ticker > 0) {
        kill(ticker, SIGKILL);
        waitpid(ticker, NULL, 0);
    }
    unlink(path);
    unlink(moved);
    rmdir(dir);
    amgr_proc_dir_close(&proc);
    apr_pool_destroy(pool);
    return 0;
}

/* ---- tests ---------------------------------------------------------------- */

static void whoever_could_not_be_signalled_is_told(void **state)
{
    const amgr_fault_t *fault;
    int settled;

    (void)state; /* cmocka's signature */
    start_ticker(path,
                 apr_pstrcat(pool, head("", 0), retirement(getpid(), "failed"),
                             ",", retirement(getppid(), "vanished"), "]}\n",
                             NULL));
    assert_null(kill_by_ticker(&settled));
    assert_true(settled);
    fault = amgr_kill_finish(&run, &result);
    assert_non_null(fault);
    assert_int_equal(fault->exit_code, AMGR_EXIT_FAILED);
    assert_non_null(strstr(fault->text, "1 of 2 workers could not be "
                                        "signalled: "));
    assert_said("has ended by itself");
    assert_said("Killed 0 of 7 Apache workers.");
    assert_int_equal(in_syslog, 0);
    assert_int_equal(result.killed_active, 0);
}

static void whoever_has_gone_by_itself_is_no_kill(void **state)
{
    int settled;

    (void)state; /* cmocka's signature */
    start_ticker(path,
                 apr_pstrcat(pool, head("", 0),
                             retirement(getppid(), "vanished"), "]}\n", NULL));
    assert_null(kill_by_ticker(&settled));
    assert_null(amgr_kill_finish(&run, &result));
    assert_said("No Apache workers killed (1 over the limits ended by "
                "themselves).");
}

/* Its answer says that it takes 0.3 s; this program's patience is its own. */
static void one_that_stays_is_told(void **state)
{
    const amgr_fault_t *fault;
    int settled;

    (void)state; /* cmocka's signature */
    start_ticker(path,
                 apr_pstrcat(pool, head("", 0), retirement(getpid(), "pending"),
                             "]}\n", NULL));
    assert_null(kill_by_ticker(&settled));
    fault = amgr_kill_finish(&run, &result);
    assert_non_null(fault);
    assert_non_null(strstr(fault->text, "1 of 1 workers still runs: "));
    assert_int_equal(in_syslog, 1);
}

static void who_is_left_alone_is_told(void **state)
{
    int settled;

    (void)state; /* cmocka's signature */
    start_ticker(path, apr_pstrcat(pool, head("15,16", 2), "]}\n", NULL));
    assert_null(kill_by_ticker(&settled));
    assert_null(amgr_kill_finish(&run, &result));
    assert_said("worker 15 is left alone: another module protects it");
    assert_said("worker 16 is left alone");
    assert_said("2 more are not listed here");
}

static void a_refusal_ends_it(void **state)
{
    (void)state; /* cmocka's signature */
    start_ticker(path, "{\"ok\":false,\"error\":\"not now\"}\n");
    assert_fault("does not obey: not now");
}

static void what_may_have_been_obeyed_is_not_done_again(void **state)
{
    (void)state; /* cmocka's signature */
    start_ticker(path, "{\"ok\":true,");
    assert_fault("the order was given and not answered: it may have been "
                 "obeyed");
}

static void nor_after_nonsense(void **state)
{
    (void)state; /* cmocka's signature */
    start_ticker(path, "nonsense\n");
    assert_fault("the answer makes no sense (it is no JSON): the order may "
                 "have been obeyed");
}

/* A dry run harms nobody, however often it is judged. */
static void a_dry_run_is_judged_here_then(void **state)
{
    int settled;

    (void)state; /* cmocka's signature */
    options.dry_run = 1;
    start_ticker(path, "{\"ok\":true,");
    assert_null(kill_by_ticker(&settled));
    assert_false(settled);
    assert_said("the ticker hung up: this program judges by itself");
}

/* A restart has moved it, which the board tells. */
static void a_ticker_that_has_moved_is_found(void **state)
{
    int settled;

    (void)state; /* cmocka's signature */
    newer.control_socket = moved;
    start_ticker(moved, apr_pstrcat(pool, head("", 0), "]}\n", NULL));
    assert_null(kill_by_ticker(&settled));
    assert_true(settled);
    assert_said("waiting for the server's ticker");
    assert_null(strstr(said, "by itself"));
}

/* Or has taken it away. */
static void a_server_that_has_none_any_more_is_not_waited_for(void **state)
{
    apr_time_t begun_us = amgr_clock_monotonic_us();
    int settled;

    (void)state; /* cmocka's signature */
    newer.control_socket = NULL;
    assert_null(kill_by_ticker(&settled));
    assert_false(settled);
    assert_said("no control socket (ManagerSocket): this program kills by "
                "itself");
    assert_true(amgr_clock_monotonic_us() - begun_us < apr_time_from_sec(4));
}

/* Nothing but a board tells whether there is a socket. */
static void a_board_that_cannot_be_read_takes_nothing_away(void **state)
{
    apr_time_t begun_us = amgr_clock_monotonic_us();
    int settled;

    (void)state; /* cmocka's signature */
    newer.kind = AMGR_SOURCE_STATUS_JSON;
    newer.control_socket = NULL;
    assert_null(kill_by_ticker(&settled));
    assert_false(settled);
    assert_non_null(source.control_socket);
    assert_said("No such file or directory: this program kills by itself");
    assert_true(amgr_clock_monotonic_us() - begun_us >= apr_time_from_sec(5));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(whoever_could_not_be_signalled_is_told),
        TEST(whoever_has_gone_by_itself_is_no_kill),
        TEST(one_that_stays_is_told),
        TEST(who_is_left_alone_is_told),
        TEST(a_refusal_ends_it),
        TEST(what_may_have_been_obeyed_is_not_done_again),
        TEST(nor_after_nonsense),
        TEST(a_dry_run_is_judged_here_then),
        TEST(a_ticker_that_has_moved_is_found),
        TEST(a_server_that_has_none_any_more_is_not_waited_for),
        TEST(a_board_that_cannot_be_read_takes_nothing_away),
    };
    int rv;

    apr_initialize();
    rv =
        cmocka_run_group_tests_name("killing by the ticker", tests, NULL, NULL);
    apr_terminate();
    return rv;
}
