/* SPDX-License-Identifier: Apache-2.0
 *
 * See runtime.h.
 */
#include "httpd/runtime.h"

#include <errno.h>
#include <pthread.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include <ap_mpm.h>
#include <apr_strings.h>
#include <http_config.h>
#include <http_core.h>

#include "httpd/log.h"
#include "httpd/private_memory.h"
#include "httpd/scoreboard.h"
#include "httpd/supervisor_record.h"
#include "policy/ledger.h"

#define AMGR_RUNTIME_VERSION 5
#define RUNTIME_KEY "mod_apache_manager:parent"
#define DATA_FILE_NAME "apache-manager.txt"

/** Direct children beside the MPM's: WSGI daemons, loggers, cgid. */
#define FOREIGN_MAX 1024

/** What another build's record could not hand on; bits. */
#define LOST_CHILDREN 1
#define LOST_NOTES 2

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

/** What of before a restart begins anew, in bits: @a lost of this file's, and
 * what a board of another build could not hand on. */
static void log_anew(server_rec *s, int lost, int carried)
{
    if (lost != 0 || carried != AMGR_CARRY_ALL) {
        amgr_log(s, AMGR_TAG_BOARD, APLOG_INFO, 0,
                 "another build of this module has kept what this one cannot "
                 "read, and these begin anew:%s%s%s%s%s%s%s",
                 carried & AMGR_CARRY_COUNTERS ? "" : " counters",
                 carried & AMGR_CARRY_RECORDS ? "" : " retirements",
                 carried & AMGR_CARRY_EVIDENCES ? "" : " evidence",
                 carried & AMGR_CARRY_HISTORY ? "" : " history",
                 carried & AMGR_CARRY_MANAGED ? "" : " managed processes",
                 lost & LOST_CHILDREN ? " workers" : "",
                 lost & LOST_NOTES ? " notes on the time limits of requests"
                                   : "");
    }
}

/** The new board goes on with what @a old has, which goes. */
static int replace_board(const amgr_runtime_t *runtime, amgr_board_file_t *old)
{
    int carried = amgr_board_carry(runtime->board.memory, old->memory);

    if (amgr_supervisor_record_keep_board(old->memory, old->size)) {
        old->memory = NULL;
    }
    amgr_board_file_unmap(old);
    return carried;
}

/** A board of another build, or one that no tool finds any more: start a new
 * one with what that has. */
static int renew_board(amgr_runtime_t *runtime, server_rec *s,
                       const amgr_board_dims_t *dims, apr_pool_t *pconf,
                       int *out_carried)
{
    amgr_board_file_t old = runtime->board;

    if (!make_board(runtime, s, dims, pconf)) {
        runtime->board = old;
        return 0;
    }
    *out_carried = replace_board(runtime, &old);
    return 1;
}

/** Whether a board in memory is to be one in a file, if it can be by now.  Not
 * where a supervisor writes to it: another could not take its place without all
 * managed processes being started anew. */
static int wants_file(const amgr_runtime_t *runtime)
{
    const amgr_supervisor_record_t *supervisor = amgr_supervisor_record();

    return runtime->place != AMGR_BOARD_IN_FILE && !runtime->one_process &&
           (supervisor == NULL || supervisor->pid == 0);
}

/** What kept it from having a file may be over: the server that had the
 * directory has ended, the disk has room, or the directory is another. */
static void find_file(amgr_runtime_t *runtime, server_rec *s,
                      const amgr_board_dims_t *dims, apr_pool_t *pconf,
                      int *out_carried)
{
    const char *path = ap_runtime_dir_relative(pconf, AMGR_BOARD_FILE_NAME);
    amgr_board_place_e before = runtime->place;
    amgr_board_file_t old = runtime->board;
    amgr_board_file_t found;
    apr_status_t rv;
    amgr_board_place_e place =
        amgr_board_file_create(&found, path, dims, &runtime->owner, &rv);

    if (place != AMGR_BOARD_IN_FILE) {
        amgr_board_file_unmap(&found);
        if (place != AMGR_BOARD_NOWHERE && place != before) {
            runtime->place = place;
            log_place(s, runtime, path, rv);
        }
        return;
    }
    runtime->board = found;
    runtime->place = place;
    *out_carried = replace_board(runtime, &old);
    amgr_log(s, AMGR_TAG_BOARD, APLOG_NOTICE, 0,
             "%s is created, as it could not be before", path);
}

/** A record with what each build finds out by itself. */
static amgr_runtime_t *make_record(server_rec *s, int one_process)
{
    amgr_runtime_t *runtime = apr_pcalloc(s->process->pool, sizeof(*runtime));
    amgr_board_dims_t dims;
    apr_status_t rv;

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
    runtime->children_max = dims.process_max;
    runtime->one_process = one_process;
    return runtime;
}

static int make_children(amgr_runtime_t *runtime)
{
    runtime->children_size = amgr_children_size(runtime->children_max);
    runtime->children_memory =
        amgr_private_memory_create(runtime->children_size);
    if (runtime->children_memory == NULL) {
        return 0;
    }
    amgr_children_init(runtime->children_memory, runtime->children_max);
    return 1;
}

static int make_notes(amgr_runtime_t *runtime)
{
    int generation = 0;

    ap_mpm_query(AP_MPMQ_GENERATION, &generation);
    runtime->notes_version = AMGR_NOTES_VERSION;
    runtime->notes_from = generation;
    memset(&runtime->budgets, 0, sizeof(runtime->budgets));
    return amgr_mailbox_create(
               &runtime->mailbox, runtime->server_limit, runtime->thread_limit,
               amgr_ledger_streams(runtime->thread_limit)) == APR_SUCCESS;
}

