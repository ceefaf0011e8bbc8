/* SPDX-License-Identifier: Apache-2.0
 *
 * Giving an order: what an answer is and what is none, and what becomes of it
 * with servers that answer, say nothing, go away, lie, or are not there.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "scratch.h"

#include "base/clock.h"
#include "supervise/order/order_client.h"

#define NOBODY 65534

/* What a server does with whoever comes. */
typedef enum manner_e {
    ANSWER = 0, /* read a line, then say the text */
    BLURT,      /* say the text and hang up, unread */
    SILENCE,    /* read, and nothing more */
    DEAFNESS    /* let nobody in */
} manner_e;

typedef struct scene_t {
    char dir[SCRATCH_SIZE];
    char path[80];
    char note[80]; /* what the server was told */
    pid_t server;
} scene_t;

static int setup(void **state)
{
    scene_t *scene = calloc(1, sizeof(*scene));

    if (scratch_make(scene->dir, 0777) != 0) {
        return -1;
    }
    snprintf(scene->path, sizeof(scene->path), "%s/x.sock", scene->dir);
    snprintf(scene->note, sizeof(scene->note), "%s/note", scene->dir);
    *state = scene;
    return 0;
}

static void end_server(scene_t *scene)
{
    if (scene->server > 0) {
        kill(scene->server, SIGKILL);
        waitpid(scene->server, NULL, 0);
        scene->server = 0;
    }
    unlink(scene->path);
}

static int teardown(void **state)
{
    scene_t *scene = *state;

    end_server(scene);
    unlink(scene->note);
    rmdir(scene->dir);
    free(scene);
    return 0;
}

static void write_note(const scene_t *scene, const char *line, ssize_t len)
{
    FILE *f = fopen(scene->note, "w");

    if (f != NULL && len > 0) {
        fwrite(line, 1, (size_t)len, f);
    }
    if (f != NULL) {
        fclose(f);
    }
}

static void serve(const scene_t *scene, int listener, int manner,
                  const char *text)
{
    char line[1024];
    ssize_t len = 0;
    int fd;

    while (manner == DEAFNESS) {
        pause();
    }
    fd = accept(listener, NULL, NULL);
    if (manner != BLURT) {
        len = recv(fd, line, sizeof(line), 0);
        write_note(scene, line, len);
    }
    while (manner == SILENCE) {
        pause();
    }
    if (send(fd, text, strlen(text), MSG_NOSIGNAL) < 0) {
        _exit(1);
    }
}

/* A server for one; it listens when this returns. */
static void start(scene_t *scene, uid_t uid, int manner, const char *text)
{
    struct sockaddr_un address;
    char byte;
    int ready[2];

    end_server(scene);
    assert_int_equal(pipe(ready), 0);
    scene->server = fork();
    assert_true(scene->server >= 0);
    if (scene->server == 0) {
        int listener = socket(AF_UNIX, SOCK_STREAM, 0);

        alarm(30);
        memset(&address, 0, sizeof(address));
        address.sun_family = AF_UNIX;
        snprintf(address.sun_path, sizeof(address.sun_path), "%s", scene->path);
        if ((uid != geteuid() && setuid(uid) != 0) ||
            bind(listener, (struct sockaddr *)&address, sizeof(address)) != 0 ||
            listen(listener, 0) != 0 || write(ready[1], "x", 1) != 1) {
            _exit(1);
        }
        serve(scene, listener, manner, text);
        _exit(0);
    }
    close(ready[1]);
    assert_int_equal(read(ready[0], &byte, 1), 1);
    close(ready[0]);
}

static const char *noted(const scene_t *scene)
{
    static char line[1024];
    FILE *f = fopen(scene->note, "r");

    assert_non_null(f);
    line[fread(line, 1, sizeof(line) - 1, f)] = '\0';
    fclose(f);
    return line;
}

static apr_status_t parse(const char *text, amgr_order_answer_t *out)
{
    /* Memory of exactly its size, so that a byte too far is seen. */
    size_t len = strlen(text);
    char *copy = test_malloc(len > 0 ? len : 1);
    apr_status_t rv;

    memcpy(copy, text, len);
    rv = amgr_order_answer_parse(copy, len, out);
    test_free(copy);
    return rv;
}

