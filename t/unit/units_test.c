/* SPDX-License-Identifier: Apache-2.0
 *
 * Units: every boundary of the parsers, hostile text first, and the wording of
 * the formatters against samples of the Python tool.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <float.h>
#include <limits.h>
#include <locale.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/units.h"

#define UNTOUCHED 4711

typedef struct number_case_t {
    const char *text;
    apr_int64_t expected; /**< -1: an error */
} number_case_t;

static const number_case_t sizes[] = {
    { "", -1 },
    { " ", -1 },
    { " 1", -1 },
    { "1 ", -1 },
    { "1 K", -1 },
    { "-1", -1 },
    { "+1", -1 },
    { ".5M", -1 },
    { "1.", -1 },
    { "1.M", -1 },
    { "1..5M", -1 },
    { "1.5.5M", -1 },
    { "1e3", -1 },
    { "0x10", -1 },
    { "12abc", -1 },
    { "5X", -1 },
    { "1KK", -1 },
    { "1Ki", -1 },
    { "1KiBs", -1 },
    { "1BB", -1 },
    { "1iB", -1 },
    { "1BiB", -1 },
    { "0", -1 },
    { "0M", -1 },
    { "0.0M", -1 },
    { "0.9", -1 },
    { "0.0009K", -1 },
    { "inf", -1 },
    { "nan", -1 },
    { "1\n", -1 },
    { "1,5M", -1 },
    { "\xff", -1 },
    { "1\xe2\x84\xaa", -1 }, /* the Kelvin sign is no K */
    { "18446744073709551615", -1 },
    { "18446744073709551616", -1 },
    { "18446744073709551617K", -1 },
    { "99999999999999999999999999999999", -1 },
    { "16777216T", -1 }, /* 2^64, which would wrap to 0 */
    { "16777217T", -1 },
    { "1048577T", -1 },
    { "1048576.1T", -1 },
    { "1152921504606846977", -1 },
    { "1152921504606846976", APR_INT64_C(1152921504606846976) },
    { "1048576T", APR_INT64_C(1152921504606846976) },
    { "1", 1 },
    { "1.9", 1 },
    { "1B", 1 },
    { "42", 42 },
    { "007", 7 },
    { "50K", 51200 },
    { "50k", 51200 },
    { "50KB", 51200 },
    { "50kb", 51200 },
    { "50KiB", 51200 },
    { "50kIb", 51200 },
    { "1.5G", 1610612736 },
    { "0.001K", 1 },
    { "0.0009765625K", 1 },
    { "0.00097656249999999999999999999999999999K", -1 },
    { "0.00000000000090949470177292823791503906250T", 1 },
    { "0.1K", 102 },
    { "1.99999999999999999999999999999999M", 2097151 },
    { "1t", APR_INT64_C(1) << 40 }
};

static const number_case_t durations[] = {
    { "", -1 },
    { "s", -1 },
    { "-1s", -1 },
    { "5x", -1 },
    { "10dogs", -1 },
    { "10sfoo", -1 },
    { "1h30m", -1 },
    { "1 s", -1 },
    { "1w", -1 },
    { "1sec", -1 },
    { "1us", -1 },
    { "1mm", -1 },
    { "1sm", -1 },
    { "0", -1 },
    { "0.0000009", -1 },
    { "0.0009ms", -1 },
    { "10000.1d", -1 },
    { "10001d", -1 },
    { "213503983d", -1 },
    { "18446744073710s", -1 },
    { "864000001", -1 },
    { "10000d", APR_INT64_C(864000000000000) },
    { "864000000", APR_INT64_C(864000000000000) },
    { "1", 1000000 },
    { "1s", 1000000 },
    { "1S", 1000000 },
    { "1.5", 1500000 },
    { "0.000001", 1 },
    { "0.001ms", 1 },
    { "1ms", 1000 },
    { "1MS", 1000 },
    { "2m", 120000000 },
    { "5M", 300000000 },
    { "1.5h", APR_INT64_C(5400000000) },
    { "2d", APR_INT64_C(172800000000) }
};

