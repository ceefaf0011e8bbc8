/* SPDX-License-Identifier: Apache-2.0
 *
 * Who ordered what over HTTP: one line of the error log for each order, heeded
 * or not, before anything comes of it.
 */
#ifndef AMGR_ORDER_AUDIT_H
#define AMGR_ORDER_AUDIT_H

#include <httpd.h>

/** What was ordered; any text but the verb may be the client's. */
typedef struct amgr_order_words_t {
    const char *verb;
    const char *name; /**< NULL: all of them */
} amgr_order_words_t;

/** One that may be given, before it is. */
void amgr_order_audit(const request_rec *r, const amgr_order_words_t *words);

/** One that was waited for, and what has come of it by now. */
void amgr_order_audit_outcome(const request_rec *r,
                              const amgr_order_words_t *words, int status,
                              const char *outcome);

/** One that was not, and why not: a clause without full stop. */
void amgr_order_audit_refusal(const request_rec *r,
                              const amgr_order_words_t *words, int status,
                              const char *why);

#endif
