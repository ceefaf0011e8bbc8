/* SPDX-License-Identifier: Apache-2.0
 *
 * What a process says of itself, and what its supervisor makes of it.  The
 * processes are this program itself, called with what they shall say.
 */
#include "supervised.h"

#include <sys/un.h>

/** In a format. */
#define QUICK                         \
    "RestartDelay 100ms jitter=0%%\n" \
    "Output discard\n"

/* Open to the guard. */
static int open_notify(void)
{
    const char *name = getenv("NOTIFY_SOCKET");
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
    apr_size_t len = name == NULL ? 0 : strlen(name);

    if (len == 0 || len >= sizeof(address.sun_path)) {
        _exit(1);
    }
    memcpy(address.sun_path, name, len);
    if (name[0] == '@') {
        address.sun_path[0] = '\0';
    }
    len += offsetof(struct sockaddr_un, sun_path);
    if (connect(fd, (const struct sockaddr *)&address, (socklen_t)len) != 0) {
        _exit(1);
    }
    return fd;
}

/* What this program does as a managed process: it says each of these, so that
 * it is seen apart, or waits for so many milliseconds where it is a number; and
 * then nothing more, or "..." for the last one again and again. */
static void notify_and_fall_silent(char **words)
{
    int fd = open_notify();

    for (; *words != NULL; words++) {
        int wait_ms = (int)strtol(*words, NULL, 10);

        if (strcmp(*words, "...") == 0) {
            words--; /* and here again when that is said */
        }
        usleep(wait_ms > 0 ? (useconds_t)wait_ms * 1000 : 200000);
        if (wait_ms <= 0 && send(fd, *words, strlen(*words), 0) < 0) {
            _exit(2);
        }
    }
    for (;;) {
        pause();
    }
}

/* Its processes are another user's: this program goes where that can read. */
static const char *copy_self(const supervised_t *s)
{
    static char path[96];
    char command[256];

    snprintf(path, sizeof(path), "%s/var/self", s->dir);
    snprintf(command, sizeof(command), "cp /proc/%d/exe %s && chmod 755 %s",
             (int)getpid(), path, path);
    assert_int_equal(system(command), 0);
    return path;
}

/* A process that says @a words, under a section of @a lines. */
static void apply_saying(supervised_t *s, const char *words, const char *lines)
{
    char text[512];

    snprintf(text, sizeof(text),
             "web\nCommand %s notify %s\nVerify notify\n%s" QUICK, copy_self(s),
             words, lines);
    apply(s, text);
}

static int status_is(supervised_t *s, const char *status)
{
    const amgr_managed_t *web = row(s, "web");

    return web != NULL && strcmp(web->status, status) == 0;
}

/* It is in READY, and ready or not. */
static int stays_as(supervised_t *s, int ready)
{
    const amgr_managed_t *web = row(s, "web");

    return web != NULL && web->state == AMGR_MANAGED_READY &&
           web->ready == ready;
}

static void one_that_notifies_is_believed_and_must_go_on(void **state)
{
    supervised_t *s = *state;

    apply_saying(s, "'STATUS=warming up' READY=1 WATCHDOG=1 WATCHDOG=1",
                 "Liveness notify timeout=500ms\n");
    WAIT_UNTIL(s, status_is(s, "warming up"));
    assert_int_equal(row(s, "web")->state, AMGR_MANAGED_RUNNING);
    wait_state(s, "web", AMGR_MANAGED_READY);
    WAIT_UNTIL(s, row(s, "web")->exits[AMGR_MANAGED_EXIT_UNHEALTHY] == 1);
    assert_true(row(s, "web")->ready == 0);
    assert_string_equal(row(s, "web")->status, "");
    assert_int_equal(count_logged(s, "RUNNING -> READY (it says so)"), 1);
    assert_int_equal(count_logged(s, "READY -> STOPPING (unhealthy: no "
                                     "WATCHDOG=1 for 500ms)"),
                     1);
}

/* It hangs in its own shutdown, or has given that up without a word; saying it
 * again does not give it more time. */
