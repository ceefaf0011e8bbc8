/* SPDX-License-Identifier: Apache-2.0
 *
 * Sections of managed processes: defaults, values, what Command and Shell make
 * together, paths, and when two are the same.
 */
#include <signal.h>

#include "base/units.h"
#include "spec_lines.h"

static void defaults_are_harmless_and_bounded(void **state)
{
    const amgr_spec_t *spec = section("web", "Command /bin/x");

    (void)state; /* cmocka's signature */
    assert_string_equal(spec->argv[0], "/bin/x");
    assert_null(spec->argv[1]);
    assert_null(spec->directory);
    assert_null(spec->user);
    assert_null(spec->group);
    assert_int_equal(spec->output, AMGR_OUTPUT_ERRORLOG);
    assert_int_equal(spec->start_timeout_us, 30 * SEC);
    assert_int_equal(spec->stop_signal, SIGTERM);
    assert_int_equal(spec->stop_timeout_us, 10 * SEC);
    assert_int_equal(spec->restart, AMGR_RESTART_ON_FAILURE);
    assert_int_equal(spec->delay_us, SEC);
    assert_true(spec->delay_factor == 2.0);
    assert_int_equal(spec->delay_max_us, 60 * SEC);
    assert_int_equal(spec->delay_jitter_percent, 10);
    assert_int_equal(spec->delay_reset_us, 60 * SEC);
    assert_int_equal(spec->restart_limit, 5);
    assert_int_equal(spec->restart_window_us, 60 * SEC);
    assert_int_equal(spec->success_exits->nelts, 1);
    assert_int_equal(APR_ARRAY_IDX(spec->success_exits, 0, int), 0);
    assert_int_equal(spec->limits->nelts, 0);
    assert_int_equal(spec->nice, AMGR_SPEC_NO_NICE);
    assert_int_equal(spec->oom, AMGR_SPEC_NO_OOM);
    assert_int_equal(spec->max_memory_bytes, 0);
    assert_int_equal(spec->verify.type, AMGR_VERIFY_NONE);
    assert_int_equal(spec->liveness.type, AMGR_VERIFY_NONE);
    assert_int_equal(spec->environment->nelts, 0);
    assert_int_equal(spec->after->nelts, 0);
    assert_int_equal(spec->gates->nelts, 0);
}

static void check_limits(const amgr_spec_t *spec)
{
    static const struct {
        int resource;
        rlim_t soft;
        rlim_t hard;
    } want[] = {
        {RLIMIT_NOFILE, 65536, 65536},
        {RLIMIT_AS, APR_UINT64_C(2) << 30, RLIM_INFINITY},
        {RLIMIT_CORE, 0, 0},
        {RLIMIT_CPU, 90, 120},
        {RLIMIT_RTTIME, 1500, 1500},
        {RLIMIT_STACK, RLIM_INFINITY, RLIM_INFINITY},
    };
    size_t i;

    assert_int_equal(spec->limits->nelts, AMGR_COUNT(want));
    for (i = 0; i < AMGR_COUNT(want); i++) {
        const amgr_rlimit_t *limit =
            &APR_ARRAY_IDX(spec->limits, (int)i, amgr_rlimit_t);

        assert_int_equal(limit->resource, want[i].resource);
        assert_true(limit->limit.rlim_cur == want[i].soft);
        assert_true(limit->limit.rlim_max == want[i].hard);
    }
}

