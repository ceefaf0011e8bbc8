/* SPDX-License-Identifier: Apache-2.0
 *
 * What is true at one instant: the server, its processes, their slots and
 * groups.  Plain numbers and bounded strings without pointers in the parts
 * that are published, so that they can live in shared memory as they are.
 *
 * Invariants: processes are ordered by pid; the slots of a process stand
 * together, in scoreboard order.  Text comes from the scoreboard and may hold
 * any bytes; it is always NUL-terminated.
 */
#ifndef AMGR_SNAPSHOT_H
#define AMGR_SNAPSHOT_H

#include "base/clock.h"
#include "proc/proc.h"

#define AMGR_GROUPS_NAMED 64      /**< groups that are told apart */
#define AMGR_GROUPS_MAX 65        /**< and one for all that are left */
#define AMGR_GROUPS_WSGI 60       /**< of the named; the rest are native,
                                       daemon, helper and program */
#define AMGR_GROUP_NAME_LEN 64    /**< bytes with the NUL */
#define AMGR_SLOT_CLIENT_LEN 64   /**< as in httpd's scoreboard.h */
#define AMGR_SLOT_REQUEST_LEN 64
#define AMGR_SLOT_VHOST_LEN 32
#define AMGR_SLOT_PROTOCOL_LEN 16
#define AMGR_GROWTH_UNKNOWN APR_INT64_MIN

/** Scoreboard modes, in the order of httpd's SERVER_* constants. */
typedef enum amgr_mode_e {
    AMGR_MODE_DEAD = 0,
    AMGR_MODE_STARTING,
    AMGR_MODE_READY,
    AMGR_MODE_READ,
    AMGR_MODE_WRITE,
    AMGR_MODE_KEEPALIVE,
    AMGR_MODE_LOG,
    AMGR_MODE_DNS,
    AMGR_MODE_CLOSING,
    AMGR_MODE_GRACEFUL,
    AMGR_MODE_IDLE_KILL,
    AMGR_MODE_COUNT
} amgr_mode_e;

/** One worker: a slot of the scoreboard. */
typedef struct amgr_slot_t {
    apr_time_t start_time_us; /**< wall; of the request that runs or ran last */
    apr_time_t stop_time_us;  /**< wall; end of the last finished request */
    apr_time_t last_used_us;  /**< wall */
    apr_interval_time_t duration_us;  /**< of all requests, slot's lifetime */
    apr_interval_time_t request_age_us; /**< verdict's age or AMGR_NO_TIME */
    apr_uint64_t accesses;        /**< slot's lifetime */
    apr_uint64_t bytes;
    apr_uint64_t child_accesses;  /**< this process's */
    apr_uint64_t child_bytes;
    apr_uint64_t conn_bytes;
    apr_uint64_t cpu_ticks;       /**< user + system, with its children's */
    apr_uint32_t conn_count;
    apr_int32_t process_slot;     /**< scoreboard's row */
    apr_int32_t thread;           /**< scoreboard's column */
    apr_int32_t mode;             /**< amgr_mode_e */
    char client[AMGR_SLOT_CLIENT_LEN];
    char request[AMGR_SLOT_REQUEST_LEN];
    char vhost[AMGR_SLOT_VHOST_LEN];
    char protocol[AMGR_SLOT_PROTOCOL_LEN];
    apr_interval_time_t max_time_us; /**< the limit of its running request;
                                          AMGR_LIMIT_OFF: none */
    apr_uint32_t restamp; /**< another one: the request's time began anew */
    apr_int32_t paused;   /**< its time stands still: the client is at work */
    apr_int32_t endless;  /**< exempt: upgraded, or a stream of events */
    apr_int32_t streams;  /**< requests of HTTP/2 noted on its connection */
} amgr_slot_t;

/**
 * A request of HTTP/2 that runs.  Many share the slot of one connection, and
 * the scoreboard times none of them.
 */
typedef struct amgr_stream_t {
    apr_time_t start_time_us; /**< wall, as the child noted it */
    apr_interval_time_t max_time_us;    /**< as a slot's, and so on */
    apr_interval_time_t request_age_us; /**< verdict's age or AMGR_NO_TIME */
    apr_int32_t slot;   /**< its connection's, index into the slots */
    apr_int32_t column; /**< its column in the ledger, after the threads' */
    apr_uint32_t restamp;
    apr_int32_t paused;
    apr_int32_t endless;
    apr_int32_t reserved;
} amgr_stream_t;

