/* SPDX-License-Identifier: Apache-2.0
 *
 * Paths through directories of others, as root; and as somebody who has no
 * rights to lose.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "scratch.h"

#include "base/trusted_open.h"
#include "supervise/environment.h"

#define OTHER 65534

static char dir[SCRATCH_SIZE]; /* all directories above it are root's alone */

static const char *in(const char *name)
{
    static char paths[4][192];
    static int next;

    next = (next + 1) % 4;
    snprintf(paths[next], sizeof(paths[next]), "%s/%s", dir, name);
    return paths[next];
}

static void make_dir(const char *name, mode_t mode, uid_t owner)
{
    assert_int_equal(mkdir(in(name), 0755), 0);
    assert_int_equal(chmod(in(name), mode), 0);
    if (geteuid() == 0) {
        assert_int_equal(chown(in(name), owner, owner), 0);
    }
}

static void write_file(const char *name, const char *text, mode_t mode)
{
    FILE *file = fopen(in(name), "w");

    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(chmod(in(name), mode), 0);
}

/* 0, or an errno: what comes of opening it for writing. */
static int opened(const char *name, int flags, int in_shared, int is_shared)
{
    int seen = -1;
    int fd =
        amgr_trusted_open(in(name), O_WRONLY | flags, 0600, in_shared, &seen);

    if (fd >= 0) {
        close(fd);
    }
    assert_int_equal(seen, is_shared);
    return fd < 0 ? -fd : 0;
}

static int setup(void **state)
{
    (void)state; /* cmocka's signature */
    return geteuid() == 0 ? scratch_make_in("/run", 0755, dir)
                          : scratch_make(dir, 0755);
}

static int teardown(void **state)
{
    char command[96];

    (void)state; /* cmocka's signature */
    snprintf(command, sizeof(command), "rm -rf %s", dir);
    return system(command);
}

static void test_ways_of_our_own(void **state)
{
    (void)state; /* cmocka's signature */
    make_dir("real", 0755, geteuid());
    write_file("real/file", "", 0644);
    assert_int_equal(symlink("real", in("link")), 0);
    assert_int_equal(symlink(in("real"), in("absolute")), 0);
    assert_int_equal(symlink("../real/file", in("real/last")), 0);
    assert_int_equal(symlink("loop", in("loop")), 0);
    assert_int_equal(opened("real/file", 0, 0, 0), 0);
    assert_int_equal(opened("link//./file", 0, 0, 0), 0);
    assert_int_equal(opened("absolute/../link/file", 0, 0, 0), 0);
    assert_int_equal(opened("link/last", 0, 0, 0), 0);
    assert_int_equal(opened("link/last", O_NOFOLLOW, 0, 0), ELOOP);
    assert_int_equal(opened("link/none", 0, 0, 0), ENOENT);
    assert_int_equal(opened("none/file", 0, 0, 0), ENOENT);
    assert_int_equal(opened("real/file/file", 0, 0, 0), ENOTDIR);
    assert_int_equal(opened("real", 0, 0, 0), EISDIR);
    assert_int_equal(opened("link/", 0, 0, 0), EISDIR);
    assert_int_equal(opened("loop", 0, 0, 0), ELOOP);
    assert_int_equal(opened("loop/file", 0, 0, 0), ELOOP);
    assert_int_equal(opened("link/new", O_CREAT | O_EXCL, 0, 0), 0);
    assert_int_equal(access(in("real/new"), F_OK), 0);
}

