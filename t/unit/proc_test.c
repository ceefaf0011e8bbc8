/* SPDX-License-Identifier: Apache-2.0
 *
 * The pure parsers of /proc, hostile bytes first.  Every case also runs cut at
 * every length in a buffer of exactly that size, for the address sanitizer,
 * and a failing parse must leave its output as it was.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "proc/proc.h"

#define TAIL " 1 8 8 0 -1 64 1 2 3 4 17 18 -1 -2 20 0 5 0 4242 8192 3 9\n"

static apr_uint64_t page;

typedef struct stat_case_t {
    const char *text;
    const char *comm; /**< NULL: an error */
} stat_case_t;

static const stat_case_t stats[] = {
    { "", NULL },
    { "8", NULL },
    { "8 (", NULL },
    { "8 (a", NULL },
    { "8 (a)", NULL },
    { "8 (a) ", NULL },
    { "8 (a) S", NULL },
    { "x (a) S" TAIL, NULL },
    { "-8 (a) S" TAIL, NULL },
    { "0 (a) S" TAIL, NULL },
    { "2147483648 (a) S" TAIL, NULL },
    { "4294967304 (a) S" TAIL, NULL },
    { "18446744073709551624 (a) S" TAIL, NULL },
    { "8(a) S" TAIL, NULL },
    { "8 a S" TAIL, NULL },
    { "8 (a)S" TAIL, NULL },
    { "8 (a) 5" TAIL, NULL },
    { "8 (a) SS" TAIL, NULL },
    { "8 (a)  S" TAIL, NULL },
    /* parent: below 0, over 31 bits */
    { "8 (a) S -1 8 8 0 -1 64 1 2 3 4 17 18 0 0 20 0 5 0 42 81 3 9\n", NULL },
    { "8 (a) S 2147483648 8 8 0 -1 64 1 2 3 4 17 18 0 0 20 0 5 0 42 81 3 9\n",
      NULL },
    /* flags over 32 bits, user time below 0 */
    { "8 (a) S 1 8 8 0 -1 4294967296 1 2 3 4 17 18 0 0 20 0 5 0 42 81 3 9\n",
      NULL },
    { "8 (a) S 1 8 8 0 -1 64 1 2 3 4 -17 18 0 0 20 0 5 0 42 81 3 9\n", NULL },
    /* threads, start, vsize, rss below 0; rss in bytes over 64 bits */
    { "8 (a) S 1 8 8 0 -1 64 1 2 3 4 17 18 0 0 20 0 -5 0 42 81 3 9\n", NULL },
    { "8 (a) S 1 8 8 0 -1 64 1 2 3 4 17 18 0 0 20 0 5 0 -42 81 3 9\n", NULL },
    { "8 (a) S 1 8 8 0 -1 64 1 2 3 4 17 18 0 0 20 0 5 0 42 -8 3 9\n", NULL },
    { "8 (a) S 1 8 8 0 -1 64 1 2 3 4 17 18 0 0 20 0 5 0 42 8 -3 9\n", NULL },
    { "8 (a) S 1 8 8 0 -1 64 1 2 3 4 17 18 0 0 20 0 5 0 42 81 "
      "9223372036854775807 9\n", NULL },
    { "8 (a) S 1 8 8 0 -1 64 1 2 3 4 17 18 0 0 20 0 5 0 "
      "9223372036854775808 81 3 9\n", NULL },
    { "8 (a) S 1 8 8 0 -1 64 1 2 3 4 17 18 0 0 20 0 5 0 42 81 3", NULL },
    { "8 (a) S 1 8 8 0 -1 64 1 2 3 4 17 18 0 0 20 0 5 0 42 81 3x", NULL },
    { "8 (a) S 1 8 8 0 -1 64 1 2 3 4 17 18 0 0 20 0 5 0 42 81 \n", NULL },
    { "8 (a) S 1 8 8 0 - 64 1 2 3 4 17 18 0 0 20 0 5 0 42 81 3 9\n", NULL },
    /* A comm that looks like the rest ends at the last parenthesis, so one
     * after the numbers leaves nothing to parse. */
    { "8 (a) S" TAIL ")", NULL },
    { "8 (a) S" TAIL, "a" },
    { "8 () S" TAIL, "" },
    { "8 (apache2) S" TAIL, "apache2" },
    { "8 (foo) Z 1 () S" TAIL, "foo) Z 1 (" },
    { "8 (a) Z 1 8) S" TAIL, "a) Z 1 8" },
    { "8 (\n9 (x) R 2\n) S" TAIL, "\n9 (x) R 2\n" },
    { "8 ())))(((() S" TAIL, "))))((((" },
    { "8 (\xff\x01 \x1b) S" TAIL, "\xff\x01 \x1b" },
    { "8 (0123456789012345678901234567890123456789012345678901234567890123456"
      ") S" TAIL,
      "012345678901234567890123456789012345678901234567890123456789012" }
};

