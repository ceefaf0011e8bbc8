/* SPDX-License-Identifier: Apache-2.0
 *
 * See runtime.h.
 */
#include "httpd/runtime.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include <ap_mpm.h>
#include <apr_strings.h>
#include <http_config.h>
#include <http_core.h>

#include "httpd/log.h"
#include "httpd/private_memory.h"
#include "httpd/scoreboard.h"
#include "policy/ledger.h"

#define AMGR_RUNTIME_VERSION 4
#define RUNTIME_KEY "mod_apache_manager:runtime"
#define DATA_FILE_NAME "apache-manager.txt"

/** Direct children beside the MPM's: WSGI daemons, loggers, cgid. */
#define FOREIGN_MAX 1024

static amgr_runtime_t *current;

/** In every child, right after its fork, whoever forks it. */
static void forget_in_child(void)
{
    if (current != NULL && current->ticker.pidfd >= 0) {
        close(current->ticker.pidfd);
        current->ticker.pidfd = -1;
    }
}

void amgr_runtime_register(void)
{
    static int is_registered; /* the handler goes with this code, once */

    if (!is_registered) {
        is_registered = pthread_atfork(NULL, NULL, forget_in_child) == 0;
    }
}

amgr_runtime_t *amgr_runtime(void)
{
    return current;
}

int amgr_runtime_is_parent(const amgr_runtime_t *runtime)
{
    return runtime->parent == getpid();
}

void amgr_runtime_enter_child(void)
{
    if (current != NULL && !amgr_runtime_is_parent(current)) {
        current->board.memory = NULL;
        current->children_memory = NULL;
    }
}

amgr_board_t *amgr_runtime_board(const amgr_runtime_t *runtime)
{
    return runtime->board.memory;
}

amgr_children_t *amgr_runtime_children(const amgr_runtime_t *runtime)
{
    return runtime->children_memory;
}

/** The configuration's pool goes: so does everything that lives in our code. */
static apr_status_t forget(void *unused)
{
    (void)unused; /* a cleanup's signature */
    current = NULL;
    return APR_SUCCESS;
}

static void read_dims(amgr_board_dims_t *dims, int server_limit,
                      int thread_limit)
{
    memset(dims, 0, sizeof(*dims));
    /* A row may change hands before its last owner has gone. */
    dims->process_max = 2 * server_limit + FOREIGN_MAX;
    dims->slot_max = server_limit * thread_limit;
    dims->thread_limit = thread_limit;
}

static void log_place(server_rec *s, const amgr_runtime_t *runtime,
                      const char *path, apr_status_t rv)
{
    if (runtime->place == AMGR_BOARD_DIR_TAKEN) {
        amgr_log(s, AMGR_TAG_SHARED_DIR, APLOG_WARNING, 0,
                 "another running server keeps %s; this one works without "
                 "board file and default data file: give each server a "
                 "DefaultRuntimeDir of its own",
                 path);
    }
    else if (runtime->place == AMGR_BOARD_ANONYMOUS) {
        amgr_log(s, AMGR_TAG_BOARD, APLOG_WARNING, rv,
                 "cannot create %s: the board stays in memory, and tools that "
                 "read the file do not see this server",
                 path);
    }
}

static int make_board(amgr_runtime_t *runtime, server_rec *s,
                      const amgr_board_dims_t *dims, apr_pool_t *pconf)
{
    const char *path = ap_runtime_dir_relative(pconf, AMGR_BOARD_FILE_NAME);
    apr_status_t rv = APR_SUCCESS;

    runtime->place = amgr_board_file_create(&runtime->board,
                                            runtime->one_process ? NULL : path,
                                            dims, &runtime->owner, &rv);
    if (runtime->place == AMGR_BOARD_NOWHERE) {
        amgr_log(s, AMGR_TAG_FAILED, APLOG_ERR, rv,
                 "no memory for the board: nothing is watched");
        return 0;
    }
    if (!runtime->one_process) {
        log_place(s, runtime, path, rv);
    }
    return 1;
}

/** What a board of another build could not hand on. */
static void log_carried(server_rec *s, int carried)
{
    if (carried != AMGR_CARRY_ALL) {
        amgr_log(s, AMGR_TAG_BOARD, APLOG_INFO, 0,
                 "the board is of another build of this module, and these "
                 "begin anew:%s%s%s%s%s",
                 carried & AMGR_CARRY_COUNTERS ? "" : " counters",
                 carried & AMGR_CARRY_RECORDS ? "" : " retirements",
                 carried & AMGR_CARRY_EVIDENCES ? "" : " evidence",
                 carried & AMGR_CARRY_HISTORY ? "" : " history",
                 carried & AMGR_CARRY_MANAGED ? "" : " managed processes");
    }
}

/** A board of another build, or one that no tool finds any more: start a new
 * one with its counters. */
static int renew_board(amgr_runtime_t *runtime, server_rec *s,
                       const amgr_board_dims_t *dims, apr_pool_t *pconf)
{
    amgr_board_file_t old = runtime->board;

    if (!make_board(runtime, s, dims, pconf)) {
        runtime->board = old;
        return 0;
    }
    log_carried(s, amgr_board_carry(runtime->board.memory, old.memory));
    amgr_board_file_unmap(&old);
    return 1;
}

