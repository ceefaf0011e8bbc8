/* SPDX-License-Identifier: Apache-2.0
 *
 * The MPM's pipes of death: found without its private symbols, by what its
 * open_logs hook opens, and checked again before anything is done to one.
 */
#ifndef AMGR_PIPE_OF_DEATH_H
#define AMGR_PIPE_OF_DEATH_H

#include <apr_errno.h>

/** Parent: note the pipes that are open now, for comparing. */
void amgr_pod_note_others(void);

/** Parent: whatever pipe is open now and was not then is the MPM's. */
void amgr_pod_note_own(void);

/**
 * Child of worker or event: make its main thread end it gracefully.  All or
 * nothing; once that is done it may be called again to wake it once more.
 * APR_ENOTIMPL: the descriptors are not what is expected (one end to
 * read and one to write of a pipe that was noted), nothing was touched; else
 * why no pipe could be made.
 */
apr_status_t amgr_pod_end_self(void);

#endif
