/* SPDX-License-Identifier: Apache-2.0
 *
 * Orders: who gets which, when they change, and that a sleeper is woken.
 */
#include <pthread.h>
#include <time.h>

#include "invented_board.h"

#include "action/orders.h"

/* The ledger's entry of a process that is being retired. */
static amgr_ledger_process_t *retiring(fixture_t *fixture, pid_t pid, int step)
{
    amgr_ledger_t *ledger = amgr_board_ledger(fixture->board);
    amgr_ledger_process_t *entry;

    amgr_ledger_follow(ledger, &fixture->out->snapshot);
    world_find(fixture->out, pid)->state = AMGR_STATE_RETIRING;
    entry = amgr_ledger_find(ledger, &world_find(fixture->out, pid)->id);
    assert_non_null(entry);
    entry->step = step;
    entry->asks = step == AMGR_STEP_ASK;
    return entry;
}

static int order_for(const fixture_t *fixture, pid_t pid)
{
    return amgr_orders_find(amgr_board_orders(fixture->board), pid, NULL);
}

/* Publish; whether the serial number tells of a change. */
static int publish(fixture_t *fixture)
{
    const amgr_orders_t *orders = amgr_board_orders(fixture->board);
    apr_uint32_t before = amgr_orders_serial(orders);

    amgr_orders_publish(fixture->board, &fixture->out->snapshot);
    return amgr_orders_serial(orders) != before;
}

static void nobody_has_orders_without_a_board(void **state)
{
    (void)state; /* cmocka's signature */
    assert_int_equal(amgr_orders_find(&amgr_orders_none, getpid(), NULL),
                     AMGR_ORDER_NONE);
    assert_int_equal(amgr_orders_serial(&amgr_orders_none), 0);
}

static void each_step_is_an_order(void **state)
{
    static const int orders[AMGR_STEP_COUNT] = {
        [AMGR_STEP_ANNOUNCE] = AMGR_ORDER_LAME_DUCK,
        [AMGR_STEP_ASK] = AMGR_ORDER_DRAIN,
    };
    fixture_t *fixture = *state;
    int step;

    world_natives(fixture->out, 3);
    assert_false(publish(fixture));
    for (step = AMGR_STEP_NONE; step < AMGR_STEP_COUNT; step++) {
        retiring(fixture, 101, step);
        publish(fixture);
        assert_int_equal(order_for(fixture, 101), orders[step]);
        assert_int_equal(order_for(fixture, 100), AMGR_ORDER_NONE);
        assert_int_equal(order_for(fixture, 0), AMGR_ORDER_NONE);
        assert_false(publish(fixture));
    }
}

static void asking_again_is_another_order(void **state)
{
    fixture_t *fixture = *state;
    amgr_ledger_process_t *entry;
    int count = 0;

    world_natives(fixture->out, 3);
    entry = retiring(fixture, 102, AMGR_STEP_ASK);
    assert_true(publish(fixture));
    entry->asks++;
    assert_true(publish(fixture));
    assert_int_equal(
        amgr_orders_find(amgr_board_orders(fixture->board), 102, &count),
        AMGR_ORDER_DRAIN);
    assert_int_equal(count, 2);
}

static void an_order_goes_with_its_process(void **state)
{
    fixture_t *fixture = *state;

    world_natives(fixture->out, 3);
    retiring(fixture, 100, AMGR_STEP_ASK);
    retiring(fixture, 102, AMGR_STEP_ANNOUNCE);
    assert_true(publish(fixture));
    world_remove(fixture->out, 100);
    assert_true(publish(fixture));
    assert_int_equal(order_for(fixture, 100), AMGR_ORDER_NONE);
    assert_int_equal(order_for(fixture, 102), AMGR_ORDER_LAME_DUCK);
}

static void daemons_take_signals_not_orders(void **state)
{
    fixture_t *fixture = *state;

    world_add(fixture->out, 300, AMGR_ROLE_WSGI, "example");
    retiring(fixture, 300, AMGR_STEP_ASK);
    assert_false(publish(fixture));
    assert_int_equal(order_for(fixture, 300), AMGR_ORDER_NONE);
}

static void who_is_not_retiring_has_none(void **state)
{
    fixture_t *fixture = *state;

    world_natives(fixture->out, 3);
    retiring(fixture, 100, AMGR_STEP_ASK);
    world_find(fixture->out, 100)->state = AMGR_STATE_SERVING;
    assert_false(publish(fixture));
}

static void all_may_have_orders_at_once(void **state)
{
    fixture_t *fixture = *state;
    int i;

    world_natives(fixture->out, 40);
    for (i = 0; i < 40; i++) {
        retiring(fixture, 100 + i, AMGR_STEP_ASK);
    }
    assert_true(publish(fixture));
    for (i = 0; i < 40; i++) {
        assert_int_equal(order_for(fixture, 100 + i), AMGR_ORDER_DRAIN);
    }
}

typedef struct sleeper_t {
    const amgr_orders_t *orders;
    apr_uint32_t serial;
    pid_t pid;
    int woke;
} sleeper_t;

static void *sleep_on_orders(void *data)
{
    sleeper_t *sleeper = data;

    amgr_orders_wait(sleeper->orders, sleeper->serial, sleeper->pid);
    __atomic_store_n(&sleeper->woke, 1, __ATOMIC_RELEASE);
    return NULL;
}

static int woke_within(const sleeper_t *sleeper, int millis)
{
    static const struct timespec span = {0, 1000 * 1000};

    while (millis-- > 0 && !__atomic_load_n(&sleeper->woke, __ATOMIC_ACQUIRE)) {
        nanosleep(&span, NULL);
    }
    return __atomic_load_n(&sleeper->woke, __ATOMIC_ACQUIRE);
}

static void an_order_wakes_its_sleeper(void **state)
{
    fixture_t *fixture = *state;
    sleeper_t sleeper = {amgr_board_orders(fixture->board), 0, 101, 0};
    sleeper_t other = {amgr_board_orders(fixture->board), 0, 102, 0};
    pthread_t threads[2];

    world_natives(fixture->out, 3);
    assert_int_equal(
        pthread_create(&threads[0], NULL, sleep_on_orders, &sleeper), 0);
    assert_int_equal(pthread_create(&threads[1], NULL, sleep_on_orders, &other),
                     0);
    assert_false(woke_within(&sleeper, 50));
    retiring(fixture, 101, AMGR_STEP_ASK);
    assert_true(publish(fixture));
    assert_true(woke_within(&sleeper, 5000));
    assert_false(woke_within(&other, 20));
    amgr_orders_wake(other.orders, 102);
    assert_true(woke_within(&other, 5000));
    pthread_join(threads[0], NULL);
    pthread_join(threads[1], NULL);
}

static void who_is_late_does_not_sleep(void **state)
{
    fixture_t *fixture = *state;
    const amgr_orders_t *orders = amgr_board_orders(fixture->board);

    world_natives(fixture->out, 3);
    retiring(fixture, 101, AMGR_STEP_ASK);
    assert_true(publish(fixture));
    amgr_orders_wait(orders, amgr_orders_serial(orders) - 1, 101);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nobody_has_orders_without_a_board),
        WITH_BOARD(each_step_is_an_order),
        WITH_BOARD(asking_again_is_another_order),
        WITH_BOARD(an_order_goes_with_its_process),
        WITH_BOARD(daemons_take_signals_not_orders),
        WITH_BOARD(who_is_not_retiring_has_none),
        WITH_BOARD(all_may_have_orders_at_once),
        WITH_BOARD(an_order_wakes_its_sleeper),
        WITH_BOARD(who_is_late_does_not_sleep),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
