/* SPDX-License-Identifier: Apache-2.0
 *
 * Managed processes: words, and what everybody asks of their table.
 */
#include "model/managed.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

/* The text in an array of its own size ends. */
#define END(text) ((text)[sizeof(text) - 1] = '\0')

#define EXIT_CODE_MAX 255
#define SIGNAL_MAX 64

static const char *const state_words[AMGR_MANAGED_STATE_COUNT] = {
    [AMGR_MANAGED_STOPPED] = "STOPPED", [AMGR_MANAGED_STARTING] = "STARTING",
    [AMGR_MANAGED_RUNNING] = "RUNNING", [AMGR_MANAGED_READY] = "READY",
    [AMGR_MANAGED_BACKOFF] = "BACKOFF", [AMGR_MANAGED_STOPPING] = "STOPPING",
    [AMGR_MANAGED_EXITED] = "EXITED",   [AMGR_MANAGED_FATAL] = "FATAL",
};

static const char *const exit_words[AMGR_MANAGED_EXIT_COUNT] = {
    [AMGR_MANAGED_EXIT_CLEAN] = "clean",
    [AMGR_MANAGED_EXIT_CODE] = "code",
    [AMGR_MANAGED_EXIT_SIGNAL] = "signal",
    [AMGR_MANAGED_EXIT_EXEC] = "exec",
    [AMGR_MANAGED_EXIT_START_TIMEOUT] = "start_timeout",
    [AMGR_MANAGED_EXIT_UNHEALTHY] = "unhealthy",
    [AMGR_MANAGED_EXIT_MEMORY] = "memory",
    [AMGR_MANAGED_EXIT_ORDERED] = "ordered",
    [AMGR_MANAGED_EXIT_LOST] = "lost",
};

/* As people read them; NULL where the code or the signal says it all. */
static const char *const end_words[AMGR_MANAGED_EXIT_COUNT] = {
    [AMGR_MANAGED_EXIT_EXEC] = "could not be started",
    [AMGR_MANAGED_EXIT_START_TIMEOUT] = "not ready in time",
    [AMGR_MANAGED_EXIT_UNHEALTHY] = "unhealthy",
    [AMGR_MANAGED_EXIT_MEMORY] = "over MaxMemory",
    [AMGR_MANAGED_EXIT_ORDERED] = "stopped",
    [AMGR_MANAGED_EXIT_LOST] = "its guard was gone",
};

static const struct {
    int number;
    const char *name;
} signals[] = {
    {SIGHUP, "HUP"},       {SIGINT, "INT"},   {SIGQUIT, "QUIT"},
    {SIGILL, "ILL"},       {SIGTRAP, "TRAP"}, {SIGABRT, "ABRT"},
    {SIGBUS, "BUS"},       {SIGFPE, "FPE"},   {SIGKILL, "KILL"},
    {SIGUSR1, "USR1"},     {SIGSEGV, "SEGV"}, {SIGUSR2, "USR2"},
    {SIGPIPE, "PIPE"},     {SIGALRM, "ALRM"}, {SIGTERM, "TERM"},
    {SIGXCPU, "XCPU"},     {SIGXFSZ, "XFSZ"}, {SIGVTALRM, "VTALRM"},
    {SIGWINCH, "WINCH"},   {SIGPROF, "PROF"}, {SIGIO, "IO"},
    {SIGSTKFLT, "STKFLT"}, {SIGPWR, "PWR"},   {SIGSYS, "SYS"},
};

static const char *const want_words[AMGR_MANAGED_WANT_COUNT] = {
    [AMGR_MANAGED_WANT_DOWN] = "down",
    [AMGR_MANAGED_WANT_UP] = "up",
};

static const char *const application_words[AMGR_APPLICATION_COUNT] = {
    [AMGR_APPLICATION_STARTING] = "starting",
    [AMGR_APPLICATION_RUNNING] = "running",
    [AMGR_APPLICATION_DEGRADED] = "degraded",
    [AMGR_APPLICATION_SHUTDOWN] = "shutdown",
};

