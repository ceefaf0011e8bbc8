/* SPDX-License-Identifier: Apache-2.0
 *
 * Groups with limits of their own: who has which section, what it inherits,
 * and what the judgement makes of it.
 */
#include "invented.h"

#include <signal.h>

#include "policy/sections.h"

static amgr_section_t *add_section(world_t *world, const char *name, int role)
{
    amgr_limits_t *limits = &world->limits;
    amgr_section_t *section = &limits->sections[limits->section_count++];

    strncpy(section->name, name, sizeof(section->name) - 1);
    section->role = role;
    return section;
}

static void sections_are_told_by_name_and_role(void **state)
{
    world_t *world = world_create(8, 1);

    (void)state; /* cmocka's signature */
    world_natives(world, 1);
    world_add(world, 200, AMGR_ROLE_WSGI, "native");
    world_add(world, 201, AMGR_ROLE_WSGI, "shop");
    world_add(world, 202, AMGR_ROLE_DAEMON, "daemon");
    world_add(world, 203, AMGR_ROLE_PROGRAM, "program");
    add_section(world, "shop", AMGR_ROLE_WSGI);
    add_section(world, "native", AMGR_ROLE_WORKER);
    add_section(world, "program", AMGR_ROLE_WSGI);
    world_judge(world);
    assert_int_equal(world_find(world, 100)->section, 2);
    assert_int_equal(world_find(world, 200)->section, 0);
    assert_int_equal(world_find(world, 201)->section, 1);
    assert_int_equal(world_find(world, 202)->section, 0);
    assert_int_equal(world_find(world, 203)->section, 0);
    assert_int_equal(world->snapshot.groups[0].section, 2);
    /* Another configuration, another place. */
    world->limits.section_count = 1;
    world_judge(world);
    assert_int_equal(world_find(world, 100)->section, 0);
    assert_int_equal(world->snapshot.groups[0].section, 0);
    world_destroy(world);
}

static void a_merged_group_has_no_section_of_anothers(void **state)
{
    world_t *world = world_create(8, 1);

    (void)state; /* cmocka's signature */
    world_add(world, 200, AMGR_ROLE_WSGI, "shop");
    world_add(world, 201, AMGR_ROLE_PROGRAM, "program")->group = 0;
    add_section(world, "shop", AMGR_ROLE_WSGI);
    world_judge(world);
    assert_int_equal(world_find(world, 200)->section, 1);
    assert_int_equal(world_find(world, 201)->section, 0);
    world_destroy(world);
}

static void others_keep_the_section_of_their_own_name(void **state)
{
    world_t *world = world_create(8, 1);
    int other;

    (void)state; /* cmocka's signature */
    add_section(world, "shop", AMGR_ROLE_WSGI)->max_memory_active_bytes =
        5 * MB;
    add_section(world, "daemon", AMGR_ROLE_DAEMON);
    world_add(world, 200, AMGR_ROLE_WSGI, "x");
    world_add(world, 201, AMGR_ROLE_WSGI, "x");
    world_add(world, 202, AMGR_ROLE_WSGI, "x");
    other = amgr_snapshot_other_group(&world->snapshot);
    world_find(world, 200)->group = other;
    world_find(world, 200)->section =
        amgr_sections_index(&world->limits, "shop", AMGR_ROLE_WSGI);
    /* Another role's, and one of another configuration. */
    world_find(world, 201)->group = other;
    world_find(world, 201)->section = 2;
    world_find(world, 202)->group = other;
    world_find(world, 202)->section = 3;
    world_judge(world);
    assert_int_equal(world_find(world, 200)->section, 1);
    assert_int_equal(world_find(world, 201)->section, 0);
    assert_int_equal(world_find(world, 202)->section, 0);
    assert_int_equal(world_find(world, 200)->verdict,
                     AMGR_VERDICT_MEMORY_ACTIVE);
    assert_int_equal(world_find(world, 201)->verdict, AMGR_VERDICT_OK);
    world_destroy(world);
}

