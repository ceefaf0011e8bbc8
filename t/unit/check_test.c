/* SPDX-License-Identifier: Apache-2.0
 *
 * When verifiers attempt what, and what attempts are: their user, what they
 * have open, that they end.  Verifiers that ask a peer are in
 * check_http_test.c and check_socket_test.c.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "check_run.h"

/** Of no entry of the system's. */
#define NUMBER "64321"

static void exec_script(run_t *run, const char *script)
{
    char **argv = apr_pcalloc(run->pool, 4 * sizeof(*argv));

    argv[0] = apr_pstrdup(run->pool, "sh");
    argv[1] = apr_pstrdup(run->pool, "-c");
    argv[2] = apr_pstrdup(run->pool, script);
    set_verify(&run->spec.verify, AMGR_VERIFY_EXEC, "exec", NULL);
    run->spec.verify.argv = argv;
}

static void programs_pass_by_their_exit_code(void **state)
{
    static const struct {
        const char *script;
        const char *text; /**< NULL: it passes */
    } cases[] = {
        {"exit 0", NULL},
        {"echo all is well; exit 0", NULL},
        {"exit 1", "exit code 1"},
        {"echo one; echo two >&2; echo; exit 3",
         "exit code 3, it printed: two"},
        {"printf 'no end of line'; exit 1",
         "exit code 1, it printed: no end of line"},
        {"printf '\\033[2J\\342\\200\\256x\\n'; exit 1",
         "exit code 1, it printed: \\x1b[2J\\xe2\\x80\\xaex"},
        {"trap '' TERM; kill 0; echo alive; exit 3",
         "exit code 3, it printed: alive"},
        {"echo dying; kill -TERM $$", "ended by signal 15, it printed: dying"},
    };
    run_t *run = *state;
    size_t i;

    for (i = 0; i < AMGR_COUNT(cases); i++) {
        exec_script(run, cases[i].script);
        if (cases[i].text == NULL) {
            passes(run);
        }
        else {
            fails(run, cases[i].text);
        }
    }
    exec_script(run, "exit 0");
    run->spec.verify.argv[0] = apr_pstrdup(run->pool, "/nonexistent/program");
    fails(run, "its program cannot be executed: no such file or directory");
    run->spec.verify.argv[0] = apr_pstrdup(run->pool, "/etc/passwd");
    fails(run, "its program cannot be executed: permission denied");
}

/* Whatever it writes is read, and a line's beginning kept. */
static void output_never_fills(void **state)
{
    run_t *run = *state;
    const char *text;

    exec_script(run, "head -c 50000000 /dev/zero | tr '\\0' x; exit 1");
    text = attempt(run, AMGR_CHECK_FAILED);
    assert_int_equal(strlen(text), AMGR_CHECK_TEXT_LEN - 1);
    assert_int_equal(strncmp(text, "exit code 1, it printed: xxx", 28), 0);

    /* Escapes and characters are cut at their ends, or not at all. */
    exec_script(run, "for i in 1 2 3 4 5 6 7 8 9 10; do "
                     "printf '\\303\\244\\303\\244\\303\\244\\303\\244"
                     "\\303\\244\\303\\244\\303\\244\\303\\244'; done; exit 1");
    text = attempt(run, AMGR_CHECK_FAILED);
    assert_true(strlen(text) >= AMGR_CHECK_TEXT_LEN - 5);
    assert_int_equal(strncmp(text, "exit code 1, it printed: \303\244", 27), 0);
}

/* What it leaves running holds its output open: nobody waits for that. */
static void grandchildren_are_not_waited_for(void **state)
{
    run_t *run = *state;
    pid_t stray;

    assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0), 0);
    exec_script(run, "sleep 60 & echo $!; exit 1");
    stray = (pid_t)strtol(attempt(run, AMGR_CHECK_FAILED) +
                              strlen("exit code 1, it printed: "),
                          NULL, 10);
    assert_true(run->check.last_us < 20 * APR_USEC_PER_SEC);
    /* It is the supervisor's now, who kills whom it does not know. */
    assert_true(stray > 1);
    assert_int_equal(kill(stray, SIGKILL), 0);
    assert_int_equal(waitpid(stray, NULL, 0), stray);
    assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0), 0);
}

