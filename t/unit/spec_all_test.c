/* SPDX-License-Identifier: Apache-2.0
 *
 * All sections together: names, After and its circles, and how long a stop
 * takes at most.
 */
#include "spec_lines.h"

#define SPECS_MAX (AMGR_MANAGED_MAX + 1)

/* Sections from "NAME SECONDS AFTER...", as many as there are. */
static int make_all(const char *const *lines, amgr_spec_t **specs)
{
    const char *argv[WORDS_MAX];
    int count = 0;
    int argc;
    int i;

    for (; lines[count] != NULL; count++) {
        argc = split_line(lines[count], argv);
        specs[count] = section(
            argv[0], apr_psprintf(pool, "Command /x\nStopTimeout %s", argv[1]));
        for (i = 2; i < argc; i++) {
            assert_null(amgr_spec_add(specs[count], "After", 1, &argv[i], NULL,
                                      pool));
        }
    }
    return count;
}

static const char *check(const char *const *lines)
{
    amgr_spec_t *specs[SPECS_MAX];
    int count = make_all(lines, specs);

    return amgr_specs_check((const amgr_spec_t *const *)specs, count, pool);
}

static apr_interval_time_t stop_us(const char *const *lines)
{
    amgr_spec_t *specs[SPECS_MAX];
    int count = make_all(lines, specs);

    return amgr_specs_stop_us((const amgr_spec_t *const *)specs, count);
}

static const struct {
    const char *lines[6];
    const char *sentence;
    int stop_sec; /**< where there is no sentence */
} cases[] = {
    {{NULL}, NULL, 0},
    {{"a 5"}, NULL, 5},
    {{"a 5", "b 7", "c 6"}, NULL, 7},
    {{"a 5 b", "b 7", "c 6"}, NULL, 12},
    {{"a 1 b", "b 2 c", "c 4 d", "d 8"}, NULL, 15},
    {{"d 8", "c 4 d", "b 2 c", "a 1 b"}, NULL, 15},
    {{"a 1", "b 2 a", "c 40 a", "d 3 b c"}, NULL, 44},
    {{"a 1", "b 2 a", "c 3 a", "d 9 b a", "e 1 a"}, NULL, 12},
    {{"a 1", "b 2", "a 3"}, "process a: is there twice", 0},
    {{"a 1 b"},
     "process a: After: 'b' is not valid (expected the name of another "
     "<ManagedProcess>)",
     0},
    {{"a 1 A", "b 1"},
     "process a: After: 'A' is not valid (expected the name of another "
     "<ManagedProcess>)",
     0},
    {{"a 1 b", "b 1 b"},
     "process b: After: 'b' is not valid (expected the name of another "
     "<ManagedProcess>)",
     0},
    {{"a 1 b", "b 1 a"},
     "process a: After: 'b' is not valid (expected no circle: a after b after "
     "a)",
     0},
    {{"x 1", "y 1 x c", "a 1 x b", "b 1 c", "c 1 a x"},
     "process a: After: 'b' is not valid (expected no circle: a after b after "
     "c after a)",
     0},
};

static void the_graph_is_checked_and_bounds_a_stop(void **state)
{
    size_t i;

    (void)state; /* cmocka's signature */
    for (i = 0; i < AMGR_COUNT(cases); i++) {
        const char *said = check(cases[i].lines);

        if (cases[i].sentence == NULL) {
            assert_null(said);
            assert_int_equal(stop_us(cases[i].lines), cases[i].stop_sec * SEC);
        }
        else {
            assert_non_null(said);
            assert_string_equal(said, cases[i].sentence);
        }
    }
}

static void an_order_by_configuration_knows_no_later_one(void **state)
{
    const char *const lines[] = {"a 1", "b 1 a", "c 1 a d", "d 1", NULL};
    amgr_spec_t *specs[SPECS_MAX];
    int count = make_all(lines, specs);

    (void)state; /* cmocka's signature */
    assert_null(check(lines));
    assert_string_equal(
        amgr_specs_check_order((const amgr_spec_t *const *)specs, count, pool),
        "process c: After: 'd' is not valid (expected a section before this "
        "one, as ManagerStartOrder is Config)");
    assert_null(
        amgr_specs_check_order((const amgr_spec_t *const *)specs, 2, pool));
}

static void a_member_has_one_gate(void **state)
{
    const amgr_spec_t *specs[] = {
        section("a", "Command /x\nGate balancer://app http://u:pw@h\n"),
        section("b", "Command /x\nGate balancer://app http://i\n"),
        section("c", "Command /x\nGate balancer://app http://j\n"
                     "Gate balancer://APP http://u:pw@h\n")};

    (void)state; /* cmocka's signature */
    assert_null(amgr_specs_check(specs, 2, pool));
    assert_string_equal(amgr_specs_check(specs, 3, pool),
                        "process c: Gate: 'balancer://APP http://u:***@h' is "
                        "not valid (expected a member that is not process "
                        "a's)");
}

/* Each after the one behind it, which is the worst order to look at them. */
static void the_most_there_can_be_form_a_chain(void **state)
{
    const char *lines[SPECS_MAX + 1] = {NULL};
    amgr_spec_t *specs[SPECS_MAX];
    int i;

    (void)state; /* cmocka's signature */
    for (i = 0; i < AMGR_MANAGED_MAX; i++) {
        lines[i] = i + 1 < AMGR_MANAGED_MAX
                       ? apr_psprintf(pool, "p%d 10000d p%d", i, i + 1)
                       : apr_psprintf(pool, "p%d 10000d", i);
    }
    assert_null(check(lines));
    assert_true(stop_us(lines) ==
                APR_INT64_C(864000000) * AMGR_MANAGED_MAX * SEC);
    make_all(lines, specs);
    assert_true(amgr_specs_after((const amgr_spec_t *const *)specs,
                                 AMGR_MANAGED_MAX, 62) ==
                APR_UINT64_C(1) << 63);
    assert_true(amgr_specs_after((const amgr_spec_t *const *)specs,
                                 AMGR_MANAGED_MAX, 63) == 0);
    lines[AMGR_MANAGED_MAX - 1] = "p63 1 p0";
    assert_non_null(strstr(check(lines), "(expected no circle: p0 after p1 "));
}

static void there_is_a_most(void **state)
{
    const char *lines[SPECS_MAX + 1] = {NULL};
    int i;

    (void)state; /* cmocka's signature */
    for (i = 0; i < SPECS_MAX; i++) {
        lines[i] = apr_psprintf(pool, "p%d 1", i);
    }
    assert_string_equal(check(lines), "<ManagedProcess>: '65' is not valid "
                                      "(expected at most 64 sections)");
    lines[AMGR_MANAGED_MAX] = NULL;
    assert_null(check(lines));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_graph_is_checked_and_bounds_a_stop),
        cmocka_unit_test(an_order_by_configuration_knows_no_later_one),
        cmocka_unit_test(a_member_has_one_gate),
        cmocka_unit_test(the_most_there_can_be_form_a_chain),
        cmocka_unit_test(there_is_a_most),
    };

    return cmocka_run_group_tests(tests, create_pool, destroy_pool);
}
