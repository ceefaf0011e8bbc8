/* SPDX-License-Identifier: Apache-2.0
 *
 * What the threads of a process are doing, from /proc alone: which system call
 * a thread is in, with what arguments, and where in the kernel it waits.  None
 * of these files takes the target's mmap lock, so a stuck process is no danger
 * to the reader.  Reading them needs the right to trace the process: without
 * it APR_EACCES, or no wchan, is an ordinary result.
 *
 * All of it is true of one instant only: a thread goes on while its
 * descriptors are being looked up.
 */
#ifndef AMGR_PROC_TASK_H
#define AMGR_PROC_TASK_H

#include "proc/proc_read.h"

/** Room for any name of a system call, with the NUL. */
#define AMGR_SYSCALL_NAME_LEN 24

/** Room for a wchan, with the NUL; a longer symbol is cut. */
#define AMGR_PROC_WCHAN_LEN 32

typedef enum amgr_task_state_e {
    AMGR_TASK_RUNNING = 0, /**< on a processor, or ready to be */
    AMGR_TASK_OUTSIDE,     /**< blocked, but not in a system call: a fault */
    AMGR_TASK_SYSCALL,     /**< blocked in one */
    AMGR_TASK_STATE_COUNT
} amgr_task_state_e;

/** /proc/PID/task/TID/syscall */
typedef struct amgr_proc_syscall_t {
    apr_int32_t state;    /**< amgr_task_state_e */
    apr_int32_t number;   /**< of this architecture; -1 outside of one */
    apr_uint64_t args[6]; /**< 0 outside of one */
} amgr_proc_syscall_t;

/** A wait for a futex. */
typedef struct amgr_proc_futex_t {
    apr_uint64_t address;
    int is_private; /**< among threads of one process; else in shared memory */
} amgr_proc_futex_t;

/** "running", "-1 SP PC" or "NR A0 A1 A2 A3 A4 A5 SP PC". */
apr_status_t amgr_proc_parse_syscall(const char *buf, apr_size_t len,
                                     amgr_proc_syscall_t *out);

/** A kernel symbol; "0" is an empty one: not waiting, or no right to know.
 * Cut to @a size. */
apr_status_t amgr_proc_parse_wchan(const char *buf, apr_size_t len, char *out,
                                   apr_size_t size);

/**
 * Open the threads of the process @a id as a directory that looks like a /proc
 * of their ids: amgr_proc_list() lists them (APR_ENOSPC: more than fit), and
 * all readers of this layer take a thread's id for a pid.  It names the
 * process, not the pid: once the process has ended everything in it is
 * APR_NOTFOUND, even when the pid lives again.  APR_NOTFOUND too when @a id is
 * not who has the pid now.  Close it with amgr_proc_dir_close().
 */
apr_status_t amgr_proc_tasks_open(amgr_proc_dir_t *dir,
                                  const amgr_proc_id_t *id,
                                  amgr_proc_dir_t *out_tasks);

/** The memory of a process whose first thread has ended, as another of its
 * threads has it; APR_NOTFOUND when none of the first of them has any. */
apr_status_t amgr_proc_read_left_statm(amgr_proc_dir_t *dir,
                                       const amgr_proc_id_t *id,
                                       amgr_proc_statm_t *out);

apr_status_t amgr_proc_read_syscall(amgr_proc_dir_t *tasks, pid_t tid,
                                    amgr_proc_syscall_t *out);
apr_status_t amgr_proc_read_wchan(amgr_proc_dir_t *tasks, pid_t tid, char *out,
                                  apr_size_t size);

/** Its name in @a buf, "syscall N" for one that no server is expected to block
 * in; "running" and "page fault" where there is none.  Returns @a buf. */
char *amgr_proc_syscall_name(const amgr_proc_syscall_t *call, char *buf,
                             apr_size_t size);

/** The descriptor that it works on, -1 when it has none or keeps it in memory
 * (poll, select). */
int amgr_proc_syscall_fd(const amgr_proc_syscall_t *call);

/** Whether it waits for a futex; then fills in @a out. */
int amgr_proc_syscall_futex(const amgr_proc_syscall_t *call,
                            amgr_proc_futex_t *out);

#endif
