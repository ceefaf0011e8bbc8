/* SPDX-License-Identifier: Apache-2.0
 *
 * See hanging.h.
 */
#include "cli/hanging.h"

#include <apr_strings.h>

int amgr_hanging_is(const amgr_view_t *view, const amgr_slot_t *slot)
{
    return slot->request_age_us != AMGR_NO_TIME &&
           slot->request_age_us >= view->config->limits.hanging_us;
}

void amgr_hanging_judge(amgr_source_t *source, apr_interval_time_t threshold_us,
                        apr_pool_t *pool)
{
    amgr_view_t *view = &source->view;
    amgr_board_config_t *config;
    amgr_snapshot_t *snapshot;
    int i;

    if (threshold_us == 0 || view->snapshot->hanging < 0 ||
        view->snapshot->slot_count == 0) {
        return;
    }
    config = apr_pmemdup(pool, view->config, sizeof(*config));
    snapshot = apr_pmemdup(pool, view->snapshot, sizeof(*snapshot));
    config->limits.hanging_us = threshold_us;
    view->config = config;
    snapshot->hanging = 0;
    for (i = 0; i < snapshot->slot_count; i++) {
        snapshot->hanging += amgr_hanging_is(view, &snapshot->slots[i]);
    }
    view->snapshot = snapshot;
}
