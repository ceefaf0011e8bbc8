/* SPDX-License-Identifier: Apache-2.0
 *
 * The command line: what each of the ways to write it asks for, and what is
 * said of the wrong ones.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <apr_general.h>
#include <apr_strings.h>

#include "cli/message.h"
#include "cli/options/options.h"

#define KILL AMGR_TASK_KILL
#define WATCH AMGR_TASK_WATCH
#define REPORT AMGR_TASK_REPORT
#define COLLECT AMGR_TASK_COLLECT

static apr_pool_t *pool;

/* Read @a line, whose arguments blanks separate; `~` stands for a blank. */
static const amgr_fault_t *read_line(const char *line, amgr_options_t *out)
{
    const char *argv[32];
    char *rest = apr_pstrdup(pool, line);
    char *at;
    int argc = 0;

    argv[argc++] = "apache-manager";
    while (*rest != '\0') {
        char *end = rest + strcspn(rest, " ");
        int more = *end != '\0';

        *end = '\0';
        for (at = rest; *at != '\0'; at++) {
            *at = *at == '~' ? ' ' : *at;
        }
        argv[argc++] = rest;
        rest = end + more;
    }
    argv[argc] = NULL;
    return amgr_options_read(out, argc, argv, pool);
}

static void read_well(const char *line, amgr_options_t *out)
{
    const amgr_fault_t *fault = read_line(line, out);

    if (fault != NULL) {
        fail_msg("'%s': %s", line, fault->text);
    }
}

static void test_tasks(void **state)
{
    static const struct {
        const char *line;
        int tasks;
    } cases[] = {
        { "", REPORT },
        { "-v", REPORT },
        { "-q", REPORT },
        { "--verbose --quiet", REPORT },
        { "-n", REPORT },
        { "-T 5m", REPORT },
        { "-c", COLLECT },
        { "--collect-metrics", COLLECT },
        { "--collect", COLLECT },
        { "--co", COLLECT },
        { "--c", COLLECT },
        { "-k", KILL },
        { "--kill-workers", KILL },
        { "--k", KILL },
        { "-nk", KILL },
        { "-kc", KILL | COLLECT },
        { "--collect-metrics --kill-workers --quiet", KILL | COLLECT },
        { "-qqckf /tmp/x", KILL | COLLECT },
        { "-a 50M", KILL },
        { "-i 50M", KILL },
        { "-t 5m", KILL },
        { "--max-ss 5m", KILL },
        { "--max-ss=5m", KILL },
        { "--max-t 5", KILL },
        { "-a 0", REPORT },
        { "-a 0 -i 0 -t 0", REPORT },
        { "-a 0 -k", KILL },
        { "-f -", COLLECT },
        { "-f /tmp/x", REPORT | COLLECT },
        { "-q -f /tmp/x", COLLECT },
        { "-c -f /tmp/x", COLLECT },
        { "-a 50M -f /tmp/x", KILL | COLLECT },
        { "-k --data-file=/tmp/x", KILL | COLLECT },
        { "-z", AMGR_TASK_DISCOVERY },
        { "--zabbix-discovery", AMGR_TASK_DISCOVERY },
        { "--z", AMGR_TASK_DISCOVERY },
        { "-w", WATCH },
        { "--watch", WATCH },
        { "--once", WATCH },
        { "-wk", WATCH | KILL },
        { "--json", AMGR_TASK_JSON },
        { "--processes", AMGR_TASK_PROCESSES },
        { "tree", AMGR_TASK_TREE },
        { "status", AMGR_TASK_PROCESSES },
        { "status all", AMGR_TASK_PROCESSES },
        { "status web all", AMGR_TASK_PROCESSES },
        { "status web", AMGR_TASK_STATUS },
        { "start web", AMGR_TASK_ORDER },
        { "stop all", AMGR_TASK_ORDER },
        { "restart web db --wait 5", AMGR_TASK_ORDER },
        { "--wait 5 restart web -w", AMGR_TASK_ORDER | WATCH },
        { "--w", WATCH },
        { "--wa", WATCH },
        { "tree -v", AMGR_TASK_TREE },
        { "-v -- tree", AMGR_TASK_TREE },
        { "-h", AMGR_TASK_HELP },
        { "--help -k", AMGR_TASK_HELP | KILL },
        { "--version", AMGR_TASK_VERSION },
    };
    amgr_options_t options;
    apr_size_t i;

    (void)state;
    for (i = 0; i < AMGR_COUNT(cases); i++) {
        read_well(cases[i].line, &options);
        if (options.tasks != cases[i].tasks) {
            fail_msg("'%s': tasks %x", cases[i].line, options.tasks);
        }
    }
}

