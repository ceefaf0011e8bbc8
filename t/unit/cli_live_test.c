/* SPDX-License-Identifier: Apache-2.0
 *
 * How old a request may be that a page tells of, by what the last tick saw of
 * its process.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "cli/kill/live_slots.h"

#define SEC(seconds) ((seconds)*APR_USEC_PER_SEC)

#define SLOTS 16

/** Nothing is measured by it but what is apart. */
#define NOW_US SEC(APR_INT64_C(1700000000))

static amgr_process_t process;
static amgr_slot_t slots[SLOTS];
static amgr_slot_t seen[SLOTS];
static amgr_ticked_t ticked;

/* The last tick was five seconds ago. */
#define SINCE_SEC 5
#define SINCE_US SEC(SINCE_SEC)

static void begin(amgr_slot_t *slot, int age_seconds)
{
    slot->mode = AMGR_MODE_WRITE;
    slot->start_time_us = NOW_US - SEC(age_seconds);
    slot->stop_time_us = slot->start_time_us - 1;
    slot->request_age_us = SEC(age_seconds);
}

/* So old at the tick. */
static void begin_seen(amgr_slot_t *slot, int age_seconds)
{
    begin(slot, age_seconds + SINCE_SEC);
    slot->request_age_us = SEC(age_seconds);
}

static int set_up(void **state)
{
    int i;

    (void)state; /* cmocka's signature */
    memset(&process, 0, sizeof(process));
    memset(slots, 0, sizeof(slots));
    memset(seen, 0, sizeof(seen));
    process.age_us = SEC(100);
    process.slot_count = SLOTS;
    for (i = 0; i < SLOTS; i++) {
        slots[i].request_age_us = AMGR_NO_TIME;
        slots[i].mode = AMGR_MODE_READY;
        seen[i] = slots[i];
    }
    ticked.slots = seen;
    ticked.count = SLOTS;
    ticked.is_ordered = 1;
    return 0;
}

static void bound(void)
{
    amgr_live_bound_ages(&process, slots, &ticked, SINCE_US);
}

/* The clock was set, and the tick knew better. */
static void test_same_slot(void **state)
{
    (void)state; /* cmocka's signature */
    begin(&slots[3], 25);
    begin_seen(&seen[3], 20);
    slots[3].request_age_us = SEC(3600);
    begin(&slots[4], 25);
    bound();
    assert_int_equal(slots[3].request_age_us, SEC(25));
    assert_int_equal(slots[4].request_age_us, SINCE_US);
    ticked.slots = NULL;
    slots[3].request_age_us = SEC(3600);
    bound();
    assert_int_equal(slots[3].request_age_us, SEC(100));
}

/* mod_status leaves out threads that have never served: the first of its rows
 * is the last of the threads. */
static void test_any_slot(void **state)
{
    (void)state; /* cmocka's signature */
    ticked.is_ordered = 0;
    begin(&slots[0], 25);
    slots[0].start_time_us += SEC(1); /* in whole seconds */
    begin_seen(&seen[15], 20);
    bound();
    assert_int_equal(slots[0].request_age_us, SEC(25));
    slots[0].request_age_us = SEC(3600);
    bound();
    assert_int_equal(slots[0].request_age_us, SEC(25));
}

/* One that the tick did not see began after it. */
static void test_after_the_tick(void **state)
{
    (void)state; /* cmocka's signature */
    ticked.is_ordered = 0;
    begin(&slots[0], 25);
    begin_seen(&seen[15], 40);
    /* Its last request began then, and has ended. */
    seen[14].start_time_us = slots[0].start_time_us;
    seen[14].stop_time_us = slots[0].start_time_us + 1;
    bound();
    assert_int_equal(slots[0].request_age_us, SINCE_US);
}

/* Nobody can say which of two it is: the one that must not go. */
static void test_two_of_a_time(void **state)
{
    (void)state; /* cmocka's signature */
    ticked.is_ordered = 0;
    begin(&slots[0], 25);
    begin_seen(&seen[14], 20);
    begin_seen(&seen[15], 19);
    bound();
    assert_int_equal(slots[0].request_age_us, SEC(24));
    seen[14].request_age_us = AMGR_NO_TIME;
    bound();
    assert_int_equal(slots[0].request_age_us, AMGR_NO_TIME);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_same_slot, set_up),
        cmocka_unit_test_setup(test_any_slot, set_up),
        cmocka_unit_test_setup(test_after_the_tick, set_up),
        cmocka_unit_test_setup(test_two_of_a_time, set_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
