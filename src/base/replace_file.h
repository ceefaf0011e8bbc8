/* SPDX-License-Identifier: Apache-2.0
 *
 * Replacing a file as root, in a directory that others may be able to write:
 * readers see the old content or the new, never a part; nothing but a regular
 * file is ever replaced; no link at the target is followed.
 *
 * A directory is safe when it is sticky, or when neither the world nor a group
 * other than root's and our own may write it; its owner is trusted.  Links in
 * the path to the directory are the administrator's and are followed.
 */
#ifndef AMGR_REPLACE_FILE_H
#define AMGR_REPLACE_FILE_H

#include "base/sink.h"

/** Why a file was not replaced; the words are amgr_replace_error_text()'s. */
typedef enum amgr_replace_error_e {
    AMGR_REPLACE_OK = 0,
    AMGR_REPLACE_DIR_OPEN,    /**< the directory cannot be opened */
    AMGR_REPLACE_DIR_UNSAFE,  /**< others can write it and it is not sticky */
    AMGR_REPLACE_NOT_REGULAR, /**< the target is a link, directory, FIFO... */
    AMGR_REPLACE_FOREIGN,     /**< in a sticky directory: another's file */
    AMGR_REPLACE_CREATE,      /**< no temporary file could be made */
    AMGR_REPLACE_WRITE,       /**< writing failed (disk full...) */
    AMGR_REPLACE_RENAME,      /**< the rename failed */
    AMGR_REPLACE_ERROR_COUNT
} amgr_replace_error_e;

/** One replacement; begin fills it.  Holds a pointer to itself: do not copy. */
typedef struct amgr_replace_file_t {
    int dir_fd;                 /**< the directory, opened once */
    int fd;                     /**< the temporary file, -1 when none */
    char base[256];             /**< last component of the path */
    char temp[256];             /**< the temporary file's name, "": none */
    amgr_replace_error_e error; /**< set by the call that failed */
    int sys_errno;              /**< errno of that failure, 0 when none */
    char buf[4096];             /**< the sink's storage */
    amgr_sink_t sink;           /**< write here between begin and commit */
} amgr_replace_file_t;

/**
 * Begin replacing the absolute @a path: opens and checks the directory, looks
 * at the target, creates a temporary file of a random name beside it with mode
 * @a mode (whatever the umask).  Returns the error of the system, or
 * APR_EGENERAL for a refusal of ours; @c file->error tells which.  On success
 * write to @c file->sink, then call commit or abort.  Nothing is held after a
 * failure.  Never blocks on a FIFO.
 */
apr_status_t amgr_replace_begin(amgr_replace_file_t *file, const char *path,
                                int mode);

/** Flush, check again and rename into place; on failure the temporary file is
 * gone and the target untouched.  APR_EINVAL when nothing was begun. */
apr_status_t amgr_replace_commit(amgr_replace_file_t *file);

/** Give up: the temporary file is removed.  Harmless after a failed begin and
 * after a commit. */
void amgr_replace_abort(amgr_replace_file_t *file);

/** A phrase for the log: "is not a regular file". */
const char *amgr_replace_error_text(amgr_replace_error_e error);

#endif
