/* SPDX-License-Identifier: Apache-2.0
 *
 * mod_apache_manager: the module record and the registration of hooks.
 *
 * What each hook does is in src/httpd/hooks.c, what a tick is in
 * src/httpd/tick.c, and src/README.md tells the layers apart.
 */
#include <httpd.h>
#include <ap_mpm.h>
#include <http_config.h>
#include <http_protocol.h>
#include <mpm_common.h>

#include "httpd/config.h"
#include "httpd/directives.h"
#include "httpd/directory.h"
#include "httpd/drain.h"
#include "httpd/handler.h"
#include "httpd/hooks.h"
#include "httpd/managed_section.h"
#include "httpd/others.h"
#include "httpd/runtime.h"
#include "httpd/status_lines.h"
#include "httpd/status_section.h"
#include "httpd/supervisor_record.h"

static void register_hooks(apr_pool_t *p)
{
    static const char *const mpms[] = {"prefork.c", "worker.c", "event.c",
                                       NULL};
    static const char *const core[] = {"core.c", NULL};

    (void)p; /* the callback's signature */
    amgr_runtime_register();
    amgr_supervisor_record_register();
    /* Last, after the MPM, which sets ExtendedStatus back to its default. */
    ap_hook_pre_config(amgr_hook_pre_config, NULL, NULL, APR_HOOK_LAST);
    ap_hook_check_config(amgr_hook_check_config, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_test_config(amgr_hook_test_config, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_open_logs(amgr_drain_before_mpm, NULL, mpms, APR_HOOK_REALLY_FIRST);
    ap_hook_open_logs(amgr_drain_after_mpm, mpms, core, APR_HOOK_MIDDLE);
    ap_hook_post_config(amgr_hook_post_config, NULL, NULL, APR_HOOK_LAST);
    /* Last, after the core, which creates the scoreboard there. */
    ap_hook_pre_mpm(amgr_hook_pre_mpm, NULL, NULL, APR_HOOK_LAST);
    ap_hook_monitor(amgr_hook_monitor, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_child_status(amgr_hook_child_status, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_child_init(amgr_hook_child_init, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_child_stopping(amgr_hook_child_stopping, NULL, NULL,
                           APR_HOOK_MIDDLE);
    ap_hook_post_read_request(amgr_hook_post_read_request, NULL, NULL,
                              APR_HOOK_LAST);
    amgr_others_register();
    amgr_status_section_register();
    amgr_status_lines_register();
    ap_hook_handler(amgr_hook_handler, NULL, NULL, APR_HOOK_MIDDLE);
}

AP_DECLARE_MODULE(apache_manager) = {
    STANDARD20_MODULE_STUFF,
    amgr_directory_create, amgr_directory_merge,
    amgr_config_create,
    NULL, /* nothing to merge: what is not of sections is global */
    amgr_directives,
    register_hooks,
#if defined(AP_MODULE_FLAG_NONE)
    AP_MODULE_FLAG_NONE
#endif
};
