/* SPDX-License-Identifier: Apache-2.0
 *
 * The strict reader of a line of JSON: what it takes, and that it refuses all
 * else.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/json_line.h"

static amgr_json_member_t members[] = {
    {"order", AMGR_JSON_WORD, 0, 0, 0, 0, ""},
    {"bytes", AMGR_JSON_NUMBER, 1, APR_INT64_MAX - 1, 0, 0, ""},
    {"kills", AMGR_JSON_NUMBER, 0, 1000, 0, 0, ""},
    {"dry_run", AMGR_JSON_SWITCH, 0, 0, 0, 0, ""},
};

#define ORDER (&members[0])
#define BYTES (&members[1])
#define KILLS (&members[2])
#define DRY_RUN (&members[3])

static const amgr_json_member_t *wrong_one;

/* From memory of exactly its size, so that a byte too far is seen. */
static const char *parse_bytes(const char *text, size_t len)
{
    char *copy = test_malloc(len > 0 ? len : 1);
    const char *wrong;

    memcpy(copy, text, len);
    wrong = amgr_json_line_parse(copy, len, members, AMGR_COUNT(members),
                                 &wrong_one);
    test_free(copy);
    return wrong;
}

static const char *parse(const char *text)
{
    return parse_bytes(text, strlen(text));
}

static void what_is_given_is_read(void **state)
{
    (void)state; /* cmocka's signature */
    assert_null(parse("{\"order\":\"retire\",\"bytes\":1048576,"
                      "\"kills\":0,\"dry_run\":true}"));
    assert_true(ORDER->given && BYTES->given && KILLS->given && DRY_RUN->given);
    assert_string_equal(ORDER->word, "retire");
    assert_int_equal(BYTES->number, 1048576);
    assert_int_equal(KILLS->number, 0);
    assert_int_equal(DRY_RUN->number, 1);
    assert_null(parse(" {\t\"dry_run\" : false ,\"order\":\"\" } \r"));
    assert_false(BYTES->given || KILLS->given);
    assert_int_equal(BYTES->number, 0);
    assert_int_equal(DRY_RUN->number, 0);
    assert_string_equal(ORDER->word, "");
    assert_null(parse("{}"));
    assert_null(parse("{ }"));
    assert_false(ORDER->given || DRY_RUN->given);
}

static void numbers_are_whole_and_in_range(void **state)
{
    static const struct {
        const char *text;
        const char *wrong; /* NULL: none */
    } cases[] = {
        {"{\"bytes\":1}", NULL},
        {"{\"bytes\":9223372036854775806}", NULL},
        {"{\"bytes\":9223372036854775807}", "out of range"},
        {"{\"bytes\":9223372036854775808}", "out of range"},
        {"{\"bytes\":99999999999999999999999}", "out of range"},
        {"{\"bytes\":0}", "out of range"},
        {"{\"bytes\":-1}", "not a whole number"},
        {"{\"bytes\":+1}", "not a whole number"},
        {"{\"bytes\":1.5}", "not a whole number"},
        {"{\"bytes\":1.0}", "not a whole number"},
        {"{\"bytes\":1e3}", "not a whole number"},
        {"{\"bytes\":1E3}", "not a whole number"},
        {"{\"bytes\":01}", "not a whole number"},
        {"{\"bytes\":0x10}", "out of range"},
        {"{\"bytes\":\"1\"}", "not a whole number"},
        {"{\"bytes\":null}", "not a whole number"},
        {"{\"bytes\":true}", "not a whole number"},
        {"{\"bytes\":}", "not a whole number"},
        {"{\"bytes\":[1]}", "not a whole number"},
    };
    size_t i;

    (void)state; /* cmocka's signature */
    for (i = 0; i < AMGR_COUNT(cases); i++) {
        const char *wrong = parse(cases[i].text);

        if (cases[i].wrong == NULL) {
            assert_null(wrong);
            continue;
        }
        assert_non_null(wrong);
        assert_string_equal(wrong, cases[i].wrong);
        assert_ptr_equal(wrong_one, BYTES);
        assert_false(BYTES->given);
    }
    assert_null(parse("{\"kills\":1000}"));
    assert_non_null(parse("{\"kills\":1001}"));
}

static void all_else_is_refused(void **state)
{
    static const char *const lines[] = {
        "",
        " ",
        "{",
        "}",
        "[]",
        "null",
        "\"order\"",
        "{\"order\"}",
        "{\"order\":}",
        "{\"order\":\"retire\"",
        "{\"order\":\"retire\",}",
        "{,\"order\":\"retire\"}",
        "{\"order\":\"retire\"}}",
        "{\"order\":\"retire\"} {}",
        "{\"order\":\"retire\"}x",
        "{\"order\":\"retire\"\"bytes\":1}",
        "{\"order\" \"retire\"}",
        "{order:\"retire\"}",
        "{'order':'retire'}",
        "{\"order\":retire}",
        "{\"order\":1}",
        "{\"order\":{\"order\":\"retire\"}}",
        "{\"order\":\"re\\ttire\"}",
        "{\"\\u006frder\":\"retire\"}",
        "{\"order\":\"re\ttire\"}",
        "{\"order\":\"re\303\244tire\"}",
        "{\"order\":\"abcdefghijklmnopqrstuvwxyz012345"
        "abcdefghijklmnopqrstuvwxyz012345\"}",
        "{\"order\":\"retire",
        "{\"Order\":\"retire\"}",
        "{\"\":\"retire\"}",
        "{\"orders\":\"retire\"}",
        "{\"ord\":\"retire\"}",
        "{\"order\":\"retire\",\"order\":\"retire\"}",
        "{\"order\":\"retire\",\"bytes\":1,\"order\":\"tick\"}",
        "{\"dry_run\":1}",
        "{\"dry_run\":\"true\"}",
        "{\"dry_run\":True}",
        "{\"dry_run\":truely}",
        "{\"dry_run\":tru",
        "{\"dry_run\":null}",
        "{\"bytes\":1\n}",
        "{/**/}",
    };
    size_t i;

    (void)state; /* cmocka's signature */
    for (i = 0; i < AMGR_COUNT(lines); i++) {
        assert_non_null(parse(lines[i]));
        assert_false(ORDER->given || BYTES->given || KILLS->given ||
                     DRY_RUN->given);
    }
    assert_null(parse("{\"order\":\"abcdefghijklmnopqrstuvwxyz012345"
                      "abcdefghijklmnopqrstuvwxyz01234\"}"));
    assert_non_null(parse_bytes("{}\0", 3));
    assert_non_null(parse_bytes("{\"order\":\"a\0b\"}", 15));
    assert_non_null(parse_bytes("{\"order\0\":\"a\"}", 15));
}

static void the_member_at_fault_is_told(void **state)
{
    (void)state; /* cmocka's signature */
    assert_string_equal(parse("{\"kills\":1,\"kills\":1}"), "stands twice");
    assert_ptr_equal(wrong_one, KILLS);
    assert_string_equal(parse("{\"dry_run\":2}"), "neither true nor false");
    assert_ptr_equal(wrong_one, DRY_RUN);
    assert_string_equal(parse("{\"x\":2}"), "an unknown member");
    assert_null(wrong_one);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_given_is_read),
        cmocka_unit_test(numbers_are_whole_and_in_range),
        cmocka_unit_test(all_else_is_refused),
        cmocka_unit_test(the_member_at_fault_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
