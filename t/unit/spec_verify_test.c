/* SPDX-License-Identifier: Apache-2.0
 *
 * Verify and Liveness: what they become, and the sentence for what they cannot
 * be.
 */
#include "spec_lines.h"

static const struct {
    const char *line;
    const char *sentence; /**< behind "process web: " */
} faults[] = {
    {"Verify", "Verify: '' is not valid (expected a TYPE (http, tcp, unix, "
               "exec, exited, file, notify), options and what to look at)"},
    {"Verify ftp x",
     "Verify: 'ftp' is not valid (expected one of http, tcp, unix, exec, "
     "exited, file, notify, or the name of another module's verifier)"},
    {"Verify http", "Verify: 'http' is not valid (expected one URL behind "
                    "http)"},
    {"Verify http http://h/ http://i/",
     "Verify: 'http http://h/ http://i/' is not valid (expected one URL behind "
     "http)"},
    {"Verify http ftp://h/", "Verify: 'ftp://h/' is not valid (expected a "
                             "URL, http:// or https:// and a host)"},
    {"Verify http http://", "Verify: 'http://' is not valid (expected a URL, "
                            "http:// or https:// and a host)"},
    {"Verify http http:///x", "Verify: 'http:///x' is not valid (expected a "
                              "URL, http:// or https:// and a host)"},
    {"Verify http \"http://h/a b\"",
     "Verify: 'http://h/a b' is not valid (expected a URL, http:// or "
     "https:// and a host)"},
    {"Verify http \"http://h/\n\"", "Verify: 'http://h/\\x0a' is not valid "
                                    "(expected no control characters)"},
    {"Verify http http://h:0/", "Verify: 'http://h:0/' is not valid (expected "
                                "a URL, http:// or https:// and a host)"},
    {"Verify http http://h:65536/",
     "Verify: 'http://h:65536/' is not valid (expected a URL, http:// or "
     "https:// and a host)"},
    {"Verify http http://u:pa/ss@h/",
     "Verify: 'http://u:***@h/' is not valid (expected a URL, http:// or "
     "https:// and a host)"},
    {"Verify http http://u:p@h:x/",
     "Verify: 'http://u:***@h:x/' is not valid (expected a URL, http:// or "
     "https:// and a host)"},
    {"Verify http http://[::1/", "Verify: 'http://[::1/' is not valid "
                                 "(expected a URL, http:// or https:// and a "
                                 "host)"},
    {"Verify http status=200 status=201 http://h/",
     "Verify: 'status=201' is not valid (expected each option once)"},
    {"Verify http status=99 http://h/",
     "Verify: 'status=99' is not valid (expected a status from 100 to 599, or "
     "a range as 200-299)"},
    {"Verify http status=300-200 http://h/",
     "Verify: 'status=300-200' is not valid (expected a status from 100 to "
     "599, or a range as 200-299)"},
    {"Verify http status=200- http://h/",
     "Verify: 'status=200-' is not valid (expected a status from 100 to 599, "
     "or a range as 200-299)"},
    {"Verify http header=X http://h/",
     "Verify: 'header=***' is not valid (expected NAME: VALUE without control "
     "characters, as in \"header=Host: example.org\")"},
    {"Verify http \"header=A b: secret\" http://h/",
     "Verify: 'header=A b: ***' is not valid (expected NAME: VALUE without "
     "control characters, as in \"header=Host: example.org\")"},
    {"Verify http \"header=A: 1\nB: 2\" http://h/",
     "Verify: 'header=A: ***' is not valid (expected NAME: VALUE without "
     "control characters, as in \"header=Host: example.org\")"},
    {"Verify http header=\"A: secret http://h/",
     "Verify: 'header=\"A: ***' is not valid (expected an end to each quote)"},
    {"Verify http code=200 http://h/",
     "Verify: 'code=200' is not valid (expected an option of http: status=, "
     "header=, interval=, timeout=, retries=)"},
    {"Verify tcp status=200 h:1",
     "Verify: 'status=200' is not valid (expected an option of tcp: interval=, "
     "timeout=, retries=)"},
    {"Verify tcp h", "Verify: 'h' is not valid (expected HOST:PORT)"},
    {"Verify tcp :80", "Verify: ':80' is not valid (expected HOST:PORT)"},
    {"Verify tcp h:80x", "Verify: 'h:80x' is not valid (expected HOST:PORT)"},
    {"Verify tcp h:", "Verify: 'h:' is not valid (expected HOST:PORT)"},
    {"Verify tcp ::1:80", "Verify: '::1:80' is not valid (expected "
                          "HOST:PORT)"},
    {"Verify tcp h:1 interval=99ms",
     "Verify: 'interval=99ms' is not valid (expected a duration from 100ms to "
     "10000 days)"},
    {"Verify tcp h:1 timeout=Off",
     "Verify: 'timeout=Off' is not valid (expected a duration from 100ms to "
     "30m)"},
    {"Verify tcp h:1 timeout=31m",
     "Verify: 'timeout=31m' is not valid (expected a duration from 100ms to "
     "30m)"},
    {"Verify tcp h:1 retries=-1",
     "Verify: 'retries=-1' is not valid (expected a whole number from 0 to "
     "10000, or Off for all that StartTimeout has room for)"},
    {"Liveness tcp h:1 retries=0",
     "Liveness: 'retries=0' is not valid (expected a whole number from 1 to "
     "10000)"},
    {"Liveness tcp h:1 retries=Off",
     "Liveness: 'retries=Off' is not valid (expected a whole number from 1 to "
     "10000)"},
    {"Verify tcp [::1]:99999999", "Verify: '[::1]:99999999' is not valid "
                                  "(expected HOST:PORT)"},
    {"Verify unix run/x", "Verify: 'run/x' is not valid (expected a socket's "
                          "path of at most 107 bytes, absolute or relative to "
                          "ServerRoot)"},
    {"Verify file", "Verify: 'file' is not valid (expected one PATH behind "
                    "file)"},
    {"Verify file x", "Verify: 'x' is not valid (expected a path, absolute or "
                      "relative to ServerRoot)"},
    {"Verify exec timeout=1s",
     "Verify: 'exec timeout=1s' is not valid (expected a PROGRAM behind "
     "exec)"},
    {"Verify exec true", "Verify: 'true' is not valid (expected a program with "
                         "its path, absolute or relative to ServerRoot)"},
    {"Verify exec \"/bin/\n\"", "Verify: '/bin/\\x0a' is not valid (expected "
                                "no control characters)"},
    {"Verify exec A=1 /bin/true",
     "Verify: 'A=1' is not valid (expected an option of exec: interval=, "
     "timeout=, retries=)"},
    {"Verify exited", "Verify: 'exited' is not valid (expected one exit code "
                      "from 0 to 255 behind exited)"},
    {"Verify exited 256",
     "Verify: 'exited 256' is not valid (expected one exit code from 0 to 255 "
     "behind exited)"},
    {"Verify exited 0 1",
     "Verify: 'exited 0 1' is not valid (expected one exit code from 0 to 255 "
     "behind exited)"},
    {"Verify exited timeout=1s 0",
     "Verify: 'timeout=1s' is not valid (expected no option with exited)"},
    {"Liveness exited 0", "Liveness: 'exited' is not valid (expected a "
                          "verifier of a process that goes on)"},
    {"Verify notify x", "Verify: 'x' is not valid (expected notify alone, with "
                        "timeout= in Liveness)"},
    {"Verify notify timeout=5s",
     "Verify: 'timeout=5s' is not valid (expected no option with notify)"},
    {"Liveness notify retries=2",
     "Liveness: 'retries=2' is not valid (expected an option of notify: "
     "timeout=)"},
    {"Verify Mine", "Verify: 'Mine' is not valid (expected one of http, tcp, "
                    "unix, exec, exited, file, notify, or the name of another "
                    "module's verifier)"},
};

