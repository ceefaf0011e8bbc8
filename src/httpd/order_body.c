/* SPDX-License-Identifier: Apache-2.0
 *
 * See order_body.h.
 */
#include "httpd/order_body.h"

#include <http_protocol.h>

#include "base/fields.h"

#define FORM_TYPE "application/x-www-form-urlencoded"

static int is_form(const request_rec *r)
{
    const char *type = apr_table_get(r->headers_in, "Content-Type");
    apr_size_t len = strlen(FORM_TYPE);

    return type != NULL && ap_cstr_casecmpn(type, FORM_TYPE, len) == 0 &&
           (type[len] == '\0' || type[len] == ';' || type[len] == ' ');
}

int amgr_order_body_read(request_rec *r, amgr_order_token_t *token)
{
    char *body = apr_palloc(r->pool, AMGR_ORDER_BODY_MAX + 1);
    int status = ap_setup_client_block(r, REQUEST_CHUNKED_DECHUNK);
    apr_size_t used = 0;
    long got = 0;

    token->text = NULL;
    token->len = 0;
    if (status != OK || !ap_should_client_block(r)) {
        return status;
    }
    do {
        used += (apr_size_t)got;
        got =
            ap_get_client_block(r, body + used, AMGR_ORDER_BODY_MAX + 1 - used);
    } while (got > 0 && used + (apr_size_t)got <= AMGR_ORDER_BODY_MAX);
    if (got < 0) {
        return HTTP_BAD_REQUEST;
    }
    if (got > 0) {
        return HTTP_REQUEST_ENTITY_TOO_LARGE;
    }
    body[used] = '\0';
    if (is_form(r)) {
        amgr_fields_find(body, "token", &token->text, &token->len);
    }
    return OK;
}

const char *amgr_order_body_fault(int status)
{
    return status == HTTP_REQUEST_ENTITY_TOO_LARGE ? "its body is too long"
                                                   : "its body cannot be read";
}