static void numbers_from_elsewhere_are_safe(void **state)
{
    world_t *world = world_create(1, 1);
    static const int wrong[] = {-1,        0,        3, AMGR_SECTIONS_MAX + 1,
                                INT32_MAX, INT32_MIN};
    size_t i;

    (void)state; /* cmocka's signature */
    world->limits.max_memory_active_bytes = 5;
    add_section(world, "a", AMGR_ROLE_WSGI)->max_memory_active_bytes = 6;
    add_section(world, "b", AMGR_ROLE_WSGI)->max_memory_active_bytes = 7;
    for (i = 0; i < AMGR_COUNT(wrong); i++) {
        assert_null(amgr_sections_get(&world->limits, wrong[i]));
        assert_int_equal(amgr_sections_active_bytes(&world->limits, wrong[i]),
                         5);
    }
    assert_int_equal(amgr_sections_active_bytes(&world->limits, 2), 7);
    world->limits.section_count = INT32_MAX;
    assert_null(amgr_sections_get(&world->limits, AMGR_SECTIONS_MAX + 1));
    world_destroy(world);
}

static void what_is_not_set_is_the_servers(void **state)
{
    world_t *world = world_create(1, 1);
    amgr_limits_t *limits = &world->limits;
    amgr_section_t *section = add_section(world, "a", AMGR_ROLE_WORKER);

    (void)state; /* cmocka's signature */
    limits->max_memory_active_bytes = 1;
    limits->max_memory_idle_bytes = 2;
    limits->hard_memory_bytes = 3;
    limits->max_lifetime_us.limit = 4;
    assert_int_equal(amgr_sections_active_bytes(limits, 1), 1);
    assert_int_equal(amgr_sections_idle_bytes(limits, 1), 2);
    assert_int_equal(amgr_sections_hard_bytes(limits, 1), 3);
    assert_int_equal(amgr_sections_lifetime(limits, 1)->limit, 4);
    assert_int_equal(amgr_sections_grace_us(limits, 1), 30 * SEC);
    section->max_memory_active_bytes = 11;
    section->max_memory_idle_bytes = AMGR_LIMIT_OFF;
    section->hard_memory_bytes = 13;
    section->max_lifetime_us.limit = AMGR_LIMIT_OFF;
    assert_int_equal(amgr_sections_active_bytes(limits, 1), 11);
    assert_int_equal(amgr_sections_idle_bytes(limits, 1), AMGR_LIMIT_OFF);
    assert_int_equal(amgr_sections_hard_bytes(limits, 1), 13);
    assert_int_equal(amgr_sections_lifetime(limits, 1)->limit, AMGR_LIMIT_OFF);
    assert_int_equal(amgr_sections_active_bytes(limits, 0), 1);
    world_destroy(world);
}

static void groups_are_judged_by_their_own(void **state)
{
    world_t *world = world_create(8, 1);
    amgr_section_t *section;

    (void)state; /* cmocka's signature */
    world_natives(world, 2);
    world_add(world, 200, AMGR_ROLE_WSGI, "shop");
    world_add(world, 201, AMGR_ROLE_WSGI, "blog");
    world_add(world, 202, AMGR_ROLE_WSGI, "wiki");
    world->limits.max_retiring.value = 100;
    world->limits.max_memory_active_bytes = 5 * MB;
    world->limits.hard_memory_bytes = 500 * MB;
    section = add_section(world, "shop", AMGR_ROLE_WSGI);
    section->max_memory_active_bytes = 20 * MB;
    section = add_section(world, "blog", AMGR_ROLE_WSGI);
    section->hard_memory_bytes = 9 * MB;
    section = add_section(world, "native", AMGR_ROLE_WORKER);
    section->max_memory_idle_bytes = 9 * MB;
    section->max_lifetime_us.limit = 10 * SEC;
    world_tick(world, SEC);
    assert_int_equal(world_cause(world, 200), -1);
    assert_int_equal(world_decision(world, 201)->verdict,
                     AMGR_VERDICT_MEMORY_HARD);
    assert_int_equal(world_decision(world, 201)->limit, 9 * MB);
    assert_int_equal(world_decision(world, 202)->verdict,
                     AMGR_VERDICT_MEMORY_ACTIVE);
    assert_int_equal(world_decision(world, 100)->verdict,
                     AMGR_VERDICT_MEMORY_IDLE);
    assert_int_equal(world_decision(world, 100)->limit, 9 * MB);
    world->limits.sections[2].max_memory_idle_bytes = AMGR_LIMIT_INHERITED;
    world_judge(world);
    assert_int_equal(world_decision(world, 100)->verdict,
                     AMGR_VERDICT_LIFETIME);
    world_destroy(world);
}

