/* SPDX-License-Identifier: Apache-2.0
 *
 * See launch.h.  The order of the steps is the point: whatever needs root's
 * rights comes before the change of user, whatever shall be done with the
 * user's rights alone after it.
 */
#include "supervise/guard/launch.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/descriptors.h"
#include "supervise/environment_spec.h"
#include "supervise/identity.h"

/** Where the program-to-be keeps its end of the pipe. */
#define REPORT_FD (STDERR_FILENO + 1)

/** In the fork: tell why there will be no program, and end. */
static void give_up(int stage, int error, const char *text)
    __attribute__((noreturn));

static void give_up(int stage, int error, const char *text)
{
    amgr_launch_fault_t fault;
    ssize_t written;

    memset(&fault, 0, sizeof(fault));
    fault.stage = stage;
    fault.error = error;
    snprintf(fault.text, sizeof(fault.text), "%s", text);
    written = write(REPORT_FD, &fault, sizeof(fault));
    (void)written; /* there is nobody else to tell */
    _exit(127);
}

/** A duplicate above all numbers that will be given away; -1: /dev/null. */
static int move_away(int fd)
{
    if (fd < 0) {
        fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    }
    return fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, REPORT_FD + 1);
}

static void take_descriptors(const amgr_launch_t *launch, int report)
{
    int fds[3];
    int error;
    int i;

    report = fcntl(report, F_DUPFD_CLOEXEC, REPORT_FD + 1);
    fds[0] = move_away(launch->in_fd);
    fds[1] = move_away(launch->out_fd);
    fds[2] = move_away(launch->err_fd);
    error = errno;
    if (report < 0 || dup3(report, REPORT_FD, O_CLOEXEC) < 0) {
        _exit(127);
    }
    for (i = 0; i < 3; i++) {
        if (fds[i] < 0) {
            give_up(AMGR_LAUNCH_NO_DESCRIPTORS, error, "");
        }
        if (dup2(fds[i], i) < 0) {
            give_up(AMGR_LAUNCH_NO_DESCRIPTORS, errno, "");
        }
    }
    amgr_descriptors_close(REPORT_FD + 1, INT_MAX);
}

/** To be killed when the guard ends, even if it has ended already. */
static void take_leash(pid_t guard)
{
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) {
        give_up(AMGR_LAUNCH_NO_RIGHTS, errno, "PR_SET_PDEATHSIG");
    }
    if (getppid() != guard) {
        _exit(127); /* nobody is there to be told */
    }
}

static void set_variable(amgr_environment_t *environment, const char *name,
                         const char *value)
{
    if (amgr_environment_set(environment, name, value) != APR_SUCCESS) {
        give_up(AMGR_LAUNCH_NO_ENVIRONMENT, E2BIG, name);
    }
}

/** What the protocol of sd_notify(3) wants to have. */
static void set_notify(amgr_environment_t *environment,
                       const amgr_launch_t *launch)
{
    char text[32];

    if (launch->notify_socket == NULL) {
        return;
    }
    set_variable(environment, "NOTIFY_SOCKET", launch->notify_socket);
    if (launch->spec->liveness.type == AMGR_VERIFY_NOTIFY) {
        snprintf(text, sizeof(text), "%" APR_INT64_T_FMT,
                 (apr_int64_t)launch->spec->liveness.timeout_us);
        set_variable(environment, "WATCHDOG_USEC", text);
        snprintf(text, sizeof(text), "%d", (int)getpid());
        set_variable(environment, "WATCHDOG_PID", text);
    }
}

static char **make_environment(const amgr_launch_t *launch,
                               const amgr_identity_t *user)
{
    amgr_environment_t *environment = malloc(sizeof(*environment));
    char why[AMGR_MANAGED_TEXT_LEN] = "";
    apr_status_t rv;

    if (environment == NULL) {
        give_up(AMGR_LAUNCH_NO_ENVIRONMENT, ENOMEM, "");
    }
    rv = amgr_environment_of_spec(environment, launch->spec, user, why,
                                  sizeof(why));
    if (rv != APR_SUCCESS) {
        give_up(AMGR_LAUNCH_NO_ENVIRONMENT,
                rv == APR_EGENERAL ? 0 : APR_TO_OS_ERROR(rv), why);
    }
    set_notify(environment, launch);
    return environment->vars;
}

/** Without a wish of its own it is an ordinary process to the kernel that is
 * out of memory: a protected httpd would hand its own protection down. */
static void set_oom(int wish)
{
    int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
    int value = wish == AMGR_SPEC_NO_OOM ? 0 : wish;
    int error = fd < 0 ? errno : 0;
    char text[16];
    int len;

    if (fd >= 0) {
        len = snprintf(text, sizeof(text), "%d", value);
        if (write(fd, text, (size_t)len) != len) {
            error = errno;
        }
        close(fd);
    }
    /* Who is not root may not lower it, and has not been asked to. */
    if (error != 0 && wish != AMGR_SPEC_NO_OOM) {
        give_up(AMGR_LAUNCH_NO_LIMIT, error, "Oom");
    }
}

static void set_limits(const amgr_spec_t *spec)
{
    const amgr_rlimit_t *limit;
    char text[32];
    int i;

    set_oom(spec->oom);
    if (spec->nice != AMGR_SPEC_NO_NICE &&
        setpriority(PRIO_PROCESS, 0, spec->nice) != 0) {
        give_up(AMGR_LAUNCH_NO_LIMIT, errno, "Nice");
    }
    for (i = 0; spec->limits != NULL && i < spec->limits->nelts; i++) {
        limit = &APR_ARRAY_IDX(spec->limits, i, amgr_rlimit_t);
        if (setrlimit((__rlimit_resource_t)limit->resource, &limit->limit) !=
            0) {
            snprintf(text, sizeof(text), "Limit %s",
                     amgr_rlimit_name(limit->resource));
            give_up(AMGR_LAUNCH_NO_LIMIT, errno, text);
        }
    }
}

