/* SPDX-License-Identifier: Apache-2.0
 *
 * apache-manager, the command line tool: reads what is asked for, does it task
 * by task in the order of the original, and answers with an exit code.
 */
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include <apr_general.h>
#include <apr_strings.h>

#include "cli/hanging.h"
#include "cli/message.h"
#include "cli/output.h"
#include "cli/tasks.h"

/** One run: what is asked for, and what came of it so far. */
typedef struct run_t {
    amgr_options_t options;
    amgr_target_t target;
    amgr_kill_result_t killed;
    int exit_code;
    const char *said; /**< the last fault; two tasks may find the same one */
    apr_pool_t *pool; /**< of one task */
    apr_pool_t *whole;
} run_t;

/* A file that took the place of a missing standard output would be written
 * over.  What stands there instead refuses to be written. */
static void keep_standard_descriptors(void)
{
    int fd;

    do {
        fd = open("/dev/null", O_RDONLY);
    } while (fd >= 0 && fd <= STDERR_FILENO);
    if (fd >= 0) {
        close(fd);
    }
}

/* The first failure decides; that something hangs is known only when nothing
 * failed. */
static void note_fault(run_t *run, const amgr_fault_t *fault)
{
    if (fault == NULL) {
        return;
    }
    if (fault->text[0] != '\0' &&
        (run->said == NULL || strcmp(run->said, fault->text) != 0)) {
        run->said = apr_pstrdup(run->whole, fault->text);
        amgr_message(fault->exit_code == AMGR_EXIT_ATTENTION
                         ? AMGR_LEVEL_WARNING
                         : AMGR_LEVEL_ERROR,
                     "%s", fault->text);
    }
    if (run->exit_code == AMGR_EXIT_OK ||
        run->exit_code == AMGR_EXIT_ATTENTION) {
        run->exit_code = fault->exit_code;
    }
}

static void note_attention(run_t *run, const amgr_source_t *source, int counts)
{
    const char *remark = amgr_source_remark(source);

    if (remark != NULL) {
        amgr_message(AMGR_LEVEL_WARNING, "%s", remark);
    }
    if (counts && amgr_source_needs_attention(source) &&
        run->exit_code == AMGR_EXIT_OK) {
        run->exit_code = AMGR_EXIT_ATTENTION;
    }
}

static const amgr_fault_t *read_source(run_t *run, int wants,
                                       amgr_source_t *out)
{
    const amgr_fault_t *fault =
        amgr_source_read(&run->target, wants, out, run->pool);

    if (fault == NULL) {
        amgr_message(AMGR_LEVEL_VERBOSE, "read from %s (%s)",
                     amgr_fault_quote(run->pool, out->name),
                     amgr_source_word(out->kind));
        amgr_hanging_judge(out, run->options.hanging_us, run->pool);
    }
    return fault;
}

static const amgr_fault_t *do_report(run_t *run)
{
    amgr_source_t source;
    const amgr_fault_t *fault = read_source(
        run, AMGR_WANT_PROCESSES | AMGR_WANT_SLOTS | AMGR_WANT_MEMORY, &source);

    if (fault == NULL) {
        amgr_task_report(&run->options, &source);
        /* Whoever has a file written asks for no more than that. */
        note_attention(run, &source,
                       (run->options.tasks & AMGR_TASK_COLLECT) == 0);
    }
    return fault;
}

static const amgr_fault_t *do_json(run_t *run)
{
    amgr_source_t source;
    const amgr_fault_t *fault =
        read_source(run, AMGR_WANT_ALL | AMGR_WANT_NOW, &source);

    if (fault == NULL) {
        fault = amgr_task_json(&source, run->pool);
    }
    if (fault == NULL) {
        note_attention(run, &source, 1);
    }
    return fault;
}

static const amgr_fault_t *do_processes(run_t *run)
{
    amgr_source_t source;
    const amgr_fault_t *fault =
        read_source(run, AMGR_WANT_NOW | AMGR_WANT_MANAGED, &source);

    if (fault == NULL) {
        fault = amgr_task_processes(&run->options, &source, run->pool);
    }
    /* Of the server's own workers it says nothing. */
    if (fault == NULL && amgr_source_misses_process(&source) &&
        run->exit_code == AMGR_EXIT_OK) {
        run->exit_code = AMGR_EXIT_ATTENTION;
    }
    return fault;
}

