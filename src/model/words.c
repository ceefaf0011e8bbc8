/* SPDX-License-Identifier: Apache-2.0
 *
 * The words of the enumerated values of the model.  Each table is indexed by
 * its enum, so adding a value without a word leaves a hole that the unit test
 * finds.
 */
#include "model/words.h"

static const char *const kind_words[AMGR_KIND_COUNT] = {
    [AMGR_KIND_NATIVE] = "native",
    [AMGR_KIND_FOREIGN] = "foreign",
};

static const char *const role_words[AMGR_ROLE_COUNT] = {
    [AMGR_ROLE_WORKER] = "worker",   [AMGR_ROLE_WSGI] = "wsgi",
    [AMGR_ROLE_DAEMON] = "daemon",   [AMGR_ROLE_HELPER] = "helper",
    [AMGR_ROLE_PROGRAM] = "program", [AMGR_ROLE_OTHER] = "other",
};

static const char *const state_words[AMGR_STATE_COUNT] = {
    [AMGR_STATE_SERVING] = "serving",
    [AMGR_STATE_RETIRING] = "retiring",
    [AMGR_STATE_STOPPING] = "stopping",
};

static const char *const verdict_words[AMGR_VERDICT_COUNT] = {
    [AMGR_VERDICT_UNKNOWN] = "unknown",
    [AMGR_VERDICT_EXEMPT] = "exempt",
    [AMGR_VERDICT_OK] = "ok",
    [AMGR_VERDICT_MEMORY_ACTIVE] = "memory_active",
    [AMGR_VERDICT_MEMORY_IDLE] = "memory_idle",
    [AMGR_VERDICT_TIME] = "time",
    [AMGR_VERDICT_MEMORY_HARD] = "memory_hard",
    [AMGR_VERDICT_MEMORY_TOTAL] = "memory_total",
    [AMGR_VERDICT_REQUESTS] = "requests",
    [AMGR_VERDICT_LIFETIME] = "lifetime",
    [AMGR_VERDICT_GENERATION] = "generation",
    [AMGR_VERDICT_REQUESTED] = "requested",
};

static const char *const cause_words[AMGR_CAUSE_COUNT] = {
    [AMGR_CAUSE_NONE] = "none",
    [AMGR_CAUSE_DRY_RUN] = "dry_run",
    [AMGR_CAUSE_INERT] = "inert",
    [AMGR_CAUSE_MIN_AGE] = "min_age",
    [AMGR_CAUSE_STRIKES] = "strikes",
    [AMGR_CAUSE_STORM] = "storm",
    [AMGR_CAUSE_MAX_RETIRING] = "max_retiring",
    [AMGR_CAUSE_MIN_SERVING] = "min_serving",
    [AMGR_CAUSE_NO_RIGHTS] = "no_rights",
    [AMGR_CAUSE_VETO] = "veto",
};

static const char *word_of(const char *const *words, int count, int value)
{
    if (value < 0 || value >= count || words[value] == NULL) {
        return "unknown";
    }
    return words[value];
}

const char *amgr_kind_word(int kind)
{
    return word_of(kind_words, AMGR_KIND_COUNT, kind);
}

const char *amgr_role_word(int role)
{
    return word_of(role_words, AMGR_ROLE_COUNT, role);
}

const char *amgr_state_word(int state)
{
    return word_of(state_words, AMGR_STATE_COUNT, state);
}

const char *amgr_verdict_word(int verdict)
{
    return word_of(verdict_words, AMGR_VERDICT_COUNT, verdict);
}

const char *amgr_cause_word(int cause)
{
    return word_of(cause_words, AMGR_CAUSE_COUNT, cause);
}
