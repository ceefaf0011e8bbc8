/* SPDX-License-Identifier: Apache-2.0
 *
 * Becoming another user: by name and number, for good, and not at all where
 * something about it is not known.  Whoever changes is a fork of the test.
 */
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "supervise/identity.h"

/** Of nobody, and of no entry of the system's. */
#define NUMBER 64321

static int look_up(const char *user, const char *group, amgr_identity_t *out)
{
    int error = -1;
    int result = amgr_identity_look_up(user, group, out, &error);

    assert_true((result == AMGR_IDENTITY_FINE) == (error == 0));
    return result;
}

static void names_and_numbers_are_looked_up(void **state)
{
    const struct passwd *nobody = getpwnam("nobody");
    amgr_identity_t identity;

    (void)state; /* cmocka's signature */
    assert_non_null(nobody);
    assert_int_equal(look_up("nobody", NULL, &identity), AMGR_IDENTITY_FINE);
    assert_int_equal(identity.uid, nobody->pw_uid);
    assert_int_equal(identity.gid, nobody->pw_gid);
    assert_string_equal(identity.name, "nobody");
    assert_string_equal(identity.home, nobody->pw_dir);

    assert_int_equal(look_up("nobody", "#7", &identity), AMGR_IDENTITY_FINE);
    assert_int_equal(identity.uid, nobody->pw_uid);
    assert_int_equal(identity.gid, 7);

    assert_int_equal(look_up("#0", NULL, &identity), AMGR_IDENTITY_FINE);
    assert_int_equal(identity.uid, 0);
    assert_string_equal(identity.name, "root");

    assert_int_equal(look_up("#64321", "root", &identity), AMGR_IDENTITY_FINE);
    assert_int_equal(identity.uid, NUMBER);
    assert_int_equal(identity.gid, 0);
    assert_string_equal(identity.name, "");
}

static void what_is_not_known_is_refused(void **state)
{
    static const struct {
        const char *user;
        const char *group;
        int result;
    } cases[] = {
        {"amgr-no-such-user", NULL, AMGR_IDENTITY_NO_USER},
        {"", NULL, AMGR_IDENTITY_NO_USER},
        {"#", NULL, AMGR_IDENTITY_NO_USER},
        {"#-1", NULL, AMGR_IDENTITY_NO_USER},
        {"#4294967295", "root", AMGR_IDENTITY_NO_USER},
        {"#4294967296", "root", AMGR_IDENTITY_NO_USER},
        {"#99999999999999999999", "root", AMGR_IDENTITY_NO_USER},
        {"#1x", NULL, AMGR_IDENTITY_NO_USER},
        {"#64321", NULL, AMGR_IDENTITY_NO_GROUP},
        {"nobody", "amgr-no-such-group", AMGR_IDENTITY_NO_GROUP},
        {"nobody", "#4294967295", AMGR_IDENTITY_NO_GROUP},
        {"nobody", "", AMGR_IDENTITY_NO_GROUP},
    };
    amgr_identity_t identity;
    size_t i;

    (void)state; /* cmocka's signature */
    for (i = 0; i < AMGR_COUNT(cases); i++) {
        assert_int_equal(look_up(cases[i].user, cases[i].group, &identity),
                         cases[i].result);
    }
}

typedef int in_fork_fn(void);

static void check_in_fork(in_fork_fn *check)
{
    int status = -1;
    pid_t pid = fork();

    if (pid == 0) {
        _exit(check());
    }
    assert_true(pid > 0);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

/* Each answers the number of the line that is wrong, or 0. */
#define WANT(condition)  \
    if (!(condition)) {  \
        return __LINE__; \
    }

static int taking_a_number(void)
{
    amgr_identity_t identity = {.uid = NUMBER, .gid = NUMBER};
    gid_t groups[4] = {0};
    gid_t many[] = {0, 4, 5};
    int error = -1;

    WANT(setgroups(3, many) == 0);
    WANT(amgr_identity_take(&identity, &error) == AMGR_IDENTITY_FINE);
    WANT(error == 0);
    WANT(getuid() == NUMBER && geteuid() == NUMBER);
    WANT(getgid() == NUMBER && getegid() == NUMBER);
    WANT(getgroups(4, groups) == 1 && groups[0] == NUMBER);
    WANT(setuid(0) != 0 && seteuid(0) != 0 && setgid(0) != 0);
    /* Once more is no change; anybody else is beyond its rights. */
    WANT(amgr_identity_take(&identity, &error) == AMGR_IDENTITY_FINE);
    identity.gid = 0;
    WANT(amgr_identity_take(&identity, &error) == AMGR_IDENTITY_NO_RIGHTS);
    WANT(error == EPERM);
    identity.gid = NUMBER;
    identity.uid = 0;
    WANT(amgr_identity_take(&identity, &error) == AMGR_IDENTITY_NO_RIGHTS);
    /* Without rights whoever we are is who we may be. */
    WANT(amgr_identity_look_up(NULL, NULL, &identity, &error) ==
         AMGR_IDENTITY_FINE);
    WANT(identity.uid == NUMBER && identity.gid == NUMBER);
    return 0;
}

static int taking_a_name(void)
{
    amgr_identity_t identity;
    gid_t groups[64];
    int error = -1;
    int count;

    WANT(amgr_identity_look_up("nobody", NULL, &identity, &error) ==
         AMGR_IDENTITY_FINE);
    WANT(amgr_identity_take(&identity, &error) == AMGR_IDENTITY_FINE);
    WANT(getuid() == identity.uid && getgid() == identity.gid);
    count = getgroups(64, groups);
    WANT(count >= 1);
    while (count-- > 0) {
        WANT(groups[count] != 0);
    }
    return 0;
}

static int staying_root(void)
{
    amgr_identity_t identity;
    int error = -1;

    WANT(amgr_identity_look_up(NULL, NULL, &identity, &error) ==
         AMGR_IDENTITY_NO_USER);
    WANT(error == EPERM);
    /* By its name it is somebody's wish. */
    WANT(amgr_identity_look_up("root", NULL, &identity, &error) ==
         AMGR_IDENTITY_FINE);
    WANT(amgr_identity_take(&identity, &error) == AMGR_IDENTITY_FINE);
    WANT(getuid() == 0 && geteuid() == 0);
    return 0;
}

/* What anybody may test; changing needs root. */
static int being_myself(void)
{
    amgr_identity_t identity;
    int error = -1;

    WANT(amgr_identity_look_up(NULL, NULL, &identity, &error) ==
         AMGR_IDENTITY_FINE);
    WANT(identity.uid == geteuid() && identity.gid == getegid());
    WANT(amgr_identity_take(&identity, &error) == AMGR_IDENTITY_FINE);
    WANT(amgr_identity_look_up("root", NULL, &identity, &error) ==
         AMGR_IDENTITY_FINE);
    WANT(amgr_identity_take(&identity, &error) == AMGR_IDENTITY_NO_RIGHTS);
    WANT(error == EPERM);
    return 0;
}

static void it_is_taken_for_good(void **state)
{
    (void)state; /* cmocka's signature */
    if (geteuid() != 0) {
        check_in_fork(being_myself);
        return;
    }
    check_in_fork(taking_a_number);
    check_in_fork(taking_a_name);
    check_in_fork(staying_root);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_and_numbers_are_looked_up),
        cmocka_unit_test(what_is_not_known_is_refused),
        cmocka_unit_test(it_is_taken_for_good),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
