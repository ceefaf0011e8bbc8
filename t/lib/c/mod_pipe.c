/* SPDX-License-Identifier: Apache-2.0
 *
 * For the tests only: opens a pipe of its own beside those of the MPM, so that
 * nobody can tell which of them is the pipe of death.
 */
#include <unistd.h>

#include <httpd.h>
#include <http_config.h>
#include <http_log.h>

static int open_pipe(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp,
                     server_rec *s)
{
    int ends[2];

    (void)pconf;
    (void)plog;
    (void)ptemp;
    (void)s;
    return pipe(ends) == 0 ? OK : DECLINED;
}

static void register_hooks(apr_pool_t *p)
{
    static const char *const mpms[] = {"worker.c", "event.c", NULL};
    static const char *const manager[] = {"mod_apache_manager.c", NULL};

    (void)p;
    ap_hook_open_logs(open_pipe, manager, mpms, APR_HOOK_REALLY_FIRST);
}

AP_DECLARE_MODULE(pipe) = {
    STANDARD20_MODULE_STUFF, NULL, NULL, NULL, NULL, NULL, register_hooks,
#if defined(AP_MODULE_FLAG_NONE)
    AP_MODULE_FLAG_NONE
#endif
};