static const amgr_fault_t *do_status(run_t *run)
{
    amgr_source_t source;
    const amgr_fault_t *fault =
        read_source(run, AMGR_WANT_NOW | AMGR_WANT_MANAGED, &source);

    return fault != NULL ? fault
                         : amgr_task_status(&run->options, &source, run->pool);
}

static const amgr_fault_t *do_collect(run_t *run)
{
    const amgr_options_t *options = &run->options;
    amgr_source_t source;
    const amgr_fault_t *fault;

    if (options->dry_run && strcmp(options->data_file, "-") != 0) {
        amgr_message(AMGR_LEVEL_VERBOSE, "%s is not written in a dry run",
                     amgr_fault_quote(run->pool, options->data_file));
        return NULL;
    }
    fault = read_source(
        run, AMGR_WANT_PROCESSES | AMGR_WANT_SLOTS | AMGR_WANT_NOW, &source);
    return fault != NULL
               ? fault
               : amgr_task_collect(options, &source, &run->killed, run->pool);
}

static const amgr_fault_t *do_task(run_t *run, int task)
{
    const amgr_options_t *options = &run->options;

    switch (task) {
    case AMGR_TASK_KILL:
        return amgr_task_kill(options, &run->target, &run->killed, run->pool);
    case AMGR_TASK_ORDER:
        return amgr_task_order(options, &run->target, run->pool);
    case AMGR_TASK_WATCH:
        return amgr_task_watch(options, &run->target, run->pool);
    case AMGR_TASK_DISCOVERY:
        return amgr_task_discovery(options, run->pool);
    case AMGR_TASK_JSON:
        return do_json(run);
    case AMGR_TASK_PROCESSES:
        return do_processes(run);
    case AMGR_TASK_STATUS:
        return do_status(run);
    case AMGR_TASK_TREE:
        return amgr_task_tree(options, &run->target, run->pool);
    case AMGR_TASK_REPORT:
        return do_report(run);
    default:
        return do_collect(run);
    }
}

/* As the original: what fails ends the run, but figures are collected all the
 * same. */
static void do_tasks(run_t *run)
{
    int tasks = run->options.tasks;
    int task;

    if (run->options.dry_run) {
        amgr_message(AMGR_LEVEL_INFO, "Performing a dry run ..");
    }
    if (run->options.tasks & (AMGR_TASK_PROCESSES | AMGR_TASK_STATUS)) {
        tasks &= ~AMGR_TASK_JSON; /* it is how these are told */
    }
    for (task = AMGR_TASK_KILL; task <= AMGR_TASK_COLLECT; task <<= 1) {
        const amgr_fault_t *fault;

        if ((tasks & task) == 0 || (run->exit_code != AMGR_EXIT_OK &&
                                    run->exit_code != AMGR_EXIT_ATTENTION &&
                                    task != AMGR_TASK_COLLECT)) {
            continue;
        }
        fault = do_task(run, task);
        note_fault(run, fault);
        note_fault(run, amgr_output_flush(run->pool));
        apr_pool_clear(run->pool);
    }
}

static int run_all(run_t *run, int argc, const char *const *argv)
{
    note_fault(run, amgr_options_read(&run->options, argc, argv, run->whole));
    if (run->exit_code != AMGR_EXIT_OK) {
        return run->exit_code;
    }
    run->target.url = run->options.url;
    run->target.timeout_us = AMGR_SOURCE_TIMEOUT_US;
    apr_pool_create(&run->pool, run->whole);
    if (run->options.tasks & AMGR_TASK_HELP) {
        amgr_options_help();
    }
    else if (run->options.tasks & AMGR_TASK_VERSION) {
        amgr_sink_puts(amgr_output(), "apache-manager " AMGR_VERSION "\n");
    }
    else {
        do_tasks(run);
    }
    note_fault(run, amgr_output_finish(run->whole));
    return run->exit_code;
}

int main(int argc, const char *const *argv)
{
    run_t run;

    keep_standard_descriptors();
    /* A reader that went away, and a file that may not grow, are errors of
     * writing: told of, and cleaned up after. */
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN);
    memset(&run, 0, sizeof(run));
    if (apr_initialize() != APR_SUCCESS ||
        apr_pool_create(&run.whole, NULL) != APR_SUCCESS) {
        amgr_message(AMGR_LEVEL_ERROR, "no memory");
        return AMGR_EXIT_FAILED;
    }
    return run_all(&run, argc, argv);
}
