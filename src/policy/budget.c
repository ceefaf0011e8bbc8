/* SPDX-License-Identifier: Apache-2.0
 *
 * See budget.h.  A note, from the low end: 40 bits of the request's start in
 * microseconds (they come around every twelve days), 10 of the index, 2 of
 * the phase, 12 of the restamp.
 */
#include "policy/budget.h"

#include <string.h>
#include <strings.h>

#define START_BITS 40
#define INDEX_BITS 10
#define PHASE_BITS 2
#define RESTAMP_BITS 12
#define INDEX_AT START_BITS
#define PHASE_AT (INDEX_AT + INDEX_BITS)
#define RESTAMP_AT (PHASE_AT + PHASE_BITS)

_Static_assert(RESTAMP_AT + RESTAMP_BITS == 64, "a note is one word");
_Static_assert(AMGR_BUDGETS_MAX < 1 << INDEX_BITS, "every index fits");
_Static_assert(AMGR_PHASE_COUNT <= 1 << PHASE_BITS, "every phase fits");

static apr_uint64_t mask(int bits)
{
    return ((apr_uint64_t)1 << bits) - 1;
}

static apr_uint64_t field(apr_uint64_t note, int at, int bits)
{
    return (note >> at) & mask(bits);
}

static int counts_of(const char *word)
{
    static const struct {
        const char *word;
        int counts;
    } words[] = {
        {"uploads", AMGR_COUNTS_UPLOADS},
        {"streams", AMGR_COUNTS_STREAMS},
        {"upgrades", AMGR_COUNTS_UPGRADES},
    };
    apr_size_t i;

    for (i = 0; i < AMGR_COUNT(words); i++) {
        if (strcasecmp(word, words[i].word) == 0) {
            return words[i].counts;
        }
    }
    return 0;
}

const char *amgr_budget_parse(int argc, char *const argv[], amgr_budget_t *out,
                              const char **out_wrong)
{
    amgr_budget_t budget = {AMGR_LIMIT_OFF, 0, 0};
    const char *wrong;
    int i;

    *out_wrong = argc > 0 ? argv[0] : "";
    if (argc == 0) {
        return "a duration or Off";
    }
    if (strcasecmp(argv[0], "Off") != 0) {
        wrong = amgr_duration_parse(argv[0], &budget.max_time_us);
        if (wrong != NULL) {
            return wrong;
        }
    }
    for (i = 1; i < argc; i++) {
        int counts = counts_of(argv[i]);

        *out_wrong = argv[i];
        if (budget.max_time_us == AMGR_LIMIT_OFF) {
            return "nothing after Off";
        }
        if (counts == 0 || (budget.counts & counts) != 0) {
            return "uploads, streams or upgrades, each once at most";
        }
        budget.counts |= counts;
    }
    *out = budget;
    return NULL;
}

int amgr_budget_equal(const amgr_budget_t *left, const amgr_budget_t *right)
{
    return left->max_time_us == right->max_time_us &&
           left->counts == right->counts;
}

int amgr_budgets_add(amgr_budgets_t *table, const amgr_budget_t *budget)
{
    int i;

    for (i = 0; i < table->count; i++) {
        if (amgr_budget_equal(&table->all[i], budget)) {
            return i + 1;
        }
    }
    if (table->count >= AMGR_BUDGETS_MAX) {
        return 0;
    }
    table->all[table->count] = *budget;
    return ++table->count;
}

apr_uint64_t amgr_budget_note(apr_time_t start_us, int index, int phase,
                              apr_uint32_t restamp)
{
    return ((apr_uint64_t)start_us & mask(START_BITS)) |
           ((apr_uint64_t)index & mask(INDEX_BITS)) << INDEX_AT |
           ((apr_uint64_t)phase & mask(PHASE_BITS)) << PHASE_AT |
           ((apr_uint64_t)restamp & mask(RESTAMP_BITS)) << RESTAMP_AT;
}

apr_time_t amgr_budget_note_start(apr_uint64_t note, apr_time_t near_us)
{
    apr_int64_t half = APR_INT64_C(1) << (START_BITS - 1);
    apr_uint64_t behind = ((apr_uint64_t)near_us - note) & mask(START_BITS);

    /* More than half a turn behind is a little ahead: clocks are set. */
    if ((apr_int64_t)behind >= half) {
        return near_us + (2 * half - (apr_int64_t)behind);
    }
    return near_us - (apr_int64_t)behind;
}

int amgr_budget_is_about(apr_uint64_t note, apr_time_t start_us)
{
    return field(note, 0, START_BITS) ==
           ((apr_uint64_t)start_us & mask(START_BITS));
}

void amgr_budget_read(const amgr_budgets_t *table, const amgr_budget_t *own,
                      apr_uint64_t note, amgr_timing_t *out)
{
    int index = (int)field(note, INDEX_AT, INDEX_BITS);
    int phase = (int)field(note, PHASE_AT, PHASE_BITS);
    const amgr_budget_t *budget =
        index >= 1 && index <= table->count ? &table->all[index - 1] : own;
    int streams = (budget->counts & AMGR_COUNTS_STREAMS) == 0;
    int uploads = (budget->counts & AMGR_COUNTS_UPLOADS) == 0;
    int upgrades = (budget->counts & AMGR_COUNTS_UPGRADES) == 0;

    memset(out, 0, sizeof(*out));
    out->max_time_us = budget->max_time_us;
    out->endless = phase == AMGR_PHASE_ENDLESS && (streams || upgrades);
    out->paused = (phase == AMGR_PHASE_RECEIVING && uploads) ||
                  (phase == AMGR_PHASE_SENDING && streams);
    if (uploads || streams) {
        out->restamp = (apr_uint32_t)field(note, RESTAMP_AT, RESTAMP_BITS);
    }
}
