/* SPDX-License-Identifier: Apache-2.0
 *
 * See guard_voice.h.
 */
#include "supervise/guard/guard_voice.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

/** What a process can bring about as often as it likes is told so often. */
#define NOTICE_EVERY_US (APR_USEC_PER_SEC / 10)
#define OUTPUT_EVERY_US APR_USEC_PER_SEC

#define BIT(type) (1u << (type))

/** The end of a run, before which everything else is told at once. */
#define LAST_WORDS (BIT(AMGR_GUARD_EXITED) | BIT(AMGR_GUARD_EMPTY))

/** In this order, which is that of a run. */
static const struct {
    int type;
    apr_interval_time_t every_us;
} order[AMGR_GUARD_EVENT_COUNT] = {
    {AMGR_GUARD_STARTED, 0},
    {AMGR_GUARD_FAILED, 0},
    {AMGR_GUARD_READY, NOTICE_EVERY_US},
    {AMGR_GUARD_STATUS, NOTICE_EVERY_US},
    {AMGR_GUARD_WATCHDOG, NOTICE_EVERY_US},
    {AMGR_GUARD_STOPPING, NOTICE_EVERY_US},
    {AMGR_GUARD_OUTPUT, OUTPUT_EVERY_US},
    {AMGR_GUARD_LOGGER, OUTPUT_EVERY_US},
    {AMGR_GUARD_EXITED, 0},
    {AMGR_GUARD_EMPTY, 0},
};

void amgr_guard_voice_init(amgr_guard_voice_t *voice, int fd)
{
    memset(voice, 0, sizeof(*voice));
    voice->fd = fd;
}

/* READY and STOPPING take each other back, and the last that was said is to be
 * told last.  Only the first READY is told before the STOPPING that follows. */
static void take_back(amgr_guard_voice_t *voice, int type)
{
    if (type == AMGR_GUARD_READY) {
        voice->waiting &= ~BIT(AMGR_GUARD_STOPPING);
    }
    else if (type == AMGR_GUARD_STOPPING &&
             voice->sent_mono_us[AMGR_GUARD_READY] != 0) {
        voice->waiting &= ~BIT(AMGR_GUARD_READY);
    }
}

amgr_guard_event_t *amgr_guard_voice_add(amgr_guard_voice_t *voice, int type)
{
    amgr_guard_event_t *event = &voice->events[type];

    take_back(voice, type);
    memset(event, 0, sizeof(*event));
    event->type = type;
    voice->waiting |= BIT(type);
    return event;
}

/** 0: it was not taken. */
static int send_one(amgr_guard_voice_t *voice, int type)
{
    ssize_t len;

    do {
        len = send(voice->fd, &voice->events[type], sizeof(voice->events[type]),
                   MSG_DONTWAIT | MSG_NOSIGNAL);
    } while (len < 0 && errno == EINTR);
    if (len < 0 && (errno == EAGAIN || errno == ENOBUFS)) {
        voice->is_stuck = 1;
        return 0;
    }
    /* Otherwise there is nobody to be told any more; the loop finds out. */
    voice->waiting &= ~BIT(type);
    return 1;
}

apr_time_t amgr_guard_voice_send(amgr_guard_voice_t *voice,
                                 apr_time_t now_mono_us)
{
    apr_time_t next = AMGR_NO_TIME;
    int is_last = (voice->waiting & LAST_WORDS) != 0;
    apr_time_t due;
    int type;
    int i;

    voice->is_stuck = 0;
    if (voice->fd < 0) {
        voice->waiting = 0;
    }
    for (i = 0; i < AMGR_GUARD_EVENT_COUNT; i++) {
        type = order[i].type;
        if ((voice->waiting & BIT(type)) == 0) {
            continue;
        }
        due = voice->sent_mono_us[type] + order[i].every_us;
        if (!is_last && voice->sent_mono_us[type] != 0 && now_mono_us < due) {
            next = next == AMGR_NO_TIME || due < next ? due : next;
            continue;
        }
        if (!send_one(voice, type)) {
            return AMGR_NO_TIME;
        }
        voice->sent_mono_us[type] = now_mono_us;
    }
    return next;
}
