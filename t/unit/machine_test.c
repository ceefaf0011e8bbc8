/* SPDX-License-Identifier: Apache-2.0
 *
 * The table of states and events, cell by cell, against one written anew; and
 * what follows an end.
 */
#include "invented.h"

#include "supervise/machine.h"
#include "supervise/spec/spec.h"

/* Two letters a cell: the next state, and the action. */
static const char states[] = "osrRbpxF"; /* in the order of the enum */
static const char actions[] = "-LVWATSB.";

typedef struct row_t {
    int event;
    const char *cells;
} row_t;

static const row_t expected[] = {
    /* STOPPED STARTING RUNNING READY BACKOFF STOPPING EXITED FATAL */
    {AMGR_MACHINE_START, "sL s- r- R- sL p- sL sL"},
    {AMGR_MACHINE_HELD, "o- s- r- R- o. p- o. o."},
    {AMGR_MACHINE_STARTED, "o- rV r- R- b- p- x- F-"},
    {AMGR_MACHINE_LAUNCH_FAILED, "o- sA r- R- b- p- x- F-"},
    {AMGR_MACHINE_VERIFIED, "o- s- RW R- b- p- x- F-"},
    {AMGR_MACHINE_UNVERIFIED, "o- s- pT R- b- p- x- F-"},
    {AMGR_MACHINE_START_TIMEOUT, "o- pT pT R- b- p- x- F-"},
    {AMGR_MACHINE_UNHEALTHY, "o- s- r- pT b- p- x- F-"},
    {AMGR_MACHINE_OVER_MEMORY, "o- pT pT pT b- p- x- F-"},
    {AMGR_MACHINE_ENDED, "o- pA pA pA b- p- x- F-"},
    {AMGR_MACHINE_STOP, "o- pT pT pT o. p- x- o."},
    {AMGR_MACHINE_LOST, "o- pS pS pS b- pS x- F-"},
    {AMGR_MACHINE_GONE_DOWN, "o- o. r- R- b- o. x- F-"},
    {AMGR_MACHINE_GONE_DONE, "o- x. r- R- b- x. x- F-"},
    {AMGR_MACHINE_GONE_RETRY, "o- bB r- R- b- bB x- F-"},
    {AMGR_MACHINE_GONE_FATAL, "o- F. r- R- b- F. x- F-"},
};

static void every_cell_is_as_written(void **state)
{
    int i;
    int was;

    (void)state; /* cmocka's signature */
    assert_int_equal(AMGR_COUNT(expected), AMGR_MACHINE_EVENT_COUNT);
    assert_int_equal(sizeof(states) - 1, AMGR_MANAGED_STATE_COUNT);
    assert_int_equal(sizeof(actions) - 1, AMGR_MACHINE_ACTION_COUNT);
    for (i = 0; i < AMGR_MACHINE_EVENT_COUNT; i++) {
        assert_int_equal(expected[i].event, i);
        for (was = 0; was < AMGR_MANAGED_STATE_COUNT; was++) {
            amgr_machine_cell_t cell = amgr_machine_step(was, i);
            const char *wanted = expected[i].cells + (ptrdiff_t)3 * was;

            if (states[cell.state] != wanted[0] ||
                actions[cell.action] != wanted[1]) {
                fail_msg("state %d, event %d: %c%c, expected %.2s", was, i,
                         states[cell.state], actions[cell.action], wanted);
            }
        }
    }
}

static void what_is_no_cell_does_nothing(void **state)
{
    (void)state; /* cmocka's signature */
    assert_int_equal(amgr_machine_step(-1, 0).action, AMGR_MACHINE_NOTHING);
    assert_int_equal(amgr_machine_step(99, 0).action, AMGR_MACHINE_NOTHING);
    assert_int_equal(amgr_machine_step(0, -1).action, AMGR_MACHINE_NOTHING);
    assert_int_equal(amgr_machine_step(0, 99).action, AMGR_MACHINE_NOTHING);
}

