/* SPDX-License-Identifier: Apache-2.0
 *
 * How a board's memory is laid out: a header that names every size and place,
 * then one region per writer, each on cache lines of its own.  Internal to the
 * board; everybody else goes through board.h.
 */
#ifndef AMGR_BOARD_LAYOUT_H
#define AMGR_BOARD_LAYOUT_H

#include "action/board.h"

#define AMGR_BOARD_MAGIC APR_UINT64_C(0x44524f4252474d41) /* "AMGRBORD" */

/** Sizes of the published structs: another build's may differ. */
typedef struct amgr_board_sizes_t {
    apr_uint32_t header;
    apr_uint32_t config;
    apr_uint32_t tick;
    apr_uint32_t server;
    apr_uint32_t group;
    apr_uint32_t process;
    apr_uint32_t slot;
    apr_uint32_t counters;
    apr_uint32_t record;
    apr_uint32_t records_max;
    apr_uint32_t ledger;
    apr_uint32_t ledger_process;
    apr_uint32_t ledger_slot;
    apr_uint32_t evidence;
    apr_uint32_t evidences_max;
    apr_uint32_t history;
} amgr_board_sizes_t;

/** Where the regions begin, in bytes from the header. */
typedef struct amgr_board_offsets_t {
    apr_uint64_t config;
    apr_uint64_t beat;
    apr_uint64_t orders;
    apr_uint64_t counters;
    apr_uint64_t records;
    apr_uint64_t tick;
    apr_uint64_t processes;
    apr_uint64_t slots;
    apr_uint64_t ledger;
    apr_uint64_t evidences;
    apr_uint64_t history;
    apr_uint64_t total; /**< bytes of the whole board */
} amgr_board_offsets_t;

struct amgr_board_t {
    apr_uint64_t magic;
    apr_uint32_t version;
    apr_uint32_t reserved;
    amgr_board_owner_t owner; /**< up to here alike in every version, so that a
                                   board that cannot be read still says whose
                                   it is */
    amgr_board_sizes_t sizes;
    amgr_board_offsets_t at;
    amgr_board_dims_t dims;
    /* Up to here it is what every build of this version has.  A header grows
     * at its end alone, so that what stands before is still taken over. */
    apr_uint64_t managed_bytes;
    apr_uint64_t managed_at;
};

/** What the oldest build has whose board is taken over. */
#define AMGR_BOARD_HEADER_MIN_BYTES offsetof(struct amgr_board_t, managed_bytes)

/** Two things that are told at each start, each with a number of its own. */
typedef struct amgr_board_config_region_t {
    apr_uint64_t seq; /**< 0: never written */
    amgr_board_config_t config;
    apr_uint64_t about_seq; /**< 0: never written */
    amgr_board_about_t about;
} amgr_board_config_region_t;

/** The tick without its arrays of processes and slots, whose places the
 * header names; one sequence number covers all three. */
typedef struct amgr_board_tick_t {
    apr_uint64_t seq;     /**< 0: never written */
    apr_uint64_t written; /**< 1 once a tick was completed */
    apr_int32_t group_count;
    apr_int32_t process_count;
    apr_int32_t slot_count;
    apr_int32_t incomplete;
    apr_int32_t hanging;
    apr_int32_t reserved;
    amgr_server_t server;
    amgr_group_t groups[AMGR_GROUPS_MAX];
} amgr_board_tick_t;

typedef struct amgr_board_records_t {
    apr_uint64_t seq;
    apr_uint64_t last_serial; /**< the newest record's, 0: none */
    amgr_record_t records[AMGR_RECORDS_MAX]; /**< by serial, modulo */
} amgr_board_records_t;

typedef struct amgr_board_evidences_t {
    apr_uint64_t seq;
    amgr_evidence_t evidences[AMGR_EVIDENCES_MAX]; /**< by serial, modulo */
} amgr_board_evidences_t;

typedef struct amgr_board_history_t {
    apr_uint64_t seq;
    amgr_history_t history;
} amgr_board_history_t;

typedef struct amgr_board_managed_t {
    apr_uint64_t seq;      /**< 0: never written */
    apr_uint64_t revision; /**< the table's, one word that is always whole */
    amgr_managed_table_t table;
} amgr_board_managed_t;

static inline const void *amgr_board_at(const amgr_board_t *board,
                                        apr_uint64_t offset)
{
    return (const char *)board + offset;
}

static inline void *amgr_board_at_rw(amgr_board_t *board, apr_uint64_t offset)
{
    return (char *)board + offset;
}

/**
 * The part of amgr_board_check() that needs nothing but the header; a board
 * that passed has every region where this build has it, within @a size.
 */
apr_status_t amgr_board_check_header(const amgr_board_t *board,
                                     apr_size_t size);

/** Take over the records of @a old that are sound (board_record.c). */
void amgr_board_carry_records(amgr_board_t *board, const amgr_board_t *old);

/** The same of evidences (board_evidence.c). */
void amgr_board_carry_evidences(amgr_board_t *board, const amgr_board_t *old);

/** The history of @a old, made sound (board_history.c). */
void amgr_board_carry_history(amgr_board_t *board, const amgr_board_t *old);

/** Managed processes, made sound (board_managed.c). */
void amgr_board_carry_managed(amgr_board_t *board, const amgr_board_t *old);

#endif
