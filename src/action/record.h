/* SPDX-License-Identifier: Apache-2.0
 *
 * The record of one retirement: whom, why, with what figures, how it ended.
 * Written at the moment of the decision and completed later; plain numbers and
 * bounded strings, published in shared memory as it is.
 */
#ifndef AMGR_RECORD_H
#define AMGR_RECORD_H

#include "base/sink.h"
#include "policy/judge.h"

/** Room for its line, which is cut there: httpd cuts lines of its log too. */
#define AMGR_RECORD_LINE_LEN 900

/** What was done to the process. */
typedef enum amgr_action_e {
    AMGR_ACTION_NONE = 0, /**< dry run */
    AMGR_ACTION_ANNOUNCE, /**< its clients are asked to connect anew */
    AMGR_ACTION_ASK,      /**< to take no connection, finish and go */
    AMGR_ACTION_KILL,     /**< SIGKILL */
    AMGR_ACTION_COUNT
} amgr_action_e;

typedef enum amgr_outcome_e {
    AMGR_OUTCOME_PENDING = 0, /**< signalled, not gone yet */
    AMGR_OUTCOME_GONE,        /**< the process ended */
    AMGR_OUTCOME_VANISHED,    /**< it had ended before the signal */
    AMGR_OUTCOME_FAILED,      /**< the signal could not be sent */
    AMGR_OUTCOME_DRY_RUN,     /**< nothing was sent */
    AMGR_OUTCOME_COUNT
} amgr_outcome_e;

/** Why a worker of a threaded MPM cannot be asked; its own words. */
typedef enum amgr_ask_fault_e {
    AMGR_ASK_FINE = 0,
    AMGR_ASK_NO_PIPE, /**< the MPM's pipe of death is not what we know */
    AMGR_ASK_FAILED,  /**< no descriptor was to be had */
    AMGR_ASK_FAULT_COUNT
} amgr_ask_fault_e;

/** Whether the server has again what it lost. */
typedef enum amgr_replacement_e {
    AMGR_REPLACEMENT_NONE = 0, /**< nobody went */
    AMGR_REPLACEMENT_WAITING,
    AMGR_REPLACEMENT_READY,   /**< as many workers are idle as there must be */
    AMGR_REPLACEMENT_SERVING, /**< a younger process serves */
    AMGR_REPLACEMENT_NOT_FORKED, /**< the MPM had the time and did not fork */
    AMGR_REPLACEMENT_COUNT
} amgr_replacement_e;

typedef struct amgr_record_t {
    apr_uint64_t serial;          /**< 1 for the server's first; 0: empty */
    apr_time_t time_us;           /**< wall, of the decision */
    apr_time_t decided_mono_us;   /**< the same instant, for time spans */
    apr_interval_time_t ended_us; /**< decision to outcome, or AMGR_NO_TIME */
    amgr_proc_id_t id;
    apr_uint64_t measured; /**< bytes, microseconds or requests */
    apr_uint64_t limit;
    apr_uint64_t rss_bytes;
    apr_uint64_t freed_bytes; /**< that came back with its end: anonymous
                                       memory when it was last seen, or all,
                                       or AMGR_UNKNOWN */
    apr_interval_time_t announced_us; /**< decision to step, AMGR_NO_TIME */
    apr_interval_time_t asked_us;     /**< the first time */
    apr_interval_time_t killed_us;
    apr_interval_time_t replaced_us; /**< decision to replacement known */
    apr_int32_t kind;
    apr_int32_t role;
    apr_int32_t process_slot;
    apr_int32_t generation;
    apr_int32_t active;
    apr_int32_t verdict;          /**< amgr_verdict_e: the reason */
    apr_int32_t metric;           /**< amgr_metric_e of a memory reason */
    apr_int32_t action;           /**< amgr_action_e */
    apr_int32_t outcome;          /**< amgr_outcome_e */
    apr_int32_t requests;         /**< in flight at the decision, -1: unknown */
    apr_int32_t requests_lost;    /**< in flight at the SIGKILL, -1: unknown */
    apr_int32_t ask_fault;        /**< amgr_ask_fault_e */
    apr_int32_t replacement;      /**< amgr_replacement_e */
    apr_int32_t stuck;            /**< it outlived its SIGKILL */
    apr_interval_time_t since_us; /**< of the deciding or last request */
    char group[AMGR_GROUP_NAME_LEN];
    char request[AMGR_SLOT_REQUEST_LEN]; /**< raw; empty: unknown */
    char vhost[AMGR_SLOT_VHOST_LEN];
    apr_int32_t demanded;         /**< by somebody's order, see demand.h */
    apr_int32_t reserved;
} amgr_record_t;

/**
 * Fill in a record of @a decision, everything but its serial; nothing is done
 * yet (pending).
 * Its request is the deciding slot's; where memory decided, the longest one
 * running in an active process, else the one that ended last.
 */
void amgr_record_fill(amgr_record_t *record, const amgr_snapshot_t *snapshot,
                      const amgr_decision_t *decision,
                      const amgr_limits_t *limits);

/** Note what the process holds now, which comes back when it goes. */
void amgr_record_note_memory(amgr_record_t *record,
                             const amgr_process_t *process);

/**
 * The log line of a record, without newline, in the Python tool's words
 * followed by measured value, limit and action:
 *
 *   Killing native worker 12 (idle) using 12.05 MB (GET /a HTTP/1.1): rss
 *   12050432 bytes over ManagerMaxMemoryIdle 1024 bytes, SIGKILL
 *   Killing native worker 13 (active) hanging for 4 seconds since last request
 *   (GET /b HTTP/1.1): ...
 *   Killing WSGI worker 9 (example) using 13.03 MB (last request unknown): ...
 *   Would kill ...                                          (dry run)
 *
 * The figure after "using" is the measured one, whatever the metric; a time
 * reason reads "request age 4.2s over ManagerMaxTime 2s".  Other reasons:
 *
 *   ... having served 10012 requests (...): requests 10012 over
 *   ManagerMaxRequests 9800
 *   ... having lived for 2 hours (...): age 7201s over ManagerMaxLifetime 7034s
 *   ... outliving its generation for 5 minutes (...): outdated 301s over
 *   ManagerMaxGenerationAge 5m
 *   ... using 281.54 MB (...): anon of all 4294967296 bytes over
 *   ManagerMaxMemoryTotal 4000000000 bytes
 *
 * What was ordered names the option of the command line in the place of the
 * directive: "over --max-memory-idle 1024 bytes".
 *
 * The action is one of "announced", "asked to finish", "SIGKILL", "signal
 * failed", "already gone", "nothing sent".
 *
 * Untrusted text is escaped to one line; @a show is amgr_show_requests_e.
 */
void amgr_record_format(const amgr_record_t *record, int show,
                        amgr_sink_t *sink);

/**
 * The log line of its end, without newline:
 *
 *   native worker 12 (idle) is gone after 2.4s: drained, 12.05 MB freed
 *   native worker 13 (active) is gone after 31s: SIGKILL after 30s cut off 2
 *   requests, 80 MB freed
 */
void amgr_record_format_end(const amgr_record_t *record, amgr_sink_t *sink);

const char *amgr_ask_fault_word(int fault);
const char *amgr_replacement_word(int replacement);
const char *amgr_action_word(int action);
const char *amgr_outcome_word(int outcome);

#endif
