/* SPDX-License-Identifier: Apache-2.0
 *
 * Orders over real sockets to a supervisor that is invented: what is asked and
 * answered, what is waited for, who is heard, and what becomes of those who
 * say nothing, too much or go away.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <apr_general.h>
#include <apr_strings.h>

#include "scratch.h"

#include "base/clock.h"
#include "supervise/order/order_socket.h"

#define NOBODY 65534
#define NEVER_MS 5000

struct amgr_supervisor_t {
    amgr_managed_table_t table;
    int shut;
    int ending;
    int orders;
    int index; /* of the last order */
    int verb;
    int obeyed; /* what is said to it */
};

static struct {
    apr_pool_t *pool;
    amgr_supervisor_t supervisor;
    amgr_teller_t teller;
    amgr_order_socket_t *orders;
    char dir[SCRATCH_SIZE];
    char path[80];
    char said[4096];
    int lines;
} scene;

const amgr_managed_table_t *
amgr_supervisor_table(const amgr_supervisor_t *supervisor)
{
    return &supervisor->table;
}

int amgr_supervisor_foresee(const amgr_supervisor_t *supervisor, int index,
                            int verb)
{
    (void)index; /* one is like the other */
    if (verb == AMGR_VERB_STATUS) {
        return AMGR_OBEYED;
    }
    return supervisor->shut ? AMGR_OBEYED_NOT : supervisor->obeyed;
}

int amgr_supervisor_order(amgr_supervisor_t *supervisor, int index, int verb)
{
    amgr_managed_t *process = &supervisor->table.processes[index];

    supervisor->orders++;
    supervisor->index = index;
    supervisor->verb = verb;
    if (supervisor->shut) {
        return AMGR_OBEYED_NOT;
    }
    process->want =
        verb == AMGR_VERB_STOP ? AMGR_MANAGED_WANT_DOWN : AMGR_MANAGED_WANT_UP;
    if (process->state == AMGR_MANAGED_READY && verb != AMGR_VERB_START) {
        process->state = AMGR_MANAGED_STOPPING;
    }
    /* A change of a state, from within. */
    amgr_order_socket_serve(scene.orders, NULL, 0);
    return supervisor->obeyed;
}

int amgr_supervisor_is_ending(const amgr_supervisor_t *supervisor)
{
    return supervisor->ending;
}

void amgr_supervisor_shut_down(amgr_supervisor_t *supervisor)
{
    supervisor->shut++;
}

int amgr_supervisor_is_settled(const amgr_supervisor_t *supervisor, int index,
                               int verb)
{
    int state = supervisor->table.processes[index].state;

    return state == AMGR_MANAGED_EXITED || state == AMGR_MANAGED_FATAL ||
           state == (verb == AMGR_VERB_STOP ? AMGR_MANAGED_STOPPED
                                            : AMGR_MANAGED_READY);
}

const char *amgr_verb_word(int verb)
{
    static const char *const words[] = {"status", "start", "stop", "restart"};

    return verb < 0 || verb >= AMGR_VERB_COUNT ? "unknown" : words[verb];
}

static void note_line(void *baton, int what, int level, int error,
                      const char *text)
{
    apr_size_t used = strlen(scene.said);

    (void)baton; /* the scene is one */
    scene.lines++;
    snprintf(scene.said + used, sizeof(scene.said) - used, "%d:%d:%d:%s\n",
             what, level, error != 0, text);
}

static void set_process(int index, const char *name, int state)
{
    amgr_managed_t *process = &scene.supervisor.table.processes[index];

    memset(process, 0, sizeof(*process));
    apr_cpystrn(process->name, name, sizeof(process->name));
    process->id = index + 1;
    process->state = state;
    process->exit_code = -1;
    process->want = state == AMGR_MANAGED_STOPPED ? AMGR_MANAGED_WANT_DOWN
                                                  : AMGR_MANAGED_WANT_UP;
    process->ready = state == AMGR_MANAGED_READY;
    process->pid = process->ready ? 1000 + index : 0;
    scene.supervisor.table.count = index + 1;
}

