/* SPDX-License-Identifier: Apache-2.0
 *
 * Between fork and exec: what a process finds when it is executed, and why one
 * is not, stage by stage.
 */
#include "guard_rig.h"

#include <grp.h>
#include <pwd.h>

#include "supervise/guard/launch.h"

/* It is not started: at this stage, for this reason. */
static void expect_fault(rig_t *rig, int stage, int error, const char *text)
{
    amgr_guard_event_t *event = &rig->last[AMGR_GUARD_FAILED];

    rig->seen = 0;
    rig_start(rig);
    if (!rig_wait(rig, AMGR_GUARD_FAILED)) {
        fail_msg("it has not failed at stage %d", stage);
    }
    assert_int_equal(rig_reap(rig->guard.pid), 0);
    assert_false(rig_wait(rig, AMGR_GUARD_EMPTY));
    assert_int_equal(rig->seen, 1u << AMGR_GUARD_FAILED);
    if (event->stage != stage || event->error != error ||
        strstr(event->text, text) == NULL) {
        fail_msg("stage %d (%s), error %d (%s), text %s", event->stage,
                 amgr_launch_text(event->stage), event->error,
                 strerror(event->error), event->text);
    }
    amgr_guard_close(&rig->guard);
}

static char *path_in(rig_t *rig, const char *name)
{
    char *path = apr_palloc(rig->pool, 128);

    snprintf(path, 128, "%s/%s", rig->dir, name);
    return path;
}

static void write_text(const char *path, const char *text, mode_t mode)
{
    FILE *f = fopen(path, "w");

    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
    assert_int_equal(chmod(path, mode), 0);
}

static void test_no_user(void **state)
{
    rig_t *rig = *state;

    rig_shell(rig, "exit 0", NULL, NULL);
    rig->spec.user = "nobody-at-all";
    expect_fault(rig, AMGR_LAUNCH_NO_USER, 0, "nobody-at-all");
    rig->spec.user = "#4294967295";
    expect_fault(rig, AMGR_LAUNCH_NO_USER, 0, "#4294967295");
}

static void test_no_group(void **state)
{
    rig_t *rig = *state;

    rig_shell(rig, "exit 0", NULL, NULL);
    rig->spec.group = "nogroup-at-all";
    expect_fault(rig, AMGR_LAUNCH_NO_GROUP, 0, "nogroup-at-all");
    /* A number without an entry has no group of its own. */
    rig->spec.group = NULL;
    rig->spec.user = "#54321";
    expect_fault(rig, AMGR_LAUNCH_NO_GROUP, 0, "#54321");
}

static void test_no_environment(void **state)
{
    rig_t *rig = *state;
    char *path = path_in(rig, "environment");

    rig_shell(rig, "exit 0", NULL, NULL);
    rig_push(rig, &rig->spec.environment_files, path);
    expect_fault(rig, AMGR_LAUNCH_NO_ENVIRONMENT, ENOENT, path);
    write_text(path, "A=1\nwhat\n", 0644);
    expect_fault(rig, AMGR_LAUNCH_NO_ENVIRONMENT, 0, "line 2 of ");
    if (geteuid() == 0) { /* everybody may put a link in its place */
        assert_int_equal(chmod(path, 0600), 0);
        expect_fault(rig, AMGR_LAUNCH_NO_ENVIRONMENT, EACCES,
                     "read as its user since others can change");
    }
}

