/* SPDX-License-Identifier: Apache-2.0
 *
 * A job that has ended, as a migration, between a database and who uses it:
 * what comes after the job comes after the database, too.
 */
#include "supervised.h"

#include "supervise/order/order_client.h"

#define QUICK                                  \
    "RestartDelay 100ms factor=1 jitter=0%%\n" \
    "Output discard\n"
#define DB "db\nCommand /bin/sleep 60\nVerify exec /bin/true\n" QUICK
#define JOB "job\nAfter db\nCommand /bin/true\nVerify exited 0\n" QUICK
/* It takes half a second to end, and does not as long as there is a file. */
#define WEB                                                              \
    "web\nAfter job\nShell On\nVerify exec /bin/true\n"                  \
    "Command 'trap \"while test -e %s/stay; do sleep 0.01; done; sleep " \
    "0.5; exit\" TERM; while :; do sleep 0.01; done'\n" QUICK

/* All three, with more lines for each. */
static void apply_all(supervised_t *s, const char *web, const char *job,
                      const char *db)
{
    apply(s, apr_psprintf(s->pool, WEB "%s" JOB "%s" DB "%s", s->dir, web, job,
                          db));
}

/* The end of web does not come before it is let go. */
static void hold_web(const supervised_t *s)
{
    int fd = open(apr_psprintf(s->pool, "%s/stay", s->dir), O_WRONLY | O_CREAT,
                  0666);

    assert_true(fd >= 0);
    close(fd);
}

static void let_web_go(const supervised_t *s)
{
    assert_int_equal(unlink(apr_psprintf(s->pool, "%s/stay", s->dir)), 0);
}

/* Where in the log @a what stands behind @a from; it is there. */
static long place_behind(const supervised_t *s, long from, const char *what)
{
    const char *text = logged(s);
    const char *at = strstr(text + from, what);

    if (at == NULL) {
        fail_msg("not said: %s\n%s", what, text);
    }
    return (long)(at - text);
}

static long end_of_log(const supervised_t *s)
{
    return (long)strlen(logged(s));
}

/* One after the other, after @a from; ends in NULL. */
static void assert_order(const supervised_t *s, long from,
                         const char *const *lines)
{
    for (; *lines != NULL; lines++) {
        from = place_behind(s, from, *lines);
    }
}

static void start_all(supervised_t *s)
{
    apply_all(s, "", "", "");
    wait_state(s, "web", AMGR_MANAGED_READY);
    assert_int_equal(row(s, "job")->state, AMGR_MANAGED_EXITED);
    assert_true(row(s, "job")->ready);
}

static const char *const back[] = {"process web: READY -> STOPPING",
                                   "process web: STOPPING -> STOPPED",
                                   "process db: READY -> STOPPING", NULL};

static void it_keeps_the_order_of_a_stop(void **state)
{
    supervised_t *s = *state;

    start_all(s);
    tell_end(s);
    WAIT_UNTIL(s, is_ended(s));
    assert_order(s, 0, back);
}

static void it_does_so_when_it_is_removed_with_them(void **state)
{
    supervised_t *s = *state;
    amgr_managed_t db;

    start_all(s);
    db = *row(s, "db");
    apply(s, "");
    WAIT_UNTIL(s, is_ended(s));
    assert_order(s, 0, back);
    assert_true(is_gone(db.pid, db.start_ticks));
}

/* As if it had never been there: it runs again. */
static void one_that_comes_back_meanwhile_is_a_new_one(void **state)
{
    supervised_t *s = *state;
    amgr_managed_t db;

    start_all(s);
    db = *row(s, "db");
    hold_web(s);
    apply(s, "");
    WAIT_UNTIL(s, is_in(s, "web", AMGR_MANAGED_STOPPING));
    apply_all(s, "", "", "");
    WAIT_UNTIL(s, count_logged(s, "are configured: 3") == 2);
    let_web_go(s);
    WAIT_UNTIL(s, row(s, "web")->starts == 2 && row(s, "web")->ready);
    assert_int_equal(row(s, "job")->starts, 2);
    assert_int_equal(row(s, "db")->pid, db.pid);
    assert_int_equal(s->table.count, 3);
}

