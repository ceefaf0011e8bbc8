/* SPDX-License-Identifier: Apache-2.0
 *
 * Carrying out decisions on real children: who is signalled, who never is,
 * and how the end is noticed.
 */
#include <signal.h>
#include <sys/wait.h>
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
    memset(&fixture->record, 0xa5, sizeof(fixture->record));
    return amgr_retire_apply(&fixture->proc, parent, &fixture->world->limits,
                             &fixture->world->snapshot,
                             &fixture->world->decisions[0], &fixture->record);
}

static int is_running(const fixture_t *fixture)
{
    return waitpid(fixture->child, NULL, WNOHANG) == 0;
}

static void kills_and_sees_it_through(void **state)
{
    fixture_t *fixture = *state;
    amgr_snapshot_t *snapshot = &fixture->world->snapshot;
    amgr_record_t *record = &fixture->record;
    int status;

    assert_int_equal(apply(fixture, getpid()), APR_SUCCESS);
    assert_int_equal(record->action, AMGR_ACTION_KILL);
    assert_int_equal(record->outcome, AMGR_OUTCOME_PENDING);
    assert_int_equal(record->ended_us, AMGR_NO_TIME);
    assert_int_equal(record->serial, 0);
    assert_int_equal(record->id.pid, fixture->child);
    assert_int_equal(waitpid(fixture->child, &status, 0), fixture->child);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGKILL);
    world_pass(fixture->world, 3 * SEC);
    world_jump(fixture->world, -100 * SEC);
    assert_false(amgr_retire_confirm(snapshot, record));
    world_remove(fixture->world, fixture->child);
    assert_true(amgr_retire_confirm(snapshot, record));
    assert_int_equal(record->outcome, AMGR_OUTCOME_GONE);
    assert_int_equal(record->ended_us, 3 * SEC);
    assert_false(amgr_retire_confirm(snapshot, record));
}

static void another_process_of_the_pid_confirms(void **state)
{
    fixture_t *fixture = *state;
    amgr_snapshot_t *snapshot = &fixture->world->snapshot;

    assert_int_equal(apply(fixture, getpid()), APR_SUCCESS);
    snapshot->processes[0].id.start_ticks++;
    assert_true(amgr_retire_confirm(snapshot, &fixture->record));
}

static void a_full_table_confirms_workers_alone(void **state)
{
    fixture_t *fixture = *state;
    amgr_snapshot_t *snapshot = &fixture->world->snapshot;

    assert_int_equal(apply(fixture, getpid()), APR_SUCCESS);
    world_remove(fixture->world, fixture->child);
    world_add(fixture->world, fixture->child + 1, AMGR_ROLE_DAEMON, "daemon");
    snapshot->process_max = 1;
    fixture->record.role = AMGR_ROLE_WSGI;
    assert_false(amgr_retire_confirm(snapshot, &fixture->record));
    assert_int_equal(fixture->record.outcome, AMGR_OUTCOME_PENDING);
    /* Workers come first: one that is not there is nowhere. */
    fixture->record.role = AMGR_ROLE_WORKER;
    assert_true(amgr_retire_confirm(snapshot, &fixture->record));
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
    assert_false(
        amgr_retire_confirm(&fixture->world->snapshot, &fixture->record));
}

#define WITH_CHILD(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_CHILD(kills_and_sees_it_through),
        WITH_CHILD(another_process_of_the_pid_confirms),
        WITH_CHILD(a_full_table_confirms_workers_alone),
        WITH_CHILD(a_dry_run_sends_nothing),
        WITH_CHILD(only_granted_decisions_on_workers_are_sent),
        WITH_CHILD(nobody_elses_child_and_no_stranger),
        WITH_CHILD(gone_before_the_signal),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
