/* SPDX-License-Identifier: Apache-2.0
 *
 * Where a request comes from: what proves it, what refutes it, and what says
 * nothing; and the comparison of secrets.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/origin.h"

#define SILENT AMGR_ORIGIN_SILENT
#define SAME AMGR_ORIGIN_SAME
#define OTHER AMGR_ORIGIN_OTHER
#define UNCLEAR AMGR_ORIGIN_UNCLEAR

static int judge(const char *scheme, const char *host, const char *origin,
                 const char *site, const char *referer)
{
    amgr_origin_claims_t claims = {scheme, host, origin, site, referer};

    return amgr_origin_judge(&claims);
}

static void an_origin_is_scheme_host_and_port(void **state)
{
    static const struct {
        const char *scheme;
        const char *host;
        const char *origin;
        int verdict;
    } cases[] = {
        {"http", "a.example", "http://a.example", SAME},
        {"http", "a.example:80", "http://a.example", SAME},
        {"http", "a.example", "http://a.example:80", SAME},
        {"http", "a.example:", "http://a.example", SAME},
        {"http", "A.Example", "HTTP://a.eXample", SAME},
        {"http", "a.example:8080", "http://a.example:8080", SAME},
        {"https", "a.example", "https://a.example:443", SAME},
        {"https", "a.example:443", "https://a.example", SAME},
        {"http", "[::1]:8080", "http://[::1]:8080", SAME},
        {"http", "[::1]", "http://[::1]:80", SAME},
        {"http", "127.0.0.1", "http://127.0.0.1", SAME},
        /* Another scheme, host or port is another site. */
        {"https", "a.example", "http://a.example", OTHER},
        {"http", "a.example", "https://a.example", OTHER},
        {"https", "a.example:80", "http://a.example", OTHER},
        {"http", "a.example:443", "https://a.example", OTHER},
        {"http", "a.example:8080", "http://a.example", OTHER},
        {"http", "a.example", "http://a.example:8080", OTHER},
        {"http", "a.example", "http://b.example", OTHER},
        {"http", "a.example", "http://a.example.b.example", OTHER},
        {"http", "a.example", "http://b.a.example", OTHER},
        {"http", "a.example", "http://a.exampl", OTHER},
        {"http", "a.example", "http://a.example.", OTHER},
        {"http", "[::1]", "http://[::2]", OTHER},
        {"http", "[::1]", "http://::1", OTHER},
        /* What is no origin is none of ours. */
        {"http", "a.example", "null", OTHER},
        {"http", "null", "null", OTHER},
        {"http", "a.example", "", OTHER},
        {"http", "a.example", "a.example", OTHER},
        {"http", "a.example", "://a.example", OTHER},
        {"http", "a.example", "http://", OTHER},
        {"http", "a.example", "http://:80", OTHER},
        {"http", "a.example", "http://a.example/", OTHER},
        {"http", "a.example", "http://a.example/x", OTHER},
        {"http", "a.example", "http://x@a.example", OTHER},
        {"http", "a.example", "http://a.example:80x", OTHER},
        {"http", "a.example", "http://a.example:+80", OTHER},
        {"http", "a.example", "http://a.example:65616", OTHER},
        {"http", "a.example:99999999999999999999", "http://a.example", OTHER},
        {"http", "a.example", "http://a.example, http://a.example", OTHER},
        {"http", "a.example", "http://a.example http://b.example", OTHER},
        {"http", "a.example", " http://a.example", OTHER},
        {"http", "a.example", "file://a.example", OTHER},
        {"http", "[::1", "http://[::1", OTHER},
        {"http", "[]", "http://[]", OTHER},
        {"http", "", "http://", OTHER},
        {"http", NULL, "http://a.example", OTHER},
    };
    size_t i;

    (void)state; /* cmocka's signature */
    for (i = 0; i < AMGR_COUNT(cases); i++) {
        int verdict =
            judge(cases[i].scheme, cases[i].host, cases[i].origin, NULL, NULL);

        if (verdict != cases[i].verdict) {
            fail_msg("%s %s '%s': %d", cases[i].scheme,
                     cases[i].host == NULL ? "-" : cases[i].host,
                     cases[i].origin, verdict);
        }
    }
}

