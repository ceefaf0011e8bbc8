/* SPDX-License-Identifier: Apache-2.0
 *
 * What policy remembers between ticks: since when each request has been seen,
 * strikes of each process, who has been retired, how big a fresh child is, and
 * the storm breaker.  Plain numbers without pointers in one block of memory,
 * so that it can live in shared memory and outlive the process that ticks;
 * only the ticking process writes it.
 */
#ifndef AMGR_LEDGER_H
#define AMGR_LEDGER_H

#include "model/snapshot.h"
#include "policy/limits.h"

#define AMGR_STORM_MAX 64 /**< largest count the breaker can be set to */

/** Whether a process is tried again that could not be signalled. */
typedef enum amgr_failed_e {
    AMGR_FAILED_NOT = 0,
    AMGR_FAILED_FOR_GOOD, /**< it is not, before a restart */
    AMGR_FAILED_FOR_NOW   /**< some time after step_mono_us */
} amgr_failed_e;

/** What is remembered of a process; empty when pid is 0. */
typedef struct amgr_ledger_process_t {
    amgr_proc_id_t id;
    apr_time_t retired_mono_us;  /**< when its retirement began, 0: never */
    apr_time_t step_mono_us;     /**< when the last step of it was taken */
    apr_time_t asked_mono_us;    /**< when it was first asked, 0: not yet */
    apr_time_t idle_mono_us;     /**< since when it has had no work, having
                                   heard; 0: it has some */
    apr_int32_t step;            /**< the last one, amgr_step_e */
    apr_int32_t asks;            /**< times it was asked */
    apr_int32_t heard;           /**< it was seen to be stopping */
    apr_int32_t strikes;         /**< ticks in a row over a limit */
    apr_int32_t last_cause;      /**< cause counted last, amgr_cause_e */
    apr_int32_t last_verdict;    /**< verdict that cause was counted for */
    apr_int32_t failed;          /**< signalling failed, amgr_failed_e */
    apr_int32_t ticks;           /**< it was seen at; 1: new at this one */
    apr_int32_t veto_told;       /**< it was vetoed when that was asked last,
                                   and the veto was announced */
    apr_int32_t dry_run_told;    /**< its dry run was announced */
    apr_time_t outdated_mono_us; /**< first seen after its generation, 0: not */
    apr_time_t held_mono_us; /**< when its kill was first put off, 0: never */
    apr_uint64_t size_bytes; /**< this and the rest are growth.c's: its size
                                    when that was last known */
    apr_time_t size_mono_us; /**< when that was, 0: never */
    double growth_bytes;     /**< fading sum of changes */
    double growth_us;        /**< of the time they took */
    apr_interval_time_t growth_known_us; /**< time seen so far, up to what is
                                              needed */
    apr_int32_t growth_ticks;            /**< ticks so far, likewise */
    apr_int32_t demanded; /**< its retirement is somebody's order, which a dry
                               run of the configuration does not stop */
    apr_interval_time_t demanded_time_us; /**< how long that lets a request
                                               run, AMGR_LIMIT_OFF: for ever */
} amgr_ledger_process_t;

/** Since when a slot's current request has been seen. */
typedef struct amgr_ledger_slot_t {
    apr_time_t start_time_us; /**< wall, as the scoreboard has it */
    apr_time_t seen_mono_us;  /**< the verdict's age counts from here;
                                    AMGR_NO_TIME: a predecessor's request */
    pid_t pid;
    apr_uint32_t restamp; /**< of the request when it was seen */
} amgr_ledger_slot_t;

typedef struct amgr_ledger_group_t {
    char name[AMGR_GROUP_NAME_LEN];
    apr_int32_t role;           /**< amgr_role_e */
    apr_int32_t newborns;       /**< seen that may have worked already */
    apr_uint64_t newborn_bytes; /**< the smallest of them */
    apr_uint64_t idle_bytes;    /**< the smallest that had not worked yet */
} amgr_ledger_group_t;

/** One retirement, for the breaker. */
typedef struct amgr_ledger_storm_t {
    apr_time_t mono_us;
    apr_int32_t over_before; /**< processes over a limit when it was decided */
    apr_int32_t reserved;
} amgr_ledger_storm_t;

typedef struct amgr_ledger_t {
    apr_int32_t process_max;
    apr_int32_t slot_max;
    apr_int32_t thread_limit; /**< columns of the slot table */
    apr_int32_t group_count;
    apr_time_t tick_mono_us; /**< the previous tick, 0: none */
    apr_time_t tick_wall_us;
    apr_time_t clear_mono_us;      /**< last tick that left none over a limit */
    apr_time_t storm_open_mono_us; /**< breaker opened, 0: closed */
    apr_int32_t storm_next;        /**< ring position */
    apr_int32_t storm_count;       /**< entries used */
    apr_int32_t over_count;        /**< over a limit at this tick, as the
                                        breaker counts */
    apr_int32_t total_strikes;     /**< ticks in a row over the total */
    amgr_ledger_storm_t storm[AMGR_STORM_MAX];
    amgr_ledger_group_t groups[AMGR_GROUPS_MAX];
    /* followed in memory by process_max amgr_ledger_process_t, the used ones
     * first and ordered by pid, and slot_max amgr_ledger_slot_t */
} amgr_ledger_t;

/** Columns of a ledger's slot table for so many threads to a process: theirs,
 * then those of the requests of HTTP/2 that a process can have noted. */
int amgr_ledger_columns(int thread_limit);

/** Requests of HTTP/2 that a process of so many threads can have noted. */
int amgr_ledger_streams(int thread_limit);

/** Bytes a ledger of these dimensions needs. */
apr_size_t amgr_ledger_size(int process_max, int slot_max);

/** Lay out an empty ledger over @a memory of that size. */
amgr_ledger_t *amgr_ledger_init(void *memory, int process_max, int slot_max,
                                int thread_limit);

/** Whether @a memory holds a ledger of just these dimensions, with positions
 * and counts that are safe to use. */
int amgr_ledger_fits(const void *memory, int process_max, int slot_max,
                     int thread_limit);

amgr_ledger_process_t *amgr_ledger_processes(amgr_ledger_t *ledger);
amgr_ledger_slot_t *amgr_ledger_slots(amgr_ledger_t *ledger);

/**
 * Make the process table that of @a snapshot: entries of processes that are
 * gone are dropped, new ones get an empty entry (ticks 1).  Linear for sorted
 * input.  When the table is full, or its start time is not known, a process
 * has no entry; it is judged, and never retired.
 */
void amgr_ledger_follow(amgr_ledger_t *ledger, const amgr_snapshot_t *snapshot);

/** The entry of just this process, or NULL (binary search). */
amgr_ledger_process_t *amgr_ledger_find(amgr_ledger_t *ledger,
                                        const amgr_proc_id_t *id);

/** A new configuration took over: forget fresh sizes, strikes, failures, what
 * was announced and the breaker; keep who was retired and since when requests
 * run. */
void amgr_ledger_restart(amgr_ledger_t *ledger);

#endif
