/* SPDX-License-Identifier: Apache-2.0
 *
 * What the host of a URL means: addresses and localhost at once, a name once
 * in a run, and one that nobody knows within its time.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <apr_general.h>
#include <apr_time.h>

#include "base/clock.h"
#include "cli/local/local_address.h"

/* A second for the name, and what a busy machine takes besides. */
#define NAME_MOST_US (5 * APR_USEC_PER_SEC)

static int make_pool(void **state)
{
    return apr_pool_create((apr_pool_t **)state, NULL) == APR_SUCCESS ? 0 : -1;
}

static int destroy_pool(void **state)
{
    apr_pool_destroy(*state);
    return 0;
}

static void is_one(apr_pool_t *pool, const char *host, const char *address)
{
    const amgr_local_addresses_t *found = amgr_local_resolve(host, pool);

    assert_int_equal(found->count, 1);
    assert_string_equal(found->texts[0], address);
}

static void test_numbers(void **state)
{
    is_one(*state, "127.0.0.1", "127.0.0.1");
    is_one(*state, "192.0.2.7", "192.0.2.7");
    is_one(*state, "::1", "::1");
    is_one(*state, "2001:DB8::0:1", "2001:db8::1");
}

static void test_here(void **state)
{
    assert_true(amgr_local_server_is_here("localhost", *state));
    assert_true(amgr_local_server_is_here("LocalHost", *state));
    assert_true(amgr_local_server_is_here("127.8.9.1", *state));
    assert_true(amgr_local_server_is_here("::1", *state));
    assert_false(amgr_local_server_is_here("192.0.2.7", *state));
    assert_false(amgr_local_server_is_here("2001:db8::1", *state));
}

static void test_localhost(void **state)
{
    const amgr_local_addresses_t *found =
        amgr_local_resolve("localhost", *state);

    assert_int_equal(found->count, 2);
    assert_string_equal(found->texts[0], "127.0.0.1");
    assert_string_equal(found->texts[1], "::1");
}

/* Whether a name server denies it or none answers. */
static void test_unknown_name(void **state)
{
    apr_time_t begun_us = amgr_clock_monotonic_us();
    const amgr_local_addresses_t *found =
        amgr_local_resolve("nobody.invalid", *state);

    assert_int_equal(found->count, 0);
    assert_true(amgr_clock_monotonic_us() - begun_us < NAME_MOST_US);
    /* Not asked for again. */
    assert_ptr_equal(amgr_local_resolve("nobody.invalid", *state), found);
    assert_false(amgr_local_server_is_here("nobody.invalid", *state));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_numbers, make_pool, destroy_pool),
        cmocka_unit_test_setup_teardown(test_here, make_pool, destroy_pool),
        cmocka_unit_test_setup_teardown(test_localhost, make_pool,
                                        destroy_pool),
        cmocka_unit_test_setup_teardown(test_unknown_name, make_pool,
                                        destroy_pool),
    };

    return apr_initialize() == APR_SUCCESS
               ? cmocka_run_group_tests(tests, NULL, NULL)
               : 1;
}
