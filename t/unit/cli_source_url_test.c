/* SPDX-License-Identifier: Apache-2.0
 *
 * Addresses of pages: taken apart, put together, and refused.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "cli/source/source_url.h"

static int setup(void **state)
{
    apr_pool_t *pool = NULL;

    assert_int_equal(apr_initialize(), APR_SUCCESS);
    apr_pool_create(&pool, NULL);
    *state = pool;
    return 0;
}

static int teardown(void **state)
{
    apr_pool_destroy(*state);
    apr_terminate();
    return 0;
}

static void addresses_are_taken_apart(void **state)
{
    static const struct {
        const char *text;
        const char *origin;
        const char *host;
        int port;
        const char *path;
    } cases[] = {
        {"http://a", "http://a", "a", 80, ""},
        {"HTTPS://a/", "HTTPS://a", "a", 443, ""},
        {"http://a:8080/x", "http://a:8080", "a", 8080, "/x"},
        {"http://a/x/status.json", "http://a", "a", 80, "/x"},
        {"http://a/x/status.json?history=day", "http://a", "a", 80, "/x"},
        {"http://a/status.json", "http://a", "a", 80, ""},
        {"http://a/x//?auto", "http://a", "a", 80, "/x"},
        {"http://a?auto", "http://a", "a", 80, ""},
        {"http://a/x#y", "http://a", "a", 80, "/x"},
        {"http://[::1]", "http://[::1]", "::1", 80, ""},
        {"https://[::1]:8443/s", "https://[::1]:8443", "::1", 8443, "/s"},
        {"http://me:pw@a:1/s", "http://me:pw@a:1", "a", 1, "/s"},
        {"http://m@e:p@[::1]:2", "http://m@e:p@[::1]:2", "::1", 2, ""},
    };
    amgr_source_url_t url;
    size_t i;

    for (i = 0; i < AMGR_COUNT(cases); i++) {
        assert_null(amgr_source_url_parse(cases[i].text, &url, *state));
        assert_string_equal(url.origin, cases[i].origin);
        assert_string_equal(url.host, cases[i].host);
        assert_int_equal(url.port, cases[i].port);
        assert_string_equal(url.path, cases[i].path);
    }
}

static void others_are_refused(void **state)
{
    static const char *const texts[] = {
        "",           "a",          "a:80",         "/x",
        "ftp://a",    "http:/a",    "http://",      "http://:80",
        "http:///x",  "http://a:",  "http://a:0",   "http://a:65536",
        "http://a:x", "http://a b", "http://a\n/x", "http://[::1",
        "http://[]",  "http://@",   "http://[::1]x"};
    char text[9000];
    amgr_source_url_t url;
    const amgr_fault_t *fault;
    size_t i;

    for (i = 0; i < AMGR_COUNT(texts); i++) {
        fault = amgr_source_url_parse(texts[i], &url, *state);
        if (fault == NULL) {
            fail_msg("'%s' was taken", texts[i]);
            return;
        }
        assert_int_equal(fault->exit_code, AMGR_EXIT_USAGE);
        assert_null(strchr(fault->text, '\n'));
    }
    memset(text, 'x', sizeof(text));
    memcpy(text, "http://", 7);
    text[sizeof(text) - 1] = '\0';
    assert_non_null(amgr_source_url_parse(text, &url, *state));
    /* What is secret is not shown. */
    fault = amgr_source_url_parse("http://me:secret@a:x", &url, *state);
    assert_non_null(fault);
    assert_null(strstr(fault->text, "secret"));
}

static void origins_are_put_together(void **state)
{
    assert_string_equal(amgr_source_url_origin("127.0.0.1", 80, 0, *state),
                        "http://127.0.0.1:80");
    assert_string_equal(amgr_source_url_origin("a.b", 8443, 1, *state),
                        "https://a.b:8443");
    assert_string_equal(amgr_source_url_origin("::1", 80, 0, *state),
                        "http://[::1]:80");
    assert_string_equal(amgr_source_url_origin("fe80::1%eth0", 80, 0, *state),
                        "http://[fe80::1%25eth0]:80");
}

#define WITH_POOL(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_POOL(addresses_are_taken_apart),
        WITH_POOL(others_are_refused),
        WITH_POOL(origins_are_put_together),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
