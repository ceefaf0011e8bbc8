/* SPDX-License-Identifier: Apache-2.0
 *
 * A supervisor that is begun while there are no descriptors.
 */
#include "supervised.h"

#define SLEEP "Command /bin/sleep 60\nVerify exec /bin/true\nOutput discard\n"

static void start_short(supervised_t *s, int spare)
{
    kill_supervisor(s);
    s->is_short = 1;
    s->spare = spare;
    start_supervisor(s);
}

/* One that could not hear SIGTERM would never end by it. */
static void without_signals_it_ends_to_be_begun_anew(void **state)
{
    supervised_t *s = *state;
    int status;

    start_short(s, 0);
    assert_int_equal(waitpid(s->pid, &status, 0), s->pid);
    s->pid = 0;
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 1);
    assert_int_equal(count_logged(s, "cannot hear signals"), 1);
}

/* It may be held by what is left of another server. */
static void the_lock_is_tried_again(void **state)
{
    supervised_t *s = *state;
    struct rlimit limit = {1024, 1024};
    struct stat info;
    char path[96];

    snprintf(path, sizeof(path), "%s/lock", s->dir);
    s->lock_file = path;
    start_short(s, 2); /* for signals and for /proc */
    WAIT_UNTIL(s, count_logged(s, "cannot be locked now") == 1);
    assert_int_equal(stat(path, &info), -1);
    assert_int_equal(prlimit(s->pid, RLIMIT_NOFILE, &limit, NULL), 0);
    WAIT_UNTIL(s, stat(path, &info) == 0);
    apply(s, "web\n" SLEEP);
    wait_state(s, "web", AMGR_MANAGED_READY);
    assert_int_equal(count_logged(s, "cannot be locked now"), 1);
    assert_int_equal(count_logged(s, "are not waited for"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SUPERVISED(without_signals_it_ends_to_be_begun_anew),
        SUPERVISED(the_lock_is_tried_again),
    };

    apr_initialize();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
