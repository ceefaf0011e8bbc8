/* SPDX-License-Identifier: Apache-2.0
 *
 * The board: one block of memory in which the result of each tick is
 * published, for the pages in httpd's children, for the command line tool and
 * for the next process that ticks.  This file knows its layout and how to read
 * and write it safely; where the memory comes from is httpd/board_file.c's.
 *
 * Invariants: no pointers, plain numbers and bounded strings only; each region
 * has one writer at a time; a reader checks every count and index before use,
 * retries a bounded number of times while a region is being written, and then
 * gives up with APR_EAGAIN.  A writer that died in the middle leaves an odd
 * sequence number, which the next one mends by writing.
 */
#ifndef AMGR_BOARD_H
#define AMGR_BOARD_H

#include <stddef.h>

#include <apr_pools.h>

#include "action/command_env.h"
#include "action/evidence.h"
#include "action/record.h"
#include "model/histogram.h"
#include "model/history.h"
#include "model/managed.h"

#define AMGR_BOARD_VERSION 1
#define AMGR_RECORDS_MAX 128
#define AMGR_EVIDENCES_MAX 32 /**< fewer, since they are big */

/** A part of a tick that can fail. */
typedef enum amgr_stage_e {
    AMGR_STAGE_SCOREBOARD = 0, /**< a row that contradicts our own table */
    AMGR_STAGE_PROC,           /**< memory of a process could not be read */
    AMGR_STAGE_DATA_FILE,
    AMGR_STAGE_SIGNAL,
    AMGR_STAGE_TICKER,  /**< the ticker died, hung or fell behind, or cannot
                             open its control socket */
    AMGR_STAGE_OVERRUN, /**< a tick was cut short at its time cap */
    AMGR_STAGE_COMMAND, /**< a kill command was not run, or not to its end */
    AMGR_STAGE_COUNT
} amgr_stage_e;

/** What is summed over the slots of the scoreboard. */
typedef struct amgr_sums_t {
    apr_uint64_t accesses;
    apr_uint64_t bytes;
    apr_uint64_t duration_us;
} amgr_sums_t;

/** The sums since the server was started, over all its scoreboards. */
typedef struct amgr_totals_t {
    apr_uint64_t started_us; /**< start that the last scoreboard was of, wall;
                                  0: none was seen */
    amgr_sums_t sums;
} amgr_totals_t;

/**
 * Sums since the server was started.
 *
 * They are carried from one build to the next (amgr_board_carry()), so members
 * are only ever added, at the end.  A new stage, cause or verdict would move
 * what stands behind the arrays of them: it needs a place of its own at the
 * end, or AMGR_BOARD_VERSION must be raised, and all of them begin anew.
 */
typedef struct amgr_counters_t {
    apr_uint64_t ticks;
    apr_uint64_t errors[AMGR_STAGE_COUNT];
    apr_uint64_t suppressed[AMGR_CAUSE_COUNT];
    apr_uint64_t killed_active;
    apr_uint64_t killed_idle;
    apr_uint64_t drained;        /**< of those, gone by themselves when asked */
    apr_uint64_t forced;         /**< and by SIGKILL */
    apr_uint64_t requests_lost;  /**< in flight at those */
    apr_uint64_t tick_cpu_us;    /**< CPU time of all ticks */
    apr_uint64_t last_cpu_us;    /**< of the last one */
    apr_uint64_t last_wall_us;   /**< its duration */
    apr_uint64_t orphaned_locks; /**< that the ticker found, see locks.h */
    /* Up to here it is what every build has. */
    apr_uint64_t retired[AMGR_VERDICT_COUNT]; /**< killed, active and idle, by
                                                   why; see counters.h for
                                                   this and the rest */
    amgr_histogram_t tick_spans;  /**< durations of all ticks */
    amgr_histogram_t killed_ages; /**< of the oldest request that each SIGKILL
                                       cut off */
    apr_uint64_t cpu_user_us;     /**< of all processes; never less */
    apr_uint64_t cpu_system_us;
    apr_uint64_t cpu_mono_us;     /**< when that was seen, 0: never */
    amgr_totals_t totals;
    apr_uint64_t totals_mono_us; /**< when they were added to, 0: never */
    amgr_sums_t seen;            /**< the scoreboard's own then */
    amgr_sums_t room;            /**< by how much more they may rise at once */
    apr_uint64_t orphaned_before; /**< orphaned_locks at totals.started_us */
    apr_uint64_t untimed; /**< see amgr_view_t; as of the last tick */
} amgr_counters_t;

/** What the oldest build has whose counters are taken over. */
#define AMGR_COUNTERS_MIN_BYTES offsetof(amgr_counters_t, retired)

/** How many of each the board has room for. */
typedef struct amgr_board_dims_t {
    apr_int32_t process_max;
    apr_int32_t slot_max;
    apr_int32_t thread_limit;
    apr_int32_t reserved;
} amgr_board_dims_t;

/** Whose board this is: the httpd parent. */
typedef struct amgr_board_owner_t {
    amgr_proc_id_t id;
    char boot_id[40]; /**< /proc/sys/kernel/random/boot_id */
} amgr_board_owner_t;

