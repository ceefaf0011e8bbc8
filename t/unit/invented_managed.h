/* SPDX-License-Identifier: Apache-2.0
 *
 * An invented table of managed processes: every state, both ways to end, what
 * is not known, and text as a hostile process tells it.
 */
#ifndef AMGR_INVENTED_MANAGED_H
#define AMGR_INVENTED_MANAGED_H

#include <stdio.h>
#include <string.h>

#include "model/managed.h"

#define MANAGED_NOW_US APR_INT64_C(1700000000123456)
#define MANAGED_SEC(n) ((apr_time_t)(n)*APR_USEC_PER_SEC)
#define MANAGED_MIB(n) ((apr_uint64_t)(n)*1024 * 1024)
#define MANAGED_HOSTILE "\x1b[2J<b>\"x\"&y\\ \xff\n'}</script> \xe2\x80\xae"

/* One more, of which nothing happened yet. */
static inline amgr_managed_t *add_managed(amgr_managed_table_t *table,
                                          const char *name, int state)
{
    amgr_managed_t *process = &table->processes[table->count++];

    memset(process, 0, sizeof(*process));
    snprintf(process->name, sizeof(process->name), "%s", name);
    snprintf(process->program, sizeof(process->program), "/opt/%s/bin/%s", name,
             name);
    process->id = table->count;
    process->state = state;
    process->want = AMGR_MANAGED_WANT_UP;
    process->exit_code = -1;
    process->check_us = AMGR_NO_TIME;
    process->memory_bytes = AMGR_UNKNOWN;
    process->since_us = MANAGED_NOW_US - MANAGED_SEC(3600);
    return process;
}

/* It runs, since @a seconds; pid 0: its guard alone does. */
static inline amgr_managed_t *run_managed(amgr_managed_t *process, pid_t pid,
                                          int seconds)
{
    process->pid = pid;
    process->guard = pid + 1000;
    process->start_ticks = (apr_uint64_t)pid * 10;
    process->since_us = MANAGED_NOW_US - MANAGED_SEC(seconds);
    process->started_us = process->since_us - 250000;
    process->starts = 1;
    if (pid == 0) {
        return process;
    }
    process->tree_count = 1;
    process->memory_bytes = MANAGED_MIB(20);
    process->cpu_us = 1234567;
    if (process->state == AMGR_MANAGED_READY) {
        process->ready = 1;
        process->ready_us = process->since_us;
    }
    return process;
}

/* It has ended, by @a cause. */
static inline amgr_managed_t *end_managed(amgr_managed_t *process, int cause,
                                          int code, int killed_by)
{
    process->starts = 1;
    process->started_us = process->since_us - MANAGED_SEC(5);
    process->exit_known = 1;
    process->exit_cause = cause;
    process->exit_code = code;
    process->exit_signal = killed_by;
    process->exits[cause] = 1;
    process->cpu_us = 50000;
    return process;
}

static inline void invent_running(amgr_managed_table_t *table)
{
    amgr_managed_t *process;

    process = run_managed(add_managed(table, "postgres", AMGR_MANAGED_READY),
                          4001, 93784);
    strcpy(process->verify, "tcp");
    process->tree_count = 7;
    process->checks_passed = 31;
    process->checks_failed = 2;
    process->check_us = 1500;
    process->output_bytes = 5000;
    process = end_managed(add_managed(table, "migrate", AMGR_MANAGED_EXITED),
                          AMGR_MANAGED_EXIT_CLEAN, 0, 0);
    strcpy(process->verify, "exited");
    process->ready = 1;
    process->ready_us = process->since_us;
    process->restart = 2;
    process->after = 1;
    process =
        run_managed(add_managed(table, "web", AMGR_MANAGED_READY), 4003, 120);
    strcpy(process->verify, "http");
    process->after = 3;
    process->starts = 4;
    process->exits[AMGR_MANAGED_EXIT_MEMORY] = 2;
    process->exits[AMGR_MANAGED_EXIT_CODE] = 1;
    process->exit_known = 1;
    process->exit_cause = AMGR_MANAGED_EXIT_MEMORY;
    process->exit_code = 0;
    process->memory_bytes = MANAGED_MIB(460);
    process->max_memory_bytes = MANAGED_MIB(512);
    process->cpu_us = 61000000;
    process->output_bytes = APR_UINT64_C(1) << 30;
    process->output_dropped = 1000;
    process->restart = 1;
}

static inline void invent_failed(amgr_managed_table_t *table)
{
    amgr_managed_t *process;

    process = end_managed(add_managed(table, "solr", AMGR_MANAGED_FATAL),
                          AMGR_MANAGED_EXIT_CODE, 1, 0);
    strcpy(process->reason, "5 failures within 60 s, the last: exit code 1");
    process->starts = 5;
    process->exits[AMGR_MANAGED_EXIT_CODE] = 5;
    process = end_managed(add_managed(table, "worker", AMGR_MANAGED_BACKOFF),
                          AMGR_MANAGED_EXIT_SIGNAL, -1, 9);
    strcpy(process->reason, "killed by SIGKILL");
    process->since_us = MANAGED_NOW_US - MANAGED_SEC(1);
    process->backoff_us = MANAGED_SEC(4);
    process->next_start_us = MANAGED_NOW_US + MANAGED_SEC(3);
    process->starts = 3;
    process->exits[AMGR_MANAGED_EXIT_SIGNAL] = 3;
}

/* Ten processes: 2 are ready and run, 1 is ready and has ended, 1 is stopped
 * by order, and the other 6 are wanted and not ready. */
static inline void invent_managed(amgr_managed_table_t *table)
{
    amgr_managed_t *process;

    memset(table, 0, sizeof(*table));
    table->application = AMGR_APPLICATION_DEGRADED;
    table->supervisor = 4000;
    table->supervisors = 2;
    table->control = 1;
    table->beat_mono_us = MANAGED_SEC(100000);
    table->revision = 12;
    strcpy(table->socket, "/run/apache2/apache-managed.sock");
    invent_running(table);
    invent_failed(table);
    run_managed(add_managed(table, "mailer", AMGR_MANAGED_STARTING), 0, 0);
    process =
        run_managed(add_managed(table, "queue", AMGR_MANAGED_RUNNING), 4007, 7);
    strcpy(process->verify, "notify");
    strcpy(process->status, MANAGED_HOSTILE);
    process->memory_bytes = AMGR_UNKNOWN;
    process =
        run_managed(add_managed(table, "old", AMGR_MANAGED_STOPPING), 4008, 2);
    process->want = AMGR_MANAGED_WANT_UP;
    strcpy(process->reason, "its section has changed");
    process = add_managed(table, "off", AMGR_MANAGED_STOPPED);
    process->want = AMGR_MANAGED_WANT_DOWN;
    process = add_managed(table, "search-index", AMGR_MANAGED_STOPPED);
    process->after = 8;
    strcpy(process->reason, "waits for solr");
}

/* All of them as they should be. */
static inline void invent_healthy(amgr_managed_table_t *table)
{
    memset(table, 0, sizeof(*table));
    table->application = AMGR_APPLICATION_RUNNING;
    table->supervisor = 4000;
    table->supervisors = 1;
    table->beat_mono_us = MANAGED_SEC(100000);
    invent_running(table);
}

#endif
