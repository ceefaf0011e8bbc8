/* SPDX-License-Identifier: Apache-2.0
 *
 * Orders for managed processes.  All of them are given before any is waited
 * for, so that those that come after others are not waited for in vain; but
 * what others need is stopped when those have ended.
 */
#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "cli/order/order_target.h"
#include "cli/order/order_words.h"
#include "cli/output.h"
#include "cli/tasks.h"

typedef struct job_t {
    const amgr_managed_t *process;
    amgr_order_outcome_t outcome;
    int is_given;
} job_t;

typedef struct orders_t {
    const amgr_options_t *options;
    amgr_order_target_t target;
    job_t jobs[AMGR_MANAGED_MAX];
    int job_count;
    apr_time_t deadline_us;
    int exit_code;
    apr_pool_t *pool;
} orders_t;

static void add_job(orders_t *orders, const amgr_managed_t *process)
{
    job_t *job;
    int i;

    for (i = 0; i < orders->job_count; i++) {
        if (orders->jobs[i].process == process) {
            return;
        }
    }
    job = &orders->jobs[orders->job_count++];
    job->process = process;
    job->outcome.verb = orders->options->verb;
    job->outcome.name = process->name;
    job->outcome.wait_us = orders->options->wait_us;
}

/* Nothing is ordered when one of the names is wrong. */
static const amgr_fault_t *list_jobs(orders_t *orders)
{
    const amgr_managed_table_t *table = orders->target.table;
    const amgr_fault_t *fault = NULL;
    int i;
    int k;

    for (i = 0; i < orders->options->name_count && fault == NULL; i++) {
        const char *name = orders->options->names[i];

        if (strcmp(name, AMGR_NAME_ALL) == 0) {
            for (k = 0; k < table->count; k++) {
                add_job(orders, &table->processes[k]);
            }
        }
        else {
            const amgr_managed_t *process =
                amgr_order_target_process(table, name, &fault, orders->pool);

            if (process != NULL) {
                add_job(orders, process);
            }
        }
    }
    return fault;
}

/* Why there is no answer. */
static const amgr_fault_t *fault_of(const orders_t *orders, apr_status_t rv)
{
    const char *path = amgr_fault_quote(orders->pool, orders->target.socket);

    switch (rv) {
    case ENOENT:
    case ENOTDIR:
    case ECONNREFUSED:
        return amgr_fault_make(orders->pool, AMGR_EXIT_FAILED,
                               "nobody takes orders at %s: the supervisor of "
                               "managed processes does not run, or begins anew",
                               path);
    case EACCES:
    case EPERM:
    case APR_EMISMATCH:
        return amgr_fault_make(orders->pool, AMGR_EXIT_PERMISSION,
                               "this user may not give orders at %s, or "
                               "somebody else listens there",
                               path);
    case APR_TIMEUP:
        return amgr_fault_make(orders->pool, AMGR_EXIT_FAILED,
                               "no answer from %s: the order may have been "
                               "carried out",
                               path);
    case APR_EGENERAL:
        return amgr_fault_make(orders->pool, AMGR_EXIT_FAILED,
                               "no sensible answer from %s: the order may have "
                               "been carried out",
                               path);
    default:
        return amgr_fault_make(orders->pool, AMGR_EXIT_FAILED, "%s: %s", path,
                               amgr_fault_reason(orders->pool, rv));
    }
}

static const amgr_fault_t *ask(const orders_t *orders, const char *verb,
                               int wait_ms, job_t *job)
{
    apr_status_t rv = amgr_order_ask_user(
        orders->target.socket, orders->target.uid, verb, job->process->name, 0,
        wait_ms, &job->outcome.answer);

    return rv == APR_SUCCESS ? NULL : fault_of(orders, rv);
}

static const amgr_fault_t *give(orders_t *orders, job_t *job)
{
    const amgr_order_answer_t *answer = &job->outcome.answer;
    const amgr_fault_t *fault = ask(orders, orders->options->verb, 0, job);

    job->is_given = 1;
    job->outcome.was_so = answer->already && answer->settled;
    return fault;
}

/* Whether nothing that was ordered beside it can change it any more, as the
 * start of what it waits for does. */
