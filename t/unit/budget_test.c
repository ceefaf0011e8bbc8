/* SPDX-License-Identifier: Apache-2.0
 *
 * Time limits that requests have of their own: their grammar, the note in one
 * word and what a forged one can say, and the judgement by them.
 */
#include "invented.h"

#include "policy/budget.h"

static const char *parse(const char *text, amgr_budget_t *out,
                         const char **wrong)
{
    static char copy[256];
    char *argv[8];
    char *next = NULL;
    char *word;
    int argc = 0;

    strcpy(copy, text);
    for (word = strtok_r(copy, " ", &next); word != NULL;
         word = strtok_r(NULL, " ", &next)) {
        argv[argc++] = word;
    }
    return amgr_budget_parse(argc, argv, out, wrong);
}

static void good_values_are_read(void **state)
{
    static const struct {
        const char *text;
        apr_interval_time_t max_time_us;
        int counts;
    } cases[] = {
        {"30s", 30 * SEC, 0},
        {"Off", AMGR_LIMIT_OFF, 0},
        {"off", AMGR_LIMIT_OFF, 0},
        {"1m uploads", 60 * SEC, AMGR_COUNTS_UPLOADS},
        {"1m Upgrades STREAMS", 60 * SEC,
         AMGR_COUNTS_STREAMS | AMGR_COUNTS_UPGRADES},
        {"90 streams uploads upgrades", 90 * SEC, 7},
    };
    size_t i;

    (void)state; /* cmocka's signature */
    for (i = 0; i < AMGR_COUNT(cases); i++) {
        amgr_budget_t budget = {1, -1, 0};
        const char *wrong;

        assert_null(parse(cases[i].text, &budget, &wrong));
        assert_int_equal(budget.max_time_us, cases[i].max_time_us);
        assert_int_equal(budget.counts, cases[i].counts);
    }
}

static void bad_values_name_the_word_and_change_nothing(void **state)
{
    static const struct {
        const char *text;
        const char *wrong;
        const char *expected;
    } cases[] = {
        {"", "", "a duration or Off"},
        {"never", "never", "a duration"},
        {"0", "0", "a duration"},
        {"uploads", "uploads", "a duration"},
        {"30s downloads", "downloads", "uploads, streams or upgrades"},
        {"30s uploads uploads", "uploads", "once"},
        {"30s streams Off", "Off", "uploads, streams or upgrades"},
        {"Off streams", "streams", "nothing after Off"},
    };
    size_t i;

    (void)state; /* cmocka's signature */
    for (i = 0; i < AMGR_COUNT(cases); i++) {
        amgr_budget_t budget = {1, -1, 0};
        const char *wrong = NULL;
        const char *expected = parse(cases[i].text, &budget, &wrong);

        assert_non_null(expected);
        assert_non_null(strstr(expected, cases[i].expected));
        assert_string_equal(wrong, cases[i].wrong);
        assert_int_equal(budget.max_time_us, 1);
        assert_int_equal(budget.counts, -1);
    }
}

static void a_table_keeps_its_indexes_until_it_is_full(void **state)
{
    amgr_budgets_t *table = test_calloc(1, sizeof(*table));
    amgr_budget_t budget = {SEC, 0, 0};
    int i;

    (void)state; /* cmocka's signature */
    for (i = 1; i <= AMGR_BUDGETS_MAX; i++) {
        budget.max_time_us = i * SEC;
        assert_int_equal(amgr_budgets_add(table, &budget), i);
    }
    budget.max_time_us = 7 * SEC;
    assert_int_equal(amgr_budgets_add(table, &budget), 7);
    budget.counts = AMGR_COUNTS_UPLOADS;
    assert_int_equal(amgr_budgets_add(table, &budget), 0);
    assert_int_equal(table->count, AMGR_BUDGETS_MAX);
    test_free(table);
}

#define STARTED APR_INT64_C(1700000000123456)

/* A table of three: 5 s, none, 9 s in which everything counts. */
static amgr_budgets_t *small_table(void)
{
    amgr_budgets_t *table = test_calloc(1, sizeof(*table));

    table->count = 3;
    table->all[0].max_time_us = 5 * SEC;
    table->all[1].max_time_us = AMGR_LIMIT_OFF;
    table->all[2].max_time_us = 9 * SEC;
    table->all[2].counts = 7;
    return table;
}

static const amgr_budget_t own = {20 * SEC, 0, 0};

