/* SPDX-License-Identifier: Apache-2.0
 *
 * Children: guards, attempts of verifiers, and what killed ones of those leave
 * behind, since this process adopts it.  Whoever is none of the first two is a
 * stray, and is killed; what is lost is only over when there is none left.
 */
#include <errno.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "supervise/supervisor_parts.h"

/** Children that are reaped in one turn. */
#define REAPED_MAX 1024

/** Between two lines of what cannot be read. */
#define BLIND_US (60 * APR_USEC_PER_SEC)

static amgr_ward_t *find_guard(const amgr_supervisor_t *supervisor, pid_t pid)
{
    int i;

    for (i = 0; i < supervisor->ward_count; i++) {
        if (supervisor->wards[i]->guard.pid == pid) {
            return supervisor->wards[i];
        }
    }
    return NULL;
}

static int is_known(void *baton, pid_t pid)
{
    const amgr_supervisor_t *supervisor = baton;
    int i;

    for (i = 0; i < supervisor->ward_count; i++) {
        if (amgr_ward_has(supervisor->wards[i], pid)) {
            return 1;
        }
    }
    return 0;
}

static apr_uint64_t cpu_us(const struct rusage *usage)
{
    return (apr_uint64_t)(usage->ru_utime.tv_sec + usage->ru_stime.tv_sec) *
               APR_USEC_PER_SEC +
           (apr_uint64_t)(usage->ru_utime.tv_usec + usage->ru_stime.tv_usec);
}

static void take(amgr_supervisor_t *supervisor, pid_t pid, int status,
                 const struct rusage *usage)
{
    amgr_ward_t *ward = find_guard(supervisor, pid);
    int i;

    if (ward != NULL) {
        amgr_ward_guard_ended(supervisor, ward, cpu_us(usage));
        return;
    }
    /* An attempt that runs programs may leave some of them behind. */
    supervisor->has_strays = 1;
    for (i = 0; i < supervisor->ward_count; i++) {
        if (amgr_ward_reaped(supervisor, supervisor->wards[i], pid, status)) {
            return;
        }
    }
}

static void finish_lost(amgr_supervisor_t *supervisor)
{
    int i;

    for (i = 0; i < supervisor->ward_count; i++) {
        amgr_ward_t *ward = supervisor->wards[i];

        if (ward->is_lost && ward->guard.pid == 0 && amgr_ward_is_on(ward)) {
            amgr_ward_gone(supervisor, ward);
        }
    }
}

void amgr_supervisor_say_blind(amgr_supervisor_t *supervisor)
{
    apr_time_t now_us = supervisor->now.mono_us;

    if (supervisor->blind_us == AMGR_NO_TIME ||
        now_us - supervisor->blind_us >= BLIND_US) {
        supervisor->blind_us = now_us;
        amgr_say(&supervisor->teller, AMGR_SAY_SUPERVISOR, AMGR_LEVEL_WARNING,
                 supervisor->proc.last,
                 "processes cannot be looked for in /proc: their memory is "
                 "unknown, and nothing is taken for ended until they can");
    }
}

void amgr_supervisor_reap(amgr_supervisor_t *supervisor)
{
    struct rusage usage;
    int status;
    pid_t pid;
    int i;

    for (i = 0; i < REAPED_MAX; i++) {
        pid = wait4(-1, &status, WNOHANG, &usage);
        if (pid < 0 && errno == EINTR) {
            continue;
        }
        if (pid <= 0) {
            break;
        }
        take(supervisor, pid, status, &usage);
    }
    if (!supervisor->has_strays) {
        return;
    }
    i = amgr_tree_sweep(&supervisor->proc, is_known, supervisor);
    if (i < 0) {
        amgr_supervisor_say_blind(supervisor);
    }
    supervisor->has_strays = i != 0;
    if (supervisor->has_strays) {
        supervisor->stray_looks++;
        return;
    }
    supervisor->stray_looks = 0;
    finish_lost(supervisor);
}
