/* SPDX-License-Identifier: Apache-2.0
 *
 * For the tests only, by LD_PRELOAD and built with -fsanitize=thread: APR's
 * atomic operations, by which threads of httpd hand pools to each other.  In
 * libapr itself ThreadSanitizer does not see them, and would take memory that
 * two threads have one after the other for memory that they have at a time.
 */
#include <apr_atomic.h>

#define ORDER __ATOMIC_SEQ_CST

apr_uint32_t apr_atomic_read32(volatile apr_uint32_t *mem)
{
    return __atomic_load_n(mem, ORDER);
}

void apr_atomic_set32(volatile apr_uint32_t *mem, apr_uint32_t value)
{
    __atomic_store_n(mem, value, ORDER);
}

apr_uint32_t apr_atomic_add32(volatile apr_uint32_t *mem, apr_uint32_t value)
{
    return __atomic_fetch_add(mem, value, ORDER);
}

void apr_atomic_sub32(volatile apr_uint32_t *mem, apr_uint32_t value)
{
    __atomic_fetch_sub(mem, value, ORDER);
}

apr_uint32_t apr_atomic_inc32(volatile apr_uint32_t *mem)
{
    return __atomic_fetch_add(mem, 1, ORDER);
}

int apr_atomic_dec32(volatile apr_uint32_t *mem)
{
    return __atomic_sub_fetch(mem, 1, ORDER) != 0;
}

apr_uint32_t apr_atomic_cas32(volatile apr_uint32_t *mem, apr_uint32_t with,
                              apr_uint32_t expected)
{
    __atomic_compare_exchange_n(mem, &expected, with, 0, ORDER, ORDER);
    return expected;
}

apr_uint32_t apr_atomic_xchg32(volatile apr_uint32_t *mem, apr_uint32_t value)
{
    return __atomic_exchange_n(mem, value, ORDER);
}

void *apr_atomic_casptr(volatile void **mem, void *with, const void *expected)
{
    volatile void *found = (volatile void *)expected;

    __atomic_compare_exchange_n(mem, &found, with, 0, ORDER, ORDER);
    return (void *)found;
}

void *apr_atomic_xchgptr(volatile void **mem, void *with)
{
    return (void *)__atomic_exchange_n(mem, with, ORDER);
}
