/* SPDX-License-Identifier: Apache-2.0
 *
 * What is no valid directive of a managed process, and the sentence for it.
 */
#include "spec_lines.h"

#define TAKEN NULL

static const struct {
    const char *line;
    const char *sentence; /**< behind "process web: " */
} cases[] = {
    {"Foo bar", "Foo: is no directive of <ManagedProcess>"},
    {"Comman\x1b[31m", "Comman\\x1b[31m: is no directive of <ManagedProcess>"},
    {"Command", "Command: '' is not valid (expected PROGRAM and its "
                "arguments)"},
    {"Command \"\"", "Command: '' is not valid (expected a program with its "
                     "path, absolute or relative to ServerRoot)"},
    {"Command /bin/x \"a\x01\"",
     "Command: 'a\\x01' is not valid (expected no control characters but tabs "
     "and line ends)"},
    {"Command /bin/x \"a\tb\nc\"", TAKEN},
    {"Shell maybe", "Shell: 'maybe' is not valid (expected On or Off)"},
    {"Shell On Off", "Shell: 'On Off' is not valid (expected On or Off)"},
    {"Shell on", TAKEN},
    {"WorkingDirectory srv", "WorkingDirectory: 'srv' is not valid (expected a "
                             "path, absolute or relative to ServerRoot)"},
    {"WorkingDirectory \"/srv\n\"", "WorkingDirectory: '/srv\\x0a' is not "
                                    "valid (expected no control characters)"},
    {"WorkingDirectory \"\"", "WorkingDirectory: '' is not valid (expected "
                              "words that are not empty)"},
    {"User \"a b\"",
     "User: 'a b' is not valid (expected a name, or # and a number)"},
    {"User #", "User: '#' is not valid (expected a number after the #)"},
    {"User #-1", "User: '#-1' is not valid (expected a number after the #)"},
    {"User #4294967295",
     "User: '#4294967295' is not valid (expected a number after the #)"},
    {"User #12345678901",
     "User: '#12345678901' is not valid (expected a number after the #)"},
    {"User #1x", "User: '#1x' is not valid (expected a number after the #)"},
    {"User 0", "User: '0' is not valid (expected a name, or # and a number)"},
    {"Group 100",
     "Group: '100' is not valid (expected a name, or # and a number)"},
    {"User 0x", TAKEN},
    {"User #1000", TAKEN},
    {"User #4294967294", TAKEN},
    {"Group -x",
     "Group: '-x' is not valid (expected a name, or # and a number)"},
    {"Group www-data", TAKEN},
    {"Environment A",
     "Environment: 'A' is not valid (expected NAME VALUE or NAME=VALUE, quotes "
     "around a whole word alone)"},
    {"Environment A=\"secret secret\"",
     "Environment: 'A=*** ***' is not valid (expected NAME VALUE or "
     "NAME=VALUE, quotes around a whole word alone)"},
    {"Environment A='secret'",
     "Environment: 'A=***' is not valid (expected NAME VALUE or NAME=VALUE, "
     "quotes around a whole word alone)"},
    {"Environment A \"'secret\"", TAKEN},
    {"Environment 1A=secret",
     "Environment: '1A=***' is not valid (expected a variable's name of "
     "letters, digits and underscores)"},
    {"Environment =secret",
     "Environment: '=***' is not valid (expected a variable's name of "
     "letters, digits and underscores)"},
    {"Environment A-B secret",
     "Environment: 'A-B' is not valid (expected a variable's name of letters, "
     "digits and underscores)"},
    {"Environment A secret b",
     "Environment: 'A *** ***' is not valid (expected NAME VALUE or "
     "NAME=VALUE, quotes around a whole word alone)"},
    {"Environment A \"secret\x7f\"",
     "Environment: '***' is not valid (expected no control characters but tabs "
     "and line ends)"},
    {"Environment A=", TAKEN},
    {"Environment A \"\"", TAKEN},
    {"Environment A \"1\n2\"", TAKEN},
    {"EnvironmentFile -",
     "EnvironmentFile: '-' is not valid (expected a path, absolute or relative "
     "to ServerRoot)"},
    {"EnvironmentFile -/etc/default/web", TAKEN},
    {"PassEnv A A", "PassEnv: 'A' is not valid (expected each once)"},
    {"PassEnv A=1", "PassEnv: 'A=1' is not valid (expected a variable's name "
                    "of letters, digits and underscores)"},
    {"Output syslog",
     "Output: 'syslog' is not valid (expected errorlog, discard, inherit, a "
     "file's path with a slash in it, or \"|PROGRAM ARGUMENTS\")"},
    {"Output /var/log/",
     "Output: '/var/log/' is not valid (expected errorlog, discard, inherit, a "
     "file's path with a slash in it, or \"|PROGRAM ARGUMENTS\")"},
    {"Output \"|$cat >/tmp/x\"",
     "Output: '|$cat >/tmp/x' is not valid (expected a program without a "
     "shell: \"|PROGRAM ARGUMENTS\")"},
    {"Output \"|rotatelogs -n 5\"",
     "Output: '|rotatelogs -n 5' is not valid (expected a program with its "
     "path, absolute or relative to ServerRoot)"},
    {"Output |", "Output: '|' is not valid (expected errorlog, discard, "
                 "inherit, a PATH or \"|PROGRAM ARGUMENTS\")"},
    {"Output \"|/bin/x 'a\"",
     "Output: '|/bin/x 'a' is not valid (expected an end to each quote)"},
    {"Output \"||/usr/bin/rotatelogs -n 5 /x 'a b'\"", TAKEN},
    {"Output DISCARD", TAKEN},
    {"Limit files 5",
     "Limit: 'files' is not valid (expected one of nofile, nproc, as, core, "
     "cpu, data, fsize, memlock, stack, msgqueue, sigpending, nice, rtprio, "
     "rttime)"},
    {"Limit nofile 5:4", "Limit: '5:4' is not valid (expected SOFT, SOFT:HARD "
                         "or unlimited, whole numbers, SOFT not above HARD)"},
    {"Limit nofile unlimited:4",
     "Limit: 'unlimited:4' is not valid (expected SOFT, SOFT:HARD or "
     "unlimited, whole numbers, SOFT not above HARD)"},
    {"Limit nofile 1K", "Limit: '1K' is not valid (expected SOFT, SOFT:HARD or "
                        "unlimited, whole numbers, SOFT not above HARD)"},
    {"Limit nofile -1", "Limit: '-1' is not valid (expected SOFT, SOFT:HARD or "
                        "unlimited, whole numbers, SOFT not above HARD)"},
    {"Limit nofile 1:",
     "Limit: '1:' is not valid (expected SOFT, SOFT:HARD or unlimited, whole "
     "numbers, SOFT not above HARD)"},
    {"Limit as 99999999999G",
     "Limit: '99999999999G' is not valid (expected SOFT, SOFT:HARD or "
     "unlimited, in bytes or with a unit (K, M, G or T), SOFT not above "
     "HARD)"},
    {"Limit cpu 1500ms",
     "Limit: '1500ms' is not valid (expected SOFT, SOFT:HARD or unlimited, "
     "durations of whole seconds, SOFT not above HARD)"},
    {"Limit rttime x", "Limit: 'x' is not valid (expected SOFT, SOFT:HARD or "
                       "unlimited, durations, SOFT not above HARD)"},
    {"Limit nofile", "Limit: 'nofile' is not valid (expected NAME and SOFT, "
                     "SOFT:HARD or unlimited)"},
    {"Limit CORE 0", TAKEN},
    {"Limit stack 8M:Unlimited", TAKEN},
    {"Nice 20",
     "Nice: '20' is not valid (expected a whole number from -20 to 19)"},
    {"Nice -21",
     "Nice: '-21' is not valid (expected a whole number from -20 to 19)"},
    {"Nice --1",
     "Nice: '--1' is not valid (expected a whole number from -20 to 19)"},
    {"Nice -20", TAKEN},
    {"Oom 1001",
     "Oom: '1001' is not valid (expected a whole number from -1000 to 1000)"},
    {"Oom 99999999999999999999",
     "Oom: '99999999999999999999' is not valid (expected a whole number from "
     "-1000 to 1000)"},
    {"Oom -1000", TAKEN},
    {"MaxMemory 0",
     "MaxMemory: '0' is not valid (expected a size above 0 and up to 1 EiB in "
     "digits with an optional fraction and unit (B, K, M, G or T), or Off)"},
    {"MaxMemory 512",
     "MaxMemory: '512' is not valid (expected at least 1M, or Off)"},
    {"MaxMemory 1M", TAKEN},
    {"MaxMemory off", TAKEN},
    {"RequireFree localhost:80",
     "RequireFree: 'localhost:80' is not valid (expected tcp://ADDRESS:PORT "
     "with a numeric address, or unix:/PATH)"},
    {"RequireFree tcp://127.0.0.1:80 tcp://127.0.0.1:80",
     "RequireFree: 'tcp://127.0.0.1:80' is not valid (expected each once)"},
    {"RequireFree tcp://[::1]:80 unix:/run/x", TAKEN},
    {"After ../x",
     "After: '../x' is not valid (expected a name of at most 63 letters, "
     "digits, dots, dashes and underscores, the first no dot or dash)"},
    {"After a b a", "After: 'a' is not valid (expected each once)"},
    {"After", "After: '' is not valid (expected names of other processes)"},
    {"StartTimeout 0",
     "StartTimeout: '0' is not valid (expected a duration above 0 and up to "
     "10000 days in digits with an optional fraction and unit (ms, s, m, h or "
     "d), or Off)"},
    {"StartTimeout off", TAKEN},
    {"StopSignal 9",
     "StopSignal: '9' is not valid (expected one of TERM, INT, QUIT, HUP, "
     "USR1, USR2, KILL, WINCH)"},
    {"StopSignal SIGSIGTERM",
     "StopSignal: 'SIGSIGTERM' is not valid (expected one of TERM, INT, QUIT, "
     "HUP, USR1, USR2, KILL, WINCH)"},
    {"StopSignal sigwinch", TAKEN},
    {"StopTimeout Off",
     "StopTimeout: 'Off' is not valid (expected a duration above 0 and up to "
     "10000 days in digits with an optional fraction and unit (ms, s, m, h or "
     "d))"},
    {"StopTimeout 10001d",
     "StopTimeout: '10001d' is not valid (expected a duration above 0 and up "
     "to 10000 days in digits with an optional fraction and unit (ms, s, m, h "
     "or d))"},
    {"Restart sometimes",
     "Restart: 'sometimes' is not valid (expected always, on-failure or "
     "never)"},
    {"Restart ON-FAILURE", TAKEN},
    {"RestartDelay 99ms", "RestartDelay: '99ms' is not valid (expected a "
                          "duration from 100ms to 10000 days)"},
    {"RestartDelay 1s factor=nan",
     "RestartDelay: 'factor=nan' is not valid (expected a number from 1 to 100 "
     "with at most three decimals)"},
    {"RestartDelay 1s factor=0.999",
     "RestartDelay: 'factor=0.999' is not valid (expected a number from 1 to "
     "100 with at most three decimals)"},
    {"RestartDelay 1s factor=100.001",
     "RestartDelay: 'factor=100.001' is not valid (expected a number from 1 to "
     "100 with at most three decimals)"},
    {"RestartDelay 1s factor=2.",
     "RestartDelay: 'factor=2.' is not valid (expected a number from 1 to 100 "
     "with at most three decimals)"},
    {"RestartDelay 1s factor=1e2",
     "RestartDelay: 'factor=1e2' is not valid (expected a number from 1 to 100 "
     "with at most three decimals)"},
    {"RestartDelay 1s jitter=101%",
     "RestartDelay: 'jitter=101%' is not valid (expected a percentage from 0% "
     "to 100%)"},
    {"RestartDelay 1s jitter=10",
     "RestartDelay: 'jitter=10' is not valid (expected a percentage from 0% to "
     "100%)"},
    {"RestartDelay 5s max=4s", "RestartDelay: '5s max=4s' is not valid "
                               "(expected a max that is not below the first "
                               "delay)"},
    {"RestartDelay 1s max=2s max=3s",
     "RestartDelay: 'max=3s' is not valid (expected each option once)"},
    {"RestartDelay 1s max", "RestartDelay: 'max' is not valid (expected a "
                            "duration from 100ms to 10000 days)"},
    {"RestartDelay 1s cap=2s", "RestartDelay: 'cap=2s' is not valid (expected "
                               "max=, factor=, jitter= or reset=)"},
    {"RestartDelay 1s reset=0",
     "RestartDelay: 'reset=0' is not valid (expected a duration above 0 and up "
     "to 10000 days in digits with an optional fraction and unit (ms, s, m, h "
     "or d))"},
    {"RestartDelay max=2s", "RestartDelay: 'max=2s' is not valid (expected a "
                            "duration from 100ms to 10000 days)"},
    {"RestartLimit 5 in", "RestartLimit: '5 in' is not valid (expected COUNT "
                          "in DURATION, or Off)"},
    {"RestartLimit 5", "RestartLimit: '5' is not valid (expected COUNT in "
                       "DURATION, or Off)"},
    {"RestartLimit 5 per 60s", "RestartLimit: '5 per 60s' is not valid "
                               "(expected COUNT in DURATION, or Off)"},
    {"RestartLimit 0 in 60s", "RestartLimit: '0' is not valid (expected a "
                              "whole number from 1 to 100)"},
    {"RestartLimit 101 60s", "RestartLimit: '101' is not valid (expected a "
                             "whole number from 1 to 100)"},
    {"RestartLimit 5 in x",
     "RestartLimit: 'x' is not valid (expected a duration above 0 and up to "
     "10000 days in digits with an optional fraction and unit (ms, s, m, h or "
     "d))"},
    {"RestartLimit OFF", TAKEN},
    {"SuccessExit 256",
     "SuccessExit: '256' is not valid (expected an exit code from 0 to 255)"},
    {"SuccessExit -1",
     "SuccessExit: '-1' is not valid (expected an exit code from 0 to 255)"},
    {"SuccessExit 0 143 143", TAKEN},
    {"Gate app http://h", "Gate: 'app' is not valid (expected "
                          "balancer://NAME)"},
    {"Gate balancer:// http://h",
     "Gate: 'balancer://' is not valid (expected balancer://NAME)"},
    {"Gate balancer://app h", "Gate: 'h' is not valid (expected the URL of a "
                              "BalancerMember)"},
    {"Gate balancer://app balancer://b",
     "Gate: 'balancer://b' is not valid (expected the URL of a "
     "BalancerMember)"},
    {"Gate balancer://app \"http://u:pw@h x\"",
     "Gate: 'http://u:***@h x' is not valid (expected the URL of a "
     "BalancerMember)"},
    {"Gate balancer://app", "Gate: 'balancer://app' is not valid (expected "
                            "balancer://NAME and the URL of its member)"},
    {"Gate balancer://app \"unix:/run/a.sock|fcgi://localhost\"", TAKEN},
};