static int is_one_of(int value, int count)
{
    return value >= 0 && value < count;
}

static const char *word_of(const char *const *words, int count, int value)
{
    return is_one_of(value, count) ? words[value] : "unknown";
}

const char *amgr_managed_state_word(int state)
{
    return word_of(state_words, AMGR_MANAGED_STATE_COUNT, state);
}

const char *amgr_managed_exit_word(int cause)
{
    return word_of(exit_words, AMGR_MANAGED_EXIT_COUNT, cause);
}

void amgr_signal_text(int number, char out[AMGR_SIGNAL_LEN])
{
    apr_size_t i;

    snprintf(out, AMGR_SIGNAL_LEN, "signal %d", number);
    for (i = 0; i < AMGR_COUNT(signals); i++) {
        if (signals[i].number == number) {
            snprintf(out, AMGR_SIGNAL_LEN, "SIG%s", signals[i].name);
        }
    }
}

void amgr_managed_end_text(const amgr_managed_t *process,
                           char out[AMGR_MANAGED_END_LEN])
{
    const char *word =
        word_of(end_words, AMGR_MANAGED_EXIT_COUNT, process->exit_cause);
    char how[AMGR_SIGNAL_LEN] = "";

    if (process->exit_signal > 0) {
        amgr_signal_text(process->exit_signal, how);
    }
    else if (process->exit_code >= 0) {
        snprintf(how, sizeof(how), "code %d", process->exit_code);
    }
    if (word != NULL) {
        snprintf(out, AMGR_MANAGED_END_LEN, how[0] == '\0' ? "%s" : "%s (%s)",
                 word, how);
    }
    else {
        snprintf(out, AMGR_MANAGED_END_LEN, "%s %s",
                 process->exit_signal > 0 ? "killed by" : "exited with",
                 how[0] == '\0' ? "an unknown code" : how);
    }
}

const char *amgr_managed_want_word(int want)
{
    return word_of(want_words, AMGR_MANAGED_WANT_COUNT, want);
}

const char *amgr_application_word(int application)
{
    return word_of(application_words, AMGR_APPLICATION_COUNT, application);
}

const amgr_managed_t *amgr_managed_find(const amgr_managed_table_t *table,
                                        const char *name)
{
    int i;

    for (i = 0; i < table->count; i++) {
        if (strcmp(table->processes[i].name, name) == 0) {
            return &table->processes[i];
        }
    }
    return NULL;
}

apr_uint64_t amgr_managed_after_all(const amgr_managed_table_t *table,
                                    const amgr_managed_t *process)
{
    apr_uint64_t all = process->after;
    apr_uint64_t before;
    int i;

    do {
        before = all;
        for (i = 0; i < table->count; i++) {
            if ((all & (APR_UINT64_C(1) << i)) != 0) {
                all |= table->processes[i].after;
            }
        }
    } while (all != before); /* each time one bit more, at least */
    return all;
}

int amgr_managed_is_running(const amgr_managed_t *process)
{
    return process->pid > 0;
}

int amgr_managed_is_missed(const amgr_managed_t *process)
{
    return process->want == AMGR_MANAGED_WANT_UP && !process->ready;
}

int amgr_managed_all_ready(const amgr_managed_table_t *table)
{
    int i;

    for (i = 0; i < table->count; i++) {
        if (amgr_managed_is_missed(&table->processes[i])) {
            return 0;
        }
    }
    return 1;
}

int amgr_managed_is_unwatched(const amgr_managed_table_t *table)
{
    return table->supervisor <= 0 &&
           table->application != AMGR_APPLICATION_SHUTDOWN;
}