static void other_forks_only_with_a_section(void **state)
{
    world_t *world = world_create(8, 1);
    amgr_section_t *section;

    (void)state; /* cmocka's signature */
    world_add(world, 100, AMGR_ROLE_DAEMON, "daemon");
    world_add(world, 101, AMGR_ROLE_HELPER, "helper");
    world_add(world, 102, AMGR_ROLE_PROGRAM, "program");
    world->limits.max_memory_active_bytes = 5 * MB;
    world->limits.hard_memory_bytes = 5 * MB;
    world->limits.max_lifetime_us.limit = 5 * SEC;
    world->limits.max_memory_total_bytes = 1;
    world_tick(world, SEC);
    assert_int_equal(world->count, 0);
    add_section(world, "helper", AMGR_ROLE_WSGI);
    add_section(world, "program", AMGR_ROLE_WSGI);
    section = add_section(world, "daemon", AMGR_ROLE_DAEMON);
    section->max_memory_active_bytes = 9 * MB;
    section->hard_memory_bytes = AMGR_LIMIT_OFF;
    section->max_lifetime_us.limit = AMGR_LIMIT_OFF;
    world_tick(world, SEC);
    assert_int_equal(world->count, 1);
    assert_int_equal(world_decision(world, 100)->verdict,
                     AMGR_VERDICT_MEMORY_ACTIVE);
    assert_int_equal(world_cause(world, 100), AMGR_CAUSE_NONE);
    assert_int_equal(world_find(world, 101)->verdict, AMGR_VERDICT_EXEMPT);
    assert_int_equal(world_find(world, 102)->verdict, AMGR_VERDICT_EXEMPT);
    world_destroy(world);
}

static void a_groups_own_limit_can_be_inert(void **state)
{
    world_t *world = world_create(8, 1);

    (void)state; /* cmocka's signature */
    world_natives(world, 2);
    world_slot(world, 100, 0)->child_accesses = 0;
    world->limits.max_memory_idle_bytes = 50 * MB;
    world_tick(world, SEC);
    assert_false(world->snapshot.groups[0].inert);
    add_section(world, "native", AMGR_ROLE_WORKER)->max_memory_idle_bytes =
        9 * MB;
    world_tick(world, SEC);
    assert_true(world->snapshot.groups[0].inert);
    assert_int_equal(world_cause(world, 100), AMGR_CAUSE_INERT);
    world_destroy(world);
}

static void dearer_figures_for_a_groups_limit(void **state)
{
    world_t *world = world_create(2, 1);
    amgr_process_t *process = world_add(world, 100, AMGR_ROLE_WSGI, "shop");
    amgr_limits_t *limits = &world->limits;

    (void)state; /* cmocka's signature */
    limits->metric = AMGR_METRIC_USS;
    add_section(world, "shop", AMGR_ROLE_WSGI)->hard_memory_bytes = 9 * MB;
    assert_false(amgr_measure_is_needed(limits, process));
    amgr_sections_assign(limits, &world->snapshot);
    assert_true(amgr_measure_is_needed(limits, process));
    /* What is not read yet is no sign that all is well. */
    world_tick(world, SEC);
    assert_int_equal(process->verdict, AMGR_VERDICT_UNKNOWN);
    limits->sections[0].hard_memory_bytes = 10 * MB;
    assert_false(amgr_measure_is_needed(limits, process));
    world_destroy(world);
}

