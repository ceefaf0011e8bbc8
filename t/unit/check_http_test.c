/* SPDX-License-Identifier: Apache-2.0
 *
 * The verifier http and peers of every kind, forked by the test, on loopback.
 * Each costs an attempt of bounded time and nothing else.
 */
#include <arpa/inet.h>
#include <dirent.h>
#include <netinet/in.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include "check_run.h"

/** What a peer does with a connection. */
typedef void answer_fn(int fd);

/** A server of the test's own. */
typedef struct peer_t {
    run_t *run;
    int port;
    int *connections; /**< shared: how many were accepted */
} peer_t;

static int listen_at(int *out_port)
{
    struct sockaddr_in at = {.sin_family = AF_INET};
    socklen_t len = sizeof(at);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_true(fd >= 0);
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(bind(fd, (struct sockaddr *)&at, len), 0);
    assert_int_equal(listen(fd, 16), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &len), 0);
    *out_port = ntohs(at.sin_port);
    return fd;
}

static void serve(int listener, answer_fn *answer, int *connections)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    signal(SIGPIPE, SIG_IGN);
    alarm(60);
    for (;;) {
        int fd = accept(listener, NULL, NULL);

        if (fd >= 0) {
            (*connections)++;
            answer(fd);
            close(fd);
        }
    }
}

