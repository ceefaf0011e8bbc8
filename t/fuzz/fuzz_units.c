/* SPDX-License-Identifier: Apache-2.0
 *
 * Any bytes through the unit parsers and the formatters.  Checked besides
 * memory: what is parsed is in range and reads back after an exact format, and
 * doubles read back.
 */
#include "fuzz.h"

#include <math.h>

#include "base/units.h"

static void check_parsers(const char *text)
{
    char buf[AMGR_UNITS_LEN];
    apr_int64_t bytes = -1;
    apr_int64_t again;
    apr_interval_time_t span = -1;
    apr_interval_time_t span_again;
    amgr_share_t share = {-1, -1};
    int count = -1;

    if (amgr_size_parse(text, &bytes) == NULL) {
        check(bytes > 0 && bytes <= APR_INT64_C(1) << 60);
        amgr_size_format_exact(bytes, buf, sizeof(buf));
        check(amgr_size_parse(buf, &again) == NULL && again == bytes);
    }
    else {
        check(bytes == -1);
    }
    if (amgr_duration_parse(text, &span) == NULL) {
        check(span > 0 && span <= APR_INT64_C(864000000000000));
        amgr_duration_format_exact(span, buf, sizeof(buf));
        check(amgr_duration_parse(buf, &span_again) == NULL &&
              span_again == span);
    }
    else {
        check(span == -1);
    }
    check(amgr_count_parse(text, 5, 500, &count) == NULL
              ? count >= 5 && count <= 500
              : count == -1);
    check(amgr_share_parse(text, &share) == NULL
              ? share.value > 0 && amgr_share_of(&share, 1000) > 0
              : share.value == -1 && share.percent == -1);
}

static void check_formats(const uint8_t *data, size_t size)
{
    char buf[AMGR_UNITS_LEN];
    apr_uint64_t bits = 0;
    double value;

    memcpy(&bits, data, size < sizeof(bits) ? size : sizeof(bits));
    memcpy(&value, &bits, sizeof(value));
    amgr_double_format(value, buf, sizeof(buf));
    check(strlen(buf) < sizeof(buf) - 1 && strchr(buf, '.') != NULL);
    check(strspn(buf, "-.0123456789") == strlen(buf));
    check(strtod(buf, NULL) == (isfinite(value) ? value : 0.0));
    check(strlen(amgr_size_format(bits, buf, sizeof(buf))) < 16);
    check(strlen(amgr_duration_format((apr_interval_time_t)bits, buf,
                                      sizeof(buf))) < 80);
    amgr_size_format_exact((apr_int64_t)bits, buf, sizeof(buf));
    amgr_duration_format_exact((apr_interval_time_t)bits, buf, sizeof(buf));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = fuzz_text(data, size);

    check_parsers(text);
    check_formats(data, size);
    free(text);
    return 0;
}