static void test_no_output(void **state)
{
    rig_t *rig = *state;
    char *path = path_in(rig, "log");

    rig_shell(rig, "exit 0", NULL, NULL);
    rig->spec.output = AMGR_OUTPUT_FILE;
    rig->spec.output_file = path_in(rig, "missing/log");
    expect_fault(rig, AMGR_LAUNCH_NO_OUTPUT, ENOENT, "missing/log");
    rig->spec.output_file = rig->dir;
    expect_fault(rig, AMGR_LAUNCH_NO_OUTPUT, EISDIR, rig->dir);
    rig->spec.output_file = path;
    assert_int_equal(symlink("/dev/null", path), 0);
    expect_fault(rig, AMGR_LAUNCH_NO_OUTPUT, ELOOP, "which is a symbolic link");
    unlink(path);
    write_text(path_in(rig, "other"), "", 0600);
    assert_int_equal(link(path_in(rig, "other"), path), 0);
    expect_fault(rig, AMGR_LAUNCH_NO_OUTPUT, EMLINK, "which has another name");
    unlink(path);
    assert_int_equal(mkfifo(path, 0600), 0);
    expect_fault(rig, AMGR_LAUNCH_NO_OUTPUT, ENXIO, path);
    rig->spec.output_file = "/dev/null";
    expect_fault(rig, AMGR_LAUNCH_NO_OUTPUT, EINVAL,
                 "/dev/null, which is not a regular file");

    rig->spec.output = AMGR_OUTPUT_PIPE;
    rig->spec.output_argv = rig_argv(rig, "/no/logger", NULL);
    expect_fault(rig, AMGR_LAUNCH_NO_OUTPUT, ENOENT, "/no/logger");
    assert_int_equal(rig->log->lines, 0); /* the supervisor tells it, once */
}

static void test_no_limit(void **state)
{
    rig_t *rig = *state;
    amgr_rlimit_t *limit;

    rig_shell(rig, "exit 0", NULL, NULL);
    rig->spec.limits = apr_array_make(rig->pool, 1, sizeof(amgr_rlimit_t));
    limit = apr_array_push(rig->spec.limits);
    limit->resource = RLIMIT_NOFILE;
    limit->limit.rlim_cur = 100;
    limit->limit.rlim_max = 50;
    expect_fault(rig, AMGR_LAUNCH_NO_LIMIT, EINVAL, "Limit nofile");
    rig->spec.limits = NULL;
    rig->spec.oom = 5000;
    expect_fault(rig, AMGR_LAUNCH_NO_LIMIT, EINVAL, "Oom");
}

static void test_no_directory(void **state)
{
    rig_t *rig = *state;
    char *path = path_in(rig, "private");

    rig_shell(rig, "exit 0", NULL, NULL);
    rig->spec.directory = path;
    expect_fault(rig, AMGR_LAUNCH_NO_DIRECTORY, ENOENT, path);
    /* Root could enter this one, and its user cannot. */
    assert_int_equal(mkdir(path, geteuid() == 0 ? 0700 : 0), 0);
    expect_fault(rig, AMGR_LAUNCH_NO_DIRECTORY, EACCES, path);
}

static void test_no_exec(void **state)
{
    rig_t *rig = *state;
    char *path = path_in(rig, "program");

    rig->spec.argv = rig_argv(rig, path, NULL);
    expect_fault(rig, AMGR_LAUNCH_NO_EXEC, ENOENT, path);
    write_text(path, "#!/no/interpreter\n", 0644);
    expect_fault(rig, AMGR_LAUNCH_NO_EXEC, EACCES, path);
    chmod(path, 0755);
    expect_fault(rig, AMGR_LAUNCH_NO_EXEC, ENOENT,
                 "whose interpreter is missing");
    write_text(path, "no program\n", 0755);
    expect_fault(rig, AMGR_LAUNCH_NO_EXEC, ENOEXEC,
                 "which does not begin as a");
}