static void test_orders(void **state)
{
    amgr_options_t options;

    (void)state;
    read_well("stop web -v db", &options);
    assert_string_equal(options.verb, "stop");
    assert_int_equal(options.name_count, 2);
    assert_string_equal(options.names[0], "web");
    assert_string_equal(options.names[1], "db");
    assert_int_equal(options.wait_us, apr_time_from_sec(30));
    read_well("--wait 1.5m start -- -x", &options);
    assert_string_equal(options.verb, "start");
    assert_string_equal(options.names[0], "-x");
    assert_int_equal(options.wait_us, apr_time_from_sec(90));
    read_well("restart all --wait=0", &options);
    assert_int_equal(options.wait_us, 0);
    read_well("restart all --wait=10m", &options);
    assert_int_equal(options.wait_us, apr_time_from_sec(600));
    read_well("status web", &options);
    assert_null(options.verb);
    assert_int_equal(options.name_count, 1);
}

static void test_values(void **state)
{
    amgr_options_t options;

    (void)state;
    read_well("-a 50K -i 1.5~GiB -t 2m -T 90 --max-kills 3 --url http://x/ "
              "--interval 500ms --once --color always -n -f ./y",
              &options);
    assert_int_equal(options.max_memory_active_bytes, 51200);
    assert_int_equal(options.max_memory_idle_bytes, 1610612736);
    assert_int_equal(options.max_time_us, apr_time_from_sec(120));
    assert_int_equal(options.hanging_us, apr_time_from_sec(90));
    assert_int_equal(options.max_kills, 3);
    assert_string_equal(options.url, "http://x/");
    assert_int_equal(options.interval_us, 500000);
    assert_int_equal(options.once, 1);
    assert_int_equal(options.color, AMGR_COLOR_ALWAYS);
    assert_int_equal(options.dry_run, 1);
    assert_string_equal(options.data_file, "./y");
    assert_int_equal(options.data_file_given, 1);
}

static void test_defaults(void **state)
{
    amgr_options_t options;

    (void)state;
    read_well("", &options);
    assert_int_equal(options.max_memory_active_bytes, AMGR_LIMIT_OFF);
    assert_int_equal(options.max_memory_idle_bytes, AMGR_LIMIT_OFF);
    assert_int_equal(options.max_time_us, AMGR_LIMIT_OFF);
    assert_int_equal(options.hanging_us, 0);
    assert_int_equal(options.max_kills, AMGR_KILLS_UNLIMITED);
    assert_null(options.url);
    assert_int_equal(options.interval_us, apr_time_from_sec(10));
    assert_int_equal(options.once, 0);
    assert_int_equal(options.color, AMGR_COLOR_AUTO);
    assert_int_equal(options.dry_run, 0);
    assert_string_equal(options.data_file, "/tmp/apache-manager.txt");
    assert_int_equal(options.data_file_given, 0);
    read_well("--simulate --max-memory-active=1 --max-memory-idle=2 --url=u",
              &options);
    assert_int_equal(options.dry_run, 1);
    assert_int_equal(options.max_memory_active_bytes, 1);
    assert_int_equal(options.max_memory_idle_bytes, 2);
    assert_string_equal(options.url, "u");
}

static void test_levels(void **state)
{
    static const struct {
        const char *line;
        int level;
    } cases[] = {
        { "", AMGR_LEVEL_INFO },
        { "-q", AMGR_LEVEL_NOTICE },
        { "-qq", AMGR_LEVEL_WARNING },
        { "-qqq", AMGR_LEVEL_ERROR },
        { "-qqqqqq", AMGR_LEVEL_ERROR },
        { "-v", AMGR_LEVEL_VERBOSE },
        { "-vv", AMGR_LEVEL_DEBUG },
        { "-vvvv", AMGR_LEVEL_DEBUG },
        { "-v -q", AMGR_LEVEL_INFO },
        { "-q -v", AMGR_LEVEL_INFO },
        { "--ver --quiet -q", AMGR_LEVEL_NOTICE },
        { "--v", AMGR_LEVEL_VERBOSE },
    };
    amgr_options_t options;
    apr_size_t i;

    (void)state;
    for (i = 0; i < AMGR_COUNT(cases); i++) {
        read_well(cases[i].line, &options);
        if (options.level != cases[i].level) {
            fail_msg("'%s': level %d", cases[i].line, options.level);
        }
    }
}

