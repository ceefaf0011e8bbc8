/* SPDX-License-Identifier: Apache-2.0
 *
 * See machine.h.
 */
#include "supervise/machine.h"

#include "supervise/spec/spec.h"

#define CELL(next, action)                         \
    {                                              \
        AMGR_MANAGED_##next, AMGR_MACHINE_##action \
    }

static const amgr_machine_cell_t
    table[AMGR_MANAGED_STATE_COUNT][AMGR_MACHINE_EVENT_COUNT] =
        {
            [AMGR_MANAGED_STOPPED] =
                {
                    [AMGR_MACHINE_START] = CELL(STARTING, LAUNCH),
                    [AMGR_MACHINE_HELD] = CELL(STOPPED, NOTHING),
                    [AMGR_MACHINE_STARTED] = CELL(STOPPED, NOTHING),
                    [AMGR_MACHINE_LAUNCH_FAILED] = CELL(STOPPED, NOTHING),
                    [AMGR_MACHINE_VERIFIED] = CELL(STOPPED, NOTHING),
                    [AMGR_MACHINE_UNVERIFIED] = CELL(STOPPED, NOTHING),
                    [AMGR_MACHINE_START_TIMEOUT] = CELL(STOPPED, NOTHING),
                    [AMGR_MACHINE_UNHEALTHY] = CELL(STOPPED, NOTHING),
                    [AMGR_MACHINE_OVER_MEMORY] = CELL(STOPPED, NOTHING),
                    [AMGR_MACHINE_ENDED] = CELL(STOPPED, NOTHING),
                    [AMGR_MACHINE_STOP] = CELL(STOPPED, NOTHING),
                    [AMGR_MACHINE_LOST] = CELL(STOPPED, NOTHING),
                    [AMGR_MACHINE_GONE_DOWN] = CELL(STOPPED, NOTHING),
                    [AMGR_MACHINE_GONE_DONE] = CELL(STOPPED, NOTHING),
                    [AMGR_MACHINE_GONE_RETRY] = CELL(STOPPED, NOTHING),
                    [AMGR_MACHINE_GONE_FATAL] = CELL(STOPPED, NOTHING),
                },
            [AMGR_MANAGED_STARTING] =
                {
                    [AMGR_MACHINE_START] = CELL(STARTING, NOTHING),
                    [AMGR_MACHINE_HELD] = CELL(STARTING, NOTHING),
                    [AMGR_MACHINE_STARTED] = CELL(RUNNING, VERIFY),
                    [AMGR_MACHINE_LAUNCH_FAILED] = CELL(STARTING, AWAIT),
                    [AMGR_MACHINE_VERIFIED] = CELL(STARTING, NOTHING),
                    [AMGR_MACHINE_UNVERIFIED] = CELL(STARTING, NOTHING),
                    [AMGR_MACHINE_START_TIMEOUT] = CELL(STOPPING, TELL),
                    [AMGR_MACHINE_UNHEALTHY] = CELL(STARTING, NOTHING),
                    [AMGR_MACHINE_OVER_MEMORY] = CELL(STOPPING, TELL),
                    [AMGR_MACHINE_ENDED] = CELL(STOPPING, AWAIT),
                    [AMGR_MACHINE_STOP] = CELL(STOPPING, TELL),
                    [AMGR_MACHINE_LOST] = CELL(STOPPING, SWEEP),
                    [AMGR_MACHINE_GONE_DOWN] = CELL(STOPPED, REST),
                    [AMGR_MACHINE_GONE_DONE] = CELL(EXITED, REST),
                    [AMGR_MACHINE_GONE_RETRY] = CELL(BACKOFF, BACK_OFF),
                    [AMGR_MACHINE_GONE_FATAL] = CELL(FATAL, REST),
                },
            [AMGR_MANAGED_RUNNING] =
                {
                    [AMGR_MACHINE_START] = CELL(RUNNING, NOTHING),
                    [AMGR_MACHINE_HELD] = CELL(RUNNING, NOTHING),
                    [AMGR_MACHINE_STARTED] = CELL(RUNNING, NOTHING),
                    [AMGR_MACHINE_LAUNCH_FAILED] = CELL(RUNNING, NOTHING),
                    [AMGR_MACHINE_VERIFIED] = CELL(READY, WATCH),
                    [AMGR_MACHINE_UNVERIFIED] = CELL(STOPPING, TELL),
                    [AMGR_MACHINE_START_TIMEOUT] = CELL(STOPPING, TELL),
                    [AMGR_MACHINE_UNHEALTHY] = CELL(RUNNING, NOTHING),
                    [AMGR_MACHINE_OVER_MEMORY] = CELL(STOPPING, TELL),
                    [AMGR_MACHINE_ENDED] = CELL(STOPPING, AWAIT),
                    [AMGR_MACHINE_STOP] = CELL(STOPPING, TELL),
                    [AMGR_MACHINE_LOST] = CELL(STOPPING, SWEEP),
                    [AMGR_MACHINE_GONE_DOWN] = CELL(RUNNING, NOTHING),
                    [AMGR_MACHINE_GONE_DONE] = CELL(RUNNING, NOTHING),
                    [AMGR_MACHINE_GONE_RETRY] = CELL(RUNNING, NOTHING),
                    [AMGR_MACHINE_GONE_FATAL] = CELL(RUNNING, NOTHING),
                },
            [AMGR_MANAGED_READY] =
                {
                    [AMGR_MACHINE_START] = CELL(READY, NOTHING),
                    [AMGR_MACHINE_HELD] = CELL(READY, NOTHING),
                    [AMGR_MACHINE_STARTED] = CELL(READY, NOTHING),
                    [AMGR_MACHINE_LAUNCH_FAILED] = CELL(READY, NOTHING),
                    [AMGR_MACHINE_VERIFIED] = CELL(READY, NOTHING),
                    [AMGR_MACHINE_UNVERIFIED] = CELL(READY, NOTHING),
                    [AMGR_MACHINE_START_TIMEOUT] = CELL(READY, NOTHING),
                    [AMGR_MACHINE_UNHEALTHY] = CELL(STOPPING, TELL),
                    [AMGR_MACHINE_OVER_MEMORY] = CELL(STOPPING, TELL),
                    [AMGR_MACHINE_ENDED] = CELL(STOPPING, AWAIT),
                    [AMGR_MACHINE_STOP] = CELL(STOPPING, TELL),
                    [AMGR_MACHINE_LOST] = CELL(STOPPING, SWEEP),
                    [AMGR_MACHINE_GONE_DOWN] = CELL(READY, NOTHING),
                    [AMGR_MACHINE_GONE_DONE] = CELL(READY, NOTHING),
                    [AMGR_MACHINE_GONE_RETRY] = CELL(READY, NOTHING),
                    [AMGR_MACHINE_GONE_FATAL] = CELL(READY, NOTHING),
                },
            [AMGR_MANAGED_BACKOFF] =
                {
                    [AMGR_MACHINE_START] = CELL(STARTING, LAUNCH),
                    [AMGR_MACHINE_HELD] = CELL(STOPPED, REST),
                    [AMGR_MACHINE_STARTED] = CELL(BACKOFF, NOTHING),
                    [AMGR_MACHINE_LAUNCH_FAILED] = CELL(BACKOFF, NOTHING),
                    [AMGR_MACHINE_VERIFIED] = CELL(BACKOFF, NOTHING),
                    [AMGR_MACHINE_UNVERIFIED] = CELL(BACKOFF, NOTHING),
                    [AMGR_MACHINE_START_TIMEOUT] = CELL(BACKOFF, NOTHING),
                    [AMGR_MACHINE_UNHEALTHY] = CELL(BACKOFF, NOTHING),
                    [AMGR_MACHINE_OVER_MEMORY] = CELL(BACKOFF, NOTHING),
                    [AMGR_MACHINE_ENDED] = CELL(BACKOFF, NOTHING),
                    [AMGR_MACHINE_STOP] = CELL(STOPPED, REST),
                    [AMGR_MACHINE_LOST] = CELL(BACKOFF, NOTHING),
                    [AMGR_MACHINE_GONE_DOWN] = CELL(BACKOFF, NOTHING),
                    [AMGR_MACHINE_GONE_DONE] = CELL(BACKOFF, NOTHING),
                    [AMGR_MACHINE_GONE_RETRY] = CELL(BACKOFF, NOTHING),
                    [AMGR_MACHINE_GONE_FATAL] = CELL(BACKOFF, NOTHING),
                },
            [AMGR_MANAGED_STOPPING] =
                {
                    [AMGR_MACHINE_START] = CELL(STOPPING, NOTHING),
                    [AMGR_MACHINE_HELD] = CELL(STOPPING, NOTHING),
                    [AMGR_MACHINE_STARTED] = CELL(STOPPING, NOTHING),
                    [AMGR_MACHINE_LAUNCH_FAILED] = CELL(STOPPING, NOTHING),
                    [AMGR_MACHINE_VERIFIED] = CELL(STOPPING, NOTHING),
                    [AMGR_MACHINE_UNVERIFIED] = CELL(STOPPING, NOTHING),
                    [AMGR_MACHINE_START_TIMEOUT] = CELL(STOPPING, NOTHING),
                    [AMGR_MACHINE_UNHEALTHY] = CELL(STOPPING, NOTHING),
                    [AMGR_MACHINE_OVER_MEMORY] = CELL(STOPPING, NOTHING),
                    [AMGR_MACHINE_ENDED] = CELL(STOPPING, NOTHING),
                    [AMGR_MACHINE_STOP] = CELL(STOPPING, NOTHING),
                    [AMGR_MACHINE_LOST] = CELL(STOPPING, SWEEP),
                    [AMGR_MACHINE_GONE_DOWN] = CELL(STOPPED, REST),
                    [AMGR_MACHINE_GONE_DONE] = CELL(EXITED, REST),
                    [AMGR_MACHINE_GONE_RETRY] = CELL(BACKOFF, BACK_OFF),
                    [AMGR_MACHINE_GONE_FATAL] = CELL(FATAL, REST),
                },
            [AMGR_MANAGED_EXITED] =
                {
                    [AMGR_MACHINE_START] = CELL(STARTING, LAUNCH),
                    [AMGR_MACHINE_HELD] = CELL(STOPPED, REST),
                    [AMGR_MACHINE_STARTED] = CELL(EXITED, NOTHING),
                    [AMGR_MACHINE_LAUNCH_FAILED] = CELL(EXITED, NOTHING),
                    [AMGR_MACHINE_VERIFIED] = CELL(EXITED, NOTHING),
                    [AMGR_MACHINE_UNVERIFIED] = CELL(EXITED, NOTHING),
                    [AMGR_MACHINE_START_TIMEOUT] = CELL(EXITED, NOTHING),
                    [AMGR_MACHINE_UNHEALTHY] = CELL(EXITED, NOTHING),
                    [AMGR_MACHINE_OVER_MEMORY] = CELL(EXITED, NOTHING),
                    [AMGR_MACHINE_ENDED] = CELL(EXITED, NOTHING),
                    [AMGR_MACHINE_STOP] = CELL(EXITED, NOTHING),
                    [AMGR_MACHINE_LOST] = CELL(EXITED, NOTHING),
                    [AMGR_MACHINE_GONE_DOWN] = CELL(EXITED, NOTHING),
                    [AMGR_MACHINE_GONE_DONE] = CELL(EXITED, NOTHING),
                    [AMGR_MACHINE_GONE_RETRY] = CELL(EXITED, NOTHING),
                    [AMGR_MACHINE_GONE_FATAL] = CELL(EXITED, NOTHING),
                },
            [AMGR_MANAGED_FATAL] =
                {
                    [AMGR_MACHINE_START] = CELL(STARTING, LAUNCH),
                    [AMGR_MACHINE_HELD] = CELL(STOPPED, REST),
                    [AMGR_MACHINE_STARTED] = CELL(FATAL, NOTHING),
                    [AMGR_MACHINE_LAUNCH_FAILED] = CELL(FATAL, NOTHING),
                    [AMGR_MACHINE_VERIFIED] = CELL(FATAL, NOTHING),
                    [AMGR_MACHINE_UNVERIFIED] = CELL(FATAL, NOTHING),
                    [AMGR_MACHINE_START_TIMEOUT] = CELL(FATAL, NOTHING),
                    [AMGR_MACHINE_UNHEALTHY] = CELL(FATAL, NOTHING),
                    [AMGR_MACHINE_OVER_MEMORY] = CELL(FATAL, NOTHING),
                    [AMGR_MACHINE_ENDED] = CELL(FATAL, NOTHING),
                    [AMGR_MACHINE_STOP] = CELL(STOPPED, REST),
                    [AMGR_MACHINE_LOST] = CELL(FATAL, NOTHING),
                    [AMGR_MACHINE_GONE_DOWN] = CELL(FATAL, NOTHING),
                    [AMGR_MACHINE_GONE_DONE] = CELL(FATAL, NOTHING),
                    [AMGR_MACHINE_GONE_RETRY] = CELL(FATAL, NOTHING),
                    [AMGR_MACHINE_GONE_FATAL] = CELL(FATAL, NOTHING),
                },
};

