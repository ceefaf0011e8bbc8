/* SPDX-License-Identifier: Apache-2.0
 *
 * The two lines of an order (order_socket.h tells them): what the supervisor
 * reads and writes.  Pure.
 */
#ifndef AMGR_ORDER_LINE_H
#define AMGR_ORDER_LINE_H

#include "base/sink.h"
#include "model/managed.h"

/** The longest that a process is waited for. */
#define AMGR_ORDER_WAIT_MAX_MS 600000

/** The longest line of a request, and of an answer, with its end. */
#define AMGR_ORDER_LINE_MAX 512
#define AMGR_ORDER_ANSWER_MAX 4096

/** The verb beside those of amgr_verb_e: all, for good. */
#define AMGR_ORDER_SHUTDOWN (-1)

typedef struct amgr_order_t {
    int verb; /**< amgr_verb_e, or AMGR_ORDER_SHUTDOWN */
    char name[AMGR_MANAGED_NAME_LEN]; /**< empty: by its id */
    int id;                           /**< 0: by its name */
    int wait_ms;
} amgr_order_t;

/** Read a line without its end, strictly.  NULL, or what is wrong with it, in
 * @a buf where it takes a buffer. */
const char *amgr_order_read(const char *line, apr_size_t len, amgr_order_t *out,
                            char *buf, apr_size_t size);

/** "shutdown" too. */
const char *amgr_order_word(int verb);

/** Write the answer of an order that was obeyed, with its newline; @a process
 * is NULL for shutdown. */
void amgr_order_tell(const amgr_managed_t *process, int already, int settled,
                     amgr_sink_t *sink);

/** Write the answer of one that was not; @a status as in HTTP. */
void amgr_order_refuse(int status, const char *why, amgr_sink_t *sink);

#endif
