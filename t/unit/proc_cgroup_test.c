/* SPDX-License-Identifier: Apache-2.0
 *
 * How much memory a process may have: the parsers with hostile bytes, and
 * whole trees of both versions of cgroups.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "scratch.h"

#include "proc/proc_cgroup.h"

#define GB (APR_UINT64_C(1) << 30)

/* A copy of just that size, so that a read beyond it is seen. */
static char *exact(const char *text)
{
    size_t len = strlen(text);
    char *copy = malloc(len + (len == 0));

    assert_non_null(copy);
    memcpy(copy, text, len);
    return copy;
}

static void meminfo(void **state)
{
    static const struct {
        const char *text;
        apr_uint64_t bytes; /* AMGR_UNKNOWN: an error */
        apr_uint64_t available;
    } cases[] = {
        {"MemTotal:        8388608 kB\nMemFree: 5 kB\n", 8 * GB, AMGR_UNKNOWN},
        {"MemTotal: 8388608 kB\nMemFree: 5 kB\nMemAvailable: 7 kB\n", 8 * GB,
         7168},
        {"MemAvailable: 0 kB\nMemTotal: 2 kB", 2048, 0},
        {"MemTotal: 2 kB\nMemAvailable: 7 MB\n", 2048, AMGR_UNKNOWN},
        {"MemTotal: 2 kB\nMemAvailable: x kB\n", 2048, AMGR_UNKNOWN},
        {"MemTotal: 2 kB\nMemAvailable", 2048, AMGR_UNKNOWN},
        {"Hugepages: 1\nMemTotal:\t1 kB\n", 1024, AMGR_UNKNOWN},
        {"MemTotal: 0 kB", 0, AMGR_UNKNOWN},
        {"", AMGR_UNKNOWN, 77},
        {"MemAvailable: 7 kB\n", AMGR_UNKNOWN, 77},
        {"MemTotal: 8388608\n", AMGR_UNKNOWN, 77},
        {"MemTotal: 8388608 MB\n", AMGR_UNKNOWN, 77},
        {"MemTotal: -1 kB\n", AMGR_UNKNOWN, 77},
        {"MemTotal: 1x kB\n", AMGR_UNKNOWN, 77},
        {"MemTotal: 18446744073709551615 kB\n", AMGR_UNKNOWN, 77},
        {"XMemTotal: 1 kB\n", AMGR_UNKNOWN, 77},
        {"MemTotal\n", AMGR_UNKNOWN, 77},
    };
    size_t i;

    (void)state; /* cmocka's signature */
    for (i = 0; i < AMGR_COUNT(cases); i++) {
        char *text = exact(cases[i].text);
        apr_uint64_t bytes = 77;
        apr_uint64_t available = 77;
        apr_status_t rv = amgr_proc_parse_meminfo(text, strlen(cases[i].text),
                                                  &bytes, &available);

        assert_int_equal(available, cases[i].available);
        if (cases[i].bytes == AMGR_UNKNOWN) {
            assert_int_equal(rv, APR_EGENERAL);
            assert_int_equal(bytes, 77);
        }
        else {
            assert_int_equal(rv, APR_SUCCESS);
            assert_int_equal(bytes, cases[i].bytes);
        }
        free(text);
    }
}

static void own_cgroup(void **state)
{
    static const struct {
        const char *text;
        int version; /* 0: not found */
        const char *path;
    } cases[] = {
        {"0::/\n", 2, "/"},
        {"0::/a.slice/b.service\n", 2, "/a.slice/b.service"},
        {"0::/a:b\n", 2, "/a:b"},
        {"4:memory:/m\n0::/u\n", 1, "/m"},
        {"0::/u\n4:cpu,memory,pids:/m\n", 1, "/m"},
        {"4:memoryx,xmemory:/m\n0::/u", 2, "/u"},
        {"9:name=memory:/m\n", 0, NULL},
        {"", 0, NULL},
        {"\n", 0, NULL},
        {"0::\n", 0, NULL},
        {"0::relative\n", 0, NULL},
        {"0:", 0, NULL},
        {"4:memory:\n0::/u\n", 0, NULL},
        {"0::/a-path-that-is-too-long\n", 0, NULL},
    };
    size_t i;

    (void)state; /* cmocka's signature */
    for (i = 0; i < AMGR_COUNT(cases); i++) {
        char *text = exact(cases[i].text);
        char path[20] = "as it was";
        int version = 77;
        apr_status_t rv = amgr_proc_parse_cgroup(text, strlen(cases[i].text),
                                                 &version, path, sizeof(path));

        if (cases[i].version == 0) {
            assert_int_equal(rv, APR_NOTFOUND);
            assert_int_equal(version, 77);
            assert_string_equal(path, "as it was");
        }
        else {
            assert_int_equal(rv, APR_SUCCESS);
            assert_int_equal(version, cases[i].version);
            assert_string_equal(path, cases[i].path);
        }
        free(text);
    }
}

