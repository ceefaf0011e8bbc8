/* SPDX-License-Identifier: Apache-2.0
 *
 * What a guard has to tell of its process, see guard_life.h: what that says of
 * itself, and how it ended.
 */
#include "supervise/guard/guard_life.h"

#include <string.h>

/** Looks at what was notified before the end, so that a queue as long as the
 * kernel has them is heard. */
#define LAST_NOTICES 32

int amgr_guard_hear_notices(amgr_guard_life_t *life)
{
    static const struct {
        unsigned int said;
        int type;
    } kinds[] = {
        {AMGR_NOTICE_READY, AMGR_GUARD_READY},
        {AMGR_NOTICE_STATUS, AMGR_GUARD_STATUS},
        {AMGR_NOTICE_WATCHDOG, AMGR_GUARD_WATCHDOG},
        {AMGR_NOTICE_STOPPING, AMGR_GUARD_STOPPING},
    };
    amgr_guard_event_t *event;
    amgr_notice_t notice;
    apr_size_t i;
    int is_more;

    notice.said = 0;
    is_more = amgr_notify_read(&life->notify, &life->tree.proc,
                               life->now_mono_us, &notice);
    for (i = 0; i < AMGR_COUNT(kinds); i++) {
        if ((notice.said & kinds[i].said) != 0) {
            event = amgr_guard_voice_add(&life->voice, kinds[i].type);
            if (kinds[i].said == AMGR_NOTICE_STATUS) {
                memcpy(event->text, notice.status, sizeof(event->text));
            }
        }
    }
    if (life->notify.stranger != 0 && !life->told_stranger) {
        life->told_stranger = 1;
        amgr_say(&life->setup->teller, AMGR_SAY_VERIFY, AMGR_LEVEL_WARNING, 0,
                 "process %s: a notification of process %" APR_PID_T_FMT
                 " is not heard, which is not below it or has ended",
                 life->spec->name, life->notify.stranger);
    }
    return is_more;
}

void amgr_guard_tell_exited(amgr_guard_life_t *life, int wait_status)
{
    amgr_guard_event_t *event;
    int i;

    for (i = 0; i < LAST_NOTICES && amgr_guard_hear_notices(life); i++) {
        /* on with the next ones */
    }
    /* A logger's pipe is not ours to read. */
    if (life->spec->output != AMGR_OUTPUT_PIPE) {
        amgr_output_read(&life->output, life->now_mono_us);
    }
    event = amgr_guard_voice_add(&life->voice, AMGR_GUARD_EXITED);
    event->wait_status = wait_status;
    event->pid = life->pid;
    /* Signal 0 goes to nobody: they are only counted. */
    event->left = amgr_guard_tree_signal(&life->tree, 0, life->logger.pid);
    amgr_output_last(&life->output, event->text, sizeof(event->text));
}
