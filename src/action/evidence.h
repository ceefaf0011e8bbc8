/* SPDX-License-Identifier: Apache-2.0
 *
 * What was seen of a process just before it was retired: its memory, the
 * requests in flight, and what its threads were blocked on.  Plain numbers and
 * bounded strings without pointers, published in shared memory as it is.
 *
 * Text comes from the scoreboard, from paths and from names of sockets: it may
 * hold any bytes and is escaped by whoever shows it.
 */
#ifndef AMGR_EVIDENCE_H
#define AMGR_EVIDENCE_H

#include "model/snapshot.h"
#include "proc/proc_socket.h"
#include "proc/proc_task.h"

#define AMGR_EVIDENCE_REQUESTS 16
#define AMGR_EVIDENCE_THREADS 16

/** How looking at the threads went. */
typedef enum amgr_evidence_access_e {
    AMGR_EVIDENCE_OK = 0,
    AMGR_EVIDENCE_DENIED, /**< no right to trace the process */
    AMGR_EVIDENCE_GONE,   /**< it had ended by itself */
    AMGR_EVIDENCE_FAILED, /**< another error */
    AMGR_EVIDENCE_ACCESS_COUNT
} amgr_evidence_access_e;

/** A request in flight, as its slot told. */
typedef struct amgr_evidence_request_t {
    apr_interval_time_t age_us; /**< AMGR_NO_TIME when not known */
    apr_int32_t process_slot;   /**< scoreboard's row */
    apr_int32_t thread;         /**< scoreboard's column */
    apr_int32_t mode;           /**< amgr_mode_e */
    apr_int32_t reserved;
    char client[AMGR_SLOT_CLIENT_LEN];
    char vhost[AMGR_SLOT_VHOST_LEN];
    char protocol[AMGR_SLOT_PROTOCOL_LEN];
    char request[AMGR_SLOT_REQUEST_LEN];
} amgr_evidence_request_t;

/** Threads that were found in one state: the same call on the same
 * descriptor.  Waits for private futexes are all alike, since that is what
 * the idle threads of a pool do. */
typedef struct amgr_evidence_thread_t {
    apr_int32_t tid;                   /**< the first of them */
    apr_int32_t count;                 /**< how many they are */
    apr_int32_t state;                 /**< amgr_task_state_e */
    apr_int32_t fd;                    /**< -1: none */
    char call[AMGR_SYSCALL_NAME_LEN];  /**< "recvfrom", "running" */
    char target[AMGR_PROC_TARGET_LEN]; /**< what it waits for; or empty */
    char wchan[AMGR_PROC_WCHAN_LEN];   /**< of the first; or empty */
} amgr_evidence_thread_t;

typedef struct amgr_evidence_t {
    apr_uint64_t serial; /**< the record's; 0: empty */
    apr_time_t time_us;  /**< wall */
    apr_interval_time_t took_us;
    apr_uint64_t rss_bytes;
    apr_uint64_t anon_bytes;
    apr_int32_t pid;
    apr_int32_t access;           /**< amgr_evidence_access_e */
    apr_int32_t threads;          /**< of the kernel; 0 is not known */
    apr_int32_t threads_unread;   /**< not looked at */
    apr_int32_t threads_left_out; /**< looked at, but no room for their state */
    apr_int32_t thread_count;     /**< of the entries below */
    apr_int32_t requests_left_out;
    apr_int32_t request_count;
    amgr_evidence_request_t requests[AMGR_EVIDENCE_REQUESTS];
    amgr_evidence_thread_t blocked[AMGR_EVIDENCE_THREADS];
} amgr_evidence_t;

/**
 * Look at the process of this index in @a snapshot, at most until
 * @a deadline_mono_us: what was not reached then is counted.  Requests and
 * memory are the snapshot's; the threads are those of now.  Reads nothing that
 * a stuck process can hold up.  A process that ends meanwhile, or that may not
 * be traced, leaves what was known until then.  @a out has no serial yet.
 * Runs in the process that ticks.
 */
void amgr_evidence_collect(amgr_proc_dir_t *proc,
                           const amgr_snapshot_t *snapshot, int process,
                           apr_time_t deadline_mono_us, amgr_evidence_t *out);

/** The two halves of it.  Memory and requests of the snapshot alone, which
 * replace those in @a out: reads no file. */
void amgr_evidence_take_requests(const amgr_snapshot_t *snapshot, int process,
                                 amgr_evidence_t *out);

/** What the threads of the process @a id are blocked on now. */
void amgr_evidence_take_threads(amgr_proc_dir_t *proc, const amgr_proc_id_t *id,
                                apr_time_t deadline_mono_us,
                                amgr_evidence_t *out);

/** End every string and bound every count of one that was read from shared
 * memory. */
void amgr_evidence_mend(amgr_evidence_t *evidence);

/** "ok", "denied", "gone", "failed". */
const char *amgr_evidence_access_word(int access);

#endif