static void each_fault_has_its_sentence(void **state)
{
    const char *said;
    size_t i;

    (void)state; /* cmocka's signature */
    for (i = 0; i < AMGR_COUNT(faults); i++) {
        amgr_spec_t *spec = begin("web");

        said = add_line(spec, faults[i].line);
        if (said == NULL) {
            fail_msg("%s was taken", faults[i].line);
        }
        assert_string_equal(said, apr_pstrcat(pool, "process web: ",
                                              faults[i].sentence, NULL));
        assert_int_equal(spec->verify.type, AMGR_VERIFY_NONE);
        assert_int_equal(spec->liveness.type, AMGR_VERIFY_NONE);
    }
}

static const amgr_verify_t *verified(const char *line)
{
    amgr_spec_t *spec = begin("web");
    const char *wrong = add_line(spec, line);

    if (wrong != NULL) {
        fail_msg("%s", wrong);
    }
    return line[0] == 'V' ? &spec->verify : &spec->liveness;
}

static void defaults_are_those_of_readiness_or_health(void **state)
{
    const amgr_verify_t *verify = verified("Verify http http://h/");

    (void)state; /* cmocka's signature */
    assert_int_equal(verify->type, AMGR_VERIFY_HTTP);
    assert_string_equal(verify->name, "http");
    assert_string_equal(verify->target, "http://h/");
    assert_null(verify->argv);
    assert_int_equal(verify->status_min, 200);
    assert_int_equal(verify->status_max, 299);
    assert_int_equal(verify->headers->nelts, 0);
    assert_int_equal(verify->interval_us, SEC);
    assert_int_equal(verify->timeout_us, 2 * SEC);
    assert_int_equal(verify->retries, -1);
    verify = verified("Liveness TCP db.example.org:5432");
    assert_int_equal(verify->type, AMGR_VERIFY_TCP);
    assert_string_equal(verify->name, "tcp");
    assert_string_equal(verified("Verify tcp [::1%lo]:1")->target,
                        "[::1%lo]:1");
    assert_int_equal(verify->interval_us, 10 * SEC);
    assert_int_equal(verify->timeout_us, 2 * SEC);
    assert_int_equal(verify->retries, 3);
    verify = verified("Liveness notify");
    assert_int_equal(verify->timeout_us, 30 * SEC);
    assert_int_equal(verify->retries, 1);
    assert_null(verify->target);
}