static void test_stat(void **state)
{
    apr_size_t i;

    (void)state; /* cmocka's signature */
    for (i = 0; i < AMGR_COUNT(stats); i++) {
        amgr_proc_stat_t before;
        amgr_proc_stat_t out;
        apr_status_t rv;

        memset(&before, 0x5a, sizeof(before));
        out = before;
        rv = amgr_proc_parse_stat(stats[i].text, strlen(stats[i].text), &out);
        if (stats[i].comm == NULL) {
            if (rv != APR_EGENERAL) {
                fail_msg("accepted: %s", stats[i].text);
            }
            assert_memory_equal(&out, &before, sizeof(out));
            continue;
        }
        assert_int_equal(rv, APR_SUCCESS);
        assert_string_equal(out.comm, stats[i].comm);
        assert_int_equal(out.pid, 8);
        assert_int_equal(out.state, 'S');
        assert_int_equal(out.ppid, 1);
        assert_int_equal(out.pgrp, 8);
        assert_int_equal(out.session, 8);
        assert_int_equal(out.flags, AMGR_PROC_FORKED_NO_EXEC);
        assert_int_equal(out.user_ticks, 17);
        assert_int_equal(out.system_ticks, 18);
        assert_int_equal(out.threads, 5);
        assert_int_equal(out.start_ticks, 4242);
        assert_int_equal(out.vsize_bytes, 8192);
        assert_int_equal(out.rss_bytes, 3 * page);
    }
}

/* While a process is being reaped its group and session are gone already. */
static void test_stat_reaped(void **state)
{
    static const char text[] = "8 (a) X 0 -1 -1 0 -1 64 0 0 0 0 0 0 0 0 20 0 "
                               "0 0 42 0 0 9\n";
    amgr_proc_stat_t out;

    (void)state; /* cmocka's signature */
    assert_int_equal(amgr_proc_parse_stat(text, sizeof(text) - 1, &out),
                     APR_SUCCESS);
    assert_int_equal(out.pgrp, -1);
    assert_int_equal(out.session, -1);
    assert_int_equal(out.threads, 0);
}

typedef struct statm_case_t {
    const char *text;
    int ok;
} statm_case_t;

