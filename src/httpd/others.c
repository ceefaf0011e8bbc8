/* SPDX-License-Identifier: Apache-2.0
 *
 * See others.h.
 */
#include "httpd/others.h"

#include <string.h>

#include <httpd.h>
#include <http_config.h>
#include <scoreboard.h>

#include "httpd/runtime.h"
#include "model/words.h"

APR_IMPLEMENT_OPTIONAL_HOOK_RUN_ALL(amgr, AMGR, int, retirement,
                                    (const amgr_retirement_t *retirement),
                                    (retirement), OK, DECLINED)

static int call(const amgr_record_t *record, int stage)
{
    amgr_retirement_t retirement;

    memset(&retirement, 0, sizeof(retirement));
    retirement.size = sizeof(retirement);
    retirement.stage = stage;
    retirement.pid = record->id.pid;
    retirement.group = record->group;
    retirement.reason = amgr_verdict_word(record->verdict);
    retirement.action = amgr_action_word(record->action);
    retirement.outcome = amgr_outcome_word(record->outcome);
    retirement.measured = record->measured;
    retirement.limit = record->limit;
    retirement.active = record->active;
    retirement.requests = record->requests;
    return amgr_run_retirement(&retirement);
}

int amgr_others_veto(const amgr_record_t *record)
{
    int answer = call(record, AMGR_RETIREMENT_DECIDED);

    return answer != OK && answer != DECLINED;
}

void amgr_others_tell(const amgr_record_t *record, int stage)
{
    (void)call(record, stage); /* there is nothing left to be vetoed */
}

/** Note the wish in the mailbox: whoever calls may be a child. */
static apr_status_t amgr_request_retirement(pid_t pid)
{
    const amgr_runtime_t *runtime = amgr_runtime();
    int row;

    if (runtime == NULL || !ap_exists_scoreboard_image()) {
        return APR_ENOTIMPL;
    }
    for (row = 0; pid > 0 && row < runtime->server_limit; row++) {
        if (ap_get_scoreboard_process(row)->pid == pid) {
            amgr_mailbox_wish(&runtime->mailbox, row, pid);
            return APR_SUCCESS;
        }
    }
    return APR_NOTFOUND;
}

void amgr_others_register(void)
{
    APR_REGISTER_OPTIONAL_FN(amgr_request_retirement);
}
