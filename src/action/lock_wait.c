/* SPDX-License-Identifier: Apache-2.0
 *
 * See lock_wait.h.
 */
#include "action/lock_wait.h"

#include <limits.h>
#include <linux/futex.h>

#include "base/escape.h"

/** Threads of one process that are looked at. */
#define TIDS_MAX 1024

/** Of maps, for the name of one mapping. */
#define MAPS_BYTES (1024 * 1024)

/* glibc's pthread_mutex_t: lock, count, owner, users, kind. */
#define WORD_LOCK 0
#define WORD_OWNER 2
#define WORD_USERS 3
#define WORD_KIND 4
#define KIND_SHARED 128u /* PTHREAD_MUTEX_PSHARED_BIT */
#define KIND_PLAIN 3u    /* normal, recursive, error checking, adaptive */
#define KIND_ROBUST 16u  /* PTHREAD_MUTEX_ROBUST_NORMAL_NP */
#define KIND_INHERIT 32u /* PTHREAD_MUTEX_PRIO_INHERIT_NP */

pid_t amgr_lock_wait_owner(const apr_uint32_t words[5])
{
    apr_uint32_t owner;

    /* The kernel's protocol, which says by a bit that somebody waits; a plain
     * number is anything, a count of a semaphore perhaps. */
    if ((words[WORD_LOCK] & FUTEX_WAITERS) != 0) {
        owner = words[WORD_LOCK] & FUTEX_TID_MASK;
    }
    else if ((words[WORD_LOCK] == 1 || words[WORD_LOCK] == 2) &&
             words[WORD_USERS] != 0 &&
             (words[WORD_KIND] & ~KIND_PLAIN) == KIND_SHARED) {
        owner = words[WORD_OWNER];
    }
    else {
        return 0;
    }
    return owner > 1 && owner <= INT_MAX ? (pid_t)owner : 0;
}

int amgr_lock_wait_is_robust(const apr_uint32_t words[5])
{
    /* Whose word alone follows the kernel's protocol may be on no list of the
     * kernel's: it must say of itself in all ways that it is glibc's. */
    return (words[WORD_LOCK] & FUTEX_WAITERS) != 0 &&
           (words[WORD_LOCK] & FUTEX_TID_MASK) == words[WORD_OWNER] &&
           (words[WORD_KIND] & ~(KIND_PLAIN | KIND_INHERIT)) ==
               (KIND_SHARED | KIND_ROBUST);
}

/* Whether the thread waits for a lock, as of an instant. */
static int read_wait(amgr_proc_dir_t *tasks, amgr_lock_wait_t *wait)
{
    amgr_proc_syscall_t call;
    amgr_proc_futex_t futex;
    apr_uint32_t words[5];

    if (amgr_proc_read_syscall(tasks, wait->tid, &call) != APR_SUCCESS ||
        !amgr_proc_syscall_futex(&call, &futex) || futex.is_private ||
        futex.address == 0 ||
        amgr_proc_read_memory(tasks, wait->tid, futex.address, words,
                              sizeof(words)) != APR_SUCCESS) {
        return 0;
    }
    wait->address = futex.address;
    wait->owner = amgr_lock_wait_owner(words);
    wait->is_robust = amgr_lock_wait_is_robust(words);
    return wait->owner != 0;
}

int amgr_lock_wait_each(amgr_proc_dir_t *proc, const amgr_process_t *process,
                        apr_time_t deadline_us, amgr_lock_wait_fn visit,
                        void *baton)
{
    amgr_lock_wait_t wait = {process->id.pid, 0, 0, 0, 0};
    pid_t tids[TIDS_MAX];
    amgr_proc_dir_t tasks;
    apr_status_t rv;
    int count = 0;
    int i;

    if (amgr_proc_tasks_open(proc, &process->id, &tasks) != APR_SUCCESS) {
        return 1;
    }
    rv = amgr_proc_list(&tasks, tids, TIDS_MAX, &count);
    if (rv != APR_SUCCESS && rv != APR_ENOSPC) {
        count = 0;
    }
    for (i = 0; i < count; i++) {
        if (amgr_clock_monotonic_us() >= deadline_us) {
            break;
        }
        wait.tid = tids[i];
        if (read_wait(&tasks, &wait)) {
            visit(baton, &tasks, &wait);
        }
    }
    amgr_proc_dir_close(&tasks);
    return i == count;
}

int amgr_lock_wait_lasts(amgr_proc_dir_t *tasks, const amgr_lock_wait_t *wait)
{
    amgr_proc_syscall_t call;
    amgr_proc_futex_t futex;

    return amgr_proc_read_syscall(tasks, wait->tid, &call) == APR_SUCCESS &&
           amgr_proc_syscall_futex(&call, &futex) &&
           futex.address == wait->address;
}

int amgr_lock_wait_is_shared(amgr_proc_dir_t *tasks,
                             const amgr_lock_wait_t *wait,
                             apr_time_t deadline_us, amgr_proc_mapping_t *out)
{
    amgr_proc_budget_t budget = {MAPS_BYTES, deadline_us};

    return amgr_proc_find_mapping(tasks, wait->tid, wait->address, &budget,
                                  out) == APR_SUCCESS &&
           out->is_shared;
}

const char *amgr_lock_report_name(const amgr_lock_report_t *report, char *buf,
                                  apr_size_t size)
{
    amgr_sink_t sink;

    amgr_sink_init_text(&sink, buf, size);
    amgr_escape_line(&sink, report->mapping[0] != '\0' ? report->mapping
                                                       : "shared memory");
    return amgr_sink_text(&sink);
}