static void test_statm(void **state)
{
    static const statm_case_t cases[] = {
        { "", 0 },
        { "\n", 0 },
        { "1 2 3 4 5 6", 0 },
        { "1 2 3 4 5 6\n", 0 },
        { "1 2 3 4 5 6 ", 0 },
        { "1 2 3 4 5 6 7 8\n", 0 },
        { "1 2 3 4 5 6 7\n\n", 0 },
        { "1 2 3 4 5 6 7 \n", 0 },
        { " 1 2 3 4 5 6 7\n", 0 },
        { "1  2 3 4 5 6 7\n", 0 },
        { "1 -2 3 4 5 6 7\n", 0 },
        { "1 +2 3 4 5 6 7\n", 0 },
        { "1 0x2 3 4 5 6 7\n", 0 },
        { "1 2.0 3 4 5 6 7\n", 0 },
        { "1 18446744073709551616 3 4 5 6 7\n", 0 },
        { "1 18446744073709551615 3 4 5 6 7\n", 0 }, /* times the page */
        { "1 2 3 4 5 6 7\n", 1 },
        { "1 2 3 4 5 6 7", 1 }
    };
    apr_size_t i;

    (void)state; /* cmocka's signature */
    for (i = 0; i < AMGR_COUNT(cases); i++) {
        amgr_proc_statm_t out = { 91, 92, 93, 94 };
        apr_status_t rv = amgr_proc_parse_statm(
            cases[i].text, strlen(cases[i].text), &out);

        assert_int_equal(rv, cases[i].ok ? APR_SUCCESS : APR_EGENERAL);
        assert_int_equal(out.size_bytes, cases[i].ok ? page : 91);
        assert_int_equal(out.rss_bytes, cases[i].ok ? 2 * page : 92);
        assert_int_equal(out.shared_bytes, cases[i].ok ? 3 * page : 93);
        assert_int_equal(out.data_bytes, cases[i].ok ? 6 * page : 94);
    }
}

#define IDS "Uid:\t1\t2\t3\t4\nGid:\t5\t6\t7\t4294967295\n"

typedef struct status_case_t {
    const char *text;
    apr_status_t rv;
    apr_uint64_t rss_bytes;
    apr_uint64_t anon_bytes;
    apr_uint64_t swap_bytes;
    int threads;
} status_case_t;

static void test_status(void **state)
{
    static const status_case_t cases[] = {
        { "", APR_EGENERAL, 0, 0, 0, 0 },
        { "Name:\ta\n", APR_EGENERAL, 0, 0, 0, 0 },
        { "Uid:\t1\t2\t3\t4\n", APR_EGENERAL, 0, 0, 0, 0 },
        { "Uid:\t1\t2\t3\nGid:\t5\t6\t7\t8\n", APR_EGENERAL, 0, 0, 0, 0 },
        { "Uid:\t1\t2\t3\t4\t5\nGid:\t5\t6\t7\t8\n", APR_EGENERAL, 0, 0, 0,
          0 },
        { "Uid:\t1\t2\t3\t4294967296\nGid:\t5\t6\t7\t8\n", APR_EGENERAL, 0, 0,
          0, 0 },
        { "Uid:\t1\t2\t3\t-1\nGid:\t5\t6\t7\t8\n", APR_EGENERAL, 0, 0, 0, 0 },
        { IDS "no colon\n", APR_EGENERAL, 0, 0, 0, 0 },
        { IDS ": nothing\n", APR_EGENERAL, 0, 0, 0, 0 },
        { IDS "\n", APR_EGENERAL, 0, 0, 0, 0 },
        { IDS IDS, APR_EGENERAL, 0, 0, 0, 0 },
        { IDS "VmRSS: 1 kB\nVmRSS: 2 kB\n", APR_EGENERAL, 0, 0, 0, 0 },
        { IDS "VmRSS: 1\n", APR_EGENERAL, 0, 0, 0, 0 },
        { IDS "VmRSS: 1 MB\n", APR_EGENERAL, 0, 0, 0, 0 },
        { IDS "VmRSS: 1 kBs\n", APR_EGENERAL, 0, 0, 0, 0 },
        { IDS "VmRSS: -1 kB\n", APR_EGENERAL, 0, 0, 0, 0 },
        { IDS "VmRSS: kB\n", APR_EGENERAL, 0, 0, 0, 0 },
        { IDS "VmRSS: 18014398509481984 kB\n", APR_EGENERAL, 0, 0, 0, 0 },
        { IDS "Threads: 1x\n", APR_EGENERAL, 0, 0, 0, 0 },
        { IDS "Threads: 2147483648\n", APR_EGENERAL, 0, 0, 0, 0 },
        { IDS "Threads: 1\nThreads: 1\n", APR_EGENERAL, 0, 0, 0, 0 },
        { IDS, APR_SUCCESS, AMGR_UNKNOWN, AMGR_UNKNOWN, AMGR_UNKNOWN, 0 },
        { IDS "Threads:\t7\n", APR_SUCCESS, AMGR_UNKNOWN, AMGR_UNKNOWN,
          AMGR_UNKNOWN, 7 },
        { IDS "VmRSS:\t  12 kB\nRssAnon:\t 4 kB\nVmSwap:\t0 kB\nNew:\n",
          APR_SUCCESS, 12288, 4096, 0, 0 },
        { IDS "VmRSS:\t  12 kB\nVmSwap:\t 12", APR_SUCCESS, 12288,
          AMGR_UNKNOWN, AMGR_UNKNOWN, 0 }
    };
    apr_size_t i;

    (void)state; /* cmocka's signature */
    for (i = 0; i < AMGR_COUNT(cases); i++) {
        amgr_proc_status_t before;
        amgr_proc_status_t out;

        memset(&before, 0x5a, sizeof(before));
        out = before;
        if (amgr_proc_parse_status(cases[i].text, strlen(cases[i].text),
                                   &out) != cases[i].rv) {
            fail_msg("status: %s", cases[i].text);
        }
        if (cases[i].rv != APR_SUCCESS) {
            assert_memory_equal(&out, &before, sizeof(out));
            continue;
        }
        assert_int_equal(out.uid[0], 1);
        assert_int_equal(out.uid[3], 4);
        assert_int_equal(out.gid[0], 5);
        assert_int_equal(out.gid[3], 4294967295u);
        assert_int_equal(out.threads, cases[i].threads);
        assert_int_equal(out.rss_bytes, cases[i].rss_bytes);
        assert_int_equal(out.anon_bytes, cases[i].anon_bytes);
        assert_int_equal(out.swap_bytes, cases[i].swap_bytes);
    }
}