static int setup(void **state)
{
    (void)state; /* the scene is one */
    memset(&scene, 0, sizeof(scene));
    apr_pool_create(&scene.pool, NULL);
    if (scratch_make(scene.dir, 0755) != 0) {
        return -1;
    }
    snprintf(scene.path, sizeof(scene.path), "%s/x.sock", scene.dir);
    set_process(0, "db", AMGR_MANAGED_READY);
    set_process(1, "web", AMGR_MANAGED_STOPPED);
    scene.teller.line = note_line;
    scene.orders =
        amgr_order_socket_create(&scene.supervisor, &scene.teller, scene.pool);
    amgr_order_socket_move(scene.orders, scene.path, 0, NOBODY);
    return 0;
}

static int teardown(void **state)
{
    (void)state; /* the scene is one */
    amgr_order_socket_end(scene.orders);
    unlink(scene.path);
    rmdir(scene.dir);
    apr_pool_destroy(scene.pool);
    return 0;
}

/* What the supervisor's loop does, once. */
static void turn(int timeout_ms)
{
    struct pollfd entries[AMGR_ORDER_CLIENTS_MAX + 1];
    int count = amgr_order_socket_list(scene.orders, entries);

    assert_in_range(count, 0, AMGR_ORDER_CLIENTS_MAX + 1);
    if (poll(entries, (nfds_t)count, timeout_ms) >= 0) {
        amgr_order_socket_serve(scene.orders, entries, count);
    }
}

/* Until there is nothing more to be done. */
static void turns(void)
{
    int i;

    for (i = 0; i < 8; i++) {
        turn(0);
    }
}

static int call_at(const char *path)
{
    struct sockaddr_un address;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    memset(&address, 0, sizeof(address));
    address.sun_family = AF_UNIX;
    snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
    if (connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0) {
        close(fd);
        return -1;
    }
    return fd;
}

static int call(void)
{
    int fd = call_at(scene.path);

    assert_true(fd >= 0);
    return fd;
}