static void check_line(const char *line, const char *sentence)
{
    const char *said = add_line(begin("web"), line);

    if (sentence == TAKEN) {
        if (said != NULL) {
            fail_msg("%s: %s", line, said);
        }
        return;
    }
    if (said == NULL) {
        fail_msg("%s was taken", line);
        return;
    }
    assert_string_equal(said,
                        apr_pstrcat(pool, "process web: ", sentence, NULL));
}

static void each_fault_has_its_sentence(void **state)
{
    size_t i;

    (void)state; /* cmocka's signature */
    for (i = 0; i < AMGR_COUNT(cases); i++) {
        check_line(cases[i].line, cases[i].sentence);
    }
}

/* One valid line of each that may stand once. */
static const char *const once[] = {
    "Command /bin/x",
    "Shell Off",
    "WorkingDirectory /",
    "User a",
    "Group a",
    "Output discard",
    "Nice 1",
    "Oom 1",
    "MaxMemory 1G",
    "Verify notify",
    "Liveness notify",
    "StartTimeout 1s",
    "StopSignal TERM",
    "StopTimeout 1s",
    "Restart never",
    "RestartDelay 1s",
    "RestartLimit 5 in 60s",
};

static void what_may_stand_once_is_refused_twice(void **state)
{
    char want[200];
    size_t i;

    (void)state; /* cmocka's signature */
    for (i = 0; i < AMGR_COUNT(once); i++) {
        amgr_spec_t *spec = begin("web");
        int len = (int)strcspn(once[i], " ");

        assert_null(add_line(spec, once[i]));
        snprintf(want, sizeof(want), "process web: %.*s: is there twice", len,
                 once[i]);
        assert_string_equal(add_line(spec, once[i]), want);
        assert_int_equal(spec->lines->nelts, 1);
    }
}

