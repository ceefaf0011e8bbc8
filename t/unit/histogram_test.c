/* SPDX-License-Identifier: Apache-2.0
 *
 * Histograms: which step a span belongs to, and what they add up to.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "model/histogram.h"

static void bounds_ascend(void **state)
{
    int i;

    (void)state; /* cmocka's signature */
    for (i = 1; i < AMGR_HISTOGRAM_STEPS; i++) {
        assert_true(amgr_histogram_ticks.upper_us[i] >
                    amgr_histogram_ticks.upper_us[i - 1]);
        assert_true(amgr_histogram_ages.upper_us[i] >
                    amgr_histogram_ages.upper_us[i - 1]);
    }
    assert_true(amgr_histogram_ticks.upper_us[0] > 0);
    assert_true(amgr_histogram_ages.upper_us[0] > 0);
}

static void a_bound_belongs_to_its_step(void **state)
{
    const amgr_histogram_bounds_t *bounds = &amgr_histogram_ages;
    int i;

    (void)state; /* cmocka's signature */
    for (i = 0; i < AMGR_HISTOGRAM_STEPS; i++) {
        amgr_histogram_t histogram = {{0}, 0};

        amgr_histogram_add(&histogram, bounds,
                           (apr_interval_time_t)bounds->upper_us[i]);
        assert_int_equal(histogram.counts[i], 1);
        amgr_histogram_add(&histogram, bounds,
                           (apr_interval_time_t)bounds->upper_us[i] + 1);
        assert_int_equal(histogram.counts[i + 1], 1);
        assert_int_equal(amgr_histogram_count(&histogram, i), 1);
        assert_int_equal(amgr_histogram_count(&histogram, i + 1), 2);
        assert_int_equal(histogram.sum_us, 2 * bounds->upper_us[i] + 1);
    }
}

static void odd_spans_are_counted(void **state)
{
    amgr_histogram_t histogram = {{0}, 0};

    (void)state; /* cmocka's signature */
    amgr_histogram_add(&histogram, &amgr_histogram_ticks, -5);
    amgr_histogram_add(&histogram, &amgr_histogram_ticks, 0);
    assert_int_equal(histogram.counts[0], 2);
    assert_int_equal(histogram.sum_us, 0);
    amgr_histogram_add(&histogram, &amgr_histogram_ticks, APR_INT64_MAX);
    assert_int_equal(histogram.counts[AMGR_HISTOGRAM_STEPS], 1);
    assert_int_equal(amgr_histogram_count(&histogram, AMGR_HISTOGRAM_STEPS - 1),
                     2);
    assert_int_equal(amgr_histogram_count(&histogram, AMGR_HISTOGRAM_STEPS), 3);
    assert_int_equal(amgr_histogram_count(&histogram, 1000), 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bounds_ascend),
        cmocka_unit_test(a_bound_belongs_to_its_step),
        cmocka_unit_test(odd_spans_are_counted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
