/* SPDX-License-Identifier: Apache-2.0
 *
 * See hooks.h.
 */
#include "httpd/hooks.h"

#include <sys/stat.h>
#include <string.h>
#include <unistd.h>

#include <apr_strings.h>
#include <http_config.h>
#include <http_core.h>
#include <http_main.h>
#include <mpm_common.h>

#include "base/socket_place.h"
#include "httpd/drain.h"
#include "httpd/gate.h"
#include "httpd/hazards.h"
#include "httpd/log.h"
#include "httpd/max_time.h"
#include "httpd/order_proof.h"
#include "httpd/order_way.h"
#include "httpd/scoreboard.h"
#include "httpd/server_about.h"
#include "httpd/server_start.h"
#include "httpd/supervisor_process.h"
#include "httpd/supervisor_tell.h"
#include "httpd/tick.h"
#include "httpd/ticker.h"

/** The hook comes a little early or late; half a second is no matter. */
#define EARLY_US (500 * 1000)

/** The parent's side of one configuration; lives in its pool. */
typedef struct parent_t {
    apr_pool_t *pool;
    amgr_wsgi_t wsgi;
    int wants_ticker;
    int no_monitor;
    amgr_tick_t *tick;          /**< made at the first tick of the hook's */
    apr_time_t tick_mono_us;    /**< the hook's last tick */
    int begun;                  /**< nobody of the last configuration ticks */
    int no_tick;                /**< there was no memory for one, as was said */
    const char *control_socket; /**< of the ticker; NULL: none */
} parent_t;

static parent_t *parent;

/** Whether httpd is about to end, rather than to restart (server/main.c). */
static int is_ending(void)
{
    return ap_state_query(AP_SQ_MAIN_STATE) == AP_SQ_MS_EXITING;
}

static void remove_data_file(const char *path)
{
    struct stat st;

    if (path[0] != '\0' && lstat(path, &st) == 0 && S_ISREG(st.st_mode) &&
        st.st_uid == geteuid()) {
        unlink(path);
    }
}

/** What unlinks a path when a pool is cleared: the C library's own function,
 * which takes a pointer and returns an int as a cleanup does, since ours are
 * unloaded by then. */
static apr_status_t (*const remove_path)(void *) = (apr_status_t(*)(void *))
    unlink;

/** A restart has begun, perhaps one without this module: nobody would write to
 * the files any more.  httpd clears the log's pool when it has read the new
 * configuration; keep_files() comes before that where the module is in it. */
static void give_up_files(amgr_runtime_t *runtime, apr_pool_t *plog)
{
    if (runtime->board.path[0] != '\0') {
        apr_pool_cleanup_register(plog, runtime->board.path, remove_path,
                                  apr_pool_cleanup_null);
    }
    if (runtime->data_file[0] != '\0') {
        apr_pool_cleanup_register(plog, runtime->data_file, remove_path,
                                  apr_pool_cleanup_null);
    }
}

/** The module is there again, and so is the record of before the restart, in
 * which the paths have not moved. */
static void keep_files(amgr_runtime_t *runtime, apr_pool_t *plog)
{
    apr_pool_cleanup_kill(plog, runtime->board.path, remove_path);
    apr_pool_cleanup_kill(plog, runtime->data_file, remove_path);
}

/** The server ends, perhaps because it could not read its configuration again:
 * then nothing but the record of before the restart knows of the files.  Or it
 * is restarted, perhaps without this module. */
static apr_status_t remove_files(void *plog)
{
    amgr_runtime_t *runtime = amgr_runtime_head(ap_pglobal);

    if (is_ending()) {
        amgr_supervisor_end(); /* it writes to the board */
    }
    else {
        amgr_supervisor_tell_restart();
    }
    if (runtime == NULL || !amgr_runtime_is_parent(runtime)) {
        return APR_SUCCESS;
    }
    if (is_ending()) {
        amgr_board_file_remove(&runtime->board);
        remove_data_file(runtime->data_file);
    }
    else {
        give_up_files(runtime, plog);
    }
    return APR_SUCCESS;
}

int amgr_hook_pre_config(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp)
{
    amgr_runtime_t *runtime = amgr_runtime_head(ap_pglobal);

    (void)ptemp; /* the hook's signature */
    ap_extended_status = 1;
    if (runtime != NULL && amgr_runtime_is_parent(runtime)) {
        keep_files(runtime, plog);
    }
    apr_pool_cleanup_register(pconf, plog, remove_files, apr_pool_cleanup_null);
    return OK;
}

/** The configuration goes: at a restart, or at the end of the server.  Runs in
 * forks of other modules too, where nothing of this is theirs. */
