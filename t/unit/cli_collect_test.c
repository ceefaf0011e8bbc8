/* SPDX-License-Identifier: Apache-2.0
 *
 * The data file from any source: the module's own bytes, what this run killed
 * on top, and no file at all where figures would be invented.
 */
#include "render_view.h"
#include "scratch.h"

#include <sys/stat.h>
#include <unistd.h>

#include <apr_general.h>

#include "cli/message.h"
#include "cli/tasks.h"

static apr_pool_t *pool;
static fixed_view_t fixed;
static amgr_source_t source;
static amgr_options_t options;
static amgr_kill_result_t killed;
static char dir[SCRATCH_SIZE];

static const char *path_of(const char *name)
{
    return apr_pstrcat(pool, dir, "/", name, NULL);
}

/* A server of two workers, looked at a second ago. */
static void begin(int kind)
{
    int i;

    view_empty(&fixed);
    set_server(&fixed.snapshot.server, "prefork");
    fixed.view.tick_wall_us = VIEW_NOW_US - VIEW_SEC(1);
    for (i = 0; i < 2; i++) {
        add_slot(&fixed,
                 add_process(&fixed, 10 + i, "native", AMGR_ROLE_WORKER,
                             VIEW_MIB(12)),
                 i, 0, AMGR_MODE_READY);
    }
    finish_view(&fixed);
    fixed.counters.killed_active = 5;
    fixed.counters.killed_idle = 7;
    memset(&source, 0, sizeof(source));
    source.kind = kind;
    source.name = "/run/source";
    source.view = fixed.view;
    source.parent.pid = 1;
    memset(&options, 0, sizeof(options));
    options.data_file = path_of("file");
    memset(&killed, 0, sizeof(killed));
}

static const amgr_fault_t *collect(void)
{
    return amgr_task_collect(&options, &source, &killed, pool);
}

static char *content(const char *path)
{
    FILE *file = fopen(path, "rb");
    char *text = apr_pcalloc(pool, 16384);

    if (file == NULL) {
        return NULL;
    }
    assert_true(fread(text, 1, 16383, file) < 16383);
    fclose(file);
    return text;
}

static void expect_line(const char *line)
{
    assert_non_null(strstr(content(options.data_file), line));
}

static void test_bytes(void **state)
{
    struct stat file;
    text_t text;

    (void)state;
    begin(AMGR_SOURCE_BOARD);
    assert_null(collect());
    text = render(amgr_write_metrics_txt, &fixed.view, 8192);
    assert_string_equal(content(options.data_file), text.data);
    free(text.data);
    assert_int_equal(stat(options.data_file, &file), 0);
    assert_int_equal(file.st_mode & 07777, 0644);
    expect_line("\nstatus-response\t0\n");
}

static void test_killed(void **state)
{
    (void)state;
    begin(AMGR_SOURCE_BOARD);
    killed.killed_active = 2;
    killed.killed_idle = 3;
    assert_null(collect());
    expect_line("\nworkers-killed-active\t7\n");
    expect_line("\nworkers-killed-idle\t10\n");
    /* The server has counted them itself. */
    killed.counted = 1;
    assert_null(collect());
    expect_line("\nworkers-killed-active\t5\n");
    expect_line("\nworkers-killed-idle\t7\n");
}

/* A server that has stopped to look at itself must not look healthy. */
static void test_stale(void **state)
{
    (void)state;
    begin(AMGR_SOURCE_BOARD);
    source.view.tick_wall_us = VIEW_NOW_US - VIEW_SEC(3600);
    assert_null(collect());
    expect_line("\nstatus-response\t1\n");
}

static void expect_refusal(int exit_code, const char *text)
{
    const amgr_fault_t *fault;

    unlink(options.data_file);
    fault = collect();
    assert_non_null(fault);
    assert_int_equal(fault->exit_code, exit_code);
    if (strstr(fault->text, text) == NULL) {
        fail_msg("%s", fault->text);
    }
    assert_int_equal(access(options.data_file, F_OK), -1);
}

static void test_unknown(void **state)
{
    int i;

    (void)state;
    begin(AMGR_SOURCE_DATA_FILE);
    expect_refusal(AMGR_EXIT_FAILED, "no figures of now");
    begin(AMGR_SOURCE_MOD_STATUS);
    assert_null(collect());
    for (i = 0; i < 2; i++) {
        fixed.processes[i].rss_bytes = AMGR_UNKNOWN;
    }
    finish_view(&fixed);
    expect_refusal(AMGR_EXIT_PERMISSION, "may not be read");
    source.parent.pid = 0;
    expect_refusal(AMGR_EXIT_FAILED, "none of this machine");
}

static void test_places(void **state)
{
    (void)state;
    begin(AMGR_SOURCE_BOARD);
    assert_int_equal(chdir(dir), 0);
    options.data_file = "relative";
    assert_null(collect());
    assert_non_null(content(path_of("relative")));

    assert_int_equal(symlink("relative", path_of("link")), 0);
    options.data_file = path_of("link");
    assert_string_equal(
        collect()->text,
        apr_pstrcat(pool, dir, "/link is not a regular file", NULL));
    options.data_file = path_of("none/x\ny");
    assert_int_equal(collect()->exit_code, AMGR_EXIT_FAILED);
    assert_non_null(strstr(collect()->text, "none/x\\x0ay is in a directory "
                                            "that cannot be opened: No such"));
    options.data_file = "/dev/full";
    assert_int_equal(collect()->exit_code, AMGR_EXIT_FAILED);
}

static int make_dir(void **state)
{
    (void)state;
    return scratch_make(dir, 0700);
}

static int remove_dir(void **state)
{
    (void)state;
    return system(apr_pstrcat(pool, "rm -rf ", dir, NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bytes),  cmocka_unit_test(test_killed),
        cmocka_unit_test(test_stale),  cmocka_unit_test(test_unknown),
        cmocka_unit_test(test_places),
    };
    int failed;

    if (apr_initialize() != APR_SUCCESS ||
        apr_pool_create(&pool, NULL) != APR_SUCCESS) {
        return 1;
    }
    amgr_message_hold(1);
    failed = cmocka_run_group_tests(tests, make_dir, remove_dir);
    apr_terminate();
    return failed;
}
