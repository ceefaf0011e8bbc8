/* SPDX-License-Identifier: Apache-2.0
 *
 * The kill run: by the ticker where it listens, else by this program itself.
 */
#include <string.h>
#include <unistd.h>

#include <apr_strings.h>

#include "cli/kill/control_client.h"
#include "cli/kill/kill_run.h"
#include "cli/kill/self_kill.h"
#include "cli/local/local_address.h"
#include "cli/local/local_server.h"
#include "cli/message.h"
#include "cli/source/source_url.h"
#include "cli/tasks.h"

/* More names of one answer say nothing more to anybody. */
#define VETOES_NAMED_MAX 10

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

/* What the ticker has done, as its answer tells. */
static void take_answer(amgr_kill_run_t *run,
                        const amgr_control_answer_t *answer)
{
    int i;

    run->workers = answer->workers;
    run->count = answer->retirement_count;
    run->victims = apr_pcalloc(run->pool, (apr_size_t)(run->count + 1) *
                                              sizeof(run->victims[0]));
    for (i = 0; i < run->count; i++) {
        const amgr_control_retirement_t *from = &answer->retirements[i];
        amgr_victim_t *victim = &run->victims[i];

        victim->id = from->id;
        victim->native = from->native;
        victim->active = from->active;
        victim->outcome = from->outcome;
    }
}

/* Whom the ticker left alone, and what else it has no line for. */
static void tell_rest(amgr_kill_run_t *run, const amgr_control_answer_t *answer)
{
    int i;

    run->vetoed = answer->vetoed_count;
    run->unlisted = answer->unlisted;
    for (i = 0; i < answer->vetoed_count && i < VETOES_NAMED_MAX; i++) {
        amgr_message(AMGR_LEVEL_NOTICE,
                     "worker %ld is left alone: another module protects it",
                     (long)answer->vetoed[i]);
    }
    if (answer->vetoed_count > VETOES_NAMED_MAX) {
        amgr_message(AMGR_LEVEL_NOTICE, "and so are %d more",
                     answer->vetoed_count - VETOES_NAMED_MAX);
    }
    if (answer->unlisted > 0) {
        amgr_message(AMGR_LEVEL_NOTICE,
                     "%d more %s not listed here and not counted below: see "
                     "the server's log",
                     answer->unlisted, answer->unlisted == 1 ? "is" : "are");
    }
}

/* The ticker sees its retirements through; here is only waited for it. */
static void look(amgr_kill_run_t *run, void *baton)
{
    int i;

    (void)baton; /* there is none */
    for (i = 0; i < run->count; i++) {
        amgr_victim_t *victim = &run->victims[i];

        if (victim->outcome == AMGR_OUTCOME_PENDING &&
            !amgr_proc_is_alive(run->proc, &victim->id)) {
            victim->outcome = AMGR_OUTCOME_GONE;
            amgr_message(AMGR_LEVEL_VERBOSE, "worker %ld is gone",
                         (long)victim->id.pid);
        }
    }
}

/* The lame duck comes before the grace period. */
static apr_interval_time_t span_of(const amgr_source_t *source,
                                   const amgr_control_answer_t *answer)
{
    apr_interval_time_t lame_duck_us = source->view.config->limits.lame_duck_us;

    return answer->grace_us + (source->kind == AMGR_SOURCE_BOARD &&
                                       lame_duck_us > 0 &&
                                       lame_duck_us != AMGR_LIMIT_OFF
                                   ? lame_duck_us
                                   : 0);
}

static void see_answer_through(amgr_kill_run_t *run,
                               const amgr_source_t *source,
                               const amgr_control_answer_t *answer)
{
    int at_once = 0;
    int i;

    take_answer(run, answer);
    for (i = 0; i < run->count; i++) {
        const amgr_control_retirement_t *from = &answer->retirements[i];

        amgr_kill_tell(run, &run->victims[i], from->line, !answer->syslog);
        at_once += from->outcome == AMGR_OUTCOME_PENDING &&
                   from->action == AMGR_ACTION_KILL;
    }
    amgr_kill_tell_at_once(at_once);
    tell_rest(run, answer);
    if (run->count > 0) {
        amgr_kill_warn_serving(run, source->view.snapshot);
    }
    amgr_kill_wait(run, span_of(source, answer), look, NULL);
}

/* By the ticker; non-zero when that is settled, with a fault or without. */
static int kill_by_ticker(amgr_kill_run_t *run, const amgr_demand_t *demand,
                          const amgr_source_t *source,
                          const amgr_fault_t **out_fault)
{
    const char *by_itself = run->options->dry_run ? "judges" : "kills";
    amgr_control_result_e result;
    amgr_control_answer_t answer;
    const char *path;
    const char *why;

    *out_fault = NULL;
    if (source->control_socket == NULL) {
        amgr_message(AMGR_LEVEL_INFO,
                     "no control socket (ManagerSocket): this program %s by "
                     "itself",
                     by_itself);
        return 0;
    }
    path = amgr_kill_escaped(source->control_socket, run->pool);
    result =
        amgr_control_ask(source->control_socket, &source->parent, demand,
                         AMGR_CONTROL_TIMEOUT_US, &answer, &why, run->pool);
    if (result == AMGR_CONTROL_DONE) {
        see_answer_through(run, source, &answer);
        return 1;
    }
    if (result == AMGR_CONTROL_REFUSED) {
        *out_fault = amgr_fault_make(run->pool, AMGR_EXIT_FAILED,
                                     "the ticker behind %s does not obey: %s",
                                     path, why);
        return 1;
    }
    /* It drops the order of somebody who has hung up, but not one that it is
     * in the middle of: both would obey, and so many twice are too many. */
    if (result == AMGR_CONTROL_LATE && demand->max_kills > 0 &&
        !demand->dry_run) {
        *out_fault = amgr_fault_make(
            run->pool, AMGR_EXIT_FAILED,
            "control socket %s: %s, and may obey yet: nothing was killed here, "
            "lest --max-kills be exceeded",
            path, why);
        return 1;
    }
    amgr_message(AMGR_LEVEL_WARNING,
                 "control socket %s: %s: this program %s by itself", path, why,
                 by_itself);
    return 0;
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
    if (kill_by_ticker(run, &demand, source, &fault)) {
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