static void mounts(void **state)
{
    static const struct {
        const char *text;
        int version;
        const char *root; /* NULL: none of ours */
        const char *point;
    } cases[] = {
        {"30 22 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw", 2, "/",
         "/sys/fs/cgroup"},
        {"30 22 0:26 /a /b rw shared:9 master:1 - cgroup2 x rw", 2, "/a", "/b"},
        {"35 31 0:32 / /m rw - cgroup cgroup rw,memory", 1, "/", "/m"},
        {"35 31 0:32 / /m rw - cgroup cgroup rw,memory,cpu", 1, "/", "/m"},
        {"35 31 0:32 / /m rw - cgroup cgroup rw,cpu", 1, NULL, NULL},
        {"35 31 0:32 / /m rw - cgroup cgroup rw,memory", 2, NULL, NULL},
        {"35 31 0:32 / /m rw - cgroup2 cgroup rw,memory", 1, NULL, NULL},
        {"35 31 0:32 / /m\\040\\011\\134x rw - cgroup2 c rw", 2, "/",
         "/m \t\\x"},
        {"35 31 0:32 / /m\\04 rw - cgroup2 c rw", 2, NULL, NULL},
        {"35 31 0:32 / /m\\000 rw - cgroup2 c rw", 2, NULL, NULL},
        {"35 31 0:32 / /m\\890 rw - cgroup2 c rw", 2, NULL, NULL},
        {"35 31 0:32 / /m rw cgroup2 c rw", 2, NULL, NULL},
        {"35 31 0:32 / /m rw - cgroup2", 2, NULL, NULL},
        {"35 31 0:32 / m rw - cgroup2 c rw", 2, NULL, NULL},
        {"35 31 0:32 /../.. /m rw - cgroup2 c rw", 2, "/../..", "/m"},
        {"", 2, NULL, NULL},
    };
    size_t i;

    (void)state; /* cmocka's signature */
    for (i = 0; i < AMGR_COUNT(cases); i++) {
        char *text = exact(cases[i].text);
        amgr_proc_mount_t mount;
        apr_status_t rv;

        memset(&mount, 0x5a, sizeof(mount));
        rv = amgr_proc_parse_mount(text, strlen(cases[i].text),
                                   cases[i].version, &mount);
        if (cases[i].root == NULL) {
            assert_int_equal(rv, APR_NOTFOUND);
            assert_int_equal(mount.point[0], 0x5a);
        }
        else {
            assert_int_equal(rv, APR_SUCCESS);
            assert_int_equal(mount.version, cases[i].version);
            assert_string_equal(mount.root, cases[i].root);
            assert_string_equal(mount.point, cases[i].point);
        }
        free(text);
    }
}

static void limits_of_cgroups(void **state)
{
    static const struct {
        const char *text;
        apr_status_t rv;
        apr_uint64_t bytes;
    } cases[] = {
        {"max\n", APR_SUCCESS, AMGR_UNKNOWN},
        {"max", APR_SUCCESS, AMGR_UNKNOWN},
        {"536870912\n", APR_SUCCESS, 536870912},
        {"0\n", APR_SUCCESS, 0},
        {"9223372036854771712\n", APR_SUCCESS, AMGR_UNKNOWN},
        {"1152921504606846975\n", APR_SUCCESS, (APR_UINT64_C(1) << 60) - 1},
        {"1152921504606846976\n", APR_SUCCESS, AMGR_UNKNOWN},
        {"", APR_EGENERAL, 77},
        {"\n", APR_EGENERAL, 77},
        {"-1\n", APR_EGENERAL, 77},
        {"5\n\n", APR_EGENERAL, 77},
        {"maximum\n", APR_EGENERAL, 77},
        {"99999999999999999999\n", APR_EGENERAL, 77},
    };
    size_t i;

    (void)state; /* cmocka's signature */
    for (i = 0; i < AMGR_COUNT(cases); i++) {
        char *text = exact(cases[i].text);
        apr_uint64_t bytes = 77;

        assert_int_equal(
            amgr_proc_parse_cgroup_limit(text, strlen(cases[i].text), &bytes),
            cases[i].rv);
        assert_int_equal(bytes, cases[i].bytes);
        free(text);
    }
}

