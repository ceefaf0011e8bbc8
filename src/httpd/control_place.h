/* SPDX-License-Identifier: Apache-2.0
 *
 * The place of the control socket in the file system: made with mode 0600 from
 * the first moment, looked after while the server runs, and taken away at the
 * end.  What somebody else put there is left alone.
 *
 * Runs in the ticker, but for amgr_control_place_clean().
 */
#ifndef AMGR_CONTROL_PLACE_H
#define AMGR_CONTROL_PLACE_H

#include <sys/stat.h>

#include <httpd.h>

#include "base/base.h"

typedef struct amgr_control_place_t {
    server_rec *server;
    const char *path; /**< NULL: no socket is asked for */
    int fd;           /**< that listens, or -1 */
    dev_t device;     /**< of the socket's file */
    ino_t inode;
    apr_time_t look_mono_us; /**< when it is looked at next */
    const char *told;        /**< what is wrong with it, as was logged */
    int told_errno;
} amgr_control_place_t;

/** Nothing is there yet.  @a path, which may be NULL, must live as long. */
void amgr_control_place_init(amgr_control_place_t *place, server_rec *s,
                             const char *path);

/** Every few seconds, open it where it is not open, or not where it should be
 * any more; what goes wrong is logged once and added to @a faults. */
void amgr_control_place_look(amgr_control_place_t *place, apr_uint64_t *faults);

/** Take it away, when it is still the one that was made. */
void amgr_control_place_close(amgr_control_place_t *place);

/**
 * Remove a socket of ours at @a path to which nobody listens any more, left by
 * a ticker that was killed; anything else there is left alone.  For the parent
 * too.  Returns non-zero when it was removed.
 */
int amgr_control_place_clean(const char *path);

#endif
