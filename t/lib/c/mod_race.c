/* SPDX-License-Identifier: Apache-2.0
 *
 * For the tests only: a module whose handler counts its requests as if there
 * were one thread.
 */
#include <httpd.h>
#include <http_config.h>
#include <http_protocol.h>

static volatile int requests;

static int count_request(request_rec *r)
{
    if (r->handler == NULL || strcmp(r->handler, "race") != 0) {
        return DECLINED;
    }
    ap_set_content_type(r, "text/plain");
    ap_rprintf(r, "%d\n", ++requests);
    return OK;
}

static void register_hooks(apr_pool_t *pool)
{
    (void)pool;
    ap_hook_handler(count_request, NULL, NULL, APR_HOOK_MIDDLE);
}

AP_DECLARE_MODULE(race) = {
    STANDARD20_MODULE_STUFF, NULL, NULL, NULL, NULL, NULL, register_hooks,
#if defined(AP_MODULE_FLAG_NONE)
    AP_MODULE_FLAG_NONE
#endif
};