static apr_status_t leave(void *unused)
{
    amgr_runtime_t *runtime = amgr_runtime();

    (void)unused; /* a cleanup's signature */
    if (runtime != NULL && amgr_runtime_is_parent(runtime)) {
        if (amgr_ticker_stop(runtime) && parent->control_socket != NULL) {
            /* One that had to be killed has left it. */
            amgr_socket_place_clean(parent->control_socket, geteuid());
        }
        if (parent->tick != NULL) {
            amgr_tick_destroy(parent->tick);
        }
    }
    parent = NULL;
    return APR_SUCCESS;
}

static int runs_without_monitor(void)
{
    return ap_exists_config_define("DEBUG") ||
           ap_exists_config_define("ONE_PROCESS");
}

static void publish_config(amgr_runtime_t *runtime)
{
    amgr_board_config_t published;

    memset(&published, 0, sizeof(published));
    published.limits = amgr_config_main()->limits;
    published.ticker = parent->wants_ticker;
    published.no_monitor = parent->no_monitor;
    published.can_signal = 1;
    published.can_read_proc = 1;
    amgr_board_write_config(amgr_runtime_board(runtime), &published);
}

/** Nobody ticks by the last configuration any more: this one takes over. */
static void begin(amgr_runtime_t *runtime)
{
    publish_config(runtime);
    amgr_ledger_restart(amgr_board_ledger(amgr_runtime_board(runtime)));
    runtime->ticker.retry_mono_us = 0;
    parent->begun = 1;
}

/** Note where the data file goes; one that goes elsewhere from now on would
 * stay behind with old figures. */
static void set_data_file(amgr_runtime_t *runtime, const char *path)
{
    if (path == NULL || strcmp(path, runtime->data_file) != 0) {
        remove_data_file(runtime->data_file);
    }
    apr_cpystrn(runtime->data_file, path == NULL ? "" : path,
                sizeof(runtime->data_file));
}

int amgr_hook_post_config(apr_pool_t *pconf, apr_pool_t *plog,
                          apr_pool_t *ptemp, server_rec *s)
{
    amgr_config_t *config = amgr_config_main();
    amgr_runtime_t *runtime;

    (void)plog; /* the hook's signature */
    if (ap_state_query(AP_SQ_MAIN_STATE) == AP_SQ_MS_CREATE_PRE_CONFIG) {
        return OK;
    }
    runtime = amgr_runtime_setup(s, runs_without_monitor(), pconf);
    if (runtime == NULL) {
        return OK; /* said why; the server serves without being watched */
    }
    amgr_server_start_find(runtime);
    parent = apr_pcalloc(pconf, sizeof(*parent));
    parent->pool = pconf;
    parent->no_monitor = runs_without_monitor();
    parent->control_socket = config->control_socket;
    parent->wants_ticker =
        !parent->no_monitor && amgr_config_needs_ticker(config);
    amgr_wsgi_configure(&parent->wsgi, strlen(s->process->argv[0]), pconf);
    amgr_wsgi_choose(&parent->wsgi, &config->limits);
    amgr_wsgi_check_sections(s, &parent->wsgi, &config->limits);
    apr_pool_cleanup_register(pconf, NULL, leave, apr_pool_cleanup_null);
    amgr_hazards_check(s);
    amgr_order_proof_renew(s);
    amgr_max_time_number(s, runtime, &config->limits);
    if (amgr_ticker_stop(runtime)) {
        begin(runtime);
    }
    else {
        amgr_ticker_register(runtime, pconf);
    }
    set_data_file(runtime, amgr_runtime_data_file(runtime, config, ptemp));
    amgr_server_about_publish(runtime);
    if (parent->wants_ticker && amgr_scoreboard_exists()) {
        amgr_ticker_start(s, runtime, &parent->wsgi, pconf);
    }
    amgr_gate_prepare(s, pconf);
    amgr_order_way_make(s, pconf);
    amgr_supervisor_configure(s, runtime, parent->no_monitor);
    return OK;
}

int amgr_hook_pre_mpm(apr_pool_t *p, ap_scoreboard_e type)
{
    amgr_runtime_t *runtime = amgr_runtime();

    (void)p; /* the hook's signature */
    amgr_server_start_note();
    if (runtime != NULL && amgr_runtime_is_parent(runtime)) {
        amgr_server_about_publish(runtime); /* the start is known from now on */
        amgr_supervisor_start(ap_server_conf, runtime);
    }
    if (type != SB_NOT_SHARED && runtime != NULL && parent != NULL &&
        parent->wants_ticker) {
        /* One that post_config has forked knows of the last start alone. */
        if (runtime->ticker.pid != 0 && amgr_ticker_stop(runtime)) {
            runtime->ticker.retry_mono_us = 0;
        }
        amgr_ticker_start(ap_server_conf, runtime, &parent->wsgi, parent->pool);
    }
    return OK;
}

