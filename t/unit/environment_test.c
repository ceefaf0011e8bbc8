/* SPDX-License-Identifier: Apache-2.0
 *
 * Files of environment: what they say, what they cannot say, and what is no
 * such file.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "scratch.h"

#include "supervise/environment.h"

static amgr_environment_t environment;

static const char *parse(const char *text, int *out_line)
{
    amgr_environment_init(&environment);
    return amgr_environment_parse(&environment, text, strlen(text), out_line);
}

static void test_values(void **state)
{
    static const struct {
        const char *text;
        const char *value; /* of A; NULL: it is not set */
    } cases[] = {
        {"A=1", "1"},
        {"A=1\n", "1"},
        {"A=1\r\nB=2\r\n", "1"},
        {"  A = 1  \n", "1"},
        {"A=", ""},
        {"A=\nB=1", ""},
        {"A=a b  c \t\n", "a b  c"},
        {"A=\"a b \"  \n", "a b "},
        {"A='a $b \\ \"c'\n", "a $b \\ \"c"},
        {"A=\"a \\\"b\\\" \\\\ \\$c \\x\"\n", "a \"b\" \\ $c \\x"},
        {"A=\"a\"'b'c\n", "abc"},
        {"A=\"a\" 'b'\n", "ab"},
        {"A=it's\n", "it's"},
        {"A=a#b # c\n", "a#b # c"},
        {"A=one\\\ntwo\n", "onetwo"},
        {"A=\"one\\\ntwo\"\n", "onetwo"},
        {"A=\"one\ntwo\"\n", "one\ntwo"},
        {"A='one\ntwo'\n", "one\ntwo"},
        {"A=a\\ \n", "a "},
        {"A=a\\", "a\\"},
        {"A=\\\"x\\'\n", "\"x'"},
        {"A=a=b=c\n", "a=b=c"},
        {"A=$B ${B} `c`\n", "$B ${B} `c`"},
        {"# A=1\n;A=2\n\n \t\n", NULL},
        {"#A=1\\\nA=2\n", "2"},
        {"A=1\nA=2\n", "2"},
        {"AB=1\n", NULL},
        {"_A1=x\nA=\xff\xfe\n", "\xff\xfe"},
        {"export A=1\n", "1"},
        {" export\tA = 1\n", "1"},
        {"export=2\nA=1\n", "1"},
        {"export = 2\nA=1\n", "1"},
        {"exports=2\nA=1\n", "1"},
        {"A=export B\n", "export B"},
        {"", NULL},
    };
    apr_size_t i;
    int line;

    (void)state; /* cmocka's signature */
    for (i = 0; i < AMGR_COUNT(cases); i++) {
        const char *fault = parse(cases[i].text, &line);
        const char *value = amgr_environment_get(&environment, "A");

        if (fault != NULL || (value == NULL) != (cases[i].value == NULL) ||
            (value != NULL && strcmp(value, cases[i].value) != 0)) {
            fail_msg("%s: %s, %s", cases[i].text, fault, value);
        }
        assert_null(environment.vars[environment.count]);
    }
}

static void test_faults(void **state)
{
    static const struct {
        const char *text;
        int line;
        const char *fault;
    } cases[] = {
        {"A=1\nB\n", 2, "expected NAME=value"},
        {"export A\n", 1, "expected NAME=value"},
        {"export\n", 1, "expected NAME=value"},
        {"export\nA=1\n", 1, "expected NAME=value"},
        {"export export A=1\n", 1, "expected NAME=value"},
        {"exports A=1\n", 1, "expected NAME=value"},
        {"export 1A=1\n", 1, "expected NAME=value"},
        {"\n\n1A=1\n", 3, "expected NAME=value"},
        {"A-B=1\n", 1, "expected NAME=value"},
        {"=1\n", 1, "expected NAME=value"},
        {"\xc3\xa4=1\n", 1, "expected NAME=value"},
        {"root:x:0:0:root:/root:/bin/bash\n", 1, "expected NAME=value"},
        {"A=1\nB='x\ny\n", 2, "a quote is not closed"},
        {"A=\"x\\", 1, "a quote is not closed"},
    };
    apr_size_t i;
    int line = 0;

    (void)state; /* cmocka's signature */
    for (i = 0; i < AMGR_COUNT(cases); i++) {
        const char *fault = parse(cases[i].text, &line);

        assert_non_null(fault);
        assert_string_equal(fault, cases[i].fault);
        assert_int_equal(line, cases[i].line);
    }
    amgr_environment_init(&environment);
    assert_non_null(
        amgr_environment_parse(&environment, "A=1\nB=2\0C=3\n", 12, &line));
    assert_int_equal(line, 2);
    assert_null(amgr_environment_get(&environment, "C"));
}

