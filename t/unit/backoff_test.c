/* SPDX-License-Identifier: Apache-2.0
 *
 * Delays between starts, with an invented clock and invented chance.
 */
#include "invented.h"

#include "supervise/backoff.h"

static const amgr_backoff_rule_t rule = {.delay_us = SEC,
                                         .factor = 2.0,
                                         .max_us = 60 * SEC,
                                         .jitter_percent = 10,
                                         .reset_us = 60 * SEC,
                                         .limit = 5,
                                         .window_us = 60 * SEC};

static void delays_double_up_to_the_most(void **state)
{
    static const int seconds[] = {1, 2, 4, 8, 16, 32, 60, 60, 60};
    amgr_backoff_t backoff = {0};
    apr_size_t i;

    (void)state; /* cmocka's signature */
    for (i = 0; i < AMGR_COUNT(seconds); i++) {
        amgr_backoff_note_failure(&backoff, &rule, (apr_time_t)i);
        assert_int_equal(amgr_backoff_delay_us(&backoff, &rule, 0.5),
                         seconds[i] * SEC);
    }
}

static void other_ends_count_for_the_delay_alone(void **state)
{
    amgr_backoff_t backoff = {0};
    int i;

    (void)state; /* cmocka's signature */
    for (i = 0; i < 3; i++) {
        amgr_backoff_note_end(&backoff);
    }
    assert_int_equal(amgr_backoff_delay_us(&backoff, &rule, 0.5), 4 * SEC);
    for (i = 0; i < 4; i++) {
        assert_false(amgr_backoff_note_failure(&backoff, &rule, 0));
    }
    assert_true(amgr_backoff_note_failure(&backoff, &rule, 0));
}

static void chance_moves_a_delay_both_ways(void **state)
{
    amgr_backoff_t backoff = {0};
    amgr_backoff_rule_t steady = rule;

    (void)state; /* cmocka's signature */
    amgr_backoff_note_failure(&backoff, &rule, 0);
    assert_int_equal(amgr_backoff_delay_us(&backoff, &rule, 0.0), 900000);
    assert_int_equal(amgr_backoff_delay_us(&backoff, &rule, 1.0), 1100000);
    assert_int_equal(amgr_backoff_delay_us(&backoff, &rule, 7.0), SEC);
    assert_int_equal(amgr_backoff_delay_us(&backoff, &rule, -7.0), SEC);
    steady.jitter_percent = 0;
    assert_int_equal(amgr_backoff_delay_us(&backoff, &steady, 0.0), SEC);
}

static void without_a_factor_they_stay(void **state)
{
    amgr_backoff_t backoff = {0};
    amgr_backoff_rule_t same = rule;
    int i;

    (void)state; /* cmocka's signature */
    same.factor = 1.0;
    for (i = 0; i < 20000; i++) {
        amgr_backoff_note_failure(&backoff, &same, i);
        assert_int_equal(amgr_backoff_delay_us(&backoff, &same, 0.5), SEC);
    }
}

static void none_is_so_short_that_it_costs(void **state)
{
    amgr_backoff_t backoff = {0};
    amgr_backoff_rule_t none = rule;

    (void)state; /* cmocka's signature */
    none.delay_us = 0;
    amgr_backoff_note_failure(&backoff, &none, 0);
    assert_int_equal(amgr_backoff_delay_us(&backoff, &none, 0.5),
                     AMGR_BACKOFF_MIN_US);
    none.delay_us = none.max_us = 10;
    assert_int_equal(amgr_backoff_delay_us(&backoff, &none, 1.0),
                     AMGR_BACKOFF_MIN_US);
}