/** The hook's own tick, when it is due. */
static void tick_in_parent(server_rec *s, amgr_runtime_t *runtime)
{
    apr_time_t now_us = amgr_clock_monotonic_us();
    apr_interval_time_t interval_us = amgr_config_main()->limits.interval_us;

    if (interval_us < AMGR_HOOK_INTERVAL_US) {
        interval_us = AMGR_HOOK_INTERVAL_US;
    }
    if (parent->tick_mono_us != 0 &&
        now_us - parent->tick_mono_us < interval_us - EARLY_US) {
        if (parent->tick != NULL) {
            amgr_tick_refresh(parent->tick);
        }
        return;
    }
    if (parent->tick == NULL) {
        parent->tick =
            amgr_tick_create(s, runtime, &parent->wsgi, 0, parent->pool);
    }
    parent->tick_mono_us = now_us;
    if (parent->tick != NULL) {
        amgr_tick_resume(parent->tick);
        amgr_tick_run(parent->tick);
    }
    else if (!parent->no_tick) {
        parent->no_tick = 1;
        amgr_log(s, AMGR_TAG_FAILED, APLOG_ERR, 0,
                 "no memory for a tick: nothing is watched until there is");
    }
}

/** Children that were forked when no descriptor was left, and those that have
 * ended and nobody said so. */
static void mend_children(const amgr_runtime_t *runtime)
{
    amgr_children_t *children = amgr_runtime_children(runtime);
    amgr_proc_dir_t proc;

    amgr_children_drop_reaped(children);
    if (amgr_children_lack_start(children) &&
        amgr_proc_dir_open(&proc, "/proc") == APR_SUCCESS) {
        amgr_children_complete(children, &proc);
        amgr_proc_dir_close(&proc);
    }
}

int amgr_hook_monitor(apr_pool_t *p, server_rec *s)
{
    amgr_runtime_t *runtime = amgr_runtime();

    (void)p; /* pconf: nothing that comes from it would ever be freed */
    if (runtime == NULL || parent == NULL || !amgr_runtime_is_parent(runtime)) {
        return DECLINED;
    }
    mend_children(runtime);
    amgr_supervisor_check(s, runtime);
    if (amgr_ticker_check(s, runtime)) {
        return DECLINED;
    }
    if (!parent->begun) {
        begin(runtime);
    }
    tick_in_parent(s, runtime);
    if (parent->wants_ticker) {
        amgr_ticker_start(s, runtime, &parent->wsgi, parent->pool);
    }
    return DECLINED;
}

void amgr_hook_child_status(server_rec *s, pid_t pid, ap_generation_t gen,
                            int slot, mpm_child_status status)
{
    amgr_runtime_t *runtime = amgr_runtime();
    amgr_child_t child = {.id = {pid, 0},
                          .slot = slot,
                          .generation = gen,
                          .columns = amgr_scoreboard_used_columns()};
    amgr_children_t *children;
    amgr_proc_dir_t proc;

    if (runtime == NULL || !amgr_runtime_is_parent(runtime)) {
        return;
    }
    children = amgr_runtime_children(runtime);
    switch (status) {
    case MPM_CHILD_STARTED:
        if (amgr_proc_dir_open(&proc, "/proc") != APR_SUCCESS) {
            proc.fd = -1;
        }
        if (amgr_children_add(children, &proc, &child) == APR_ENOSPC) {
            amgr_log(s, AMGR_TAG_TABLE_FULL, APLOG_WARNING, 0,
                     "the table of children is full: worker %" APR_PID_T_FMT
                     " (slot %d) is not watched",
                     pid, slot);
        }
        amgr_proc_dir_close(&proc);
        break;
    case MPM_CHILD_EXITED:
        amgr_children_remove(children, pid);
        break;
    case MPM_CHILD_LOST_SLOT:
        amgr_children_lose_slot(children, pid);
        break;
    default:
        break;
    }
}

void amgr_hook_child_init(apr_pool_t *p, server_rec *s)
{
    (void)s; /* the hook's signature */
    amgr_runtime_enter_child();
    amgr_drain_enter_child(p);
}

void amgr_hook_child_stopping(apr_pool_t *p, int graceful)
{
    const amgr_runtime_t *runtime = amgr_runtime();
    pid_t self = getpid();
    int row;

    (void)p; /* the hook's signature */
    (void)graceful;
    amgr_drain_leave_child();
    if (runtime == NULL || !ap_exists_scoreboard_image()) {
        return;
    }
    for (row = 0; row < runtime->server_limit; row++) {
        if (ap_get_scoreboard_process(row)->pid == self) {
            amgr_mailbox_say_stopping(&runtime->mailbox, row, self);
            return;
        }
    }
}
