/* SPDX-License-Identifier: Apache-2.0
 *
 * The server of lines: what is a line, who is let in, answers of any length,
 * waiting and its end, and patience with those who neither send nor take.
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
#include <sys/resource.h>
#include <sys/un.h>
#include <unistd.h>

#include <apr_general.h>

#include "scratch.h"

#include "base/clock.h"
#include "base/line_server.h"

#define CLIENTS 3
#define LINE_MAX_BYTES 16

/** More than a socket takes at once. */
#define LONG_BYTES 1000000

/** Nothing here takes nearly so long. */
#define DEADLINE_US (30 * APR_USEC_PER_SEC)

typedef struct scene_t {
    apr_pool_t *pool;
    char dir[SCRATCH_SIZE];
    char path[80];
    int refuses;                /**< nobody is let in */
    amgr_line_client_t *waiter; /**< the last that was told to wait */
    int own[CLIENTS];           /**< lines that each place has taken */
    amgr_line_server_t server;
} scene_t;

static void answer(amgr_line_client_t *client, const char *text, int times)
{
    char buf[64];
    amgr_sink_t sink;

    amgr_sink_init(&sink, buf, sizeof(buf), amgr_line_append, client);
    while (times-- > 0) {
        amgr_sink_puts(&sink, text);
    }
    amgr_line_answer(client, &sink);
}

static void admit(void *baton, amgr_line_client_t *client)
{
    const scene_t *scene = baton;

    assert_int_equal(client->who.uid, geteuid());
    assert_int_equal(client->who.pid, getpid());
    if (scene->refuses) {
        answer(client, "not you\n", 1);
    }
}

static void take(void *baton, amgr_line_client_t *client, apr_size_t len,
                 const char *wrong)
{
    scene_t *scene = baton;
    int *own = client->own;

    ++*own;
    if (wrong != NULL) {
        answer(client, wrong, 1);
    }
    else if (len == 4 && memcmp(client->line, "wait", 4) == 0) {
        amgr_line_wait(client, AMGR_LINE_FOREVER);
        scene->waiter = client;
    }
    else if (len == 4 && memcmp(client->line, "long", 4) == 0) {
        answer(client, "x", LONG_BYTES);
    }
    else {
        client->line[len] = '\0';
        answer(client, client->line, 1);
    }
}

static int setup(void **state)
{
    scene_t *scene = calloc(1, sizeof(*scene));
    amgr_line_server_t *server = &scene->server;
    int i;

    apr_pool_create(&scene->pool, NULL);
    if (scratch_make(scene->dir, 0700) != 0) {
        return -1;
    }
    snprintf(scene->path, sizeof(scene->path), "%s/x.sock", scene->dir);
    amgr_line_server_init(server, CLIENTS, LINE_MAX_BYTES, scene->pool);
    server->admit = admit;
    server->take = take;
    server->baton = scene;
    for (i = 0; i < CLIENTS; i++) {
        server->clients[i].own = &scene->own[i];
    }
    amgr_socket_place_init(&server->place, scene->path, geteuid());
    *state = scene;
    return amgr_socket_place_look(&server->place) == AMGR_SOCKET_OPENED ? 0
                                                                        : -1;
}

static int teardown(void **state)
{
    scene_t *scene = *state;

    amgr_line_server_end(&scene->server);
    rmdir(scene->dir);
    apr_pool_destroy(scene->pool);
    free(scene);
    return 0;
}

/* What an owner's loop does, as long as there is something to do. */
static void serve(scene_t *scene)
{
    struct pollfd entries[CLIENTS + 1];
    int count;

    for (;;) {
        count = amgr_line_server_list(&scene->server, entries);
        assert_in_range(count, 0, CLIENTS + 1);
        if (poll(entries, (nfds_t)count, 0) <= 0) {
            amgr_line_server_serve(&scene->server, NULL, 0);
            return;
        }
        amgr_line_server_serve(&scene->server, entries, count);
    }
}

static int knock(const scene_t *scene)
{
    struct sockaddr_un address;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);

    memset(&address, 0, sizeof(address));
    address.sun_family = AF_UNIX;
    snprintf(address.sun_path, sizeof(address.sun_path), "%s", scene->path);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)),
                     0);
    return fd;
}