/* A state that is none is one of which nothing good is known. */
static void mend_states(amgr_managed_t *process)
{
    if (!is_one_of(process->state, AMGR_MANAGED_STATE_COUNT)) {
        process->state = AMGR_MANAGED_STOPPED;
        process->ready = 0;
    }
    if (!is_one_of(process->want, AMGR_MANAGED_WANT_COUNT)) {
        process->want = AMGR_MANAGED_WANT_UP;
    }
    process->ready = process->ready != 0;
    process->is_stuck = process->is_stuck != 0;
    process->exit_known = process->exit_known != 0;
    if (!is_one_of(process->exit_cause, AMGR_MANAGED_EXIT_COUNT)) {
        process->exit_known = 0;
        process->exit_cause = AMGR_MANAGED_EXIT_CLEAN;
    }
    if (process->exit_code < 0 || process->exit_code > EXIT_CODE_MAX) {
        process->exit_code = -1;
    }
    if (process->exit_signal < 0 || process->exit_signal > SIGNAL_MAX) {
        process->exit_signal = 0;
    }
}

static void mend_process(amgr_managed_t *process, int index, int count)
{
    END(process->name);
    END(process->program);
    END(process->verify);
    END(process->reason);
    END(process->status);
    mend_states(process);
    process->id = index + 1;
    if (process->pid < 0) {
        process->pid = 0;
    }
    if (process->guard < 0) {
        process->guard = 0;
    }
    if (process->tree_count < 0) {
        process->tree_count = 0;
    }
    if (process->backoff_us < 0) {
        process->backoff_us = 0;
    }
    if (count < AMGR_MANAGED_MAX) {
        process->after &= (APR_UINT64_C(1) << count) - 1;
    }
}

void amgr_managed_mend(amgr_managed_table_t *table)
{
    int i;

    if (table->count < 0) {
        table->count = 0;
    }
    if (table->count > AMGR_MANAGED_MAX) {
        table->count = AMGR_MANAGED_MAX;
    }
    if (!is_one_of(table->application, AMGR_APPLICATION_COUNT)) {
        table->application = AMGR_APPLICATION_DEGRADED;
    }
    if (table->supervisor < 0) {
        table->supervisor = 0;
    }
    table->control = table->control != 0;
    table->is_shut = table->is_shut != 0;
    if (table->left_count < 0 || table->left_count > AMGR_MANAGED_MAX) {
        table->left_count = 0;
    }
    END(table->socket);
    for (i = 0; i < table->count; i++) {
        mend_process(&table->processes[i], i, table->count);
    }
}

void amgr_managed_init(amgr_managed_t *process, const char *name)
{
    memset(process, 0, sizeof(*process));
    snprintf(process->name, sizeof(process->name), "%s", name);
    process->state = AMGR_MANAGED_STOPPED;
    process->exit_code = -1;
    process->check_us = AMGR_NO_TIME;
    process->memory_bytes = AMGR_UNKNOWN;
}

void amgr_managed_expect(amgr_managed_table_t *table,
                         const amgr_managed_t *process)
{
    if (table->count == 0 || table->application == AMGR_APPLICATION_RUNNING) {
        table->application = AMGR_APPLICATION_STARTING;
    }
    if (table->count < AMGR_MANAGED_MAX) {
        amgr_managed_t *row = &table->processes[table->count++];

        *row = *process;
        row->id = table->count;
    }
}

/* What it was told last is no longer so, or nobody knows. */
static int is_moving(const amgr_managed_t *process)
{
    return process->state != AMGR_MANAGED_STOPPED &&
           process->state != AMGR_MANAGED_EXITED &&
           process->state != AMGR_MANAGED_FATAL;
}

void amgr_managed_doubt(amgr_managed_table_t *table, apr_time_t mono_us)
{
    static const char reason[] = "there is no supervisor, this was seen last";
    int i;

    if (table->supervisor > 0 &&
        mono_us - table->beat_mono_us <= AMGR_MANAGED_STALE_US) {
        return;
    }
    table->supervisor = 0;
    if (table->application == AMGR_APPLICATION_SHUTDOWN) {
        return;
    }
    table->application = AMGR_APPLICATION_DEGRADED;
    for (i = 0; i < table->count; i++) {
        table->processes[i].ready = 0;
        if (is_moving(&table->processes[i])) {
            memcpy(table->processes[i].reason, reason, sizeof(reason));
        }
    }
}