static void one_that_does_not_stop_as_it_said_is_restarted(void **state)
{
    supervised_t *s = *state;
    int told;

    apply_saying(s, "READY=1 STOPPING=1 ...",
                 "Liveness notify timeout=30s\nStopTimeout 500ms\n");
    WAIT_UNTIL(s, stays_as(s, 0));
    WAIT_UNTIL(s, row(s, "web")->exits[AMGR_MANAGED_EXIT_UNHEALTHY] == 1);
    WAIT_UNTIL(s, row(s, "web")->starts == 2);
    told = count_logged(s, "[2] process web: it says that it stops, and is not "
                           "ready any more\n");
    assert_in_range(told, 1, row(s, "web")->starts);
    assert_true(count_logged(s,
                             "[2] process web: READY -> STOPPING (it said "
                             "that it stops and did not within 500ms)\n") > 0);
}

static void one_that_takes_it_back_is_left_alone(void **state)
{
    supervised_t *s = *state;

    apply_saying(s,
                 "READY=1 STOPPING=1 READY=1 STOPPING=1 READY=1 2500 "
                 "STATUS=later",
                 "StopTimeout 2s\n");
    WAIT_UNTIL(s, stays_as(s, 1));
    WAIT_UNTIL(s, stays_as(s, 0));
    assert_string_equal(s->table.processes[0].reason, "it says that it stops");
    WAIT_UNTIL(s, stays_as(s, 1));
    assert_string_equal(s->table.processes[0].reason, "");
    WAIT_UNTIL(s, status_is(s, "later"));
    assert_int_equal(row(s, "web")->ready, 1);
    assert_int_equal(row(s, "web")->starts, 1);
    /* Once for a run, however often it changes its mind. */
    assert_int_equal(count_logged(s, "[2] process web: it says that it stops"),
                     1);
    assert_int_equal(count_logged(s, "[2] process web: it says that it is "
                                     "ready again\n"),
                     1);
}

static void one_that_takes_it_back_must_go_on_too(void **state)
{
    supervised_t *s = *state;

    apply_saying(s, "READY=1 STOPPING=1 READY=1",
                 "Liveness notify timeout=500ms\n");
    WAIT_UNTIL(s, row(s, "web") != NULL &&
                      row(s, "web")->exits[AMGR_MANAGED_EXIT_UNHEALTHY] == 1);
    assert_int_equal(count_logged(s, "READY -> STOPPING (unhealthy: no "
                                     "WATCHDOG=1 for 500ms)"),
                     1);
}

/* What another verifier has found ready is so again when it says so. */
static void whatever_its_verifier_it_can_take_it_back(void **state)
{
    supervised_t *s = *state;
    char text[512];

    snprintf(text, sizeof(text),
             "web\nCommand %s notify 1000 STOPPING=1 READY=1\nVerify exec "
             "/bin/true\n"
             "Liveness notify timeout=30s\n" QUICK,
             copy_self(s));
    apply(s, text);
    WAIT_UNTIL(s, stays_as(s, 1));
    WAIT_UNTIL(s, stays_as(s, 0));
    WAIT_UNTIL(s, stays_as(s, 1));
    assert_int_equal(row(s, "web")->starts, 1);
}

/* Nor is it asked how it is while it stops: it may have closed its port. */
static void one_that_stops_is_not_asked(void **state)
{
    supervised_t *s = *state;
    char file[96];
    char lines[160];

    snprintf(file, sizeof(file), "%s/var/alive", s->dir);
    fclose(fopen(file, "w"));
    snprintf(lines, sizeof(lines),
             "Liveness file %s interval=100ms retries=1\nStopTimeout 20s\n",
             file);
    apply_saying(s, "READY=1 STOPPING=1 1500 READY=1", lines);
    WAIT_UNTIL(s, stays_as(s, 1));
    WAIT_UNTIL(s, stays_as(s, 0));
    assert_int_equal(unlink(file), 0);
    WAIT_UNTIL(s, row(s, "web")->exits[AMGR_MANAGED_EXIT_UNHEALTHY] == 1);
    assert_int_equal(count_logged(s, "[2] process web: it says that it is "
                                     "ready again\n"),
                     1);
    assert_int_equal(count_logged(s, "READY -> STOPPING (unhealthy: "), 1);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        SUPERVISED(one_that_notifies_is_believed_and_must_go_on),
        SUPERVISED(one_that_does_not_stop_as_it_said_is_restarted),
        SUPERVISED(one_that_takes_it_back_is_left_alone),
        SUPERVISED(one_that_takes_it_back_must_go_on_too),
        SUPERVISED(whatever_its_verifier_it_can_take_it_back),
        SUPERVISED(one_that_stops_is_not_asked),
    };

    if (argc > 1 && strcmp(argv[1], "notify") == 0) {
        notify_and_fall_silent(argv + 2);
    }
    apr_initialize();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