/* Without a guard nothing is told to one, and nothing is waited for. */
static void a_state_without_guard_has_nothing_to_stop(void **state)
{
    static const int bare[] = {AMGR_MANAGED_STOPPED, AMGR_MANAGED_BACKOFF,
                               AMGR_MANAGED_EXITED, AMGR_MANAGED_FATAL};
    apr_size_t i;
    int event;

    (void)state; /* cmocka's signature */
    for (i = 0; i < AMGR_COUNT(bare); i++) {
        for (event = 0; event < AMGR_MACHINE_EVENT_COUNT; event++) {
            amgr_machine_cell_t cell = amgr_machine_step(bare[i], event);

            assert_true(cell.action == AMGR_MACHINE_NOTHING ||
                        cell.action == AMGR_MACHINE_REST ||
                        cell.action == AMGR_MACHINE_LAUNCH);
            assert_true(cell.state == AMGR_MANAGED_STARTING ||
                        cell.state == AMGR_MANAGED_STOPPED ||
                        cell.state == bare[i]);
        }
    }
}

typedef struct end_case_t {
    int cause;
    int always; /* what follows, by Restart */
    int on_failure;
    int never;
} end_case_t;

static void the_policy_decides_what_follows(void **state)
{
    enum {
        DOWN = AMGR_MACHINE_GONE_DOWN,
        DONE = AMGR_MACHINE_GONE_DONE,
        RETRY = AMGR_MACHINE_GONE_RETRY
    };
    static const end_case_t cases[] = {
        {AMGR_MANAGED_EXIT_CLEAN, RETRY, DONE, DONE},
        {AMGR_MANAGED_EXIT_CODE, RETRY, RETRY, DONE},
        {AMGR_MANAGED_EXIT_SIGNAL, RETRY, RETRY, DONE},
        {AMGR_MANAGED_EXIT_EXEC, RETRY, RETRY, RETRY},
        {AMGR_MANAGED_EXIT_START_TIMEOUT, RETRY, RETRY, DONE},
        {AMGR_MANAGED_EXIT_UNHEALTHY, RETRY, RETRY, DONE},
        {AMGR_MANAGED_EXIT_MEMORY, RETRY, RETRY, DONE},
        {AMGR_MANAGED_EXIT_ORDERED, DOWN, DOWN, DOWN},
        {AMGR_MANAGED_EXIT_LOST, RETRY, RETRY, DONE},
    };
    apr_size_t i;

    (void)state; /* cmocka's signature */
    assert_int_equal(AMGR_COUNT(cases), AMGR_MANAGED_EXIT_COUNT);
    for (i = 0; i < AMGR_COUNT(cases); i++) {
        amgr_machine_run_t run = {cases[i].cause, 0, 1, 0, 0};
        int wanted[AMGR_RESTART_COUNT];

        wanted[AMGR_RESTART_ALWAYS] = cases[i].always;
        wanted[AMGR_RESTART_ON_FAILURE] = cases[i].on_failure;
        wanted[AMGR_RESTART_NEVER] = cases[i].never;
        for (run.restart = 0; run.restart < AMGR_RESTART_COUNT; run.restart++) {
            assert_int_equal(amgr_machine_gone(&run), wanted[run.restart]);
            run.limit_reached = 1;
            assert_int_equal(amgr_machine_gone(&run),
                             wanted[run.restart] == RETRY &&
                                     cases[i].cause != AMGR_MANAGED_EXIT_CLEAN
                                 ? AMGR_MACHINE_GONE_FATAL
                                 : wanted[run.restart]);
            run.is_asked = 1; /* what was asked for comes before */
            assert_int_equal(amgr_machine_gone(&run), DOWN);
            run.is_asked = 0;
            run.is_wanted = 0;
            assert_int_equal(amgr_machine_gone(&run), DOWN);
            run.is_wanted = 1;
            run.limit_reached = 0;
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_cell_is_as_written),
        cmocka_unit_test(what_is_no_cell_does_nothing),
        cmocka_unit_test(a_state_without_guard_has_nothing_to_stop),
        cmocka_unit_test(the_policy_decides_what_follows),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