static int say(const scene_t *scene, const char *text)
{
    int fd = knock(scene);

    assert_int_equal(send(fd, text, strlen(text), 0), (ssize_t)strlen(text));
    return fd;
}

/* All that comes until it hangs up, cut; the bytes of it, and it is closed. */
static apr_size_t hear(scene_t *scene, int fd, char *text, apr_size_t size)
{
    apr_time_t deadline_us = amgr_clock_monotonic_us() + DEADLINE_US;
    apr_size_t total = 0;
    char buf[4096];
    ssize_t got;

    for (;;) {
        assert_true(amgr_clock_monotonic_us() < deadline_us);
        serve(scene);
        got = recv(fd, buf, sizeof(buf), 0);
        if (got < 0 && errno == EAGAIN) {
            continue;
        }
        if (got <= 0) {
            break;
        }
        if (total + (apr_size_t)got < size) {
            memcpy(text + total, buf, (apr_size_t)got);
        }
        total += (apr_size_t)got;
    }
    text[total < size ? total : size - 1] = '\0';
    close(fd);
    return total;
}

static void is_answered(scene_t *scene, int fd, const char *expected)
{
    char text[64];

    hear(scene, fd, text, sizeof(text));
    assert_string_equal(text, expected);
}

/* It is there, and nothing has come of it. */
static int is_open(scene_t *scene, int fd)
{
    char c;

    serve(scene);
    return recv(fd, &c, 1, 0) < 0 && errno == EAGAIN;
}

static int taken(const scene_t *scene)
{
    int count = 0;
    int i;

    for (i = 0; i < CLIENTS; i++) {
        count += scene->server.clients[i].phase != AMGR_LINE_FREE;
    }
    return count;
}

static void a_line_has_its_answer(void **state)
{
    scene_t *scene = *state;
    int fd;

    is_answered(scene, say(scene, "hello\n"), "hello");
    is_answered(scene, say(scene, "\n"), "");
    fd = say(scene, "in pie");
    assert_true(is_open(scene, fd));
    assert_int_equal(send(fd, "ces\n", 4, 0), 4);
    is_answered(scene, fd, "in pieces");
    is_answered(scene, say(scene, "a line of 15 b.\n"), "a line of 15 b.");
    assert_int_equal(taken(scene), 0);
    assert_int_equal(amgr_line_server_due(&scene->server), AMGR_NO_TIME);
    /* What is the owner's has stayed where it was. */
    assert_int_equal(scene->own[0], 4);
    assert_ptr_equal(scene->server.clients[0].own, &scene->own[0]);
}

static void what_is_no_line_is_told(void **state)
{
    scene_t *scene = *state;
    int fd;

    is_answered(scene, say(scene, "a line of 16 by."), "too long a line");
    is_answered(scene, say(scene, "one\ntwo\n"), "more than one line");
    is_answered(scene, say(scene, "one\nt"), "more than one line");
    fd = say(scene, "no end");
    shutdown(fd, SHUT_WR);
    is_answered(scene, fd, "a line without its end");
    fd = knock(scene);
    shutdown(fd, SHUT_WR);
    is_answered(scene, fd, "");
    assert_int_equal(scene->own[0], 4);
}

static void an_answer_has_any_length(void **state)
{
    scene_t *scene = *state;
    char text[8];
    int fd = say(scene, "long\n");

    assert_int_equal(hear(scene, fd, text, sizeof(text)), LONG_BYTES);
    assert_int_equal(taken(scene), 0);
}

static void whoever_is_not_admitted_is_told(void **state)
{
    scene_t *scene = *state;

    scene->refuses = 1;
    is_answered(scene, knock(scene), "not you\n");
    assert_int_equal(scene->own[0], 0);
    scene->refuses = 0;
    is_answered(scene, say(scene, "me\n"), "me");
}

static void the_rest_waits_outside(void **state)
{
    scene_t *scene = *state;
    struct pollfd entries[CLIENTS + 1];
    int in[CLIENTS];
    int out;
    int i;

    for (i = 0; i < CLIENTS; i++) {
        in[i] = knock(scene);
    }
    out = say(scene, "out\n");
    assert_true(is_open(scene, out));
    assert_int_equal(taken(scene), CLIENTS);
    assert_int_equal(amgr_line_server_list(&scene->server, entries), CLIENTS);
    close(in[1]);
    is_answered(scene, out, "out");
    close(in[0]);
    close(in[2]);
    serve(scene);
    assert_int_equal(taken(scene), 0);
}

