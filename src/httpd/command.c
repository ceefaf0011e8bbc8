/* SPDX-License-Identifier: Apache-2.0
 *
 * See command.h.  Between fork and exec stand only functions that are safe
 * there; what goes wrong is told through a pipe that exec closes.
 */
#include "httpd/command.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <unixd.h>

#include "base/clock.h"
#include "base/descriptors.h"
#include "httpd/log.h"

/** Where the program-to-be keeps its end of the pipe. */
#define REPORT_FD (STDERR_FILENO + 1)

/** "before command of worker 12" */
#define SUBJECT "%s command of worker %" APR_PID_T_FMT

static const char *const stages[AMGR_COMMAND_STAGE_COUNT] = {
    [AMGR_COMMAND_FINE] = "nothing",
    [AMGR_COMMAND_NO_PIPE] = "no pipe",
    [AMGR_COMMAND_NO_FORK] = "it cannot be forked",
    [AMGR_COMMAND_NO_DESCRIPTORS] = "no /dev/null to read from",
    [AMGR_COMMAND_NO_DIRECTORY] = "no directory to run in",
    [AMGR_COMMAND_NO_GROUP] = "httpd's Group cannot be taken",
    [AMGR_COMMAND_NO_USER] = "httpd's User cannot be taken",
    [AMGR_COMMAND_NO_LEASH] = "it would outlive the ticker",
    [AMGR_COMMAND_NO_EXEC] = "it cannot be executed",
};

void amgr_commands_init(amgr_commands_t *commands, server_rec *s,
                        const amgr_config_t *config, pid_t parent,
                        apr_uint64_t *faults)
{
    memset(commands, 0, sizeof(*commands));
    commands->server = s;
    commands->config = config;
    commands->faults = faults;
    /* The ticker has raised its own. */
    if (prlimit(parent, RLIMIT_NOFILE, NULL, &commands->descriptors) != 0) {
        getrlimit(RLIMIT_NOFILE, &commands->descriptors);
    }
}

/** In the fork, until exec: tell why there will be none. */
static void give_up(int stage, int error) __attribute__((noreturn));

static void give_up(int stage, int error)
{
    amgr_command_fault_t fault;
    ssize_t written;

    fault.stage = stage;
    fault.error = error;
    written = write(REPORT_FD, &fault, sizeof(fault));
    (void)written; /* there is nobody else to tell */
    _exit(127);
}

/** Standard input from nowhere, output to the error log, which httpd has made
 * its standard error; the pipe; and nothing else. */
static void take_descriptors(int report)
{
    int null_fd;

    /* Out of the way of the first three, which may have been closed. */
    report = fcntl(report, F_DUPFD_CLOEXEC, REPORT_FD);
    if (report < 0 ||
        (report != REPORT_FD && dup3(report, REPORT_FD, O_CLOEXEC) < 0)) {
        _exit(127);
    }
    null_fd = open("/dev/null", O_RDWR);
    if (null_fd < 0 || dup2(null_fd, STDIN_FILENO) < 0) {
        give_up(AMGR_COMMAND_NO_DESCRIPTORS, errno);
    }
    if (fcntl(STDERR_FILENO, F_GETFD) < 0) {
        dup2(null_fd, STDERR_FILENO);
    }
    if (dup2(STDERR_FILENO, STDOUT_FILENO) < 0) {
        give_up(AMGR_COMMAND_NO_DESCRIPTORS, errno);
    }
    amgr_descriptors_close(REPORT_FD + 1, INT_MAX);
}

/** httpd's own User and Group and no other group, for good. */
static void become_user(void)
{
    uid_t uid = ap_unixd_config.user_id;
    gid_t gid = ap_unixd_config.group_id;

    if (geteuid() != 0) {
        return;
    }
    if (setgroups(1, &gid) != 0 || setgid(gid) != 0) {
        give_up(AMGR_COMMAND_NO_GROUP, errno);
    }
    if (setuid(uid) != 0) {
        give_up(AMGR_COMMAND_NO_USER, errno);
    }
    if (getuid() != uid || geteuid() != uid || getegid() != gid ||
        (uid != 0 && setuid(0) == 0)) {
        give_up(AMGR_COMMAND_NO_USER, EPERM);
    }
}

static void reset_signals(void)
{
    sigset_t none;
    int i;

    for (i = 1; i < NSIG; i++) {
        signal(i, SIG_DFL);
    }
    sigemptyset(&none);
    pthread_sigmask(SIG_SETMASK, &none, NULL);
}

static void become_program(const amgr_commands_t *commands, int event,
                           amgr_command_env_t *env, int report, pid_t ticker)
    __attribute__((noreturn));