static void test_size_parse(void **state)
{
    apr_size_t i;

    (void)state; /* cmocka's signature */
    for (i = 0; i < AMGR_COUNT(sizes); i++) {
        apr_int64_t value = UNTOUCHED;
        const char *error = amgr_size_parse(sizes[i].text, &value);

        if ((error != NULL) != (sizes[i].expected < 0) ||
            value != (error != NULL ? UNTOUCHED : sizes[i].expected)) {
            fail_msg("size '%s': %s, %lld", sizes[i].text,
                     error == NULL ? "ok" : error, (long long)value);
        }
    }
}

static void test_duration_parse(void **state)
{
    apr_size_t i;

    (void)state; /* cmocka's signature */
    for (i = 0; i < AMGR_COUNT(durations); i++) {
        apr_interval_time_t value = UNTOUCHED;
        const char *error = amgr_duration_parse(durations[i].text, &value);

        if ((error != NULL) != (durations[i].expected < 0) ||
            value != (error != NULL ? UNTOUCHED : durations[i].expected)) {
            fail_msg("duration '%s': %s, %lld", durations[i].text,
                     error == NULL ? "ok" : error, (long long)value);
        }
    }
}

typedef struct count_case_t {
    const char *text;
    int min;
    int max;
    int expected; /**< -1: an error */
} count_case_t;

static void test_count_parse(void **state)
{
    static const count_case_t cases[] = {
        { "", 0, 9, -1 },
        { "-1", -5, 9, -1 },
        { "+1", 0, 9, -1 },
        { "1.0", 0, 9, -1 },
        { "1x", 0, 9, -1 },
        { " 1", 0, 9, -1 },
        { "0", 1, 9, -1 },
        { "10", 1, 9, -1 },
        { "2147483648", 0, INT_MAX, -1 },
        { "4294967297", 0, INT_MAX, -1 },
        { "18446744073709551617", 0, INT_MAX, -1 },
        { "2147483647", 0, INT_MAX, INT_MAX },
        { "0", 0, 9, 0 },
        { "1", 1, 9, 1 },
        { "9", 1, 9, 9 },
        { "009", 1, 9, 9 }
    };
    apr_size_t i;

    (void)state; /* cmocka's signature */
    for (i = 0; i < AMGR_COUNT(cases); i++) {
        int value = UNTOUCHED;
        const char *error = amgr_count_parse(cases[i].text, cases[i].min,
                                             cases[i].max, &value);

        if ((error != NULL) != (cases[i].expected < 0) ||
            value != (error != NULL ? UNTOUCHED : cases[i].expected)) {
            fail_msg("count '%s': %d", cases[i].text, value);
        }
    }
}

typedef struct share_case_t {
    const char *text;
    int value; /**< -1: an error */
    int percent;
} share_case_t;

static void test_share_parse(void **state)
{
    static const share_case_t cases[] = {
        { "", -1, 0 },     { "%", -1, 0 },     { "0", -1, 0 },
        { "0%", -1, 0 },   { "101%", -1, 0 },  { "10%%", -1, 0 },
        { "10 %", -1, 0 }, { "1.5%", -1, 0 },  { "-1", -1, 0 },
        { "1%x", -1, 0 },  { "99999999999", -1, 0 },
        { "1", 1, 0 },     { "1%", 1, 1 },     { "100%", 100, 1 },
        { "101", 101, 0 }, { "2147483647", INT_MAX, 0 }
    };
    apr_size_t i;

    (void)state; /* cmocka's signature */
    for (i = 0; i < AMGR_COUNT(cases); i++) {
        amgr_share_t share = { UNTOUCHED, UNTOUCHED };
        const char *error = amgr_share_parse(cases[i].text, &share);

        if (cases[i].value < 0) {
            assert_non_null(error);
            assert_int_equal(share.value, UNTOUCHED);
            assert_int_equal(share.percent, UNTOUCHED);
            continue;
        }
        assert_null(error);
        assert_int_equal(share.value, cases[i].value);
        assert_int_equal(share.percent != 0, cases[i].percent);
    }
}

