/* SPDX-License-Identifier: Apache-2.0
 *
 * See supervisor_live.h.
 */
#include "httpd/supervisor_live.h"

#include <dlfcn.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <http_config.h>
#include <http_main.h>
#include <unixd.h>

#include "base/escape.h"
#include "httpd/helper_process.h"
#include "httpd/log.h"
#include "httpd/private_memory.h"
#include "httpd/syslog_tag.h"
#include "httpd/verifiers.h"

#define FETCH_NAME "apache-manager-fetch"
#define LOCK_NAME "apache-managed.lock"

/** Texts of the setup, which are there as long as the process. */
typedef struct texts_t {
    char user[32];
    char group[32];
    char fetch[1024];
    char lock[1024]; /**< empty: none */
} texts_t;

static void say(void *baton, int what, int level, int error, const char *text)
{
    static const amgr_log_tag_e tags[AMGR_SAY_COUNT] = {
        [AMGR_SAY_STATE] = AMGR_TAG_MANAGED_STATE,
        [AMGR_SAY_FAULT] = AMGR_TAG_MANAGED_FAULT,
        [AMGR_SAY_VERIFY] = AMGR_TAG_MANAGED_VERIFY,
        [AMGR_SAY_OUTPUT] = AMGR_TAG_MANAGED_OUTPUT,
        [AMGR_SAY_LOGGER] = AMGR_TAG_MANAGED_LOGGER,
        [AMGR_SAY_ORDER] = AMGR_TAG_MANAGED_ORDER,
        [AMGR_SAY_SUPERVISOR] = AMGR_TAG_SUPERVISOR,
    };
    static const int levels[AMGR_LEVEL_COUNT] = {
        [AMGR_LEVEL_ERR] = APLOG_ERR,
        [AMGR_LEVEL_WARNING] = APLOG_WARNING,
        [AMGR_LEVEL_NOTICE] = APLOG_NOTICE,
        [AMGR_LEVEL_INFO] = APLOG_INFO,
        [AMGR_LEVEL_DEBUG] = APLOG_DEBUG,
    };
    static pid_t speaker;
    char line[1024];

    /* A guard is a fork that has called closelog(3). */
    if (speaker != getpid()) {
        speaker = getpid();
        amgr_syslog_restore(baton);
    }
    /* httpd escapes all that it logs: twice would be no more readable. */
    snprintf(line, sizeof(line), "%s", text);
    amgr_unescape_line(line);
    amgr_log(baton, tags[what], levels[level], error, "%s", line);
}

/** The program that does HTTP: where it was installed, else beside this module,
 * whose place is trusted as much as the module is. */
static void find_fetch(char *out, apr_size_t size)
{
    Dl_info self;
    const char *slash;

    snprintf(out, size, "%s", AMGR_FETCH_DIR "/" FETCH_NAME);
    if (access(out, X_OK) == 0 || dladdr(&apache_manager_module, &self) == 0 ||
        self.dli_fname == NULL || self.dli_fname[0] != '/') {
        return;
    }
    slash = strrchr(self.dli_fname, '/');
    snprintf(out, size, "%.*s/%s", (int)(slash - self.dli_fname),
             self.dli_fname, FETCH_NAME);
    if (access(out, X_OK) != 0) {
        snprintf(out, size, "%s", AMGR_FETCH_DIR "/" FETCH_NAME);
    }
}

/** httpd's own User and Group, by number: what they are called may change. */
static void set_texts(texts_t *texts, server_rec *s,
                      const amgr_runtime_t *runtime)
{
    const char *lock = ap_runtime_dir_relative(s->process->pool, LOCK_NAME);
    int is_root = geteuid() == 0;

    snprintf(texts->user, sizeof(texts->user), "#%lu",
             (unsigned long)(is_root ? ap_unixd_config.user_id : geteuid()));
    snprintf(texts->group, sizeof(texts->group), "#%lu",
             (unsigned long)(is_root ? ap_unixd_config.group_id : getegid()));
    find_fetch(texts->fetch, sizeof(texts->fetch));
    /* Another server that lives is none to be waited for. */
    texts->lock[0] = '\0';
    if (runtime->place != AMGR_BOARD_DIR_TAKEN && lock != NULL &&
        strlen(lock) < sizeof(texts->lock)) {
        snprintf(texts->lock, sizeof(texts->lock), "%s", lock);
    }
}

/** In an attempt, which has called closelog(3): its verifier may log. */
static amgr_verify_run_fn *look_up(const char *name)
{
    amgr_syslog_restore(ap_server_conf);
    return amgr_verifiers_lookup(name);
}

static void set_up(amgr_supervisor_setup_t *setup, const texts_t *texts,
                   server_rec *s)
{
    amgr_teller_t teller = {say, s};

    setup->guard.teller = teller;
    setup->guard.log_fd = amgr_helper_process_log_fd(s);
    setup->guard.default_user = texts->user;
    setup->guard.default_group = texts->group;
    setup->check.teller = teller;
    setup->check.fetch_program = texts->fetch;
    setup->check.default_user = texts->user;
    setup->check.default_group = texts->group;
    setup->check.lookup = look_up;
}

void amgr_supervisor_live(server_rec *s, const amgr_runtime_t *runtime,
                          const amgr_supervisor_ends_t *ends, int wait_fd)
{
    const int keep[] = {ends->theirs, ends->hold_write, wait_fd};
    amgr_supervisor_setup_t setup;
    texts_t texts;

    amgr_helper_process_begin(s, AMGR_SUPERVISOR_COMM, keep, AMGR_COUNT(keep));
    /* What it forks itself gets nothing to write to. */
    if (amgr_private_memory_pass_on(runtime->board.memory, runtime->board.size,
                                    0) != APR_SUCCESS) {
        _exit(1);
    }
    memset(&setup, 0, sizeof(setup));
    set_texts(&texts, s, runtime);
    set_up(&setup, &texts, s);
    setup.parent = runtime->parent;
    setup.parent_fd = ends->theirs;
    setup.wait_fd = wait_fd;
    setup.lock_file = texts.lock[0] == '\0' ? NULL : texts.lock;
    setup.board = amgr_runtime_board(runtime);
    setup.guard.hold_fd = ends->hold_write;
    amgr_supervisor_run(&setup);
}
