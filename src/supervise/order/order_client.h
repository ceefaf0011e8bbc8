/* SPDX-License-Identifier: Apache-2.0
 *
 * Giving an order to the supervisor (order_socket.h tells the words): one
 * connection, one line each way, under a deadline.  For handlers in httpd's
 * children and for the command line tool.
 *
 * Allocates nothing and keeps nothing; any thread may call it, and waits.
 */
#ifndef AMGR_ORDER_CLIENT_H
#define AMGR_ORDER_CLIENT_H

#include "model/managed.h"
#include "supervise/order/order_line.h"

/** What is waited for beyond the order's own time. */
#define AMGR_ORDER_GRACE_US (3 * APR_USEC_PER_SEC)

/** What the supervisor answered.  Numbers are bounded, strings end; texts may
 * hold any character and are to be escaped where they are shown. */
typedef struct amgr_order_answer_t {
    int ok;          /**< obeyed; else status and error tell why not */
    int status;      /**< as in HTTP: 200, or 400, 403, 404, 503 */
    int settled;     /**< what was ordered is there, or cannot come any more */
    int state;       /**< amgr_managed_state_e after it; -1: none was told, as
                          for shutdown */
    char error[128]; /**< of one that was not obeyed */
    int already;     /**< it was so, or on its way, before the order */
    int id;          /**< of the process, from 1; 0: none was told */
    char name[AMGR_MANAGED_NAME_LEN];
    int want; /**< amgr_managed_want_e; -1: none was told */
    int ready;
    pid_t pid;       /**< 0: it does not run */
    int exit_code;   /**< of the last run; -1: none was told */
    int exit_signal; /**< of the last run; 0: none */
    char reason[AMGR_MANAGED_TEXT_LEN]; /**< why it is what it is, a clause;
                                             may be empty */
} amgr_order_answer_t;

/**
 * Order @a verb ("status", "start", "stop", "restart", "shutdown") of the
 * process @a name, or where @a name is NULL or empty of @a id; shutdown has
 * neither (NULL and 0).  @a wait_ms, from 0 to AMGR_ORDER_WAIT_MAX_MS: how long
 * the supervisor waits until it has settled; this takes AMGR_ORDER_GRACE_US
 * more at most.
 *
 * APR_SUCCESS: there is an answer, see its `ok`.  Else there is none: the errno
 * with which it could not be connected; APR_EMISMATCH, who listens is neither
 * root nor our own user; APR_TIMEUP, no answer in time, and APR_EGENERAL, hung
 * up on us or nonsense (the order may be carried out all the same); APR_EINVAL,
 * what cannot be asked, such as a name that no process can have.
 */
apr_status_t amgr_order_ask(const char *path, const char *verb,
                            const char *name, int id, int wait_ms,
                            amgr_order_answer_t *out);

/** The same of a supervisor that has to be user @a server's: for whoever has
 * the path from that user, who could name the socket of another one. */
apr_status_t amgr_order_ask_user(const char *path, uid_t server,
                                 const char *verb, const char *name, int id,
                                 int wait_ms, amgr_order_answer_t *out);

/** Read a line of an answer without its end; pure.  What is not known is passed
 * over.  APR_EGENERAL: not an answer. */
apr_status_t amgr_order_answer_parse(const char *line, apr_size_t len,
                                     amgr_order_answer_t *out);

#endif
