/* SPDX-License-Identifier: Apache-2.0
 *
 * What a process writes: lines in the log, files, loggers; and that no amount
 * of it, and nothing that becomes of it, makes the process wait or the guard
 * grow.
 */
#include "guard_rig.h"

static amgr_output_t output;

static char *path_in(rig_t *rig, const char *name)
{
    char *path = apr_palloc(rig->pool, 128);

    snprintf(path, 128, "%s/%s", rig->dir, name);
    return path;
}

/* An output of our own, and the end to write to. */
static int open_output(rig_t *rig)
{
    int fd = -1;

    assert_int_equal(
        amgr_output_open(&output, &rig->spec, &rig->setup.teller, &fd),
        APR_SUCCESS);
    return fd;
}

static void put(int fd, const char *bytes, size_t len, apr_time_t now)
{
    assert_int_equal(write(fd, bytes, len), len);
    amgr_output_read(&output, now);
}

static void test_escape(void **state)
{
    static const struct {
        const char *bytes;
        apr_size_t len;
        apr_size_t size;
        const char *text;
    } cases[] = {
        {"plain", 5, 32, "plain"},
        {"", 0, 32, ""},
        {"a\0b\0", 4, 32, "a\\x00b\\x00"},
        {"\033[2J\xff\n", 6, 32, "\\x1b[2J\\xff\\x0a"},
        {"12345678", 8, 6, "12345"},
        {"1234\xc3\xa4", 6, 6, "1234"},
        {"123\xe2\x82\xac", 6, 6, "123"},
        {"123\xf0\x9f\x98\x80", 7, 7, "123"},
        {"\xc3\xa4", 2, 1, ""},
    };
    char text[64];
    apr_size_t i;

    (void)state; /* cmocka's signature */
    for (i = 0; i < AMGR_COUNT(cases); i++) {
        memset(text, 'x', sizeof(text));
        amgr_output_escape(cases[i].bytes, cases[i].len, text, cases[i].size);
        assert_string_equal(text, cases[i].text);
    }
}

/* Characters of several bytes at every place, whole in the end. */
static void test_escape_of_long_text(void **state)
{
    char bytes[1002];
    char text[2048];
    int shift;
    int i;

    (void)state; /* cmocka's signature */
    for (shift = 0; shift < 3; shift++) {
        memset(bytes, 'a', sizeof(bytes));
        for (i = shift; i + 3 <= 1002; i += 3) {
            memcpy(bytes + i, "\xe2\x82\xac", 3);
        }
        amgr_output_escape(bytes, 999 + (apr_size_t)shift, text, sizeof(text));
        assert_int_equal(strlen(text), 999 + shift);
        assert_memory_equal(text, bytes, 999 + (size_t)shift);
    }
}

static void test_lines(void **state)
{
    rig_t *rig = *state;
    char last[AMGR_MANAGED_TEXT_LEN];
    int fd = open_output(rig);

    put(fd, "one\ntw", 6, 1);
    put(fd, "o\r\n\n\n", 5, 1);
    assert_string_equal(rig->log->text, "process web: one\nprocess web: two\n");
    amgr_output_last(&output, last, sizeof(last));
    assert_string_equal(last, "two");
    put(fd, "th\033ree", 6, 1);
    amgr_output_last(&output, last, sizeof(last));
    assert_string_equal(last, "th\\x1bree");
    close(fd);
    amgr_output_read(&output, 1);
    assert_int_equal(output.read_fd, -1);
    amgr_output_close(&output);
    assert_string_equal(
        rig->log->text,
        "process web: one\nprocess web: two\nprocess web: th\\x1bree\n");
    assert_int_equal(output.bytes, 17);
    assert_int_equal(output.dropped, 0);
}

/* Every line of the log has an end, and no more than its share. */
static void test_a_long_line(void **state)
{
    static char bytes[30000];
    rig_t *rig = *state;
    int fd = open_output(rig);

    memset(bytes, '\n', sizeof(bytes));
    memset(bytes, '\001', sizeof(bytes) / 2);
    put(fd, bytes, sizeof(bytes), 1);
    assert_int_equal(rig->log->lines, 1);
    assert_true(rig->log->used <= AMGR_OUTPUT_LINE_MAX + 1);
    assert_int_equal(output.dropped, sizeof(bytes) / 2 - AMGR_OUTPUT_LINE_MAX);
    close(fd);
    amgr_output_close(&output);
}

