/* SPDX-License-Identifier: Apache-2.0
 *
 * Carrying out decisions on real children: who is signalled, who never is,
 * and how the end is noticed.
 */
#include <signal.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "invented.h"

#include "action/retire.h"

typedef struct fixture_t {
    world_t *world;
    amgr_proc_dir_t proc;
    amgr_record_t record;
    pid_t child;
} fixture_t;

/* A child that sleeps, as the one worker of a server that wants it gone. */
static int setup(void **state)
{
    fixture_t *fixture = test_calloc(1, sizeof(*fixture));
    amgr_process_t *process;

    fixture->child = fork();
    if (fixture->child == 0) {
        pause();
        _exit(0);
    }
    assert_true(fixture->child > 0);
    assert_int_equal(amgr_proc_dir_open(&fixture->proc, "/proc"), APR_SUCCESS);
    fixture->world = world_create(4, 1);
    process = world_native(fixture->world, fixture->child);
    assert_int_equal(
        amgr_proc_read_id(&fixture->proc, fixture->child, &process->id),
        APR_SUCCESS);
    fixture->world->limits.max_memory_idle_bytes = MB;
    assert_int_equal(world_tick(fixture->world, SEC), 1);
    assert_int_equal(fixture->world->decisions[0].cause, AMGR_CAUSE_NONE);
    *state = fixture;
    return 0;
}

static int teardown(void **state)
{
    fixture_t *fixture = *state;

    kill(fixture->child, SIGKILL);
    waitpid(fixture->child, NULL, 0); /* reaped already in some tests */
    amgr_proc_dir_close(&fixture->proc);
    world_destroy(fixture->world);
    test_free(fixture);
    return 0;
}

static apr_status_t apply(fixture_t *fixture, pid_t parent)
{
    const amgr_decision_t *decision = &fixture->world->decisions[0];
    amgr_retire_t retire;

    retire.proc = &fixture->proc;
    retire.parent = parent;
    retire.may_wait = 1;
    retire.limits = &fixture->world->limits;
    if (!decision->follow_up) {
        memset(&fixture->record, 0xa5, sizeof(fixture->record));
        amgr_record_fill(&fixture->record, &fixture->world->snapshot, decision,
                         &fixture->world->limits);
    }
    return amgr_retire_take(&retire, &fixture->world->snapshot, decision,
                            &fixture->record);
}

static int is_running(const fixture_t *fixture)
{
    return waitpid(fixture->child, NULL, WNOHANG) == 0;
}

/* Take the step; the signal that ended the child within so many milliseconds,
 * or 0. */
static int ended_within(fixture_t *fixture, int step, int tries)
{
    static const struct timespec span = {0, 1000 * 1000};
    int status;

    fixture->world->decisions[0].step = step;
    assert_int_equal(apply(fixture, getpid()), APR_SUCCESS);
    assert_int_equal(fixture->record.outcome, AMGR_OUTCOME_PENDING);
    assert_int_equal(fixture->record.ended_us, AMGR_NO_TIME);
    while (waitpid(fixture->child, &status, WNOHANG) == 0) {
        if (tries-- == 0) {
            return 0;
        }
        nanosleep(&span, NULL);
    }
    assert_true(WIFSIGNALED(status));
    return WTERMSIG(status);
}

/* A busy machine takes its time to end who was sent a signal. */
static int ended_by(fixture_t *fixture, int step)
{
    return ended_within(fixture, step, 20000);
}

static int is_left_alone_by(fixture_t *fixture, int step)
{
    return ended_within(fixture, step, 100) == 0;
}

static void announcing_sends_nothing(void **state)
{
    fixture_t *fixture = *state;

    assert_true(is_left_alone_by(fixture, AMGR_STEP_ANNOUNCE));
    assert_int_equal(fixture->record.action, AMGR_ACTION_ANNOUNCE);
    assert_int_equal(fixture->record.announced_us, 0);
    assert_int_equal(fixture->record.asked_us, AMGR_NO_TIME);
}

static void a_threaded_worker_is_asked_without_a_signal(void **state)
{
    fixture_t *fixture = *state;

    fixture->world->snapshot.server.threaded = 1;
    assert_true(is_left_alone_by(fixture, AMGR_STEP_ASK));
    assert_int_equal(fixture->record.action, AMGR_ACTION_ASK);
    assert_int_equal(fixture->record.asked_us, 0);
}

static void a_single_worker_is_asked_by_its_signal(void **state)
{
    assert_int_equal(ended_by(*state, AMGR_STEP_ASK), SIGUSR1);
}

static void a_daemon_is_asked_by_its_signal(void **state)
{
    fixture_t *fixture = *state;

    fixture->world->snapshot.server.threaded = 1;
    fixture->world->snapshot.processes[0].role = AMGR_ROLE_WSGI;
    assert_int_equal(ended_by(fixture, AMGR_STEP_ASK), SIGUSR1);
}

