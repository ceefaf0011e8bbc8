/* SPDX-License-Identifier: Apache-2.0
 *
 * See status_lines.h.  While others write, the request has output filters that
 * are not the answer's: one, which takes whatever comes, and before it httpd's
 * own buffer for what handlers write, which keeps its place and its content
 * among the answer's.
 */
#include "httpd/status_lines.h"

#include <string.h>

#include <httpd.h>
#include <http_protocol.h>
#include <scoreboard.h>
#include <util_filter.h>

#include "httpd/status_section.h"
#include "render/auto_lines.h"

typedef struct catcher_t {
    amgr_auto_lines_t lines;
    ap_filter_t *answer; /**< the answer's own filters */
} catcher_t;

static ap_filter_rec_t *filter;

static apr_status_t take(amgr_auto_lines_t *lines, apr_bucket_brigade *bb)
{
    apr_status_t rv = APR_SUCCESS;
    apr_bucket *bucket;

    for (bucket = APR_BRIGADE_FIRST(bb);
         bucket != APR_BRIGADE_SENTINEL(bb) && rv == APR_SUCCESS;
         bucket = APR_BUCKET_NEXT(bucket)) {
        const char *data;
        apr_size_t len;

        /* Where the answer ends, and when it is sent, is not theirs to say. */
        if (APR_BUCKET_IS_METADATA(bucket)) {
            continue;
        }
        rv = apr_bucket_read(bucket, &data, &len, APR_BLOCK_READ);
        if (rv == APR_SUCCESS) {
            amgr_auto_lines_put(lines, data, len);
        }
    }
    return rv != APR_SUCCESS ? rv : lines->sink->status;
}

static apr_status_t catch_lines(ap_filter_t *f, apr_bucket_brigade *bb)
{
    catcher_t *catcher = f->ctx;
    ap_filter_t *theirs = f->r->output_filters;
    apr_status_t rv;

    /* A full sink writes to the answer. */
    f->r->output_filters = catcher->answer;
    rv = take(&catcher->lines, bb);
    catcher->answer = f->r->output_filters;
    f->r->output_filters = theirs;
    apr_brigade_cleanup(bb);
    return rv;
}

void amgr_status_lines_register(void)
{
    filter = ap_register_output_filter("AMGR_STATUS_LINES", catch_lines, NULL,
                                       AP_FTYPE_RESOURCE);
}

/** What one module has to say, with the end of its last line. */
static void run(request_rec *r, ap_HOOK_status_hook_t *hook, catcher_t *catcher)
{
    int flags = AP_STATUS_SHORT | (ap_extended_status ? AP_STATUS_EXTENDED : 0);

    (void)hook(r, flags); /* nobody has to add anything */
    ap_rflush(r);         /* what httpd's buffer has of it */
    amgr_auto_lines_finish(&catcher->lines);
    /* httpd notes the end of an answer wherever it comes by. */
    for (; r != NULL; r = r->prev) {
        r->eos_sent = 0;
    }
}

void amgr_status_lines_write(void *baton, amgr_sink_t *sink)
{
    request_rec *r = baton;
    int at = 0;
    ap_HOOK_status_hook_t *hook = amgr_status_section_next(&at);
    catcher_t catcher;
    ap_filter_t f;

    if (hook == NULL) {
        return;
    }
    amgr_auto_lines_init(&catcher.lines, sink, r->pool);
    catcher.answer = r->output_filters;
    memset(&f, 0, sizeof(f));
    f.frec = filter;
    f.ctx = &catcher;
    f.r = r;
    f.c = r->connection;
    r->output_filters = &f;
    while (hook != NULL) {
        run(r, hook, &catcher);
        hook = amgr_status_section_next(&at);
    }
    r->output_filters = catcher.answer;
}