typedef enum amgr_kind_e {
    AMGR_KIND_NATIVE = 0, /**< a child of the MPM: owns a row of slots */
    AMGR_KIND_FOREIGN,    /**< any other direct child of the parent */
    AMGR_KIND_COUNT
} amgr_kind_e;

/** What a foreign process is; decides whether it may ever be retired. */
typedef enum amgr_role_e {
    AMGR_ROLE_WORKER = 0, /**< native */
    AMGR_ROLE_WSGI,       /**< daemon of a configured WSGI group */
    AMGR_ROLE_DAEMON,     /**< other fork of httpd: cgid, fcgid's manager */
    AMGR_ROLE_HELPER,     /**< this module's own */
    AMGR_ROLE_PROGRAM,    /**< called exec: piped loggers */
    AMGR_ROLE_OTHER,      /**< of a group, whose processes have others; and of
                               what may be a worker that nobody has heard of,
                               which is never judged */
    AMGR_ROLE_COUNT
} amgr_role_e;

typedef enum amgr_state_e {
    AMGR_STATE_SERVING = 0,
    AMGR_STATE_RETIRING, /**< this module told it to go, it is not gone yet */
    AMGR_STATE_STOPPING, /**< leaving for a reason of httpd's */
    AMGR_STATE_COUNT
} amgr_state_e;

/** What policy says of a process at this tick; words in model/words.c. */
typedef enum amgr_verdict_e {
    AMGR_VERDICT_UNKNOWN = 0,  /**< not judged yet, or nothing to judge by */
    AMGR_VERDICT_EXEMPT,       /**< never judged: daemon, helper, program */
    AMGR_VERDICT_OK,
    AMGR_VERDICT_MEMORY_ACTIVE, /**< over its limit, see the cause */
    AMGR_VERDICT_MEMORY_IDLE,
    AMGR_VERDICT_TIME,
    AMGR_VERDICT_MEMORY_HARD,   /**< over the limit that waits for nothing */
    AMGR_VERDICT_MEMORY_TOTAL,  /**< chosen, since all together are over */
    AMGR_VERDICT_REQUESTS,      /**< has finished as many as it shall */
    AMGR_VERDICT_LIFETIME,      /**< has lived as long as it shall */
    AMGR_VERDICT_GENERATION,    /**< outlived a graceful restart too long */
    AMGR_VERDICT_REQUESTED,    /**< another module wants it to go */
    AMGR_VERDICT_COUNT
} amgr_verdict_e;

/** Why a process over its limit is left alone at this tick. */
typedef enum amgr_cause_e {
    AMGR_CAUSE_NONE = 0,     /**< it is not left alone, or not over a limit */
    AMGR_CAUSE_DRY_RUN,
    AMGR_CAUSE_INERT,        /**< the limit is below a fresh child's size */
    AMGR_CAUSE_MIN_AGE,
    AMGR_CAUSE_STRIKES,
    AMGR_CAUSE_STORM,
    AMGR_CAUSE_MAX_RETIRING,
    AMGR_CAUSE_MIN_SERVING,
    AMGR_CAUSE_NO_RIGHTS,    /**< this process may not signal it */
    AMGR_CAUSE_VETO,         /**< another module does not want it */
    AMGR_CAUSE_COUNT
} amgr_cause_e;

