/* SPDX-License-Identifier: Apache-2.0
 *
 * For the tests only: a module that makes stale what the parent keeps over a
 * restart, as the words in the file of AMGR_STALE say, when the configuration
 * goes.
 *
 *   supervisor PID   the supervisor's pid is that of another child by now
 *   ticker PID       the ticker's is, which was not seen to end
 *   build 0          another build of the module has made the supervisor's
 *                    record
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <httpd.h>
#include <http_config.h>
#include <http_main.h>

#include "httpd/runtime.h"
#include "httpd/supervisor_record.h"

#define OTHER_BUILD 9999

static void *find(const char *key)
{
    void *found = NULL;

    apr_pool_userdata_get(&found, key, ap_pglobal);
    if (found == NULL) {
        fprintf(stderr, "mod_stale: there is no %s ***\n", key);
        exit(1);
    }
    return found;
}

/* The pidfd of a process that was reaped. */
static int of_the_dead(void)
{
    pid_t pid = fork();
    int fd;

    if (pid == 0) {
        _exit(0);
    }
    fd = (int)syscall(SYS_pidfd_open, pid, 0);
    waitpid(pid, NULL, 0);
    return fd;
}

static void spoil(const char *word, int pid)
{
    amgr_supervisor_record_t *record = find("mod_apache_manager:supervisor");
    amgr_runtime_t *runtime = find("mod_apache_manager:parent");

    if (strcmp(word, "supervisor") == 0) {
        record->pid = pid;
    }
    else if (strcmp(word, "ticker") == 0) {
        runtime->ticker.pid = pid;
        runtime->ticker.pidfd = of_the_dead();
    }
    else {
        record->version = OTHER_BUILD;
    }
}

static apr_status_t spoil_all(void *file)
{
    FILE *orders = fopen(file, "r");
    char word[16];
    int pid;

    if (orders == NULL) {
        return APR_SUCCESS;
    }
    while (fscanf(orders, "%15s %d", word, &pid) == 2) {
        spoil(word, pid);
    }
    fclose(orders);
    remove(file);
    return APR_SUCCESS;
}

static void register_hooks(apr_pool_t *p)
{
    /* The environment's text stays where it is. */
    apr_pool_cleanup_register(p, getenv("AMGR_STALE"), spoil_all,
                              apr_pool_cleanup_null);
}

AP_DECLARE_MODULE(stale) = {
    STANDARD20_MODULE_STUFF, NULL, NULL, NULL, NULL, NULL, register_hooks,
    AP_MODULE_FLAG_NONE};
