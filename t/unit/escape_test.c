/* SPDX-License-Identifier: Apache-2.0
 *
 * Escaping: every class of bad byte in every format, and all texts of one and
 * two bytes for the promise that the output is clean.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/escape.h"

#define BAD "\xEF\xBF\xBD"

typedef struct escape_case_t {
    const char *text;
    const char *html;
    const char *json;
    const char *line;
} escape_case_t;

static const escape_case_t cases[] = {
    { "", "", "", "" },
    { "GET / HTTP/1.1", "GET / HTTP/1.1", "GET / HTTP/1.1", "GET / HTTP/1.1" },
    { "</script>", "&lt;/script&gt;", "\\u003c/script\\u003e", "</script>" },
    { "a&b", "a&amp;b", "a\\u0026b", "a&b" },
    { "\"'", "&quot;&#39;", "\\\"'", "\"'" },
    { "a\\x", "a\\x", "a\\\\x", "a\\x5cx" },
    { "a\nb\r\t", "a" BAD "b" BAD BAD, "a\\nb\\r\\t", "a\\x0ab\\x0d\\x09" },
    { "\x01\x1f\x7f", BAD BAD BAD, "\\u0001\\u001f\\u007f",
      "\\x01\\x1f\\x7f" },
    { "\x1b[31m", BAD "[31m", "\\u001b[31m", "\\x1b[31m" },
    { "\xc2\x85", BAD, "\\u0085", "\\xc2\\x85" },
    { "\xd8\x9c", BAD, "\\u061c", "\\xd8\\x9c" },
    { "\xc2\xa0", "\xc2\xa0", "\xc2\xa0", "\xc2\xa0" },
    { "\xe2\x80\xa8\xe2\x80\xa9", "\xe2\x80\xa8\xe2\x80\xa9",
      "\\u2028\\u2029", "\\xe2\\x80\\xa8\\xe2\\x80\\xa9" },
    { "\xe2\x80\xae" "a\xe2\x80\x8e\xe2\x81\xa9\xe2\x80\xaf", BAD "a" BAD BAD
      "\xe2\x80\xaf", "\\u202ea\\u200e\\u2069\xe2\x80\xaf",
      "\\xe2\\x80\\xaea\\xe2\\x80\\x8e\\xe2\\x81\\xa9\xe2\x80\xaf" },
    { "gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80",
      "gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80",
      "gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80",
      "gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80" },
    { "\xff\xfe", BAD BAD, BAD BAD, "\\xff\\xfe" },
    { "\x80", BAD, BAD, "\\x80" },
    { "\xc0\xaf", BAD BAD, BAD BAD, "\\xc0\\xaf" },          /* overlong */
    { "\xe0\x80\xaf", BAD BAD BAD, BAD BAD BAD, "\\xe0\\x80\\xaf" },
    { "\xed\xa0\x80", BAD BAD BAD, BAD BAD BAD, "\\xed\\xa0\\x80" },
    { "\xed\x9f\xbf", "\xed\x9f\xbf", "\xed\x9f\xbf", "\xed\x9f\xbf" },
    { "\xf0\x8f\xbf\xbf", BAD BAD BAD BAD, BAD BAD BAD BAD,
      "\\xf0\\x8f\\xbf\\xbf" },
    { "\xf4\x90\x80\x80", BAD BAD BAD BAD, BAD BAD BAD BAD,
      "\\xf4\\x90\\x80\\x80" },
    { "\xf4\x8f\xbf\xbf", "\xf4\x8f\xbf\xbf", "\xf4\x8f\xbf\xbf",
      "\xf4\x8f\xbf\xbf" },
    { "\xe2\x82", BAD BAD, BAD BAD, "\\xe2\\x82" },          /* cut */
    { "\xe2\x82<", BAD BAD "&lt;", BAD BAD "\\u003c", "\\xe2\\x82<" },
    { "\xf0\x9f\x98", BAD BAD BAD, BAD BAD BAD, "\\xf0\\x9f\\x98" },
    { "\xc3", BAD, BAD, "\\xc3" }
};

typedef void escape_fn(amgr_sink_t *sink, const char *text);

static const char *run(escape_fn *fn, const char *text, char *buf,
                       apr_size_t size)
{
    amgr_sink_t sink;

    amgr_sink_init_text(&sink, buf, size);
    fn(&sink, text);
    assert_int_equal(sink.status, APR_SUCCESS);
    return amgr_sink_text(&sink);
}