static void answers_are_read(void **state)
{
    amgr_order_answer_t out;

    (void)state; /* cmocka's signature */
    assert_int_equal(
        parse("{\"ok\":true,\"id\":7,\"name\":\"web\",\"state\":\"BACKOFF\","
              "\"want\":\"up\",\"ready\":false,\"code\":3,\"reason\":"
              "\"\\\"no\\\" \\u00e4\\u20ac\\u0041\\n\\\\\\/\",\"already\":true,"
              "\"settled\":false}",
              &out),
        APR_SUCCESS);
    assert_int_equal(out.ok, 1);
    assert_int_equal(out.status, 200);
    assert_int_equal(out.id, 7);
    assert_string_equal(out.name, "web");
    assert_int_equal(out.state, AMGR_MANAGED_BACKOFF);
    assert_int_equal(out.want, AMGR_MANAGED_WANT_UP);
    assert_int_equal(out.ready, 0);
    assert_int_equal(out.exit_code, 3);
    assert_int_equal(out.exit_signal, 0);
    assert_int_equal(out.pid, 0);
    assert_string_equal(out.reason, "\"no\" \xc3\xa4\xe2\x82\xac"
                                    "A\n\\/");
    assert_int_equal(out.already, 1);
    assert_int_equal(out.settled, 0);
    assert_int_equal(
        parse("{\"ok\":false,\"status\":404,\"error\":\"no\"}", &out),
        APR_SUCCESS);
    assert_int_equal(out.ok, 0);
    assert_int_equal(out.status, 404);
    assert_string_equal(out.error, "no");
    assert_int_equal(out.state, -1);
    assert_int_equal(out.want, -1);
    assert_int_equal(out.exit_code, -1);
    /* Of another version, and with blanks. */
    assert_int_equal(parse("{ \"ok\" : true, \"x\":1.5e3 ,\"y\":\"\","
                           "\"z\":null,\"state\":\"SLEEPING\",\"pid\":41}",
                           &out),
                     APR_SUCCESS);
    assert_int_equal(out.state, -1);
    assert_int_equal(out.pid, 41);
}

/* Texts are cut where there is no more room, and end. */
static void long_texts_are_cut(void **state)
{
    amgr_order_answer_t out;
    char line[2048];

    (void)state; /* cmocka's signature */
    snprintf(line, sizeof(line),
             "{\"ok\":false,\"status\":500,\"error\":\"%0600d\",\"name\":"
             "\"%0100d\",\"reason\":\"\\u0000\\ud83d%0500d\",\"%0100d\":1}",
             1, 2, 3, 4);
    assert_int_equal(parse(line, &out), APR_SUCCESS);
    assert_int_equal(strlen(out.error), sizeof(out.error) - 1);
    assert_int_equal(strlen(out.name), sizeof(out.name) - 1);
    assert_int_equal(strlen(out.reason), sizeof(out.reason) - 1);
    assert_memory_equal(out.reason, "??000", 5);
}

static void what_is_no_answer_is_none(void **state)
{
    static const char *const cases[] = {
        "",
        "ok",
        "{}",
        "{\"ok\":1}",
        "{\"ok\":\"true\"}",
        "{\"ok\":tru}",
        "{\"ok\":true",
        "{\"ok\":true}x",
        "{\"ok\":true,}",
        "{\"ok\":true \"x\":1}",
        "{\"status\":200}",
        "{\"ok\":false}",
        "{\"ok\":false,\"status\":99}",
        "{\"ok\":false,\"status\":600}",
        "{\"ok\":false,\"status\":-404}",
        "{\"ok\":true,\"pid\":0}",
        "{\"ok\":true,\"pid\":-1}",
        "{\"ok\":true,\"pid\":2147483648}",
        "{\"ok\":true,\"pid\":99999999999999999999}",
        "{\"ok\":true,\"pid\":1.5}",
        "{\"ok\":true,\"pid\":\"1\"}",
        "{\"ok\":true,\"pid\":99999999999999999999999999}",
        "{\"ok\":true,\"code\":256}",
        "{\"ok\":true,\"signal\":0}",
        "{\"ok\":true,\"id\":0}",
        "{\"ok\":true,\"name\":1}",
        "{\"ok\":true,\"state\":1}",
        "{\"ok\":true,\"reason\":null}",
        "{\"ok\":true,\"x\":[1]}",
        "{\"ok\":true,\"x\":{}}",
        "{\"ok\":true,\"x\":}",
        "{\"ok\":true,\"x\":\"\\",
        "{\"ok\":true,\"x\":\"\\q\"}",
        "{\"ok\":true,\"x\":\"\\u12\"}",
        "{\"ok\":true,\"x\":\"\\u12x4\"}",
        "{\"ok\":true,\"x\":\"abc",
        "[\"ok\",true]",
    };
    amgr_order_answer_t out;
    apr_size_t i;

    (void)state; /* cmocka's signature */
    for (i = 0; i < AMGR_COUNT(cases); i++) {
        if (parse(cases[i], &out) != APR_EGENERAL) {
            fail_msg("'%s' passed", cases[i]);
        }
    }
}