/* Until there is no child of ours; nobody of them ends by itself in time. */
static int reap_all(void)
{
    apr_time_t begun_us = amgr_clock_monotonic_us();
    int count = 0;

    while (waitpid(-1, NULL, 0) > 0) {
        count++;
    }
    assert_int_equal(errno, ECHILD);
    assert_true(amgr_clock_monotonic_us() - begun_us < DEADLINE_US);
    return count;
}

/* The whole session, at the time-out and not later. */
static void what_hangs_is_killed(void **state)
{
    run_t *run = *state;

    assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0), 0);
    exec_script(run, "trap '' TERM; echo begun; sleep 60 & sleep 60");
    run->spec.verify.timeout_us = 200 * MSEC;
    fails(run, "no answer within 200ms");
    assert_true(run->check.last_us >= 200 * MSEC);
    assert_true(reap_all() >= 1);
    /* So is one that is not wanted any more. */
    amgr_check_begin(&run->check, amgr_clock_monotonic_us());
    amgr_check_look(&run->check, amgr_clock_monotonic_us());
    assert_true(run->check.pid > 0);
    amgr_check_end(&run->check);
    assert_int_equal(run->check.pid, 0);
    assert_int_equal(run->check.fd, -1);
    assert_true(amgr_check_due(&run->check) == AMGR_NO_TIME);
    assert_true(reap_all() >= 1);
    assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0), 0);
}

static void add(run_t *run, apr_array_header_t **list, const char *text)
{
    if (*list == NULL) {
        *list = apr_array_make(run->pool, 2, sizeof(char *));
    }
    APR_ARRAY_PUSH(*list, char *) = apr_pstrdup(run->pool, text);
}

/* Environment and directory of the section, and nothing of httpd's. */
static void programs_live_where_the_process_does(void **state)
{
    run_t *run = *state;

    run->spec.directory = "/usr/share";
    setenv("LD_AMGR_TEST", "leaks", 1);
    setenv("AMGR_TEST_PASSED", "on", 1);
    add(run, &run->spec.environment, "COLOUR=blue");
    add(run, &run->spec.environment, "LOGNAME=other");
    add(run, &run->spec.pass_env, "AMGR_TEST_PASSED");
    exec_script(run, "[ \"$USER\" = \"$(id -un)\" ] && echo \"$PWD $COLOUR "
                     "$LOGNAME $AMGR_TEST_PASSED $LD_AMGR_TEST.\"; exit 1");
    if (geteuid() == 0) {
        fails(run, "exit code 1, it printed: /usr/share blue other on .");
    }
    exec_script(run, "case $PATH in /usr/local/sbin:*) exit 0;; esac; exit 1");
    passes(run);
    unsetenv("LD_AMGR_TEST");
    unsetenv("AMGR_TEST_PASSED");
    add(run, &run->spec.environment_files, "-/nonexistent/file");
    passes(run);
    add(run, &run->spec.environment_files, "/nonexistent/file");
    assert_int_equal(strncmp(attempt(run, AMGR_CHECK_FAILED),
                             "its environment: /nonexistent/file", 34),
                     0);
    run->spec.environment_files = NULL;
    add(run, &run->spec.environment, "PATH=/nonexistent");
    fails(run, "its program cannot be executed: no such file or directory");
    run->spec.directory = "/nonexistent";
    fails(run, "its directory cannot be entered: no such file or directory");
}

/* The fields of /proc/PID/status that tell who it is. */
static int has_status(pid_t pid, const char *line)
{
    char path[64];
    char text[4096];
    size_t len;
    FILE *file;

    snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
    file = fopen(path, "r");
    if (file == NULL) {
        return 0;
    }
    len = fread(text, 1, sizeof(text) - 1, file);
    text[len] = '\0';
    fclose(file);
    return strstr(text, line) != NULL;
}

static int count_open_from(pid_t pid, int first)
{
    const struct dirent *entry;
    char path[64];
    int count = 0;
    DIR *dir;

    snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
    dir = opendir(path);
    assert_non_null(dir);
    while ((entry = readdir(dir)) != NULL) {
        count +=
            entry->d_name[0] != '.' && strtol(entry->d_name, NULL, 10) >= first;
    }
    closedir(dir);
    return count;
}