static void options_stand_before_and_behind_the_target(void **state)
{
    const amgr_verify_t *verify =
        verified("Verify http interval=250ms https://u:p@[::1]:8443/x?a=b "
                 "STATUS=204 timeout=5s retries=0 \"header=Host: a b\" "
                 "header=\"X-Probe: one  two\" header=Y:");

    (void)state; /* cmocka's signature */
    assert_string_equal(verify->target, "https://u:p@[::1]:8443/x?a=b");
    assert_int_equal(verify->interval_us, SEC / 4);
    assert_int_equal(verify->timeout_us, 5 * SEC);
    assert_int_equal(verify->retries, 0);
    assert_int_equal(verify->status_min, 204);
    assert_int_equal(verify->status_max, 204);
    assert_int_equal(verify->headers->nelts, 3);
    assert_string_equal(word_at(verify->headers, 0), "Host: a b");
    /* httpd has split the word, and does not tell by how many blanks. */
    assert_string_equal(word_at(verify->headers, 1), "X-Probe: one two");
    assert_string_equal(word_at(verify->headers, 2), "Y:");
    assert_int_equal(verified("Verify file /x retries=off")->retries, -1);
}

static void a_program_has_what_follows_it(void **state)
{
    const amgr_verify_t *verify =
        verified("Verify exec timeout=1s /bin/check timeout=2s \"\" -x");

    (void)state; /* cmocka's signature */
    assert_int_equal(verify->type, AMGR_VERIFY_EXEC);
    assert_int_equal(verify->timeout_us, SEC);
    assert_null(verify->target);
    assert_string_equal(verify->argv[0], "/bin/check");
    assert_string_equal(verify->argv[1], "timeout=2s");
    assert_string_equal(verify->argv[2], "");
    assert_string_equal(verify->argv[3], "-x");
    assert_null(verify->argv[4]);
}