static void test_refused(void **state)
{
    static const struct {
        const char *line;
        const char *text; /**< what stands in the fault */
    } cases[] = {
        { "-x", "unknown option '-x'" },
        { "--json -nx", "unknown option '-x'" },
        { "-\033", "unknown option '-\\x1b'" },
        { "--foo", "unknown option '--foo'" },
        { "--foo=3", "unknown option '--foo=3'" },
        { "--max-memory 5", "ambiguous option '--max-memory'" },
        { "--d", "ambiguous option '--d'" },
        { "--watch=3", "no value belongs to '--watch=3'" },
        { "-a", "a value is missing after '-a'" },
        { "-na", "a value is missing after '-a'" },
        { "--max-ss", "a value is missing after '--max-ss'" },
        { "-a banana", "--max-memory-active: 'banana' is not a size" },
        { "-i 3MB~extra", "--max-memory-idle: '3MB extra' is not a size" },
        { "-i 5mango", "--max-memory-idle: '5mango' is not a size" },
        { "-t 1h30m", "--max-time: '1h30m' is not a time span" },
        { "--max-ss=x", "--max-time: 'x' is not a time span" },
        { "-T 0", "--hanging-worker-threshold: '0' is not a time span above" },
        { "-T x", "--hanging-worker-threshold: 'x' is not a time span" },
        { "--max-kills 0", "--max-kills: '0' is not a whole number from 1" },
        { "--max-kills -1", "--max-kills: '-1' is not a whole number" },
        { "--interval 0", "--interval: '0' is not a time span from 100ms" },
        { "--interval 50ms", "--interval: '50ms' is not" },
        { "--interval 2d", "--interval: '2d' is not" },
        { "--color red", "--color: 'red' is not auto, always or never" },
        { "--color=", "--color: '' is not auto, always or never" },
        { "--url=", "--url: '' is not the address of a server" },
        { "--data-file=", "--data-file: '' is not the path of a file" },
        { "launch", "unknown command 'launch', there are: tree, status, "
                    "start, stop and restart" },
        { "start --json web", "start does not answer in JSON; status does" },
        { "restart all --json",
          "restart does not answer in JSON; status does" },
        { "start", "start whom? Name processes, or all" },
        { "stop -v", "stop whom?" },
        { "restart --wait 5", "restart whom?" },
        { "--wait 601 stop a", "--wait: '601' is not a time span up to 10" },
        { "--wait soon stop a", "--wait: 'soon' is not a time span" },
        { "tree x", "unknown command 'x'" },
        { "-a -i 5", "--max-memory-active: '-i' is not a size" },
        { "-a \033[2J", "'\\x1b[2J'" },
        { "--help --nonsense", "unknown option '--nonsense'" },
    };
    amgr_options_t options;
    apr_size_t i;

    (void)state;
    for (i = 0; i < AMGR_COUNT(cases); i++) {
        const amgr_fault_t *fault = read_line(cases[i].line, &options);

        if (fault == NULL || strstr(fault->text, cases[i].text) == NULL ||
            strstr(fault->text, "Try 'apache-manager --help'") == NULL ||
            strchr(fault->text, '\n') != NULL) {
            fail_msg("'%s': %s", cases[i].line,
                     fault != NULL ? fault->text : "taken");
        }
        assert_int_equal(fault->exit_code, AMGR_EXIT_USAGE);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tasks),
        cmocka_unit_test(test_orders),
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_levels),
        cmocka_unit_test(test_refused),
    };
    int failed;

    if (apr_initialize() != APR_SUCCESS ||
        apr_pool_create(&pool, NULL) != APR_SUCCESS) {
        return 1;
    }
    /* No settings of whoever runs this; warnings are not what is tested. */
    setenv("HOME", "/nonexistent", 1);
    amgr_message_hold(1);
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    apr_terminate();
    return failed;
}
