/* SPDX-License-Identifier: Apache-2.0
 *
 * For the tests, and as an example: another module that has to do with the
 * retirement of workers.
 *
 *   /retire          asks for the retirement of the worker that serves it
 *   /retire?pid=N    of another process
 *   RetirementVeto FILE      while FILE exists no worker is retired, or, with
 *                            a pid in it, that one is not
 *
 * and each retirement is noted in the error log.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <httpd.h>
#include <http_config.h>
#include <http_log.h>
#include <http_main.h>
#include <http_protocol.h>

#include "mod_apache_manager.h"

static const char *veto_file;

/* Everybody, where the file is empty, else the one whose pid is in it. */
static int is_vetoed(pid_t pid)
{
    char text[16] = "";
    FILE *file = veto_file == NULL ? NULL : fopen(veto_file, "r");

    if (file == NULL) {
        return 0;
    }
    if (fgets(text, sizeof(text), file) == NULL) {
        text[0] = '\0';
    }
    fclose(file);
    return text[0] == '\0' || (pid_t)atol(text) == pid;
}

static int on_retirement(const amgr_retirement_t *retirement)
{
    ap_log_error(APLOG_MARK, APLOG_INFO, 0, ap_server_conf,
                 "retirement: stage=%d pid=%ld group=%s reason=%s action=%s "
                 "outcome=%s by=%s",
                 retirement->stage, (long)retirement->pid, retirement->group,
                 retirement->reason, retirement->action, retirement->outcome,
                 geteuid() == 0 ? "root" : "user");
    return retirement->stage == AMGR_RETIREMENT_DECIDED &&
                   is_vetoed(retirement->pid)
               ? DONE
               : DECLINED;
}

static int on_request(request_rec *r)
{
    APR_OPTIONAL_FN_TYPE(amgr_request_retirement) *request =
        APR_RETRIEVE_OPTIONAL_FN(amgr_request_retirement);
    const char *pid = r->args == NULL ? NULL : strstr(r->args, "pid=");

    if (strcmp(r->uri, "/retire") != 0) {
        return DECLINED;
    }
    ap_set_content_type(r, "text/plain");
    ap_rprintf(r, "pid=%ld status=%d\n", (long)getpid(),
               request == NULL
                   ? -1
                   : request(pid == NULL ? getpid() : (pid_t)atol(pid + 4)));
    return OK;
}

static const char *set_veto(cmd_parms *cmd, void *unused, const char *path)
{
    (void)cmd;
    (void)unused;
    veto_file = path;
    return NULL;
}

static void register_hooks(apr_pool_t *p)
{
    (void)p;
    APR_OPTIONAL_HOOK(amgr, retirement, on_retirement, NULL, NULL,
                      APR_HOOK_MIDDLE);
    ap_hook_handler(on_request, NULL, NULL, APR_HOOK_FIRST);
}

static const command_rec directives[] = {
    AP_INIT_TAKE1("RetirementVeto", set_veto, NULL, RSRC_CONF,
                  "a file that vetoes retirements while it exists"),
    {NULL}
};

AP_DECLARE_MODULE(retirement) = {
    STANDARD20_MODULE_STUFF, NULL, NULL, NULL, NULL, directives,
    register_hooks,
#if defined(AP_MODULE_FLAG_NONE)
    AP_MODULE_FLAG_NONE
#endif
};