/* A valid line, one more, and one that says the same of the same again. */
static const char *const repeated[][3] = {
    {"Environment A 1", "Environment AB=2", "Environment A=3"},
    {"PassEnv A", "PassEnv B C", "PassEnv C"},
    {"Limit nofile 5", "Limit core 0", "Limit nofile 6"},
    {"After a", "After b c", "After a"},
    {"RequireFree unix:/a", "RequireFree unix:/b", "RequireFree unix:/a"},
    {"Gate balancer://a http://b", "Gate balancer://a http://c",
     "Gate balancer://A http://b"},
};

static void what_may_be_repeated_says_no_thing_twice(void **state)
{
    size_t i;

    (void)state; /* cmocka's signature */
    for (i = 0; i < AMGR_COUNT(repeated); i++) {
        amgr_spec_t *spec = begin("web");
        const char *said;

        assert_null(add_line(spec, repeated[i][0]));
        assert_null(add_line(spec, repeated[i][1]));
        said = add_line(spec, repeated[i][2]);
        assert_non_null(said);
        assert_non_null(strstr(said, " once)"));
    }
}

static void every_directive_is_among_the_keys(void **state)
{
    const char *const *key;
    size_t found = 0;
    size_t i;

    (void)state; /* cmocka's signature */
    for (key = amgr_spec_keys(); *key != NULL; key++) {
        const char *said = add_line(begin("web"), *key);

        assert_non_null(said);
        assert_null(strstr(said, "is no directive"));
        for (i = 0; i < AMGR_COUNT(cases); i++) {
            if (strncmp(cases[i].line, *key, strlen(*key)) == 0) {
                found++;
                break;
            }
        }
    }
    /* The verifiers have tables of their own. */
    assert_int_equal(found + 2, key - amgr_spec_keys());
}