static void test_share_of(void **state)
{
    static const int cases[][4] = { /* value, percent, whole, expected */
        { 10, 1, 0, 1 },     { 10, 1, 9, 1 },    { 10, 1, 19, 1 },
        { 10, 1, 20, 2 },    { 100, 1, 7, 7 },   { 10, 1, -5, 1 },
        { 100, 1, INT_MAX, INT_MAX },            { 3, 0, 100, 3 },
        { 3, 0, 1, 3 },      { 0, 0, 5, 1 }
    };
    apr_size_t i;

    (void)state; /* cmocka's signature */
    for (i = 0; i < AMGR_COUNT(cases); i++) {
        amgr_share_t share = { cases[i][0], cases[i][1] };

        assert_int_equal(amgr_share_of(&share, cases[i][2]), cases[i][3]);
    }
}

typedef struct double_case_t {
    double value;
    const char *expected;
} double_case_t;

static void test_double_format(void **state)
{
    const double_case_t cases[] = {
        { NAN, "0.0" },
        { INFINITY, "0.0" },
        { -INFINITY, "0.0" },
        { 0.0, "0.0" },
        { -0.0, "-0.0" },
        { 1.0, "1.0" },
        { -1.5, "-1.5" },
        { 1024.0, "1024.0" },
        { 204.8, "204.8" },
        { 0.228571, "0.228571" },
        { 0.1, "0.1" },
        { 0.1 + 0.2, "0.30000000000000004" },
        { 1.0 / 3.0, "0.3333333333333333" },
        { 100.0 / 3.0, "33.333333333333336" },
        { 1e15, "1000000000000000.0" },
        { 9007199254740992.0, "9007199254740992.0" },
        { 9007199254740991.0, "9007199254740991.0" },
        { 1e22, "10000000000000000000000.0" },
        { 1e23, "100000000000000000000000.0" },
        { 1.5e300 / 1.5e295, "100000.0" },
        { 1e-7, "0.0000001" },
        { 123456.789e-9, "0.000123456789" },
        { 123456789012345.6, "123456789012345.6" }
    };
    char buf[AMGR_UNITS_LEN];
    apr_size_t i;

    (void)state; /* cmocka's signature */
    for (i = 0; i < AMGR_COUNT(cases); i++) {
        assert_ptr_equal(
            amgr_double_format(cases[i].value, buf, sizeof(buf)), buf);
        assert_string_equal(buf, cases[i].expected);
    }
}

static void check_round_trip(double value)
{
    char buf[AMGR_UNITS_LEN];

    amgr_double_format(value, buf, sizeof(buf));
    assert_true(strtod(buf, NULL) == value);
    assert_non_null(strchr(buf, '.'));
    assert_null(strchr(buf, 'e'));
    assert_true(strlen(buf) < sizeof(buf) - 1);
}

static void test_double_round_trip(void **state)
{
    apr_uint64_t bits = 88172645463325252ULL;
    double value;
    int i;

    (void)state; /* cmocka's signature */
    check_round_trip(DBL_MAX);
    check_round_trip(-DBL_MAX);
    check_round_trip(DBL_MIN);
    check_round_trip(-2.2250738585072011e-308);
    check_round_trip(5e-324);
    for (i = -1074; i < 1024; i++) {
        check_round_trip(ldexp(1.0, i));
        check_round_trip(nextafter(ldexp(1.0, i), 0.0));
    }
    for (i = 0; i < 20000; i++) { /* xorshift: any bit pattern */
        bits ^= bits << 13;
        bits ^= bits >> 7;
        bits ^= bits << 17;
        memcpy(&value, &bits, sizeof(value));
        if (isfinite(value)) {
            check_round_trip(value);
        }
    }
}

typedef struct text_case_t {
    apr_int64_t value;
    const char *expected;
} text_case_t;

