/* SPDX-License-Identifier: Apache-2.0
 *
 * The kill run: by the ticker where it listens, else by this program itself.
 */
#include <string.h>
#include <unistd.h>

#include <apr_strings.h>

#include "cli/kill/kill_run.h"
#include "cli/kill/self_kill.h"
#include "cli/kill/ticker_kill.h"
#include "cli/local/local_address.h"
#include "cli/local/local_server.h"
#include "cli/message.h"
#include "cli/source/source_url.h"
#include "cli/tasks.h"

static void make_demand(const amgr_options_t *options, amgr_demand_t *demand)
{
    amgr_demand_init(demand);
    demand->max_memory_active_bytes = options->max_memory_active_bytes;
    demand->max_memory_idle_bytes = options->max_memory_idle_bytes;
    demand->max_time_us = options->max_time_us;
    demand->max_kills =
        options->max_kills == AMGR_KILLS_UNLIMITED ? 0 : options->max_kills;
    demand->dry_run = options->dry_run != 0;
}

static int is_limited(const amgr_options_t *options)
{
    return options->max_memory_active_bytes != AMGR_LIMIT_OFF ||
           options->max_memory_idle_bytes != AMGR_LIMIT_OFF ||
           options->max_time_us != AMGR_LIMIT_OFF;
}

/* Why nobody knows the httpd: it is elsewhere, it is none, or it is somebody
 * else's to know. */
static const amgr_fault_t *fault_no_parent(const amgr_target_t *target,
                                           const amgr_source_t *source,
                                           apr_pool_t *pool)
{
    const char *name = amgr_kill_escaped(source->name, pool);
    int denied = geteuid() != 0;
    amgr_local_server_t server;
    amgr_source_url_t url;

    if (target->url != NULL) {
        if (amgr_source_url_parse(target->url, &url, pool) != NULL ||
            !amgr_local_server_is_here(url.host, pool)) {
            return amgr_fault_make(
                pool, AMGR_EXIT_FAILED,
                "the server of %s is not on this machine: nothing was killed",
                name);
        }
        denied = denied && APR_STATUS_IS_EACCES(amgr_local_server_at(
                               url.host, url.port, &server, pool));
    }
    return denied
               ? amgr_fault_make(pool, AMGR_EXIT_PERMISSION,
                                 "this user may not know which process serves "
                                 "%s: nothing was killed",
                                 name)
               : amgr_fault_make(pool, AMGR_EXIT_FAILED,
                                 "no httpd of this machine serves %s: nothing "
                                 "was killed",
                                 name);
}

static const amgr_fault_t *read_source(const amgr_target_t *target,
                                       amgr_source_t *source, apr_pool_t *pool)
{
    const amgr_fault_t *fault = amgr_source_read(
        target, AMGR_WANT_PROCESSES | AMGR_WANT_SLOTS | AMGR_WANT_NOW, source,
        pool);

    if (fault == NULL) {
        fault = amgr_source_check(source, pool);
    }
    if (fault == NULL && source->parent.pid == 0) {
        fault = fault_no_parent(target, source, pool);
    }
    return fault;
}

static const amgr_fault_t *kill_all(amgr_kill_run_t *run,
                                    const amgr_target_t *target,
                                    amgr_source_t *source,
                                    amgr_kill_result_t *out)
{
    const amgr_fault_t *fault;
    amgr_demand_t demand;

    make_demand(run->options, &demand);
    amgr_kill_warn_limits(run->options, source->view.snapshot);
    if (amgr_ticker_kill(run, &demand, target, source, &fault)) {
        out->counted = !run->options->dry_run;
    }
    else {
        /* Seconds may have gone by with waiting for the ticker. */
        fault = source->control_socket == NULL
                    ? NULL
                    : read_source(target, source, run->pool);
        if (fault == NULL) {
            fault = amgr_self_kill(run, &demand, target, source);
        }
    }
    return fault != NULL ? fault : amgr_kill_finish(run, out);
}

/* There is nothing to do, and yet a server that is down is no success. */
static const amgr_fault_t *kill_none(const amgr_options_t *options,
                                     const amgr_target_t *target,
                                     amgr_source_t *source, apr_pool_t *pool)
{
    const amgr_fault_t *fault =
        amgr_source_read(target, AMGR_WANT_NOW, source, pool);

    if (fault == NULL) {
        amgr_message(AMGR_LEVEL_INFO, "No Apache %s (no limits are set).",
                     options->dry_run ? "workers to kill" : "workers killed");
        amgr_message(AMGR_LEVEL_INFO,
                     "limits are set by -a, -i, -t, or in a settings file such "
                     "as /etc/apache-manager.ini");
    }
    return fault;
}

const amgr_fault_t *amgr_task_kill(const amgr_options_t *options,
                                   const amgr_target_t *target,
                                   amgr_kill_result_t *out, apr_pool_t *pool)
{
    amgr_source_t *source = apr_pcalloc(pool, sizeof(*source));
    const amgr_fault_t *fault;
    amgr_kill_run_t run;
    amgr_proc_dir_t proc;

    memset(out, 0, sizeof(*out));
    if (!is_limited(options)) {
        return kill_none(options, target, source, pool);
    }
    fault = read_source(target, source, pool);
    if (fault != NULL) {
        return fault;
    }
    if (amgr_proc_dir_open(&proc, "/proc") != APR_SUCCESS) {
        return amgr_fault_make(pool, AMGR_EXIT_FAILED, "/proc is not there");
    }
    memset(&run, 0, sizeof(run));
    run.options = options;
    run.proc = &proc;
    run.pool = pool;
    fault = kill_all(&run, target, source, out);
    amgr_proc_dir_close(&proc);
    return fault;
}
