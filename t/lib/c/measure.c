/* SPDX-License-Identifier: Apache-2.0
 *
 * Runs a program again and again and prints what each run cost, as the kernel
 * accounts it (wait4(2)): wall clock, user and system time in microseconds,
 * peak memory in KiB.  Small on purpose: the peak of a program counts what its
 * parent had when it was forked.
 *
 *   measure TIMES PROGRAM [ARGUMENT...]
 *
 * The program's standard output goes to /dev/null.  Ends with 1 when a run
 * fails.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static long long now_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (long long)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static long long time_us(const struct timeval *time)
{
    return (long long)time->tv_sec * 1000000 + time->tv_usec;
}

static void run(char **argv)
{
    int fd = open("/dev/null", O_WRONLY);

    if (fd >= 0) {
        dup2(fd, STDOUT_FILENO);
        close(fd);
    }
    execv(argv[0], argv);
    perror(argv[0]);
    _exit(127);
}

int main(int argc, char **argv)
{
    int times = argc > 2 ? atoi(argv[1]) : 0;
    int i;

    if (times < 1) {
        fprintf(stderr, "usage: measure TIMES PROGRAM [ARGUMENT...]\n");
        return 2;
    }
    for (i = 0; i < times; i++) {
        long long begun_us = now_us();
        struct rusage usage;
        int status;
        pid_t pid = fork();

        if (pid == 0) {
            run(argv + 2);
        }
        if (pid < 0 || wait4(pid, &status, 0, &usage) != pid) {
            perror("measure");
            return 1;
        }
        if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
            fprintf(stderr, "measure: wait status 0x%x\n",
                    (unsigned int)status);
            return 1;
        }
        printf("%lld %lld %lld %ld\n", now_us() - begun_us,
               time_us(&usage.ru_utime), time_us(&usage.ru_stime),
               usage.ru_maxrss);
        fflush(stdout);
    }
    return 0;
}
