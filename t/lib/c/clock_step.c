/* SPDX-License-Identifier: Apache-2.0
 *
 * For the tests only, by LD_PRELOAD: the clock of the day is set forwards and
 * back for all processes of a server at once, by so many microseconds as the
 * file AMGR_CLOCK_STEP holds in its first eight bytes.  The monotonic clock and
 * the times of files go on as they do.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define SECOND_US 1000000LL

static const volatile int64_t *step;

/* What is mapped is there in each fork, whoever it is. */
__attribute__((constructor)) static void begin(void)
{
    const char *file = getenv("AMGR_CLOCK_STEP");
    int fd = file == NULL ? -1 : open(file, O_RDONLY | O_CLOEXEC);
    void *memory;

    if (fd < 0) {
        return;
    }
    memory = mmap(NULL, sizeof(*step), PROT_READ, MAP_SHARED, fd, 0);
    if (memory != MAP_FAILED) {
        step = memory;
    }
    close(fd);
}

static int64_t day_us(void)
{
    struct timespec now;

    syscall(SYS_clock_gettime, CLOCK_REALTIME, &now);
    return now.tv_sec * SECOND_US + now.tv_nsec / 1000 + (step ? *step : 0);
}

int clock_gettime(clockid_t id, struct timespec *out)
{
    int64_t offset_us = step ? *step : 0;
    int status = (int)syscall(SYS_clock_gettime, id, out);
    int64_t us;

    if (status != 0 || offset_us == 0 ||
        (id != CLOCK_REALTIME && id != CLOCK_REALTIME_COARSE)) {
        return status;
    }
    us = out->tv_sec * SECOND_US + out->tv_nsec / 1000 + offset_us;
    out->tv_nsec = (long)(us % SECOND_US) * 1000 + out->tv_nsec % 1000;
    out->tv_sec = (time_t)(us / SECOND_US);
    return 0;
}

int gettimeofday(struct timeval *restrict out, void *restrict zone)
{
    int64_t us = day_us();

    (void)zone; /* nobody asks for it */
    out->tv_sec = (time_t)(us / SECOND_US);
    out->tv_usec = (suseconds_t)(us % SECOND_US);
    return 0;
}

time_t time(time_t *out)
{
    time_t now = (time_t)(day_us() / SECOND_US);

    if (out != NULL) {
        *out = now;
    }
    return now;
}
