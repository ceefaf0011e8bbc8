/* SPDX-License-Identifier: Apache-2.0
 *
 * For the tests, and as an example: another module that says when a managed
 * process is ready.
 *
 *   Verify there FILE     there is such a file, as stat(2) says
 *   Verify loud           it passes, and says so in the error log
 *   Verify terse          a verifier from before `check` was added
 */
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <httpd.h>
#include <ap_provider.h>
#include <http_config.h>
#include <http_log.h>
#include <http_main.h>

#include "mod_apache_manager.h"

static int run(int argc, const char *const *argv, char *text, apr_size_t size)
{
    struct stat st;

    if (argc < 1 || stat(argv[0], &st) != 0) {
        snprintf(text, size, "%s: %s", argc < 1 ? "nothing" : argv[0],
                 strerror(errno));
        return 1;
    }
    return 0;
}

static int run_loud(int argc, const char *const *argv, char *text,
                    apr_size_t size)
{
    (void)argc; /* what all of them are called with */
    (void)argv;
    (void)text;
    (void)size;
    ap_log_error("mod_verifier.c", __LINE__, APLOG_NO_MODULE, APLOG_NOTICE, 0,
                 ap_server_conf, "verifier loud is asked");
    return 0;
}

static const char *check(int argc, const char *const *argv, apr_pool_t *pool)
{
    (void)pool;
    return argc == 1 && argv[0][0] == '/' ? NULL : "one absolute path";
}

static const amgr_verifier_t there = {sizeof(there), run, check};
static const amgr_verifier_t loud = {sizeof(loud), run_loud, NULL};
static const amgr_verifier_t terse = {offsetof(amgr_verifier_t, check), run,
                                      check};

static void register_hooks(apr_pool_t *p)
{
    ap_register_provider(p, AMGR_VERIFIER_GROUP, "there", AMGR_VERIFIER_VERSION,
                         &there);
    ap_register_provider(p, AMGR_VERIFIER_GROUP, "loud", AMGR_VERIFIER_VERSION,
                         &loud);
    ap_register_provider(p, AMGR_VERIFIER_GROUP, "terse", AMGR_VERIFIER_VERSION,
                         &terse);
}

AP_DECLARE_MODULE(verifier) = {
    STANDARD20_MODULE_STUFF, NULL, NULL, NULL, NULL, NULL, register_hooks,
#if defined(AP_MODULE_FLAG_NONE)
    AP_MODULE_FLAG_NONE
#endif
};