/** A direct child of the httpd parent. */
typedef struct amgr_process_t {
    amgr_proc_id_t id;
    apr_int32_t kind;         /**< amgr_kind_e */
    apr_int32_t role;         /**< amgr_role_e */
    apr_int32_t state;        /**< amgr_state_e */
    apr_int32_t group;        /**< index into the snapshot's groups */
    apr_int32_t process_slot; /**< scoreboard's row, -1: none (or lost) */
    apr_int32_t generation;   /**< -1 for foreign ones */
    apr_int32_t active;       /**< any slot busy; 1 when it has none to ask */
    apr_int32_t threads;      /**< of the kernel; 0 is not known */
    apr_int32_t first_slot;   /**< index into the snapshot's slots */
    apr_int32_t slot_count;
    apr_int32_t verdict;      /**< amgr_verdict_e */
    apr_int32_t cause;        /**< amgr_cause_e */
    apr_time_t started_us;    /**< wall, by the kernel's start time */
    apr_interval_time_t age_us; /**< AMGR_NO_TIME when not known */
    apr_uint64_t rss_bytes;   /**< this and the next three: AMGR_UNKNOWN */
    apr_uint64_t anon_bytes;  /**< anonymous + swap */
    apr_uint64_t pss_bytes;
    apr_uint64_t uss_bytes;
    apr_uint64_t accesses;    /**< requests it has finished; 0 for foreign */
    apr_int32_t section;      /**< index + 1 of its own limits, 0: none */
    apr_int32_t wished;       /**< another module wants it to be retired */
    apr_int32_t first_stream; /**< index into the snapshot's streams */
    apr_int32_t stream_count;
    apr_int64_t growth_bytes_per_hour; /**< of its resident size of late, may
                                            be negative; AMGR_GROWTH_UNKNOWN */
    apr_int32_t busy_slots;   /**< not idle now; -1: not counted */
    apr_int32_t columns;      /**< of its row that are its own, also where its
                                   slots are not; 0: as many as all have */
} amgr_process_t;

/** Statistics over the resident sizes of a group's processes. */
typedef struct amgr_stats_t {
    apr_uint64_t count; /**< processes, those without a known size too */
    apr_uint64_t known; /**< those with a known size; the rest is over them */
    apr_uint64_t sum;
    apr_uint64_t min;
    apr_uint64_t max;
    double average;
    double median;      /**< mean of the two middle ones for an even count */
} amgr_stats_t;

typedef struct amgr_group_t {
    char name[AMGR_GROUP_NAME_LEN];
    apr_int32_t kind; /**< amgr_kind_e */
    apr_int32_t role; /**< amgr_role_e */
    apr_int32_t inert; /**< its memory limit is below a fresh child's size */
    apr_int32_t section; /**< index + 1 of its own limits, 0: none */
    apr_uint64_t fresh_bytes; /**< size of a fresh child, AMGR_UNKNOWN */
    amgr_stats_t rss;
} amgr_group_t;

/** Connections that the MPM counts itself; all 0 where it does not. */
typedef struct amgr_connections_t {
    apr_uint64_t total;
    apr_uint64_t wait_io;    /**< this and the next three hold no worker */
    apr_uint64_t writing;
    apr_uint64_t keep_alive;
    apr_uint64_t closing;
} amgr_connections_t;

/** CPU time in seconds: of processes themselves, and of those that they have
 * waited for. */
typedef struct amgr_cpu_times_t {
    double user;
    double system;
    double children_user;
    double children_system;
} amgr_cpu_times_t;

/** The server as a whole, with mod_status's meaning of each figure. */
typedef struct amgr_server_t {
    char version[64];
    char mpm[16];
    amgr_instant_t time;          /**< when the slots were copied */
    apr_time_t started_us;        /**< wall: restart time, as mod_status */
    apr_interval_time_t uptime_us;
    apr_int32_t generation;
    apr_int32_t extended;         /**< ExtendedStatus is on */
    apr_int32_t threaded;         /**< workers are threads of a process */
    apr_int32_t async;            /**< connections may wait without a worker */
    apr_int32_t busy_workers;
    apr_int32_t graceful_workers;
    apr_int32_t idle_workers;
    apr_int32_t max_workers;      /**< slots that can be used at once */
    apr_int32_t max_processes;    /**< processes the MPM may run at once */
    apr_int32_t threads_per_process;
    apr_int32_t min_spare_workers; /**< idle ones that the MPM keeps ready */
    apr_uint64_t total_accesses;
    apr_uint64_t total_bytes;
    apr_interval_time_t total_duration_us;
    double cpu_seconds;           /**< of parent and children, all modes */
    double cpu_load;              /**< percent of one core since the start */
    double requests_per_second;   /**< since the start; < 0 is not known */
    double bytes_per_second;
    double bytes_per_request;
    apr_uint64_t memory_capacity_bytes; /**< AMGR_UNKNOWN; what it may have */
    apr_uint64_t worker_anon_bytes; /**< AMGR_UNKNOWN; of all the total is of */
    apr_uint64_t machine_bytes;     /**< this and the next three: of the whole
                                         machine, and of the closest cgroup
                                         with a limit; AMGR_UNKNOWN */
    apr_uint64_t machine_available_bytes; /**< for new programs, MemAvailable */
    apr_uint64_t cgroup_limit_bytes;
    apr_uint64_t cgroup_used_bytes;
    apr_int32_t cgroup_limited;     /**< a cgroup allows less than there is */
    apr_int32_t lone_buckets;       /**< of listening sockets, when the MPM
                                         sees to the idle of all together only;
                                         row modulo this is a process's */
    apr_int32_t config_generation;  /**< how often the configuration was read */
    apr_int32_t row_count;          /**< rows of the scoreboard with a process,
                                         and of those the stopping ones */
    apr_int32_t stopping_rows;
    apr_int32_t modes[AMGR_MODE_COUNT]; /**< how many slots are in each; DEAD:
                                             that may be used and are not */
    apr_int32_t reserved_modes;
    amgr_connections_t connections;
    amgr_cpu_times_t scoreboard_cpu; /**< as the scoreboard has it: mod_status's
                                          figures, which go back at times */
    double cpu_user_seconds;   /**< the same, with what foreign processes have
                                    used that are there */
    double cpu_system_seconds;
    apr_int32_t storm_open;    /**< the storm breaker is, as of the tick */
    apr_int32_t reserved_end;
} amgr_server_t;