static void a_note_tells_request_limit_and_phase(void **state)
{
    static const struct {
        int index;
        int phase;
        apr_uint32_t restamp;
        amgr_timing_t timing;
    } cases[] = {
        {0, AMGR_PHASE_RUNNING, 0, {20 * SEC, 0, 0, 0}},
        {1, AMGR_PHASE_RUNNING, 17, {5 * SEC, 17, 0, 0}},
        {1, AMGR_PHASE_RECEIVING, 4095, {5 * SEC, 4095, 1, 0}},
        {1, AMGR_PHASE_SENDING, 4096, {5 * SEC, 0, 1, 0}},
        {1, AMGR_PHASE_ENDLESS, 0, {5 * SEC, 0, 0, 1}},
        {2, AMGR_PHASE_RUNNING, 0, {AMGR_LIMIT_OFF, 0, 0, 0}},
        /* A limit that counts everything lets no phase excuse it. */
        {3, AMGR_PHASE_RECEIVING, 3, {9 * SEC, 0, 0, 0}},
        {3, AMGR_PHASE_SENDING, 3, {9 * SEC, 0, 0, 0}},
        {3, AMGR_PHASE_ENDLESS, 3, {9 * SEC, 0, 0, 0}},
        /* No limit's index: the server's own. */
        {4, AMGR_PHASE_RUNNING, 0, {20 * SEC, 0, 0, 0}},
        {1023, AMGR_PHASE_RUNNING, 0, {20 * SEC, 0, 0, 0}},
    };
    amgr_budgets_t *table = small_table();
    size_t i;

    (void)state; /* cmocka's signature */
    for (i = 0; i < AMGR_COUNT(cases); i++) {
        apr_uint64_t note = amgr_budget_note(STARTED, cases[i].index,
                                             cases[i].phase, cases[i].restamp);
        amgr_timing_t timing;

        assert_true(amgr_budget_is_about(note, STARTED));
        assert_false(amgr_budget_is_about(note, STARTED + 1));
        assert_false(amgr_budget_is_about(note, STARTED - SEC));
        amgr_budget_read(table, &own, note, &timing);
        assert_memory_equal(&timing, &cases[i].timing, sizeof(timing));
    }
    test_free(table);
}

/* Whatever the word, the limit is one that was configured. */
static void no_word_makes_up_a_limit(void **state)
{
    amgr_budgets_t *table = small_table();
    apr_uint64_t word = 1;
    int i;

    (void)state; /* cmocka's signature */
    for (i = 0; i < 100000; i++) {
        amgr_timing_t timing;

        word = word * APR_UINT64_C(6364136223846793005) + 1442695040888963407U;
        amgr_budget_read(table, &own, i == 0 ? ~(apr_uint64_t)0 : word,
                         &timing);
        assert_true(timing.max_time_us == 5 * SEC ||
                    timing.max_time_us == AMGR_LIMIT_OFF ||
                    timing.max_time_us == 9 * SEC ||
                    timing.max_time_us == 20 * SEC);
        assert_in_range(timing.paused, 0, 1);
        assert_in_range(timing.endless, 0, 1);
        assert_in_range(timing.restamp, 0, 4095);
    }
    test_free(table);
}

static void the_start_is_found_again(void **state)
{
    static const apr_time_t away[] = {
        0, 1, -1, SEC, -SEC, 5 * 24 * 3600 * SEC, -5 * 24 * 3600 * SEC,
    };
    size_t i;

    (void)state; /* cmocka's signature */
    for (i = 0; i < AMGR_COUNT(away); i++) {
        apr_uint64_t note = amgr_budget_note(STARTED, 5, 2, 77);

        assert_int_equal(amgr_budget_note_start(note, STARTED + away[i]),
                         STARTED);
    }
}

/* ---- the judgement ----------------------------------------------------- */

static world_t *begin(void)
{
    world_t *world = world_create(8, 4);

    world_natives(world, 2);
    world->limits.max_time_us = 20 * SEC;
    world->limits.hanging_us = 15 * SEC;
    world_tick(world, 10 * SEC);
    return world;
}

static apr_interval_time_t *own_limit(world_t *world, pid_t pid, int thread)
{
    return &world->own_us[world_slot(world, pid, thread) -
                          world->snapshot.slots];
}

