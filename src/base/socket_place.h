/* SPDX-License-Identifier: Apache-2.0
 *
 * The place of a listening unix socket in the file system: made with mode 0600
 * from the first moment, looked after while its owner runs, and taken away at
 * the end.  What somebody else put there is left alone.
 *
 * It may be another user's than this process's.  Then its directory must be one
 * in which nobody else can put something in its place, it is given away before
 * anybody can connect, and by a descriptor, so that no link is followed.
 *
 * Sets the umask for a moment: for processes of one thread.
 */
#ifndef AMGR_SOCKET_PLACE_H
#define AMGR_SOCKET_PLACE_H

#include <sys/types.h>

#include "base/base.h"

/** Between two looks at it. */
#define AMGR_SOCKET_PLACE_LOOK_US (5 * APR_USEC_PER_SEC)

/** What a look has found that was not so before. */
typedef enum amgr_socket_change_e {
    AMGR_SOCKET_SAME = 0,
    AMGR_SOCKET_OPENED,    /**< it listens now */
    AMGR_SOCKET_RECOVERED, /**< it listens now, which had failed */
    AMGR_SOCKET_FAILED     /**< it does not, for a new reason */
} amgr_socket_change_e;

typedef struct amgr_socket_place_t {
    const char *path; /**< absolute; NULL: no socket is asked for */
    uid_t owner;      /**< of the file */
    int fd;           /**< that listens, or -1; does not block */
    dev_t device;     /**< of the socket's file */
    ino_t inode;
    apr_time_t look_mono_us; /**< when it is looked at next */
    const char *wrong;       /**< why it does not listen, a clause of which the
                                  path is the subject; NULL: nothing is */
    int error;               /**< the errno to it, or 0 */
    apr_uint64_t failures;   /**< how often it could not be opened */
} amgr_socket_place_t;

/** Nothing is there yet.  @a path, which may be NULL, must live as long. */
void amgr_socket_place_init(amgr_socket_place_t *place, const char *path,
                            uid_t owner);

/** Every few seconds, open it where it is not open, or not where it should be
 * any more.  amgr_socket_change_e: something but SAME is to be told. */
int amgr_socket_place_look(amgr_socket_place_t *place);

/** Take it away, when it is still the one that was made. */
void amgr_socket_place_close(amgr_socket_place_t *place);

/**
 * Remove a socket of ours, or of @a owner, at @a path to which nobody listens
 * any more, left by a process that was killed; anything else there is left
 * alone.  Returns non-zero when it was removed.
 */
int amgr_socket_place_clean(const char *path, uid_t owner);

#endif
