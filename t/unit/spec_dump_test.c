/* SPDX-License-Identifier: Apache-2.0
 *
 * The effective configuration: what is printed can be pasted back, and shows
 * no password.
 */
#include "render_check.h"
#include "spec_lines.h"

static const char everything[] =
    "Command /opt/app/bin/run -c \"conf dir/app.conf\" \"\" 'it\"s' \"it's\" "
    "\"back\\\\slash\" \"end\\\\\" http://h:80/path@x\n"
    "WorkingDirectory \"/srv/my app\"\n"
    "User www-data\n"
    "Group #33\n"
    "Environment NAME \"two words\"\n"
    "Environment EMPTY=\n"
    "Environment DATABASE_URL=postgres://app:hunter2@db:5432/app\n"
    "EnvironmentFile -/etc/default/app\n"
    "EnvironmentFile /etc/app.env\n"
    "PassEnv PATH LANG\n"
    "PassEnv TZ\n"
    "Output \"|/usr/bin/rotatelogs -n 5 'logs/my app' 10M\"\n"
    "After db cache\n"
    "After migrate\n"
    "StartTimeout 90s\n"
    "StopSignal sigint\n"
    "StopTimeout 1500ms\n"
    "Restart Always\n"
    "RestartDelay 500ms max=5m factor=1.5 jitter=0% reset=2m\n"
    "RestartLimit 10 in 10m\n"
    "SuccessExit 143 2\n"
    "Limit nofile 65536\n"
    "Limit as 2G:unlimited\n"
    "Limit core 0\n"
    "Limit cpu 60\n"
    "Nice -5\n"
    "Oom 200\n"
    "MaxMemory 1.5G\n"
    "RequireFree tcp://127.0.0.1:8983 unix:/run/app.sock\n"
    "Verify http https://probe:hunter2@127.0.0.1:8983/up status=204 "
    "header=\"Host: example.org\" \"header=Authorization: Bearer hunter2\"\n"
    "Liveness exec timeout=5s /opt/app/bin/check --deep \"a b\"\n"
    "Gate balancer://app http://127.0.0.1:8983\n";

static const char shell[] = "Shell On\n"
                            "Command \"cd /srv && exec ./run \\\"$HOME\\\"\"\n"
                            "Output /var/log/app.log\n"
                            "User app\n"
                            "StartTimeout Off\n"
                            "RestartLimit Off\n"
                            "Verify notify\n"
                            "Liveness notify\n";

static const char once[] = "Command /opt/app/bin/migrate\n"
                           "Restart never\n"
                           "Output DISCARD\n"
                           "Verify exited 3\n";

static const char other[] = "Command /opt/app/bin/run\n"
                            "Output inherit\n"
                            "Verify mine retries=3 a=b\n"
                            "Liveness http http://h/ status=200-399\n";

static void compare(const char *name, const char *text)
{
    text_t got = {NULL, strlen(text)};

    got.data = apr_pstrdup(pool, text);
    golden_compare(name, &got);
}

static void the_effective_configuration_is_told(void **state)
{
    (void)state; /* cmocka's signature */
    compare("spec_default.conf", dumped(section("web", "Command /bin/x\n")));
    compare("spec_everything.conf", dumped(section("web", everything)));
    compare("spec_shell.conf", dumped(section("web", shell)));
    compare("spec_once.conf", dumped(section("web", once)));
    compare("spec_other.conf", dumped(section("web", other)));
}

static void what_is_told_says_the_same_when_it_is_read(void **state)
{
    const char *const texts[] = {"Command /bin/x\n", everything, shell, once,
                                 other};
    size_t i;

    (void)state; /* cmocka's signature */
    for (i = 0; i < AMGR_COUNT(texts); i++) {
        const char *first = dumped(section("web", texts[i]));

        assert_string_equal(dumped(section("web", first)), first);
    }
}

static void words_survive_being_told(void **state)
{
    const amgr_spec_t *spec = section("web", everything);
    const amgr_spec_t *again = section("web", dumped(spec));
    int i;

    (void)state; /* cmocka's signature */
    for (i = 0; spec->argv[i] != NULL; i++) {
        assert_non_null(again->argv[i]);
        assert_string_equal(again->argv[i], spec->argv[i]);
    }
    assert_null(again->argv[i]);
    assert_string_equal(again->output_argv[3], "logs/my app");
    assert_true(again->delay_factor == spec->delay_factor);
    assert_int_equal(again->limits->nelts, spec->limits->nelts);
}

/* Wherever a URL stands; and a port and a path are no password. */
static const struct {
    const char *word;
    const char *shown;
} urls[] = {
    {"http://u:pw@h/", "http://u:***@h/"},
    {"http://:pw@h/", "http://:***@h/"},
    {"http://u:p@w@h/", "http://u:***@h/"},
    {"http://u:p/w@h/", "http://u:***@h/"},
    {"redis://u:1234@h", "redis://u:***@h"},
    {"--url=http://u:pw@h/ x", "\"--url=http://u:***@h/ x\""},
    {"http://u:pw@h,http://v:pw@i", "http://u:***@i"},
    {"http://u:pw@h http://v:pw@i", "\"http://u:***@h http://v:***@i\""},
    {"http://u:@h/", "http://u:@h/"},
    {"http://u@h:80/", "http://u@h:80/"},
    {"http://h:80/x@y", "http://h:80/x@y"},
    {"http://h/u:x@y", "http://h/u:x@y"},
    {"http://[::1]:80/x@y", "http://[::1]:80/x@y"},
    {"http://h:80", "http://h:80"},
    {"a:b@c", "a:b@c"},
};

static void no_password_in_a_url_is_told(void **state)
{
    size_t i;

    (void)state; /* cmocka's signature */
    for (i = 0; i < AMGR_COUNT(urls); i++) {
        amgr_spec_t *spec = begin("web");
        const char *argv[] = {"A", urls[i].word};
        const char *want =
            apr_psprintf(pool, "    Environment A %s\n", urls[i].shown);

        assert_null(amgr_spec_add(spec, "Environment", 2, argv, NULL, pool));
        if (strstr(dumped(spec), want) == NULL) {
            fail_msg("%s: %s", urls[i].word, dumped(spec));
        }
    }
    assert_null(strstr(dumped(section("web", everything)), "hunter2"));
}

static void nothing_told_commands_a_terminal(void **state)
{
    static const char *const argv[] = {"/bin/x", "a\nb\tc",
                                       "\xc2\x9b\xe2\x80\xae\xff\xc3\xa4"};
    amgr_spec_t *spec = begin("web");
    const char *text;

    (void)state; /* cmocka's signature */
    assert_null(amgr_spec_add(spec, "Command", 3, argv, NULL, pool));
    text = dumped(spec);
    assert_non_null(strstr(text, "    Command /bin/x \"a\\x0ab\\x09c\" "
                                 "\\xc2\\x9b\\xe2\\x80\\xae\\xff\xc3\xa4\n"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_effective_configuration_is_told),
        cmocka_unit_test(what_is_told_says_the_same_when_it_is_read),
        cmocka_unit_test(words_survive_being_told),
        cmocka_unit_test(no_password_in_a_url_is_told),
        cmocka_unit_test(nothing_told_commands_a_terminal),
    };

    return cmocka_run_group_tests(tests, create_pool, destroy_pool);
}