/* Full is full, and never more. */
static void test_bounds(void **state)
{
    static char big[AMGR_ENVIRONMENT_BYTES_MAX + 16];
    char text[32];
    int line;
    int i;

    (void)state; /* cmocka's signature */
    amgr_environment_init(&environment);
    for (i = 0; i < AMGR_ENVIRONMENT_VARS_MAX; i++) {
        snprintf(text, sizeof(text), "V%d", i);
        assert_int_equal(amgr_environment_set(&environment, text, "x"),
                         APR_SUCCESS);
    }
    assert_int_equal(amgr_environment_set(&environment, "MORE", "x"),
                     APR_ENOSPC);
    assert_int_equal(amgr_environment_set(&environment, "V7", "y"),
                     APR_SUCCESS);
    assert_string_equal(amgr_environment_get(&environment, "V7"), "y");
    assert_non_null(amgr_environment_parse(&environment, "MORE=1\n", 7, &line));
    assert_int_equal(environment.count, AMGR_ENVIRONMENT_VARS_MAX);

    memset(big, 'x', sizeof(big) - 1);
    amgr_environment_init(&environment);
    assert_int_equal(amgr_environment_set(&environment, "A", big), APR_ENOSPC);
    memcpy(big, "A=", 2);
    assert_non_null(amgr_environment_parse(&environment, big,
                                           AMGR_ENVIRONMENT_BYTES_MAX, &line));
    /* With its NUL it just fits. */
    assert_null(amgr_environment_parse(&environment, big,
                                       AMGR_ENVIRONMENT_BYTES_MAX - 1, &line));
    assert_int_equal(environment.used, AMGR_ENVIRONMENT_BYTES_MAX);
    assert_int_equal(environment.count, 1);
    assert_int_equal(amgr_environment_set(&environment, "B", ""), APR_ENOSPC);
}

static void write_text(const char *path, const char *text)
{
    FILE *f = fopen(path, "w");

    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
}

static void test_files(void **state)
{
    char dir[SCRATCH_SIZE];
    char path[SCRATCH_SIZE + 16];
    char may_miss[SCRATCH_SIZE + 16];
    char why[160];
    amgr_identity_t self = {.uid = geteuid(), .gid = getegid()};

    (void)state; /* cmocka's signature */
    assert_int_equal(scratch_make(dir, 0700), 0);
    snprintf(path, sizeof(path), "%s/file", dir);
    snprintf(may_miss, sizeof(may_miss), "-%s/file", dir);
    amgr_environment_init(&environment);
    assert_int_equal(
        amgr_environment_read(&environment, may_miss, &self, why, sizeof(why)),
        APR_SUCCESS);
    assert_int_equal(
        amgr_environment_read(&environment, path, &self, why, sizeof(why)),
        ENOENT);
    assert_string_equal(why, path);

    write_text(path, "A=1\nB=2\n");
    assert_int_equal(
        amgr_environment_read(&environment, may_miss, &self, why, sizeof(why)),
        APR_SUCCESS);
    assert_string_equal(amgr_environment_get(&environment, "B"), "2");

    write_text(path, "A=1\nsecret\n");
    assert_int_equal(
        amgr_environment_read(&environment, may_miss, &self, why, sizeof(why)),
        APR_EGENERAL);
    assert_non_null(strstr(why, "line 2 of "));
    assert_null(strstr(why, "secret"));

    assert_int_equal(truncate(path, AMGR_ENVIRONMENT_FILE_MAX + 1), 0);
    assert_int_equal(
        amgr_environment_read(&environment, path, &self, why, sizeof(why)),
        EFBIG);
    unlink(path);
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_int_equal(
        amgr_environment_read(&environment, path, &self, why, sizeof(why)),
        EINVAL);
    unlink(path);
    assert_int_equal(
        amgr_environment_read(&environment, dir, &self, why, sizeof(why)),
        EISDIR);
    rmdir(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_faults),
        cmocka_unit_test(test_bounds),
        cmocka_unit_test(test_files),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