static apr_status_t read_tree(const char *tree, amgr_proc_mount_t *mount,
                              amgr_proc_capacity_t *out)
{
    amgr_proc_dir_t dir;
    char path[300];
    apr_status_t rv;

    snprintf(path, sizeof(path), "%s/proc", tree);
    assert_int_equal(amgr_proc_dir_open(&dir, path), APR_SUCCESS);
    rv = amgr_proc_read_capacity(&dir, 42, tree, mount, out);
    amgr_proc_dir_close(&dir);
    return rv;
}

static void whole_trees(void **state)
{
    static const struct {
        const char *tree;
        apr_uint64_t bytes;
        int limited;
        int version;
        apr_uint64_t limit;
        apr_uint64_t used; /* of the cgroup that has the limit */
        apr_uint64_t available;
    } cases[] = {
        {"v2", 4 * GB, 1, 2, 4 * GB, 300000000, 2 * GB},
        {"container", GB / 2, 1, 2, GB / 2, 536870911, AMGR_UNKNOWN},
        {"v1", GB, 1, 1, GB, 600000000, 2 * GB},
        /* and not in mountinfo */
        {"wide", 8 * GB, 0, 2, 99999999999, AMGR_UNKNOWN, 2 * GB},
    };
    size_t i;

    (void)state; /* cmocka's signature */
    for (i = 0; i < AMGR_COUNT(cases); i++) {
        const char *root = getenv("AMGR_SRCDIR");
        amgr_proc_mount_t mount;
        amgr_proc_capacity_t capacity;
        char tree[200];
        int again;

        snprintf(tree, sizeof(tree), "%s/t/unit/fixtures/cgroup/%s",
                 root == NULL ? "." : root, cases[i].tree);
        memset(&mount, 0, sizeof(mount));
        for (again = 0; again < 2; again++) {
            assert_int_equal(read_tree(tree, &mount, &capacity), APR_SUCCESS);
            assert_int_equal(capacity.bytes, cases[i].bytes);
            assert_int_equal(capacity.limited, cases[i].limited);
            assert_int_equal(capacity.machine_bytes, 8 * GB);
            assert_int_equal(capacity.available_bytes, cases[i].available);
            assert_int_equal(capacity.cgroup_limit_bytes, cases[i].limit);
            assert_int_equal(capacity.cgroup_used_bytes, cases[i].used);
            assert_int_equal(mount.version, cases[i].version);
        }
    }
}

/* A tree of its own. */
static void make_tree(char tree[SCRATCH_SIZE])
{
    char path[300];

    assert_int_equal(scratch_make(tree, 0700), 0);
    snprintf(path, sizeof(path), "%s/proc", tree);
    assert_int_equal(mkdir(path, 0700), 0);
    snprintf(path, sizeof(path), "%s/proc/42", tree);
    assert_int_equal(mkdir(path, 0700), 0);
}

static void put_file(const char *tree, const char *name, const char *text)
{
    char path[300];
    FILE *file;

    snprintf(path, sizeof(path), "%s/%s", tree, name);
    file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, strlen(text), file), strlen(text));
    assert_int_equal(fclose(file), 0);
}

static void drop_tree(const char *tree)
{
    static const char *const names[] = {
        "proc/42/cgroup", "proc/42/mountinfo", "proc/meminfo", "memory.max",
        "memory.current", "proc/42",           "proc",         ""};
    char path[300];
    size_t i;

    for (i = 0; i < AMGR_COUNT(names); i++) {
        snprintf(path, sizeof(path), "%s/%s", tree, names[i]);
        assert_int_equal(remove(path), 0);
    }
}

/* Thousands of mounts, some with lines longer than any buffer, before ours;
 * and a path that leads out of what is mounted. */