static void a_nudge_is_sigterm(void **state)
{
    fixture_t *fixture = *state;

    assert_int_equal(ended_by(fixture, AMGR_STEP_NUDGE), SIGTERM);
    assert_int_equal(fixture->record.action, AMGR_ACTION_ASK);
}

static void a_kill_is_a_kill(void **state)
{
    fixture_t *fixture = *state;

    fixture->world->decisions[0].requests = 3;
    assert_int_equal(ended_by(fixture, AMGR_STEP_KILL), SIGKILL);
    assert_int_equal(fixture->record.action, AMGR_ACTION_KILL);
    assert_int_equal(fixture->record.killed_us, 0);
    assert_int_equal(fixture->record.requests_lost, 3);
}

static void each_step_has_its_time(void **state)
{
    fixture_t *fixture = *state;
    amgr_decision_t *decision = &fixture->world->decisions[0];
    amgr_record_t *record = &fixture->record;

    fixture->world->snapshot.server.threaded = 1;
    assert_true(is_left_alone_by(fixture, AMGR_STEP_ANNOUNCE));
    decision->follow_up = 1;
    world_pass(fixture->world, 2 * SEC);
    assert_true(is_left_alone_by(fixture, AMGR_STEP_ASK));
    world_pass(fixture->world, 2 * SEC);
    assert_true(is_left_alone_by(fixture, AMGR_STEP_ASK));
    world_pass(fixture->world, 2 * SEC);
    assert_int_equal(ended_by(fixture, AMGR_STEP_KILL), SIGKILL);
    assert_int_equal(record->announced_us, 0);
    assert_int_equal(record->asked_us, 2 * SEC);
    assert_int_equal(record->killed_us, 6 * SEC);
    /* Its end is seen at a tick, not when a signal finds nobody. */
    assert_int_equal(apply(fixture, getpid()), APR_NOTFOUND);
    assert_int_equal(record->outcome, AMGR_OUTCOME_PENDING);
}

static void the_end_is_seen(void **state)
{
    fixture_t *fixture = *state;
    amgr_snapshot_t *snapshot = &fixture->world->snapshot;
    amgr_record_t *record = &fixture->record;

    (void)ended_by(fixture, AMGR_STEP_KILL);
    snapshot->server.min_spare_workers = 1;
    world_pass(fixture->world, 3 * SEC);
    world_jump(fixture->world, -100 * SEC);
    assert_int_equal(amgr_retire_follow(snapshot, record), AMGR_NEWS_NONE);
    world_remove(fixture->world, fixture->child);
    assert_int_equal(amgr_retire_follow(snapshot, record),
                     AMGR_NEWS_GONE | AMGR_NEWS_UPDATED);
    assert_int_equal(record->outcome, AMGR_OUTCOME_GONE);
    assert_int_equal(record->ended_us, 3 * SEC);
    assert_int_equal(record->freed_bytes, 10 * MB);
    assert_int_equal(record->replacement, AMGR_REPLACEMENT_WAITING);
    assert_true(amgr_retire_is_open(record));
    assert_int_equal(amgr_retire_follow(snapshot, record), AMGR_NEWS_NONE);
}

/* What was last seen of it while it had all of its memory. */
static void an_ending_process_gives_back_what_it_had(void **state)
{
    fixture_t *fixture = *state;
    amgr_snapshot_t *snapshot = &fixture->world->snapshot;
    amgr_process_t *process = &snapshot->processes[0];
    amgr_record_t *record = &fixture->record;

    assert_true(is_left_alone_by(fixture, AMGR_STEP_ANNOUNCE));
    process->anon_bytes = (apr_uint64_t)(7 * MB);
    (void)amgr_retire_follow(snapshot, record);
    assert_int_equal(record->freed_bytes, 7 * MB);
    process->anon_bytes = AMGR_UNKNOWN;
    process->rss_bytes = AMGR_UNKNOWN;
    (void)amgr_retire_follow(snapshot, record);
    assert_int_equal(record->freed_bytes, 7 * MB);
    fixture->world->decisions[0].follow_up = 1;
    (void)ended_by(fixture, AMGR_STEP_KILL);
    process->rss_bytes = (apr_uint64_t)MB;
    (void)amgr_retire_follow(snapshot, record);
    assert_int_equal(record->freed_bytes, 7 * MB);
}

