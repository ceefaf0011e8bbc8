/* SPDX-License-Identifier: Apache-2.0
 *
 * Who waits for a lock in shared memory, and for whom: a thread waits in a
 * futex that is not private, the word there is that of a mutex, and the mutex
 * names the thread that holds it.
 *
 * Known are the mutexes of glibc, and of whoever keeps the owner's id in the
 * word itself as the kernel's own protocol does.  Of other locks (read-write
 * locks, condition variables, semaphores) nothing is said.
 *
 * Looking reads memory of workers, which takes their mmap lock: for the ticker
 * alone.  What workers write there is only ever compared and shown.
 */
#ifndef AMGR_LOCK_WAIT_H
#define AMGR_LOCK_WAIT_H

#include "base/sink.h"
#include "model/snapshot.h"
#include "proc/proc_maps.h"
#include "proc/proc_task.h"

/** Room for a mapping's name with every byte as \xHH. */
#define AMGR_LOCK_NAME_LEN (4 * AMGR_PROC_TARGET_LEN)

/** A thread that waits for a lock. */
typedef struct amgr_lock_wait_t {
    pid_t pid;
    pid_t tid;
    pid_t owner;          /**< the thread that the lock names */
    int is_robust;        /**< the kernel lets go of it when the owner ends */
    apr_uint64_t address; /**< in the waiting process */
} amgr_lock_wait_t;

/** A lock that others wait for, for the log. */
typedef struct amgr_lock_report_t {
    pid_t pid;                          /**< a worker that waits */
    pid_t owner;                        /**< the thread that holds or held it */
    apr_uint64_t address;               /**< in that worker */
    int waiters;                        /**< threads that were seen waiting */
    char mapping[AMGR_PROC_TARGET_LEN]; /**< any bytes; may be empty */
} amgr_lock_report_t;

/** Of one thread that waits, @a tasks being those of its process. */
typedef void (*amgr_lock_wait_fn)(void *baton, amgr_proc_dir_t *tasks,
                                  const amgr_lock_wait_t *wait);

/**
 * Tell of each thread of @a process (of its first 1024) that waits for a lock,
 * until @a deadline_us of the monotonic clock; 0 when time was short.  What
 * is told is not sure: the memory was read after it was known that the thread
 * waits, and the thread may have gone on in between; and it may not be shared.
 */
int amgr_lock_wait_each(amgr_proc_dir_t *proc, const amgr_process_t *process,
                        apr_time_t deadline_us, amgr_lock_wait_fn visit,
                        void *baton);

/** Whether the thread is still in that wait: ask after the memory was read. */
int amgr_lock_wait_lasts(amgr_proc_dir_t *tasks, const amgr_lock_wait_t *wait);

/** Whether the lock is in memory that is shared indeed, and then which. */
int amgr_lock_wait_is_shared(amgr_proc_dir_t *tasks,
                             const amgr_lock_wait_t *wait,
                             apr_time_t deadline_us, amgr_proc_mapping_t *out);

/**
 * The owner that a lock names, from the 20 bytes at its futex's address; 0 for
 * one that is free, or that is no lock this module knows.
 */
pid_t amgr_lock_wait_owner(const apr_uint32_t words[5]);

/**
 * Whether such a lock is one that the kernel lets go of when its owner ends:
 * the next one gets it and is told (a robust mutex of glibc, as APR's are).
 */
int amgr_lock_wait_is_robust(const apr_uint32_t words[5]);

/** The memory of a report in one line of text; @a size at least
 * AMGR_LOCK_NAME_LEN holds any.  Returns @a buf. */
const char *amgr_lock_report_name(const amgr_lock_report_t *report, char *buf,
                                  apr_size_t size);

#endif
