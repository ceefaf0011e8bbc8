/* SPDX-License-Identifier: Apache-2.0
 *
 * What a guard tells, and in which order, by an invented clock.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "supervise/guard/guard_voice.h"

#define MS APR_INT64_C(1000)

/* Both ends. */
typedef struct talk_t {
    amgr_guard_voice_t voice;
    int fd;
} talk_t;

static int begin_talk(void **state)
{
    static talk_t talk;
    int pair[2];

    assert_int_equal(
        socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
    amgr_guard_voice_init(&talk.voice, pair[0]);
    talk.fd = pair[1];
    *state = &talk;
    return 0;
}

static int end_talk(void **state)
{
    const talk_t *talk = *state;

    close(talk->voice.fd);
    close(talk->fd);
    return 0;
}

/* At so many milliseconds, a letter for each that was told. */
static const char *told_at(talk_t *talk, int at_ms)
{
    static char told[AMGR_GUARD_EVENT_COUNT + 1];
    amgr_guard_event_t event;
    int count = 0;

    amgr_guard_voice_send(&talk->voice, apr_time_from_sec(1) + at_ms * MS);
    while (count < AMGR_GUARD_EVENT_COUNT &&
           recv(talk->fd, &event, sizeof(event), MSG_DONTWAIT) ==
               (ssize_t)sizeof(event)) {
        told[count++] = event.type == AMGR_GUARD_READY      ? 'r'
                        : event.type == AMGR_GUARD_STOPPING ? 's'
                                                            : '?';
    }
    told[count] = '\0';
    return told;
}

/* "rs": both are said, in this order. */
static void say_letters(talk_t *talk, const char *letters)
{
    for (; *letters != '\0'; letters++) {
        amgr_guard_voice_add(&talk->voice, *letters == 'r'
                                               ? AMGR_GUARD_READY
                                               : AMGR_GUARD_STOPPING);
    }
}

static void what_is_said_last_is_told_last(void **state)
{
    static const struct {
        const char *said;
        const char *told;
    } cases[] = {
        {"r", "r"},   {"s", "s"},    {"rs", "rs"},   {"sr", "r"},
        {"rsr", "r"}, {"srs", "rs"}, {"rsrs", "rs"}, {"srsr", "r"},
    };
    apr_size_t i;

    (void)state; /* each case has its own */
    for (i = 0; i < AMGR_COUNT(cases); i++) {
        talk_t *talk;

        begin_talk((void **)&talk);
        say_letters(talk, cases[i].said);
        assert_string_equal(told_at(talk, 0), cases[i].told);
        end_talk((void **)&talk);
    }
}

/* Each kind waits for its own turn, and so one could come before another that
 * was said before it. */
static void what_waits_is_overtaken_by_nothing(void **state)
{
    talk_t *talk = *state;

    say_letters(talk, "r");
    assert_string_equal(told_at(talk, 0), "r");
    say_letters(talk, "r");
    assert_string_equal(told_at(talk, 10), "");
    say_letters(talk, "s");
    assert_string_equal(told_at(talk, 20), "s");
    assert_string_equal(told_at(talk, 100), "");
    say_letters(talk, "sr");
    assert_string_equal(told_at(talk, 110), "r");
    assert_string_equal(told_at(talk, 1000), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_said_last_is_told_last),
        cmocka_unit_test_setup_teardown(what_waits_is_overtaken_by_nothing,
                                        begin_talk, end_talk),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
