/* SPDX-License-Identifier: Apache-2.0
 *
 * Addresses that must be free: what is one, and who is found at it.  Ports are
 * those that the kernel gives away, on loopback.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "scratch.h"

#include "supervise/check/check.h"

#define EXPECTED "tcp://ADDRESS:PORT with a numeric address, or unix:/PATH"

typedef struct place_t {
    char dir[SCRATCH_SIZE];
    char path[96];
    char address[104];
} place_t;

static int set_up(void **state)
{
    place_t *place = calloc(1, sizeof(*place));

    assert_non_null(place);
    assert_int_equal(scratch_make(place->dir, 0700), 0);
    snprintf(place->path, sizeof(place->path), "%s/socket", place->dir);
    snprintf(place->address, sizeof(place->address), "unix:%s", place->path);
    *state = place;
    return 0;
}

static int tear_down(void **state)
{
    place_t *place = *state;

    unlink(place->path);
    rmdir(place->dir);
    free(place);
    return 0;
}

/* Bound to a port of IPv4's or IPv6's loopback, which *out names. */
static int bind_tcp(int family, char *out, size_t size)
{
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6,
                              .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    struct sockaddr_in v4 = {.sin_family = AF_INET};
    int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    socklen_t len;
    int on = 1;

    assert_true(fd >= 0);
    /* As servers do; the kernel wants it of both for TIME_WAIT. */
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (family == AF_INET6) {
        len = sizeof(v6);
        assert_int_equal(bind(fd, (struct sockaddr *)&v6, len), 0);
        assert_int_equal(getsockname(fd, (struct sockaddr *)&v6, &len), 0);
        snprintf(out, size, "tcp://[::1]:%d", ntohs(v6.sin6_port));
        return fd;
    }
    len = sizeof(v4);
    assert_int_equal(bind(fd, (struct sockaddr *)&v4, len), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&v4, &len), 0);
    snprintf(out, size, "tcp://127.0.0.1:%d", ntohs(v4.sin_port));
    return fd;
}

static int bind_unix(const place_t *place, int type)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);

    assert_true(fd >= 0);
    snprintf(at.sun_path, sizeof(at.sun_path), "%s", place->path);
    assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
    return fd;
}

static void addresses_are_numbers_and_paths(void **state)
{
    static const char *const good[] = {
        "tcp://127.0.0.1:8983", "tcp://0.0.0.0:1", "tcp://[::1]:80",
        "tcp://[::]:65535",     "unix:/run/x",     "unix:/a b",
    };
    static const char *const bad[] = {
        "",
        "tcp://",
        "tcp://127.0.0.1",
        "tcp://127.0.0.1:",
        "tcp://127.0.0.1:0",
        "tcp://127.0.0.1:65536",
        "tcp://127.0.0.1:99999999999999999999",
        "tcp://127.0.0.1:+80",
        "tcp://127.0.0.1: 80",
        "tcp://127.0.0.1:80/",
        "tcp://127.1:80",
        "tcp://:80",
        "tcp://localhost:80",
        "tcp://::1:80",
        "tcp://[::1]",
        "tcp://[::1:80",
        "tcp://[]:80",
        "tcp://[:80",
        "tcp://[fe80::1%lo]:80",
        "tcp://[127.0.0.1]:80",
        "tcp://[1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa:bbbb]:80",
        "127.0.0.1:80",
        "TCP:127.0.0.1:80",
        "unix:",
        "unix:run/x",
        "unix:@x",
    };
    char text[200];
    size_t i;

    (void)state; /* cmocka's signature */
    for (i = 0; i < AMGR_COUNT(good); i++) {
        assert_null(amgr_address_parse(good[i]));
    }
    for (i = 0; i < AMGR_COUNT(bad); i++) {
        const char *expected = amgr_address_parse(bad[i]);

        if (expected == NULL) {
            fail_msg("'%s' is taken for an address", bad[i]);
        }
        assert_string_equal(expected, EXPECTED);
        assert_int_equal(amgr_address_is_free(bad[i]), EINVAL);
    }
    /* As long as the kernel takes them, and one more. */
    memset(text, 'x', sizeof(text));
    memcpy(text, "unix:/", 6);
    text[5 + 107] = '\0';
    assert_null(amgr_address_parse(text));
    text[5 + 107] = 'x';
    text[5 + 108] = '\0';
    assert_non_null(amgr_address_parse(text));
}

