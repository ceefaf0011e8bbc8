/* SPDX-License-Identifier: Apache-2.0
 *
 * Lines of bounded width: characters of every width, hostile bytes, fields,
 * and what is printed of them.
 */
#include "render_check.h"

#include <limits.h>
#include <locale.h>
#include <wchar.h>

#include <apr_general.h>

#include "cli/watch/canvas_print.h"
#include "cli/watch/short_text.h"

static apr_pool_t *pool;

static const amgr_canvas_line_t *line_of(const amgr_canvas_t *canvas, int i)
{
    assert_in_range(i, 0, canvas->lines->nelts - 1);
    return &APR_ARRAY_IDX(canvas->lines, i, amgr_canvas_line_t);
}

/* What a canvas makes of one text. */
static const amgr_canvas_line_t *put_alone(const char *text, int columns,
                                           int utf8)
{
    amgr_canvas_t *canvas = amgr_canvas_create(columns, 1, utf8, pool);

    amgr_canvas_put(canvas, text);
    amgr_canvas_end_line(canvas);
    return line_of(canvas, 0);
}

static void test_cut_on_characters(void **state)
{
    static const struct {
        const char *text;
        int columns;
        const char *want;
        int width;
    } cases[] = {
        {"plain", 3, "pla", 3},
        {"", 3, "", 0},
        {"a\xc3\xa4o", 2, "a\xc3\xa4", 2},
        /* Two columns each: only one and a half would fit. */
        {"\xe6\x97\xa5\xe6\x9c\xac", 3, "\xe6\x97\xa5", 2},
        {"\xe6\x97\xa5\xe6\x9c\xac", 4, "\xe6\x97\xa5\xe6\x9c\xac", 4},
        {"\xe6\x97\xa5", 1, "", 0},
        /* A mark stands above what is before it. */
        {"e\xcc\x81x", 2, "e\xcc\x81x", 2},
        {"\xf0\x9f\x98\x80!", 3, "\xf0\x9f\x98\x80!", 3},
    };
    apr_size_t i;

    (void)state;
    for (i = 0; i < AMGR_COUNT(cases); i++) {
        const amgr_canvas_line_t *line =
            put_alone(cases[i].text, cases[i].columns, 1);

        assert_string_equal(line->text, cases[i].want);
        assert_int_equal(line->width, cases[i].width);
        assert_int_equal(line->length, strlen(cases[i].want));
    }
}

static void test_hostile_text(void **state)
{
    (void)state;
    assert_string_equal(put_alone("a\x1b[2J\nb", 40, 1)->text,
                        "a\\x1b[2J\\x0ab");
    assert_string_equal(put_alone("\xff\xc3(", 40, 1)->text, "\\xff\\xc3(");
    assert_string_equal(put_alone("\xc2\x9b" "31m", 40, 1)->text,
                        "\\xc2\\x9b31m");
    /* From right to left, and nothing that joins words unseen. */
    assert_string_equal(put_alone("a\xe2\x80\xae" "b", 40, 1)->text,
                        "a\\xe2\\x80\\xaeb");
    assert_string_equal(put_alone("a\xe2\x80\x8b" "b", 40, 1)->text,
                        "a\xef\xbf\xbd" "b");
    assert_string_equal(put_alone("\xc3\xa4\xe2\x82\xac", 40, 0)->text, "??");
}

/* However many marks are put on one character, the line keeps room for the
 * columns that are left. */
static void test_marks_without_end(void **state)
{
    char text[4096] = "e";
    amgr_canvas_t *canvas = amgr_canvas_create(10, 1, 1, pool);
    const amgr_canvas_line_t *line;
    int i;

    (void)state;
    for (i = 0; i < 1000; i++) {
        memcpy(text + 1 + 2 * i, "\xcc\x81", 3);
    }
    amgr_canvas_put(canvas, text);
    amgr_canvas_put(canvas, "\xf0\x9f\x98\x80\xf0\x9f\x98\x80\xf0\x9f\x98\x80"
                            "\xf0\x9f\x98\x80\xf0\x9f\x98\x80");
    amgr_canvas_fill(canvas, 10);
    amgr_canvas_end_line(canvas);
    line = line_of(canvas, 0);
    assert_int_equal(line->width, 10);
    assert_true(line->length <= canvas->size);
    assert_non_null(strstr(line->text, "\xf0\x9f\x98\x80 "));
}

