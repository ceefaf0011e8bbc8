/* SPDX-License-Identifier: Apache-2.0
 *
 * The default limits: nothing limited, every safety rule on.
 */
#include "invented.h"

static void defaults_limit_nothing_and_are_careful(void **state)
{
    amgr_limits_t limits;

    (void)state; /* cmocka's signature */
    memset(&limits, 0xa5, sizeof(limits));
    amgr_limits_init(&limits);
    assert_false(amgr_limits_are_set(&limits));
    assert_int_equal(limits.max_memory_active_bytes, AMGR_LIMIT_OFF);
    assert_int_equal(limits.max_memory_idle_bytes, AMGR_LIMIT_OFF);
    assert_int_equal(limits.max_time_us, AMGR_LIMIT_OFF);
    assert_int_equal(limits.hanging_us, 300 * SEC);
    assert_int_equal(limits.interval_us, 10 * SEC);
    assert_int_equal(limits.min_age_us, 30 * SEC);
    assert_int_equal(limits.storm_window_us, 60 * SEC);
    assert_int_equal(limits.storm_count, 5);
    assert_int_equal(limits.strikes, 1);
    assert_int_equal(limits.min_serving, 1);
    assert_int_equal(limits.metric, AMGR_METRIC_RSS);
    assert_int_equal(limits.dry_run, 0);
    assert_int_equal(limits.max_retiring.value, 10);
    assert_true(limits.max_retiring.percent);
    assert_int_equal(limits.hard_memory_bytes, AMGR_LIMIT_OFF);
    assert_int_equal(limits.max_memory_total_bytes, AMGR_LIMIT_OFF);
    assert_int_equal(limits.max_memory_total_percent, 0);
    assert_int_equal(limits.max_requests.limit, AMGR_LIMIT_OFF);
    assert_int_equal(limits.max_requests.jitter_percent, 10);
    assert_int_equal(limits.max_lifetime_us.limit, AMGR_LIMIT_OFF);
    assert_int_equal(limits.max_lifetime_us.jitter_percent, 10);
    assert_int_equal(limits.max_generation_age_us, AMGR_LIMIT_OFF);
    assert_int_equal(limits.section_count, 0);
}

static void each_limit_alone_counts_as_set(void **state)
{
    amgr_limits_t limits;

    (void)state; /* cmocka's signature */
    amgr_limits_init(&limits);
    limits.max_memory_active_bytes = 1;
    assert_true(amgr_limits_are_set(&limits));
    amgr_limits_init(&limits);
    limits.max_memory_idle_bytes = 1;
    assert_true(amgr_limits_are_set(&limits));
    amgr_limits_init(&limits);
    assert_false(amgr_limits_time_is_set(&limits));
    limits.max_time_us = 1;
    assert_true(amgr_limits_are_set(&limits));
    assert_true(amgr_limits_time_is_set(&limits));
    amgr_limits_init(&limits);
    limits.max_time_sections = 1;
    assert_true(amgr_limits_are_set(&limits));
    assert_true(amgr_limits_time_is_set(&limits));
    amgr_limits_init(&limits);
    limits.hard_memory_bytes = 1;
    assert_true(amgr_limits_are_set(&limits));
    amgr_limits_init(&limits);
    limits.max_memory_total_bytes = 1;
    assert_true(amgr_limits_are_set(&limits));
    amgr_limits_init(&limits);
    limits.max_memory_total_percent = 1;
    assert_true(amgr_limits_are_set(&limits));
    amgr_limits_init(&limits);
    limits.max_requests.limit = 1;
    assert_true(amgr_limits_are_set(&limits));
    amgr_limits_init(&limits);
    limits.max_lifetime_us.limit = 1;
    assert_true(amgr_limits_are_set(&limits));
    amgr_limits_init(&limits);
    limits.max_generation_age_us = 1;
    assert_true(amgr_limits_are_set(&limits));
    amgr_limits_init(&limits);
    limits.section_count = 2;
    assert_false(amgr_limits_are_set(&limits));
    limits.sections[1].hard_memory_bytes = 1;
    assert_true(amgr_limits_are_set(&limits));
    amgr_limits_init(&limits);
    limits.section_count = 1;
    limits.sections[0].max_lifetime_us.limit = 1;
    assert_true(amgr_limits_are_set(&limits));
}

static void metrics_have_words(void **state)
{
    (void)state; /* cmocka's signature */
    assert_string_equal(amgr_metric_word(AMGR_METRIC_RSS), "rss");
    assert_string_equal(amgr_metric_word(AMGR_METRIC_ANON), "anon");
    assert_string_equal(amgr_metric_word(AMGR_METRIC_PSS), "pss");
    assert_string_equal(amgr_metric_word(AMGR_METRIC_USS), "uss");
    assert_string_equal(amgr_metric_word(-1), "unknown");
    assert_string_equal(amgr_metric_word(AMGR_METRIC_COUNT), "unknown");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults_limit_nothing_and_are_careful),
        cmocka_unit_test(each_limit_alone_counts_as_set),
        cmocka_unit_test(metrics_have_words),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
