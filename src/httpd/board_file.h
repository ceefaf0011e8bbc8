/* SPDX-License-Identifier: Apache-2.0
 *
 * Where the board's memory comes from: a file of the runtime directory, or
 * anonymous memory when there can be none.  Two mappings of it: a writable one
 * that only the parent and the ticker ever have, and a read-only one, from a
 * descriptor opened read-only, that every child inherits (so that mprotect(2)
 * cannot make it writable).
 */
#ifndef AMGR_BOARD_FILE_H
#define AMGR_BOARD_FILE_H

#include <sys/stat.h>

#include "action/board.h"

#define AMGR_BOARD_FILE_NAME "apache-manager.board"

/** A mapped board.  Plain data without pointers to code: it outlives this
 * module's own unloading at a restart. */
typedef struct amgr_board_file_t {
    void *memory;       /**< writable; not inherited by children */
    const void *shared; /**< read-only; what children have */
    apr_size_t size;
    dev_t device; /**< of the file, to remove no other's */
    ino_t inode;
    char path[1024]; /**< empty: anonymous memory */
} amgr_board_file_t;

/** How amgr_board_file_create() ended. */
typedef enum amgr_board_place_e {
    AMGR_BOARD_IN_FILE = 0,
    AMGR_BOARD_ANONYMOUS, /**< no file could be made; see the status */
    AMGR_BOARD_DIR_TAKEN, /**< another server's live board is there */
    AMGR_BOARD_NOWHERE    /**< no memory at all */
} amgr_board_place_e;

/**
 * Create and map a board of @a dims for @a owner in the file @a path, which is
 * absolute, or in memory alone when it is NULL.  A board that a dead server
 * left there is replaced; a live one is left alone and this server's board is
 * anonymous.  *out_status says why there is no file.
 */
amgr_board_place_e amgr_board_file_create(amgr_board_file_t *file,
                                          const char *path,
                                          const amgr_board_dims_t *dims,
                                          const amgr_board_owner_t *owner,
                                          apr_status_t *out_status);

/** Unmap both mappings; the file stays. */
void amgr_board_file_unmap(amgr_board_file_t *file);

/** Whether nothing is left where the file was; what somebody else has put there
 * is left alone.  Memory that never had a file misses none. */
int amgr_board_file_is_missing(const amgr_board_file_t *file);

/** Remove the file, when it is still the one that was created. */
void amgr_board_file_remove(const amgr_board_file_t *file);

/** This process as the owner of a board. */
apr_status_t amgr_board_file_owner(amgr_board_owner_t *out);

#endif
