/* SPDX-License-Identifier: Apache-2.0
 *
 * Children of the parent that are not in the table: what they are is told by
 * the kernel and by their titles.
 */
#include <errno.h>
#include <signal.h>
#include <unistd.h>

#include "httpd/collector.h"
#include "model/child.h"
#include "model/words.h"
#include "policy/sections.h"

/** A fork this young may not have given itself its title yet, so that nobody
 * can tell what it is. */
#define TITLE_AGE_US APR_USEC_PER_SEC

/** Where many are forked at once, or the machine is busy, it takes longer until
 * one runs for the first time: this old it has its title, if it ever will. */
#define TITLE_LAST_US (60 * APR_USEC_PER_SEC)

/** The title that a fork of httpd gave itself; 0 when it cannot be read now,
 * but may be later. */
static int read_role(amgr_collector_t *collector, amgr_known_t *known)
{
    const amgr_wsgi_group_t *group;
    char title[AMGR_GROUP_NAME_LEN];
    apr_size_t len = 0;
    apr_status_t rv = amgr_proc_read_raw(&collector->proc, known->id.pid,
                                         "cmdline", title, sizeof(title), &len);

    if (rv != APR_SUCCESS && rv != APR_NOTFOUND && rv != APR_EACCES) {
        return 0;
    }
    if (known->role == AMGR_ROLE_COUNT) {
        known->role = AMGR_ROLE_DAEMON;
    }
    if (rv != APR_SUCCESS) {
        return 1;
    }
    group = amgr_wsgi_find(collector->wsgi, title);
    if (group != NULL) {
        known->role = AMGR_ROLE_WSGI;
        known->wsgi = (int)(group - collector->wsgi->groups);
    }
    return 1;
}

/** Note its group; and what only its own name tells, when that is not the
 * group's. */
static void set_group(amgr_collector_t *collector, const amgr_known_t *known,
                      amgr_process_t *process)
{
    int role = known->role == AMGR_ROLE_OTHER ? AMGR_ROLE_DAEMON : known->role;
    const char *name = amgr_role_word(role);

    if (known->role == AMGR_ROLE_WSGI) {
        const amgr_wsgi_group_t *group = &collector->wsgi->groups[known->wsgi];

        if (!group->named) {
            process->group = amgr_snapshot_other_group(&collector->snapshot);
            process->section = amgr_sections_index(collector->limits,
                                                   group->name, known->role);
            return;
        }
        name = group->name;
    }
    process->group = amgr_snapshot_group(&collector->snapshot, name,
                                         AMGR_KIND_FOREIGN, role);
}

void amgr_collector_add_cpu(amgr_slots_cpu_t *sum, const amgr_proc_stat_t *stat)
{
    double per_second = (double)sysconf(_SC_CLK_TCK);

    sum->user_seconds +=
        (double)(stat->user_ticks + stat->children_user_ticks) / per_second;
    sum->system_seconds +=
        (double)(stat->system_ticks + stat->children_system_ticks) / per_second;
}

/** What a fork is as far as its title tells; 0 while nothing does. */
static int learn_role(amgr_collector_t *collector, amgr_known_t *known)
{
    apr_time_t age_us = collector->snapshot.server.time.boot_us -
                        amgr_proc_ticks_us(known->id.start_ticks);

    if (known->role == AMGR_ROLE_COUNT) {
        return age_us >= TITLE_AGE_US && read_role(collector, known);
    }
    if (age_us < TITLE_LAST_US &&
        (known->role == AMGR_ROLE_DAEMON || known->role == AMGR_ROLE_OTHER)) {
        read_role(collector, known);
    }
    return 1;
}

static void append(amgr_collector_t *collector, const amgr_known_t *known)
{
    amgr_process_t *process = amgr_collector_append(collector, known);

    process->kind = AMGR_KIND_FOREIGN;
    process->role = known->role;
    set_group(collector, known, process);
}

/** It cannot be looked at now, which does not say that it has gone: what was
 * begun of its retirement would be over, and begin anew at the next tick. */
static void keep(amgr_collector_t *collector, int *cursor, pid_t pid,
                 amgr_collect_faults_t *faults)
{
    amgr_known_t known;

    if ((kill(pid, 0) != 0 && errno == ESRCH) ||
        !amgr_collector_recall_pid(collector, cursor, pid, &known)) {
        return;
    }
    if (known.role == AMGR_ROLE_WORKER) {
        amgr_known_drop(&known); /* which the table would know of */
        return;
    }
    faults->unreadable++;
    append(collector, &known);
}

void amgr_collect_foreign(amgr_collector_t *collector, int *cursor, pid_t pid,
                          int unheard, amgr_collect_faults_t *faults)
{
    amgr_proc_stat_t stat;
    amgr_proc_id_t id;
    amgr_known_t known;
    int has_row;
    int role;
    apr_status_t rv = amgr_proc_read_stat(&collector->proc, pid, &stat);

    if (rv != APR_SUCCESS && rv != APR_NOTFOUND) {
        keep(collector, cursor, pid, faults);
    }
    if (rv != APR_SUCCESS || stat.ppid != collector->runtime->parent) {
        return;
    }
    has_row = (stat.flags & AMGR_PROC_FORKED_NO_EXEC) != 0 &&
              amgr_scoreboard_has(pid);
    /* That of one that is not reaped is still its own.  A worker that nobody
     * has in the table has told it in its slots. */
    if (!has_row) {
        amgr_collector_add_cpu(&collector->foreign_cpu, &stat);
    }
    if (amgr_proc_has_ended(&stat)) {
        return;
    }
    id.pid = pid;
    id.start_ticks = stat.start_ticks;
    amgr_collector_recall(collector, cursor, &id, &known);
    known.threads = stat.threads;
    /* By its name too: a section for daemons must never be for one of ours that
     * another process has begun or ended meanwhile. */
    role = amgr_child_role(&stat);
    if (pid == collector->runtime->ticker.pid || pid == getpid()) {
        known.role = AMGR_ROLE_HELPER;
    }
    else if (role != AMGR_ROLE_DAEMON) {
        known.role = role;
    }
    else if (!learn_role(collector, &known)) {
        return;
    }
    if (known.role == AMGR_ROLE_DAEMON && (unheard || has_row)) {
        /* For good, since it may have to give its row away.  A row that says so
         * falsely can spare a daemon, and no more: not one of mod_wsgi. */
        known.role = AMGR_ROLE_OTHER;
    }
    append(collector, &known);
}