static void a_long_list_of_mounts(void **state)
{
    static char text[400000];
    amgr_proc_mount_t mount;
    amgr_proc_capacity_t capacity;
    char tree[SCRATCH_SIZE];
    size_t used = 0;
    int i;

    (void)state; /* cmocka's signature */
    make_tree(tree);
    for (i = 0; i < 3000; i++) {
        int options = i % 500 == 7 ? 4096 + i : i % 70;

        used += (size_t)snprintf(text + used, sizeof(text) - used,
                                 "%d 1 0:9 / /m%d rw - overlay o rw,%0*d\n", i,
                                 i, options, 1);
        assert_true(used < sizeof(text) - 10000);
    }
    /* The end of a long line that looks like ours. */
    used +=
        (size_t)snprintf(text + used, sizeof(text) - used,
                         "%0*d 9 0:9 / /forged rw - cgroup2 c rw\n", 5000, 1);
    snprintf(text + used, sizeof(text) - used,
             "3001 1 0:9 / / rw - cgroup2 c rw\n");
    put_file(tree, "proc/42/mountinfo", text);
    put_file(tree, "proc/42/cgroup", "0::/../../etc\n");
    put_file(tree, "proc/meminfo", "MemTotal: 2097152 kB\n");
    put_file(tree, "memory.max", "1073741824\n");
    put_file(tree, "memory.current", "5\n");
    memset(&mount, 0, sizeof(mount));
    assert_int_equal(read_tree(tree, &mount, &capacity), APR_SUCCESS);
    assert_string_equal(mount.point, "/");
    assert_int_equal(capacity.bytes, GB);
    assert_int_equal(capacity.limited, 1);
    assert_int_equal(capacity.cgroup_used_bytes, 5);
    put_file(tree, "memory.max", "nonsense\n");
    assert_int_equal(read_tree(tree, &mount, &capacity), APR_SUCCESS);
    assert_int_equal(capacity.bytes, 2 * GB);
    assert_int_equal(capacity.limited, 0);
    assert_int_equal(capacity.cgroup_limit_bytes, AMGR_UNKNOWN);
    assert_int_equal(capacity.cgroup_used_bytes, AMGR_UNKNOWN);
    put_file(tree, "proc/meminfo", "nonsense\n");
    put_file(tree, "memory.max", "1073741824\n");
    assert_int_equal(read_tree(tree, &mount, &capacity), APR_SUCCESS);
    assert_int_equal(capacity.bytes, GB);
    assert_int_equal(capacity.limited, 1);
    assert_int_equal(capacity.machine_bytes, AMGR_UNKNOWN);
    assert_int_equal(capacity.available_bytes, AMGR_UNKNOWN);
    put_file(tree, "memory.max", "max\n");
    memset(&capacity, 0x5a, sizeof(capacity));
    assert_int_equal(read_tree(tree, &mount, &capacity), APR_EGENERAL);
    assert_int_equal(capacity.limited, 0x5a5a5a5a);
    drop_tree(tree);
}

/* What says where they are mounted cannot be read at the first look alone. */
static void a_mount_that_is_found_later(void **state)
{
    amgr_proc_mount_t mount;
    amgr_proc_capacity_t capacity;
    char tree[SCRATCH_SIZE];
    char path[SCRATCH_SIZE + 32];

    (void)state; /* cmocka's signature */
    make_tree(tree);
    put_file(tree, "proc/42/cgroup", "0::/\n");
    put_file(tree, "proc/meminfo", "MemTotal: 2097152 kB\n");
    put_file(tree, "memory.max", "1073741824\n");
    put_file(tree, "memory.current", "5\n");
    snprintf(path, sizeof(path), "%s/proc/42/mountinfo", tree);
    assert_int_equal(symlink(path, path), 0); /* ELOOP */
    memset(&mount, 0, sizeof(mount));
    assert_int_equal(read_tree(tree, &mount, &capacity), APR_SUCCESS);
    assert_int_equal(capacity.bytes, 2 * GB);
    assert_int_equal(unlink(path), 0);
    put_file(tree, "proc/42/mountinfo", "1 1 0:9 / / rw - cgroup2 c rw\n");
    assert_int_equal(read_tree(tree, &mount, &capacity), APR_SUCCESS);
    assert_int_equal(capacity.bytes, GB);
    drop_tree(tree);
}

static void this_very_machine(void **state)
{
    amgr_proc_dir_t dir;
    amgr_proc_mount_t mount;
    amgr_proc_capacity_t capacity;

    (void)state; /* cmocka's signature */
    memset(&mount, 0, sizeof(mount));
    assert_int_equal(amgr_proc_dir_open(&dir, "/proc"), APR_SUCCESS);
    assert_int_equal(
        amgr_proc_read_capacity(&dir, getpid(), "", &mount, &capacity),
        APR_SUCCESS);
    amgr_proc_dir_close(&dir);
    assert_true(capacity.bytes > 1024 * 1024);
    assert_true(capacity.bytes <= capacity.machine_bytes);
    assert_true(capacity.available_bytes > 0);
    assert_true(capacity.available_bytes <= capacity.machine_bytes);
    assert_true(capacity.bytes <= (apr_uint64_t)sysconf(_SC_PHYS_PAGES) *
                                      (apr_uint64_t)sysconf(_SC_PAGESIZE));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(meminfo),
        cmocka_unit_test(own_cgroup),
        cmocka_unit_test(mounts),
        cmocka_unit_test(limits_of_cgroups),
        cmocka_unit_test(whole_trees),
        cmocka_unit_test(a_long_list_of_mounts),
        cmocka_unit_test(a_mount_that_is_found_later),
        cmocka_unit_test(this_very_machine),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
