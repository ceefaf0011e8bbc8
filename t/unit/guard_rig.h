/* SPDX-License-Identifier: Apache-2.0
 *
 * What tests of the guard share: a specification by hand, a teller that keeps
 * what is told where the guard's process can reach it too, and waiting for
 * events with a deadline.
 */
#ifndef GUARD_RIG_H
#define GUARD_RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <apr_general.h>

#include "scratch.h"

#include "base/clock.h"
#include "proc/proc_control.h"
#include "supervise/guard/guard.h"
#include "supervise/guard/guard_life.h"

#define PATIENCE_US apr_time_from_sec(30)
#define LOG_LEN (1024 * 1024)

/* Shared with guards: what they told, line by line. */
typedef struct rig_log_t {
    apr_uint32_t used;
    apr_uint32_t lines;
    char text[LOG_LEN];
} rig_log_t;

typedef struct rig_t {
    apr_pool_t *pool;
    amgr_spec_t spec;
    amgr_guard_setup_t setup;
    amgr_guard_t guard;
    rig_log_t *log;
    unsigned int seen; /* events, a bit each */
    amgr_guard_event_t last[AMGR_GUARD_EVENT_COUNT];
    struct rusage usage;    /* of the guard, when it has finished */
    char dir[SCRATCH_SIZE]; /* of its own, which anybody may enter */
} rig_t;

static inline void rig_line(void *baton, int what, int level, int error,
                            const char *text)
{
    rig_log_t *log = baton;
    int len;

    (void)what; /* the text says it */
    (void)level;
    len = snprintf(log->text + log->used, sizeof(log->text) - log->used,
                   "%s%s%s\n", text, error != 0 ? ": " : "",
                   error != 0 ? strerror(error) : "");
    if (log->used + (apr_uint32_t)len < sizeof(log->text)) {
        log->used += (apr_uint32_t)len;
    }
    log->lines++;
}

static inline char **rig_argv(rig_t *rig, const char *first, ...)
{
    char **argv = apr_pcalloc(rig->pool, 16 * sizeof(*argv));
    const char *next = first;
    va_list args;
    int count = 0;

    va_start(args, first);
    while (next != NULL) {
        assert_true(count < 15);
        argv[count++] = strdup(next);
        next = va_arg(args, const char *);
    }
    va_end(args);
    return argv;
}

static inline void rig_push(rig_t *rig, apr_array_header_t **array,
                            const char *text)
{
    if (*array == NULL) {
        *array = apr_array_make(rig->pool, 4, sizeof(const char *));
    }
    APR_ARRAY_PUSH(*array, const char *) = text;
}

/* Command sh -c SCRIPT, with $1 and $2. */
static inline void rig_shell(rig_t *rig, const char *script, const char *arg1,
                             const char *arg2)
{
    rig->spec.argv =
        rig_argv(rig, "/bin/sh", "-c", script, "sh", arg1 != NULL ? arg1 : "",
                 arg2 != NULL ? arg2 : "", NULL);
}

/* Ends all that a failed test left below us. */
static inline void rig_clean(void)
{
    static amgr_guard_tree_t tree;
    apr_time_t deadline = amgr_clock_monotonic_us() + PATIENCE_US;

    assert_int_equal(amgr_guard_tree_open(&tree), APR_SUCCESS);
    while (amgr_clock_monotonic_us() < deadline) {
        amgr_guard_tree_signal(&tree, SIGKILL, 0);
        while (waitpid(-1, NULL, WNOHANG) > 0) {
            /* the next one */
        }
        if (waitpid(-1, NULL, WNOHANG) < 0 && errno == ECHILD) {
            break;
        }
        poll(NULL, 0, 5);
    }
    amgr_proc_dir_close(&tree.proc);
}

