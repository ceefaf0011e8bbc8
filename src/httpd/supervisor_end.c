/* SPDX-License-Identifier: Apache-2.0
 *
 * See supervisor_end.h.
 */
#include "httpd/supervisor_end.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <ap_mpm.h>
#include <apr_strings.h>
#include <apr_thread_proc.h>
#include <http_main.h>

#include "httpd/helper_process.h"
#include "httpd/log.h"
#include "httpd/supervisor_process.h"
#include "proc/proc_child.h"

void amgr_supervisor_read_table(const amgr_runtime_t *runtime,
                                amgr_supervisor_record_t *record)
{
    amgr_managed_table_t seen;

    if (amgr_board_read_managed(amgr_runtime_board(runtime), &seen) ==
        APR_SUCCESS) {
        record->table = seen;
    }
}

/** What it has written last, to a board that had been replaced by then. */
static void fetch_last(const amgr_runtime_t *runtime,
                       amgr_supervisor_record_t *record)
{
    amgr_managed_table_t last;

    if (record->left_bytes == 0) {
        return;
    }
    if (runtime != NULL &&
        amgr_board_read_managed(record->board, &last) == APR_SUCCESS) {
        amgr_board_write_managed(amgr_runtime_board(runtime), &last);
    }
    munmap((void *)record->board, record->left_bytes);
    record->board = NULL;
    record->left_bytes = 0;
}

void amgr_supervisor_publish_end(const amgr_runtime_t *runtime,
                                 amgr_supervisor_record_t *record,
                                 int is_replaced)
{
    amgr_managed_table_t *table = &record->table;
    int i;

    amgr_supervisor_read_table(runtime, record);
    table->supervisor = 0;
    table->revision++;
    table->is_shut = table->is_shut && !is_replaced;
    for (i = 0; i < table->count; i++) {
        amgr_managed_t *process = &table->processes[i];

        /* The next one counts its run as lost. */
        if (process->pid == 0 && process->guard == 0) {
            continue;
        }
        process->state = AMGR_MANAGED_STOPPING;
        process->ready = 0;
        apr_cpystrn(process->reason,
                    is_replaced ? "its supervisor is replaced"
                                : "its supervisor has ended",
                    sizeof(process->reason));
    }
    amgr_board_write_managed(amgr_runtime_board(runtime), table);
}

void amgr_supervisor_end_shut(const amgr_runtime_t *runtime,
                              amgr_supervisor_record_t *record)
{
    amgr_supervisor_read_table(runtime, record);
    if (record->table.is_shut) {
        record->table.is_shut = 0;
        amgr_board_write_managed(amgr_runtime_board(runtime), &record->table);
    }
}

/** Nobody has asked for this end.  @a status: -1 where it is not known. */
static void say_end(const amgr_supervisor_record_t *record, server_rec *s,
                    int status)
{
    if (!record->registered && status <= 0) {
        /* As it should, when this module is not there for some time. */
        amgr_log(s, AMGR_TAG_SUPERVISOR, APLOG_INFO, 0,
                 "supervisor %" APR_PID_T_FMT " has ended while the server was "
                 "restarted, or ran without this module",
                 record->pid);
    }
    else {
        amgr_helper_process_say_end(s, AMGR_TAG_SUPERVISOR, "supervisor",
                                    record->pid, status);
    }
}

/** It is reaped.  @a s: the log, or NULL when logs may be closed already. */
static void note_end(amgr_runtime_t *runtime, amgr_supervisor_record_t *record,
                     server_rec *s, int status)
{
    int is_fine = record->is_ending || record->killed ||
                  record->leave_mono_us != 0 ||
                  (record->count == 0 && status == 0);
    int is_replaced = record->leave_mono_us != 0;

    if (s != NULL && !is_fine) {
        say_end(record, s, status);
    }
    record->pid = 0;
    record->killed = 0;
    record->leave_mono_us = 0;
    close(record->pidfd);
    record->pidfd = -1;
    close(record->fd);
    record->fd = -1;
    if (record->registered) {
        apr_proc_other_child_unregister(record);
    }
    fetch_last(runtime, record);
    if (runtime != NULL) {
        amgr_supervisor_publish_end(runtime, record, is_replaced);
    }
}

int amgr_supervisor_has_ended(amgr_runtime_t *runtime,
                              amgr_supervisor_record_t *record, server_rec *s)
{
    int status;

    if (record->pid == 0) {
        return 1;
    }
    if (!amgr_proc_child_has_ended(record->pidfd, &status)) {
        return 0;
    }
    note_end(runtime, record, s, status);
    return 1;
}

/** The MPM's loop has reaped it, or asks us to let go of it at a restart. */
static void on_end(int reason, void *data, int status)
{
    amgr_supervisor_record_t *record = data;
    amgr_runtime_t *runtime = amgr_runtime();
    int state = AP_MPMQ_STOPPING;

    if (reason == APR_OC_REASON_UNREGISTER) {
        record->registered = 0;
        return;
    }
    if (reason != APR_OC_REASON_DEATH && reason != APR_OC_REASON_LOST) {
        return;
    }
    note_end(runtime, record, ap_server_conf, status);
    ap_mpm_query(AP_MPMQ_MPM_STATE, &state);
    if (runtime != NULL && state == AP_MPMQ_RUNNING) {
        amgr_supervisor_start(ap_server_conf, runtime);
    }
}

void amgr_supervisor_watch(amgr_supervisor_record_t *record, apr_pool_t *pconf)
{
    apr_proc_t proc;

    if (record->pid == 0 || record->registered || record->one_process) {
        return;
    }
    memset(&proc, 0, sizeof(proc));
    proc.pid = record->pid;
    apr_proc_other_child_register(apr_pmemdup(pconf, &proc, sizeof(proc)),
                                  on_end, record, NULL, pconf);
    record->registered = 1;
}