static void it_is_asked_and_answered(void **state)
{
    scene_t *scene = *state;
    amgr_order_answer_t out;

    start(scene, geteuid(), ANSWER,
          "{\"ok\":true,\"id\":1,\"name\":\"web\",\"state\":\"READY\","
          "\"ready\":true,\"pid\":41,\"settled\":true}\n");
    assert_int_equal(
        amgr_order_ask(scene->path, "restart", "web", 0, 1500, &out),
        APR_SUCCESS);
    assert_int_equal(out.ok, 1);
    assert_int_equal(out.state, AMGR_MANAGED_READY);
    assert_int_equal(out.pid, 41);
    assert_string_equal(noted(scene), "{\"verb\":\"restart\",\"name\":\"web\","
                                      "\"wait_ms\":1500}\n");
    start(scene, geteuid(), ANSWER, "{\"ok\":true}\nmore");
    assert_int_equal(amgr_order_ask(scene->path, "stop", "", 12, 0, &out),
                     APR_SUCCESS);
    assert_string_equal(noted(scene),
                        "{\"verb\":\"stop\",\"id\":12,\"wait_ms\":0}\n");
    start(scene, geteuid(), ANSWER, "{\"ok\":true}\n");
    assert_int_equal(amgr_order_ask(scene->path, "shutdown", NULL, 0, 0, &out),
                     APR_SUCCESS);
    assert_string_equal(noted(scene),
                        "{\"verb\":\"shutdown\",\"wait_ms\":0}\n");
    /* Who is not let in is told why without being read. */
    start(scene, geteuid(), BLURT,
          "{\"ok\":false,\"status\":503,\"error\":\"later\"}\n");
    assert_int_equal(amgr_order_ask(scene->path, "stop", "web", 0, 0, &out),
                     APR_SUCCESS);
    assert_int_equal(out.ok, 0);
    assert_int_equal(out.status, 503);
    assert_string_equal(out.error, "later");
}

static void what_cannot_be_asked_is_not(void **state)
{
    scene_t *scene = *state;
    amgr_order_answer_t out;
    char name[AMGR_MANAGED_NAME_LEN + 1];
    char path[200];

    memset(name, 'x', sizeof(name));
    name[sizeof(name) - 1] = '\0';
    memset(path, '/', sizeof(path));
    path[sizeof(path) - 1] = '\0';
    assert_int_equal(amgr_order_ask(scene->path, "stop", name, 0, 0, &out),
                     APR_EINVAL);
    assert_int_equal(amgr_order_ask(scene->path, "stop", "a\"b", 0, 0, &out),
                     APR_EINVAL);
    assert_int_equal(amgr_order_ask(scene->path, "st op", "a", 0, 0, &out),
                     APR_EINVAL);
    assert_int_equal(amgr_order_ask(scene->path, "stop", "a", -1, 0, &out),
                     APR_EINVAL);
    assert_int_equal(amgr_order_ask(scene->path, "stop", "a", 0, -1, &out),
                     APR_EINVAL);
    assert_int_equal(amgr_order_ask(scene->path, "stop", "a", 0,
                                    AMGR_ORDER_WAIT_MAX_MS + 1, &out),
                     APR_EINVAL);
    assert_int_equal(amgr_order_ask(path, "stop", "a", 0, 0, &out), APR_EINVAL);
}

static void nobody_is_there(void **state)
{
    scene_t *scene = *state;
    amgr_order_answer_t out;
    int path_kept;

    assert_int_equal(amgr_order_ask(scene->path, "stop", "a", 0, 0, &out),
                     ENOENT);
    assert_int_equal(
        amgr_order_ask("/tmp/amgr-nowhere/x", "stop", "a", 0, 0, &out), ENOENT);
    /* One that was killed has left its file. */
    start(scene, geteuid(), DEAFNESS, "");
    kill(scene->server, SIGKILL);
    waitpid(scene->server, NULL, 0);
    scene->server = 0;
    path_kept = access(scene->path, F_OK) == 0;
    assert_true(path_kept);
    assert_int_equal(amgr_order_ask(scene->path, "stop", "a", 0, 0, &out),
                     ECONNREFUSED);
}

