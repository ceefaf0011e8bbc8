/* SPDX-License-Identifier: Apache-2.0
 *
 * See helper_process.h.
 */
#include "httpd/helper_process.h"

#include <limits.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <apr_portable.h>

#include "base/base.h"
#include "base/descriptors.h"
#include "httpd/log.h"
#include "httpd/syslog_tag.h"

static void reset_signals(void)
{
    static const int ignored[] = {SIGHUP, SIGUSR1, SIGWINCH,
                                  SIGINT, SIGPIPE, SIGXFSZ};
    sigset_t set;
    apr_size_t i;

    /* Handlers are the parent's and touch its state; restarts and stops are
     * the parent's to pass on.  SIGTERM is for the helper to fetch. */
    for (i = 1; i < NSIG; i++) {
        signal((int)i, SIG_DFL);
    }
    for (i = 0; i < AMGR_COUNT(ignored); i++) {
        signal(ignored[i], SIG_IGN);
    }
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    pthread_sigmask(SIG_SETMASK, &set, NULL);
}

int amgr_helper_process_log_fd(server_rec *s)
{
    apr_os_file_t fd = -1;

    if (s->error_log != NULL) {
        apr_os_file_get(&fd, s->error_log);
    }
    return fd;
}

/** The lowest of @a keep from @a first on; INT_MAX: none. */
static int next_kept(const int *keep, int count, int first)
{
    int next = INT_MAX;
    int i;

    for (i = 0; i < count; i++) {
        if (keep[i] >= first && keep[i] < next) {
            next = keep[i];
        }
    }
    return next;
}

/** Listeners and whatever else the parent has open would stay open with it. */
static void close_others(const int *keep, int count)
{
    int first = STDERR_FILENO + 1;

    for (;;) {
        int kept = next_kept(keep, count, first);

        if (kept == INT_MAX) {
            amgr_descriptors_close(first, INT_MAX);
            return;
        }
        amgr_descriptors_close(first, kept - 1);
        first = kept + 1;
    }
}

void amgr_helper_process_begin(server_rec *s, const char *comm, const int *keep,
                               int count)
{
    int kept[AMGR_HELPER_KEEP_MAX + 1];
    int i;

    setpgid(0, 0); /* prefork stops its children by their group */
    prctl(PR_SET_NAME, comm);
    reset_signals();
    amgr_syslog_restore(s); /* its descriptor is among those that go */
    for (i = 0; i < count && i < AMGR_HELPER_KEEP_MAX; i++) {
        kept[i] = keep[i];
    }
    kept[i] = amgr_helper_process_log_fd(s);
    close_others(kept, i + 1);
}

void amgr_helper_process_say_end(server_rec *s, amgr_log_tag_e tag,
                                 const char *what, pid_t pid, int status)
{
    if (status < 0) {
        amgr_log(s, tag, APLOG_WARNING, 0,
                 "%s %" APR_PID_T_FMT " ended by itself (its wait status is "
                 "unknown, since another has reaped it): to be replaced",
                 what, pid);
    }
    else {
        amgr_log(s, tag, APLOG_WARNING, 0,
                 "%s %" APR_PID_T_FMT
                 " ended by itself (wait status 0x%x): to be replaced",
                 what, pid, (unsigned int)status);
    }
}
