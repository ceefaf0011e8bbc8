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
} amgr_row_t;

/** Whether there is a scoreboard yet (there is none before pre_mpm). */
int amgr_scoreboard_exists(void);

/** Rows and columns that the scoreboard has. */
int amgr_scoreboard_rows(void);
int amgr_scoreboard_columns(void);

void amgr_scoreboard_read_row(int row, amgr_row_t *out);

/**
 * The server's figures as of now, with mod_status's meaning of each; @a out's
 * time is read from the clocks.  What only a tick can know stays as it is:
 * memory, and CPU time, of which the slots' part in seconds is returned.
 */
double amgr_scoreboard_read_server(amgr_server_t *out);

/** The scoreboard's generation that new children are given. */
int amgr_scoreboard_generation(void);

/**
 * Append the slots of @a row to the snapshot and note them in @a process.
 * Slots that do not fit any more are left out and make it incomplete.
 */
void amgr_scoreboard_copy_row(int row, amgr_process_t *process,
                              amgr_snapshot_t *snapshot);

/** Whether the slot has still, after a copy of it was made, the request that
 * began at @a start_time_us. */
int amgr_scoreboard_still_has(int row, int column, apr_time_t start_time_us);

#endif
