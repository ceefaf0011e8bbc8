/* SPDX-License-Identifier: Apache-2.0
 *
 * For the tests only: a module because of which httpd takes a while between
 * the moment at which processes beside it are started and the one from which
 * on it hears signals.
 */
#include <httpd.h>
#include <http_config.h>
#include <mpm_common.h>

#define LATE_US (2 * APR_USEC_PER_SEC)

static int be_late(apr_pool_t *p, ap_scoreboard_e type)
{
    (void)p;
    (void)type;
    apr_sleep(LATE_US);
    return OK;
}

static void register_hooks(apr_pool_t *p)
{
    (void)p;
    ap_hook_pre_mpm(be_late, NULL, NULL, APR_HOOK_REALLY_LAST);
}

AP_DECLARE_MODULE(late) = {STANDARD20_MODULE_STUFF,
                           NULL,
                           NULL,
                           NULL,
                           NULL,
                           NULL,
                           register_hooks,
                           0};