amgr_machine_cell_t amgr_machine_step(int state, int event)
{
    static const amgr_machine_cell_t nothing = CELL(STOPPED, NOTHING);

    if (state < 0 || state >= AMGR_MANAGED_STATE_COUNT || event < 0 ||
        event >= AMGR_MACHINE_EVENT_COUNT) {
        return nothing;
    }
    return table[state][event];
}

int amgr_machine_is_failure(const amgr_machine_run_t *run)
{
    return run->cause != AMGR_MANAGED_EXIT_ORDERED &&
           run->cause != AMGR_MANAGED_EXIT_CLEAN;
}

/* Whether another run follows one that ended so. */
static int is_restarted(const amgr_machine_run_t *run)
{
    if (run->cause == AMGR_MANAGED_EXIT_EXEC) {
        return 1; /* nothing of it has ever run */
    }
    return run->restart == AMGR_RESTART_ALWAYS ||
           (run->restart == AMGR_RESTART_ON_FAILURE &&
            amgr_machine_is_failure(run));
}

int amgr_machine_gone(const amgr_machine_run_t *run)
{
    if (!run->is_wanted || run->is_asked ||
        run->cause == AMGR_MANAGED_EXIT_ORDERED) {
        return AMGR_MACHINE_GONE_DOWN;
    }
    if (!is_restarted(run)) {
        return AMGR_MACHINE_GONE_DONE;
    }
    return run->limit_reached && amgr_machine_is_failure(run)
               ? AMGR_MACHINE_GONE_FATAL
               : AMGR_MACHINE_GONE_RETRY;
}
