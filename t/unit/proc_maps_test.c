/* SPDX-License-Identifier: Apache-2.0
 *
 * What is mapped at an address, and what stands there: lines of maps, and this
 * very process.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/clock.h"
#include "proc/proc_maps.h"

static void test_lines(void **state)
{
    static const struct {
        const char *line;
        apr_uint64_t start;
        int is_shared;
        const char *name; /* NULL: an error */
    } cases[] = {
        { "7f20-7f21 rw-s 00000000 00:01 1042   /dev/zero (deleted)", 0x7f20,
          1, "/dev/zero (deleted)" },
        { "7f20-7f21 r-xp 00028000 fe:00 54   /usr/lib/libc.so.6", 0x7f20, 0,
          "/usr/lib/libc.so.6" },
        { "7ffd5000-7ffd6000 rw-p 00000000 00:00 0 ", 0x7ffd5000, 0, "" },
        { "7ffd5000-7ffd6000 rw-p 00000000 00:00 0", 0x7ffd5000, 0, "" },
        { "ffffffffff600000-ffffffffff601000 --xp 0 00:00 0   [vsyscall]",
          APR_UINT64_C(0xffffffffff600000), 0, "[vsyscall]" },
        { "10-20 rw-s 0 00:01 7   /SYSV00000000 a\\012b", 0x10, 1,
          "/SYSV00000000 a\\012b" },
        { "", 0, 0, NULL },
        { "7f20", 0, 0, NULL },
        { "7f20-", 0, 0, NULL },
        { "7f20-7f20 rw-s 0 00:01 7", 0, 0, NULL },
        { "7f21-7f20 rw-s 0 00:01 7", 0, 0, NULL },
        { "7f20-7f21 rw-", 0, 0, NULL },
        { "7f20-7f21 rw-x 0 00:01 7", 0, 0, NULL },
        { "7f20-7f21 rw-s 0 00:01", 0, 0, NULL },
        { "7f20-10000000000000000 rw-s 0 00:01 7", 0, 0, NULL },
        { " 7f20-7f21 rw-s 0 00:01 7", 0, 0, NULL },
    };
    amgr_proc_mapping_t mapping;
    size_t i;

    (void)state; /* cmocka's signature */
    for (i = 0; i < AMGR_COUNT(cases); i++) {
        memset(&mapping, 0x5a, sizeof(mapping));
        assert_int_equal(amgr_proc_parse_mapping(cases[i].line,
                                                 strlen(cases[i].line),
                                                 &mapping),
                         cases[i].name == NULL ? APR_EGENERAL : APR_SUCCESS);
        if (cases[i].name == NULL) {
            assert_int_equal(mapping.is_shared, 0x5a5a5a5a);
            continue;
        }
        assert_true(mapping.start == cases[i].start);
        assert_int_equal(mapping.is_shared, cases[i].is_shared);
        assert_string_equal(mapping.name, cases[i].name);
    }
}

static void test_real(void **state)
{
    amgr_proc_budget_t budget = { 1 << 20, APR_INT64_MAX };
    amgr_proc_dir_t dir;
    amgr_proc_mapping_t mapping;
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    apr_uint64_t at;
    char read[8];
    char *memory;
    int fd = memfd_create("amgr maps", MFD_CLOEXEC);

    (void)state; /* cmocka's signature */
    assert_true(fd >= 0);
    assert_int_equal(ftruncate(fd, (off_t)page), 0);
    memory = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    assert_ptr_not_equal(memory, MAP_FAILED);
    memcpy(memory + page - 8, "the end", 8);
    at = (apr_uint64_t)(uintptr_t)memory;
    assert_int_equal(amgr_proc_dir_open(&dir, "/proc"), APR_SUCCESS);
    assert_int_equal(amgr_proc_find_mapping(&dir, getpid(), at + page - 1,
                                            &budget, &mapping), APR_SUCCESS);
    assert_true(mapping.start <= at && mapping.end >= at + page);
    assert_int_equal(mapping.is_shared, 1);
    assert_string_equal(mapping.name, "/memfd:amgr maps (deleted)");
    assert_int_equal(amgr_proc_read_memory(&dir, getpid(), at + page - 8, read,
                                           sizeof(read)), APR_SUCCESS);
    assert_string_equal(read, "the end");
    /* Nothing is mapped at the bottom, nor belongs to us at the top. */
    assert_int_equal(amgr_proc_find_mapping(&dir, getpid(), 1, &budget,
                                            &mapping), APR_NOTFOUND);
    assert_int_equal(amgr_proc_read_memory(&dir, getpid(), 1, read,
                                           sizeof(read)), APR_NOTFOUND);
    assert_int_equal(amgr_proc_read_memory(&dir, getpid(), APR_UINT64_MAX - 3,
                                           read, sizeof(read)), APR_NOTFOUND);
    budget.mono_us = amgr_clock_monotonic_us();
    assert_int_equal(amgr_proc_find_mapping(&dir, getpid(), at, &budget,
                                            &mapping), APR_TIMEUP);
    assert_int_equal(amgr_proc_find_mapping(&dir, 0, at, &budget, &mapping),
                     APR_NOTFOUND);
    amgr_proc_dir_close(&dir);
    munmap(memory, page);
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lines),
        cmocka_unit_test(test_real),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
