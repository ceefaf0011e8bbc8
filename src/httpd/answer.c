/* SPDX-License-Identifier: Apache-2.0
 *
 * See answer.h.
 */
#include "httpd/answer.h"

#include <apr_hash.h>
#include <http_config.h>
#include <http_core.h>
#include <http_protocol.h>

/* Each flush is a call of the kernel, which wakes the client up. */
#define SINK_SIZE 8192

/* For good, as far as a cache may take it. */
#define KEPT_SEC 31536000

/** Nothing inline, nothing from elsewhere, no framing. */
#define SECURITY_POLICY                                           \
    "default-src 'none'; script-src 'self'; style-src 'self'; "   \
    "img-src 'self' data:; connect-src 'self'; base-uri 'none'; " \
    "form-action 'self'; frame-ancestors 'none'"

int amgr_answer_is_whole(const request_rec *r)
{
    return r->main == NULL;
}

/** Until when an answer may be kept.  Where it is not said, mod_expires says it
 * in its own way, which contradicts ours. */
static void set_expiry(request_rec *r, int is_kept)
{
    char *date = apr_palloc(r->pool, APR_RFC822_DATE_LEN);

    apr_rfc822_date(
        date, is_kept ? r->request_time + apr_time_from_sec(KEPT_SEC) : 0);
    apr_table_setn(r->headers_out, "Expires", date);
}

/**
 * What is true now is not for later, nor is there anything to compare it with:
 * neither ETag nor Last-Modified.  All are sent whole, since parts of two
 * moments fit nowhere.
 */
static void set_caching(request_rec *r, int is_kept)
{
    apr_table_t *headers = r->headers_out;

    apr_table_setn(
        headers, "Cache-Control",
        is_kept ? "private, max-age=" APR_STRINGIFY(KEPT_SEC) ", immutable"
                : "no-store");
    set_expiry(r, is_kept);
    if (amgr_answer_is_whole(r)) {
        apr_table_unset(r->headers_in, "Range");
    }
    apr_table_setn(headers, "Accept-Ranges", "none");
}

static void set_policy(apr_table_t *headers)
{
    apr_table_setn(headers, "Content-Security-Policy", SECURITY_POLICY);
    apr_table_setn(headers, "Referrer-Policy", "same-origin");
}

void amgr_answer_set_headers(request_rec *r, const char *content_type,
                             int is_kept)
{
    apr_table_t *headers = r->headers_out;

    ap_set_content_type(r, content_type);
    /* What mod_mime makes of the ending of a sub-path. */
    r->content_encoding = NULL;
    r->content_languages = NULL;
    set_caching(r, is_kept);
    apr_table_setn(headers, "X-Content-Type-Options", "nosniff");
    set_policy(headers);
}

/** Whether the administrator has given a document for errors of this kind. */
static int has_document(const request_rec *r, int status)
{
    const core_dir_config *core = ap_get_core_module_config(r->per_dir_config);
    int index = ap_index_of_response(status);

    return core->response_code_exprs != NULL &&
           apr_hash_get(core->response_code_exprs, &index, sizeof(index)) !=
               NULL;
}

/* With an error httpd sends these alone. */
void amgr_answer_set_error_headers(request_rec *r, int status)
{
    apr_table_t *headers = r->err_headers_out;

    apr_table_setn(headers, "Cache-Control", "no-store");
    apr_table_setn(headers, "X-Content-Type-Options", "nosniff");
    if (!has_document(r, status)) {
        set_policy(headers);
    }
}

void amgr_answer_set_status(request_rec *r, int status)
{
    r->status = status;
    if (status == HTTP_SERVICE_UNAVAILABLE) {
        apr_table_setn(r->headers_out, "Retry-After", AMGR_RETRY_AFTER);
    }
}

static apr_status_t send_part(void *baton, const char *data, apr_size_t len)
{
    request_rec *r = baton;

    return ap_rwrite(data, (int)len, r) < 0 ? APR_EGENERAL : APR_SUCCESS;
}

void amgr_answer_open(request_rec *r, amgr_sink_t *sink)
{
    amgr_sink_init(sink, apr_palloc(r->pool, SINK_SIZE), SINK_SIZE, send_part,
                   r);
}
