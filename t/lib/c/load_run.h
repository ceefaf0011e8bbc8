/* SPDX-License-Identifier: Apache-2.0
 *
 * The load itself: its connections, and what becomes of each request.
 */
#ifndef AMGR_LOAD_RUN_H
#define AMGR_LOAD_RUN_H

#include "load_stats.h"

#include <openssl/ssl.h>
#include <stdint.h>

enum { LOAD_CONNECTIONS = 1024 };

typedef enum load_mode_e {
    LOAD_MODE_KEEP = 0, /**< asks again as soon as it is answered */
    LOAD_MODE_THINK,    /**< asks again after a pause */
    LOAD_MODE_FRESH,    /**< a connection for each request */
    LOAD_MODE_COUNT
} load_mode_e;

typedef struct load_plan_t {
    uint16_t port;
    SSL_CTX *tls;        /**< NULL: plain */
    uint64_t timeout_us; /**< of a request, a retry included */
    uint64_t think_us;
    uint64_t most_requests; /**< 0: no end */
    uint64_t most_us;       /**< 0: no end */
    uint64_t random;        /**< any number but 0; the same gives the same */
    uint64_t weights;       /**< the sum of those of the paths */
    uint64_t conns[LOAD_MODE_COUNT];
    load_stats_t stats; /**< with its paths filled in */
} load_plan_t;

/**
 * Run the plan to its end.  Prints a report when it begins to listen to
 * signals, one for each SIGUSR1 and the last one.
 */
void load_run(load_plan_t *plan);

/** Say what is wrong and exit with status 2. */
__attribute__((noreturn, format(printf, 1, 2))) void
load_die(const char *format, ...);

#endif