static void values_arrive_in_their_units(void **state)
{
    const amgr_spec_t *spec = section(
        "web",
        "command /bin/x -a \"b c\"\nWorkingDirectory /srv\nUser www-data\n"
        "Group #33\nStartTimeout Off\nStopSignal SIGINT\nStopTimeout 1500ms\n"
        "Restart Always\nRestartDelay 2m reset=5m jitter=0% factor=1.25\n"
        "RestartLimit 3 10m\nSuccessExit 143 0 2\nNice -5\nOom 200\n"
        "MaxMemory 1.5G\nLimit nofile 65536\nLimit as 2G:unlimited\n"
        "Limit core 0\nLimit cpu 1.5m:2m\nLimit rttime 1.5ms\n"
        "Limit stack unlimited\n");

    (void)state; /* cmocka's signature */
    assert_string_equal(spec->argv[2], "b c");
    assert_null(spec->argv[3]);
    assert_string_equal(spec->directory, "/srv");
    assert_string_equal(spec->user, "www-data");
    assert_string_equal(spec->group, "#33");
    assert_true(spec->start_timeout_us == AMGR_LIMIT_OFF);
    assert_int_equal(spec->stop_signal, SIGINT);
    assert_int_equal(spec->stop_timeout_us, SEC * 3 / 2);
    assert_int_equal(spec->restart, AMGR_RESTART_ALWAYS);
    assert_int_equal(spec->delay_us, 120 * SEC);
    /* Not above its own first delay. */
    assert_int_equal(spec->delay_max_us, 120 * SEC);
    assert_true(spec->delay_factor == 1.25);
    assert_int_equal(spec->delay_jitter_percent, 0);
    assert_int_equal(spec->delay_reset_us, 300 * SEC);
    assert_int_equal(spec->restart_limit, 3);
    assert_int_equal(spec->restart_window_us, 600 * SEC);
    assert_int_equal(spec->success_exits->nelts, 3);
    assert_int_equal(APR_ARRAY_IDX(spec->success_exits, 1, int), 143);
    assert_int_equal(spec->nice, -5);
    assert_int_equal(spec->oom, 200);
    assert_int_equal(spec->max_memory_bytes, APR_UINT64_C(1610612736));
    check_limits(spec);
}

static void lists_gather_what_is_repeated(void **state)
{
    const amgr_spec_t *spec = section(
        "web", "Environment A \"b c\"\nCommand /bin/x\nEnvironment AB=c=d\n"
               "EnvironmentFile /etc/a\nEnvironmentFile -/etc/b\n"
               "PassEnv PATH LANG\nPassEnv TZ\nAfter a b\nAfter c\n"
               "RequireFree tcp://127.0.0.1:80 unix:/run/x\n"
               "Gate balancer://app http://127.0.0.1:8983\n"
               "Gate balancer://app http://127.0.0.1:8984\n");

    (void)state; /* cmocka's signature */
    assert_string_equal(word_at(spec->environment, 0), "A=b c");
    assert_string_equal(word_at(spec->environment, 1), "AB=c=d");
    assert_string_equal(word_at(spec->environment_files, 0), "/etc/a");
    assert_string_equal(word_at(spec->environment_files, 1), "-/etc/b");
    assert_string_equal(word_at(spec->pass_env, 2), "TZ");
    assert_string_equal(word_at(spec->after, 2), "c");
    assert_string_equal(word_at(spec->require_free, 1), "unix:/run/x");
    assert_int_equal(spec->gates->nelts, 2);
    assert_string_equal(APR_ARRAY_IDX(spec->gates, 1, amgr_gate_t).member,
                        "http://127.0.0.1:8984");
    assert_int_equal(spec->lines->nelts, 12);
}

static void output_has_its_words(void **state)
{
    const char *logger = "||  /bin/log\\ ger -n 'a  b' c\"d\"e\\\"\"f g\" '' "
                         "\"\\q\"";
    amgr_spec_t *piped = begin("web");
    const amgr_spec_t *spec =
        section("web", "Command /bin/x\nOutput /var/log/web.log\n");

    (void)state; /* cmocka's signature */
    assert_int_equal(spec->output, AMGR_OUTPUT_FILE);
    assert_string_equal(spec->output_file, "/var/log/web.log");
    assert_int_equal(section("web", "Command /bin/x\nOutput Inherit\n")->output,
                     AMGR_OUTPUT_INHERIT);
    spec = piped;
    assert_null(amgr_spec_add(piped, "Output", 1, &logger, NULL, pool));
    assert_int_equal(spec->output, AMGR_OUTPUT_PIPE);
    assert_string_equal(spec->output_argv[0], "/bin/log ger");
    assert_string_equal(spec->output_argv[1], "-n");
    assert_string_equal(spec->output_argv[2], "a  b");
    assert_string_equal(spec->output_argv[3], "cde\"f g");
    assert_string_equal(spec->output_argv[4], "");
    assert_string_equal(spec->output_argv[5], "\\q");
    assert_null(spec->output_argv[6]);
}