/* A directory that others can change: files in it, and no way out of it. */
static void expect_shared(const char *name)
{
    char path[128];

    snprintf(path, sizeof(path), "%s/out", name);
    assert_int_equal(symlink("../secret", in(path)), 0);
    snprintf(path, sizeof(path), "%s/out/file", name);
    assert_int_equal(opened(path, O_CREAT, AMGR_SHARED_OPEN, 1), ELOOP);
    assert_int_equal(opened(path, O_CREAT, AMGR_SHARED_REFUSE, 1), ELOOP);
    snprintf(path, sizeof(path), "%s/out", name);
    assert_int_equal(opened(path, 0, AMGR_SHARED_OPEN, 1), ELOOP);
    snprintf(path, sizeof(path), "%s/log", name);
    assert_int_equal(opened(path, O_CREAT, AMGR_SHARED_REFUSE, 1), EPERM);
    assert_int_equal(access(in(path), F_OK), -1);
    assert_int_equal(opened(path, O_CREAT, AMGR_SHARED_OPEN, 1), 0);
    assert_int_equal(access(in(path), F_OK), 0);
    /* And what is below it is its owner's, too. */
    snprintf(path, sizeof(path), "%s/below", name);
    make_dir(path, 0755, 0);
    snprintf(path, sizeof(path), "%s/below/log", name);
    assert_int_equal(opened(path, O_CREAT, AMGR_SHARED_OPEN, 1), 0);
    assert_int_equal(opened(path, 0, AMGR_SHARED_REFUSE, 1), EPERM);
}

static void test_ways_of_others(void **state)
{
    (void)state; /* cmocka's signature */
    if (geteuid() != 0) {
        /* Ours alone are the rights: whatever open(2) does. */
        make_dir("wide", 0777, geteuid() + 1);
        assert_int_equal(symlink("wide", in("out")), 0);
        assert_int_equal(opened("out/file", O_CREAT, AMGR_SHARED_REFUSE, 0), 0);
        return;
    }
    make_dir("secret", 0700, 0);
    make_dir("owned", 0755, OTHER);
    make_dir("group", 0775, 0);
    make_dir("sticky", 01777, 0);
    expect_shared("owned");
    expect_shared("group");
    expect_shared("sticky");
    /* An administrator's link leads there, and one of theirs is none. */
    assert_int_equal(symlink("owned", in("srv")), 0);
    assert_int_equal(opened("srv/log", 0, AMGR_SHARED_OPEN, 1), 0);
    assert_int_equal(symlink("secret", in("theirs")), 0);
    assert_int_equal(lchown(in("theirs"), OTHER, OTHER), 0);
    assert_int_equal(opened("theirs/x", O_CREAT, AMGR_SHARED_OPEN, 0), ELOOP);
    /* Nothing was made where only root may. */
    assert_int_equal(rmdir(in("secret")), 0);
}

/* What its user cannot read is not read for him. */
static void test_environment(void **state)
{
    static amgr_environment_t environment;
    amgr_identity_t user = {.uid = OTHER, .gid = OTHER};
    char why[160];
    gid_t groups[64];
    int count = getgroups(64, groups);

    (void)state; /* cmocka's signature */
    amgr_environment_init(&environment);
    make_dir("srv", 0755, OTHER);
    write_file("secret", "KEY=secret\n", 0600);
    assert_int_equal(symlink("../secret", in("srv/env")), 0);
    assert_int_equal(symlink("secret", in("env")), 0);
    assert_int_equal(
        amgr_environment_read(&environment, in("srv/env"), &user, why, 160),
        geteuid() == 0 ? EACCES : 0);
    amgr_environment_init(&environment);
    assert_int_equal(
        amgr_environment_read(&environment, in("env"), &user, why, 160), 0);
    assert_string_equal(amgr_environment_get(&environment, "KEY"), "secret");
    /* Its own, by whatever way. */
    write_file("srv/own", "OWN=1\n", 0644);
    assert_int_equal(symlink("own", in("srv/current")), 0);
    assert_int_equal(
        amgr_environment_read(&environment, in("srv/current"), &user, why, 160),
        0);
    assert_string_equal(amgr_environment_get(&environment, "OWN"), "1");
    /* We are who we were. */
    assert_int_equal(getgroups(64, groups), count);
    assert_int_equal(geteuid(), getuid());
    assert_int_equal(getegid(), getgid());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_ways_of_our_own, setup, teardown),
        cmocka_unit_test_setup_teardown(test_ways_of_others, setup, teardown),
        cmocka_unit_test_setup_teardown(test_environment, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