static void the_requests_own_limit_wins_both_ways(void **state)
{
    static const struct {
        apr_interval_time_t own_us;
        apr_interval_time_t age_us;
        int over;
    } cases[] = {
        {5 * SEC, 5 * SEC, 0},
        {5 * SEC, 5 * SEC + 1, 1},
        {40 * SEC, 30 * SEC, 0},
        {40 * SEC, 40 * SEC + 1, 1},
        {AMGR_LIMIT_OFF, 1000 * SEC, 0},
        {0, 20 * SEC, 0},
        {0, 20 * SEC + 1, 1},
    };
    size_t i;

    (void)state; /* cmocka's signature */
    for (i = 0; i < AMGR_COUNT(cases); i++) {
        world_t *world = begin();

        *own_limit(world, 100, 2) = cases[i].own_us;
        world_begin(world, 100, 2);
        assert_int_equal(world_tick(world, cases[i].age_us), cases[i].over);
        assert_int_equal(world->snapshot.hanging, cases[i].age_us >= 15 * SEC);
        if (cases[i].over) {
            assert_int_equal(world->decisions[0].verdict, AMGR_VERDICT_TIME);
            assert_int_equal(world->decisions[0].limit,
                             cases[i].own_us == 0 ? 20 * SEC : cases[i].own_us);
            assert_int_equal(world->decisions[0].measured, cases[i].age_us);
        }
        world_destroy(world);
    }
}

static void limits_of_sections_act_without_one_of_the_server(void **state)
{
    world_t *world = begin();

    (void)state; /* cmocka's signature */
    world->limits.max_time_us = AMGR_LIMIT_OFF;
    *own_limit(world, 101, 0) = 5 * SEC;
    world_begin(world, 100, 0);
    world_begin(world, 101, 0);
    assert_int_equal(world_tick(world, 100 * SEC), 1);
    assert_int_equal(world->decisions[0].process, 1);
    assert_int_equal(world->decisions[0].limit, 5 * SEC);
    world_destroy(world);
}

static void the_furthest_over_its_limit_decides(void **state)
{
    world_t *world = begin();

    (void)state; /* cmocka's signature */
    *own_limit(world, 100, 1) = 60 * SEC;
    world_begin(world, 100, 1); /* the oldest, within its limit */
    world_pass(world, SEC);
    world_begin(world, 100, 0);
    *own_limit(world, 100, 3) = 3 * SEC;
    world_pass(world, SEC);
    world_begin(world, 100, 3); /* the youngest, furthest over */
    assert_int_equal(world_tick(world, 30 * SEC), 1);
    assert_int_equal(world->decisions[0].slot,
                     world_slot(world, 100, 3) - world->snapshot.slots);
    assert_int_equal(world->decisions[0].limit, 3 * SEC);
    assert_int_equal(world->decisions[0].measured, 30 * SEC);
    assert_int_equal(world->decisions[0].requests, 3);
    world_destroy(world);
}

/* While the client is at work no time passes, and afterwards it begins anew. */
static void a_pause_stops_the_time_and_a_restamp_begins_it_anew(void **state)
{
    world_t *world = begin();
    amgr_slot_t *slot = world_slot(world, 100, 0);

    (void)state; /* cmocka's signature */
    world_begin(world, 100, 0);
    world_tick(world, 10 * SEC);
    assert_int_equal(slot->request_age_us, 10 * SEC);
    slot->paused = 1;
    assert_int_equal(world_tick(world, 1000 * SEC), 0);
    assert_int_equal(slot->request_age_us, AMGR_NO_TIME);
    assert_int_equal(world->snapshot.hanging, 0);
    slot->paused = 0;
    slot->restamp = 1;
    world_tick(world, 5 * SEC);
    assert_int_equal(slot->request_age_us, 0);
    world_tick(world, 15 * SEC);
    assert_int_equal(slot->request_age_us, 15 * SEC);
    /* A pause that no tick saw. */
    slot->restamp = 2;
    assert_int_equal(world_tick(world, 10 * SEC), 0);
    assert_int_equal(slot->request_age_us, 0);
    assert_int_equal(world_tick(world, 20 * SEC), 0);
    assert_int_equal(world_tick(world, 1), 1);
    assert_int_equal(world->decisions[0].measured, 20 * SEC + 1);
    world_destroy(world);
}

static void one_that_began_anew_before_it_was_seen_gets_no_credit(void **state)
{
    world_t *world = begin();
    amgr_slot_t *slot = world_slot(world, 100, 0);

    (void)state; /* cmocka's signature */
    world_begin(world, 100, 0);
    slot->restamp = 9;
    world_tick(world, 10 * SEC);
    assert_int_equal(slot->request_age_us, 0);
    world_destroy(world);
}