static amgr_runtime_t *create(server_rec *s, int one_process, apr_pool_t *pconf)
{
    amgr_runtime_t *runtime = apr_pcalloc(s->process->pool, sizeof(*runtime));
    amgr_board_dims_t dims;
    apr_status_t rv;

    runtime->version = AMGR_RUNTIME_VERSION;
    runtime->size = sizeof(*runtime);
    runtime->parent = getpid();
    runtime->ticker.pidfd = -1;
    ap_mpm_query(AP_MPMQ_HARD_LIMIT_DAEMONS, &runtime->server_limit);
    ap_mpm_query(AP_MPMQ_HARD_LIMIT_THREADS, &runtime->thread_limit);
    if (runtime->thread_limit < 1) {
        runtime->thread_limit = 1;
    }
    rv = amgr_board_file_owner(&runtime->owner);
    if (rv != APR_SUCCESS) {
        amgr_log(s, AMGR_TAG_BOARD, APLOG_WARNING,
                 rv == APR_NOTFOUND ? ENOENT : rv,
                 "the start of this process cannot be read in /proc: tools do "
                 "not know the board for its own");
    }
    read_dims(&dims, runtime->server_limit, runtime->thread_limit);
    runtime->one_process = one_process;
    if (!make_board(runtime, s, &dims, pconf)) {
        return NULL;
    }
    runtime->children_max = dims.process_max;
    runtime->children_size = amgr_children_size(runtime->children_max);
    runtime->children_memory =
        amgr_private_memory_create(runtime->children_size);
    if (runtime->children_memory == NULL ||
        amgr_mailbox_create(
            &runtime->mailbox, runtime->server_limit, runtime->thread_limit,
            amgr_ledger_streams(runtime->thread_limit)) != APR_SUCCESS) {
        amgr_log(s, AMGR_TAG_FAILED, APLOG_ERR, errno,
                 "no memory for the table of children: nothing is watched");
        amgr_board_file_remove(&runtime->board);
        amgr_board_file_unmap(&runtime->board);
        return NULL;
    }
    amgr_children_init(runtime->children_memory, runtime->children_max);
    return runtime;
}

amgr_runtime_t *amgr_runtime_record(apr_pool_t *p)
{
    void *found = NULL;
    amgr_runtime_t *runtime;

    apr_pool_userdata_get(&found, RUNTIME_KEY, p);
    runtime = found;
    if (runtime == NULL || runtime->version != AMGR_RUNTIME_VERSION ||
        runtime->size != sizeof(*runtime)) {
        return NULL;
    }
    return runtime;
}

/** The record of before the restart, when this build can read it. */
static amgr_runtime_t *find(server_rec *s, apr_pool_t *pconf)
{
    amgr_board_dims_t dims;
    amgr_runtime_t *runtime = amgr_runtime_record(s->process->pool);

    if (runtime == NULL || runtime->parent != getpid()) {
        return NULL;
    }
    read_dims(&dims, runtime->server_limit, runtime->thread_limit);
    if (amgr_board_file_is_missing(&runtime->board)) {
        amgr_log(s, AMGR_TAG_BOARD, APLOG_INFO, 0,
                 "%s is gone, as it is when the server ran without this "
                 "module: another is made",
                 runtime->board.path);
    }
    else if (amgr_board_check(runtime->board.memory, runtime->board.size,
                              &dims) == APR_SUCCESS) {
        return runtime;
    }
    return renew_board(runtime, s, &dims, pconf) ? runtime : NULL;
}

/** While this module was not there nobody told it whom the MPM forked, and
 * whose end it saw.  A worker may give its row away later on, to one of after
 * the restart. */
static void catch_up(const amgr_runtime_t *runtime)
{
    amgr_children_t *children = amgr_runtime_children(runtime);
    int rows = amgr_scoreboard_exists() ? amgr_scoreboard_rows() : 0;
    amgr_proc_dir_t proc;
    amgr_row_t row;
    int i;

    amgr_children_drop_reaped(children);
    if (amgr_proc_dir_open(&proc, "/proc") != APR_SUCCESS) {
        proc.fd = -1;
    }
    amgr_children_drop_replaced(children, &proc);
    for (i = 0; i < rows; i++) {
        amgr_scoreboard_read_row(i, &row);
        amgr_children_hear(children, &proc, row.pid);
    }
    amgr_proc_dir_close(&proc);
}

amgr_runtime_t *amgr_runtime_setup(server_rec *s, int one_process,
                                   apr_pool_t *pconf)
{
    current = find(s, pconf);
    if (current == NULL) {
        current = create(s, one_process, pconf);
        if (current != NULL) {
            /* Copies the key, whose own bytes go with this code. */
            apr_pool_userdata_set(current, RUNTIME_KEY, apr_pool_cleanup_null,
                                  s->process->pool);
        }
    }
    if (current != NULL) {
        catch_up(current);
        apr_pool_cleanup_register(pconf, NULL, forget, apr_pool_cleanup_null);
    }
    return current;
}

const char *amgr_runtime_data_file(const amgr_runtime_t *runtime,
                                   const amgr_config_t *config, apr_pool_t *p)
{
    if (config->data_file_off) {
        return NULL;
    }
    if (config->data_file != NULL) {
        return config->data_file;
    }
    if (runtime->place == AMGR_BOARD_DIR_TAKEN) {
        return NULL;
    }
    return ap_runtime_dir_relative(p, DATA_FILE_NAME);
}
