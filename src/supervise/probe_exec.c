/* SPDX-License-Identifier: Apache-2.0
 *
 * The verifier `exec`: a program of the administrator's, run as the process's
 * user where the process lives; it passes by exit code 0.
 */
#include <stdlib.h>
#include <sys/wait.h>

#include "supervise/probe_run.h"

/** For those who have no PATH of their own. */
#define PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

/* Nothing of httpd's environment.  0 when there is no memory. */
static int set_environment(const amgr_probe_t *probe)
{
    const apr_array_header_t *lines = probe->spec->environment;
    const amgr_identity_t *identity = probe->identity;
    int i;

    if (clearenv() != 0 || setenv("PATH", PATH, 1) != 0) {
        return 0;
    }
    if (identity->name[0] != '\0' &&
        (setenv("USER", identity->name, 1) != 0 ||
         setenv("LOGNAME", identity->name, 1) != 0)) {
        return 0;
    }
    if (identity->home[0] != '\0' && setenv("HOME", identity->home, 1) != 0) {
        return 0;
    }
    for (i = 0; lines != NULL && i < lines->nelts; i++) {
        if (putenv(APR_ARRAY_IDX(lines, i, char *)) != 0) {
            return 0;
        }
    }
    return 1;
}

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
    amgr_probe_run_t run = {.argv = probe->verify->argv, .program_fd = -1};

    if (run.argv == NULL || run.argv[0] == NULL) {
        return amgr_probe_fail(probe, "it names no program");
    }
    if (amgr_probe_enter_directory(probe) != 0) {
        return 1;
    }
    if (!set_environment(probe)) {
        return amgr_probe_fail(probe, "there is no memory");
    }
    amgr_probe_tie_session(probe);
    amgr_probe_run(&run);
    return judge(probe, &run);
}
