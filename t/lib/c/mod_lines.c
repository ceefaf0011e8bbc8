/* SPDX-License-Identifier: Apache-2.0
 *
 * For the tests only: a module that adds lines to mod_status's ?auto which
 * break it, for requests with a header that says in what way they are written:
 *
 *   X-Lines: text     piece by piece, as modules do
 *   X-Lines: brigade  past httpd's buffer, with a flush and an end of the answer
 *   X-Lines: much     text, then 20,000 lines of 58 bytes, and text again
 */
#include <string.h>

#include <httpd.h>
#include <apr_optional_hooks.h>
#include <http_config.h>
#include <http_protocol.h>
#include <mod_status.h>
#include <util_filter.h>

#define MANY 20000

static void put_text(request_rec *r)
{
    ap_rputs("LinesFirst: 1\nScoreboard: ______\nUpti", r);
    ap_rputs("me: 5\nLinesSecond: a: ", r);
    ap_rprintf(r, "%s",
               "b\nbusyworkers : 99\nApacheManagerTicks: 7\nLinesLast");
}

static void put_brigade(request_rec *r)
{
    static const char text[] = "Total Accesses: 5\nLinesFirst: 1\n"
                               "LinesSecond: a: b\nLinesLast";
    apr_bucket_alloc_t *alloc = r->connection->bucket_alloc;
    apr_bucket_brigade *bb = apr_brigade_create(r->pool, alloc);

    apr_brigade_write(bb, NULL, NULL, text, 20);
    APR_BRIGADE_INSERT_TAIL(bb, apr_bucket_flush_create(alloc));
    apr_brigade_write(bb, NULL, NULL, text + 20, sizeof(text) - 1 - 20);
    APR_BRIGADE_INSERT_TAIL(bb, apr_bucket_eos_create(alloc));
    ap_pass_brigade(r->output_filters, bb);
}

static int add_lines(request_rec *r, int flags)
{
    const char *way = apr_table_get(r->headers_in, "X-Lines");
    int i;

    if (way == NULL || (flags & AP_STATUS_SHORT) == 0) {
        return DECLINED;
    }
    if (strcmp(way, "brigade") == 0) {
        put_brigade(r);
        return OK;
    }
    put_text(r);
    if (strcmp(way, "much") == 0) {
        for (i = 0; i < MANY; i++) {
            ap_rprintf(r, "%sLinesMany[%05d]: %039d\n", i == 0 ? "\n" : "", i,
                       i);
        }
        put_text(r);
    }
    return DONE; /* which is not to keep others from theirs */
}

static void register_hooks(apr_pool_t *p)
{
    (void)p;
    APR_OPTIONAL_HOOK(ap, status_hook, add_lines, NULL, NULL, APR_HOOK_FIRST);
}

AP_DECLARE_MODULE(lines) = {
    STANDARD20_MODULE_STUFF, NULL, NULL, NULL, NULL, NULL, register_hooks,
#if defined(AP_MODULE_FLAG_NONE)
    AP_MODULE_FLAG_NONE
#endif
};