/** The whole.  The arrays are the caller's storage. */
typedef struct amgr_snapshot_t {
    amgr_server_t server;
    amgr_group_t groups[AMGR_GROUPS_MAX];
    int group_count;
    amgr_process_t *processes;
    int process_count;
    int process_max;
    amgr_slot_t *slots;
    int slot_count;
    int slot_max;
    int incomplete;   /**< something could not be collected at this tick */
    int hanging;      /**< slots whose request is older than the threshold;
                           -1: not known, without ExtendedStatus */
    amgr_stream_t *streams; /**< of the tick alone: never published */
    int stream_count;
    int stream_max;
    int out_of_turn;  /**< the tick came by somebody's order, between two that
                           were due: strikes count those alone */
} amgr_snapshot_t;

/** Idle in the sense of the Python tool: modes `_`, `I` and `.`. */
int amgr_mode_is_idle(int mode);

/**
 * Whether a request is in flight: R, W, L and D; and G when one has begun and
 * not ended.  Prefork's parent marks every child so at a graceful restart, and
 * event every slot of a process that stops, whatever they do; on worker a
 * thread marks itself so once it has finished.
 */
int amgr_slot_is_request(const amgr_slot_t *slot);

/** mod_status's letter of a mode; `?` for a value that is none. */
char amgr_mode_letter(int mode);

/**
 * Whether the slot runs a request whose age can be told: mode W, L or D, begun
 * after the last one ended and not before its process (@a started_us).
 */
int amgr_slot_is_timed(const amgr_slot_t *slot, apr_time_t started_us);

/** Empty the snapshot, keeping its storage. */
void amgr_snapshot_clear(amgr_snapshot_t *snapshot);

/** Make it a process of which nothing is known: native, without a row. */
void amgr_process_blank(amgr_process_t *process);

/** The process with this pid, or NULL (binary search). */
amgr_process_t *amgr_snapshot_find(const amgr_snapshot_t *snapshot, pid_t pid);

/**
 * The index of the group of this name and role, added when new: a WSGI group
 * that is called "native" stays apart from the workers.  With all names given
 * away it is that of amgr_snapshot_other_group().
 */
int amgr_snapshot_group(amgr_snapshot_t *snapshot, const char *name, int kind,
                        int role);

/**
 * The index of the group for whatever has no group of its own, added when new:
 * "other", of AMGR_ROLE_OTHER.  Its processes keep their own roles, by which
 * they are judged.
 */
int amgr_snapshot_other_group(amgr_snapshot_t *snapshot);

/**
 * Fill in what follows from the rest: activity of each process, sum of its
 * requests, statistics of each group.  @a scratch has room for process_count
 * numbers.
 */
void amgr_snapshot_complete(amgr_snapshot_t *snapshot, apr_uint64_t *scratch);

/** Count, sum, min, max, average and median; sorts @a values. */
void amgr_stats_compute(amgr_stats_t *out, apr_uint64_t *values,
                        apr_size_t count);

#endif
