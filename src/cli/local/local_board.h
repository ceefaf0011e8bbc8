/* SPDX-License-Identifier: Apache-2.0
 *
 * The board of a server on this machine, out of its file: opened with care,
 * since the file may be another user's, and taken only while the server that
 * it is of runs.
 */
#ifndef AMGR_LOCAL_BOARD_H
#define AMGR_LOCAL_BOARD_H

#include "action/board.h"
#include "cli/fault.h"
#include "proc/proc_lines.h"
#include "proc/proc_read.h"

/** The name that the module gives it. */
#define AMGR_LOCAL_BOARD_NAME "apache-manager.board"

/** What became of a board. */
typedef enum amgr_local_board_e {
    AMGR_LOCAL_BOARD_READ = 0,
    AMGR_LOCAL_BOARD_NONE,   /**< there is no such file */
    AMGR_LOCAL_BOARD_DENIED, /**< this user may not read it */
    AMGR_LOCAL_BOARD_UNSAFE, /**< not a file of the server's own */
    AMGR_LOCAL_BOARD_ALIEN,  /**< of another version of the module */
    AMGR_LOCAL_BOARD_BROKEN, /**< not a board, or not all of it */
    AMGR_LOCAL_BOARD_BUSY,   /**< it is being written all the time */
    AMGR_LOCAL_BOARD_STALE,  /**< its server has gone */
    AMGR_LOCAL_BOARD_FAILED, /**< another error; see the status */
    AMGR_LOCAL_BOARD_COUNT
} amgr_local_board_e;

typedef struct amgr_local_board_t {
    const amgr_board_t *board; /**< a copy; NULL unless it was READ */
    amgr_proc_id_t parent;     /**< its httpd, by the pid that we know it by */
    uid_t uid;                 /**< as whom that runs */
    apr_status_t status;       /**< of FAILED */
} amgr_local_board_t;

/**
 * Copy the board at @a path, with @a parts of it (amgr_board_part_e, ORed).
 * @a path may lead through /proc/PID/root, into the files of a container:
 * then its server is PID.  From @a pool.
 */
amgr_local_board_e amgr_local_board_read(const char *path, int parts,
                                         amgr_local_board_t *out,
                                         apr_pool_t *pool);

/** The board that @a pid has mapped, by a path that we reach; NULL when there
 * is none, or this user may not know.  It need not be that process's. */
const char *amgr_local_mapped_board(amgr_proc_dir_t *proc, pid_t pid,
                                    const amgr_proc_budget_t *budget,
                                    apr_pool_t *pool);

/** One line about the board at @a path that could not be read. */
const amgr_fault_t *amgr_local_board_fault(int result,
                                           const amgr_local_board_t *board,
                                           const char *path, apr_pool_t *pool);

#endif