static void a_shell_is_had_by_asking_alone(void **state)
{
    const amgr_spec_t *spec =
        section("web", "Command \"cd /srv && exec ./run\"\nShell on\n");

    (void)state; /* cmocka's signature */
    assert_string_equal(spec->argv[0], "/bin/sh");
    assert_string_equal(spec->argv[1], "-c");
    assert_string_equal(spec->argv[2], "cd /srv && exec ./run");
    assert_null(spec->argv[3]);
    spec = section("web", "Shell Off\nCommand /bin/x\n");
    assert_string_equal(spec->argv[0], "/bin/x");
}

static const struct {
    const char *lines[3];
    const char *sentence;
} unfinished[] = {
    {{"Shell On"}, "process web: Command is missing"},
    {{"Command run"},
     "process web: Command: 'run' is not valid (expected a program with its "
     "path, absolute or relative to ServerRoot)"},
    {{"Command \"/bin/x\n\""},
     "process web: Command: '/bin/x\\x0a' is not valid (expected a program's "
     "path without control characters)"},
    {{"Shell On", "Command a b"},
     "process web: Command: 'a' is not valid (expected one quoted text, as "
     "Shell is On)"},
    {{"Command /x", "Verify exited 0", "Restart always"},
     "process web: Restart: 'always' is not valid (expected on-failure or "
     "never, as Verify waits for its end)"},
    {{"Command /x", "Verify exited 0", "Liveness tcp h:1"},
     "process web: Liveness: 'tcp' is not valid (expected none, as Verify "
     "waits for its end)"},
};

static void what_does_not_fit_together_is_told_at_the_end(void **state)
{
    size_t i;
    size_t k;

    (void)state; /* cmocka's signature */
    for (i = 0; i < AMGR_COUNT(unfinished); i++) {
        amgr_spec_t *spec = begin("web");

        for (k = 0; k < 3 && unfinished[i].lines[k] != NULL; k++) {
            assert_null(add_line(spec, unfinished[i].lines[k]));
        }
        assert_string_equal(amgr_spec_finish(spec, pool),
                            unfinished[i].sentence);
    }
}

/* The words of a line, and how the one that is a path is made absolute. */
static const struct {
    const char *line;
    int index; /**< of the path; -1: there is none */
    const char *absolute;
} paths[] = {
    {"Command bin/x bin/y", 0, "/sr v/bin/x"},
    {"Command x bin/y", -1, NULL},
    {"Command |bin/x y", 0, "/sr v/|bin/x"},
    {"Command bin/x", 0, "/sr v/bin/x"},
    {"Command /bin/x", 0, "/bin/x"},
    {"Command \"cd a/b && c\"", -1, NULL},
    {"Command A=/x", -1, NULL},
    {"Command true", -1, NULL},
    {"workingdirectory srv", 0, "/sr v/srv"},
    {"EnvironmentFile a", 0, "/sr v/a"},
    {"EnvironmentFile -a/b", 0, "-/sr v/a/b"},
    {"EnvironmentFile -", 0, "-"},
    {"Output logs/x", 0, "/sr v/logs/x"},
    {"Output discard", -1, NULL},
    {"Output a/b c/d", 0, "/sr v/a/b"},
    {"Output \"|bin/x logs/y\"", 0, "|/sr\\ v/bin/x logs/y"},
    {"Output \"|| 'bin/x y' z\"", 0, "|| '/sr v/bin/x y' z"},
    {"Output \"|x logs/y\"", -1, NULL},
    {"Output \"|$bin/x\"", -1, NULL},
    {"Output |", -1, NULL},
    {"Verify http http://a/b", -1, NULL},
    {"Verify unix interval=1s x timeout=1s", 2, "/sr v/x"},
    {"Liveness file x", 1, "/sr v/x"},
    {"Verify exec timeout=1s bin/x bin/y", 2, "/sr v/bin/x"},
    {"Verify exec x bin/y", -1, NULL},
    {"Verify exited 0", -1, NULL},
    {"Verify mine a/b", -1, NULL},
    {"RequireFree unix:/a", -1, NULL},
    {"Foo a/b", -1, NULL},
};

