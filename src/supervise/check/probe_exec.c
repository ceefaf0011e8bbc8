/* SPDX-License-Identifier: Apache-2.0
 *
 * The verifier `exec`: a program of the administrator's, run as the process's
 * user where the process lives; it passes by exit code 0.
 */
#include <sys/wait.h>
#include <unistd.h>

#include "supervise/check/probe_run.h"

static int judge(amgr_probe_t *probe, const amgr_probe_run_t *run)
{
    const char *printed = run->line[0] == '\0' ? "" : ", it printed: ";

    if (run->error != 0) {
        return amgr_probe_fail_errno(probe, "its program cannot be executed",
                                     run->error);
    }
    if (WIFSIGNALED(run->status)) {
        return amgr_probe_fail(probe, "ended by signal %d%s%s",
                               WTERMSIG(run->status), printed, run->line);
    }
    if (WEXITSTATUS(run->status) != 0) {
        return amgr_probe_fail(probe, "exit code %d%s%s",
                               WEXITSTATUS(run->status), printed, run->line);
    }
    return 0;
}

int amgr_probe_exec(amgr_probe_t *probe)
{
    amgr_probe_run_t run = {.argv = probe->verify->argv,
                            .program_fd = -1,
                            .supervisor = probe->supervisor};

    if (run.argv == NULL || run.argv[0] == NULL) {
        return amgr_probe_fail(probe, "it names no program");
    }
    if (amgr_probe_enter_directory(probe) != 0) {
        return 1;
    }
    environ = probe->environment;
    amgr_probe_run(&run);
    return judge(probe, &run);
}