/* So many in a second; the rest is counted, and told twice in all. */
static void test_a_flood(void **state)
{
    rig_t *rig = *state;
    apr_time_t now = apr_time_from_sec(100);
    int fd = open_output(rig);
    int i;

    for (i = 0; i < 3 * AMGR_OUTPUT_LINES_A_SECOND; i++) {
        put(fd, "line\n", 5, now);
    }
    assert_int_equal(rig->log->lines, AMGR_OUTPUT_LINES_A_SECOND + 1);
    assert_non_null(strstr(rig->log->text, "more than 200 lines in a second"));
    assert_int_equal(output.dropped, 2 * 4 * AMGR_OUTPUT_LINES_A_SECOND);
    /* The next second is as full: nothing more is said of it. */
    now += APR_USEC_PER_SEC;
    for (i = 0; i < 2 * AMGR_OUTPUT_LINES_A_SECOND; i++) {
        put(fd, "line\n", 5, now);
    }
    assert_int_equal(rig->log->lines, 2 * AMGR_OUTPUT_LINES_A_SECOND + 1);
    /* This one is quiet, which is seen in the one after it. */
    put(fd, "line\n", 5, now + APR_USEC_PER_SEC);
    assert_int_equal(rig->log->lines, 2 * AMGR_OUTPUT_LINES_A_SECOND + 2);
    put(fd, "line\n", 5, now + 2 * APR_USEC_PER_SEC);
    assert_non_null(strstr(rig->log->text,
                           "process web: 600 lines of its output were left "
                           "out, 2400 bytes\nprocess web: line\n"));
    assert_int_equal(rig->log->lines, 2 * AMGR_OUTPUT_LINES_A_SECOND + 4);
    close(fd);
    amgr_output_close(&output);
    assert_int_equal(rig->log->lines, 2 * AMGR_OUTPUT_LINES_A_SECOND + 4);
}

/* It is told without another line, when it has not gone on. */
static void test_the_end_of_a_flood(void **state)
{
    rig_t *rig = *state;
    apr_time_t now = apr_time_from_sec(100);
    int fd = open_output(rig);
    int i;

    assert_true(amgr_output_due(&output) == AMGR_NO_TIME);
    for (i = 0; i < AMGR_OUTPUT_LINES_A_SECOND + 7; i++) {
        put(fd, "line\n", 5, now);
    }
    assert_true(amgr_output_due(&output) == now + 2 * APR_USEC_PER_SEC);
    amgr_output_look(&output, now + 2 * APR_USEC_PER_SEC - 1);
    assert_int_equal(rig->log->lines, AMGR_OUTPUT_LINES_A_SECOND + 1);
    amgr_output_look(&output, now + 2 * APR_USEC_PER_SEC);
    assert_int_equal(rig->log->lines, AMGR_OUTPUT_LINES_A_SECOND + 2);
    assert_non_null(strstr(rig->log->text, "7 lines of its output were left"));
    assert_true(amgr_output_due(&output) == AMGR_NO_TIME);
    close(fd);
    amgr_output_close(&output);
    assert_int_equal(rig->log->lines, AMGR_OUTPUT_LINES_A_SECOND + 2);
}