#define ROLLUP "55d0-7ffd ---p 00000000 00:00 0    [rollup]\n"

static void test_smaps(void **state)
{
    static const char *const bad[] = {
        "", ROLLUP, "Pss: 1 kB\n", ROLLUP "Rss: x kB\n", ROLLUP ROLLUP,
        ROLLUP "Rss: 1 kB\nRss: 1 kB\n",
        ROLLUP "Rss: 1 kB\nPrivate_Clean: 18014398509481983 kB\n"
               "Private_Dirty: 18014398509481983 kB\n",
        ROLLUP "Rss: 1 kB"
    };
    static const char good[] = ROLLUP "Rss: 10 kB\nPss: 5 kB\nPss_Anon: 1 kB\n"
                                      "Private_Clean: 1 kB\n"
                                      "Private_Dirty: 2 kB\nSwap: 3 kB\n"
                                      "SwapPss: 4 kB\n";
    amgr_proc_smaps_t out = { 91, 92, 93, 94, 95 };
    apr_size_t i;

    (void)state; /* cmocka's signature */
    for (i = 0; i < AMGR_COUNT(bad); i++) {
        assert_int_equal(amgr_proc_parse_smaps(bad[i], strlen(bad[i]), &out),
                         APR_EGENERAL);
        assert_int_equal(out.rss_bytes, 91);
        assert_int_equal(out.swap_pss_bytes, 95);
    }
    assert_int_equal(amgr_proc_parse_smaps(good, sizeof(good) - 1, &out),
                     APR_SUCCESS);
    assert_int_equal(out.rss_bytes, 10240);
    assert_int_equal(out.pss_bytes, 5120);
    assert_int_equal(out.uss_bytes, 3072);
    assert_int_equal(out.swap_bytes, 3072);
    assert_int_equal(out.swap_pss_bytes, 4096);
    assert_int_equal(amgr_proc_parse_smaps("Rss: 1 kB\n", 10, &out),
                     APR_SUCCESS);
    assert_int_equal(out.uss_bytes, AMGR_UNKNOWN);
    assert_int_equal(out.pss_bytes, AMGR_UNKNOWN);
}

typedef struct uptime_case_t {
    const char *text;
    apr_interval_time_t expected; /**< -1: an error */
} uptime_case_t;

