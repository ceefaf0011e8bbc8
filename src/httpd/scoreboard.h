/* SPDX-License-Identifier: Apache-2.0
 *
 * From httpd's scoreboard to plain structures, in one copy pass.  The
 * scoreboard is memory that every child can write: nothing in it is a pointer
 * to follow or an index to use, every value is checked, every text ended.
 */
#ifndef AMGR_SCOREBOARD_H
#define AMGR_SCOREBOARD_H

#include "model/snapshot.h"

/** What a row says of its process; hearsay, unlike the table of children. */
typedef struct amgr_row_t {
    pid_t pid;
    int generation;
    int stopping; /**< told by the MPM to finish and go */
    amgr_connections_t connections;
} amgr_row_t;

/** Whether there is a scoreboard yet (there is none before pre_mpm). */
int amgr_scoreboard_exists(void);

/** Rows and columns that the scoreboard has. */
int amgr_scoreboard_rows(void);
int amgr_scoreboard_columns(void);

/** Slots of a process that the MPM uses, at least 1 and at most the columns
 * there are. */
int amgr_scoreboard_used_columns(void);

/** Slots that @a process has, which may be more or fewer when it is older than
 * the last restart. */
int amgr_scoreboard_columns_of(const amgr_process_t *process);

void amgr_scoreboard_read_row(int row, amgr_row_t *out);

/** Whether some row says that it is this process's. */
int amgr_scoreboard_has(pid_t pid);

/** What a pass over the scoreboard sees of one row. */
typedef struct amgr_row_scan_t {
    amgr_row_t row;
    int busy;              /**< slots that are not idle, of those used now */
    apr_uint64_t accesses; /**< requests that its process has finished */
} amgr_row_scan_t;

/** Who looks on during the pass, so that all the figures are of one. */
typedef struct amgr_scan_t {
    char *letters;            /**< of the slots used, row by row */
    apr_int64_t letters_max;  /**< room for them, the rest is left out */
    apr_int64_t letters_used; /**< how many there were, 0 before */
    /** Called for every row that has a process. */
    void (*visit)(void *baton, int index, const amgr_row_scan_t *row);
    void *baton;
} amgr_scan_t;

/** CPU time in seconds of the processes that have slots, with that of those
 * they have waited for. */
typedef struct amgr_slots_cpu_t {
    double user_seconds;
    double system_seconds;
} amgr_slots_cpu_t;

/**
 * The server's figures as of now, with mod_status's meaning of each; @a out's
 * time is read from the clocks.  What only a tick can know stays as it is:
 * memory, and CPU time, of which the slots' part is returned.  One
 * pass, in which @a scan (NULL: nobody) is told of the rows.
 */
amgr_slots_cpu_t amgr_scoreboard_read_server(amgr_server_t *out,
                                             amgr_scan_t *scan);

/** The scoreboard's generation that new children are given. */
int amgr_scoreboard_generation(void);

/** Whether this child is of that generation: its configuration is the one in
 * force. */
int amgr_scoreboard_is_of_today(void);

/**
 * Append the slots of @a row to the snapshot and note them in @a process.
 * Slots that do not fit any more are left out and make it incomplete.
 */
void amgr_scoreboard_copy_row(int row, amgr_process_t *process,
                              amgr_snapshot_t *snapshot);

/** Copy at most @a max slots of @a row from its column @a first on; returns how
 * many.  Each is consistent in itself. */
int amgr_scoreboard_copy_slots(int row, int first, amgr_slot_t *out, int max);

/** The letters of now, row by row of the slots used, from the @a first on. */
void amgr_scoreboard_read_letters(apr_int64_t first, char *out, int count);

/** Whether the slot has still, after a copy of it was made, the request that
 * began at @a start_time_us. */
int amgr_scoreboard_still_has(int row, int column, apr_time_t start_time_us);

#endif
