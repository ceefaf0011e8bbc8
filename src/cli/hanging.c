/* SPDX-License-Identifier: Apache-2.0
 *
 * See hanging.h.
 */
#include "cli/hanging.h"

#include <apr_strings.h>

#include "base/units.h"
#include "cli/message.h"

int amgr_hanging_is(const amgr_view_t *view, const amgr_slot_t *slot)
{
    return slot->request_age_us != AMGR_NO_TIME &&
           slot->request_age_us >= view->config->limits.hanging_us;
}

static int count_slots(const amgr_view_t *view)
{
    int count = 0;
    int i;

    for (i = 0; i < view->snapshot->slot_count; i++) {
        count += amgr_hanging_is(view, &view->snapshot->slots[i]);
    }
    return count;
}

int amgr_hanging_unseen(const amgr_view_t *view)
{
    int unseen = view->snapshot->hanging - count_slots(view);

    return unseen > 0 ? unseen : 0;
}

static void warn_unseen(int unseen, apr_interval_time_t threshold_us)
{
    char span[AMGR_UNITS_LEN];

    amgr_message(AMGR_LEVEL_WARNING,
                 "%d request%s of HTTP/2 hang%s by the server's own threshold "
                 "of %s, and how old %s nobody tells: not counted",
                 unseen, unseen == 1 ? "" : "s", unseen == 1 ? "s" : "",
                 amgr_duration_format(threshold_us, span, sizeof(span)),
                 unseen == 1 ? "it is" : "they are");
}

void amgr_hanging_judge(amgr_source_t *source, apr_interval_time_t threshold_us,
                        apr_pool_t *pool)
{
    amgr_view_t *view = &source->view;
    amgr_board_config_t *config;
    apr_interval_time_t own_us = view->config->limits.hanging_us;
    amgr_snapshot_t *snapshot;
    int unseen;

    if (threshold_us == 0 || threshold_us == own_us ||
        view->snapshot->hanging < 0 || view->snapshot->slot_count == 0) {
        return;
    }
    /* A page has the slots of a later moment than the count. */
    unseen = source->kind == AMGR_SOURCE_BOARD ? amgr_hanging_unseen(view) : 0;
    if (unseen > 0 && threshold_us > own_us) {
        warn_unseen(unseen, own_us);
        unseen = 0;
    }
    config = apr_pmemdup(pool, view->config, sizeof(*config));
    snapshot = apr_pmemdup(pool, view->snapshot, sizeof(*snapshot));
    config->limits.hanging_us = threshold_us;
    view->config = config;
    snapshot->hanging = count_slots(view) + unseen;
    view->snapshot = snapshot;
}
