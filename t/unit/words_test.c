/* SPDX-License-Identifier: Apache-2.0
 *
 * The words of enumerated values: each has one, none twice, and values out of
 * range are "unknown".
 */
#include <limits.h>

#include "invented.h"

#include "action/board.h"
#include "action/command_env.h"
#include "model/words.h"

typedef struct words_t {
    const char *(*word)(int value);
    int count;
    const char *expected; /* all of them, in order */
} words_t;

static const words_t tables[] = {
    {amgr_kind_word, AMGR_KIND_COUNT, "native foreign "},
    {amgr_role_word, AMGR_ROLE_COUNT, "worker wsgi daemon helper program other "},
    {amgr_state_word, AMGR_STATE_COUNT, "serving retiring stopping "},
    {amgr_verdict_word, AMGR_VERDICT_COUNT,
     "unknown exempt ok memory_active memory_idle time memory_hard "
     "memory_total requests lifetime generation requested "},
    {amgr_cause_word, AMGR_CAUSE_COUNT,
     "none dry_run inert min_age strikes storm max_retiring min_serving "
     "no_rights veto "},
    {amgr_action_word, AMGR_ACTION_COUNT, "none announce ask kill "},
    {amgr_outcome_word, AMGR_OUTCOME_COUNT,
     "pending gone vanished failed dry_run "},
    {amgr_ask_fault_word, AMGR_ASK_FAULT_COUNT, "none no_pipe failed "},
    {amgr_replacement_word, AMGR_REPLACEMENT_COUNT,
     "none waiting ready serving not_forked "},
    {amgr_command_event_word, AMGR_COMMAND_EVENT_COUNT, "before after "},
    {amgr_stage_word, AMGR_STAGE_COUNT,
     "scoreboard proc data_file signal ticker overrun command "},
};

static void every_value_has_its_word(void **state)
{
    char all[400];
    size_t i;
    int value;

    (void)state; /* cmocka's signature */
    for (i = 0; i < AMGR_COUNT(tables); i++) {
        all[0] = '\0';
        for (value = 0; value < tables[i].count; value++) {
            strcat(all, tables[i].word(value));
            strcat(all, " ");
        }
        assert_string_equal(all, tables[i].expected);
    }
}

static void out_of_range_is_unknown(void **state)
{
    size_t i;

    (void)state; /* cmocka's signature */
    for (i = 0; i < AMGR_COUNT(tables); i++) {
        assert_string_equal(tables[i].word(-1), "unknown");
        assert_string_equal(tables[i].word(tables[i].count), "unknown");
        assert_string_equal(tables[i].word(INT_MAX), "unknown");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_value_has_its_word),
        cmocka_unit_test(out_of_range_is_unknown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
