/* SPDX-License-Identifier: Apache-2.0
 *
 * What a load has met with so far, and its report: one line of JSON.  Bounded
 * memory, however long it runs.
 */
#ifndef AMGR_LOAD_STATS_H
#define AMGR_LOAD_STATS_H

#include <stdint.h>
#include <stdio.h>

enum {
    LOAD_PATHS = 32,
    LOAD_FAILURES = 20,      /**< described; all are counted */
    LOAD_FINE_BITS = 6,      /**< latencies are kept to one part in 64 */
    LOAD_LATENCIES = 64 * 40 /**< up to 2^40 us */
};

/** Failures that a client cannot heal by asking again. */
typedef enum load_hard_e {
    LOAD_HARD_CONNECT = 0, /**< no connection: refused, reset */
    LOAD_HARD_TLS,         /**< no keys were agreed on */
    LOAD_HARD_RESET,       /**< a fresh connection, before a byte of answer */
    LOAD_HARD_EOF,         /**< closed there instead of reset */
    LOAD_HARD_TRUNCATED,   /**< closed or reset in the middle of an answer */
    LOAD_HARD_STATUS,      /**< a whole answer that is not 200 */
    LOAD_HARD_FRAMING,     /**< bytes that are no HTTP/1.1 answer */
    LOAD_HARD_BODY,        /**< a whole answer with a wrong body */
    LOAD_HARD_TIMEOUT,
    LOAD_HARD_COUNT
} load_hard_e;

typedef struct load_failure_t {
    load_hard_e kind;
    int path;
    int status;
    int error;          /**< errno or 0 */
    int is_retry;       /**< after a stale connection */
    uint64_t bytes;     /**< of the answer that were there */
    uint64_t after;     /**< requests answered on the connection before */
    double time_sec;    /**< wall clock */
    const char *detail; /**< static text or NULL */
} load_failure_t;

typedef struct load_path_t {
    const char *path;
    uint64_t weight;
    int is_known; /**< body_bytes and crc are what must come */
    uint64_t body_bytes;
    uint32_t crc;
    uint64_t ok;
    uint64_t hard;
} load_path_t;

typedef struct load_stats_t {
    load_path_t path[LOAD_PATHS];
    int paths;
    uint64_t begun; /**< requests */
    uint64_t ok;
    uint64_t hard[LOAD_HARD_COUNT];
    uint64_t hard_total;
    uint64_t stale;       /**< a kept connection ended under a request */
    uint64_t idle_closed; /**< a kept connection ended between requests */
    uint64_t connections;
    uint64_t said_close; /**< answers that announced the end */
    uint64_t body_bytes;
    uint64_t max_us;
    uint64_t latency[LOAD_LATENCIES];
    load_failure_t failure[LOAD_FAILURES];
    int failures;
} load_stats_t;

/** An answer that was right, @a latency_us after it was first asked for. */
void load_stats_ok(load_stats_t *stats, int path, uint64_t latency_us);

/** A hard failure; the first ones are described in the report. */
void load_stats_hard(load_stats_t *stats, const load_failure_t *failure);

/** The report, one line, flushed. */
void load_stats_print(const load_stats_t *stats, double seconds, int is_final,
                      FILE *out);

#endif
