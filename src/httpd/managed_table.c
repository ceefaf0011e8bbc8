/* SPDX-License-Identifier: Apache-2.0
 *
 * See managed_table.h.
 */
#include "httpd/managed_table.h"

#include <string.h>

#include "httpd/config.h"
#include "httpd/scoreboard.h"
#include "supervise/spec/spec.h"

/** How many sections this child's configuration has, if that is still the one
 * in force. */
static int count_sections(void)
{
    const apr_array_header_t *all = amgr_config_main()->managed;

    return all != NULL && amgr_scoreboard_is_of_today() ? all->nelts : 0;
}

static const amgr_spec_t *section(int i)
{
    return APR_ARRAY_IDX(amgr_config_main()->managed, i, const amgr_spec_t *);
}

static int is_complete(const amgr_managed_table_t *table)
{
    int count = count_sections();
    int i;

    for (i = 0; i < count; i++) {
        if (table == NULL ||
            amgr_managed_find(table, section(i)->name) == NULL) {
            return 0;
        }
    }
    return 1;
}

void amgr_managed_table_complete(amgr_managed_table_t *table)
{
    static const char reason[] = "no supervisor has taken it up yet";
    int count = count_sections();
    int i;

    for (i = 0; i < count; i++) {
        amgr_managed_t row;

        if (amgr_managed_find(table, section(i)->name) != NULL) {
            continue;
        }
        amgr_managed_init(&row, section(i)->name);
        amgr_spec_describe(section(i), &row);
        memcpy(row.reason, reason, sizeof(reason));
        row.want = AMGR_MANAGED_WANT_UP;
        amgr_managed_expect(table, &row);
    }
}

const amgr_managed_table_t *
amgr_managed_table_completed(const amgr_managed_table_t *table, apr_pool_t *p)
{
    amgr_managed_table_t *completed;

    if (is_complete(table)) {
        return table;
    }
    completed = apr_palloc(p, sizeof(*completed));
    if (table != NULL) {
        *completed = *table;
    }
    else {
        memset(completed, 0, sizeof(*completed));
    }
    amgr_managed_table_complete(completed);
    return completed;
}