static void nonsense_is_no_answer(void **state)
{
    scene_t *scene = *state;
    amgr_order_answer_t out;
    char longest[AMGR_ORDER_ANSWER_MAX + 100];

    start(scene, geteuid(), ANSWER, "");
    assert_int_equal(amgr_order_ask(scene->path, "stop", "a", 0, 0, &out),
                     APR_EGENERAL);
    start(scene, geteuid(), ANSWER, "{\"ok\":true}");
    assert_int_equal(amgr_order_ask(scene->path, "stop", "a", 0, 0, &out),
                     APR_EGENERAL);
    start(scene, geteuid(), ANSWER, "HTTP/1.1 400 Bad Request\r\n");
    assert_int_equal(amgr_order_ask(scene->path, "stop", "a", 0, 0, &out),
                     APR_EGENERAL);
    memset(longest, ' ', sizeof(longest) - 1);
    longest[sizeof(longest) - 1] = '\0';
    start(scene, geteuid(), ANSWER, longest);
    assert_int_equal(amgr_order_ask(scene->path, "stop", "a", 0, 0, &out),
                     APR_EGENERAL);
}

/* The time is over, whatever it was spent with. */
static void assert_late(const scene_t *scene)
{
    apr_time_t begun_us = amgr_clock_monotonic_us();
    amgr_order_answer_t out;

    assert_int_equal(amgr_order_ask(scene->path, "stop", "a", 0, 100, &out),
                     APR_TIMEUP);
    begun_us = amgr_clock_monotonic_us() - begun_us;
    assert_in_range(begun_us, AMGR_ORDER_GRACE_US + 100000,
                    2 * AMGR_ORDER_GRACE_US);
}

static void silence_has_an_end(void **state)
{
    scene_t *scene = *state;

    start(scene, geteuid(), SILENCE, "");
    assert_late(scene);
}

static void a_queue_has_an_end(void **state)
{
    scene_t *scene = *state;
    struct sockaddr_un address;
    int before[4];
    int i;

    start(scene, geteuid(), DEAFNESS, "");
    memset(&address, 0, sizeof(address));
    address.sun_family = AF_UNIX;
    snprintf(address.sun_path, sizeof(address.sun_path), "%s", scene->path);
    for (i = 0; i < 4; i++) {
        before[i] = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
        (void)connect(before[i], (struct sockaddr *)&address,
                      sizeof(address)); /* until no more get in */
    }
    assert_late(scene);
    for (i = 0; i < 4; i++) {
        close(before[i]);
    }
}

/* Only root can have others. */
static void strangers_are_not_asked(void **state)
{
    static const char fine[] = "{\"ok\":true}\n";
    scene_t *scene = *state;
    amgr_order_answer_t out;
    int status;
    pid_t pid;

    if (geteuid() != 0) {
        return;
    }
    start(scene, NOBODY, ANSWER, fine);
    assert_int_equal(amgr_order_ask(scene->path, "stop", "a", 0, 0, &out),
                     APR_EMISMATCH);
    start(scene, NOBODY, ANSWER, fine);
    assert_int_equal(
        amgr_order_ask_user(scene->path, NOBODY, "stop", "a", 0, 0, &out),
        APR_SUCCESS);
    /* Root is not who was meant. */
    start(scene, 0, ANSWER, fine);
    assert_int_equal(
        amgr_order_ask_user(scene->path, NOBODY, "stop", "a", 0, 0, &out),
        APR_EMISMATCH);
    start(scene, 0, ANSWER, fine);
    assert_int_equal(chmod(scene->path, 0600), 0);
    pid = fork();
    if (pid == 0) {
        _exit(setuid(NOBODY) == 0 && amgr_order_ask(scene->path, "stop", "a", 0,
                                                    0, &out) == EACCES
                  ? 0
                  : 1);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

int main(void)
{
#define SCENE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_are_read),
        cmocka_unit_test(long_texts_are_cut),
        cmocka_unit_test(what_is_no_answer_is_none),
        SCENE(it_is_asked_and_answered),
        SCENE(what_cannot_be_asked_is_not),
        SCENE(nobody_is_there),
        SCENE(nonsense_is_no_answer),
        SCENE(silence_has_an_end),
        SCENE(a_queue_has_an_end),
        SCENE(strangers_are_not_asked),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
