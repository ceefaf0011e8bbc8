/* SPDX-License-Identifier: Apache-2.0
 *
 * For the tests only: a process that nobody has to signal, and that writes down
 * who did.
 */
#ifndef AMGR_DECOY_H
#define AMGR_DECOY_H

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

/* From now on no signal that can be caught does anything to it. */
static void decoy_be_deaf(void)
{
    sigset_t all;

    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, NULL);
}

/*
 * Never returns.  Each signal is a line of the file: its number, the pid of who
 * sent it, and si_code.  Those that the kernel sends of itself are none (the
 * end of a child, a timer of the program that it was forked of).
 */
static void decoy_live(int file)
{
    sigset_t all;

    sigfillset(&all);
    for (;;) {
        siginfo_t info;
        char line[64];
        int signal = sigwaitinfo(&all, &info);
        int length;

        if (signal <= 0 || signal == SIGCHLD || info.si_code > 0) {
            continue;
        }
        length = snprintf(line, sizeof(line), "%d %d %d\n", signal,
                          (int)info.si_pid, info.si_code);
        if (write(file, line, (size_t)length) != length) {
            _exit(1);
        }
    }
}

#endif