static void an_endless_request_is_never_over_nor_hanging(void **state)
{
    world_t *world = begin();
    amgr_slot_t *slot = world_slot(world, 100, 0);

    (void)state; /* cmocka's signature */
    world_begin(world, 100, 0);
    slot->endless = 1;
    assert_int_equal(world_tick(world, 10 * SEC), 0);
    assert_int_equal(world_tick(world, 1000 * SEC), 0);
    assert_int_equal(slot->request_age_us, AMGR_NO_TIME);
    assert_int_equal(world->snapshot.hanging, 0);
    world_destroy(world);
}

/* ---- requests of HTTP/2 ------------------------------------------------ */

/* The process's request of HTTP/2 in that place, begun now. */
static amgr_stream_t *begin_stream(world_t *world, pid_t pid, int place)
{
    amgr_snapshot_t *snapshot = &world->snapshot;
    amgr_process_t *process = world_find(world, pid);
    amgr_slot_t *slot = world_slot(world, pid, 0);
    amgr_stream_t *stream = &snapshot->streams[snapshot->stream_count];

    if (process->stream_count == 0) {
        process->first_stream = snapshot->stream_count;
    }
    memset(stream, 0, sizeof(*stream));
    stream->start_time_us = snapshot->server.time.wall_us;
    stream->max_time_us = 20 * SEC;
    stream->slot = (apr_int32_t)(slot - snapshot->slots);
    stream->column = place;
    slot->mode = AMGR_MODE_WRITE; /* and no start: mod_http2 sets none */
    slot->streams++;
    snapshot->stream_count++;
    process->stream_count++;
    return stream;
}

static void requests_of_http2_are_judged_each_by_its_limit(void **state)
{
    world_t *world = begin();
    amgr_stream_t *shorter;
    amgr_stream_t *longer;

    (void)state; /* cmocka's signature */
    longer = begin_stream(world, 100, 2);
    shorter = begin_stream(world, 100, 3);
    shorter->max_time_us = 6 * SEC;
    assert_int_equal(world_tick(world, 6 * SEC), 0);
    assert_int_equal(longer->request_age_us, 6 * SEC);
    assert_int_equal(shorter->request_age_us, 6 * SEC);
    assert_int_equal(world_tick(world, 1), 1);
    assert_int_equal(world->decisions[0].limit, 6 * SEC);
    assert_int_equal(world->decisions[0].measured, 6 * SEC + 1);
    assert_int_equal(world->decisions[0].slot, shorter->slot);
    assert_int_equal(world->decisions[0].requests, 2);
    world_destroy(world);
}

static void the_next_request_in_a_place_begins_anew(void **state)
{
    world_t *world = begin();
    amgr_stream_t *stream = begin_stream(world, 100, 2);

    (void)state; /* cmocka's signature */
    world_tick(world, 19 * SEC);
    assert_int_equal(stream->request_age_us, 19 * SEC);
    stream->start_time_us = world->snapshot.server.time.wall_us;
    world_tick(world, 4 * SEC);
    assert_int_equal(stream->request_age_us, 4 * SEC);
    stream->paused = 1;
    assert_int_equal(world_tick(world, 100 * SEC), 0);
    stream->paused = 0;
    stream->endless = 1;
    assert_int_equal(world_tick(world, 100 * SEC), 0);
    assert_int_equal(world->snapshot.hanging, 0);
    world_destroy(world);
}

static void a_place_outside_the_ledger_is_never_judged(void **state)
{
    static const int places[] = {-1, 4, 1 << 30};
    size_t i;

    (void)state; /* cmocka's signature */
    for (i = 0; i < AMGR_COUNT(places); i++) {
        world_t *world = begin();
        amgr_stream_t *stream = begin_stream(world, 100, places[i]);

        assert_int_equal(world_tick(world, 1000 * SEC), 0);
        assert_int_equal(stream->request_age_us, AMGR_NO_TIME);
        world_destroy(world);
    }
}

static void a_process_with_requests_of_http2_is_active(void **state)
{
    world_t *world = begin();

    (void)state;                       /* cmocka's signature */
    (void)begin_stream(world, 100, 2); /* found by its process */
    world_slot(world, 100, 0)->mode = AMGR_MODE_READY;
    world_tick(world, SEC);
    assert_true(world_find(world, 100)->active);
    assert_false(world_find(world, 101)->active);
    world_destroy(world);
}

/* Min-serving: whose threads all hang does not serve, but one that carries a
 * request within its limit does. */
