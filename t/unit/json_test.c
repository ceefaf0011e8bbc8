/* SPDX-License-Identifier: Apache-2.0
 *
 * The JSON writer: commas, nulls, exact numbers, and text of any bytes.  The
 * checker of render_view.h is itself checked first.
 */
#include "render_view.h"

#include <math.h>

#include "render/json.h"

static char out[65536];

static void start(amgr_json_t *json, amgr_sink_t *sink)
{
    amgr_sink_init(sink, out, sizeof(out) - 1, NULL, NULL);
    amgr_json_init(json, sink);
}

static const char *finish(amgr_sink_t *sink)
{
    assert_int_equal(amgr_sink_finish(sink), APR_SUCCESS);
    out[sink->total] = '\0';
    return out;
}

static void test_checker(void **state)
{
    static const char *const good[] = {
        "{}", "[]", " [ 1 , -2.5e+3 ] ", "{\"a\":null,\"b\":[true,false]}",
        "\"\\u00e4\\n\\\"\"", "0", "0.5", "\"\xe2\x82\xac\""
    };
    static const char *const bad[] = {
        "", "{", "[1,]", "{\"a\"}", "{\"a\":1,}", "{a:1}", "01", "1.", ".5",
        "nul", "\"\\x\"", "\"\\u12\"", "\"a", "\"\x01\"", "\"\xff\"",
        "\"\xc0\x80\"", "\"\xed\xa0\x80\"", "[1] 2", "NaN", "[1 2]", "{,}"
    };
    size_t i;

    (void)state; /* cmocka's signature */
    for (i = 0; i < AMGR_COUNT(good); i++) {
        assert_true(json_is_valid(good[i]));
    }
    for (i = 0; i < AMGR_COUNT(bad); i++) {
        assert_false(json_is_valid(bad[i]));
    }
}

static void test_structure(void **state)
{
    amgr_json_t json;
    amgr_sink_t sink;

    (void)state; /* cmocka's signature */
    start(&json, &sink);
    amgr_json_begin_object(&json);
    amgr_json_key(&json, "a");
    amgr_json_begin_array(&json);
    amgr_json_end_array(&json);
    amgr_json_key(&json, "b");
    amgr_json_begin_array(&json);
    amgr_json_i64(&json, -5);
    amgr_json_begin_object(&json);
    amgr_json_key(&json, "c");
    amgr_json_bool(&json, 7);
    amgr_json_key(&json, "d");
    amgr_json_begin_array(&json);
    amgr_json_u64(&json, 1);
    amgr_json_u64(&json, 2);
    amgr_json_end_array(&json);
    amgr_json_end_object(&json);
    amgr_json_null(&json);
    amgr_json_end_array(&json);
    amgr_json_key(&json, "e");
    amgr_json_string(&json, "");
    amgr_json_end_object(&json);
    assert_string_equal(finish(&sink),
                        "{\n\"a\":[],\n\"b\":[\n-5,\n{\"c\":true,"
                        "\"d\":[1,2]},\nnull\n],\n\"e\":\"\"\n}");
    assert_true(json_is_valid(out));
}

static void test_unknown(void **state)
{
    amgr_json_t json;
    amgr_sink_t sink;

    (void)state; /* cmocka's signature */
    start(&json, &sink);
    amgr_json_begin_array(&json);
    amgr_json_u64(&json, AMGR_UNKNOWN);
    amgr_json_u64(&json, AMGR_UNKNOWN - 1);
    amgr_json_seconds(&json, AMGR_NO_TIME);
    amgr_json_double(&json, NAN);
    amgr_json_double(&json, INFINITY);
    amgr_json_double(&json, -INFINITY);
    amgr_json_double(&json, 0.1);
    amgr_json_double(&json, -1024.0);
    amgr_json_i64(&json, APR_INT64_MIN);
    amgr_json_end_array(&json);
    assert_string_equal(finish(&sink),
                        "[\nnull,\n18446744073709551614,\nnull,\nnull,\nnull,"
                        "\nnull,\n0.1,\n-1024.0,\n-9223372036854775808\n]");
    assert_true(json_is_valid(out));
}

static void test_seconds(void **state)
{
    static const struct {
        apr_time_t us;
        const char *text;
    } cases[] = {
        { 0, "0.0" },
        { 1, "0.000001" },
        { 999999, "0.999999" },
        { 1000000, "1.0" },
        { 1500000, "1.5" },
        { 10000010, "10.00001" },
        { APR_INT64_C(1700000000123456), "1700000000.123456" },
        { APR_INT64_MAX, "9223372036854.775807" },
        { -1, "null" },
        { APR_INT64_MIN, "null" }
    };
    size_t i;

    (void)state; /* cmocka's signature */
    for (i = 0; i < AMGR_COUNT(cases); i++) {
        amgr_json_t json;
        amgr_sink_t sink;

        start(&json, &sink);
        amgr_json_seconds(&json, cases[i].us);
        assert_string_equal(finish(&sink), cases[i].text);
    }
}

/* Each pair of bytes stands once in a string, alone and beside its like. */
static void test_any_bytes(void **state)
{
    int first;

    (void)state; /* cmocka's signature */
    for (first = 1; first < 256; first++) {
        amgr_json_t json;
        amgr_sink_t sink;
        int second;

        start(&json, &sink);
        amgr_json_begin_array(&json);
        for (second = 1; second < 256; second++) {
            char text[4] = { (char)first, (char)second, (char)first, '\0' };

            amgr_json_string(&json, text);
        }
        amgr_json_end_array(&json);
        assert_true(json_is_valid(finish(&sink)));
    }
}

static void test_too_deep(void **state)
{
    amgr_json_t json;
    amgr_sink_t sink;
    int i;

    (void)state; /* cmocka's signature */
    start(&json, &sink);
    for (i = 0; i < AMGR_JSON_DEPTH_MAX; i++) {
        amgr_json_begin_array(&json);
    }
    amgr_json_i64(&json, 1);
    assert_int_equal(sink.status, APR_SUCCESS);
    amgr_json_begin_array(&json);
    amgr_json_i64(&json, 1);
    for (i = 0; i <= AMGR_JSON_DEPTH_MAX; i++) {
        amgr_json_end_array(&json);
    }
    assert_int_equal(amgr_sink_finish(&sink), APR_EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_checker),
        cmocka_unit_test(test_structure),
        cmocka_unit_test(test_unknown),
        cmocka_unit_test(test_seconds),
        cmocka_unit_test(test_any_bytes),
        cmocka_unit_test(test_too_deep)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