/** What the parent announces at each start and restart. */
typedef struct amgr_board_config_t {
    amgr_limits_t limits;
    apr_int32_t ticker;     /**< a ticker process is meant to tick */
    apr_int32_t no_monitor; /**< -X: nothing ticks and nothing acts */
    apr_int32_t can_signal; /**< rights were probed */
    apr_int32_t can_read_proc;
} amgr_board_config_t;

#define AMGR_BOARD_LISTENS_MAX 32

/** Where the server listens. */
typedef struct amgr_board_listen_t {
    char address[48]; /**< numeric; empty: any */
    apr_int32_t port; /**< 0: none, a unix socket */
    apr_int32_t tls;
} amgr_board_listen_t;

/** What no tick tells of the server and its configuration: for readers that
 * are not its children.  Written by the parent at each start and restart. */
typedef struct amgr_board_about_t {
    apr_time_t started_us;      /**< wall, see amgr_view_t */
    apr_time_t started_boot_us; /**< since boot, for its uptime */
    apr_interval_time_t kill_command_timeout_us;
    apr_int32_t show_requests;  /**< amgr_show_requests_e */
    apr_int32_t show_clients;   /**< amgr_show_clients_e */
    apr_int32_t metrics_names;
    apr_int32_t syslog;
    apr_int32_t listen_count;   /**< there may be more than there is room for */
    apr_int32_t reserved;
    amgr_board_listen_t listens[AMGR_BOARD_LISTENS_MAX];
    char description[128];      /**< name and version, as ServerTokens Full */
    char built[32];
    char kill_commands[AMGR_COMMAND_EVENT_COUNT][256]; /**< without arguments;
                                                            empty: none */
    char data_file[1024];       /**< empty: none */
    char control_socket[108];   /**< empty: none */
    apr_time_t configured_us;   /**< wall, see amgr_view_t */
} amgr_board_about_t;

typedef struct amgr_board_t amgr_board_t; /**< the block itself */

/** Bytes a board of these dimensions needs. */
apr_size_t amgr_board_size(const amgr_board_dims_t *dims);

/** Lay out an empty board over @a memory of that size (all zero). */
amgr_board_t *amgr_board_init(void *memory, const amgr_board_dims_t *dims,
                              const amgr_board_owner_t *owner);

/**
 * Whether @a memory of @a size bytes holds a board that this code can read
 * (magic, version, sizes, offsets).  APR_EGENERAL: not a board;
 * APR_ENOTIMPL: another layout or other dimensions than @a dims (which may be
 * NULL: any).  Nothing but this call, amgr_board_carry() and
 * amgr_board_owner() may be done with memory that did not pass.
 */
apr_status_t amgr_board_check(const void *memory, apr_size_t size,
                              const amgr_board_dims_t *dims);

/** Of any board that amgr_board_check() took for one, whatever its layout. */
const amgr_board_owner_t *amgr_board_owner(const amgr_board_t *board);
const amgr_board_dims_t *amgr_board_dims(const amgr_board_t *board);

/** Writer: the parent.  Reader: anyone; APR_NOTFOUND before the first. */
void amgr_board_write_config(amgr_board_t *board,
                             const amgr_board_config_t *config);
apr_status_t amgr_board_read_config(const amgr_board_t *board,
                                    amgr_board_config_t *out);

/** Writer: the parent.  Reader: anyone; APR_NOTFOUND before the first. */
void amgr_board_write_about(amgr_board_t *board,
                            const amgr_board_about_t *about);
apr_status_t amgr_board_read_about(const amgr_board_t *board,
                                   amgr_board_about_t *out);

/**
 * Managed processes.  Writer: the supervisor, or the parent while there is
 * none; rows that there are none of are neither written nor read.  Reader:
 * anyone, with every string ended and every count and index bounded;
 * APR_NOTFOUND before the first.  APR_EAGAIN soon when the writer is in the
 * middle, or died there: @a out is then what could be read, as safe, but
 * perhaps of two moments.
 */
void amgr_board_write_managed(amgr_board_t *board,
                              const amgr_managed_table_t *table);
apr_status_t amgr_board_read_managed(const amgr_board_t *board,
                                     amgr_managed_table_t *out);
/** How many there are about now. */
int amgr_board_count_managed(const amgr_board_t *board);
/** The last table's revision alone, for whoever asks at every request. */
apr_uint64_t amgr_board_managed_revision(const amgr_board_t *board);

/** What a copy has; bits.  The rest is as if nobody had ever written it. */
typedef enum amgr_board_part_e {
    AMGR_BOARD_TICK = 1 << 0,      /**< the last tick's server and groups */
    AMGR_BOARD_PROCESSES = 1 << 1, /**< and its processes */
    AMGR_BOARD_SLOTS = 1 << 2,     /**< and theirs */
    AMGR_BOARD_RECORDS = 1 << 3,   /**< and their evidences */
    AMGR_BOARD_HISTORY = 1 << 4,
    AMGR_BOARD_PARTS_ALL = (1 << 5) - 1
} amgr_board_part_e;

