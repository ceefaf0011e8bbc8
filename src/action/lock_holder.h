/* SPDX-License-Identifier: Apache-2.0
 *
 * Whether a process holds a lock in shared memory that threads of others wait
 * for: who kills it leaves them waiting for ever.
 *
 * A lock that the process itself waits for is no reason to spare it: it holds
 * nothing of it, and the kernel takes it out of the queue.  (Killed in the few
 * microseconds after it was woken it takes that one wake-up with it, and others
 * wait until the lock is next fought for.)  Nor is a lock that only its own
 * threads wait for, which end with it, nor one that the kernel lets go of when
 * its owner ends.
 *
 * As of an instant: a lock that is taken a moment later is not seen, and one
 * that nobody waits for yet cannot be.  For the ticker alone (lock_wait.h).
 */
#ifndef AMGR_LOCK_HOLDER_H
#define AMGR_LOCK_HOLDER_H

#include "action/lock_wait.h"
#include "policy/holdback.h"

/**
 * Look for a lock that the process @a index of @a snapshot holds, at most until
 * @a deadline_us of the monotonic clock; amgr_held_e.  Ends at the first other
 * process that is found waiting, of which @a out then tells: its waiters are
 * threads of that process.
 */
int amgr_lock_holder_look(amgr_proc_dir_t *proc,
                          const amgr_snapshot_t *snapshot, int index,
                          apr_time_t deadline_us, amgr_lock_report_t *out);

#endif
