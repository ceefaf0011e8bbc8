/* SPDX-License-Identifier: Apache-2.0
 *
 * The text sink: any cut of the input gives the same bytes, and the first
 * error is the last thing that happens.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/sink.h"

typedef struct target_t {
    char text[4096];
    apr_size_t len;
    int calls;
    int fail_at; /**< number of the call that fails, 0: none */
} target_t;

static apr_status_t take(void *baton, const char *data, apr_size_t len)
{
    target_t *target = baton;

    target->calls++;
    if (target->calls == target->fail_at) {
        return APR_EOF;
    }
    assert_true(len > 0);
    assert_true(target->len + len < sizeof(target->text));
    memcpy(target->text + target->len, data, len);
    target->len += len;
    target->text[target->len] = '\0';
    return APR_SUCCESS;
}

static void test_any_cut(void **state)
{
    static const char text[] = "The quick brown fox jumps over the lazy dog";
    apr_size_t size;
    apr_size_t step;
    apr_size_t at;

    (void)state; /* cmocka's signature */
    for (size = 0; size <= sizeof(text); size++) {
        for (step = 1; step <= sizeof(text); step++) {
            target_t target = { "", 0, 0, 0 };
            char buf[sizeof(text)];
            amgr_sink_t sink;

            amgr_sink_init(&sink, buf, size, take, &target);
            for (at = 0; at < sizeof(text) - 1; at += step) {
                apr_size_t left = sizeof(text) - 1 - at;

                amgr_sink_put(&sink, text + at, left < step ? left : step);
            }
            assert_int_equal(amgr_sink_finish(&sink), APR_SUCCESS);
            assert_string_equal(target.text, text);
            assert_int_equal(sink.total, sizeof(text) - 1);
        }
    }
}

static void test_first_error_stays(void **state)
{
    target_t target = { "", 0, 0, 2 };
    char buf[4];
    amgr_sink_t sink;

    (void)state; /* cmocka's signature */
    amgr_sink_init(&sink, buf, sizeof(buf), take, &target);
    amgr_sink_puts(&sink, "abcd");
    amgr_sink_puts(&sink, "efgh");
    amgr_sink_puts(&sink, "ijkl");
    amgr_sink_puts(&sink, "mnopqrstuvwxyz");
    amgr_sink_putc(&sink, '!');
    assert_int_equal(amgr_sink_finish(&sink), APR_EOF);
    assert_int_equal(amgr_sink_finish(&sink), APR_EOF);
    assert_int_equal(target.calls, 2);
    assert_string_equal(target.text, "abcd");
    assert_int_equal(sink.total, 27);
}

static void test_fixed(void **state)
{
    char buf[5] = "####";
    amgr_sink_t sink;

    (void)state; /* cmocka's signature */
    amgr_sink_init(&sink, buf, 4, NULL, NULL);
    amgr_sink_puts(&sink, "abc");
    amgr_sink_puts(&sink, "d");
    assert_int_equal(amgr_sink_finish(&sink), APR_SUCCESS);
    assert_int_equal(sink.used, 4);
    amgr_sink_puts(&sink, "");
    assert_int_equal(sink.status, APR_SUCCESS);
    amgr_sink_putc(&sink, 'e');
    assert_int_equal(amgr_sink_finish(&sink), APR_ENOSPC);
    assert_int_equal(sink.used, 4);
    assert_int_equal(sink.total, 5);
    assert_string_equal(buf, "abcd");
}

static void test_text(void **state)
{
    char buf[5] = "####";
    amgr_sink_t sink;

    (void)state; /* cmocka's signature */
    amgr_sink_init_text(&sink, buf, 4);
    assert_string_equal(buf, "");
    amgr_sink_puts(&sink, "ab");
    assert_string_equal(amgr_sink_text(&sink), "ab");
    amgr_sink_puts(&sink, "cd");
    assert_string_equal(amgr_sink_text(&sink), "abc");
    assert_int_equal(sink.status, APR_ENOSPC);
    buf[0] = '#';
    amgr_sink_init_text(&sink, buf, 0);
    amgr_sink_puts(&sink, "ab");
    amgr_sink_text(&sink);
    assert_int_equal(buf[0], '#');
    amgr_sink_init_text(&sink, buf, 1);
    amgr_sink_puts(&sink, "ab");
    assert_string_equal(amgr_sink_text(&sink), "");
}

static void test_numbers(void **state)
{
    char buf[128];
    amgr_sink_t sink;

    (void)state; /* cmocka's signature */
    amgr_sink_init_text(&sink, buf, sizeof(buf));
    amgr_sink_u64(&sink, 0);
    amgr_sink_putc(&sink, ' ');
    amgr_sink_u64(&sink, APR_UINT64_MAX);
    amgr_sink_putc(&sink, ' ');
    amgr_sink_i64(&sink, APR_INT64_MIN);
    amgr_sink_putc(&sink, ' ');
    amgr_sink_i64(&sink, APR_INT64_MAX);
    amgr_sink_putc(&sink, ' ');
    amgr_sink_i64(&sink, -1);
    assert_string_equal(amgr_sink_text(&sink),
                        "0 18446744073709551615 -9223372036854775808 "
                        "9223372036854775807 -1");
}

static void test_printf(void **state)
{
    target_t target = { "", 0, 0, 0 };
    char buf[16];
    amgr_sink_t sink;

    (void)state; /* cmocka's signature */
    amgr_sink_init(&sink, buf, sizeof(buf), take, &target);
    amgr_sink_printf(&sink, "%s-%d ", "worker", 42);
    amgr_sink_printf(&sink, "%2000d", 1);
    amgr_sink_puts(&sink, "|");
    assert_int_equal(amgr_sink_finish(&sink), APR_SUCCESS);
    assert_int_equal(target.len, 10 + 1023 + 1);
    assert_memory_equal(target.text, "worker-42 ", 10);
    assert_int_equal(target.text[target.len - 1], '|');
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_any_cut),
        cmocka_unit_test(test_first_error_stays),
        cmocka_unit_test(test_fixed),
        cmocka_unit_test(test_text),
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_printf)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
