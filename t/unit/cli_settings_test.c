/* SPDX-License-Identifier: Apache-2.0
 *
 * The files of settings: what they may say, in which order they are read, and
 * whose are refused.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include <apr_file_info.h>
#include <apr_file_io.h>
#include <apr_general.h>
#include <apr_strings.h>

#include "scratch.h"

#include "cli/message.h"
#include "cli/options/settings_file.h"

#define MIB APR_INT64_C(1048576)

static apr_pool_t *pool;
static char root[SCRATCH_SIZE];

static const amgr_fault_t *parse(amgr_settings_t *settings, const char *text)
{
    amgr_settings_init(settings);
    return amgr_settings_parse(settings, "/etc/x.ini", text, pool);
}

static void parse_well(amgr_settings_t *settings, const char *text)
{
    const amgr_fault_t *fault = parse(settings, text);

    if (fault != NULL) {
        fail_msg("%s: %s", text, fault->text);
    }
}

static void test_keys(void **state)
{
    amgr_settings_t settings;

    (void)state;
    parse_well(&settings, "");
    assert_int_equal(settings.max_memory_active_bytes, AMGR_LIMIT_OFF);
    assert_int_equal(settings.max_memory_idle_bytes, AMGR_LIMIT_OFF);
    assert_int_equal(settings.max_time_us, AMGR_LIMIT_OFF);
    assert_int_equal(settings.hanging_us, 0);
    assert_int_equal(settings.max_kills, 0);
    parse_well(&settings, "# a comment\r\n"
                          "[apache-manager]\r\n"
                          "; another\n"
                          "max-memory-active = 500M ; why\n"
                          "  Max_Memory_Idle:250 MB\n"
                          "worker-timeout=5 minutes\n"
                          "\n"
                          "hanging_worker_threshold = 2m\n"
                          "max-kills = 7");
    assert_int_equal(settings.max_memory_active_bytes, 500 * MIB);
    assert_int_equal(settings.max_memory_idle_bytes, 250 * MIB);
    assert_int_equal(settings.max_time_us, apr_time_from_sec(300));
    assert_int_equal(settings.hanging_us, apr_time_from_sec(120));
    assert_int_equal(settings.max_kills, 7);
}

/* A later file takes back what an earlier one has set. */
static void test_taken_back(void **state)
{
    amgr_settings_t settings;

    (void)state;
    parse_well(&settings, "[apache-manager]\nmax-memory-active = 500M\n"
                          "worker-timeout = 5\nmax-memory-idle = 3M\n"
                          "hanging-worker-threshold = 9\nmax-kills = 2\n");
    assert_null(amgr_settings_parse(&settings, "/etc/y.ini",
                                    "[apache-manager]\n"
                                    "max-memory-active = 0\n"
                                    "worker-timeout =\n"
                                    "hanging-worker-threshold =\n"
                                    "max-kills =\n",
                                    pool));
    assert_int_equal(settings.max_memory_active_bytes, AMGR_LIMIT_OFF);
    assert_int_equal(settings.max_time_us, AMGR_LIMIT_OFF);
    assert_int_equal(settings.max_memory_idle_bytes, 3 * MIB);
    assert_int_equal(settings.hanging_us, 0);
    assert_int_equal(settings.max_kills, 0);
}

/* What nobody knows is a warning, and what is known holds. */
static void test_unknown(void **state)
{
    amgr_settings_t settings;

    (void)state;
    parse_well(&settings, "[other]\nmax-memory-active = nonsense\n"
                          "[apache-manager]\nmax-memory = 5\n"
                          "max-memory-activex = 5\n"
                          "max-memory-idle = 5\n");
    assert_int_equal(settings.max_memory_active_bytes, AMGR_LIMIT_OFF);
    assert_int_equal(settings.max_memory_idle_bytes, 5);
}

static void test_refused(void **state)
{
    static const struct {
        const char *text;
        const char *fault;
    } cases[] = {
        { "[apache-manager]\nmax-memory-active = lots\n",
          "/etc/x.ini:2: max-memory-active: 'lots' is not a size" },
        { "\n\n[apache-manager]\n\nworker-timeout = 1h30m\n",
          "/etc/x.ini:5: worker-timeout: '1h30m' is not a time span" },
        { "[apache-manager]\nhanging-worker-threshold = 0\n",
          "/etc/x.ini:2: hanging-worker-threshold: '0' is not a time span" },
        { "[apache-manager]\nmax-kills = 0\n",
          "/etc/x.ini:2: max-kills: '0' is not a whole number from 1" },
        { "[apache-manager]\nmax-kills = -1\n", "/etc/x.ini:2: max-kills" },
        { "max-memory-active = 5M\n", "/etc/x.ini:1: no setting" },
        { "[apache-manager]\nmax-memory-active\n", "/etc/x.ini:2: no setting" },
        { "[apache-manager\nmax-memory-active = 5\n", "/etc/x.ini:1: no" },
        { "[apache-manager]\nmax-memory-idle = 5\n garbage\n",
          "/etc/x.ini:3: no setting" },
    };
    amgr_settings_t settings;
    apr_size_t i;

    (void)state;
    for (i = 0; i < AMGR_COUNT(cases); i++) {
        const amgr_fault_t *fault = parse(&settings, cases[i].text);

        if (fault == NULL || strstr(fault->text, cases[i].fault) == NULL) {
            fail_msg("%s: %s", cases[i].text,
                     fault != NULL ? fault->text : "taken");
        }
        assert_int_equal(fault->exit_code, AMGR_EXIT_USAGE);
    }
}

