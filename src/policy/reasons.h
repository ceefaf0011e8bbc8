/* SPDX-License-Identifier: Apache-2.0
 *
 * Reasons to retire a process besides its memory and the age of its requests:
 * what it has done, how long it has lived, and limits that cannot wait.  Which
 * reason is of what sort decides which safety rules hold for it.
 */
#ifndef AMGR_REASONS_H
#define AMGR_REASONS_H

#include "policy/sections.h"

/** Whether the verdict is a process's memory over a limit of its own: such a
 * limit may be inert. */
int amgr_reasons_is_memory(int verdict);

/** Whether the verdict is recycling, which a healthy server does all day: it
 * neither opens the storm breaker nor is held by it. */
int amgr_reasons_is_routine(int verdict);

/** Whether the verdict's measure is a span of time, in microseconds. */
int amgr_reasons_is_span(int verdict);

/** The directive that sets the limit of a verdict; "" for one without. */
const char *amgr_reasons_directive(int verdict);

/** The option of the command line tool that orders retirements for that
 * reason; "" for one that cannot be ordered. */
const char *amgr_reasons_option(int verdict);

/**
 * A process's own part of a limit: less by up to the jitter, the same for the
 * whole life of the process and whoever asks, another for each process.  @a
 * salt keeps two limits of one process apart.  At least 1 for a limit of 1 or
 * more; AMGR_LIMIT_OFF stays.
 */
apr_int64_t amgr_reasons_own_limit(const amgr_jittered_t *limit,
                                   const amgr_proc_id_t *id,
                                   apr_uint64_t salt);

/** How many requests and how long this process may, jitter taken off. */
apr_int64_t amgr_reasons_requests(const amgr_limits_t *limits,
                                  const amgr_process_t *process);
apr_int64_t amgr_reasons_lifetime_us(const amgr_limits_t *limits,
                                     const amgr_process_t *process);

/** The total in bytes that all workers together may have; AMGR_LIMIT_OFF
 * without one, or while what a percentage is of is not known. */
apr_int64_t amgr_reasons_total_bytes(const amgr_limits_t *limits,
                                     const amgr_server_t *server);

#endif