static void test_long_text_is_cut_whole(void **state)
{
    char text[8192];
    wchar_t wide[8192];
    const amgr_canvas_line_t *line;
    size_t i;

    (void)state;
    /* Beyond what is escaped at a time, at every phase of a character. */
    for (i = 0; i < 4; i++) {
        size_t at = i;

        memset(text, 'x', sizeof(text));
        text[0] = '\n';
        for (at = 1 + i; at + 4 < sizeof(text); at += 3) {
            memcpy(text + at, "\xe2\x82\xac", 3);
        }
        text[at] = '\0';
        line = put_alone(text, 5000, 1);
        assert_true(line->width > 200);
        assert_true(mbstowcs(wide, line->text, AMGR_COUNT(wide)) !=
                    (size_t)-1);
    }
}

static void test_fields(void **state)
{
    amgr_canvas_t *canvas = amgr_canvas_create(20, 2, 1, pool);

    (void)state;
    amgr_canvas_put_field(canvas, "ab", 4, 0);
    amgr_canvas_put_field(canvas, "cd", 4, 1);
    amgr_canvas_put_field(canvas, "efghij", 4, 1);
    amgr_canvas_put_field(canvas, "\xe6\x97\xa5\xe6\x9c\xac", 3, 0);
    assert_int_equal(amgr_canvas_room(canvas), 5);
    amgr_canvas_put_field(canvas, "beyond the edge", 30, 0);
    assert_int_equal(amgr_canvas_room(canvas), 0);
    amgr_canvas_end_line(canvas);
    assert_string_equal(line_of(canvas, 0)->text,
                        "ab    cdefgh\xe6\x97\xa5 beyon");
    assert_int_equal(amgr_canvas_width(canvas, "\xe6\x97\xa5" "a\n"), 7);
}

static void test_rows(void **state)
{
    amgr_canvas_t *canvas = amgr_canvas_create(5, 2, 1, pool);

    (void)state;
    amgr_canvas_put(canvas, "one");
    amgr_canvas_end_line(canvas);
    assert_int_equal(amgr_canvas_rows_left(canvas), 1);
    amgr_canvas_end_line(canvas);
    amgr_canvas_put(canvas, "three");
    amgr_canvas_end_line(canvas);
    assert_int_equal(canvas->lines->nelts, 2);
    assert_string_equal(line_of(canvas, 1)->text, "");
    canvas = amgr_canvas_create(0, AMGR_CANVAS_ENDLESS, 1, pool);
    assert_int_equal(canvas->columns, 1);
    assert_int_equal(amgr_canvas_rows_left(canvas), INT_MAX);
}

static void test_print(void **state)
{
    amgr_canvas_t *canvas = amgr_canvas_create(20, 3, 1, pool);
    char text[256];
    amgr_sink_t sink;

    (void)state;
    amgr_canvas_put_styled(canvas, AMGR_STYLE_BAD, "bad");
    amgr_canvas_put(canvas, " plain   ");
    amgr_canvas_end_line(canvas);
    canvas->style = AMGR_STYLE_HEADING;
    amgr_canvas_fill(canvas, 20);
    amgr_canvas_end_line(canvas);
    amgr_sink_init_text(&sink, text, sizeof(text));
    amgr_canvas_print(canvas, 0, &sink);
    assert_string_equal(amgr_sink_text(&sink), "bad plain\n\n");
    amgr_sink_init_text(&sink, text, sizeof(text));
    amgr_canvas_print(canvas, 1, &sink);
    assert_string_equal(amgr_sink_text(&sink),
                        "\x1b[1;31mbad\x1b[0m plain\n\n");
}

