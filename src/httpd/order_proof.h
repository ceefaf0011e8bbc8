/* SPDX-License-Identifier: Apache-2.0
 *
 * Who may order something over HTTP, beyond what httpd's own Require says: a
 * page of another site must not give orders by way of an administrator's
 * browser.  A request proves itself by this server's token, or by coming from
 * a page of this very site.
 */
#ifndef AMGR_ORDER_PROOF_H
#define AMGR_ORDER_PROOF_H

#include <httpd.h>

/** A token a request brought, as a field of its body; NULL: none. */
typedef struct amgr_order_token_t {
    const char *text; /**< without a NUL behind it */
    apr_size_t len;
} amgr_order_token_t;

/** Parent, at each start and restart: make a token, which all children that
 * are forked from now on have; one of before is no good with them. */
void amgr_order_proof_renew(server_rec *s);

/** The token, for an answer to this request: where its section takes orders and
 * the place of the handler is known, and its Host is a name of this server, so
 * that no page of elsewhere can read it by a name that leads here for a moment.
 * Else NULL, and @a *out_why is a clause that says why not. */
const char *amgr_order_proof_token(request_rec *r, const char **out_why);

/** Whether this request may order something, by its headers and @a token: NULL,
 * or a sentence that says why not. */
const char *amgr_order_proof_check(request_rec *r,
                                   const amgr_order_token_t *token);

#endif
