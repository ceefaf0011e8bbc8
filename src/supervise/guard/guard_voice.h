/* SPDX-License-Identifier: Apache-2.0
 *
 * How a guard tells its supervisor: at most one event of each kind waits to be
 * sent, the newest, so that neither a process that notifies without end nor a
 * supervisor that does not listen costs memory or time.
 */
#ifndef AMGR_GUARD_VOICE_H
#define AMGR_GUARD_VOICE_H

#include "supervise/guard/guard.h"

typedef struct amgr_guard_voice_t {
    int fd;               /**< to the supervisor; -1: it is gone */
    unsigned int waiting; /**< a bit for each kind */
    int is_stuck;         /**< it does not listen: poll for writing */
    apr_time_t sent_mono_us[AMGR_GUARD_EVENT_COUNT];
    amgr_guard_event_t events[AMGR_GUARD_EVENT_COUNT];
} amgr_guard_voice_t;

/** Say to it over @a fd. */
void amgr_guard_voice_init(amgr_guard_voice_t *voice, int fd);

/** The event of this kind, all zero but its type, to be filled in by the
 * caller: it waits from now on.  READY and STOPPING are told so that the one
 * which was said last comes last. */
amgr_guard_event_t *amgr_guard_voice_add(amgr_guard_voice_t *voice, int type);

/** Send what may be sent; when to call again, or AMGR_NO_TIME. */
apr_time_t amgr_guard_voice_send(amgr_guard_voice_t *voice,
                                 apr_time_t now_mono_us);

#endif
