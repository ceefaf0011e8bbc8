/* SPDX-License-Identifier: Apache-2.0
 *
 * The verifier `exec`: a program of the administrator's, run as the process's
 * user where the process lives; it passes by exit code 0.
 */
#include <sys/wait.h>
#include <unistd.h>

#include "supervise/check/attempt_program.h"

static int judge(amgr_attempt_t *attempt, const amgr_attempt_program_t *run)
{
    const char *printed = run->line[0] == '\0' ? "" : ", it printed: ";

    if (run->error != 0) {
        return amgr_attempt_fail_errno(
            attempt, "its program cannot be executed", run->error);
    }
    if (WIFSIGNALED(run->status)) {
        return amgr_attempt_fail(attempt, "ended by signal %d%s%s",
                                 WTERMSIG(run->status), printed, run->line);
    }
    if (WEXITSTATUS(run->status) != 0) {
        return amgr_attempt_fail(attempt, "exit code %d%s%s",
                                 WEXITSTATUS(run->status), printed, run->line);
    }
    return 0;
}

int amgr_attempt_exec(amgr_attempt_t *attempt)
{
    amgr_attempt_program_t run = {.argv = attempt->verify->argv,
                                  .program_fd = -1,
                                  .supervisor = attempt->supervisor};

    if (run.argv == NULL || run.argv[0] == NULL) {
        return amgr_attempt_fail(attempt, "it names no program");
    }
    if (amgr_attempt_enter_directory(attempt) != 0) {
        return 1;
    }
    environ = attempt->environment;
    amgr_attempt_program_run(&run);
    return judge(attempt, &run);
}