/** A larger file is taken for none: more than 600,000 workers. */
#define AMGR_BOARD_COPY_MAX_BYTES (256 * 1024 * 1024)

/**
 * A private copy of the board in the file @a fd, for a process that has it not
 * mapped: consistent, so that every reader above and below may be called on
 * it, and safe from whatever becomes of the file.  Configuration, about,
 * managed processes, counters and heartbeat are always there, and of the rest
 * what @a parts asks for (amgr_board_part_e, ORed); ledger and orders never.
 * Memory is used for what was read alone, and given back with @a pool.
 *
 * Waits for a writer at most some milliseconds, then APR_EAGAIN (records and
 * history are left out instead, of which pages do without too); APR_ENOTIMPL:
 * another version's; APR_EGENERAL: not a board, or cut short.
 */
apr_status_t amgr_board_copy(int fd, int parts, const amgr_board_t **out,
                             apr_pool_t *pool);

/** Writer: the ticking process, once per tick.  Publishes what there is room
 * for. */
void amgr_board_write_tick(amgr_board_t *board,
                           const amgr_snapshot_t *snapshot);
/**
 * Copy the last tick into @a out, whose storage is the caller's and may be
 * smaller (counts are cut, and the slots of processes with them; slot_max 0
 * leaves the slots out).  Every index in it is valid and every string ends.
 * APR_NOTFOUND before the first tick; the snapshot is empty on any failure.
 */
apr_status_t amgr_board_read_tick(const amgr_board_t *board,
                                  amgr_snapshot_t *out);
/** How many processes and slots the last tick has about now. */
void amgr_board_count_tick(const amgr_board_t *board, int *out_processes,
                           int *out_slots);

/** The writer's own counters, for adding to; only the ticking process. */
amgr_counters_t *amgr_board_counters(amgr_board_t *board);
/** A copy of them for anybody else: single words, each one right, and with
 * cpu_mono_us or totals_mono_us what they say is there. */
void amgr_board_read_counters(const amgr_board_t *board, amgr_counters_t *out);

/** Add a record (gives it its serial) or, with a serial, update it while it
 * is still in the ring.  Writer: the ticking process. */
void amgr_board_write_record(amgr_board_t *board, amgr_record_t *record);
/** The newest @a max records, newest first; returns APR_SUCCESS or EAGAIN. */
apr_status_t amgr_board_read_records(const amgr_board_t *board,
                                     amgr_record_t *out, int max,
                                     int *out_count);

/** Add the evidence of the record whose serial it has, or replace it; without
 * a serial, or older than the one in its place, it is left out.  Writer: the
 * ticking process. */
void amgr_board_write_evidence(amgr_board_t *board,
                               const amgr_evidence_t *evidence);
/** How many there are about now. */
int amgr_board_count_evidences(const amgr_board_t *board);
/** The @a max newest, newest first; returns APR_SUCCESS or EAGAIN. */
apr_status_t amgr_board_read_evidences(const amgr_board_t *board,
                                       amgr_evidence_t *out, int max,
                                       int *out_count);

/** Add a tick to the history, see amgr_history_add(); mends it first when the
 * last writer died over it.  Writer: the ticking process. */
void amgr_board_write_history(amgr_board_t *board,
                              const amgr_snapshot_t *snapshot,
                              apr_uint64_t retired_total,
                              apr_interval_time_t interval_us);
/**
 * The newest @a max samples of a span (amgr_history_span_e), oldest first,
 * into @a storage, which is the caller's and stays with @a out;
 * amgr_history_room() says how many there can be.  On APR_EAGAIN there are
 * none.  Reader: anyone.
 */
apr_status_t amgr_board_read_history(const amgr_board_t *board, int span,
                                     int max, amgr_history_sample_t *storage,
                                     amgr_history_series_t *out);

/** The ticking process's ledger; nobody else's business. */
amgr_ledger_t *amgr_board_ledger(amgr_board_t *board);

/** Heartbeat of the ticker: CLOCK_MONOTONIC microseconds, one word. */
void amgr_board_beat(amgr_board_t *board, apr_time_t mono_us);
apr_time_t amgr_board_last_beat(const amgr_board_t *board);

/** What a board hands on to the next; bits. */
typedef enum amgr_carry_e {
    AMGR_CARRY_COUNTERS = 1,
    AMGR_CARRY_RECORDS = 2,
    AMGR_CARRY_EVIDENCES = 4,
    AMGR_CARRY_HISTORY = 8,
    AMGR_CARRY_MANAGED = 16, /**< also when the old one knew of none */
    AMGR_CARRY_ALL = 31
} amgr_carry_e;

/**
 * Take over from @a old, for a new layout of memory: the counters that both
 * builds have, and records, evidences, history and managed processes as far as
 * their structs have the same size.  @a old must have got APR_SUCCESS or
 * APR_ENOTIMPL from amgr_board_check() and have no writer any more.  Returns
 * the bits of amgr_carry_e that were taken over.
 */
int amgr_board_carry(amgr_board_t *board, const amgr_board_t *old);

const char *amgr_stage_word(int stage);

#endif