static void gone(fixture_t *fixture)
{
    (void)ended_by(fixture, AMGR_STEP_KILL);
    fixture->world->snapshot.server.min_spare_workers = 2;
    fixture->world->snapshot.server.idle_workers = 1;
    world_remove(fixture->world, fixture->child);
    (void)amgr_retire_follow(&fixture->world->snapshot, &fixture->record);
    assert_int_equal(fixture->record.replacement, AMGR_REPLACEMENT_WAITING);
    world_pass(fixture->world, SEC);
}

static void expect_replacement(fixture_t *fixture, int replacement)
{
    assert_int_equal(
        amgr_retire_follow(&fixture->world->snapshot, &fixture->record),
        AMGR_NEWS_UPDATED);
    assert_int_equal(fixture->record.replacement, replacement);
    assert_false(amgr_retire_is_open(&fixture->record));
}

static void what_was_only_decided_retired_nobody(void **state)
{
    fixture_t *fixture = *state;
    amgr_snapshot_t *snapshot = &fixture->world->snapshot;

    amgr_record_fill(&fixture->record, snapshot, &fixture->world->decisions[0],
                     &fixture->world->limits);
    assert_true(amgr_retire_is_open(&fixture->record));
    world_remove(fixture->world, fixture->child);
    assert_int_equal(amgr_retire_follow(snapshot, &fixture->record),
                     AMGR_NEWS_UPDATED);
    assert_int_equal(fixture->record.outcome, AMGR_OUTCOME_VANISHED);
    assert_false(amgr_retire_is_open(&fixture->record));
}

static void enough_idle_workers_replace_it(void **state)
{
    fixture_t *fixture = *state;

    gone(fixture);
    fixture->world->snapshot.server.idle_workers = 2;
    expect_replacement(fixture, AMGR_REPLACEMENT_READY);
    assert_int_equal(fixture->record.replaced_us, SEC);
}

static void a_younger_process_replaces_it(void **state)
{
    fixture_t *fixture = *state;
    amgr_process_t *process;

    gone(fixture);
    process = world_native(fixture->world, fixture->child + 1);
    process->age_us = SEC / 2;
    process->state = AMGR_STATE_STOPPING;
    assert_int_equal(
        amgr_retire_follow(&fixture->world->snapshot, &fixture->record),
        AMGR_NEWS_NONE);
    process->state = AMGR_STATE_SERVING;
    expect_replacement(fixture, AMGR_REPLACEMENT_SERVING);
}

static void an_older_process_does_not(void **state)
{
    fixture_t *fixture = *state;

    gone(fixture);
    world_native(fixture->world, fixture->child + 1)->age_us = 9 * SEC;
    assert_int_equal(
        amgr_retire_follow(&fixture->world->snapshot, &fixture->record),
        AMGR_NEWS_NONE);
    world_pass(fixture->world, SEC);
    expect_replacement(fixture, AMGR_REPLACEMENT_NOT_FORKED);
}

static void one_that_outlives_its_kill_is_told_once(void **state)
{
    fixture_t *fixture = *state;
    amgr_snapshot_t *snapshot = &fixture->world->snapshot;

    (void)ended_by(fixture, AMGR_STEP_KILL);
    world_pass(fixture->world, 10 * SEC);
    assert_int_equal(amgr_retire_follow(snapshot, &fixture->record),
                     AMGR_NEWS_NONE);
    world_pass(fixture->world, SEC);
    assert_int_equal(amgr_retire_follow(snapshot, &fixture->record),
                     AMGR_NEWS_UPDATED | AMGR_NEWS_STUCK);
    assert_int_equal(amgr_retire_follow(snapshot, &fixture->record),
                     AMGR_NEWS_NONE);
}

static void another_process_of_the_pid_confirms(void **state)
{
    fixture_t *fixture = *state;
    amgr_snapshot_t *snapshot = &fixture->world->snapshot;

    (void)ended_by(fixture, AMGR_STEP_KILL);
    snapshot->processes[0].id.start_ticks++;
    assert_true(amgr_retire_follow(snapshot, &fixture->record) &
                AMGR_NEWS_GONE);
}

static void a_full_table_confirms_workers_alone(void **state)
{
    fixture_t *fixture = *state;
    amgr_snapshot_t *snapshot = &fixture->world->snapshot;

    (void)ended_by(fixture, AMGR_STEP_KILL);
    world_remove(fixture->world, fixture->child);
    world_add(fixture->world, fixture->child + 1, AMGR_ROLE_DAEMON, "daemon");
    snapshot->process_max = 1;
    fixture->record.role = AMGR_ROLE_WSGI;
    assert_int_equal(amgr_retire_follow(snapshot, &fixture->record),
                     AMGR_NEWS_NONE);
    assert_int_equal(fixture->record.outcome, AMGR_OUTCOME_PENDING);
    /* Workers come first: one that is not there is nowhere. */
    fixture->record.role = AMGR_ROLE_WORKER;
    assert_true(amgr_retire_follow(snapshot, &fixture->record) &
                AMGR_NEWS_GONE);
}