static void how_each_is_asked(void **state)
{
    world_t *world = world_create(1, 1);
    amgr_limits_t *limits = &world->limits;
    int role;

    (void)state; /* cmocka's signature */
    for (role = 0; role < AMGR_ROLE_COUNT; role++) {
        assert_int_equal(amgr_sections_ask_signal(limits, role, 0),
                         role == AMGR_ROLE_WSGI ? SIGUSR1 : 0);
    }
    add_section(world, "daemon", AMGR_ROLE_DAEMON);
    add_section(world, "shop", AMGR_ROLE_WSGI)->ask_signal = SIGHUP;
    assert_int_equal(amgr_sections_ask_signal(limits, AMGR_ROLE_DAEMON, 1),
                     SIGTERM);
    assert_int_equal(amgr_sections_ask_signal(limits, AMGR_ROLE_WSGI, 2),
                     SIGHUP);
    limits->sections[0].ask_signal = SIGINT;
    assert_int_equal(amgr_sections_ask_signal(limits, AMGR_ROLE_DAEMON, 1),
                     SIGINT);
    assert_int_equal(amgr_sections_ask_signal(limits, AMGR_ROLE_WORKER, 1), 0);
    world_destroy(world);
}

static void signals_by_name(void **state)
{
    static const char *const wrong[] = {"",   "KILL",  "STOP", "SIGTERM",
                                        "15", "TERM ", "CHLD"};
    static const char *const right[] = {"TERM", "USR1", "USR2", "HUP",
                                        "INT",  "QUIT", "WINCH"};
    size_t i;

    (void)state; /* cmocka's signature */
    for (i = 0; i < AMGR_COUNT(wrong); i++) {
        assert_int_equal(amgr_sections_signal_number(wrong[i]), 0);
    }
    for (i = 0; i < AMGR_COUNT(right); i++) {
        int number = amgr_sections_signal_number(right[i]);

        assert_true(number > 0 && number != SIGKILL && number != SIGSTOP);
        assert_string_equal(amgr_sections_signal_word(number), right[i]);
    }
    assert_int_equal(amgr_sections_signal_number("usr1"), SIGUSR1);
    assert_string_equal(amgr_sections_signal_word(0), "");
    assert_string_equal(amgr_sections_signal_word(SIGKILL), "");
}

static void grace_of_groups(void **state)
{
    world_t *world = world_create(4, 1);

    (void)state; /* cmocka's signature */
    world_add(world, 200, AMGR_ROLE_WSGI, "shop");
    world_add(world, 201, AMGR_ROLE_WSGI, "wiki");
    world->limits.max_retiring.value = 100;
    world->limits.max_retiring.percent = 100;
    world->limits.max_memory_active_bytes = MB;
    world->limits.grace_us = 100 * SEC;
    add_section(world, "shop", AMGR_ROLE_WSGI)->grace_us = 10 * SEC;
    world_tick(world, SEC);
    assert_int_equal(world_apply(world), 2);
    assert_int_equal(world_tick(world, 10 * SEC - 1), 0);
    assert_int_equal(world_tick(world, 1), 1);
    assert_int_equal(world_decision(world, 200)->step, AMGR_STEP_KILL);
    assert_int_equal(world_apply(world), 0); /* no new one */
    assert_int_equal(world_tick(world, 90 * SEC - 1), 0);
    assert_int_equal(world_tick(world, 1), 1);
    assert_int_equal(world_decision(world, 201)->step, AMGR_STEP_KILL);
    world_destroy(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sections_are_told_by_name_and_role),
        cmocka_unit_test(a_merged_group_has_no_section_of_anothers),
        cmocka_unit_test(others_keep_the_section_of_their_own_name),
        cmocka_unit_test(numbers_from_elsewhere_are_safe),
        cmocka_unit_test(what_is_not_set_is_the_servers),
        cmocka_unit_test(groups_are_judged_by_their_own),
        cmocka_unit_test(other_forks_only_with_a_section),
        cmocka_unit_test(a_groups_own_limit_can_be_inert),
        cmocka_unit_test(dearer_figures_for_a_groups_limit),
        cmocka_unit_test(how_each_is_asked),
        cmocka_unit_test(signals_by_name),
        cmocka_unit_test(grace_of_groups),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