static void test_uptime(void **state)
{
    static const uptime_case_t cases[] = {
        { "", -1 },          { "x", -1 },
        { "-1.0 1\n", -1 },  { "1", -1 },
        { "1.", -1 },        { "1. 2\n", -1 },
        { ".5 1\n", -1 },    { "1,5 1\n", -1 },
        { "9223372036855.0 1\n", -1 },
        { "18446744073709551616 1\n", -1 },
        { "0.00 0.00\n", 0 },
        { "350735.47 234388.90\n", APR_INT64_C(350735470000) },
        { "12\n", 12000000 },
        { "1.1234567 2\n", 1123456 },
        { "9223372036853.999999 1\n", APR_INT64_C(9223372036853999999) }
    };
    apr_size_t i;

    (void)state; /* cmocka's signature */
    for (i = 0; i < AMGR_COUNT(cases); i++) {
        apr_interval_time_t out = 4711;
        apr_status_t rv = amgr_proc_parse_uptime(
            cases[i].text, strlen(cases[i].text), &out);

        if ((rv == APR_SUCCESS) != (cases[i].expected >= 0) ||
            out != (rv == APR_SUCCESS ? cases[i].expected : 4711)) {
            fail_msg("uptime '%s': %lld", cases[i].text, (long long)out);
        }
    }
}

static void test_pid(void **state)
{
    static const char *const bad[] = { "", "0", "01", "-1", "+1", "1 ", " 1",
                                       "1x", "self", "2147483648",
                                       "4294967297", "99999999999999999999" };
    pid_t pid = 4711;
    apr_size_t i;

    (void)state; /* cmocka's signature */
    for (i = 0; i < AMGR_COUNT(bad); i++) {
        assert_int_equal(amgr_proc_parse_pid(bad[i], strlen(bad[i]), &pid),
                         APR_EGENERAL);
        assert_int_equal(pid, 4711);
    }
    assert_int_equal(amgr_proc_parse_pid("2147483647", 10, &pid),
                     APR_SUCCESS);
    assert_int_equal(pid, 2147483647);
    assert_int_equal(amgr_proc_parse_pid("12345", 2, &pid), APR_SUCCESS);
    assert_int_equal(pid, 12);
}

static void test_fields(void **state)
{
    static const char text[] = "Name:\ta b\\n:c \nEmpty:\nx:y:z";
    amgr_proc_field_t field;
    apr_size_t cursor = 0;

    (void)state; /* cmocka's signature */
    assert_int_equal(amgr_proc_next_field(text, sizeof(text) - 1, &cursor,
                                          &field), APR_SUCCESS);
    assert_int_equal(field.name_len, 4);
    assert_int_equal(field.value_len, 7);
    assert_memory_equal(field.value, "a b\\n:c", 7);
    assert_int_equal(amgr_proc_next_field(text, sizeof(text) - 1, &cursor,
                                          &field), APR_SUCCESS);
    assert_int_equal(field.value_len, 0);
    assert_int_equal(amgr_proc_next_field(text, sizeof(text) - 1, &cursor,
                                          &field), APR_SUCCESS);
    assert_int_equal(field.name_len, 1);
    assert_memory_equal(field.value, "y:z", 3);
    assert_int_equal(amgr_proc_next_field(text, sizeof(text) - 1, &cursor,
                                          &field), APR_EOF);
    assert_int_equal(amgr_proc_find_field(text, sizeof(text) - 1, "x",
                                          &field), APR_SUCCESS);
    assert_int_equal(field.value_len, 3);
    assert_int_equal(amgr_proc_find_field(text, sizeof(text) - 1, "Nam",
                                          &field), APR_NOTFOUND);
    assert_int_equal(field.value_len, 3);
    assert_int_equal(amgr_proc_find_field("bad", 3, "Nam", &field),
                     APR_EGENERAL);
}

typedef struct strings_case_t {
    const char *text;
    apr_size_t len;
    int count;
    apr_size_t last_len;
} strings_case_t;

