/* SPDX-License-Identifier: Apache-2.0
 *
 * See directory.h.
 */
#include "httpd/directory.h"

#include <apr_strings.h>

void *amgr_directory_create(apr_pool_t *p, char *path)
{
    amgr_directory_t *section = apr_palloc(p, sizeof(*section));

    (void)path; /* the hook's signature */
    section->max_time = amgr_max_time_create(p);
    section->control = AMGR_CONTROL_UNSET;
    section->gates = 0;
    return section;
}

/** What is said at both places, each by the inner one where it says it. */
static void merge(amgr_directory_t *out, const amgr_directory_t *around,
                  const amgr_directory_t *within)
{
    *out = *around;
    if (within->max_time->is_set) {
        out->max_time = within->max_time;
    }
    if (within->control != AMGR_CONTROL_UNSET) {
        out->control = within->control;
    }
    if (within->gates != 0) {
        out->gates = within->gates;
    }
}

static int is_same(const amgr_directory_t *a, const amgr_directory_t *b)
{
    return (a->max_time == b->max_time ||
            (!a->max_time->is_set && !b->max_time->is_set)) &&
           a->control == b->control && a->gates == b->gates;
}

void *amgr_directory_merge(apr_pool_t *p, void *outer, void *inner)
{
    amgr_directory_t merged;

    merge(&merged, outer, inner);
    if (is_same(&merged, inner)) {
        return inner;
    }
    return is_same(&merged, outer) ? outer
                                   : apr_pmemdup(p, &merged, sizeof(merged));
}