static void test_long_line(void **state)
{
    amgr_settings_t settings;
    const amgr_fault_t *fault;
    char line[600];

    (void)state;
    memset(line, '0', sizeof(line) - 1);
    line[sizeof(line) - 1] = '\0';
    fault = parse(&settings, apr_pstrcat(pool, "[apache-manager]\n"
                                               "max-memory-idle = 5",
                                         line, "\n", NULL));
    assert_non_null(fault);
    assert_string_equal(fault->text, "/etc/x.ini:2: the line is too long");
}

static const char *path_of(const char *name)
{
    return apr_pstrcat(pool, root, "/", name, NULL);
}

static void put_file(const char *name, const char *text, int mode)
{
    const char *path = path_of(name);
    apr_file_t *file;
    apr_size_t len = strlen(text);

    assert_int_equal(apr_file_open(&file, path,
                                   APR_FOPEN_WRITE | APR_FOPEN_CREATE |
                                       APR_FOPEN_TRUNCATE,
                                   APR_FPROT_OS_DEFAULT, pool),
                     APR_SUCCESS);
    assert_int_equal(apr_file_write_full(file, text, len, NULL), APR_SUCCESS);
    apr_file_close(file);
    assert_int_equal(chmod(path, (mode_t)mode), 0);
}

static void put_setting(const char *name, const char *value)
{
    put_file(name,
             apr_pstrcat(pool, "[apache-manager]\nmax-memory-idle = ", value,
                         "\n", NULL),
             0644);
}

static apr_int64_t idle_of_all(void)
{
    amgr_settings_t settings;

    amgr_settings_init(&settings);
    assert_null(amgr_settings_read(&settings, path_of("etc"), path_of("home"),
                                   1, pool));
    return settings.max_memory_idle_bytes;
}

static void put_dir(const char *name)
{
    assert_int_equal(mkdir(path_of(name), 0755), 0);
}

/* Each of the places wins over those before it. */
static void test_places(void **state)
{
    static const char *const places[] = {
        "etc/apache-manager.ini",
        "etc/apache-manager.d/9.ini",
        "etc/apache-manager.d/10-x.ini",
        "etc/apache-manager.d/a.ini",
        "home/.apache-manager.ini",
        "home/.apache-manager.d/1.ini",
        "home/.config/apache-manager.ini",
        "home/.config/apache-manager.d/1.ini",
    };
    apr_size_t i;

    (void)state;
    put_dir("etc");
    put_dir("etc/apache-manager.d");
    put_dir("home");
    put_dir("home/.apache-manager.d");
    put_dir("home/.config");
    put_dir("home/.config/apache-manager.d");
    put_dir("etc/apache-manager.d/directory.ini");
    assert_int_equal(idle_of_all(), AMGR_LIMIT_OFF);
    put_setting("etc/apache-manager.d/.hidden.ini", "1");
    put_setting("etc/apache-manager.d/backup.ini~", "2");
    put_setting("etc/apache-manager.d/.ini", "3");
    assert_int_equal(mkfifo(path_of("etc/apache-manager.d/fifo.ini"), 0644),
                     0);
    assert_int_equal(idle_of_all(), AMGR_LIMIT_OFF);
    for (i = 0; i < AMGR_COUNT(places); i++) {
        put_setting(places[i], apr_itoa(pool, 100 + (int)i));
        assert_int_equal(idle_of_all(), 100 + (int)i);
    }
}

/* What others than root may write says nothing to root. */
static void test_writable(void **state)
{
    amgr_settings_t settings;
    const amgr_fault_t *fault;
    int is_root = geteuid() == 0;

    (void)state;
    put_dir("others");
    put_file("others/apache-manager.ini",
             "[apache-manager]\nmax-memory-idle = 5\n", 0646);
    amgr_settings_init(&settings);
    fault = amgr_settings_read(&settings, path_of("others"), path_of("none"),
                               1, pool);
    assert_int_equal(fault != NULL, is_root);
    if (is_root) {
        assert_int_equal(fault->exit_code, AMGR_EXIT_USAGE);
        assert_non_null(strstr(fault->text, "written by others than root"));
    }
    assert_null(amgr_settings_read(&settings, path_of("others"),
                                   path_of("none"), 0, pool));
    assert_int_equal(settings.max_memory_idle_bytes,
                     is_root ? AMGR_LIMIT_OFF : 5);
}

/* Too much for settings; the rest is read. */
static void test_huge(void **state)
{
    amgr_settings_t settings;
    char *text = apr_palloc(pool, 70001);

    (void)state;
    memset(text, '\n', 70000);
    text[70000] = '\0';
    put_dir("huge");
    put_file("huge/apache-manager.ini", text, 0644);
    amgr_settings_init(&settings);
    assert_null(amgr_settings_read(&settings, path_of("huge"), path_of("none"),
                                   1, pool));
    assert_int_equal(settings.max_memory_idle_bytes, AMGR_LIMIT_OFF);
}

static int remove_all(void **state)
{
    const char *command = apr_pstrcat(pool, "rm -rf ", root, NULL);

    (void)state;
    return system(command);
}

static int make_root(void **state)
{
    (void)state;
    return scratch_make(root, 0700);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_keys),
        cmocka_unit_test(test_taken_back),
        cmocka_unit_test(test_unknown),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_long_line),
        cmocka_unit_test(test_places),
        cmocka_unit_test(test_writable),
        cmocka_unit_test(test_huge),
    };
    int failed;

    if (apr_initialize() != APR_SUCCESS ||
        apr_pool_create(&pool, NULL) != APR_SUCCESS) {
        return 1;
    }
    amgr_message_hold(1);
    failed = cmocka_run_group_tests(tests, make_root, remove_all);
    apr_terminate();
    return failed;
}