/* An ordinary user can be nobody else. */
static void test_no_rights(void **state)
{
    rig_t *rig = *state;
    int status;
    pid_t pid;

    rig_shell(rig, "exit 0", NULL, NULL);
    rig->spec.user = "root";
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        if (geteuid() == 0 && (setgid(65534) != 0 || setuid(65534) != 0)) {
            _exit(9);
        }
        rig_start(rig);
        _exit(!rig_wait(rig, AMGR_GUARD_FAILED) ||
              rig->last[AMGR_GUARD_FAILED].stage != AMGR_LAUNCH_NO_RIGHTS ||
              rig->last[AMGR_GUARD_FAILED].error != EPERM);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

/* Line by line what the process prints of itself. */
static const char *ask(rig_t *rig, const char *script)
{
    rig_shell(rig, script, rig->dir, NULL);
    rig->seen = 0;
    rig->log->used = 0;
    rig->log->text[0] = '\0';
    rig_run(rig);
    rig_finish(rig);
    assert_int_equal(rig->last[AMGR_GUARD_EXITED].wait_status, 0);
    amgr_guard_close(&rig->guard);
    return rig->log->text;
}

/* "process web: text\n" and nothing else. */
static void expect_answer(rig_t *rig, const char *script, const char *answer)
{
    char line[256];

    snprintf(line, sizeof(line), "process web: %s\n", answer);
    assert_string_equal(ask(rig, script), line);
}

static void test_what_it_finds(void **state)
{
    rig_t *rig = *state;
    char *dir = path_in(rig, "here");

    assert_int_equal(mkdir(dir, 0755), 0);
    rig->spec.directory = dir;
    signal(SIGUSR1, SIG_IGN);
    expect_answer(rig, "pwd", dir);
    expect_answer(rig, "umask", "0022");
    expect_answer(rig, "readlink /proc/$$/fd/0", "/dev/null");
    /* Session and group are its own, and nobody's terminal. */
    expect_answer(rig,
                  "read -r p c s pp g sid tty r </proc/$$/stat; "
                  "test $g = $$ -a $sid = $$ -a $tty = 0 && echo own",
                  "own");
    expect_answer(rig,
                  "grep -E 'Sig(Blk|Ign)' /proc/self/status | "
                  "grep -vc 0000000000000000; true",
                  "0");
    signal(SIGUSR1, SIG_DFL);
}

/* It has the first three and nothing else, whatever we have open. */
static void test_descriptors(void **state)
{
    rig_t *rig = *state;
    int held[40];
    int i;

    for (i = 0; i < 40; i++) {
        held[i] = open("/dev/null", O_RDWR); /* not close-on-exec */
    }
    rig->spec.argv = rig_argv(rig, "/proc/self/exe", "descriptors", NULL);
    rig_run(rig);
    rig_finish(rig);
    assert_string_equal(rig->log->text, "process web: 0 1 2\n");
    for (i = 0; i < 40; i++) {
        close(held[i]);
    }
}

static void test_output_can_be_opened_anew(void **state)
{
    rig_t *rig = *state;

    expect_answer(rig, "echo through >/dev/stderr", "through");
}

static void test_environment(void **state)
{
    rig_t *rig = *state;
    const struct passwd *user;
    char *path = path_in(rig, "environment");
    char line[1200];
    const char *text;

    setenv("AMGR_PASSED", "by httpd", 1);
    setenv("AMGR_KEPT", "from it", 1);
    write_text(path, "FILE=file\nBOTH=file\n", 0644);
    rig_push(rig, &rig->spec.pass_env, "AMGR_PASSED");
    rig_push(rig, &rig->spec.pass_env, "AMGR_NOT_THERE");
    rig_push(rig, &rig->spec.environment, "GIVEN=a=b c");
    rig_push(rig, &rig->spec.environment, "BOTH=given");
    rig_push(rig, &rig->spec.environment_files, "-/no/such/file");
    rig_push(rig, &rig->spec.environment_files, path);
    text = ask(rig, "exec env");
    user = geteuid() == 0 ? getpwnam("nobody") : getpwuid(geteuid());
    assert_non_null(user);
    snprintf(line, sizeof(line), "web: USER=%s\n", user->pw_name);
    assert_non_null(strstr(text, line));
    snprintf(line, sizeof(line), "web: LOGNAME=%s\n", user->pw_name);
    assert_non_null(strstr(text, line));
    snprintf(line, sizeof(line), "web: HOME=%s\n", user->pw_dir);
    assert_non_null(strstr(text, line));
    snprintf(line, sizeof(line), "web: SHELL=%s\n", user->pw_shell);
    assert_non_null(strstr(text, line));
    assert_non_null(strstr(text, "web: PATH=/usr/local/sbin:/usr/local/bin:"
                                 "/usr/sbin:/usr/bin:/sbin:/bin\n"));
    assert_non_null(strstr(text, "web: AMGR_PASSED=by httpd\n"));
    assert_non_null(strstr(text, "web: GIVEN=a=b c\n"));
    assert_non_null(strstr(text, "web: FILE=file\n"));
    assert_non_null(strstr(text, "web: BOTH=file\n"));
    assert_null(strstr(text, "AMGR_KEPT"));
    assert_null(strstr(text, "LANG="));
    assert_null(strstr(text, "NOTIFY_SOCKET="));
}

static void test_limits(void **state)
{
    rig_t *rig = *state;
    amgr_rlimit_t *limit;

    rig->spec.limits = apr_array_make(rig->pool, 2, sizeof(amgr_rlimit_t));
    limit = apr_array_push(rig->spec.limits);
    limit->resource = RLIMIT_NOFILE;
    limit->limit.rlim_cur = 123;
    limit->limit.rlim_max = 234;
    limit = apr_array_push(rig->spec.limits);
    limit->resource = RLIMIT_CORE;
    limit->limit.rlim_cur = 0;
    limit->limit.rlim_max = 0;
    rig->spec.nice = 7;
    rig->spec.oom = 321;
    expect_answer(rig,
                  "echo $(ulimit -Sn) $(ulimit -Hn) $(ulimit -Hc) $(nice) "
                  "$(cat /proc/self/oom_score_adj)",
                  "123 234 0 7 321");
}

/* A guard that the kernel shall leave alone has no children of that kind. */
static void test_oom_by_default(void **state)
{
    rig_t *rig = *state;
    FILE *f = fopen("/proc/self/oom_score_adj", "r+");
    int before = 0;
    int wish;

    assert_non_null(f);
    assert_int_equal(fscanf(f, "%d", &before), 1);
    /* Only root may lower it, and be asked to raise it again. */
    wish = geteuid() == 0 ? before - 100 : before;
    if (wish < -1000) {
        wish = -1000;
    }
    rewind(f);
    fprintf(f, "%d", wish);
    fclose(f);
    expect_answer(rig, "test $(cat /proc/self/oom_score_adj) -ge 0 && echo yes",
                  "yes");
    f = fopen("/proc/self/oom_score_adj", "w");
    assert_non_null(f);
    fprintf(f, "%d", before);
    fclose(f);
}

/* Also where httpd has another; only root goes back to it. */
static void test_nice_of_zero(void **state)
{
    rig_t *rig = *state;

    assert_int_equal(setpriority(PRIO_PROCESS, 0, 19), 0);
    expect_answer(rig, "nice", "19");
    rig->spec.nice = 0;
    if (geteuid() != 0) {
        expect_fault(rig, AMGR_LAUNCH_NO_LIMIT, EACCES, "Nice");
        return;
    }
    expect_answer(rig, "cut -d ' ' -f 19 /proc/self/stat", "0");
    assert_int_equal(setpriority(PRIO_PROCESS, 0, 0), 0);
}

/* Root's process becomes somebody; anybody else's stays who it is. */
static void test_user(void **state)
{
    rig_t *rig = *state;
    char expected[64];

    if (geteuid() != 0) {
        snprintf(expected, sizeof(expected), "%d %d", (int)getuid(),
                 (int)getgid());
        expect_answer(rig, "echo $(id -u) $(id -g)", expected);
        return;
    }
    expect_answer(rig, "echo $(id -u) $(id -g) $(id -G)", "65534 65534 65534");
    rig->spec.user = "daemon";
    expect_answer(rig, "echo $(id -un) $(id -gn) $(id -Gn)",
                  "daemon daemon daemon");
    rig->spec.group = "www-data";
    expect_answer(rig, "echo $(id -un) $(id -gn) $(id -Gn)",
                  "daemon www-data www-data");
    rig->spec.user = "#54321";
    rig->spec.group = "#12345";
    expect_answer(rig, "echo $(id -u) $(id -g) $(id -G) $HOME $USER",
                  "54321 12345 12345 /");
    expect_answer(rig, "grep -c '^Cap[PE].*0000000000000000' /proc/self/status",
                  "2");
}

/* Somebody whom a group has as a member, where there is one. */
static const char *somebody_with_groups(void)
{
    const struct group *group;
    const char *name = NULL;

    setgrent();
    while (name == NULL && (group = getgrent()) != NULL) {
        if (group->gr_mem[0] != NULL && getpwnam(group->gr_mem[0]) != NULL) {
            name = strdup(group->gr_mem[0]);
        }
    }
    endgrent();
    return name != NULL ? name : "daemon";
}

/* As /proc has them. */
static int compare_gids(const void *a, const void *b)
{
    const gid_t *x = a;
    const gid_t *y = b;

    return *x < *y ? -1 : *x > *y;
}

/* Its groups are looked up with the descriptors that we have. */
static void test_groups_and_limits(void **state)
{
    rig_t *rig = *state;
    amgr_rlimit_t *limit;
    gid_t gids[64];
    char line[64 * 12] = "groups ";
    const struct passwd *user;
    int count = 64;
    int i;

    if (geteuid() == 0) {
        rig->spec.user = somebody_with_groups();
        user = getpwnam(rig->spec.user);
        assert_non_null(user);
        assert_true(getgrouplist(user->pw_name, user->pw_gid, gids, &count) >
                    0);
    }
    else {
        count = getgroups(64, gids);
    }
    qsort(gids, (size_t)count, sizeof(gids[0]), compare_gids);
    for (i = 0; i < count; i++) {
        snprintf(line + strlen(line), sizeof(line) - strlen(line), "%u ",
                 (unsigned int)gids[i]);
    }
    rig->spec.limits = apr_array_make(rig->pool, 1, sizeof(amgr_rlimit_t));
    limit = apr_array_push(rig->spec.limits);
    limit->resource = RLIMIT_NOFILE;
    limit->limit.rlim_cur = limit->limit.rlim_max = 4;
    expect_answer(
        rig, "exec sed -n 's/^Groups:[[:space:]]*/groups /p' /proc/self/status",
        line);
}

/* In the process that is started: what it has open, in order. */
static int print_descriptors(void)
{
    int fd;
    int count = 0;

    for (fd = 0; fd < 4096; fd++) {
        if (fcntl(fd, F_GETFD) >= 0) {
            printf("%s%d", count++ > 0 ? " " : "", fd);
        }
    }
    printf("\n");
    return 0;
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        RIGGED(test_no_user),
        RIGGED(test_no_group),
        RIGGED(test_no_environment),
        RIGGED(test_no_output),
        RIGGED(test_no_limit),
        RIGGED(test_no_directory),
        RIGGED(test_no_exec),
        RIGGED(test_no_rights),
        RIGGED(test_what_it_finds),
        RIGGED(test_descriptors),
        RIGGED(test_output_can_be_opened_anew),
        RIGGED(test_environment),
        RIGGED(test_limits),
        RIGGED(test_oom_by_default),
        RIGGED(test_user),
        RIGGED(test_groups_and_limits),
        RIGGED(test_nice_of_zero),
    };

    if (argc > 1 && strcmp(argv[1], "descriptors") == 0) {
        return print_descriptors();
    }
    apr_initialize();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
