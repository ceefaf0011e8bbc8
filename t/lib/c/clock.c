/* SPDX-License-Identifier: Apache-2.0
 *
 * For the tests only, by LD_PRELOAD: the monotonic clock runs AMGR_CLOCK times
 * as fast from the start of the program on, for poll(2) too, and everything else
 * is as it is.
 */
#include <poll.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define SECOND_NS 1000000000LL

static long long begun_ns;
static long long factor = 1;

static int read_clock(clockid_t id, struct timespec *out)
{
    return (int)syscall(SYS_clock_gettime, id, out);
}

static long long to_ns(const struct timespec *time)
{
    return time->tv_sec * SECOND_NS + time->tv_nsec;
}

__attribute__((constructor)) static void begin(void)
{
    const char *text = getenv("AMGR_CLOCK");
    struct timespec now;

    if (text != NULL && read_clock(CLOCK_MONOTONIC, &now) == 0) {
        begun_ns = to_ns(&now);
        factor = atoll(text);
    }
}

int clock_gettime(clockid_t id, struct timespec *out)
{
    int status = read_clock(id, out);

    if (status == 0 && id == CLOCK_MONOTONIC && factor > 1) {
        long long now_ns = begun_ns + (to_ns(out) - begun_ns) * factor;

        out->tv_sec = (time_t)(now_ns / SECOND_NS);
        out->tv_nsec = (long)(now_ns % SECOND_NS);
    }
    return status;
}

/* Who waits for a time by that clock would come late by it. */
int poll(struct pollfd *entries, nfds_t count, int timeout_ms)
{
    struct timespec span;
    long long span_ns = timeout_ms * (SECOND_NS / 1000) / factor;

    span.tv_sec = (time_t)(span_ns / SECOND_NS);
    span.tv_nsec = (long)(span_ns % SECOND_NS);
    return ppoll(entries, count, timeout_ms < 0 ? NULL : &span, NULL);
}

/* The same, for programs that were built with _FORTIFY_SOURCE. */
int __poll_chk(struct pollfd *entries, nfds_t count, int timeout_ms,
               size_t size)
{
    (void)size;
    return poll(entries, count, timeout_ms);
}
