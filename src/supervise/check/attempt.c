/* SPDX-License-Identifier: Apache-2.0
 *
 * See attempt.h.
 */
#include "supervise/check/attempt.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <syslog.h>
#include <unistd.h>

#include "base/descriptors.h"
#include "base/escape.h"
#include "base/units.h"
#include "supervise/environment_spec.h"

/** Where an attempt has its end of the pipe, and the program of http. */
enum { SAY_FD = STDERR_FILENO + 1, PROGRAM_FD };

/** Open files that an attempt may have: what programs expect. */
#define FILES_MAX 1024

static amgr_attempt_fn *const by_type[AMGR_VERIFY_COUNT] = {
    [AMGR_VERIFY_HTTP] = amgr_attempt_http,
    [AMGR_VERIFY_TCP] = amgr_attempt_tcp,
    [AMGR_VERIFY_UNIX] = amgr_attempt_unix,
    [AMGR_VERIFY_EXEC] = amgr_attempt_exec,
    [AMGR_VERIFY_FILE] = amgr_attempt_file,
    [AMGR_VERIFY_OTHER] = amgr_attempt_other,
};

int amgr_attempt_is_for(int type)
{
    return type >= 0 && type < AMGR_VERIFY_COUNT && by_type[type] != NULL;
}

int amgr_attempt_fail(amgr_attempt_t *attempt, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(attempt->text, sizeof(attempt->text), format, args);
    va_end(args);
    return 1;
}

int amgr_attempt_fail_errno(amgr_attempt_t *attempt, const char *what,
                            int error)
{
    char reason[100];

    snprintf(reason, sizeof(reason), "%s", strerror(error));
    /* A clause begins small. */
    if (reason[0] >= 'A' && reason[0] <= 'Z') {
        reason[0] = (char)(reason[0] - 'A' + 'a');
    }
    return amgr_attempt_fail(attempt, "%s%s%s", what == NULL ? "" : what,
                             what == NULL ? "" : ": ", reason);
}

int amgr_attempt_enter_directory(amgr_attempt_t *attempt)
{
    const char *directory = attempt->spec->directory;

    if (directory != NULL && chdir(directory) != 0) {
        return amgr_attempt_fail_errno(
            attempt, "its directory cannot be entered", errno);
    }
    return 0;
}

