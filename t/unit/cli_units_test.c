/* SPDX-License-Identifier: Apache-2.0
 *
 * Sizes and spans as the Python tool took them: what it read right is read the
 * same, and what it should not have taken is refused.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "cli/options/python_units.h"

#define REFUSED (-1)
#define MS APR_INT64_C(1000)
#define SEC APR_INT64_C(1000000)

typedef struct case_t {
    const char *text;
    apr_int64_t value;
} case_t;

static const case_t sizes[] = {
    { "50K", 51200 },
    { "50KB", 51200 },
    { "50kb", 51200 },
    { "50 KB", 51200 },
    { "50KiB", 51200 },
    { "50 kilobytes", 51200 },
    { "50 kibibyte", 51200 },
    { "5m", 5242880 },
    { "500M", 524288000 },
    { "250 mb", 262144000 },
    { "10 megabytes", 10485760 },
    { "10 Mbytes", 10485760 },
    { "1.5G", 1610612736 },
    { "1.5 GiB", 1610612736 },
    { "2 gigabyte", APR_INT64_C(2147483648) },
    { "1T", APR_INT64_C(1099511627776) },
    { "42", 42 },
    { "42B", 42 },
    { "42 bytes", 42 },
    { "1 byte", 1 },
    { "1.9", 1 },
    { "  42  ", 42 },
    { "\t1\tK\t", 1024 },
    { "007", 7 },
    { "0", AMGR_LIMIT_OFF },
    { "000", AMGR_LIMIT_OFF },
    { "0K", AMGR_LIMIT_OFF },
    { "0.0 MB", AMGR_LIMIT_OFF },
    { "", REFUSED },
    { "   ", REFUSED },
    { "K", REFUSED },
    { "banana", REFUSED },
    { "5mango", REFUSED },
    { "5 metres", REFUSED },
    { "5 bits", REFUSED },
    { "5Kx", REFUSED },
    { "3MB extra", REFUSED },
    { "5X", REFUSED },
    { "-5M", REFUSED },
    { "+5M", REFUSED },
    { ".5M", REFUSED },
    { "5.M", REFUSED },
    { "1.2.3M", REFUSED },
    { ".", REFUSED },
    { "0..0", REFUSED },
    { "0 mango", REFUSED },
    { "0.5", REFUSED },
    { "1e3", REFUSED },
    { "1,5G", REFUSED },
    { "5 0K", REFUSED },
    { "5M\n", REFUSED },
    { "99999999999T", REFUSED },
    { "11111111111111111111111111111111111111111111111111111111111111111",
      REFUSED },
    { "5 mmmmmmmmmmmmmmmmmmmmmmmmmmmm", REFUSED },
};

static const case_t spans[] = {
    { "90", 90 * SEC },
    { "0.5", SEC / 2 },
    { "2s", 2 * SEC },
    { "2 sec", 2 * SEC },
    { "2 secs", 2 * SEC },
    { "1 second", SEC },
    { "2 seconds", 2 * SEC },
    { "250ms", 250 * MS },
    { "250 milliseconds", 250 * MS },
    { "3m", 180 * SEC },
    { "5M", 300 * SEC },
    { "3 min", 180 * SEC },
    { "3 mins", 180 * SEC },
    { "1 minute", 60 * SEC },
    { "5 Minutes", 300 * SEC },
    { "5h", 18000 * SEC },
    { "1.5 hours", 5400 * SEC },
    { "2d", 172800 * SEC },
    { "1 day", 86400 * SEC },
    { "1w", 604800 * SEC },
    { "0.5 weeks", 302400 * SEC },
    { "1y", 31449600 * SEC },
    { "2 years", 62899200 * SEC },
    { "0", AMGR_LIMIT_OFF },
    { "0.0s", AMGR_LIMIT_OFF },
    { "0 weeks", AMGR_LIMIT_OFF },
    { "", REFUSED },
    { "soon", REFUSED },
    { "5 sheep", REFUSED },
    { "1h30m", REFUSED },
    { "1 h 30 m", REFUSED },
    { "-1", REFUSED },
    { "1e3", REFUSED },
    { "0.0000001", REFUSED },
    { "28y", REFUSED },
    { "10001d", REFUSED },
    { "1429w", REFUSED },
};

static void test_sizes(void **state)
{
    apr_size_t i;

    (void)state;
    for (i = 0; i < AMGR_COUNT(sizes); i++) {
        apr_int64_t bytes = REFUSED;
        const char *expected = amgr_python_size_parse(sizes[i].text, &bytes);

        if ((expected == NULL) != (sizes[i].value != REFUSED) ||
            bytes != sizes[i].value) {
            fail_msg("'%s' became %ld", sizes[i].text, (long)bytes);
        }
    }
}

static void test_spans(void **state)
{
    apr_size_t i;

    (void)state;
    for (i = 0; i < AMGR_COUNT(spans); i++) {
        apr_interval_time_t span_us = REFUSED;
        const char *expected = amgr_python_span_parse(spans[i].text, &span_us);

        if ((expected == NULL) != (spans[i].value != REFUSED) ||
            span_us != spans[i].value) {
            fail_msg("'%s' became %ld", spans[i].text, (long)span_us);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_spans),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