/* The attempt itself, while its program runs. */
static void check_attempt(run_t *run)
{
    apr_time_t end_us = amgr_clock_monotonic_us() + DEADLINE_US;
    pid_t pid;

    amgr_check_begin(&run->check, amgr_clock_monotonic_us());
    assert_int_equal(amgr_check_look(&run->check, amgr_clock_monotonic_us()),
                     AMGR_CHECK_GOES_ON);
    pid = run->check.pid;
    assert_true(pid > 0);
    while (!has_status(pid, "Uid:\t64321\t64321\t64321\t64321\n")) {
        assert_true(amgr_clock_monotonic_us() < end_us);
        usleep(500);
    }
    assert_true(has_status(pid, "Name:\tapache-check\n"));
    assert_true(has_status(pid, "Gid:\t64321\t64321\t64321\t64321\n"));
    assert_true(has_status(pid, "Groups:\t64321 \n"));
    assert_true(has_status(pid, "CapPrm:\t0000000000000000\n"));
    assert_int_equal(getsid(pid), pid);
    assert_int_equal(getpgid(pid), pid);
    /* The pipes of what it says and of what its program does; none of ours. */
    while (count_open_from(pid, 3) > 3) {
        assert_true(amgr_clock_monotonic_us() < end_us);
        usleep(500);
    }
    amgr_check_end(&run->check);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void attempts_have_no_rights_and_no_descriptors(void **state)
{
    run_t *run = *state;
    int ours[32];
    gid_t groups[] = {0, 4, 5};
    size_t i;

    if (geteuid() != 0) {
        /* Whoever we are is whom they are; the rest needs root. */
        exec_script(run, "test $(id -u) -gt 0");
        passes(run);
        return;
    }
    assert_int_equal(setgroups(3, groups), 0);
    for (i = 0; i < AMGR_COUNT(ours); i++) {
        ours[i] = open("/etc/passwd", O_RDONLY);
        assert_true(ours[i] >= 0);
    }
    run->spec.user = "#" NUMBER;
    run->spec.group = "#" NUMBER;
    exec_script(run, "for i in 0 1 2 3 4 5 6 7 8 9 10 11 12 13 20 30 40; do "
                     "[ -e /proc/self/fd/$i ] && fds=\"$fds $i\"; done; "
                     "echo $(id -u) $(id -g) $(id -G) $fds "
                     "$(ulimit -c) $(ulimit -n); exit 1");
    fails(run, "exit code 1, it printed: " NUMBER " " NUMBER " " NUMBER
               " 0 1 2 0 1024");
    exec_script(run, "sleep 60");
    check_attempt(run);
    for (i = 0; i < AMGR_COUNT(ours); i++) {
        close(ours[i]);
    }
    assert_int_equal(setgroups(0, NULL), 0);
}

static void nobody_is_root_by_default(void **state)
{
    run_t *run = *state;

    if (geteuid() != 0) {
        run->spec.user = "root";
        exec_script(run, "exit 0");
        fails(run, "its user cannot be taken: operation not permitted");
        return;
    }
    exec_script(run, "echo $(id -un) $(id -G); exit 1");
    run->setup.default_group = "#" NUMBER;
    fails(run, "exit code 1, it printed: nobody " NUMBER);
    /* The section's user has its own group, not httpd's. */
    run->spec.user = "nobody";
    exec_script(run, "[ $(id -g) != " NUMBER " ]");
    passes(run);
    run->spec.user = "amgr-no-such-user";
    fails(run, "its user amgr-no-such-user is not known");
    run->spec.user = "nobody";
    run->spec.group = "amgr-no-such-group";
    fails(run, "its group amgr-no-such-group is not known");
    run->spec.user = NULL;
    run->spec.group = NULL;
    run->setup.default_user = NULL;
    fails(run, "its user cannot be looked up: Operation not permitted");
}

/* Whoever forked it is gone: so is it, its program and that one's children,
 * however far they are. */
static void attempts_end_with_the_supervisor(void **state)
{
    run_t *run = *state;
    pid_t supervisor;
    int i;

    assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0), 0);
    exec_script(run, "sleep 60; exit 1");
    amgr_check_init(&run->check, &run->setup, &run->spec, 0);
    for (i = 0; i < 10; i++) {
        supervisor = fork();
        if (supervisor == 0) {
            amgr_check_begin(&run->check, amgr_clock_monotonic_us());
            amgr_check_look(&run->check, amgr_clock_monotonic_us());
            usleep((useconds_t)i * 1000);
            _exit(run->check.pid > 0 ? 0 : 1);
        }
        assert_true(supervisor > 0);
        assert_true(reap_all() >= 2);
    }
    assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0), 0);
}