static void both_sides_of_it_change_in_order(void **state)
{
    static const char *const lines[] = {
        "process web: STOPPING -> STOPPED", "process db: READY -> STOPPING",
        "process db: STOPPED -> STARTING",  "process db: RUNNING -> READY",
        "process web: STOPPED -> STARTING", NULL};
    supervised_t *s = *state;
    long from;

    start_all(s);
    from = end_of_log(s);
    apply_all(s, "Nice 1\n", "", "Nice 1\n");
    WAIT_UNTIL(s, row(s, "web")->starts == 2 && row(s, "web")->ready);
    assert_order(s, from, lines);
    assert_int_equal(row(s, "job")->starts, 1);
}

/* A new program and its migration: that is not done under the old one. */
static void it_is_done_anew_between_the_two(void **state)
{
    static const char *const lines[] = {
        "process web: READY -> STOPPING",   "process web: STOPPING -> STOPPED",
        "process job: STOPPED -> STARTING", "process job: RUNNING -> EXITED",
        "process web: STOPPED -> STARTING", NULL};
    supervised_t *s = *state;
    amgr_managed_t db;
    long from;

    start_all(s);
    db = *row(s, "db");
    from = end_of_log(s);
    hold_web(s);
    apply_all(s, "Nice 1\n", "Nice 1\n", "");
    WAIT_UNTIL(s, is_in(s, "web", AMGR_MANAGED_STOPPING));
    WAIT_UNTIL(s, is_in(s, "job", AMGR_MANAGED_STOPPED));
    assert_string_equal(row(s, "job")->reason, "waits for the end of web");
    assert_false(row(s, "job")->ready);
    let_web_go(s);
    WAIT_UNTIL(s, row(s, "web")->starts == 2 && row(s, "web")->ready);
    assert_order(s, from, lines);
    assert_int_equal(row(s, "job")->starts, 2);
    assert_int_equal(row(s, "db")->pid, db.pid);
}

/* Nobody uses it: it is done at once. */
static void one_that_changes_alone_is_done_anew(void **state)
{
    supervised_t *s = *state;
    amgr_managed_t web;

    start_all(s);
    web = *row(s, "web");
    apply_all(s, "", "Nice 1\n", "");
    WAIT_UNTIL(s, row(s, "job")->starts == 2 && row(s, "job")->ready);
    assert_int_equal(row(s, "web")->pid, web.pid);
}

static void order(supervised_t *s, const char *verb, const char *name)
{
    amgr_order_answer_t answer;
    char path[96];

    snprintf(path, sizeof(path), "%s/socket", s->dir);
    WAIT_UNTIL(s, access(path, F_OK) == 0);
    assert_int_equal(amgr_order_ask(path, verb, name, 0, 5000, &answer),
                     APR_SUCCESS);
    assert_true(answer.ok && answer.settled);
}

static void a_start_waits_for_what_the_job_needed(void **state)
{
    supervised_t *s = *state;

    start_all(s);
    order(s, "stop", "db");
    assert_int_equal(kill(row(s, "web")->pid, SIGKILL), 0);
    WAIT_UNTIL(s, row(s, "web")->exits[AMGR_MANAGED_EXIT_SIGNAL] == 1 &&
                      is_in(s, "web", AMGR_MANAGED_STOPPED));
    assert_string_equal(row(s, "web")->reason,
                        "waits for db, which is stopped");
    assert_int_equal(row(s, "web")->want, AMGR_MANAGED_WANT_UP);
    order(s, "start", "db");
    WAIT_UNTIL(s, row(s, "web")->starts == 2 && row(s, "web")->ready);
    assert_int_equal(row(s, "job")->starts, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SUPERVISED(it_keeps_the_order_of_a_stop),
        SUPERVISED(it_does_so_when_it_is_removed_with_them),
        SUPERVISED(one_that_comes_back_meanwhile_is_a_new_one),
        SUPERVISED(both_sides_of_it_change_in_order),
        SUPERVISED(it_is_done_anew_between_the_two),
        SUPERVISED(one_that_changes_alone_is_done_anew),
        SUPERVISED(a_start_waits_for_what_the_job_needed),
    };

    apr_initialize();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