static void a_dry_run_sends_nothing(void **state)
{
    fixture_t *fixture = *state;

    fixture->world->limits.dry_run = 1;
    assert_int_equal(apply(fixture, getpid()), APR_SUCCESS);
    assert_int_equal(fixture->record.action, AMGR_ACTION_NONE);
    assert_int_equal(fixture->record.outcome, AMGR_OUTCOME_DRY_RUN);
    fixture->world->limits.dry_run = 0;
    fixture->world->decisions[0].cause = AMGR_CAUSE_DRY_RUN;
    assert_int_equal(apply(fixture, getpid()), APR_SUCCESS);
    assert_int_equal(fixture->record.outcome, AMGR_OUTCOME_DRY_RUN);
    assert_true(is_running(fixture));
}

static void only_granted_decisions_on_workers_are_sent(void **state)
{
    fixture_t *fixture = *state;
    amgr_process_t *process = &fixture->world->snapshot.processes[0];
    amgr_proc_id_t id = process->id;
    int role;

    fixture->world->decisions[0].cause = AMGR_CAUSE_STORM;
    assert_int_equal(apply(fixture, getpid()), APR_EINVAL);
    fixture->world->decisions[0].cause = AMGR_CAUSE_NONE;
    fixture->world->decisions[0].step = AMGR_STEP_NONE;
    assert_int_equal(apply(fixture, getpid()), APR_EINVAL);
    fixture->world->decisions[0].step = AMGR_STEP_COUNT;
    assert_int_equal(apply(fixture, getpid()), APR_EINVAL);
    fixture->world->decisions[0].step = AMGR_STEP_KILL;
    for (role = AMGR_ROLE_DAEMON; role < AMGR_ROLE_COUNT; role++) {
        process->role = role;
        assert_int_equal(apply(fixture, getpid()), APR_EINVAL);
        assert_int_equal(fixture->record.outcome, AMGR_OUTCOME_FAILED);
        assert_int_equal(fixture->record.action, AMGR_ACTION_NONE);
    }
    process->role = AMGR_ROLE_WORKER;
    process->id.start_ticks = 0;
    assert_int_equal(apply(fixture, getpid()), APR_EINVAL);
    process->id = id;
    assert_int_equal(apply(fixture, 0), APR_EINVAL);
    assert_true(is_running(fixture));
}

static void nobody_elses_child_and_no_stranger(void **state)
{
    fixture_t *fixture = *state;
    amgr_process_t *process = &fixture->world->snapshot.processes[0];

    assert_int_equal(apply(fixture, getppid()), APR_NOTFOUND);
    assert_int_equal(fixture->record.outcome, AMGR_OUTCOME_VANISHED);
    process->id.start_ticks++;
    assert_int_equal(apply(fixture, getpid()), APR_NOTFOUND);
    assert_true(is_running(fixture));
}

static void gone_before_the_signal(void **state)
{
    fixture_t *fixture = *state;

    kill(fixture->child, SIGKILL);
    assert_int_equal(waitpid(fixture->child, NULL, 0), fixture->child);
    assert_int_equal(apply(fixture, getpid()), APR_NOTFOUND);
    assert_int_equal(fixture->record.outcome, AMGR_OUTCOME_VANISHED);
    assert_int_equal(fixture->record.ended_us, 0);
    assert_false(amgr_retire_is_open(&fixture->record));
}

#define WITH_CHILD(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_CHILD(announcing_sends_nothing),
        WITH_CHILD(a_threaded_worker_is_asked_without_a_signal),
        WITH_CHILD(a_single_worker_is_asked_by_its_signal),
        WITH_CHILD(a_daemon_is_asked_by_its_signal),
        WITH_CHILD(a_nudge_is_sigterm),
        WITH_CHILD(a_kill_is_a_kill),
        WITH_CHILD(each_step_has_its_time),
        WITH_CHILD(the_end_is_seen),
        WITH_CHILD(an_ending_process_gives_back_what_it_had),
        WITH_CHILD(what_was_only_decided_retired_nobody),
        WITH_CHILD(enough_idle_workers_replace_it),
        WITH_CHILD(a_younger_process_replaces_it),
        WITH_CHILD(an_older_process_does_not),
        WITH_CHILD(one_that_outlives_its_kill_is_told_once),
        WITH_CHILD(another_process_of_the_pid_confirms),
        WITH_CHILD(a_full_table_confirms_workers_alone),
        WITH_CHILD(a_dry_run_sends_nothing),
        WITH_CHILD(only_granted_decisions_on_workers_are_sent),
        WITH_CHILD(nobody_elses_child_and_no_stranger),
        WITH_CHILD(gone_before_the_signal),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