static void a_file_is_there_or_not(void **state)
{
    run_t *run = *state;

    set_verify(&run->spec.verify, AMGR_VERIFY_FILE, "file", "/etc/passwd");
    passes(run);
    run->spec.verify.target = "/etc";
    passes(run);
    run->spec.verify.target = "/nonexistent/file";
    fails(run, "no such file or directory");
    run->spec.verify.target = "/etc/passwd/x";
    fails(run, "not a directory");
    if (geteuid() == 0) {
        /* As nobody, who may not look there. */
        run->spec.verify.target = "/proc/1/fd/0";
        fails(run, "permission denied");
    }
}

static int other_passes(int argc, const char *const *argv, char *text,
                        apr_size_t size)
{
    return argc == 2 && strcmp(argv[0], "a") == 0 &&
                   strcmp(argv[1], "b") == 0 && argv[2] == NULL &&
                   text[0] == '\0' && size == AMGR_CHECK_TEXT_LEN
               ? 0
               : 1;
}

static int other_fails(int argc, const char *const *argv, char *text,
                       apr_size_t size)
{
    (void)argc; /* there are none */
    (void)argv;
    memset(text, 'y', size);
    return -1;
}

static int other_crashes(int argc, const char *const *argv, char *text,
                         apr_size_t size)
{
    (void)argc; /* there are none */
    (void)argv;
    snprintf(text, size, "unheard");
    return raise(SIGKILL);
}

static amgr_verify_run_fn *find_other(const char *name)
{
    return strcmp(name, "passes") == 0    ? other_passes
           : strcmp(name, "fails") == 0   ? other_fails
           : strcmp(name, "crashes") == 0 ? other_crashes
                                          : NULL;
}

static void other_modules_have_their_own(void **state)
{
    char *argv[] = {(char[]){"a"}, (char[]){"b"}, NULL};
    run_t *run = *state;
    const char *text;

    set_verify(&run->spec.verify, AMGR_VERIFY_OTHER, "passes", NULL);
    fails(run, "no module has a verifier passes");
    run->setup.lookup = find_other;
    run->spec.verify.argv = argv;
    passes(run);
    run->spec.verify.argv = NULL;
    fails(run, "the attempt has failed and does not say why");
    run->spec.verify.name = "fails";
    text = attempt(run, AMGR_CHECK_FAILED);
    assert_int_equal(strlen(text), AMGR_CHECK_TEXT_LEN - 1);
    run->spec.verify.name = "crashes";
    fails(run, "the attempt was ended by signal 9");
    run->spec.verify.name = "gone";
    fails(run, "no module has a verifier gone");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(programs_pass_by_their_exit_code,
                                        run_set_up, run_tear_down),
        cmocka_unit_test_setup_teardown(output_never_fills, run_set_up,
                                        run_tear_down),
        cmocka_unit_test_setup_teardown(grandchildren_are_not_waited_for,
                                        run_set_up, run_tear_down),
        cmocka_unit_test_setup_teardown(what_hangs_is_killed, run_set_up,
                                        run_tear_down),
        cmocka_unit_test_setup_teardown(programs_live_where_the_process_does,
                                        run_set_up, run_tear_down),
        cmocka_unit_test_setup_teardown(
            attempts_have_no_rights_and_no_descriptors, run_set_up,
            run_tear_down),
        cmocka_unit_test_setup_teardown(nobody_is_root_by_default, run_set_up,
                                        run_tear_down),
        cmocka_unit_test_setup_teardown(attempts_end_with_the_supervisor,
                                        run_set_up, run_tear_down),
        cmocka_unit_test_setup_teardown(a_file_is_there_or_not, run_set_up,
                                        run_tear_down),
        cmocka_unit_test_setup_teardown(other_modules_have_their_own,
                                        run_set_up, run_tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