static void test_size_format(void **state)
{
    static const text_case_t cases[] = {
        { 0, "0 bytes" },
        { 1, "1 byte" },
        { 2, "2 bytes" },
        { 999, "999 bytes" },
        { 1000, "1 KB" },
        { 1024, "1.02 KB" },
        { 1005, "1 KB" }, /* 1.005 is a little less as a double */
        { 1015, "1.01 KB" },
        { 1100, "1.1 KB" },
        { 18432, "18.43 KB" },
        { 999994, "999.99 KB" },
        { 999999, "1000 KB" },
        { 1000000, "1 MB" },
        { 1494999, "1.49 MB" },
        { 1495001, "1.5 MB" },
        { 1005001, "1.01 MB" },
        { 999995001, "1000 MB" },
        { APR_INT64_C(2004999999), "2 GB" },
        { 10485760, "10.49 MB" },
        { 11980800, "11.98 MB" },
        { 12050432, "12.05 MB" },
        { 100000000, "100 MB" },
        { APR_INT64_C(1500000000000), "1.5 TB" },
        { APR_INT64_MAX, "9.22 EB" },
        { -2, "18.45 EB" },
        { -1, "n/a" } /* AMGR_UNKNOWN */
    };
    char buf[AMGR_UNITS_LEN];
    apr_size_t i;

    (void)state; /* cmocka's signature */
    for (i = 0; i < AMGR_COUNT(cases); i++) {
        assert_string_equal(amgr_size_format((apr_uint64_t)cases[i].value,
                                             buf, sizeof(buf)),
                            cases[i].expected);
    }
}

static void test_rate_format(void **state)
{
    static const struct {
        double value;
        const char *rate;
        const char *size;
    } cases[] = {
        { 0.0, "0.0", "0.0 bytes" },
        { 1.0, "1.0", "1.0 byte" },
        { 0.13483146, "0.134831", "0.134831 bytes" },
        { 207.1011236, "207.101", "207.101 bytes" },
        { 512.0, "512.0", "512.0 bytes" },
        { 0.000012345678, "0.0000123457", "0.0000123457 bytes" },
        { 1540.49, "1540.49", "1.54 KB" },
        { 1005.01, "1005.01", "1.01 KB" },
        { 1004.99, "1004.99", "1 KB" },
        { 11980833.333333334, "11980800.0", "11.98 MB" },
        { 3200000.0, "3200000.0", "3.2 MB" },
        { -1.0, "n/a", "n/a" },
        { INFINITY, "n/a", "n/a" },
        { NAN, "n/a", "n/a" },
        { 1e300, NULL, "n/a" },
    };
    char buf[AMGR_UNITS_LEN];
    apr_size_t i;

    (void)state;
    for (i = 0; i < AMGR_COUNT(cases); i++) {
        amgr_rate_format(cases[i].value, buf, sizeof(buf));
        if (cases[i].rate != NULL) {
            assert_string_equal(buf, cases[i].rate);
        }
        amgr_size_format_rate(cases[i].value, buf, sizeof(buf));
        assert_string_equal(buf, cases[i].size);
    }
}

static void test_size_format_exact(void **state)
{
    static const text_case_t cases[] = {
        { AMGR_LIMIT_OFF, "Off" }, { -1, "n/a" },
        { 0, "0" },                { 42, "42" },
        { 1023, "1023" },          { 1024, "1K" },
        { 1536 * 1024, "1536K" },  { 500 << 20, "500M" },
        { APR_INT64_C(1) << 60, "1048576T" }
    };
    char buf[AMGR_UNITS_LEN];
    apr_int64_t back;
    apr_size_t i;

    (void)state; /* cmocka's signature */
    for (i = 0; i < AMGR_COUNT(cases); i++) {
        amgr_size_format_exact(cases[i].value, buf, sizeof(buf));
        assert_string_equal(buf, cases[i].expected);
        if (cases[i].value > 0 && cases[i].value != AMGR_LIMIT_OFF) {
            assert_null(amgr_size_parse(buf, &back));
            assert_int_equal(back, cases[i].value);
        }
    }
}

#define S APR_INT64_C(1000000)