void amgr_attempt_reset_signals(void)
{
    sigset_t none;
    int i;

    for (i = 1; i < NSIG; i++) {
        signal(i, SIG_DFL);
    }
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

/** Say it and end. */
static void end(const amgr_attempt_t *attempt, int failed)
    __attribute__((noreturn));

static void end(const amgr_attempt_t *attempt, int failed)
{
    ssize_t written = 0;

    if (failed) {
        written = write(SAY_FD, attempt->text, strlen(attempt->text));
    }
    (void)written; /* the exit code says the rest */
    _exit(failed ? 1 : 0);
}

/* Nothing to read from and nothing to write to; the pipe; no more.  0: there
 * is no way to tell why not. */
static int take_descriptors(int say_fd)
{
    int null_fd;
    int i;

    /* Out of the way of the first three, which may have been closed. */
    say_fd = fcntl(say_fd, F_DUPFD_CLOEXEC, PROGRAM_FD + 1);
    if (say_fd < 0 || dup3(say_fd, SAY_FD, O_CLOEXEC) < 0) {
        return 0;
    }
    null_fd = open("/dev/null", O_RDWR);
    if (null_fd < 0) {
        return 0;
    }
    for (i = STDIN_FILENO; i <= STDERR_FILENO; i++) {
        if (dup2(null_fd, i) < 0) {
            return 0;
        }
    }
    amgr_descriptors_close(SAY_FD + 1, INT_MAX);
    return 1;
}

/* By its path as root: its directory may be closed to the user. */
static void open_program(amgr_attempt_t *attempt)
{
    int fd;

    attempt->program_fd = -1;
    if (attempt->verify->type != AMGR_VERIFY_HTTP) {
        return;
    }
    fd = open(attempt->setup->fetch_program, O_PATH | O_CLOEXEC);
    if (fd < 0) {
        attempt->program_error = errno;
        return;
    }
    if (fd != PROGRAM_FD && dup3(fd, PROGRAM_FD, O_CLOEXEC) < 0) {
        attempt->program_error = errno;
        return;
    }
    attempt->program_fd = PROGRAM_FD;
}

static void lower_limit(__rlimit_resource_t resource, rlim_t to)
{
    struct rlimit limit;

    if (getrlimit(resource, &limit) != 0) {
        return;
    }
    if (limit.rlim_max > to) {
        limit.rlim_max = to;
    }
    if (limit.rlim_cur > limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max;
    }
    setrlimit(resource, &limit);
}

/* A protected httpd hands no protection down to what it only asks. */
static void be_ordinary(void)
{
    int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
    ssize_t ignored;

    if (fd >= 0) {
        ignored = write(fd, "0", 1);
        (void)ignored; /* who is not root may not lower it */
        close(fd);
    }
}

/* No core file: the memory is the supervisor's, with every section's words. */
static void lower_limits(void)
{
    be_ordinary();
    lower_limit(RLIMIT_CORE, 0);
    lower_limit(RLIMIT_NOFILE, FILES_MAX);
}

/* Some names are not known; of others nothing can be learned now. */
static int fail_lookup(amgr_attempt_t *attempt, const char *what,
                       const char *name, int error)
{
    if (name != NULL && error == ENOENT) {
        return amgr_attempt_fail(attempt, "its %s %.64s is not known", what,
                                 name);
    }
    return amgr_attempt_fail(attempt, "its %s cannot be looked up: %s", what,
                             strerror(error));
}

/* What a program of the administrator's is run with; 0, or it has failed. */
static int make_environment(amgr_attempt_t *attempt,
                            const amgr_identity_t *user)
{
    amgr_environment_t *environment;
    char why[AMGR_ATTEMPT_TEXT_LEN] = "";
    apr_status_t rv;

    if (attempt->verify->type != AMGR_VERIFY_EXEC) {
        return 0;
    }
    environment = malloc(sizeof(*environment));
    if (environment == NULL) {
        return amgr_attempt_fail_errno(attempt, "its environment", ENOMEM);
    }
    rv = amgr_environment_of_spec(environment, attempt->spec, user, why,
                                  sizeof(why));
    if (rv != APR_SUCCESS && rv != APR_EGENERAL) {
        return amgr_attempt_fail(attempt, "its environment: %s: %s", why,
                                 strerror(APR_TO_OS_ERROR(rv)));
    }
    attempt->environment = environment->vars;
    return rv == APR_SUCCESS
               ? 0
               : amgr_attempt_fail(attempt, "its environment: %s", why);
}

/* 0, or it has failed.  Without root there is one user alone, and httpd's own
 * is meant. */
static int become_user(amgr_attempt_t *attempt)
{
    const amgr_check_setup_t *setup = attempt->setup;
    const char *user = attempt->spec->user;
    const char *group = attempt->spec->group;
    amgr_identity_t identity;
    int error = 0;
    int result;

    if (user == NULL && geteuid() == 0) {
        user = setup->default_user;
        group = group == NULL ? setup->default_group : group;
    }
    result = amgr_identity_look_up(user, group, &identity, &error);
    if (result == AMGR_IDENTITY_FINE) {
        if (make_environment(attempt, &identity) != 0) {
            return 1;
        }
        result = amgr_identity_take(&identity, &error);
    }
    switch (result) {
    case AMGR_IDENTITY_FINE:
        return 0;
    case AMGR_IDENTITY_NO_USER:
        return fail_lookup(attempt, "user", user, error);
    case AMGR_IDENTITY_NO_GROUP:
        return fail_lookup(attempt, "group", group, error);
    default:
        return amgr_attempt_fail_errno(attempt, "its user cannot be taken",
                                       error);
    }
}

static void tie_to(pid_t supervisor)
{
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != supervisor) {
        _exit(1);
    }
}