static void long_values_are_cut_and_nothing_commands_a_terminal(void **state)
{
    char *line = apr_palloc(pool, 100000);
    const char *said;
    int i;

    (void)state; /* cmocka's signature */
    memset(line, 'x', 99999);
    line[99999] = '\0';
    memcpy(line, "Restart ", 8);
    said = add_line(begin("web"), line);
    assert_in_range(strlen(said), 200, 300);
    assert_non_null(strstr(said, "x...' is not valid"));
    /* No character of UTF-8 is cut. */
    memcpy(line + 8 + 198, "\xe2\x82\xac", 3);
    said = add_line(begin("web"), line);
    assert_non_null(strstr(said, "x...' is not valid"));
    memset(line + 8, '\x1b', 100);
    said = add_line(begin("web"), line);
    assert_null(strchr(said, '\x1b'));
    assert_in_range(strlen(said), 500, 600);
    memcpy(line, "User", 4);
    for (i = 4; i < 500; i++) {
        line[i] = i % 20 == 4 ? ' ' : 'x';
    }
    line[500] = '\0';
    said = add_line(begin("web"), line);
    assert_non_null(strstr(said, "xxx ...' is not valid (expected one NAME"));
    assert_in_range(strlen(said), 200, 300);
}

static void names_are_short_and_plain(void **state)
{
    static const char *const bad[] = {
        "",     ".",   "..",  "-a",       "a b", "a/b", "a\n",
        "a\"b", "a>b", "a:b", "\xc3\xa4", "[a]", "a,b", "${NAME}"};
    char longest[AMGR_MANAGED_NAME_LEN + 1];
    amgr_spec_t *spec = NULL;
    size_t i;

    (void)state; /* cmocka's signature */
    for (i = 0; i < AMGR_COUNT(bad); i++) {
        assert_string_equal(amgr_spec_create(bad[i], &spec, pool),
                            "a name of at most 63 letters, digits, dots, "
                            "dashes and underscores, the first no dot or "
                            "dash");
        assert_null(spec);
    }
    memset(longest, 'a', sizeof(longest));
    longest[AMGR_MANAGED_NAME_LEN] = '\0';
    assert_non_null(amgr_spec_create(longest, &spec, pool));
    longest[AMGR_MANAGED_NAME_LEN - 1] = '\0';
    assert_null(amgr_spec_create(longest, &spec, pool));
    assert_string_equal(spec->name, longest);
    assert_null(amgr_spec_create("_a-1.B", &spec, pool));
    /* What the tool has for all of them. */
    assert_string_equal(amgr_spec_create("all", &spec, pool),
                        "another name: in orders it means all processes");
    assert_non_null(amgr_spec_create("All", &spec, pool));
    assert_null(amgr_spec_create("all-of-it", &spec, pool));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_fault_has_its_sentence),
        cmocka_unit_test(what_may_stand_once_is_refused_twice),
        cmocka_unit_test(what_may_be_repeated_says_no_thing_twice),
        cmocka_unit_test(every_directive_is_among_the_keys),
        cmocka_unit_test(long_values_are_cut_and_nothing_commands_a_terminal),
        cmocka_unit_test(names_are_short_and_plain),
    };

    return cmocka_run_group_tests(tests, create_pool, destroy_pool);
}