static void say(int fd, const char *text)
{
    assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

/* What has been answered so far; "" for nothing yet, NULL for hung up. */
static const char *heard(int fd)
{
    static char line[AMGR_ORDER_ANSWER_MAX + 1];
    ssize_t got = recv(fd, line, sizeof(line) - 1, 0);

    if (got == 0 || (got < 0 && errno == ECONNRESET)) {
        return NULL;
    }
    line[got < 0 ? 0 : got] = '\0';
    return line;
}

/* The whole of a conversation. */
static const char *ask(const char *line)
{
    int fd = call();
    const char *answer;

    say(fd, line);
    turns();
    answer = heard(fd);
    assert_non_null(answer);
    close(fd);
    turns();
    return answer;
}

/* The same while others keep the socket busy, so that it may be deaf for now. */
static const char *ask_amid_others(const char *line)
{
    apr_time_t begun_us = amgr_clock_monotonic_us();
    int fd = call();
    const char *answer = "";

    say(fd, line);
    while (answer != NULL && answer[0] == '\0' &&
           amgr_clock_monotonic_us() < begun_us + NEVER_MS * APR_TIME_C(1000)) {
        turn(10);
        answer = heard(fd);
    }
    assert_non_null(answer);
    close(fd);
    return answer;
}

static void orders_are_carried_out(void **state)
{
    (void)state; /* the scene is one */
    assert_string_equal(
        ask("{\"verb\":\"status\",\"name\":\"db\"}\n"),
        "{\"ok\":true,\"id\":1,\"name\":\"db\",\"state\":\"READY\",\"want\":"
        "\"up\",\"ready\":true,\"pid\":1000,\"already\":false,"
        "\"settled\":true}\n");
    assert_int_equal(scene.supervisor.orders, 0);
    assert_non_null(strstr(scene.said, "5:4:0:process db: status ordered by "));
    assert_string_equal(
        ask("{\"verb\":\"start\",\"id\":2}\n"),
        "{\"ok\":true,\"id\":2,\"name\":\"web\",\"state\":\"STOPPED\",\"want\":"
        "\"up\",\"ready\":false,\"already\":false,\"settled\":false}\n");
    assert_int_equal(scene.supervisor.index, 1);
    assert_int_equal(scene.supervisor.verb, AMGR_VERB_START);
    assert_non_null(strstr(
        scene.said, apr_psprintf(scene.pool,
                                 "5:2:0:process web: start ordered by process "
                                 "%ld (uid %ld)\n",
                                 (long)getpid(), (long)geteuid())));
    assert_non_null(strstr(ask("{\"verb\":\"restart\",\"name\":\"db\"}\n"),
                           "\"state\":\"STOPPING\""));
    assert_int_equal(scene.supervisor.verb, AMGR_VERB_RESTART);
    scene.supervisor.obeyed = AMGR_OBEYED_ALREADY;
    assert_non_null(strstr(ask("{\"verb\":\"stop\",\"name\":\"db\"}\n"),
                           "\"already\":true,\"settled\":false}\n"));
    assert_non_null(strstr(scene.said, "5:3:0:process db: stop ordered by "));
    assert_int_equal(scene.supervisor.orders, 3);
}

static void ends_are_told(void **state)
{
    amgr_managed_t *web = &scene.supervisor.table.processes[1];

    (void)state; /* the scene is one */
    set_process(1, "web", AMGR_MANAGED_EXITED);
    web->exit_known = 1;
    web->exit_code = 3;
    apr_cpystrn(web->reason, "it said \"no\"\n", sizeof(web->reason));
    assert_non_null(strstr(ask("{\"verb\":\"status\",\"name\":\"web\"}\n"),
                           "\"ready\":false,\"code\":3,\"reason\":"
                           "\"it said \\\"no\\\"\\n\",\"already\":false"));
    web->exit_code = -1;
    web->exit_signal = SIGKILL;
    assert_non_null(strstr(ask("{\"verb\":\"status\",\"name\":\"web\"}\n"),
                           "\"ready\":false,\"signal\":9,"));
    /* The longest texts have room, escaped as they may have to be. */
    memset(web->reason, '\1', sizeof(web->reason) - 1);
    memset(web->name, 'x', sizeof(web->name) - 1);
    assert_non_null(
        strstr(ask("{\"verb\":\"status\",\"id\":2}\n"), "\"settled\":true}\n"));
}

static void what_is_wrong_is_refused(void **state)
{
    static const struct {
        const char *line;
        const char *answer;
    } cases[] = {
        {"{}\n", "400,\"error\":\"verb: not status, start, stop, restart or "
                 "shutdown\""},
        {"{\"verb\":\"kill\",\"name\":\"db\"}\n", "400,\"error\":\"verb: not "},
        {"{\"verb\":\"start\"}\n", "400,\"error\":\"neither name nor id\""},
        {"{\"verb\":\"start\",\"name\":\"\"}\n", "400,\"error\":\"name: empty"},
        {"{\"verb\":\"start\",\"name\":\"db\",\"id\":1}\n",
         "400,\"error\":\"both name and id\""},
        {"{\"verb\":\"shutdown\",\"id\":1}\n",
         "400,\"error\":\"shutdown is of all processes\""},
        {"{\"verb\":\"start\",\"id\":0}\n",
         "400,\"error\":\"id: out of range\""},
        {"{\"verb\":\"start\",\"id\":1,\"wait_ms\":600001}\n",
         "400,\"error\":\"wait_ms: out of range\""},
        {"{\"verb\":\"start\",\"id\":1,\"now\":1}\n",
         "400,\"error\":\"an unknown member\""},
        {"start db\n", "400,\"error\":\"not a flat JSON object\""},
        {"\n", "400,"},
        {"{\"verb\":\"status\",\"id\":1}\n{\"verb\":\"status\",\"id\":1}\n",
         "400,\"error\":\"more than one line\""},
        {"{\"verb\":\"stop\",\"name\":\"d\"}\n",
         "404,\"error\":\"no process of this name\""},
        {"{\"verb\":\"stop\",\"id\":3}\n",
         "404,\"error\":\"no process of this id\""},
    };
    apr_size_t i;

    (void)state; /* the scene is one */
    for (i = 0; i < AMGR_COUNT(cases); i++) {
        const char *answer = ask(cases[i].line);

        if (strstr(answer, cases[i].answer) == NULL ||
            strncmp(answer, "{\"ok\":false,\"status\":4", 22) != 0) {
            fail_msg("%s: %s", cases[i].line, answer);
        }
    }
    assert_int_equal(scene.supervisor.orders, 0);
}

static void lines_have_an_end(void **state)
{
    char longest[AMGR_ORDER_LINE_MAX + 1];
    int fd = call();

    (void)state; /* the scene is one */
    say(fd, "{\"verb\":\"status\",");
    turns();
    assert_string_equal(heard(fd), "");
    say(fd, "\"id\":1}\n");
    turns();
    assert_non_null(strstr(heard(fd), "\"ok\":true"));
    assert_null(heard(fd));
    close(fd);
    memset(longest, ' ', sizeof(longest));
    longest[sizeof(longest) - 1] = '\0';
    assert_non_null(strstr(ask(longest), "400,\"error\":\"too long a line\""));
    fd = call();
    say(fd, "{}");
    shutdown(fd, SHUT_WR);
    turns();
    assert_non_null(strstr(heard(fd), "a line without its end"));
    close(fd);
    /* Nothing at all is answered by nothing. */
    fd = call();
    shutdown(fd, SHUT_WR);
    turns();
    assert_null(heard(fd));
    close(fd);
    /* Whoever is done with writing may still read. */
    fd = call();
    say(fd, "{\"verb\":\"start\",\"id\":2,\"wait_ms\":60000}\n");
    shutdown(fd, SHUT_WR);
    turns();
    assert_string_equal(heard(fd), "");
    scene.supervisor.table.processes[1].state = AMGR_MANAGED_READY;
    turns();
    assert_non_null(strstr(heard(fd), "\"settled\":true"));
    close(fd);
}

static void answers_wait(void **state)
{
    amgr_managed_t *web = &scene.supervisor.table.processes[1];
    int fd = call();
    int other = call();

    (void)state; /* the scene is one */
    say(fd, "{\"verb\":\"start\",\"name\":\"web\",\"wait_ms\":60000}\n");
    turns();
    web->state = AMGR_MANAGED_RUNNING;
    amgr_order_socket_serve(scene.orders, NULL, 0);
    assert_string_equal(heard(fd), "");
    /* Status waits for what is wanted. */
    say(other, "{\"verb\":\"status\",\"name\":\"web\",\"wait_ms\":60000}\n");
    turns();
    assert_string_equal(heard(other), "");
    web->state = AMGR_MANAGED_FATAL;
    amgr_order_socket_serve(scene.orders, NULL, 0);
    assert_non_null(
        strstr(heard(fd), "\"state\":\"FATAL\",\"want\":\"up\",\"ready\":false,"
                          "\"already\":false,\"settled\":true}"));
    assert_null(heard(fd));
    assert_non_null(strstr(heard(other), "\"state\":\"FATAL\""));
    close(fd);
    close(other);
    assert_int_equal(scene.supervisor.orders, 1);
}

static void waiting_has_an_end(void **state)
{
    apr_time_t begun_us = amgr_clock_monotonic_us();
    apr_time_t due_us;
    const char *answer = "";
    int fd = call();

    (void)state; /* the scene is one */
    say(fd, "{\"verb\":\"start\",\"name\":\"web\",\"wait_ms\":200}\n");
    turns();
    due_us = amgr_order_socket_due(scene.orders);
    assert_in_range(due_us, begun_us + 190000, begun_us + 1200000);
    while (answer[0] == '\0' &&
           amgr_clock_monotonic_us() < begun_us + NEVER_MS * 1000) {
        turn(20);
        answer = heard(fd);
        assert_non_null(answer);
    }
    assert_non_null(strstr(answer, "\"state\":\"STOPPED\""));
    assert_non_null(strstr(answer, "\"settled\":false}"));
    assert_true(amgr_clock_monotonic_us() >= begun_us + 200000);
    close(fd);
}

/* An order may take back another that is waited for, and the table change. */
static void other_orders_end_waiting(void **state)
{
    int fd = call();
    int restart;

    (void)state; /* the scene is one */
    say(fd, "{\"verb\":\"start\",\"name\":\"web\",\"wait_ms\":60000}\n");
    turns();
    assert_string_equal(heard(fd), "");
    (void)ask("{\"verb\":\"stop\",\"name\":\"web\"}\n");
    assert_non_null(strstr(heard(fd), "\"state\":\"STOPPED\",\"want\":\"down\","
                                      "\"ready\":false,\"already\":false,"
                                      "\"settled\":true}"));
    close(fd);
    fd = call();
    say(fd, "{\"verb\":\"start\",\"name\":\"web\",\"wait_ms\":60000}\n");
    restart = call();
    say(restart, "{\"verb\":\"restart\",\"id\":1,\"wait_ms\":60000}\n");
    turns();
    /* Its number is another's now, and the other one is gone. */
    set_process(0, "cache", AMGR_MANAGED_READY);
    set_process(1, "db", AMGR_MANAGED_STARTING);
    turns();
    assert_non_null(strstr(heard(fd),
                           "404,\"error\":\"the process is not there "
                           "any more\""));
    assert_string_equal(heard(restart), "");
    set_process(1, "db", AMGR_MANAGED_READY);
    turns();
    assert_non_null(strstr(heard(restart), "\"id\":2,\"name\":\"db\""));
    close(fd);
    close(restart);
}

/* The next supervisor would start what this one has been told to stop. */
static void one_that_ends_takes_no_orders(void **state)
{
    static const char *const orders[] = {
        "{\"verb\":\"shutdown\"}\n",
        "{\"verb\":\"stop\",\"name\":\"web\"}\n",
        "{\"verb\":\"start\",\"name\":\"web\"}\n",
        "{\"verb\":\"restart\",\"name\":\"web\"}\n",
    };
    size_t i;

    (void)state; /* the scene is one */
    scene.supervisor.ending = 1;
    for (i = 0; i < AMGR_COUNT(orders); i++) {
        assert_string_equal(
            ask(orders[i]),
            "{\"ok\":false,\"status\":503,\"error\":\"the supervisor "
            "is about to end, and another would not know of it\"}\n");
    }
    assert_int_equal(scene.supervisor.shut, 0);
    assert_int_equal(scene.supervisor.orders, 0);
    assert_non_null(
        strstr(ask("{\"verb\":\"status\",\"name\":\"web\"}\n"), "\"ok\":true"));
}

static void all_are_shut_down(void **state)
{
    int fd = call();

    (void)state; /* the scene is one */
    say(fd, "{\"verb\":\"shutdown\",\"wait_ms\":60000}\n");
    turns();
    assert_int_equal(scene.supervisor.shut, 1);
    assert_string_equal(heard(fd), "");
    assert_non_null(strstr(scene.said, "5:2:0:shutdown of all processes "
                                       "ordered by process "));
    assert_non_null(
        strstr(ask("{\"verb\":\"start\",\"name\":\"web\"}\n"),
               "{\"ok\":false,\"status\":403,\"error\":\"all "
               "processes are shut down until httpd is restarted\"}\n"));
    assert_non_null(strstr(scene.said, "which is refused while all is shut "));
    assert_non_null(
        strstr(ask("{\"verb\":\"status\",\"name\":\"web\"}\n"), "\"ok\":true"));
    scene.supervisor.table.processes[0].state = AMGR_MANAGED_STOPPED;
    turns();
    assert_string_equal(heard(fd), "{\"ok\":true,\"already\":false,"
                                   "\"settled\":true}\n");
    close(fd);
    assert_string_equal(ask("{\"verb\":\"shutdown\"}\n"),
                        "{\"ok\":true,\"already\":false,\"settled\":true}\n");
}

/* Nobody obeys whom he cannot tell. */
static void who_hung_up_is_not_obeyed(void **state)
{
    int fd = call();

    (void)state; /* the scene is one */
    say(fd, "{\"verb\":\"stop\",\"name\":\"db\"}\n");
    close(fd);
    turns();
    assert_int_equal(scene.supervisor.orders, 0);
    fd = call();
    turns();
    say(fd, "{\"verb\":\"stop\",\"name\":\"db\"}\n");
    close(fd);
    turns();
    assert_int_equal(scene.supervisor.orders, 0);
    /* Who hangs up later leaves room. */
    fd = call();
    say(fd, "{\"verb\":\"start\",\"name\":\"web\",\"wait_ms\":60000}\n");
    turns();
    assert_int_equal(scene.supervisor.orders, 1);
    close(fd);
    turns();
    assert_true(amgr_order_socket_due(scene.orders) >
                amgr_clock_monotonic_us() + 2 * APR_USEC_PER_SEC);
}

static void patience_has_an_end(void **state)
{
    apr_time_t begun_us = amgr_clock_monotonic_us();
    int fd = call();

    (void)state; /* the scene is one */
    say(fd, "{");
    turns();
    while (heard(fd) != NULL) {
        assert_true(amgr_clock_monotonic_us() <
                    begun_us + NEVER_MS * APR_TIME_C(1000));
        turn(50);
    }
    assert_true(amgr_clock_monotonic_us() >= begun_us + 2 * APR_USEC_PER_SEC);
    close(fd);
}

static void only_some_are_let_in(void **state)
{
    static const char line[] =
        "{\"verb\":\"start\",\"name\":\"web\",\"wait_ms\":60000}\n";
    struct pollfd entries[AMGR_ORDER_CLIENTS_MAX + 1];
    int fds[AMGR_ORDER_CLIENTS_MAX + 1];
    int i;

    (void)state; /* the scene is one */
    for (i = 0; i < AMGR_ORDER_CLIENTS_MAX; i++) {
        fds[i] = call();
        say(fds[i], line);
        turns();
    }
    fds[i] = call();
    say(fds[i], "{\"verb\":\"status\",\"name\":\"web\"}\n");
    turns();
    assert_string_equal(heard(fds[i]), "");
    assert_int_equal(amgr_order_socket_list(scene.orders, entries),
                     AMGR_ORDER_CLIENTS_MAX);
    assert_int_equal(scene.supervisor.orders, AMGR_ORDER_CLIENTS_MAX);
    close(fds[0]);
    turns();
    assert_non_null(strstr(heard(fds[i]), "\"ok\":true"));
    for (i = 1; i <= AMGR_ORDER_CLIENTS_MAX; i++) {
        close(fds[i]);
    }
    turns();
}

/* Without a descriptor there is no busy loop. */
static void nobody_is_let_in_without_descriptors(void **state)
{
    struct pollfd entries[AMGR_ORDER_CLIENTS_MAX + 1];
    struct rlimit before;
    struct rlimit none;
    int fd = call();
    int listed;

    (void)state; /* the scene is one */
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    none = before;
    none.rlim_cur = (rlim_t)fd + 1;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    turn(0);
    listed = amgr_order_socket_list(scene.orders, entries);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    assert_int_equal(listed, 0);
    assert_true(amgr_order_socket_due(scene.orders) <=
                amgr_clock_monotonic_us() + 100000);
    say(fd, "{\"verb\":\"status\",\"name\":\"web\"}\n");
    while (heard(fd)[0] == '\0') {
        turn(20);
    }
    close(fd);
}

static void it_moves(void **state)
{
    const char *there = apr_pstrcat(scene.pool, scene.dir, "/y.sock", NULL);
    struct pollfd entries[AMGR_ORDER_CLIENTS_MAX + 1];
    int fd = call();

    (void)state; /* the scene is one */
    say(fd, "{\"verb\":\"start\",\"name\":\"web\",\"wait_ms\":60000}\n");
    turns();
    amgr_order_socket_move(scene.orders, there, 0, NOBODY);
    assert_int_equal(access(scene.path, F_OK), -1);
    assert_int_equal(call_at(scene.path), -1);
    close(call_at(there));
    /* Who waits goes on. */
    scene.supervisor.table.processes[1].state = AMGR_MANAGED_READY;
    turns();
    assert_non_null(strstr(heard(fd), "\"settled\":true"));
    close(fd);
    amgr_order_socket_move(scene.orders, "", 0, NOBODY);
    assert_int_equal(access(there, F_OK), -1);
    assert_int_equal(amgr_order_socket_due(scene.orders), AMGR_NO_TIME);
    assert_int_equal(amgr_order_socket_list(scene.orders, entries), 0);
    turns();
    scene.said[0] = '\0';
    amgr_order_socket_move(scene.orders, "/tmp/amgr-nowhere/x", 0, NOBODY);
    amgr_order_socket_move(scene.orders, "/tmp/amgr-nowhere/x", 0, NOBODY);
    assert_string_equal(scene.said,
                        "5:1:0:order socket /tmp/amgr-nowhere/x: its directory "
                        "is missing, or others may change it\n");
    amgr_order_socket_move(scene.orders, scene.path, 0, NOBODY);
    close(call());
    assert_true(amgr_order_socket_due(scene.orders) <=
                amgr_clock_monotonic_us() + 5 * APR_USEC_PER_SEC);
}

/* A process of another user that sends @a line and reads: its exit code tells
 * whether the answer had @a want in it; @a stay: it waits until it is killed. */
static pid_t as_nobody(const char *line, const char *want, int stay)
{
    pid_t pid = fork();

    if (pid == 0) {
        char answer[AMGR_ORDER_ANSWER_MAX + 1];
        ssize_t got = 0;
        int fd;

        if (setgid(NOBODY) != 0 || setuid(NOBODY) != 0) {
            _exit(3);
        }
        fd = call_at(scene.path);
        if (fd < 0) {
            _exit(errno == EACCES && want == NULL ? 0 : 2);
        }
        alarm(20);
        if (send(fd, line, strlen(line), MSG_NOSIGNAL) > 0 && stay) {
            pause();
        }
        while (got <= 0 &&
               poll(&(struct pollfd){fd, POLLIN, 0}, 1, NEVER_MS) > 0) {
            got = recv(fd, answer, sizeof(answer) - 1, 0);
        }
        answer[got < 0 ? 0 : got] = '\0';
        _exit(want != NULL && strstr(answer, want) != NULL ? 0 : 1);
    }
    assert_true(pid > 0);
    return pid;
}

static int end_of(pid_t pid)
{
    apr_time_t begun_us = amgr_clock_monotonic_us();
    int status = 0;

    while (waitpid(pid, &status, WNOHANG) == 0) {
        if (amgr_clock_monotonic_us() >
            begun_us + NEVER_MS * APR_TIME_C(1000)) {
            kill(pid, SIGKILL);
        }
        turn(10);
    }
    return status;
}

/* Only root can have others. */
static void others_are_heard_when_let(void **state)
{
    static const char stop[] = "{\"verb\":\"stop\",\"name\":\"db\"}\n";
    struct stat st;

    (void)state; /* the scene is one */
    if (geteuid() != 0) {
        return;
    }
    assert_int_equal(end_of(as_nobody(stop, NULL, 0)), 0);
    /* Somebody else has let him in. */
    assert_int_equal(chmod(scene.path, 0666), 0);
    assert_int_equal(
        end_of(as_nobody(stop, "403,\"error\":\"orders are root's", 0)), 0);
    assert_int_equal(end_of(as_nobody(stop, "403,", 0)), 0);
    assert_non_null(strstr(scene.said, "of uid 65534 may not give orders: has "
                                       "somebody changed the mode of "));
    assert_null(strstr(strstr(scene.said, "65534") + 1, "65534"));
    assert_int_equal(scene.supervisor.orders, 0);
    amgr_order_socket_move(scene.orders, scene.path, 1, NOBODY);
    assert_int_equal(stat(scene.path, &st), 0);
    assert_int_equal(st.st_uid, NOBODY);
    assert_int_equal(st.st_mode & 07777, 0600);
    assert_int_equal(end_of(as_nobody(stop, "\"ok\":true", 0)), 0);
    assert_int_equal(scene.supervisor.orders, 1);
    assert_non_null(strstr(scene.said, "(uid 65534)\n"));
    /* Not any more. */
    assert_int_equal(chmod(scene.path, 0600), 0);
    amgr_order_socket_move(scene.orders, scene.path, 0, NOBODY);
    assert_int_equal(stat(scene.path, &st), 0);
    assert_int_equal(st.st_uid, 0);
}

/* Whoever httpd's User is, root gets in. */
static void others_do_not_take_all_room(void **state)
{
    static const char line[] =
        "{\"verb\":\"start\",\"name\":\"web\",\"wait_ms\":60000}\n";
    pid_t pids[AMGR_ORDER_CLIENTS_MAX - 4];
    apr_time_t begun_us = amgr_clock_monotonic_us();
    apr_size_t i;

    (void)state; /* the scene is one */
    if (geteuid() != 0) {
        return;
    }
    amgr_order_socket_move(scene.orders, scene.path, 1, NOBODY);
    for (i = 0; i < AMGR_COUNT(pids); i++) {
        pids[i] = as_nobody(line, "", 1);
    }
    while (scene.supervisor.orders < (int)AMGR_COUNT(pids) &&
           amgr_clock_monotonic_us() < begun_us + NEVER_MS * 1000) {
        turn(10);
    }
    assert_int_equal(end_of(as_nobody(line, "\"status\":503,", 0)), 0);
    assert_non_null(
        strstr(ask("{\"verb\":\"status\",\"name\":\"web\"}\n"), "\"ok\":true"));
    assert_int_equal(scene.supervisor.orders, AMGR_COUNT(pids));
    for (i = 0; i < AMGR_COUNT(pids); i++) {
        kill(pids[i], SIGKILL);
        assert_int_equal(waitpid(pids[i], NULL, 0), pids[i]);
    }
    turns();
    assert_int_equal(
        end_of(as_nobody("{\"verb\":\"status\",\"id\":1}\n", "\"ok\":true", 0)),
        0);
}

/* Order after order of another user, as fast as it goes, until it is killed;
 * its exit code is of no account. */
static pid_t flood_as_nobody(const char *line)
{
    pid_t pid = fork();

    if (pid == 0) {
        char answer[64];

        if (setgid(NOBODY) != 0 || setuid(NOBODY) != 0) {
            _exit(3);
        }
        alarm(20);
        for (;;) {
            int fd = call_at(scene.path);

            if (fd >= 0 && send(fd, line, strlen(line), MSG_NOSIGNAL) > 0 &&
                poll(&(struct pollfd){fd, POLLIN, 0}, 1, 1000) > 0 &&
                recv(fd, answer, sizeof(answer), 0) < 0) {
                /* the next one all the same */
            }
            close(fd);
        }
    }
    assert_true(pid > 0);
    return pid;
}

/* Neither the log nor the time of root are a worker's to spend. */
static void a_flood_of_others_is_bounded(void **state)
{
    static const char stop[] = "{\"verb\":\"stop\",\"name\":\"db\"}\n";
    apr_time_t begun_us = amgr_clock_monotonic_us();
    int turned = 0;
    pid_t pid;

    (void)state; /* the scene is one */
    if (geteuid() != 0) {
        return;
    }
    amgr_order_socket_move(scene.orders, scene.path, 1, NOBODY);
    scene.supervisor.obeyed = AMGR_OBEYED_ALREADY;
    pid = flood_as_nobody(stop);
    while (amgr_clock_monotonic_us() - begun_us < 2 * APR_USEC_PER_SEC) {
        turn(10);
        turned++;
        scene.said[0] = '\0';
    }
    assert_in_range(scene.supervisor.orders, 50, 120);
    assert_non_null(
        strstr(ask_amid_others("{\"verb\":\"status\",\"name\":\"web\"}\n"),
               "\"ok\":true"));
    kill(pid, SIGKILL);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    assert_in_range(turned, 1, 2500);
    assert_in_range(scene.lines, 50, 130);
}

int main(void)
{
#define SCENE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        SCENE(orders_are_carried_out),
        SCENE(ends_are_told),
        SCENE(what_is_wrong_is_refused),
        SCENE(lines_have_an_end),
        SCENE(answers_wait),
        SCENE(waiting_has_an_end),
        SCENE(other_orders_end_waiting),
        SCENE(all_are_shut_down),
        SCENE(one_that_ends_takes_no_orders),
        SCENE(who_hung_up_is_not_obeyed),
        SCENE(patience_has_an_end),
        SCENE(only_some_are_let_in),
        SCENE(nobody_is_let_in_without_descriptors),
        SCENE(it_moves),
        SCENE(others_are_heard_when_let),
        SCENE(others_do_not_take_all_room),
        SCENE(a_flood_of_others_is_bounded),
    };

    apr_initialize();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