static void test_short_sizes(void **state)
{
    static const struct {
        apr_uint64_t bytes;
        const char *want;
    } cases[] = {
        {0, "0"},
        {1, "1B"},
        {1023, "1023B"},
        {1024, "1.00K"},
        {10234, "9.99K"},
        {10239, "10.0K"},
        {102348, "99.9K"},
        {102399, "100K"},
        {1047552, "1023K"},
        {1048575, "1.00M"},
        {APR_UINT64_C(641728512), "612M"},
        {APR_UINT64_C(1) << 40, "1.00T"},
        {AMGR_UNKNOWN - 1, "16.0E"},
        {AMGR_UNKNOWN, "n/a"},
    };
    char buf[AMGR_SHORT_LEN];
    apr_size_t i;

    (void)state;
    for (i = 0; i < AMGR_COUNT(cases); i++) {
        assert_string_equal(amgr_short_size(cases[i].bytes, buf),
                            cases[i].want);
    }
    assert_string_equal(amgr_short_growth(0, buf), "0");
    assert_string_equal(amgr_short_growth(-1, buf), "-1B");
    assert_string_equal(amgr_short_growth(1572864, buf), "+1.50M");
    assert_string_equal(amgr_short_growth(APR_INT64_MIN, buf), "-8.00E");
}

static void test_short_spans(void **state)
{
    static const struct {
        apr_int64_t seconds;
        const char *want;
    } cases[] = {
        {-1, "n/a"},
        {0, "0s"},
        {59, "59s"},
        {60, "1m0s"},
        {3599, "59m59s"},
        {3600, "1h0m"},
        {86399, "23h59m"},
        {86400, "1d0h"},
        {86400 * 100 - 1, "99d23h"},
        {86400 * 100, "100d"},
    };
    char buf[AMGR_SHORT_LEN];
    apr_size_t i;

    (void)state;
    for (i = 0; i < AMGR_COUNT(cases); i++) {
        assert_string_equal(
            amgr_short_span(apr_time_from_sec(cases[i].seconds), buf),
            cases[i].want);
    }
    assert_string_equal(amgr_short_tenths(3299999, buf), "3.2s");
    assert_string_equal(amgr_short_tenths(APR_USEC_PER_SEC * 60, buf), "1m0s");
    assert_string_equal(amgr_short_tenths(AMGR_NO_TIME, buf), "n/a");
}

static void test_short_counts(void **state)
{
    char buf[AMGR_SHORT_LEN];

    (void)state;
    assert_string_equal(amgr_short_count(0, buf), "0");
    assert_string_equal(amgr_short_count(999999, buf), "999999");
    assert_string_equal(amgr_short_count(1000000, buf), "1.00M");
    assert_string_equal(amgr_short_count(APR_UINT64_C(123456789012), buf),
                        "123G");
    assert_string_equal(amgr_short_count(AMGR_UNKNOWN, buf), "n/a");
    assert_string_equal(amgr_short_rate(0.0, buf), "0");
    assert_string_equal(amgr_short_rate(0.125, buf), "0.12");
    assert_string_equal(amgr_short_rate(12.34, buf), "12.3");
    assert_string_equal(amgr_short_rate(1234.5, buf), "1.23K");
    assert_string_equal(amgr_short_rate(-1.0, buf), "n/a");
    assert_string_equal(amgr_short_rate(0.0 / 0.0, buf), "n/a");
    assert_string_equal(amgr_short_rate(1e300, buf), "n/a");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cut_on_characters),
        cmocka_unit_test(test_hostile_text),
        cmocka_unit_test(test_marks_without_end),
        cmocka_unit_test(test_long_text_is_cut_whole),
        cmocka_unit_test(test_fields),
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_print),
        cmocka_unit_test(test_short_sizes),
        cmocka_unit_test(test_short_spans),
        cmocka_unit_test(test_short_counts),
    };
    int failed;

    if (setlocale(LC_CTYPE, "C.UTF-8") == NULL ||
        apr_initialize() != APR_SUCCESS ||
        apr_pool_create(&pool, NULL) != APR_SUCCESS) {
        return 1;
    }
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    apr_terminate();
    return failed;
}