static void paths_are_relative_to_the_root_of_the_server(void **state)
{
    const char *argv[WORDS_MAX];
    int argc;
    size_t i;
    int k;

    (void)state; /* cmocka's signature */
    for (i = 0; i < AMGR_COUNT(paths); i++) {
        argc = split_line(paths[i].line, argv) - 1;
        for (k = 0; k < argc; k++) {
            const char *word = amgr_spec_absolute(argv[0], argc, argv + 1, k,
                                                  "/sr v", pool);

            if (amgr_spec_path_at(argv[0], argc, argv + 1, k) !=
                (k == paths[i].index)) {
                fail_msg("%s: word %d", paths[i].line, k);
            }
            assert_string_equal(word, k == paths[i].index ? paths[i].absolute
                                                          : argv[k + 1]);
        }
        assert_int_equal(amgr_spec_path_at(argv[0], argc, argv + 1, argc), 0);
        assert_int_equal(amgr_spec_path_at(argv[0], argc, argv + 1, -1), 0);
    }
    assert_string_equal(
        amgr_spec_absolute("WorkingDirectory", 1, &argv[1], 0, "/", pool),
        "/a/b");
}

static void a_change_of_any_word_is_a_change(void **state)
{
    const amgr_spec_t *spec = section("web", "Command /x a\nUser b\n");

    (void)state; /* cmocka's signature */
    assert_true(
        amgr_spec_equal(spec, section("web", "COMMAND /x \"a\"\nuser b\n")));
    assert_false(
        amgr_spec_equal(spec, section("api", "Command /x a\nUser b\n")));
    assert_false(amgr_spec_equal(spec, section("web", "Command /x a\n")));
    assert_false(
        amgr_spec_equal(spec, section("web", "Command /x a b\nUser b\n")));
    assert_false(
        amgr_spec_equal(spec, section("web", "Command /x c\nUser b\n")));
    assert_false(
        amgr_spec_equal(spec, section("web", "Command /x a\nGroup b\n")));
    assert_false(
        amgr_spec_equal(spec, section("web", "User b\nCommand /x a\n")));
}

static void words_are_unknown_beyond_their_range(void **state)
{
    (void)state; /* cmocka's signature */
    assert_string_equal(amgr_restart_word(AMGR_RESTART_ON_FAILURE),
                        "on-failure");
    assert_string_equal(amgr_restart_word(-1), "unknown");
    assert_string_equal(amgr_restart_word(AMGR_RESTART_COUNT), "unknown");
    assert_string_equal(amgr_output_word(AMGR_OUTPUT_PIPE), "pipe");
    assert_string_equal(amgr_output_word(-1), "unknown");
    assert_string_equal(amgr_output_word(AMGR_OUTPUT_COUNT), "unknown");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults_are_harmless_and_bounded),
        cmocka_unit_test(values_arrive_in_their_units),
        cmocka_unit_test(lists_gather_what_is_repeated),
        cmocka_unit_test(output_has_its_words),
        cmocka_unit_test(a_shell_is_had_by_asking_alone),
        cmocka_unit_test(what_does_not_fit_together_is_told_at_the_end),
        cmocka_unit_test(paths_are_relative_to_the_root_of_the_server),
        cmocka_unit_test(a_change_of_any_word_is_a_change),
        cmocka_unit_test(words_are_unknown_beyond_their_range),
    };

    return cmocka_run_group_tests(tests, create_pool, destroy_pool);
}
