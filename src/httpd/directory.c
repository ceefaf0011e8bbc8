/* SPDX-License-Identifier: Apache-2.0
 *
 * See directory.h.
 */
#include "httpd/directory.h"

void *amgr_directory_create(apr_pool_t *p, char *path)
{
    amgr_directory_t *section = apr_palloc(p, sizeof(*section));

    (void)path; /* the hook's signature */
    section->max_time = amgr_max_time_create(p);
    section->control = AMGR_CONTROL_UNSET;
    return section;
}

void *amgr_directory_merge(apr_pool_t *p, void *outer, void *inner)
{
    amgr_directory_t *around = outer;
    amgr_directory_t *within = inner;
    amgr_directory_t *merged;
    int has_time = within->max_time->is_set || !around->max_time->is_set;
    int has_control = within->control != AMGR_CONTROL_UNSET ||
                      around->control == AMGR_CONTROL_UNSET;

    if (has_time && has_control) {
        return within;
    }
    if (!within->max_time->is_set && within->control == AMGR_CONTROL_UNSET) {
        return around;
    }
    merged = apr_palloc(p, sizeof(*merged));
    merged->max_time = has_time ? within->max_time : around->max_time;
    merged->control = has_control ? within->control : around->control;
    return merged;
}
