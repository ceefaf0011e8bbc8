/* SPDX-License-Identifier: Apache-2.0
 *
 * See hazards.h.
 */
#include "httpd/hazards.h"

#include <signal.h>
#include <string.h>

#include <http_config.h>
#include <http_log.h>

#include "httpd/config.h"
#include "httpd/log.h"
#include "httpd/syslog_tag.h"
#include "supervise/spec/spec.h"

/** An ignored SIGCHLD, inherited from whoever started httpd, lets the kernel
 * reap children that nobody was told of. */
static void check_sigchld(server_rec *s)
{
    struct sigaction action;

    if (sigaction(SIGCHLD, NULL, &action) == 0 &&
        action.sa_handler == SIG_IGN) {
        amgr_log(s, AMGR_TAG_SIGCHLD, APLOG_WARNING, 0,
                 "SIGCHLD is ignored: httpd was started by a program that set "
                 "it so, and ends of workers go unnoticed");
    }
}

/** Whether a Mutex directive of the configuration asks for POSIX semaphores:
 * nothing ever gives back one whose owner was killed, and every other worker
 * waits for it for good. */
static int uses_posixsem(void)
{
    const ap_directive_t *at;

    for (at = ap_conftree; at != NULL; at = at->next) {
        if (strcasecmp(at->directive, "Mutex") == 0 && at->args != NULL &&
            (strncasecmp(at->args, "posixsem", 8) == 0 ||
             strncasecmp(at->args, "sem", 4) == 0)) {
            return 1;
        }
    }
    return 0;
}

/** A restart ends the program that the error log is piped to, and whoever has
 * the old pipe as its standard error is ended by SIGPIPE. */
static void check_inherited(server_rec *s)
{
    const apr_array_header_t *managed = amgr_config_main()->managed;
    const amgr_spec_t *spec;
    int i;

    if (managed == NULL || s->error_fname == NULL || s->error_fname[0] != '|') {
        return;
    }
    for (i = 0; i < managed->nelts; i++) {
        spec = APR_ARRAY_IDX(managed, i, const amgr_spec_t *);
        if (spec->output == AMGR_OUTPUT_INHERIT) {
            amgr_log(s, AMGR_TAG_MANAGED_LOGGER, APLOG_WARNING, 0,
                     "process %s: Output inherit: ErrorLog is a program, which "
                     "is another after each restart of httpd, and a process "
                     "that was started before is ended by SIGPIPE when it "
                     "writes to standard error; use Output errorlog",
                     spec->name);
        }
    }
}

/** httpd writes notices to a file whatever LogLevel says, but not to syslog
 * (server/log.c): nothing would tell who is ended, or would be. */
static void check_notices(server_rec *s)
{
    const amgr_config_t *config = amgr_config_main();
    int is_managing = config->managed != NULL && config->managed->nelts > 0;

    if (amgr_syslog_has_log(s) &&
        ap_get_server_module_loglevel(s, apache_manager_module.module_index) <
            APLOG_NOTICE &&
        (is_managing ||
         (amgr_limits_are_set(&config->limits) && !config->syslog))) {
        amgr_log(s, AMGR_TAG_NOTICES_DROPPED, APLOG_WARNING, 0,
                 "ErrorLog syslog: httpd drops notices there, which tell who "
                 "is ended or would be, and how managed processes are; use "
                 "LogLevel apache_manager:notice");
    }
}

void amgr_hazards_check(server_rec *s)
{
    check_sigchld(s);
    check_inherited(s);
    check_notices(s);
    if (amgr_limits_are_set(&amgr_config_main()->limits) && uses_posixsem()) {
        amgr_log(s, AMGR_TAG_POSIXSEM, APLOG_WARNING, 0,
                 "Mutex posixsem: a worker that is killed while it holds a "
                 "mutex blocks all others for good; use another mechanism, or "
                 "leave the choice to httpd");
    }
}
