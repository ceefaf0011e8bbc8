/* SPDX-License-Identifier: Apache-2.0
 *
 * The body of an order: a form with a token, or nothing.
 */
#ifndef AMGR_ORDER_BODY_H
#define AMGR_ORDER_BODY_H

#include <httpd.h>

#include "httpd/order_proof.h"

/** Longer ones are refused. */
#define AMGR_ORDER_BODY_MAX 4096

/**
 * Read the body to its end and find the field "token" of a form in it; there
 * is none in a body that is no form.  OK, or the status to answer with:
 * HTTP_REQUEST_ENTITY_TOO_LARGE, and what httpd says of one that is malformed
 * or does not come.
 */
int amgr_order_body_read(request_rec *r, amgr_order_token_t *token);

/** Why it was not read, of such a status: a clause without full stop. */
const char *amgr_order_body_fault(int status);

#endif