static void test_cases(void **state)
{
    char buf[256];
    apr_size_t i;

    (void)state; /* cmocka's signature */
    for (i = 0; i < AMGR_COUNT(cases); i++) {
        assert_string_equal(
            run(amgr_escape_html, cases[i].text, buf, sizeof(buf)),
            cases[i].html);
        assert_string_equal(
            run(amgr_escape_json, cases[i].text, buf, sizeof(buf)),
            cases[i].json);
        assert_string_equal(
            run(amgr_escape_line, cases[i].text, buf, sizeof(buf)),
            cases[i].line);
    }
}

/* Escaping what is clean changes nothing: so the line form must be stable but
 * for its backslashes, and no format may let a control byte through. */
static void test_all_pairs(void **state)
{
    static escape_fn *const formats[] = { amgr_escape_html, amgr_escape_json,
                                          amgr_escape_line };
    char text[3] = "";
    char buf[64];
    char again[256];
    apr_size_t f;
    int a;
    int b;

    (void)state; /* cmocka's signature */
    for (f = 0; f < AMGR_COUNT(formats); f++) {
        for (a = 1; a < 256; a++) {
            for (b = 0; b < 256; b++) {
                const char *p;

                text[0] = (char)a;
                text[1] = (char)b;
                for (p = run(formats[f], text, buf, sizeof(buf)); *p != '\0';
                     p++) {
                    assert_false((unsigned char)*p < 0x20 || *p == 0x7f);
                }
                /* No byte of it is invalid: none is escaped as such now. */
                run(amgr_escape_line, buf, again, sizeof(again));
                assert_null(strstr(again, "\\xff"));
                assert_null(strstr(again, "\\xc0"));
            }
        }
    }
}

static void test_small_sink(void **state)
{
    char buf[6];
    amgr_sink_t sink;

    (void)state; /* cmocka's signature */
    amgr_sink_init_text(&sink, buf, sizeof(buf));
    amgr_escape_html(&sink, "abc<def>");
    assert_int_equal(sink.status, APR_ENOSPC);
    assert_string_equal(amgr_sink_text(&sink), "abc&l");
}

/* Whatever the text, it can end neither the label nor the line, and no other
 * text gives the same. */
static void test_labels(void **state)
{
    static const struct {
        const char *text;
        const char *label;
    } labels[] = {
        { "shop", "shop" },
        { "a\"b", "a\\\"b" },
        { "a\\b", "a\\\\x5cb" },
        { "a\nb\x7f", "a\\\\x0ab\\\\x7f" },
        { "\xff", "\\\\xff" },
        { "\\xff", "\\\\x5cxff" },
        { "\xc2\x85", "\\\\xc2\\\\x85" },
        { "\xe2\x82\xac", "\xe2\x82\xac" },
        { "\xe2\x82", "\\\\xe2\\\\x82" },
    };
    char buf[200];
    size_t i;

    (void)state; /* cmocka's signature */
    for (i = 0; i < AMGR_COUNT(labels); i++) {
        amgr_sink_t sink;

        amgr_sink_init_text(&sink, buf, sizeof(buf));
        amgr_escape_label(&sink, labels[i].text);
        assert_string_equal(amgr_sink_text(&sink), labels[i].label);
    }
}

/* Whatever it was, but for what would end it. */
static void test_unescape(void **state)
{
    static const char *const texts[] = {"",        "plain",  "\x1b[2J a\\b",
                                        "\\x1b",   "\\",     "\\x",
                                        "\xff\r\n", "\\x0", "\xe2\x80\xae\x7f"};
    char text[100];
    amgr_sink_t sink;
    size_t i;

    (void)state; /* cmocka's signature */
    for (i = 0; i < AMGR_COUNT(texts); i++) {
        amgr_sink_init_text(&sink, text, sizeof(text));
        amgr_escape_line(&sink, texts[i]);
        amgr_sink_text(&sink);
        amgr_unescape_line(text);
        assert_string_equal(text, texts[i]);
    }
    strcpy(text, "a\\x00b\\xg1\\x1");
    amgr_unescape_line(text);
    assert_string_equal(text, "a\\x00b\\xg1\\x1");
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_cases),
                                        cmocka_unit_test(test_all_pairs),
                                        cmocka_unit_test(test_small_sink),
        cmocka_unit_test(test_labels),
        cmocka_unit_test(test_unescape) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