static int is_final(const job_t *job)
{
    const amgr_order_answer_t *answer = &job->outcome.answer;

    return !answer->ok ||
           (answer->settled && !amgr_order_is_held(&job->outcome));
}

/* Not by the order again, which a process that was quick would obey twice. */
static const amgr_fault_t *wait_for(orders_t *orders, job_t *job)
{
    apr_time_t left_us = orders->deadline_us - amgr_clock_monotonic_us();

    if (is_final(job) || orders->options->wait_us == 0) {
        return NULL;
    }
    return ask(orders, "status", left_us > 0 ? (int)(left_us / 1000) : 0, job);
}

static void show(orders_t *orders, const job_t *job)
{
    int code = amgr_order_write_outcome(&job->outcome, amgr_output());

    if (code == AMGR_EXIT_FAILED || orders->exit_code == AMGR_EXIT_OK) {
        orders->exit_code = code;
    }
}

/* Whether another one that comes after it is still to be stopped; by way of one
 * that nobody stops, too. */
static int is_needed(const orders_t *orders, const job_t *job)
{
    apr_int32_t id = job->process->id;
    apr_uint64_t bit;
    int i;

    if (id < 1 || id > AMGR_MANAGED_MAX) {
        return 0;
    }
    bit = APR_UINT64_C(1) << (id - 1);
    for (i = 0; i < orders->job_count; i++) {
        const job_t *other = &orders->jobs[i];

        if (!other->is_given && other != job &&
            (amgr_managed_after_all(orders->target.table, other->process) &
             bit) != 0) {
            return 1;
        }
    }
    return 0;
}

/* Those whose turn it is; all of the rest where there is none, as in a table
 * that makes no sense. */
static int take_batch(orders_t *orders, job_t **batch)
{
    int is_stop = strcmp(orders->options->verb, "stop") == 0;
    int count = 0;
    int pass;
    int i;

    for (pass = 0; pass < 2 && count == 0; pass++) {
        for (i = 0; i < orders->job_count; i++) {
            job_t *job = &orders->jobs[i];

            if (!job->is_given &&
                (pass == 1 || !is_stop || !is_needed(orders, job))) {
                batch[count++] = job;
            }
        }
    }
    return count;
}

static const amgr_fault_t *give_all(orders_t *orders)
{
    const amgr_fault_t *fault = NULL;
    job_t *batch[AMGR_MANAGED_MAX];
    int count;
    int i;

    orders->deadline_us = amgr_clock_monotonic_us() + orders->options->wait_us;
    while (fault == NULL && (count = take_batch(orders, batch)) > 0) {
        for (i = 0; i < count && fault == NULL; i++) {
            fault = give(orders, batch[i]);
        }
        for (i = 0; i < count && fault == NULL; i++) {
            fault = wait_for(orders, batch[i]);
            if (fault == NULL) {
                show(orders, batch[i]);
            }
        }
    }
    return fault;
}

static void show_dry(const orders_t *orders)
{
    int i;

    for (i = 0; i < orders->job_count; i++) {
        const amgr_managed_t *process = orders->jobs[i].process;

        amgr_sink_printf(amgr_output(), "%s: would %s (%s)\n",
                         amgr_fault_quote(orders->pool, process->name),
                         orders->options->verb,
                         amgr_managed_state_word(process->state));
    }
}

const amgr_fault_t *amgr_task_order(const amgr_options_t *options,
                                    const amgr_target_t *target,
                                    apr_pool_t *pool)
{
    orders_t *orders = apr_pcalloc(pool, sizeof(*orders));
    const amgr_fault_t *fault;

    orders->options = options;
    orders->pool = pool;
    fault = amgr_order_target_find(target, &orders->target, pool);
    if (fault == NULL) {
        fault = list_jobs(orders);
    }
    if (fault != NULL) {
        return fault;
    }
    if (options->dry_run) {
        show_dry(orders);
        return NULL;
    }
    fault = give_all(orders);
    if (fault != NULL || orders->exit_code == AMGR_EXIT_OK) {
        return fault;
    }
    return amgr_fault_make(pool, orders->exit_code, "%s", "");
}