static void become_program(const amgr_commands_t *commands, int event,
                           amgr_command_env_t *env, int report, pid_t ticker)
{
    char *const *argv = commands->config->kill_command[event];

    setsid(); /* cannot fail: a fresh process leads no group */
    take_descriptors(report);
    setrlimit(RLIMIT_NOFILE, &commands->descriptors);
    if (chdir("/") != 0) {
        give_up(AMGR_COMMAND_NO_DIRECTORY, errno);
    }
    become_user();
    /* Not before: a change of user takes it away. */
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) {
        give_up(AMGR_COMMAND_NO_LEASH, errno);
    }
    if (getppid() != ticker) {
        _exit(127); /* nobody is there to be told */
    }
    reset_signals();
    execve(argv[0], argv, env->vars);
    give_up(AMGR_COMMAND_NO_EXEC, errno);
}

/** Fork; fills in @a run, or says what went wrong. */
static void spawn(const amgr_commands_t *commands, amgr_command_run_t *run,
                  amgr_command_env_t *env, amgr_command_fault_t *fault)
{
    pid_t ticker = getpid();
    int ends[2];
    pid_t pid;

    if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) {
        fault->stage = AMGR_COMMAND_NO_PIPE;
        fault->error = errno;
        return;
    }
    pid = fork();
    if (pid == 0) {
        become_program(commands, run->event, env, ends[1], ticker);
    }
    if (pid < 0) {
        fault->stage = AMGR_COMMAND_NO_FORK;
        fault->error = errno;
        close(ends[0]);
    }
    else {
        run->pid = pid;
        run->report = ends[0];
    }
    close(ends[1]);
}

/** It was not run: counted each time, told when it is news. */
static void note_fault(amgr_commands_t *commands, int event, pid_t worker,
                       const amgr_command_fault_t *fault)
{
    amgr_command_fault_t *told = &commands->told[event];

    (*commands->faults)++;
    if (told->stage == fault->stage && told->error == fault->error) {
        return;
    }
    *told = *fault;
    amgr_log(commands->server, AMGR_TAG_COMMAND_FAILED, APLOG_WARNING,
             fault->error, SUBJECT ": %s was not run: %s",
             amgr_command_event_word(event), worker,
             commands->config->kill_command[event][0], stages[fault->stage]);
}

static amgr_command_run_t *find_free(amgr_commands_t *commands)
{
    int i;

    for (i = 0; i < AMGR_COMMANDS_MAX; i++) {
        if (commands->run[i].pid == 0) {
            return &commands->run[i];
        }
    }
    return NULL;
}

int amgr_commands_start(amgr_commands_t *commands, int event,
                        const amgr_record_t *record)
{
    amgr_command_fault_t fault = {AMGR_COMMAND_FINE, 0};
    amgr_command_run_t *run;
    amgr_command_env_t env;

    if (commands->config == NULL ||
        commands->config->kill_command[event] == NULL) {
        return 0;
    }
    run = find_free(commands);
    if (run == NULL) {
        (*commands->faults)++;
        amgr_log(commands->server, AMGR_TAG_COMMAND_SKIPPED, APLOG_WARNING, 0,
                 SUBJECT " is left out: %d of them run already",
                 amgr_command_event_word(event), record->id.pid,
                 AMGR_COMMANDS_MAX);
        return 0;
    }
    memset(run, 0, sizeof(*run));
    run->event = event;
    run->worker = record->id;
    run->begun_mono_us = amgr_clock_monotonic_us();
    if (amgr_command_env_build(&env, event, record,
                               commands->config->show_requests) ==
        APR_SUCCESS) {
        spawn(commands, run, &env, &fault);
    }
    else {
        fault.stage = AMGR_COMMAND_NO_EXEC;
        fault.error = E2BIG;
    }
    if (fault.stage != AMGR_COMMAND_FINE) {
        note_fault(commands, event, record->id.pid, &fault);
        return 0;
    }
    amgr_log(commands->server, AMGR_TAG_COMMAND, APLOG_INFO, 0,
             SUBJECT ": process %" APR_PID_T_FMT " runs %s",
             amgr_command_event_word(event), record->id.pid, run->pid,
             commands->config->kill_command[event][0]);
    return 1;
}

int amgr_commands_hold(const amgr_commands_t *commands,
                       const amgr_proc_id_t *worker)
{
    int i;

    for (i = 0; i < AMGR_COMMANDS_MAX; i++) {
        const amgr_command_run_t *run = &commands->run[i];

        if (run->pid != 0 && run->event == AMGR_COMMAND_BEFORE &&
            !run->killed && amgr_proc_id_equal(&run->worker, worker)) {
            return 1;
        }
    }
    return 0;
}