static void one_contradiction_is_enough(void **state)
{
    static const struct {
        const char *origin;
        const char *site;
        const char *referer;
        int verdict;
    } cases[] = {
        {NULL, NULL, NULL, SILENT},
        {NULL, NULL, "http://a.example/", UNCLEAR},
        {NULL, "none", NULL, UNCLEAR},
        {NULL, "same-origin", NULL, SAME},
        {NULL, "same-site", NULL, OTHER},
        {NULL, "cross-site", NULL, OTHER},
        {NULL, "Same-Origin", NULL, OTHER},
        {NULL, "same-origin, cross-site", NULL, OTHER},
        {NULL, "", NULL, OTHER},
        {"http://a.example", "same-origin", NULL, SAME},
        {"http://a.example", "none", NULL, SAME},
        {"http://a.example", "cross-site", NULL, OTHER},
        {"http://b.example", "same-origin", NULL, OTHER},
        {"null", "same-origin", "http://a.example/", OTHER},
    };
    size_t i;

    (void)state; /* cmocka's signature */
    for (i = 0; i < AMGR_COUNT(cases); i++) {
        assert_int_equal(judge("http", "a.example", cases[i].origin,
                               cases[i].site, cases[i].referer),
                         cases[i].verdict);
    }
}

static void a_host_has_a_name(void **state)
{
    static const struct {
        const char *host;
        const char *name; /* NULL: it is none */
        int is_address;
    } cases[] = {
        {"Localhost:8080", "localhost", 0},
        {"a.example", "a.example", 0},
        {"127.0.0.1:80", "127.0.0.1", 1},
        {"127.1", "127.1", 0},
        {"127.0.0.1.example", "127.0.0.1.example", 0},
        {"[::1]:80", "::1", 1},
        {"[a.example]", "a.example", 0},
        {"::1", NULL, 0},
        {"", NULL, 0},
        {NULL, NULL, 0},
        {"a example", NULL, 0},
        {"a:b", NULL, 0},
    };
    char longest[AMGR_HOST_LEN + 1];
    char buf[AMGR_HOST_LEN];
    size_t i;

    (void)state; /* cmocka's signature */
    for (i = 0; i < AMGR_COUNT(cases); i++) {
        const char *name = amgr_host_name(cases[i].host, buf);

        if (cases[i].name == NULL) {
            assert_null(name);
        }
        else {
            assert_non_null(name);
            assert_string_equal(name, cases[i].name);
            assert_int_equal(amgr_host_is_address(name), cases[i].is_address);
        }
    }
    memset(longest, 'a', sizeof(longest));
    longest[AMGR_HOST_LEN] = '\0';
    assert_null(amgr_host_name(longest, buf));
    longest[AMGR_HOST_LEN - 1] = '\0';
    assert_non_null(amgr_host_name(longest, buf));
}

static void a_secret_is_equal_or_not(void **state)
{
    (void)state; /* cmocka's signature */
    assert_true(amgr_secret_equal("0123456789abcdef", 16, "0123456789abcdef"));
    assert_true(amgr_secret_equal("0123&x", 4, "0123"));
    assert_false(amgr_secret_equal("0123456789abcdeF", 16, "0123456789abcdef"));
    assert_false(amgr_secret_equal("1123456789abcdef", 16, "0123456789abcdef"));
    assert_false(amgr_secret_equal("0123456789abcde", 15, "0123456789abcdef"));
    assert_false(
        amgr_secret_equal("0123456789abcdef0", 17, "0123456789abcdef"));
    assert_false(amgr_secret_equal("", 0, "0123"));
    assert_false(amgr_secret_equal(NULL, 0, "0123"));
    assert_false(amgr_secret_equal("", 0, "")); /* nobody's */
    assert_false(amgr_secret_equal(NULL, 0, ""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_origin_is_scheme_host_and_port),
        cmocka_unit_test(one_contradiction_is_enough),
        cmocka_unit_test(a_host_has_a_name),
        cmocka_unit_test(a_secret_is_equal_or_not),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