static void the_last_within_the_window_is_too_many(void **state)
{
    amgr_backoff_t backoff = {0};
    int i;

    (void)state; /* cmocka's signature */
    for (i = 0; i < 4; i++) {
        assert_false(amgr_backoff_note_failure(&backoff, &rule, i * SEC));
    }
    assert_true(amgr_backoff_note_failure(&backoff, &rule, 60 * SEC));

    amgr_backoff_clear(&backoff);
    for (i = 0; i < 4; i++) {
        assert_false(amgr_backoff_note_failure(&backoff, &rule, i * SEC));
    }
    assert_false(amgr_backoff_note_failure(&backoff, &rule, 60 * SEC + 1));
    assert_true(amgr_backoff_note_failure(&backoff, &rule, 60 * SEC + 2));
}

static void rare_failures_go_on_for_ever(void **state)
{
    amgr_backoff_t backoff = {0};
    int i;

    (void)state; /* cmocka's signature */
    for (i = 0; i < 1000; i++) {
        assert_false(amgr_backoff_note_failure(&backoff, &rule, i * 16 * SEC));
    }
}

static void without_a_limit_none_is_too_many(void **state)
{
    amgr_backoff_t backoff = {0};
    amgr_backoff_rule_t patient = rule;
    int i;

    (void)state; /* cmocka's signature */
    patient.limit = 0;
    for (i = 0; i < 1000; i++) {
        assert_false(amgr_backoff_note_failure(&backoff, &patient, i));
    }
}

static void one_is_enough_when_one_is_allowed(void **state)
{
    amgr_backoff_t backoff = {0};
    amgr_backoff_rule_t strict = rule;

    (void)state; /* cmocka's signature */
    strict.limit = 1;
    assert_true(amgr_backoff_note_failure(&backoff, &strict, 5));
}

static void a_limit_beyond_memory_is_cut(void **state)
{
    amgr_backoff_t backoff = {0};
    amgr_backoff_rule_t wide = rule;
    int i;

    (void)state; /* cmocka's signature */
    wide.limit = 100000;
    for (i = 1; i < AMGR_BACKOFF_FAILURES_MAX; i++) {
        assert_false(amgr_backoff_note_failure(&backoff, &wide, 1));
    }
    assert_true(amgr_backoff_note_failure(&backoff, &wide, 1));
}

static void being_ready_for_long_forgets(void **state)
{
    amgr_backoff_t backoff = {0};
    int i;

    (void)state; /* cmocka's signature */
    for (i = 0; i < 4; i++) {
        amgr_backoff_note_failure(&backoff, &rule, i);
    }
    amgr_backoff_note_ready(&backoff, &rule, 60 * SEC - 1);
    assert_int_equal(backoff.failures, 4);
    amgr_backoff_note_ready(&backoff, &rule, 60 * SEC);
    assert_int_equal(backoff.failures, 0);
    assert_false(amgr_backoff_note_failure(&backoff, &rule, 5));
    assert_int_equal(amgr_backoff_delay_us(&backoff, &rule, 0.5), SEC);
}

static void a_clock_that_goes_back_takes_nothing_away(void **state)
{
    amgr_backoff_t backoff = {0};
    int i;

    (void)state; /* cmocka's signature */
    for (i = 0; i < 4; i++) {
        assert_false(
            amgr_backoff_note_failure(&backoff, &rule, (100 - i) * SEC));
    }
    assert_true(amgr_backoff_note_failure(&backoff, &rule, 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(delays_double_up_to_the_most),
        cmocka_unit_test(other_ends_count_for_the_delay_alone),
        cmocka_unit_test(chance_moves_a_delay_both_ways),
        cmocka_unit_test(without_a_factor_they_stay),
        cmocka_unit_test(none_is_so_short_that_it_costs),
        cmocka_unit_test(the_last_within_the_window_is_too_many),
        cmocka_unit_test(rare_failures_go_on_for_ever),
        cmocka_unit_test(without_a_limit_none_is_too_many),
        cmocka_unit_test(one_is_enough_when_one_is_allowed),
        cmocka_unit_test(a_limit_beyond_memory_is_cut),
        cmocka_unit_test(being_ready_for_long_forgets),
        cmocka_unit_test(a_clock_that_goes_back_takes_nothing_away),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
