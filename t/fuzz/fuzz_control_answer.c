/* SPDX-License-Identifier: Apache-2.0
 *
 * Any bytes as the ticker's answer to an order for retirements.  Checked
 * besides memory: nothing is taken of an answer that is refused, what is taken
 * is in range, and every text is of one line.
 */
#include "fuzz.h"

#include "cli/kill/control_client.h"

static void check_retirement(const amgr_control_retirement_t *retirement)
{
    check(retirement->id.pid > 1 && retirement->id.start_ticks > 0);
    check(retirement->action >= 0 && retirement->action < AMGR_ACTION_COUNT);
    check(retirement->outcome >= 0 && retirement->outcome < AMGR_OUTCOME_COUNT);
    check_line_text(retirement->line);
    check_utf8(retirement->line);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    apr_pool_t *pool = fuzz_pool();
    amgr_control_answer_t answer;
    int is_refused = -1;
    const char *wrong;
    size_t i;

    memset(&answer, 0x5a, sizeof(answer));
    wrong = amgr_control_parse((const char *)data, size, &answer, &is_refused,
                               pool);
    check(is_refused == 0 || (is_refused == 1 && wrong != NULL));
    if (wrong != NULL) {
        check_line_text(wrong);
        for (i = 0; i < sizeof(answer); i++) {
            check(((const unsigned char *)&answer)[i] == 0x5a);
        }
    }
    else {
        check(answer.workers >= 0 && answer.grace_us >= 0 &&
              answer.unlisted >= 0);
        for (i = 0; i < (size_t)answer.retirement_count; i++) {
            check_retirement(&answer.retirements[i]);
        }
        for (i = 0; i < (size_t)answer.vetoed_count; i++) {
            check(answer.vetoed[i] > 1);
        }
    }
    apr_pool_destroy(pool);
    return 0;
}