static amgr_runtime_t *fail(server_rec *s)
{
    amgr_log(s, AMGR_TAG_FAILED, APLOG_ERR, errno,
             "no memory for the table of children: nothing is watched");
    return NULL;
}

static void stamp(amgr_runtime_t *runtime)
{
    runtime->version = AMGR_RUNTIME_VERSION;
    runtime->size = sizeof(*runtime);
    runtime->parent = getpid();
}

static amgr_runtime_t *create(server_rec *s, int one_process, apr_pool_t *pconf)
{
    amgr_runtime_t *runtime = make_record(s, one_process);
    amgr_board_dims_t dims;

    stamp(runtime);
    runtime->ticker.pidfd = -1;
    read_dims(&dims, runtime->server_limit, runtime->thread_limit);
    if (!make_board(runtime, s, &dims, pconf)) {
        return NULL;
    }
    if (!make_children(runtime) || !make_notes(runtime)) {
        amgr_board_file_remove(&runtime->board);
        amgr_board_file_unmap(&runtime->board);
        return fail(s);
    }
    return runtime;
}

static int is_of_this_build(const amgr_runtime_t *runtime)
{
    return runtime->version == AMGR_RUNTIME_VERSION &&
           runtime->size == sizeof(*runtime);
}

/** Unmap the table of @a of that @a kept has not got as well. */
static void drop_other_children(const amgr_runtime_t *of,
                                const amgr_runtime_t *kept)
{
    if (of->children_memory != kept->children_memory) {
        amgr_private_memory_destroy(of->children_memory, of->children_size);
    }
}

/**
 * A record of this build that goes on where another build's has ended.  That
 * one is as it was until all is there that this one needs.
 */
static amgr_runtime_t *take_over(server_rec *s, amgr_runtime_t *old,
                                 int one_process, int *lost)
{
    amgr_runtime_t *runtime = make_record(s, one_process);

    memcpy(runtime, old, offsetof(amgr_runtime_t, owner));
    stamp(runtime);
    if (!amgr_children_fits(old->children_memory, runtime->children_max)) {
        if (!make_children(runtime)) {
            return fail(s);
        }
        if (amgr_children_carry(runtime->children_memory,
                                old->children_memory) != APR_SUCCESS) {
            *lost |= LOST_CHILDREN;
        }
    }
    if (old->notes_version != AMGR_NOTES_VERSION) {
        if (!make_notes(runtime)) {
            drop_other_children(runtime, old);
            return fail(s);
        }
        *lost |= LOST_NOTES;
        amgr_mailbox_destroy(&old->mailbox);
    }
    drop_other_children(old, runtime);
    return runtime;
}

amgr_runtime_t *amgr_runtime_head(apr_pool_t *p)
{
    void *found = NULL;

    apr_pool_userdata_get(&found, RUNTIME_KEY, p);
    return found;
}

amgr_runtime_t *amgr_runtime_record(apr_pool_t *p)
{
    amgr_runtime_t *runtime = amgr_runtime_head(p);

    return runtime != NULL && is_of_this_build(runtime) ? runtime : NULL;
}

/** Whether there is a board that this build and tools can read: that of before
 * the restart, or another which goes on with it. */
static int keep_board(amgr_runtime_t *runtime, server_rec *s, apr_pool_t *pconf,
                      int *out_carried)
{
    amgr_board_dims_t dims;

    read_dims(&dims, runtime->server_limit, runtime->thread_limit);
    if (amgr_board_file_is_missing(&runtime->board)) {
        amgr_log(s, AMGR_TAG_BOARD, APLOG_INFO, 0,
                 "%s is gone, as it is when the server ran without this "
                 "module: another is made",
                 runtime->board.path);
    }
    else if (amgr_board_check(runtime->board.memory, runtime->board.size,
                              &dims) == APR_SUCCESS) {
        if (wants_file(runtime)) {
            find_file(runtime, s, &dims, pconf, out_carried);
        }
        return 1;
    }
    return renew_board(runtime, s, &dims, pconf, out_carried);
}

/** Copies the key, whose own bytes go with this code. */
static void note(server_rec *s, amgr_runtime_t *runtime)
{
    apr_pool_userdata_set(runtime, RUNTIME_KEY, apr_pool_cleanup_null,
                          s->process->pool);
}

/** The record of before the restart, whichever build has made it, or NULL. */
static amgr_runtime_t *go_on(server_rec *s, amgr_runtime_t *runtime,
                             int one_process, apr_pool_t *pconf)
{
    int carried = AMGR_CARRY_ALL;
    int lost = 0;

    if (!is_of_this_build(runtime)) {
        runtime = take_over(s, runtime, one_process, &lost);
        if (runtime == NULL) {
            return NULL;
        }
        note(s, runtime);
    }
    if (!keep_board(runtime, s, pconf, &carried)) {
        return NULL;
    }
    log_anew(s, lost, carried);
    return runtime;
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
    amgr_runtime_t *before = amgr_runtime_head(s->process->pool);

    if (before != NULL && before->parent == getpid()) {
        current = go_on(s, before, one_process, pconf);
    }
    else {
        current = create(s, one_process, pconf);
        if (current != NULL) {
            note(s, current);
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
