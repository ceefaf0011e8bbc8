/* SPDX-License-Identifier: Apache-2.0
 *
 * For the tests only: a module that forks children of the server's parent which
 * are no workers, once in the life of the server: one that goes on as a fork,
 * and one that executes another program, which AMGR_DECOY names.  Their pids
 * and who signals them are in the directory AMGR_DECOY_DIR.  With
 * AMGR_DECOY_OPEN the fork keeps what its parent has open, listeners too, as the
 * manager of mod_fcgid does.  With AMGR_DECOY_TITLE it gives itself that title,
 * as a daemon of mod_wsgi does, once a file "title" is in the directory.
 */
#include "decoy.h"

#include <stdlib.h>

#include <apr_strings.h>
#include <httpd.h>
#include <http_config.h>
#include <http_main.h>
#include <mpm_common.h>
#include <unixd.h>

static void note_pid(const char *path)
{
    FILE *file = fopen(path, "w");

    if (file == NULL || fprintf(file, "%d\n", (int)getpid()) < 0 ||
        fclose(file) != 0) {
        _exit(1);
    }
}

/* Of the user that workers are of. */
static void be_worker_user(void)
{
    if (geteuid() == 0 && (setgid(ap_unixd_config.group_id) != 0 ||
                           setuid(ap_unixd_config.user_id) != 0)) {
        _exit(1);
    }
}

/* In the place of the first argument, filled up with blanks. */
static void take_title(const char *title, const char *when)
{
    char *argument = (char *)ap_server_conf->process->argv[0];
    size_t size = strlen(argument);
    size_t len = strlen(title);

    while (access(when, F_OK) != 0) {
        usleep(10000);
    }
    memset(argument, ' ', size);
    memcpy(argument, title, len < size ? len : size);
}

static void live(const char *dir, apr_pool_t *p)
{
    int file = open(apr_pstrcat(p, dir, "/fork", NULL),
                    O_WRONLY | O_CREAT | O_APPEND, 0644);

    if (file < 0) {
        _exit(1);
    }
    note_pid(apr_pstrcat(p, dir, "/fork.pid", NULL));
    be_worker_user();
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getenv("AMGR_DECOY_TITLE") != NULL) {
        take_title(getenv("AMGR_DECOY_TITLE"),
                   apr_pstrcat(p, dir, "/title", NULL));
    }
    decoy_live(file);
}

static void become(const char *dir, const char *program, apr_pool_t *p)
{
    note_pid(apr_pstrcat(p, dir, "/program.pid", NULL));
    execl(program, "apache2",
          apr_itoa(p, geteuid() == 0 ? (int)ap_unixd_config.user_id : -1),
          apr_itoa(p, (int)ap_unixd_config.group_id), "apache2",
          apr_pstrcat(p, dir, "/program", NULL), NULL);
    _exit(1);
}

static void close_all(void)
{
    long most = sysconf(_SC_OPEN_MAX);
    long fd;

    for (fd = 3; fd < most && fd < 4096; fd++) {
        close((int)fd); /* listeners, for one */
    }
}

static int fork_them(apr_pool_t *p, ap_scoreboard_e type)
{
    static const char key[] = "mod_decoy";
    const char *dir = getenv("AMGR_DECOY_DIR");
    const char *program = getenv("AMGR_DECOY");
    int which;

    (void)type; /* the hook's signature */
    if (dir == NULL || program == NULL || ap_retained_data_get(key) != NULL) {
        return OK;
    }
    ap_retained_data_create(key, 1);
    for (which = 0; which < 2; which++) {
        if (fork() == 0) {
            decoy_be_deaf();
            if (which == 1 || getenv("AMGR_DECOY_OPEN") == NULL) {
                close_all();
            }
            if (which == 0) {
                live(dir, p);
            }
            become(dir, program, p);
        }
    }
    return OK;
}

static void register_hooks(apr_pool_t *p)
{
    (void)p; /* the hook's signature */
    ap_hook_pre_mpm(fork_them, NULL, NULL, APR_HOOK_LAST);
}

AP_DECLARE_MODULE(decoy) = {
    STANDARD20_MODULE_STUFF, NULL, NULL, NULL, NULL, NULL, register_hooks,
    AP_MODULE_FLAG_NONE};