static void an_exit_code_and_a_notification_are_awaited(void **state)
{
    const amgr_verify_t *verify = verified("Verify exited 3");

    (void)state; /* cmocka's signature */
    assert_int_equal(verify->type, AMGR_VERIFY_EXITED);
    assert_int_equal(verify->expect_code, 3);
    assert_null(verify->target);
    verify = verified("Verify notify");
    assert_int_equal(verify->type, AMGR_VERIFY_NOTIFY);
    assert_int_equal(verified("Liveness notify timeout=1m")->timeout_us,
                     60 * SEC);
}

static void another_modules_verifier_has_its_own_words(void **state)
{
    const amgr_verify_t *verify =
        verified("Verify mine retries=2 status=5 timeout=1s x");

    (void)state; /* cmocka's signature */
    assert_int_equal(verify->type, AMGR_VERIFY_OTHER);
    assert_string_equal(verify->name, "mine");
    assert_int_equal(verify->retries, 2);
    assert_int_equal(verify->timeout_us, 2 * SEC);
    assert_string_equal(verify->argv[0], "status=5");
    assert_string_equal(verify->argv[1], "timeout=1s");
    assert_string_equal(verify->argv[2], "x");
    assert_null(verify->argv[3]);
    verify = verified("Liveness mine");
    assert_non_null(verify->argv);
    assert_null(verify->argv[0]);
}

static void headers_and_urls_have_an_end(void **state)
{
    const char *argv[40];
    const char *said;
    char *url = apr_palloc(pool, 16 * 1024 + 1);
    int i;

    (void)state; /* cmocka's signature */
    argv[0] = "http";
    argv[1] = "http://h/";
    for (i = 2; i < 35; i++) {
        argv[i] = "header=A: secret";
    }
    assert_null(amgr_spec_add(begin("web"), "Verify", 34, argv, NULL, pool));
    assert_string_equal(
        amgr_spec_add(begin("web"), "Verify", 35, argv, NULL, pool),
        "process web: Verify: 'header=A: ***' is not valid (expected at most "
        "32 headers)");
    memset(url, 'x', 16 * 1024);
    memcpy(url, "http://h/", 9);
    url[16 * 1024] = '\0';
    argv[1] = url;
    said = amgr_spec_add(begin("web"), "Verify", 2, argv, NULL, pool);
    assert_non_null(said);
    assert_non_null(strstr(said, "xxx...' is not valid (expected at most 16384 "
                                 "bytes of URL and headers)"));
    url[16 * 1024 - 1] = '\0';
    assert_null(amgr_spec_add(begin("web"), "Verify", 2, argv, NULL, pool));
}

static void paths_of_sockets_have_an_end(void **state)
{
    char *line = apr_psprintf(pool, "Verify unix /%0107d", 0);

    (void)state; /* cmocka's signature */
    assert_non_null(add_line(begin("web"), line));
    line[strlen(line) - 1] = '\0';
    assert_null(add_line(begin("web"), line));
}

static void hosts_have_an_end(void **state)
{
    char *line = apr_psprintf(pool, "Verify tcp %0256d:1", 0);

    (void)state; /* cmocka's signature */
    assert_non_null(add_line(begin("web"), line));
    memmove(line + 11, line + 12, strlen(line + 11));
    assert_null(add_line(begin("web"), line));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_fault_has_its_sentence),
        cmocka_unit_test(defaults_are_those_of_readiness_or_health),
        cmocka_unit_test(options_stand_before_and_behind_the_target),
        cmocka_unit_test(a_program_has_what_follows_it),
        cmocka_unit_test(an_exit_code_and_a_notification_are_awaited),
        cmocka_unit_test(another_modules_verifier_has_its_own_words),
        cmocka_unit_test(headers_and_urls_have_an_end),
        cmocka_unit_test(paths_of_sockets_have_an_end),
        cmocka_unit_test(hosts_have_an_end),
    };

    return cmocka_run_group_tests(tests, create_pool, destroy_pool);
}