static void test_a_file(void **state)
{
    rig_t *rig = *state;
    apr_time_t now = apr_time_from_sec(100);
    struct stat info;
    char *old;
    int fd;
    int i;

    rig->spec.output = AMGR_OUTPUT_FILE;
    rig->spec.output_file = path_in(rig, "log");
    old = path_in(rig, "log.1");
    fd = open_output(rig);
    put(fd, "one\n", 4, 1);
    assert_int_equal(stat(rig->spec.output_file, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0640);
    assert_int_equal(rename(rig->spec.output_file, old), 0);
    put(fd, "two\n", 4, 1);
    amgr_output_reopen(&output);
    put(fd, "three\n", 6, 1);
    assert_string_equal(rig_read(rig, "log.1"), "one\ntwo\n");
    assert_string_equal(rig_read(rig, "log"), "three\n");
    assert_int_equal(rig->log->lines, 0);
    /* A trap in its place: the old one stays. */
    assert_int_equal(unlink(rig->spec.output_file), 0);
    assert_int_equal(symlink(old, rig->spec.output_file), 0);
    amgr_output_reopen(&output);
    put(fd, "four\n", 5, 1);
    assert_string_equal(rig_read(rig, "log.1"), "one\ntwo\n");
    assert_int_equal(rig->log->lines, 1);
    /* It is looked for again and again, without a word. */
    for (i = 0; i < 20; i++) {
        amgr_output_look(&output, now);
        assert_true(amgr_output_due(&output) > now);
        now += APR_USEC_PER_SEC;
    }
    assert_int_equal(rig->log->lines, 1);
    assert_int_equal(unlink(rig->spec.output_file), 0);
    now = amgr_output_due(&output);
    amgr_output_look(&output, now);
    assert_true(amgr_output_due(&output) == AMGR_NO_TIME);
    put(fd, "five\n", 5, 1);
    assert_string_equal(rig_read(rig, "log"), "five\n");
    assert_int_equal(rig->log->lines, 2);
    assert_non_null(strstr(rig->log->text, "opened anew"));
    close(fd);
    amgr_output_close(&output);
    assert_int_equal(output.dropped, 0);
}

/* What finds no room is lost, counted, and told once. */
static void test_a_full_disk(void **state)
{
    static char bytes[4096];
    rig_t *rig = *state;
    struct rlimit before;
    struct rlimit small;
    int fd;
    int i;

    rig->spec.output = AMGR_OUTPUT_FILE;
    rig->spec.output_file = path_in(rig, "log");
    fd = open_output(rig);
    memset(bytes, 'x', sizeof(bytes));
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    small = before;
    small.rlim_cur = 10000;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    for (i = 0; i < 10; i++) {
        put(fd, bytes, sizeof(bytes), 1);
    }
    setrlimit(RLIMIT_FSIZE, &before);
    assert_int_equal(output.dropped, 40960 - 10000);
    assert_int_equal(rig->log->lines, 1);
    put(fd, bytes, sizeof(bytes), 1);
    assert_int_equal(output.dropped, 40960 - 10000);
    assert_int_equal(rig->log->lines, 2);
    assert_non_null(strstr(rig->log->text, "again\n"));
    close(fd);
    amgr_output_close(&output);
}

/* The most that the guard has ever had in memory. */
static long peak_kb(pid_t pid)
{
    char path[64];
    char line[256];
    long kb = -1;
    FILE *f;

    snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
    f = fopen(path, "r");
    assert_non_null(f);
    while (fgets(line, sizeof(line), f) != NULL) {
        if (strncmp(line, "VmHWM:", 6) == 0) {
            kb = strtol(line + 6, NULL, 10);
        }
    }
    fclose(f);
    assert_true(kb > 0);
    return kb;
}

/* 256 MiB without the end of a line, then waits; how much the guard grew. */
static void pour(rig_t *rig)
{
    long before;

    rig_shell(rig,
              "until test -e $1/go; do sleep 0.01; done; "
              "head -c 268435456 /dev/zero; echo done >$1/done; sleep 600",
              rig->dir, NULL);
    rig_run(rig);
    before = peak_kb(rig->guard.pid);
    close(open(path_in(rig, "go"), O_CREAT | O_WRONLY, 0644));
    rig_read(rig, "done");
    if (rig->spec.output != AMGR_OUTPUT_DISCARD) {
        while (rig->last[AMGR_GUARD_OUTPUT].output_bytes < 268435456) {
            rig->seen = 0;
            assert_true(rig_wait(rig, AMGR_GUARD_OUTPUT));
        }
    }
    assert_in_range(peak_kb(rig->guard.pid) - before, 0, 2048);
    rig_order(rig, AMGR_GUARD_KILL);
    rig->seen = 0;
    rig_finish(rig);
}

static void test_without_a_line_end_to_the_log(void **state)
{
    rig_t *rig = *state;

    pour(rig);
    assert_int_equal(rig->log->lines, 1);
    assert_int_equal(rig->last[AMGR_GUARD_OUTPUT].output_dropped,
                     268435456 - AMGR_OUTPUT_LINE_MAX);
}

static void test_without_a_line_end_to_nowhere(void **state)
{
    rig_t *rig = *state;

    rig->spec.output = AMGR_OUTPUT_DISCARD;
    pour(rig);
    assert_int_equal(rig->log->lines, 0);
}

static void test_without_a_line_end_to_a_file(void **state)
{
    rig_t *rig = *state;
    struct stat info;

    rig->spec.output = AMGR_OUTPUT_FILE;
    rig->spec.output_file = path_in(rig, "log");
    pour(rig);
    assert_int_equal(stat(rig->spec.output_file, &info), 0);
    assert_int_equal(info.st_size, 268435456);
    assert_int_equal(rig->last[AMGR_GUARD_OUTPUT].output_dropped, 0);
}

/* It keeps the pipe after the process has ended: so long and no longer. */
static void test_a_writer_elsewhere(void **state)
{
    rig_t *rig = *state;
    apr_time_t begin;
    char path[64];
    pid_t pid;
    int fd;

    rig_shell(rig, "echo ready >$1/ready; sleep 600", rig->dir, NULL);
    pid = rig_run(rig);
    rig_read(rig, "ready");
    snprintf(path, sizeof(path), "/proc/%d/fd/1", (int)pid);
    fd = open(path, O_WRONLY);
    assert_true(fd >= 0);
    rig_order(rig, AMGR_GUARD_STOP);
    assert_true(rig_wait(rig, AMGR_GUARD_EXITED));
    begin = amgr_clock_monotonic_us();
    assert_int_equal(write(fd, "late\n", 5), 5);
    rig_finish(rig);
    assert_true(amgr_clock_monotonic_us() - begin >= APR_USEC_PER_SEC);
    assert_string_equal(rig->log->text, "process web: late\n");
    assert_in_range(rig_cpu_ms(rig), 0, 300);
    close(fd);
}

/* Its output is closed and it goes on. */
static void test_output_is_closed(void **state)
{
    rig_t *rig = *state;

    rig_shell(rig, "echo bye; exec >/dev/null 2>&1; echo >$1/closed; sleep 600",
              rig->dir, NULL);
    rig_run(rig);
    rig_read(rig, "closed");
    assert_true(rig_wait(rig, AMGR_GUARD_OUTPUT));
    rig_order(rig, AMGR_GUARD_STOP);
    rig_finish(rig);
    assert_string_equal(rig->log->text, "process web: bye\n");
    assert_string_equal(rig->last[AMGR_GUARD_EXITED].text, "bye");
}

static void test_inherited(void **state)
{
    rig_t *rig = *state;
    int saved[2] = {dup(STDOUT_FILENO), dup(STDERR_FILENO)};
    int fd;
    int i;

    rig->spec.output = AMGR_OUTPUT_INHERIT;
    rig_shell(rig, "echo out; echo err >&2", NULL, NULL);
    fd = open(path_in(rig, "log"), O_CREAT | O_WRONLY | O_APPEND, 0644);
    assert_true(fd >= 0);
    fflush(stdout);
    for (i = 0; i < 2; i++) {
        dup2(fd, STDOUT_FILENO + i);
    }
    rig_start(rig);
    for (i = 0; i < 2; i++) {
        dup2(saved[i], STDOUT_FILENO + i);
        close(saved[i]);
    }
    close(fd);
    rig_finish(rig);
    assert_string_equal(rig_read(rig, "log"), "out\nerr\n");
    assert_int_equal(rig->log->lines, 0);
}

/* At a rotation: the new log takes the place of the old one in the guard. */
static void test_a_new_error_log(void **state)
{
    rig_t *rig = *state;
    char text[64];
    char path[64];
    ssize_t len;
    int old = open(path_in(rig, "old"), O_CREAT | O_WRONLY, 0644);
    int new = open(path_in(rig, "new"), O_CREAT | O_WRONLY, 0644);

    rig->setup.log_fd = fcntl(old, F_DUPFD, 77);
    assert_int_equal(rig->setup.log_fd, 77);
    rig->spec.output = AMGR_OUTPUT_FILE;
    rig->spec.output_file = path_in(rig, "log");
    rig_shell(rig, "sleep 600", NULL, NULL);
    rig_run(rig);
    assert_int_equal(rename(path_in(rig, "log"), path_in(rig, "log.1")), 0);
    assert_int_equal(amgr_guard_send(&rig->guard, AMGR_GUARD_REOPEN, new),
                     APR_SUCCESS);
    snprintf(path, sizeof(path), "/proc/%d/fd/77", (int)rig->guard.pid);
    do {
        len = readlink(path, text, sizeof(text) - 1);
        assert_true(len > 0);
        text[len] = '\0';
    } while (strcmp(text, path_in(rig, "new")) != 0);
    while (access(path_in(rig, "log"), F_OK) != 0) {
        poll(NULL, 0, 2);
    }
    rig_order(rig, AMGR_GUARD_KILL);
    rig_finish(rig);
    close(77);
    close(old);
    close(new);
}

/* Each logger notes who it is, and what it reads. */
#define LOGGER "echo logger $$ >>$D/log; exec cat >>$D/log"

static void set_logger(rig_t *rig, const char *script)
{
    rig->spec.output = AMGR_OUTPUT_PIPE;
    setenv("D", rig->dir, 1);
    rig->spec.output_argv = rig_argv(rig, "/bin/sh", "-c", script, NULL);
}

static void test_a_logger(void **state)
{
    rig_t *rig = *state;
    char *text;

    set_logger(rig, LOGGER);
    rig_shell(rig, "echo one; echo two >&2; sh -c 'sleep 0.1; echo three' &",
              NULL, NULL);
    rig_run(rig);
    rig_finish(rig);
    text = rig_read(rig, "log");
    assert_int_equal(strncmp(text, "logger ", 7), 0);
    assert_non_null(strstr(text, "\none\ntwo\n"));
    assert_int_equal(rig->log->lines, 0);
}

/* It dies: another one takes over, and not a line is lost. */
static void test_the_logger_dies(void **state)
{
    rig_t *rig = *state;
    char line[32];
    char *text;
    pid_t first;
    int i;

    set_logger(rig, LOGGER);
    rig_shell(rig,
              "echo line 1.; until test -e $1/go; do sleep 0.01; done; "
              "for i in $(seq 2 100); do echo line $i.; sleep 0.01; done; "
              "echo end; sleep 600",
              rig->dir, NULL);
    rig_run(rig);
    do {
        text = rig_read(rig, "log");
    } while (strstr(text, "line 1.\n") == NULL);
    first = (pid_t)strtol(text + 7, NULL, 10);
    assert_int_equal(kill(first, SIGKILL), 0); /* with nothing in hand */
    close(open(path_in(rig, "go"), O_CREAT | O_WRONLY, 0644));
    do {
        text = rig_read(rig, "log");
    } while (strstr(text, "\nend\n") == NULL);
    for (i = 1; i <= 100; i++) {
        snprintf(line, sizeof(line), "line %d.\n", i);
        assert_non_null(strstr(text, line));
    }
    assert_non_null(strstr(text + 7, "logger "));
    assert_non_null(strstr(rig->log->text, "ended by signal 9"));
    rig_order(rig, AMGR_GUARD_KILL);
    rig_finish(rig);
    assert_int_equal(rig->log->lines, 1);
}

/* The process closes its output and goes on: its logger has no more to do. */
static void test_the_logger_is_done(void **state)
{
    rig_t *rig = *state;
    pid_t logger;

    set_logger(rig, "echo $$ >$D/logger; cat >$D/log");
    rig_shell(rig, "echo bye; exec >/dev/null 2>&1; sleep 600", NULL, NULL);
    rig_run(rig);
    logger = rig_read_pid(rig, "logger");
    assert_true(rig_is_gone(logger));
    assert_string_equal(rig_read(rig, "log"), "bye\n");
    rig_order(rig, AMGR_GUARD_STOP);
    rig_finish(rig);
    assert_int_equal(rig->log->lines, 0);
    assert_int_equal(rig_read_pid(rig, "logger"), logger);
}

/* It ends at once whenever it is started: the process goes on all the same. */
static void test_the_logger_is_useless(void **state)
{
    rig_t *rig = *state;

    set_logger(rig, "exit 1");
    rig_shell(rig,
              "head -c 1000000 /dev/zero; echo >$1/done; "
              "until test -e $1/go; do sleep 0.01; done",
              rig->dir, NULL);
    rig_run(rig);
    rig_read(rig, "done");
    close(open(path_in(rig, "go"), O_CREAT | O_WRONLY, 0644));
    rig_finish(rig);
    assert_true(rig->last[AMGR_GUARD_OUTPUT].output_dropped > 900000);
    assert_in_range(rig->log->lines, 1, 2);
}

/* It dies when its program is gone: that is told once, what is written meanwhile
 * is dropped, and when the program is back there is a logger again. */
static void test_the_logger_has_no_program(void **state)
{
    rig_t *rig = *state;
    apr_time_t end_us = amgr_clock_monotonic_us() + 30 * APR_USEC_PER_SEC;
    char program[SCRATCH_SIZE + 16];
    const char *said;

    snprintf(program, sizeof(program), "%s/logger", rig->dir);
    assert_int_equal(symlink("/bin/sh", program), 0);
    set_logger(rig, "echo $$ >$D/pid; exec cat >>$D/log");
    rig->spec.output_argv[0] = program;
    rig_shell(rig,
              "echo one; until test -e $1/go; do sleep 0.01; done; "
              "head -c 1000000 /dev/zero; echo >$1/done; "
              "while :; do echo again; sleep 0.05; done",
              rig->dir, NULL);
    rig_run(rig);
    assert_string_equal(rig_read(rig, "log"), "one\n");
    assert_int_equal(unlink(program), 0);
    assert_int_equal(kill(rig_read_pid(rig, "pid"), SIGKILL), 0);
    do {
        assert_true(amgr_clock_monotonic_us() < end_us);
        said = strstr(rig->log->text, "/logger cannot be started, and its "
                                      "output is dropped: ");
    } while (said == NULL);
    close(open(path_in(rig, "go"), O_CREAT | O_WRONLY, 0644));
    rig_read(rig, "done");
    assert_int_equal(symlink("/bin/sh", program), 0);
    while (strstr(rig_read(rig, "log"), "\nagain\n") == NULL) {
        assert_true(amgr_clock_monotonic_us() < end_us);
    }
    rig_order(rig, AMGR_GUARD_KILL);
    rig_finish(rig);
    assert_true(rig->last[AMGR_GUARD_OUTPUT].output_dropped > 900000);
    /* That it ended, and that it could not be started. */
    assert_int_equal(rig->log->lines, 2);
}

/* It reads no more and does not end: it has its time and goes. */
static void test_the_logger_does_not_end(void **state)
{
    rig_t *rig = *state;
    pid_t logger;

    set_logger(rig, "trap '' TERM; echo $$ >$D/logger; "
                    "while :; do sleep 1; done");
    rig_shell(rig, "echo one", NULL, NULL);
    rig_run(rig);
    logger = rig_read_pid(rig, "logger");
    rig_finish(rig);
    assert_true(rig_is_gone(logger));
    assert_in_range(rig_cpu_ms(rig), 0, 300);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_escape),
        cmocka_unit_test(test_escape_of_long_text),
        RIGGED(test_lines),
        RIGGED(test_a_long_line),
        RIGGED(test_a_flood),
        RIGGED(test_the_end_of_a_flood),
        RIGGED(test_a_file),
        RIGGED(test_a_full_disk),
        RIGGED(test_without_a_line_end_to_the_log),
        RIGGED(test_without_a_line_end_to_nowhere),
        RIGGED(test_without_a_line_end_to_a_file),
        RIGGED(test_a_writer_elsewhere),
        RIGGED(test_output_is_closed),
        RIGGED(test_inherited),
        RIGGED(test_a_new_error_log),
        RIGGED(test_a_logger),
        RIGGED(test_the_logger_dies),
        RIGGED(test_the_logger_is_done),
        RIGGED(test_the_logger_is_useless),
        RIGGED(test_the_logger_has_no_program),
        RIGGED(test_the_logger_does_not_end),
    };

    apr_initialize();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
