/* SPDX-License-Identifier: Apache-2.0
 *
 * Fields of an address or a form: which are found, and what is none.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/fields.h"

static int find(const char *fields, const char *name, char *buf, size_t size)
{
    const char *value = "untouched";
    apr_size_t len = strlen(value);
    int count = amgr_fields_find(fields, name, &value, &len);

    assert_true(len < size);
    memcpy(buf, value, len);
    buf[len] = '\0';
    return count;
}

static void a_field_is_found_by_its_whole_name(void **state)
{
    static const struct {
        const char *fields;
        int count;
        const char *value;
    } cases[] = {
        {NULL, 0, "untouched"},
        {"", 0, "untouched"},
        {"&", 0, "untouched"},
        {"&&&", 0, "untouched"},
        {"wait", 1, ""},
        {"wait=", 1, ""},
        {"wait=5", 1, "5"},
        {"wait=5&", 1, "5"},
        {"&wait=5", 1, "5"},
        {"x=1&wait=5&y", 1, "5"},
        {"wait=5&wait=6", 2, "5"},
        {"wait&wait=6&wait", 3, ""},
        {"wait=a=b", 1, "a=b"},
        {"wait=%35", 1, "%35"},
        {"waits=5", 0, "untouched"},
        {"await=5", 0, "untouched"},
        {"wai=t", 0, "untouched"},
        {"w", 0, "untouched"},
        {"Wait=5", 0, "untouched"},
        {"=wait", 0, "untouched"},
    };
    char buf[32];
    size_t i;

    (void)state; /* cmocka's signature */
    for (i = 0; i < AMGR_COUNT(cases); i++) {
        int count = find(cases[i].fields, "wait", buf, sizeof(buf));

        if (count != cases[i].count) {
            fail_msg("'%s': %d", cases[i].fields, count);
        }
        assert_string_equal(buf, cases[i].value);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_field_is_found_by_its_whole_name),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
