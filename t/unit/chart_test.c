/* SPDX-License-Identifier: Apache-2.0
 *
 * Charts: where a figure stands, where lines break, what cannot be drawn.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "render/chart.h"

typedef void chart_fn(amgr_sink_t *sink, const char *css,
                      const amgr_chart_values_t *values, apr_int64_t top);

static void clear(amgr_chart_values_t *values)
{
    int i;

    for (i = 0; i < AMGR_CHART_COLUMNS; i++) {
        values->at[i] = AMGR_CHART_NONE;
    }
}

static void check(chart_fn *draw, const amgr_chart_values_t *values,
                  apr_int64_t top, const char *path)
{
    char expected[256];
    char text[256];
    amgr_sink_t sink;

    amgr_sink_init_text(&sink, text, sizeof(text));
    draw(&sink, "c0", values, top);
    snprintf(expected, sizeof(expected), "<path class=\"c0\" d=\"%s\"/>", path);
    assert_string_equal(amgr_sink_text(&sink), expected);
}

static void test_ceiling(void **state)
{
    (void)state; /* cmocka's signature */
    assert_int_equal(amgr_chart_ceiling(0, 0), 1);
    assert_int_equal(amgr_chart_ceiling(1, 1), 1);
    assert_int_equal(amgr_chart_ceiling(2, 1), 2);
    assert_int_equal(amgr_chart_ceiling(3, 1), 5);
    assert_int_equal(amgr_chart_ceiling(5, 1), 5);
    assert_int_equal(amgr_chart_ceiling(6, 1), 10);
    assert_int_equal(amgr_chart_ceiling(10, 1), 10);
    assert_int_equal(amgr_chart_ceiling(11, 1), 20);
    assert_int_equal(amgr_chart_ceiling(200, 1), 200);
    assert_int_equal(amgr_chart_ceiling(201, 1), 500);
    assert_int_equal(amgr_chart_ceiling(3, 1000), 1000);
    assert_int_equal(amgr_chart_ceiling(-1, 5), 5);
    /* No figure makes it wrap around. */
    assert_true(amgr_chart_ceiling(APR_INT64_MAX, 1) > APR_INT64_MAX / 10);
}

static void test_lines_break(void **state)
{
    amgr_chart_values_t values;

    (void)state; /* cmocka's signature */
    clear(&values);
    check(amgr_chart_line, &values, 10, "");
    values.at[0] = 0;
    values.at[1] = 10;
    values.at[3] = 5;
    check(amgr_chart_line, &values, 10,
          "M0 100L5 100L15 0L20 0M30 50L35 50L40 50");
    check(amgr_chart_area, &values, 10,
          "M0 100L0 100L5 100L15 0L20 0L20 100zM30 100L30 50L35 50L40 50L40 "
          "100z");
}

static void test_last_column_is_drawn(void **state)
{
    amgr_chart_values_t values;

    (void)state; /* cmocka's signature */
    clear(&values);
    values.at[AMGR_CHART_COLUMNS - 1] = 3;
    check(amgr_chart_line, &values, 4, "M590 25L595 25L600 25");
}

static void test_above_the_edge_is_cut(void **state)
{
    amgr_chart_values_t values;

    (void)state; /* cmocka's signature */
    clear(&values);
    values.at[0] = APR_INT64_MAX;
    check(amgr_chart_line, &values, 1, "M0 0L5 0L10 0");
    check(amgr_chart_bars, &values, 1, "M1 100V0h8V100z");
}

static void test_bars_need_a_figure(void **state)
{
    amgr_chart_values_t values;

    (void)state; /* cmocka's signature */
    clear(&values);
    values.at[2] = 0;
    values.at[4] = 1;
    values.at[5] = 1;
    check(amgr_chart_bars, &values, 2, "M41 100V50h8V100zM51 100V50h8V100z");
    /* A small figure beside a large one is seen all the same. */
    check(amgr_chart_bars, &values, 1000, "M41 100V96h8V100zM51 100V96h8V100z");
}

static void test_levels(void **state)
{
    char text[256];
    amgr_sink_t sink;

    (void)state; /* cmocka's signature */
    amgr_sink_init_text(&sink, text, sizeof(text));
    amgr_chart_level(&sink, "level", 5, 4);
    amgr_chart_level(&sink, "level", -1, 4);
    assert_string_equal(amgr_sink_text(&sink), "");
    amgr_chart_level(&sink, "level", 3, 4);
    assert_string_equal(amgr_sink_text(&sink),
                        "<path class=\"level\" d=\"M0 25H600\"/>");
}

static void test_highest(void **state)
{
    amgr_chart_values_t values;

    (void)state; /* cmocka's signature */
    clear(&values);
    assert_int_equal(amgr_chart_highest(&values), 0);
    values.at[0] = 7;
    values.at[40] = 3;
    assert_int_equal(amgr_chart_highest(&values), 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ceiling),
        cmocka_unit_test(test_lines_break),
        cmocka_unit_test(test_last_column_is_drawn),
        cmocka_unit_test(test_above_the_edge_is_cut),
        cmocka_unit_test(test_bars_need_a_figure),
        cmocka_unit_test(test_levels),
        cmocka_unit_test(test_highest),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
