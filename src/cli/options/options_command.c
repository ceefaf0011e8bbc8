/* SPDX-License-Identifier: Apache-2.0
 *
 * The words without dashes: a command, and whom it is for.
 */
#include <string.h>

#include "cli/options/options_values.h"

static const amgr_fault_t *unknown(apr_pool_t *pool, const char *word)
{
    return amgr_fault_make(pool, AMGR_EXIT_USAGE,
                           "unknown command '%s', there are: tree, status, "
                           "start, stop and restart. Try 'apache-manager "
                           "--help'",
                           amgr_fault_quote(pool, word));
}

/* All of them are a table. */
static void read_status(amgr_reading_t *reading)
{
    amgr_options_t *out = reading->out;
    int task = out->name_count > 0 ? AMGR_TASK_STATUS : AMGR_TASK_PROCESSES;
    int i;

    for (i = 0; i < out->name_count; i++) {
        if (strcmp(out->names[i], AMGR_NAME_ALL) == 0) {
            task = AMGR_TASK_PROCESSES;
        }
    }
    out->tasks |= task;
}

static const amgr_fault_t *read_order(amgr_reading_t *reading, const char *verb,
                                      int count)
{
    if (reading->out->tasks & AMGR_TASK_JSON) {
        return amgr_fault_make(reading->pool, AMGR_EXIT_USAGE,
                               "%s does not answer in JSON; status does. Try "
                               "'apache-manager --help'",
                               verb);
    }
    reading->out->tasks |= AMGR_TASK_ORDER;
    reading->out->verb = verb;
    return count > 0
               ? NULL
               : amgr_fault_make(reading->pool, AMGR_EXIT_USAGE,
                                 "%s whom? Name processes, or " AMGR_NAME_ALL
                                 ". Try 'apache-manager --help'",
                                 verb);
}

const amgr_fault_t *amgr_option_command(amgr_reading_t *reading,
                                        char *const *words, int count)
{
    static const char *const verbs[] = {"start", "stop", "restart"};
    apr_size_t i;

    if (count == 0) {
        return NULL;
    }
    if (strcmp(words[0], "tree") == 0) {
        reading->out->tasks |= AMGR_TASK_TREE;
        return count == 1 ? NULL : unknown(reading->pool, words[1]);
    }
    reading->out->names = (const char *const *)words + 1;
    reading->out->name_count = count - 1;
    if (strcmp(words[0], "status") == 0) {
        read_status(reading);
        return NULL;
    }
    for (i = 0; i < AMGR_COUNT(verbs); i++) {
        if (strcmp(words[0], verbs[i]) == 0) {
            return read_order(reading, verbs[i], count - 1);
        }
    }
    return unknown(reading->pool, words[0]);
}