static void live(amgr_attempt_t *attempt, int say_fd) __attribute__((noreturn));

static void live(amgr_attempt_t *attempt, int say_fd)
{
    setsid(); /* cannot fail: a fresh process leads no group */
    prctl(PR_SET_NAME, AMGR_ATTEMPT_COMM);
    tie_to(attempt->supervisor);
    amgr_attempt_reset_signals();
    /* A verifier of another module may log, and libc would close whatever has
     * the number of its descriptor by then. */
    closelog();
    if (!take_descriptors(say_fd)) {
        _exit(1);
    }
    lower_limits();
    open_program(attempt);
    if (become_user(attempt) != 0) {
        end(attempt, 1);
    }
    /* The change of user has undone it; and nobody of this user looks into
     * what is in our memory. */
    tie_to(attempt->supervisor);
    prctl(PR_SET_DUMPABLE, 0);
    /* What a lookup of names has opened as root stays root's. */
    amgr_descriptors_close(PROGRAM_FD + 1, INT_MAX);
    umask(S_IWGRP | S_IWOTH);
    if (chdir("/") != 0) {
        end(attempt,
            amgr_attempt_fail_errno(attempt, "/ cannot be entered", errno));
    }
    end(attempt, by_type[attempt->verify->type](attempt));
}

apr_status_t amgr_attempt_start(const amgr_check_setup_t *setup,
                                const amgr_spec_t *spec,
                                const amgr_verify_t *verify, pid_t *out_pid,
                                int *out_fd)
{
    amgr_attempt_t attempt = {
        .setup = setup, .spec = spec, .verify = verify, .supervisor = getpid()};
    apr_status_t rv;
    int ends[2];
    pid_t pid;

    if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) {
        return errno;
    }
    pid = fork();
    if (pid == 0) {
        live(&attempt, ends[1]);
    }
    rv = pid < 0 ? errno : APR_SUCCESS;
    close(ends[1]);
    if (rv != APR_SUCCESS) {
        close(ends[0]);
        return rv;
    }
    *out_pid = pid;
    *out_fd = ends[0];
    return APR_SUCCESS;
}

/* Not within a character. */
static void cut(char *text, apr_size_t len)
{
    while (len > 0 && ((unsigned char)text[len] & 0xC0) == 0x80) {
        len--;
    }
    text[len] = '\0';
}

void amgr_attempt_hear(int fd, char *text, apr_size_t size)
{
    char words[AMGR_ATTEMPT_TEXT_LEN];
    char escaped[4 * AMGR_ATTEMPT_TEXT_LEN + 1];
    amgr_sink_t sink;
    ssize_t len;

    len = read(fd, words, sizeof(words) - 1);
    close(fd);
    words[len > 0 ? len : 0] = '\0';
    words[strcspn(words, "\r\n")] = '\0';
    amgr_sink_init_text(&sink, escaped, sizeof(escaped));
    amgr_escape_line(&sink, words);
    amgr_sink_text(&sink);
    if (strlen(escaped) >= size) {
        cut(escaped, size - 1);
    }
    memcpy(text, escaped, strlen(escaped) + 1);
}

int amgr_attempt_has_ended(pid_t pid)
{
    siginfo_t info;

    memset(&info, 0, sizeof(info));
    if (waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) != 0) {
        return errno == ECHILD ? -1 : 0;
    }
    return info.si_pid == pid;
}

/* Of one that has ended the group is still its own, and its strays' too. */
void amgr_attempt_kill(pid_t pid)
{
    if (amgr_attempt_has_ended(pid) < 0) {
        return;
    }
    kill(-pid, SIGKILL);
    kill(pid, SIGKILL); /* should it not lead its group yet */
}

void amgr_attempt_late_text(const amgr_verify_t *verify, char *text,
                            apr_size_t size)
{
    char span[AMGR_UNITS_LEN];

    amgr_duration_format_exact(verify->timeout_us, span, sizeof(span));
    snprintf(text, size, "no answer within %s", span);
}