static void waiting_is_the_owners(void **state)
{
    scene_t *scene = *state;
    int fd = say(scene, "wait\n");

    assert_true(is_open(scene, fd));
    assert_non_null(scene->waiter);
    assert_int_equal(scene->waiter->phase, AMGR_LINE_WAITING);
    assert_int_equal(amgr_line_server_due(&scene->server), AMGR_NO_TIME);
    /* Its time may be over: it is the owner who sees to that. */
    amgr_line_wait(scene->waiter, -1);
    assert_true(amgr_line_server_due(&scene->server) <
                amgr_clock_monotonic_us());
    assert_true(is_open(scene, fd));
    assert_int_equal(amgr_line_is_gone(scene->waiter), 0);
    answer(scene->waiter, "at last\n", 1);
    is_answered(scene, fd, "at last\n");
    assert_int_equal(taken(scene), 0);
}

static void who_hangs_up_waits_no_more(void **state)
{
    scene_t *scene = *state;
    int fd = say(scene, "wait\n");

    assert_true(is_open(scene, fd));
    close(fd);
    assert_non_null(scene->waiter);
    assert_int_equal(amgr_line_is_gone(scene->waiter), 1);
    serve(scene);
    assert_int_equal(taken(scene), 0);
}

static void patience_has_an_end(void **state)
{
    scene_t *scene = *state;
    amgr_line_client_t *first = &scene->server.clients[0];
    apr_time_t before_us = amgr_clock_monotonic_us();
    char text[8];
    int fd = say(scene, "slow");

    assert_true(is_open(scene, fd));
    assert_int_equal(amgr_line_server_due(&scene->server),
                     first->until_mono_us);
    assert_true(first->until_mono_us >= before_us + AMGR_LINE_PATIENCE_US);
    first->until_mono_us = 0;
    is_answered(scene, fd, "");
    /* And so it has with whoever does not take his answer. */
    fd = say(scene, "long\n");
    serve(scene);
    assert_int_equal(first->phase, AMGR_LINE_WRITING);
    assert_true(first->until_mono_us >= before_us + AMGR_LINE_PATIENCE_US);
    first->until_mono_us = 0;
    serve(scene);
    assert_int_equal(taken(scene), 0);
    assert_in_range(hear(scene, fd, text, sizeof(text)), 1, LONG_BYTES - 1);
}

static void without_descriptors_nobody_is_heard(void **state)
{
    scene_t *scene = *state;
    struct rlimit usual;
    struct rlimit none;
    struct pollfd entries[CLIENTS + 1];
    int fd = say(scene, "hello\n");

    assert_int_equal(getrlimit(RLIMIT_NOFILE, &usual), 0);
    none = usual;
    none.rlim_cur = (rlim_t)fd + 1;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    serve(scene);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &usual), 0);
    assert_int_equal(taken(scene), 0);
    assert_int_not_equal(scene->server.deaf_mono_us, 0);
    scene->server.deaf_mono_us += DEADLINE_US; /* looked at meanwhile */
    assert_int_equal(amgr_line_server_list(&scene->server, entries), 0);
    assert_int_equal(amgr_line_server_due(&scene->server),
                     scene->server.deaf_mono_us);
    scene->server.deaf_mono_us = 0;
    is_answered(scene, fd, "hello");
}

static void at_the_end_all_is_gone(void **state)
{
    scene_t *scene = *state;
    int fd = say(scene, "wait\n");
    char c;

    assert_true(is_open(scene, fd));
    amgr_line_server_end(&scene->server);
    assert_int_equal(recv(fd, &c, 1, 0), 0);
    close(fd);
    assert_int_equal(access(scene->path, F_OK), -1);
}

#define SCENE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCENE(a_line_has_its_answer),
        SCENE(what_is_no_line_is_told),
        SCENE(an_answer_has_any_length),
        SCENE(whoever_is_not_admitted_is_told),
        SCENE(the_rest_waits_outside),
        SCENE(waiting_is_the_owners),
        SCENE(who_hangs_up_waits_no_more),
        SCENE(patience_has_an_end),
        SCENE(without_descriptors_nobody_is_heard),
        SCENE(at_the_end_all_is_gone),
    };

    apr_initialize();
    atexit(apr_terminate);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
