/* SPDX-License-Identifier: Apache-2.0
 *
 * Memory against its limit: which figure of a process counts, which limit it
 * obeys, and whether it is over.  Pure, and used wherever that is asked.
 */
#ifndef AMGR_MEASURE_H
#define AMGR_MEASURE_H

#include "model/snapshot.h"
#include "policy/sections.h"

/** Whether the process obeys limits at all: workers, WSGI daemons, and other
 * forks of httpd when a section is theirs.  Never what called exec, and never
 * our own helpers, which have no section. */
int amgr_measure_is_judged(const amgr_process_t *process);

/** The figure that @a metric names; AMGR_UNKNOWN when it was not read. */
apr_uint64_t amgr_measure_of(const amgr_process_t *process, int metric);

/**
 * The memory limit that applies to a judged process, and the verdict of one
 * that is over it.  Nobody can see whether a WSGI daemon is busy: it counts as
 * active.
 */
apr_int64_t amgr_measure_limit(const amgr_limits_t *limits,
                               const amgr_process_t *process,
                               int *out_verdict);

/** The limit that skips strikes and waiting, of a judged process. */
apr_int64_t amgr_measure_hard_limit(const amgr_limits_t *limits,
                                    const amgr_process_t *process);

/** Whether so many bytes are over any memory limit that a process of its role
 * and section can come under, active or idle. */
int amgr_measure_is_over_any(const amgr_limits_t *limits,
                             const amgr_process_t *process,
                             apr_uint64_t bytes);

/** Whether the sum over all is limited, so that the anonymous memory of every
 * one is needed at each tick. */
int amgr_measure_sums(const amgr_limits_t *limits);

/** Strictly over; an unknown figure and a limit that is off never are. */
int amgr_measure_is_over(apr_uint64_t bytes, apr_int64_t limit_bytes);

/**
 * Whether a dearer figure than RSS is needed of @a process before judging:
 * its RSS is over the limit that applies to it, or over any limit while it has
 * finished no request and so tells the size of a fresh child.  Exempt ones
 * never.  Wants the process as amgr_snapshot_complete() leaves it.
 */
int amgr_measure_is_needed(const amgr_limits_t *limits,
                           const amgr_process_t *process);

#endif