static void test_duration_format(void **state)
{
    static const text_case_t cases[] = {
        { AMGR_NO_TIME, "n/a" },
        { APR_INT64_MIN, "n/a" },
        { 0, "0 seconds" },
        { 999999, "0 seconds" },
        { S, "1 second" },
        { 4 * S, "4 seconds" },
        { 60 * S, "1 minute" },
        { 89 * S, "1 minute and 29 seconds" },
        { 3600 * S + S, "1 hour and 1 second" },
        { (2 * 86400 + 3 * 3600 + 4 * 60) * S,
          "2 days, 3 hours and 4 minutes" },
        { (2 * 86400 + 3 * 3600 + 4 * 60 + 5) * S,
          "2 days, 3 hours and 4 minutes" },
        { 365 * 86400 * S, "1 year and 1 day" },
        { 364 * 86400 * S, "1 year" },
        { 14 * 86400 * S, "2 weeks" },
        { APR_INT64_MAX, "293274 years, 36 weeks and 3 days" }
    };
    char buf[AMGR_UNITS_LEN];
    apr_size_t i;

    (void)state; /* cmocka's signature */
    for (i = 0; i < AMGR_COUNT(cases); i++) {
        assert_string_equal(
            amgr_duration_format(cases[i].value, buf, sizeof(buf)),
            cases[i].expected);
    }
}

static void test_duration_format_exact(void **state)
{
    static const text_case_t cases[] = {
        { AMGR_NO_TIME, "n/a" },  { AMGR_LIMIT_OFF, "Off" },
        { 0, "0s" },              { 1, "0.001ms" },
        { 250, "0.25ms" },        { 1001, "1.001ms" },
        { 1000, "1ms" },          { 1500000, "1500ms" },
        { S, "1s" },              { 90 * S, "90s" },
        { 300 * S, "5m" },        { 7200 * S, "2h" },
        { 172800 * S, "2d" }
    };
    char buf[AMGR_UNITS_LEN];
    apr_interval_time_t back;
    apr_size_t i;

    (void)state; /* cmocka's signature */
    for (i = 0; i < AMGR_COUNT(cases); i++) {
        amgr_duration_format_exact(cases[i].value, buf, sizeof(buf));
        assert_string_equal(buf, cases[i].expected);
        if (cases[i].value > 0 && cases[i].value != AMGR_LIMIT_OFF) {
            assert_null(amgr_duration_parse(buf, &back));
            assert_int_equal(back, cases[i].value);
        }
    }
}

static void test_small_buffers(void **state)
{
    char buf[8] = "xxxxxxx";

    (void)state; /* cmocka's signature */
    amgr_size_format(12050432, buf, 0);
    assert_string_equal(buf, "xxxxxxx");
    assert_string_equal(amgr_size_format(12050432, buf, 1), "");
    assert_string_equal(amgr_size_format(12050432, buf, 6), "12.05");
    assert_int_equal(buf[6], 'x');
    assert_string_equal(amgr_double_format(1e22, buf, 4), "100");
}

/* Whatever is loaded may have called setlocale(): the point stays a point. */
static void test_locale(void **state)
{
    static const char *const names[] = { "de_DE.UTF-8", "de_DE.utf8",
                                         "fr_FR.UTF-8", "ps_AF.UTF-8" };
    char buf[AMGR_UNITS_LEN];
    const char *found = NULL;
    apr_size_t i;

    (void)state; /* cmocka's signature */
    for (i = 0; i < AMGR_COUNT(names) && found == NULL; i++) {
        found = setlocale(LC_NUMERIC, names[i]);
    }
    if (found == NULL) {
        print_message("# no locale with another decimal point here\n");
        return;
    }
    assert_string_equal(amgr_double_format(0.228571, buf, sizeof(buf)),
                        "0.228571");
    assert_string_equal(amgr_size_format(12050432, buf, sizeof(buf)),
                        "12.05 MB");
    setlocale(LC_NUMERIC, "C");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_size_parse),
        cmocka_unit_test(test_duration_parse),
        cmocka_unit_test(test_count_parse),
        cmocka_unit_test(test_share_parse),
        cmocka_unit_test(test_share_of),
        cmocka_unit_test(test_double_format),
        cmocka_unit_test(test_double_round_trip),
        cmocka_unit_test(test_size_format),
        cmocka_unit_test(test_rate_format),
        cmocka_unit_test(test_size_format_exact),
        cmocka_unit_test(test_duration_format),
        cmocka_unit_test(test_duration_format_exact),
        cmocka_unit_test(test_small_buffers),
        cmocka_unit_test(test_locale)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
