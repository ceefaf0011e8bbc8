/* SPDX-License-Identifier: Apache-2.0
 *
 * Any bytes as an order.  Checked besides memory: what is taken is of its type
 * and in range, and nothing is taken of a line that is refused.
 */
#include "fuzz.h"

#include "base/json_line.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    amgr_json_member_t members[] = {
        {"order", AMGR_JSON_WORD, 0, 0, 0, 0, ""},
        {"max_time_us", AMGR_JSON_NUMBER, 1, APR_INT64_MAX - 1, 0, 0, ""},
        {"max_kills", AMGR_JSON_NUMBER, 0, 1000, 0, 0, ""},
        {"dry_run", AMGR_JSON_SWITCH, 0, 0, 0, 0, ""},
    };
    const amgr_json_member_t *which = NULL;
    const char *wrong = amgr_json_line_parse((const char *)data, size, members,
                                             AMGR_COUNT(members), &which);
    size_t i;

    check(wrong != NULL || which == NULL);
    for (i = 0; i < AMGR_COUNT(members); i++) {
        const amgr_json_member_t *member = &members[i];

        check(wrong == NULL || !member->given);
        if (!member->given) {
            continue;
        }
        check(memchr(member->word, '\0', sizeof(member->word)) != NULL);
        check(member->type != AMGR_JSON_NUMBER ||
              (member->number >= member->least &&
               member->number <= member->most));
        check(member->type != AMGR_JSON_SWITCH || member->number == 0 ||
              member->number == 1);
    }
    return 0;
}