/** By the kernel's own call (rt_sigaction(2)), whose structure is all zero for
 * the default: signal(3) leaves those alone that the C library has for itself,
 * and whoever started httpd may have had them ignored. */
static void reset_signals(void)
{
    static const unsigned long by_default[8];
    sigset_t none;
    int i;

    for (i = 1; i < NSIG; i++) {
        syscall(SYS_rt_sigaction, i, by_default, NULL, (NSIG - 1) / 8);
    }
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

/** Whose the process is.  An unknown name is told without the errno, which
 * would speak of files. */
static void find_user(const amgr_launch_t *launch, amgr_identity_t *out)
{
    const char *user = launch->spec->user;
    const char *group = launch->spec->group;
    int error;
    int found;

    /* Who is not root stays who it is, as httpd does. */
    if (user == NULL && geteuid() == 0) {
        user = launch->default_user;
        group = group != NULL ? group : launch->default_group;
    }
    found = amgr_identity_look_up(user, group, out, &error);
    error = error == ENOENT ? 0 : error;
    if (found == AMGR_IDENTITY_NO_GROUP) {
        give_up(AMGR_LAUNCH_NO_GROUP, error, group != NULL ? group : user);
    }
    if (found != AMGR_IDENTITY_FINE) {
        give_up(AMGR_LAUNCH_NO_USER, error, user != NULL ? user : "");
    }
}

/** Turn into the user of the process, with what only root can give it. */
static char **become_managed(const amgr_launch_t *launch)
{
    amgr_identity_t user;
    char **environment;
    int ignored;
    int error;

    find_user(launch, &user);
    environment = make_environment(launch, &user);
    /* Before the limits: without a descriptor it would be in fewer groups, and
     * nobody would be told. */
    if (amgr_identity_take_groups(&user, &error) != AMGR_IDENTITY_FINE) {
        give_up(AMGR_LAUNCH_NO_RIGHTS, error, user.name);
    }
    set_limits(launch->spec);
    if (launch->owns_output) {
        ignored = fchown(STDOUT_FILENO, user.uid, user.gid);
        (void)ignored; /* it can write there all the same */
    }
    if (amgr_identity_take_ids(&user, &error) != AMGR_IDENTITY_FINE) {
        give_up(AMGR_LAUNCH_NO_RIGHTS, error, user.name);
    }
    return environment;
}

/** What the errno alone would not tell. */
static const char *what_is_wrong(const char *program, int error)
{
    /* As absent as a missing file. */
    if (error == ENOENT && access(program, F_OK) == 0) {
        return ", whose interpreter is missing";
    }
    return error == ENOEXEC ? ", which does not begin as a program or with #!"
                            : "";
}

static void tell_no_exec(const char *program, int error)
    __attribute__((noreturn));

static void tell_no_exec(const char *program, int error)
{
    char text[AMGR_MANAGED_TEXT_LEN];

    snprintf(text, sizeof(text), "%s%s", program,
             what_is_wrong(program, error));
    give_up(AMGR_LAUNCH_NO_EXEC, error, text);
}

static void become_program(const amgr_launch_t *launch, int report, pid_t guard)
    __attribute__((noreturn));

static void become_program(const amgr_launch_t *launch, int report, pid_t guard)
{
    const char *directory = "/";
    char **environment = environ;

    /* Neither can fail: a fresh process leads no group. */
    if (launch->spec != NULL) {
        setsid();
    }
    else {
        setpgid(0, 0);
    }
    take_descriptors(launch, report);
    take_leash(guard);
    if (launch->spec != NULL) {
        environment = become_managed(launch);
        take_leash(guard); /* the change of user has taken it away */
        if (launch->spec->directory != NULL) {
            directory = launch->spec->directory;
        }
    }
    /* As the user: a directory that it cannot enter is no place for it, and
     * one that root cannot enter (on another machine) may well be. */
    if (chdir(directory) != 0) {
        give_up(AMGR_LAUNCH_NO_DIRECTORY, errno, directory);
    }
    umask(S_IWGRP | S_IWOTH);
    /* What looking up names has left open. */
    amgr_descriptors_close(REPORT_FD + 1, INT_MAX);
    reset_signals();
    execve(launch->argv[0], launch->argv, environment);
    tell_no_exec(launch->argv[0], errno);
}

apr_status_t amgr_launch_start(const amgr_launch_t *launch, pid_t *out_pid,
                               int *out_report)
{
    pid_t guard = getpid();
    int ends[2];
    int error;
    pid_t pid;

    if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) {
        return APR_FROM_OS_ERROR(errno);
    }
    pid = fork();
    if (pid == 0) {
        become_program(launch, ends[1], guard);
    }
    error = errno;
    close(ends[1]);
    if (pid < 0) {
        close(ends[0]);
        return APR_FROM_OS_ERROR(error);
    }
    *out_pid = pid;
    *out_report = ends[0];
    return APR_SUCCESS;
}

apr_status_t amgr_launch_report(int report, amgr_launch_fault_t *out)
{
    ssize_t len;

    do {
        len = read(report, out, sizeof(*out));
    } while (len < 0 && errno == EINTR);
    if (len < 0) {
        return errno == EAGAIN ? APR_EAGAIN : APR_FROM_OS_ERROR(errno);
    }
    if (len != (ssize_t)sizeof(*out) || out->stage <= AMGR_LAUNCH_FINE ||
        out->stage >= AMGR_LAUNCH_STAGE_COUNT) {
        return APR_EOF;
    }
    out->text[sizeof(out->text) - 1] = '\0';
    return APR_SUCCESS;
}
