/* SPDX-License-Identifier: Apache-2.0
 *
 * See order_proof.h.
 */
#include "httpd/order_proof.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include <apr_general.h>
#include <http_protocol.h>

#include "base/origin.h"
#include "httpd/control_setting.h"
#include "httpd/handler_place.h"
#include "httpd/log.h"

#define TOKEN_BYTES 16

/** In hexadecimal digits; empty: there is none.  The parent's is every
 * child's. */
static char current[TOKEN_BYTES * 2 + 1];

void amgr_order_proof_renew(server_rec *s)
{
    unsigned char bytes[TOKEN_BYTES];
    apr_status_t status = apr_generate_random_bytes(bytes, sizeof(bytes));
    apr_size_t i;

    current[0] = '\0';
    if (status != APR_SUCCESS) {
        amgr_log(s, AMGR_TAG_ORDER_REFUSED, APLOG_WARNING, status,
                 "no random bytes for a token: orders over HTTP are taken "
                 "from pages of this site alone");
        return;
    }
    for (i = 0; i < sizeof(bytes); i++) {
        snprintf(current + 2 * i, 3, "%02x", bytes[i]);
    }
}

/** Whether @a name is one that the server which serves @a r is configured
 * with. */
static int is_configured(const request_rec *r, const char *name)
{
    const server_rec *s = r->server;
    int i;

    if (s->server_hostname != NULL &&
        strcasecmp(name, s->server_hostname) == 0) {
        return 1;
    }
    for (i = 0; s->names != NULL && i < s->names->nelts; i++) {
        const char *alias = APR_ARRAY_IDX(s->names, i, const char *);

        if (alias != NULL && strcasecmp(name, alias) == 0) {
            return 1;
        }
    }
    for (i = 0; s->wild_names != NULL && i < s->wild_names->nelts; i++) {
        const char *alias = APR_ARRAY_IDX(s->wild_names, i, const char *);

        if (alias != NULL && ap_strcasecmp_match(name, alias) == 0) {
            return 1;
        }
    }
    return 0;
}

/**
 * Whether the Host is a name that is known to lead here.  A site elsewhere can
 * let its own name lead to this server's address, and its page, which the
 * browser takes for one of the same origin, would then read and order what it
 * likes; it cannot do so with an address in numbers, or with a name of ours.
 */
static int is_own_host(const request_rec *r)
{
    char buf[AMGR_HOST_LEN];
    const char *name =
        amgr_host_name(apr_table_get(r->headers_in, "Host"), buf);

    return name != NULL &&
           (amgr_host_is_address(name) || strcmp(name, "localhost") == 0 ||
            is_configured(r, name));
}

/** Why no order can be given by an answer to this request; NULL: one can. */
static const char *find_obstacle(request_rec *r)
{
    amgr_handler_place_t place;

    if (amgr_control_of(r) != AMGR_CONTROL_ON) {
        return "ManagerControl is Off";
    }
    if (current[0] == '\0') {
        return "the server had no random bytes for a token";
    }
    amgr_handler_place_find(r, &place);
    if (!place.is_known) {
        return AMGR_HANDLER_PLACE_UNKNOWN;
    }
    return is_own_host(r) ? NULL
                          : "the name that this page was asked for by is "
                            "neither a ServerName nor a ServerAlias of this "
                            "server";
}

const char *amgr_order_proof_token(request_rec *r, const char **out_why)
{
    *out_why = find_obstacle(r);
    return *out_why == NULL ? current : NULL;
}

/** @a why, unless the Host is the true reason: whoever asks for the token by a
 * name that is not ours was told none, and sends what he has made of that. */
static const char *refusal(const request_rec *r, const char *why)
{
    return is_own_host(r)
               ? why
               : "its Host is neither a ServerName nor a ServerAlias of this "
                 "server, nor an address, nor localhost: no token is told "
                 "there, and no page of there may order";
}

static int judge_origin(request_rec *r)
{
    amgr_origin_claims_t claims;

    claims.scheme = ap_http_scheme(r);
    claims.host = apr_table_get(r->headers_in, "Host");
    claims.origin = apr_table_get(r->headers_in, "Origin");
    claims.fetch_site = apr_table_get(r->headers_in, "Sec-Fetch-Site");
    claims.referer = apr_table_get(r->headers_in, "Referer");
    return amgr_origin_judge(&claims);
}

const char *amgr_order_proof_check(request_rec *r,
                                   const amgr_order_token_t *token)
{
    const char *header = apr_table_get(r->headers_in, "X-Manager-Token");
    int origin = judge_origin(r);

    if (origin == AMGR_ORIGIN_OTHER) {
        return "it comes from another site, as its Origin or Sec-Fetch-Site "
               "says";
    }
    if ((header != NULL &&
         !amgr_secret_equal(header, strlen(header), current)) ||
        (token->text != NULL &&
         !amgr_secret_equal(token->text, token->len, current))) {
        return refusal(r, "its token is not this server's, which changes with "
                          "each start and restart");
    }
    if (header != NULL || token->text != NULL) {
        return NULL;
    }
    if (origin == AMGR_ORIGIN_SAME) {
        return refusal(r, NULL);
    }
    /* Its clients send nothing of what a browser sends. */
    if (origin == AMGR_ORIGIN_SILENT &&
        amgr_control_of(r) == AMGR_CONTROL_PYMANAGER) {
        return NULL;
    }
    return refusal(r, "nothing proves where it comes from: it needs the token "
                      "that GET tells, or the Origin of this server");
}