static void check_listener(int family)
{
    char address[64];
    int fd = bind_tcp(family, address, sizeof(address));

    assert_null(amgr_address_parse(address));
    assert_int_equal(listen(fd, 1), 0);
    assert_int_equal(amgr_address_is_free(address), EADDRINUSE);
    close(fd);
    assert_int_equal(amgr_address_is_free(address), APR_SUCCESS);
    /* Asking leaves nothing behind. */
    assert_int_equal(amgr_address_is_free(address), APR_SUCCESS);
}

static void a_listener_is_in_the_way(void **state)
{
    (void)state; /* cmocka's signature */
    check_listener(AF_INET);
    check_listener(AF_INET6);
}

/* Who listens at every address listens at this one. */
static void one_of_all_addresses_too(void **state)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET};
    socklen_t len = sizeof(v4);
    char address[64];
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    (void)state; /* cmocka's signature */
    assert_int_equal(bind(fd, (struct sockaddr *)&v4, len), 0);
    assert_int_equal(listen(fd, 1), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&v4, &len), 0);
    snprintf(address, sizeof(address), "tcp://127.0.0.1:%d",
             ntohs(v4.sin_port));
    assert_int_equal(amgr_address_is_free(address), EADDRINUSE);
    close(fd);
}

/* The server ended first: its port is in TIME_WAIT, and free. */
static void connections_that_linger_are_not(void **state)
{
    struct sockaddr_in at;
    socklen_t len = sizeof(at);
    char address[64];
    char byte;
    int fd = bind_tcp(AF_INET, address, sizeof(address));
    int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int server;

    (void)state; /* cmocka's signature */
    assert_int_equal(listen(fd, 1), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &len), 0);
    assert_int_equal(connect(client, (struct sockaddr *)&at, len), 0);
    server = accept(fd, NULL, NULL);
    assert_true(server >= 0);
    close(server);
    close(fd);
    assert_int_equal(read(client, &byte, 1), 0);
    close(client);
    assert_int_equal(amgr_address_is_free(address), APR_SUCCESS);
}

static void nobodys_address_is_no_free_one(void **state)
{
    (void)state; /* cmocka's signature */
    /* RFC 5737: of no machine. */
    assert_int_equal(amgr_address_is_free("tcp://192.0.2.1:8983"),
                     EADDRNOTAVAIL);
}

static void a_path_is_free_without_its_listener(void **state)
{
    place_t *place = *state;
    int fd;

    assert_int_equal(amgr_address_is_free(place->address), APR_SUCCESS);
    fd = bind_unix(place, SOCK_STREAM);
    assert_int_equal(amgr_address_is_free(place->address), APR_SUCCESS);
    assert_int_equal(listen(fd, 0), 0);
    assert_int_equal(amgr_address_is_free(place->address), EADDRINUSE);
    /* The queue is full now, and stays so. */
    assert_int_equal(amgr_address_is_free(place->address), EADDRINUSE);
    assert_int_equal(amgr_address_is_free(place->address), EADDRINUSE);
    close(fd);
    /* Stale: what a killed server leaves. */
    assert_int_equal(access(place->path, F_OK), 0);
    assert_int_equal(amgr_address_is_free(place->address), APR_SUCCESS);
    assert_int_equal(access(place->path, F_OK), 0);
}

static void sockets_of_other_types_count(void **state)
{
    static const int types[] = {SOCK_DGRAM, SOCK_SEQPACKET};
    place_t *place = *state;
    size_t i;

    for (i = 0; i < AMGR_COUNT(types); i++) {
        int fd = bind_unix(place, types[i]);

        assert_int_equal(amgr_address_is_free(place->address), EADDRINUSE);
        close(fd);
        unlink(place->path);
    }
}

static void a_file_is_no_socket(void **state)
{
    place_t *place = *state;
    FILE *file = fopen(place->path, "w");

    assert_non_null(file);
    fclose(file);
    assert_int_equal(amgr_address_is_free(place->address), EEXIST);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_are_numbers_and_paths),
        cmocka_unit_test(a_listener_is_in_the_way),
        cmocka_unit_test(one_of_all_addresses_too),
        cmocka_unit_test(connections_that_linger_are_not),
        cmocka_unit_test(nobodys_address_is_no_free_one),
        cmocka_unit_test_setup_teardown(a_path_is_free_without_its_listener,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(sockets_of_other_types_count, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_file_is_no_socket, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
