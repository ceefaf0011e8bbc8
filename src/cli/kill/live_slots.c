/* SPDX-License-Identifier: Apache-2.0
 *
 * See live_slots.h.
 */
#include "cli/kill/live_slots.h"

/* Pages tell when a request began by the time that has passed since, in whole
 * seconds where they are mod_status's. */
#define SAME_START_US (2 * APR_USEC_PER_SEC)

const amgr_live_t *amgr_live_read(const amgr_target_t *target,
                                  const amgr_proc_id_t *parent,
                                  apr_pool_t *pool)
{
    amgr_live_t *live = apr_pcalloc(pool, sizeof(*live));
    amgr_target_t hurried = *target;
    amgr_instant_t now;

    hurried.timeout_us = AMGR_LIVE_TIMEOUT_US;
    amgr_clock_read(&now);
    live->asked_boot_us = now.boot_us;
    if (amgr_source_read(&hurried,
                         AMGR_WANT_PROCESSES | AMGR_WANT_SLOTS | AMGR_WANT_NOW |
                             AMGR_WANT_LIVE,
                         &live->source, pool) != NULL ||
        (live->source.kind != AMGR_SOURCE_STATUS_JSON &&
         live->source.kind != AMGR_SOURCE_MOD_STATUS) ||
        live->source.is_untold ||
        !amgr_proc_id_equal(&live->source.parent, parent)) {
        return NULL;
    }
    return live;
}

static apr_interval_time_t lesser(apr_interval_time_t a, apr_interval_time_t b)
{
    return a < b ? a : b;
}

/* Whether the tick saw the very request that runs now. */
static int is_same(const amgr_slot_t *slot, const amgr_slot_t *ticked)
{
    apr_interval_time_t apart_us = slot->start_time_us - ticked->start_time_us;

    return apart_us <= SAME_START_US && apart_us >= -SAME_START_US;
}

/* Which of any order the tick saw run this request, or NULL.  Of several that
 * began at this time it is the youngest, and before all others one whose time
 * it did not count: nobody can say that it is not that one. */
static const amgr_slot_t *find_same(const amgr_slot_t *slot,
                                    const amgr_ticked_t *ticked)
{
    const amgr_slot_t *found = NULL;
    int i;

    for (i = 0; i < ticked->count; i++) {
        const amgr_slot_t *seen = &ticked->slots[i];

        if (is_same(slot, seen) &&
            (seen->request_age_us != AMGR_NO_TIME ||
             amgr_slot_is_timed(seen, 0)) &&
            (found == NULL || seen->request_age_us < found->request_age_us)) {
            found = seen;
        }
    }
    return found;
}

static apr_interval_time_t bound_age(const amgr_slot_t *slot,
                                     const amgr_slot_t *ticked,
                                     apr_interval_time_t since_us)
{
    if (ticked == NULL || !is_same(slot, ticked)) {
        /* It began after the tick. */
        return lesser(slot->request_age_us, since_us);
    }
    if (ticked->request_age_us != AMGR_NO_TIME) {
        return lesser(slot->request_age_us, ticked->request_age_us + since_us);
    }
    /* Its time stands still, or it has none: the client is at work. */
    return amgr_slot_is_timed(ticked, 0) ? AMGR_NO_TIME : slot->request_age_us;
}

void amgr_live_bound_ages(const amgr_process_t *process, amgr_slot_t *slots,
                          const amgr_ticked_t *ticked,
                          apr_interval_time_t since_us)
{
    int i;

    for (i = 0; i < process->slot_count; i++) {
        amgr_slot_t *slot = &slots[i];

        if (slot->request_age_us == AMGR_NO_TIME) {
            continue;
        }
        if (ticked->slots != NULL) {
            slot->request_age_us =
                bound_age(slot,
                          ticked->is_ordered ? &ticked->slots[i]
                                             : find_same(slot, ticked),
                          since_us);
        }
        if (process->age_us != AMGR_NO_TIME) {
            slot->request_age_us =
                lesser(slot->request_age_us, process->age_us);
        }
    }
}
