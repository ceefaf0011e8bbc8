/* SPDX-License-Identifier: Apache-2.0
 *
 * Any bytes through the unit parsers, the formatters and the escapers.
 * Checked besides memory: what is parsed is in range and reads back after an
 * exact format, doubles read back, and escaped text is valid UTF-8 that cannot
 * leave its place in JSON, HTML or a line.
 */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/escape.h"
#include "base/units.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(int ok)
{
    if (!ok) {
        abort();
    }
}

static void check_parsers(const char *text)
{
    char buf[AMGR_UNITS_LEN];
    apr_int64_t bytes = -1;
    apr_int64_t again;
    apr_interval_time_t span = -1;
    apr_interval_time_t span_again;
    amgr_share_t share = { -1, -1 };
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

/* By the table of RFC 3629, apart from the code it checks. */
static void check_utf8(const unsigned char *p)
{
    unsigned int value;
    unsigned int least;
    int more;

    while (*p != '\0') {
        if (*p < 0x80) {
            p++;
            continue;
        }
        check(*p >= 0xC0 && *p < 0xF8);
        more = *p >= 0xF0 ? 3 : *p >= 0xE0 ? 2 : 1;
        least = more == 3 ? 0x10000 : more == 2 ? 0x800 : 0x80;
        value = *p++ & (0x3Fu >> more);
        for (; more > 0; more--) {
            check((*p & 0xC0) == 0x80);
            value = value << 6 | (*p++ & 0x3Fu);
        }
        check(value >= least && value <= 0x10FFFF &&
              (value < 0xD800 || value > 0xDFFF));
    }
}

static void check_json(const char *p)
{
    for (; *p != '\0'; p++) {
        check(strchr("\"<>&", *p) == NULL);
        if (*p == '\\') {
            p++;
            check(*p != '\0' && strchr("\"\\nrtu", *p) != NULL);
            if (*p == 'u') {
                check(strspn(p + 1, "0123456789abcdef") >= 4);
                p += 4;
            }
        }
    }
}

static void check_line(const char *p)
{
    for (; *p != '\0'; p++) {
        if (*p == '\\') {
            check(p[1] == 'x' && strspn(p + 2, "0123456789abcdef") >= 2);
        }
    }
}

static void check_clean(const char *text)
{
    const unsigned char *p = (const unsigned char *)text;

    check_utf8(p);
    for (; *p != '\0'; p++) {
        check(*p >= 0x20 && *p != 0x7F);
    }
}

static void check_escapes(const char *text)
{
    apr_size_t size = strlen(text) * 16 + 1;
    char *buf = malloc(size);
    amgr_sink_t sink;

    check(buf != NULL);
    amgr_sink_init_text(&sink, buf, size);
    amgr_escape_html(&sink, text);
    check(sink.status == APR_SUCCESS);
    check_clean(amgr_sink_text(&sink));
    check(strpbrk(buf, "<>\"'") == NULL);
    amgr_sink_init_text(&sink, buf, size);
    amgr_escape_json(&sink, text);
    check(sink.status == APR_SUCCESS);
    check_clean(amgr_sink_text(&sink));
    check_json(buf);
    amgr_sink_init_text(&sink, buf, size);
    amgr_escape_line(&sink, text);
    check(sink.status == APR_SUCCESS);
    check_clean(amgr_sink_text(&sink));
    check_line(buf);
    free(buf);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);

    check(text != NULL);
    if (size > 0) {
        memcpy(text, data, size);
    }
    text[size] = '\0';
    check_parsers(text);
    check_escapes(text);
    check_formats(data, size);
    free(text);
    return 0;
}