/** The whole group; and itself, should it not have made one yet. */
static void kill_run(const amgr_command_run_t *run)
{
    kill(-run->pid, SIGKILL);
    kill(run->pid, SIGKILL);
}

static int span_ms(const amgr_command_run_t *run)
{
    return (int)apr_time_as_msec(amgr_clock_monotonic_us() -
                                 run->begun_mono_us);
}

static void log_end(const amgr_commands_t *commands,
                    const amgr_command_run_t *run, int status)
{
    int is_signal = WIFSIGNALED(status);

    amgr_log(commands->server, AMGR_TAG_COMMAND,
             status == 0 || run->killed ? APLOG_INFO : APLOG_NOTICE, 0,
             SUBJECT ": process %" APR_PID_T_FMT " ended by %s %d after %d ms",
             amgr_command_event_word(run->event), run->worker.pid, run->pid,
             is_signal ? "signal" : "exit status",
             is_signal ? WTERMSIG(status) : WEXITSTATUS(status), span_ms(run));
}

static void note_unknown_end(const amgr_commands_t *commands,
                             const amgr_command_run_t *run)
{
    (*commands->faults)++;
    amgr_log(commands->server, AMGR_TAG_COMMAND, APLOG_WARNING, 0,
             SUBJECT ": process %" APR_PID_T_FMT
                     " is gone after %d ms, and how it ended is unknown, since "
                     "another has reaped it",
             amgr_command_event_word(run->event), run->worker.pid, run->pid,
             span_ms(run));
}

/** While it is a zombie its group is still its own: what it left running there
 * ends with it.
 * @return its wait status, or -1: another has reaped it. */
static int reap(const amgr_command_run_t *run)
{
    int status;

    kill_run(run);
    return waitpid(run->pid, &status, WNOHANG) == run->pid ? status : -1;
}

/** It has ended, with this wait status, if not -1.  Then the row is free. */
static void settle(amgr_commands_t *commands, amgr_command_run_t *run,
                   int status)
{
    amgr_command_fault_t fault = {AMGR_COMMAND_FINE, 0};

    if (read(run->report, &fault, sizeof(fault)) == (ssize_t)sizeof(fault) &&
        fault.stage > AMGR_COMMAND_FINE &&
        fault.stage < AMGR_COMMAND_STAGE_COUNT) {
        note_fault(commands, run->event, run->worker.pid, &fault);
    }
    else {
        commands->told[run->event].stage = AMGR_COMMAND_FINE;
        if (status < 0) {
            note_unknown_end(commands, run);
        }
        else {
            log_end(commands, run, status);
        }
    }
    close(run->report);
    run->pid = 0;
}

/** Whether it has ended, without reaping it; -1 when it is not our child any
 * more, and the pid perhaps another's. */
static int has_ended(const amgr_command_run_t *run)
{
    siginfo_t info;

    memset(&info, 0, sizeof(info));
    if (waitid(P_PID, (id_t)run->pid, &info, WEXITED | WNOHANG | WNOWAIT) !=
        0) {
        return errno == ECHILD ? -1 : 0;
    }
    return info.si_pid == run->pid;
}

static void look_at(amgr_commands_t *commands, amgr_command_run_t *run)
{
    int ended = has_ended(run);

    if (ended != 0) {
        settle(commands, run, ended > 0 ? reap(run) : -1);
    }
    else if (!run->killed && amgr_clock_monotonic_us() - run->begun_mono_us >=
                                 commands->config->kill_command_timeout_us) {
        kill_run(run);
        run->killed = 1;
        (*commands->faults)++;
        amgr_log(commands->server, AMGR_TAG_COMMAND_TIMEOUT, APLOG_WARNING, 0,
                 SUBJECT ": process %" APR_PID_T_FMT
                         " is over ManagerKillCommandTimeout: SIGKILL",
                 amgr_command_event_word(run->event), run->worker.pid,
                 run->pid);
    }
}

void amgr_commands_look(amgr_commands_t *commands)
{
    int i;

    for (i = 0; i < AMGR_COMMANDS_MAX; i++) {
        if (commands->run[i].pid != 0) {
            look_at(commands, &commands->run[i]);
        }
    }
}

void amgr_commands_end(const amgr_commands_t *commands)
{
    int i;

    for (i = 0; i < AMGR_COMMANDS_MAX; i++) {
        const amgr_command_run_t *run = &commands->run[i];

        if (run->pid != 0 && has_ended(run) >= 0) {
            kill_run(run);
        }
    }
}