static void test_strings(void **state)
{
    static const strings_case_t cases[] = {
        { "", 0, 0, 0 },          { "\0", 1, 1, 0 },
        { "\0\0", 2, 2, 0 },      { "a", 1, 1, 1 },
        { "a\0", 2, 1, 1 },       { "a\0\0", 3, 2, 0 },
        { "a\0bc", 4, 2, 2 },     { "a\0\0bc\0", 6, 3, 2 },
        { "a\nb c\0", 6, 1, 5 }
    };
    apr_size_t i;

    (void)state; /* cmocka's signature */
    for (i = 0; i < AMGR_COUNT(cases); i++) {
        const char *string = NULL;
        apr_size_t cursor = 0;
        apr_size_t len = 0;
        int count = 0;

        while (amgr_proc_next_string(cases[i].text, cases[i].len, &cursor,
                                     &string, &len) == APR_SUCCESS) {
            count++;
        }
        assert_int_equal(count, cases[i].count);
        assert_int_equal(len, cases[i].last_len);
    }
}

/* In a buffer of exactly its size, so that reading one byte more is seen. */
static void parse_all(const char *text, apr_size_t len)
{
    char *copy = malloc(len > 0 ? len : 1);
    amgr_proc_stat_t stat;
    amgr_proc_statm_t statm;
    amgr_proc_status_t status;
    amgr_proc_smaps_t smaps;
    apr_interval_time_t uptime;
    pid_t pid;

    memcpy(copy, text, len);
    amgr_proc_parse_stat(copy, len, &stat);
    amgr_proc_parse_statm(copy, len, &statm);
    amgr_proc_parse_status(copy, len, &status);
    amgr_proc_parse_smaps(copy, len, &smaps);
    amgr_proc_parse_uptime(copy, len, &uptime);
    amgr_proc_parse_pid(copy, len, &pid);
    free(copy);
}

static void test_any_cut(void **state)
{
    static const char *const texts[] = { "8 (foo) Z 1 () S" TAIL,
                                         "1 2 3 4 5 6 7\n",
                                         IDS "VmRSS:\t  12 kB\nThreads:\t1\n",
                                         ROLLUP "Rss: 10 kB\nPss: 5 kB\n",
                                         "350735.47 234388.90\n" };
    apr_size_t i;
    apr_size_t len;

    (void)state; /* cmocka's signature */
    for (i = 0; i < AMGR_COUNT(texts); i++) {
        for (len = 0; len <= strlen(texts[i]); len++) {
            parse_all(texts[i], len);
        }
    }
}

static void test_identity(void **state)
{
    const amgr_proc_id_t a = { 8, 100 };
    const amgr_proc_id_t same = { 8, 100 };
    const amgr_proc_id_t later = { 8, 101 };
    const amgr_proc_id_t other = { 9, 100 };
    const amgr_proc_id_t unknown = { 8, 0 };
    apr_uint64_t hz = (apr_uint64_t)sysconf(_SC_CLK_TCK);

    (void)state; /* cmocka's signature */
    assert_true(amgr_proc_id_equal(&a, &same));
    assert_false(amgr_proc_id_equal(&a, &later));
    assert_false(amgr_proc_id_equal(&a, &other));
    assert_false(amgr_proc_id_equal(&unknown, &unknown));
    assert_int_equal(amgr_proc_ticks_us(0), 0);
    assert_int_equal(amgr_proc_ticks_us(hz), 1000000);
    assert_int_equal(amgr_proc_ticks_us(hz * 3 + 1), 3000000 + 1000000 / hz);
    assert_int_equal(amgr_proc_ticks_us(APR_UINT64_MAX), AMGR_NO_TIME);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stat),    cmocka_unit_test(test_stat_reaped),
        cmocka_unit_test(test_statm),   cmocka_unit_test(test_status),
        cmocka_unit_test(test_smaps),   cmocka_unit_test(test_uptime),
        cmocka_unit_test(test_pid),     cmocka_unit_test(test_fields),
        cmocka_unit_test(test_strings), cmocka_unit_test(test_any_cut),
        cmocka_unit_test(test_identity)
    };

    page = (apr_uint64_t)sysconf(_SC_PAGESIZE);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
