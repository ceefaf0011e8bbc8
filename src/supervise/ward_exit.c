/* SPDX-License-Identifier: Apache-2.0
 *
 * How the process of a ward ended, and what there is to say of that.
 */
#include <string.h>
#include <sys/wait.h>

#include "supervise/machine.h"
#include "supervise/supervisor_parts.h"

static int is_success(const amgr_spec_t *spec, int code)
{
    int i;

    /* What waits for this code is not satisfied by another. */
    if (spec->verify.type == AMGR_VERIFY_EXITED) {
        return code == spec->verify.expect_code;
    }
    for (i = 0; spec->success_exits != NULL && i < spec->success_exits->nelts;
         i++) {
        if (APR_ARRAY_IDX(spec->success_exits, i, int) == code) {
            return 1;
        }
    }
    return code == 0;
}

/* It has ended well by itself, and others of its tree have not. */
static void note_left(const amgr_supervisor_t *supervisor, amgr_ward_t *ward,
                      int left)
{
    char text[AMGR_MANAGED_TEXT_LEN];

    amgr_supervisor_text(
        text, sizeof(text),
        "exited with code 0 and left %d process%s behind, which %s ended: a "
        "program that goes into the background cannot be managed",
        left, left == 1 ? "" : "es", left == 1 ? "is" : "are");
    if (strcmp(ward->told, text) != 0) {
        memcpy(ward->told, text, sizeof(ward->told));
        amgr_say(&supervisor->teller, AMGR_SAY_FAULT, AMGR_LEVEL_WARNING, 0,
                 "process %s: %s", ward->row.name, text);
    }
}

void amgr_ward_exited(amgr_supervisor_t *supervisor, amgr_ward_t *ward,
                      const amgr_guard_event_t *event)
{
    int status = event->wait_status;
    const char *line = "";
    char expected[32] = "";
    char name[AMGR_SIGNAL_LEN];

    if (ward->is_ended || !amgr_ward_is_on(ward)) {
        return;
    }
    ward->is_ended = 1;
    ward->is_ended_all = event->is_all != 0;
    ward->wait_status = status;
    ward->row.pid = 0;
    ward->row.start_ticks = 0;
    /* What it said last tells most often why it could not start. */
    if (ward->row.state != AMGR_MANAGED_READY) {
        line = event->text;
    }
    if (event->left > 0 && ward->cause < 0 && WIFEXITED(status) &&
        WEXITSTATUS(status) == 0) {
        note_left(supervisor, ward, event->left);
    }
    if (WIFEXITED(status)) {
        if (ward->spec->verify.type == AMGR_VERIFY_EXITED &&
            !is_success(ward->spec, WEXITSTATUS(status))) {
            amgr_supervisor_text(expected, sizeof(expected), ", expected %d",
                                 ward->spec->verify.expect_code);
        }
        amgr_ward_blame(ward,
                        is_success(ward->spec, WEXITSTATUS(status))
                            ? AMGR_MANAGED_EXIT_CLEAN
                            : AMGR_MANAGED_EXIT_CODE,
                        "exited with code %d%s%s%s", WEXITSTATUS(status),
                        expected,
                        line[0] == '\0' ? "" : ", its last line: ", line);
    }
    else {
        amgr_signal_text(WTERMSIG(status), name);
        amgr_ward_blame(ward, AMGR_MANAGED_EXIT_SIGNAL, "killed by %s%s%s%s",
                        name, WCOREDUMP(status) ? " with a core file" : "",
                        line[0] == '\0' ? "" : ", its last line: ", line);
    }
    amgr_ward_fire(supervisor, ward, AMGR_MACHINE_ENDED, ward->fault);
}