static inline int rig_setup(void **state)
{
    static rig_t rig;

    memset(&rig, 0, sizeof(rig));
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    apr_pool_create(&rig.pool, NULL);
    rig.log = mmap(NULL, sizeof(*rig.log), PROT_READ | PROT_WRITE,
                   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(rig.log, MAP_FAILED);
    assert_int_equal(scratch_make(rig.dir, 01777), 0);
    rig.spec.name = "web";
    rig.spec.output = AMGR_OUTPUT_ERRORLOG;
    rig.spec.stop_signal = SIGTERM;
    rig.spec.stop_timeout_us = apr_time_from_sec(10);
    rig.spec.nice = AMGR_SPEC_NO_NICE;
    rig.spec.oom = AMGR_SPEC_NO_OOM;
    rig.setup.teller.line = rig_line;
    rig.setup.teller.baton = rig.log;
    rig.setup.log_fd = STDERR_FILENO;
    rig.setup.hold_fd = -1;
    rig.setup.default_user = "nobody";
    rig.setup.default_group = "nogroup";
    rig.guard.fd = -1;
    *state = &rig;
    return 0;
}

static inline int rig_teardown(void **state)
{
    rig_t *rig = *state;
    char command[128];

    amgr_guard_close(&rig->guard);
    rig_clean();
    munmap(rig->log, sizeof(*rig->log));
    snprintf(command, sizeof(command), "rm -rf %s", rig->dir);
    assert_int_equal(system(command), 0);
    apr_pool_destroy(rig->pool);
    return 0;
}

#define RIGGED(test) \
    cmocka_unit_test_setup_teardown(test, rig_setup, rig_teardown)

/* Whether @a type comes in time; what else comes is kept too. */
static inline int rig_wait(rig_t *rig, int type)
{
    apr_time_t deadline = amgr_clock_monotonic_us() + PATIENCE_US;
    struct pollfd row = {rig->guard.fd, POLLIN, 0};
    amgr_guard_event_t event;
    apr_status_t rv;

    while ((rig->seen & (1u << type)) == 0) {
        rv = amgr_guard_receive(&rig->guard, &event);
        if (rv == APR_SUCCESS) {
            rig->seen |= 1u << event.type;
            rig->last[event.type] = event;
        }
        else if (rv == APR_EOF || amgr_clock_monotonic_us() > deadline) {
            return 0;
        }
        else {
            poll(&row, 1, 100);
        }
    }
    return 1;
}

static inline void rig_start(rig_t *rig)
{
    assert_int_equal(amgr_guard_start(&rig->setup, &rig->spec, &rig->guard),
                     APR_SUCCESS);
}

/* Executed: its pid. */
static inline pid_t rig_run(rig_t *rig)
{
    rig_start(rig);
    if (!rig_wait(rig, AMGR_GUARD_STARTED)) {
        fail_msg("not started: %s, %s: %s",
                 amgr_launch_text(rig->last[AMGR_GUARD_FAILED].stage),
                 rig->last[AMGR_GUARD_FAILED].text,
                 strerror(rig->last[AMGR_GUARD_FAILED].error));
    }
    return rig->last[AMGR_GUARD_STARTED].pid;
}

static inline void rig_order(rig_t *rig, int order)
{
    assert_int_equal(amgr_guard_send(&rig->guard, order, -1), APR_SUCCESS);
}

/* A child of ours ends in time: its status. */
static inline int rig_reap(pid_t pid)
{
    apr_time_t deadline = amgr_clock_monotonic_us() + PATIENCE_US;
    int status = -1;

    while (waitpid(pid, &status, WNOHANG) == 0) {
        assert_true(amgr_clock_monotonic_us() < deadline);
        poll(NULL, 0, 2);
    }
    return status;
}

/* The guard comes to its end by itself, having told everything. */
static inline void rig_finish(rig_t *rig)
{
    int status = -1;

    assert_true(rig_wait(rig, AMGR_GUARD_EMPTY));
    /* It ends of itself now, so this does not wait for long. */
    assert_int_equal(wait4(rig->guard.pid, &status, 0, &rig->usage),
                     rig->guard.pid);
    assert_int_equal(status, 0);
    assert_int_equal(amgr_guard_receive(&rig->guard, &rig->last[0]), APR_EOF);
}

/* What the guard and all below it have computed, in milliseconds. */
static inline int rig_cpu_ms(const rig_t *rig)
{
    return (int)((rig->usage.ru_utime.tv_sec + rig->usage.ru_stime.tv_sec) *
                     1000 +
                 (rig->usage.ru_utime.tv_usec + rig->usage.ru_stime.tv_usec) /
                     1000);
}

/* All text of a file of the rig's directory, once it ends with a new line. */
static inline char *rig_read(rig_t *rig, const char *name)
{
    apr_time_t deadline = amgr_clock_monotonic_us() + PATIENCE_US;
    char *text = apr_pcalloc(rig->pool, 65536);
    char path[128];
    size_t len = 0;
    FILE *f;

    snprintf(path, sizeof(path), "%s/%s", rig->dir, name);
    while (len == 0 || text[len - 1] != '\n') {
        if (amgr_clock_monotonic_us() > deadline) {
            fail_msg("%s never came", name);
        }
        f = fopen(path, "r");
        if (f != NULL) {
            len = fread(text, 1, 65535, f);
            text[len] = '\0';
            fclose(f);
        }
        poll(NULL, 0, 2);
    }
    return text;
}

static inline pid_t rig_read_pid(rig_t *rig, const char *name)
{
    return (pid_t)strtol(rig_read(rig, name), NULL, 10);
}

/* Whether it is gone in time; one that nobody reaped is not. */
static inline int rig_is_gone(pid_t pid)
{
    apr_time_t deadline = amgr_clock_monotonic_us() + PATIENCE_US;

    assert_true(pid > 1);
    while (kill(pid, 0) == 0) {
        if (amgr_clock_monotonic_us() > deadline) {
            return 0;
        }
        poll(NULL, 0, 2);
    }
    return errno == ESRCH;
}

#endif