static void peer_start(peer_t *peer, run_t *run, answer_fn *answer)
{
    int listener = listen_at(&peer->port);

    peer->connections = mmap(NULL, sizeof(int), PROT_READ | PROT_WRITE,
                             MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(peer->connections != MAP_FAILED);
    peer->run = run;
    run->helper = fork();
    if (run->helper == 0) {
        serve(listener, answer, peer->connections);
    }
    assert_true(run->helper > 0);
    close(listener);
}

static void peer_end(peer_t *peer)
{
    pid_t pid = peer->run->helper;

    assert_int_equal(kill(pid, SIGKILL), 0);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    peer->run->helper = 0;
    munmap(peer->connections, sizeof(int));
}

static void put(int fd, const char *text)
{
    ssize_t ignored = write(fd, text, strlen(text));

    (void)ignored; /* whoever asked may be gone */
}

/* The head of a request, up to a bound. */
static void read_request(int fd, char *buf, size_t size)
{
    size_t used = 0;

    buf[0] = '\0';
    while (used < size - 1 && strstr(buf, "\r\n\r\n") == NULL) {
        ssize_t n = read(fd, buf + used, size - 1 - used);

        if (n <= 0) {
            return;
        }
        used += (size_t)n;
        buf[used] = '\0';
    }
}

static void answer_with(int fd, const char *text)
{
    char request[4096];

    read_request(fd, request, sizeof(request));
    put(fd, text);
    shutdown(fd, SHUT_WR);
    read_request(fd, request, sizeof(request));
}

static void answer_ok(int fd)
{
    answer_with(fd, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
}

static void answer_500(int fd)
{
    answer_with(fd, "HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n");
}

static void answer_302(int fd)
{
    answer_with(fd, "HTTP/1.1 302 Found\r\nContent-Length: 4\r\n"
                    "Location: /login?token=" SECRET "\r\n\r\nthere");
}

static void answer_elsewhere(int fd)
{
    answer_with(fd, "HTTP/1.1 301 Moved\r\nContent-Length: 0\r\n"
                    "Location: https://u:" SECRET "@192.0.2.1/x#y\r\n\r\n");
}

static void answer_garbage(int fd)
{
    answer_with(fd, "\033[2Jgarbage\r\n\r\n");
}

static void answer_nothing(int fd)
{
    answer_with(fd, "");
}

/* Until whoever asked has gone. */
static void answer_silence(int fd)
{
    char byte;

    while (read(fd, &byte, 1) > 0) {
        continue;
    }
}

static void answer_slowly(int fd)
{
    static const char head[] = "HTTP/1.1 200 OK\r\nX-Wait: ";

    put(fd, head);
    while (write(fd, "x", 1) == 1) {
        usleep(10000);
    }
}

static void answer_endless_head(int fd)
{
    put(fd, "HTTP/1.1 200 OK\r\n");
    while (write(fd, "X-More: and more and more\r\n", 27) == 27) {
        continue;
    }
}

/* 100 MiB, as far as somebody takes them. */
static void answer_endless_body(int fd)
{
    static char piece[65536];
    char request[4096];
    int i;

    read_request(fd, request, sizeof(request));
    put(fd, "HTTP/1.1 200 OK\r\nContent-Length: 104857600\r\n\r\n");
    for (i = 0; i < 1600; i++) {
        if (write(fd, piece, sizeof(piece)) != (ssize_t)sizeof(piece)) {
            return;
        }
    }
}

/* What was sent along: the password, and both headers. */
static void answer_if_asked_well(int fd)
{
    char request[4096];

    read_request(fd, request, sizeof(request));
    put(fd, strstr(request, "\r\nX-Token: a: b\r\n") != NULL &&
                    strstr(request, "\r\nHost: app.example\r\n") != NULL &&
                    strstr(request, "\r\nAuthorization: Basic "
                                    "dTpwdy1zZXNhbWU=\r\n") != NULL &&
                    strncmp(request, "GET /health?deep=1 HTTP/1.1\r\n", 29) == 0
                ? "HTTP/1.1 204 Fine\r\n\r\n"
                : "HTTP/1.1 400 Not fine\r\n\r\n");
}

static const char *url_of(run_t *run, const peer_t *peer)
{
    return apr_psprintf(run->pool, "http://u:" SECRET "@127.0.0.1:%d/health",
                        peer->port);
}

static void http_is_judged_by_its_status(void **state)
{
    static const struct {
        answer_fn *answer;
        const char *text; /**< NULL: it passes */
        int timeout_ms;
    } cases[] = {
        {answer_ok, NULL, 0},
        {answer_500, "status 500", 0},
        {answer_elsewhere, "redirected to https://192.0.2.1/x", 0},
        {answer_garbage, "what answers there does not speak HTTP", 0},
        {answer_nothing, "the connection was closed without an answer", 0},
        /* It has to be asked within that, by a program of its own. */
        {answer_silence, "no answer within 2s", 2000},
        {answer_slowly, "no answer within 2s", 2000},
        {answer_endless_head, "the answer's head is too long", 0},
        {answer_endless_body, NULL, 0},
    };
    run_t *run = *state;
    peer_t peer;
    size_t i;

    for (i = 0; i < AMGR_COUNT(cases); i++) {
        peer_start(&peer, run, cases[i].answer);
        set_verify(&run->spec.verify, AMGR_VERIFY_HTTP, "http",
                   url_of(run, &peer));
        if (cases[i].timeout_ms != 0) {
            run->spec.verify.timeout_us = cases[i].timeout_ms * MSEC;
        }
        if (cases[i].text == NULL) {
            passes(run);
        }
        else {
            fails(run, cases[i].text);
        }
        assert_int_equal(*peer.connections, 1);
        peer_end(&peer);
    }
}

static void other_statuses_may_pass(void **state)
{
    run_t *run = *state;
    peer_t peer;

    peer_start(&peer, run, answer_302);
    set_verify(&run->spec.verify, AMGR_VERIFY_HTTP, "http", url_of(run, &peer));
    fails(run,
          apr_psprintf(run->pool, "redirected to http://127.0.0.1:%d/login",
                       peer.port));
    run->spec.verify.status_max = 399;
    passes(run);
    run->spec.verify.status_min = 302;
    run->spec.verify.status_max = 302;
    passes(run);
    run->spec.verify.status_min = 303;
    run->spec.verify.status_max = 599;
    attempt(run, AMGR_CHECK_FAILED);
    peer_end(&peer);
}

static void http_asks_as_it_is_told(void **state)
{
    run_t *run = *state;
    peer_t peer;

    peer_start(&peer, run, answer_if_asked_well);
    set_verify(&run->spec.verify, AMGR_VERIFY_HTTP, "http",
               apr_pstrcat(run->pool, url_of(run, &peer), "?deep=1", NULL));
    run->spec.verify.headers = apr_array_make(run->pool, 2, sizeof(char *));
    fails(run, "status 400");
    APR_ARRAY_PUSH(run->spec.verify.headers, const char *) = "X-Token: a: b";
    APR_ARRAY_PUSH(run->spec.verify.headers, const char *) =
        "Host: app.example";
    /* Proxies of httpd's are not asked. */
    setenv("http_proxy", "http://127.0.0.1:1/", 1);
    setenv("ALL_PROXY", "http://127.0.0.1:1/", 1);
    setenv("no_proxy", "", 1);
    passes(run);
    unsetenv("http_proxy");
    unsetenv("ALL_PROXY");
    unsetenv("no_proxy");
    APR_ARRAY_PUSH(run->spec.verify.headers, const char *) = "@/etc/passwd";
    fails(run, "a header line is not 'Name: value'");
    APR_ARRAY_IDX(run->spec.verify.headers, 2, const char *) = "A: b\nC: d";
    fails(run, "its URL or its headers are too long");
    peer_end(&peer);
}

static void http_needs_its_program_and_a_url(void **state)
{
    run_t *run = *state;

    set_verify(&run->spec.verify, AMGR_VERIFY_HTTP, "http",
               "http://u:" SECRET "@nobody.invalid/");
    fails(run, "this host is not known");
    run->spec.verify.target = "ftp://u:" SECRET "@127.0.0.1/";
    assert_non_null(strstr(attempt(run, AMGR_CHECK_FAILED),
                           "this is no URL of http or https"));
    run->setup.fetch_program = "/nonexistent/program";
    fails(run, "apache-manager-fetch cannot be executed: "
               "no such file or directory");
    run->setup.fetch_program = "/etc/passwd";
    fails(run, "apache-manager-fetch cannot be executed: permission denied");
    run->setup.fetch_program = "/bin/false";
    fails(run, "apache-manager-fetch has failed");
    run->setup.fetch_program = "/bin/true";
    fails(run, "apache-manager-fetch did not hand on an answer");
}

/* What it runs, and what that runs. */
static int is_below(pid_t pid, pid_t ancestor)
{
    char path[64];
    char text[512];
    size_t len;
    FILE *file;
    int parent = 0;

    snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
    file = fopen(path, "r");
    if (file == NULL) {
        return 0;
    }
    len = fread(text, 1, sizeof(text) - 1, file);
    text[len] = '\0';
    fclose(file);
    return sscanf(strrchr(text, ')') == NULL ? "" : strrchr(text, ')') + 4,
                  "%d", &parent) == 1 &&
           parent == ancestor;
}

/* Whether a child of the attempt is there with these arguments. */
static int find_arguments(pid_t attempt_pid, char *buf, size_t size)
{
    const struct dirent *entry;
    DIR *dir = opendir("/proc");
    size_t len = 0;

    assert_non_null(dir);
    while (len == 0 && (entry = readdir(dir)) != NULL) {
        char path[300];
        FILE *file;

        if (!is_below((pid_t)strtol(entry->d_name, NULL, 10), attempt_pid)) {
            continue;
        }
        snprintf(path, sizeof(path), "/proc/%s/cmdline", entry->d_name);
        file = fopen(path, "r");
        if (file != NULL) {
            len = fread(buf, 1, size - 1, file);
            fclose(file);
        }
    }
    closedir(dir);
    while (len > 0 && buf[len - 1] == '\0') {
        len--;
    }
    buf[len] = '\0';
    while (strlen(buf) < len) {
        buf[strlen(buf)] = ' ';
    }
    return len > 0;
}

/* A password is in no list of processes while somebody waits. */
static void arguments_tell_no_secrets(void **state)
{
    apr_time_t end_us = amgr_clock_monotonic_us() + DEADLINE_US;
    run_t *run = *state;
    char text[1024] = "";
    peer_t peer;
    pid_t pid;

    peer_start(&peer, run, answer_silence);
    set_verify(&run->spec.verify, AMGR_VERIFY_HTTP, "http", url_of(run, &peer));
    amgr_check_init(&run->check, &run->setup, &run->spec, 0);
    amgr_check_begin(&run->check, amgr_clock_monotonic_us());
    amgr_check_look(&run->check, amgr_clock_monotonic_us());
    pid = run->check.pid;
    while (strncmp(text, "apache-manager-fetch ", 21) != 0) {
        assert_true(amgr_clock_monotonic_us() < end_us);
        find_arguments(pid, text, sizeof(text));
    }
    assert_string_equal(text, "apache-manager-fetch 20000 head");
    amgr_check_end(&run->check);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    peer_end(&peer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(http_is_judged_by_its_status,
                                        run_set_up, run_tear_down),
        cmocka_unit_test_setup_teardown(other_statuses_may_pass, run_set_up,
                                        run_tear_down),
        cmocka_unit_test_setup_teardown(http_asks_as_it_is_told, run_set_up,
                                        run_tear_down),
        cmocka_unit_test_setup_teardown(http_needs_its_program_and_a_url,
                                        run_set_up, run_tear_down),
        cmocka_unit_test_setup_teardown(arguments_tell_no_secrets, run_set_up,
                                        run_tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
