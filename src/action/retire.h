/* SPDX-License-Identifier: Apache-2.0
 *
 * Doing what was decided: the ladder that a process is retired by, and seeing
 * it through.  Runs in the process that ticks.  Only ever signals a direct
 * child of the httpd parent whose start time is unchanged.
 */
#ifndef AMGR_RETIRE_H
#define AMGR_RETIRE_H

#include "action/record.h"
#include "proc/proc_control.h"

/**
 * Carry out @a decision on a process of @a snapshot and fill in @a record
 * (all but its serial).  @a parent is the httpd parent, whose child the
 * process must be.  A dry run is recorded and nothing is sent.  Returns
 * APR_SUCCESS when the signal was sent or nothing had to be; APR_NOTFOUND when
 * the process was gone before (outcome vanished: no failure); APR_EINVAL, with
 * nothing sent, for a decision or a process that is not to be signalled; else
 * why the signal could not be sent (outcome failed).
 */
apr_status_t amgr_retire_apply(amgr_proc_dir_t *proc, pid_t parent,
                               const amgr_limits_t *limits,
                               amgr_snapshot_t *snapshot,
                               const amgr_decision_t *decision,
                               amgr_record_t *record);

/**
 * Whether the process of a pending record is gone as of @a snapshot; then
 * fills in outcome and time and returns non-zero.  A snapshot whose table of
 * processes is full proves the absence of workers alone, which come first.
 */
int amgr_retire_confirm(const amgr_snapshot_t *snapshot,
                        amgr_record_t *record);

#endif