static void a_connection_with_a_sound_request_is_not_stuck(void **state)
{
    world_t *world = world_create(2, 1);
    amgr_stream_t *sound;

    (void)state; /* cmocka's signature */
    world_natives(world, 1);
    world->limits.max_time_us = 20 * SEC;
    world->snapshot.server.max_processes = 1;
    world_tick(world, 10 * SEC);
    begin_stream(world, 100, 0)->max_time_us = 5 * SEC;
    sound = begin_stream(world, 100, 1);
    assert_int_equal(world_tick(world, 6 * SEC), 1);
    assert_int_equal(world_cause(world, 100), AMGR_CAUSE_MIN_SERVING);
    sound->max_time_us = 5 * SEC;
    assert_int_equal(world_tick(world, 6 * SEC), 1);
    /* Its place lies outside the ledger of one thread: it has no age. */
    assert_int_equal(world_cause(world, 100), AMGR_CAUSE_MIN_SERVING);
    world->snapshot.stream_count--;
    world_find(world, 100)->stream_count--;
    assert_int_equal(world_tick(world, SEC), 1);
    assert_int_equal(world_cause(world, 100), AMGR_CAUSE_NONE);
    world_destroy(world);
}

/* ---- what the ladder makes of it --------------------------------------- */

/* The step of the only decision after so long, carried out. */
static int step(world_t *world, apr_interval_time_t span_us)
{
    int taken = AMGR_STEP_NONE;

    world_tick(world, span_us);
    if (world->count > 0) {
        assert_int_equal(world->decisions[0].cause, AMGR_CAUSE_NONE);
        taken = world->decisions[0].step;
    }
    world_apply(world);
    return taken;
}

static void endless_requests_have_a_grace_of_their_own(void **state)
{
    int endless;

    (void)state; /* cmocka's signature */
    for (endless = 0; endless <= 1; endless++) {
        world_t *world = world_create(4, 1);

        world_natives(world, 2);
        world->limits.max_memory_active_bytes = 20 * MB;
        world->limits.lame_duck_us = AMGR_LIMIT_OFF;
        world->limits.grace_us = 60 * SEC;
        world->limits.endless_grace_us = 5 * SEC;
        world_tick(world, SEC);
        world_find(world, 100)->rss_bytes = (apr_uint64_t)(30 * MB);
        world_begin(world, 100, 0);
        world_slot(world, 100, 0)->endless = endless;
        assert_int_equal(step(world, SEC), AMGR_STEP_ASK);
        assert_int_equal(step(world, 4 * SEC), AMGR_STEP_NONE);
        assert_int_equal(step(world, 2 * SEC),
                         endless ? AMGR_STEP_KILL : AMGR_STEP_NONE);
        world_destroy(world);
    }
}

/* Other requests of the connection are worth waiting for. */
static void a_request_over_its_time_is_not_all_that_http2_has(void **state)
{
    int sound;

    (void)state; /* cmocka's signature */
    for (sound = 0; sound <= 1; sound++) {
        world_t *world = begin();

        world->snapshot.server.threaded = 1;
        begin_stream(world, 100, 2)->max_time_us = 5 * SEC;
        if (sound) {
            (void)begin_stream(world, 100, 3); /* found by its process */
        }
        assert_int_equal(step(world, 6 * SEC),
                         sound ? AMGR_STEP_ANNOUNCE : AMGR_STEP_ASK);
        world_destroy(world);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_values_are_read),
        cmocka_unit_test(bad_values_name_the_word_and_change_nothing),
        cmocka_unit_test(a_table_keeps_its_indexes_until_it_is_full),
        cmocka_unit_test(a_note_tells_request_limit_and_phase),
        cmocka_unit_test(no_word_makes_up_a_limit),
        cmocka_unit_test(the_start_is_found_again),
        cmocka_unit_test(the_requests_own_limit_wins_both_ways),
        cmocka_unit_test(limits_of_sections_act_without_one_of_the_server),
        cmocka_unit_test(the_furthest_over_its_limit_decides),
        cmocka_unit_test(a_pause_stops_the_time_and_a_restamp_begins_it_anew),
        cmocka_unit_test(one_that_began_anew_before_it_was_seen_gets_no_credit),
        cmocka_unit_test(an_endless_request_is_never_over_nor_hanging),
        cmocka_unit_test(requests_of_http2_are_judged_each_by_its_limit),
        cmocka_unit_test(the_next_request_in_a_place_begins_anew),
        cmocka_unit_test(a_place_outside_the_ledger_is_never_judged),
        cmocka_unit_test(a_process_with_requests_of_http2_is_active),
        cmocka_unit_test(a_connection_with_a_sound_request_is_not_stuck),
        cmocka_unit_test(endless_requests_have_a_grace_of_their_own),
        cmocka_unit_test(a_request_over_its_time_is_not_all_that_http2_has),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
