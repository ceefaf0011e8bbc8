/* SPDX-License-Identifier: Apache-2.0
 *
 * What of a client may be seen: addresses, names, and what only looks like
 * one or the other.
 */
#include "invented.h"

#include <apr_strings.h>

#include "model/client.h"
#include "model/snapshot.h"

typedef struct case_t {
    const char *client;
    const char *network;
} case_t;

static const case_t cases[] = {
    {"192.0.2.7", "192.0.2.0/24"},
    {"255.255.255.255", "255.255.255.0/24"},
    {"127.0.0.1", "127.0.0.0/24"},
    {"2001:db8:1:2:3:4:5:6", "2001:db8:1::/48"},
    {"2001:DB8::7", "2001:db8::/48"},
    {"::1", "::/48"},
    {"fe80::1%eth0", "fe80::/48"},
    {"fe80::1%", "fe80::/48"},
    {"::ffff:192.0.2.7", "192.0.2.0/24"},
    {"::FFFF:c000:207", "192.0.2.0/24"},
    {"ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255", "ffff:ffff:ffff::/48"},
    /* the IPv4 address of a client of 6to4 */
    {"2002:c000:207::1", "2002:c000:200::/40"},
    {"www.example.org", "*.example.org"},
    {"a.b.example.org", "*.b.example.org"},
    {"WWW.Example.ORG", "*.Example.ORG"},
    {"x_y.a-b.example", "*.a-b.example"},
    /* addresses written into names */
    {"192-0-2-7.dyn.example.org", "*.dyn.example.org"},
    {"7.2.0.192.dyn.example.org", "*.dyn.example.org"},
    {"dyn.192.0.2.7.example.org", "*.example.org"},
    {"dyn.192-0-2-7.example.org", "*.example.org"},
    {"modem.ip-192-0-2-7.example.org", "*.example.org"},
    {"modem.host192.example.org", "*.example.org"},
    {"a.pop3.example.org", "*.pop3.example.org"},
    {"a.s3-4.example.org", "*.example.org"},
    {"a.mx1.org", "*.mx1.org"},
    {"host.dyn.192.0.2.7.org", ""},
    /* too little would be left */
    {"example.org", ""},
    {"localhost", ""},
    {"", ""},
    /* neither, or cut off */
    {"192.0.2", ""},
    {"192.0.2.", ""},
    {"192.0.2.256", ""},
    {"192.0.2.7.8", ""},
    {"192.0.2.7 ", ""},
    {" 192.0.2.7", ""},
    {"192.0.2.7%eth0", ""},
    {"192.0.2.7:80", ""},
    {"[2001:db8::7]", ""},
    {"2001:db8:1:", ""},
    {"2001:db8:1:2:3:4:5:6:7", ""},
    {":", ""},
    {"%", ""},
    {".", ""},
    {"..", ""},
    {".example.org", ""},
    {"www..example.org", ""},
    {"www.example.org.", ""},
    {"www.example.org\n", ""},
    {"www.exa mple.org", ""},
    {"www.<b>.org", ""},
    {"www.ex\xc3\xa4mple.org", ""},
    {"\xff\x01", ""},
    {"1-2.3-4.5", ""},
    /* a name as long as the scoreboard's room for it may have lost its end */
    {"www.aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.example.o", ""},
    {"www.aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.example.o",
     "*.aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.example.o"},
};

static void check(int show, const char *client, const char *want)
{
    char buf[100];

    memset(buf, 'x', sizeof(buf));
    assert_ptr_equal(amgr_client_shown(show, client, buf, sizeof(buf)), buf);
    assert_string_equal(buf, want);
}

static void shows_what_is_allowed(void **state)
{
    size_t i;

    (void)state; /* cmocka's signature */
    for (i = 0; i < AMGR_COUNT(cases); i++) {
        check(AMGR_CLIENTS_NETWORK, cases[i].client, cases[i].network);
        check(AMGR_CLIENTS_FULL, cases[i].client, cases[i].client);
        check(AMGR_CLIENTS_OFF, cases[i].client, "");
        check(AMGR_CLIENTS_COUNT, cases[i].client, "");
        check(-1, cases[i].client, "");
    }
    check(AMGR_CLIENTS_FULL, NULL, "");
    check(AMGR_CLIENTS_NETWORK, NULL, "");
}

static void has_room_for_any(void **state)
{
    char client[AMGR_SLOT_CLIENT_LEN];
    char shown[AMGR_CLIENT_SHOWN_LEN];

    (void)state; /* cmocka's signature */
    assert_true(sizeof(shown) >= sizeof(client));
    memset(client, 'a', sizeof(client));
    client[sizeof(client) - 1] = '\0';
    amgr_client_shown(AMGR_CLIENTS_FULL, client, shown, sizeof(shown));
    assert_string_equal(shown, client);
}

static void never_writes_past_the_buffer(void **state)
{
    static const char *const clients[] = {
        "192.0.2.7", "2001:db8:1:2:3:4:5:6", "www.example.org"};
    char whole[100];
    char buf[100];
    size_t size;
    size_t i;

    (void)state; /* cmocka's signature */
    for (i = 0; i < AMGR_COUNT(clients) * 2; i++) {
        const char *client = clients[i / 2];
        int show = i % 2 ? AMGR_CLIENTS_FULL : AMGR_CLIENTS_NETWORK;

        amgr_client_shown(show, client, whole, sizeof(whole));
        for (size = 0; size < sizeof(buf); size++) {
            memset(buf, 'x', sizeof(buf));
            amgr_client_shown(show, client, buf, size);
            assert_int_equal(buf[size], 'x');
            if (size > 0) {
                assert_true(strlen(buf) < size);
                assert_memory_equal(buf, whole, strlen(buf));
            }
        }
    }
}

/* Every byte at every place of a client: what is shown is a network or
 * nothing, and never what was there. */
static void survives_any_byte(void **state)
{
    static const char *const clients[] = {
        "192.0.2.77", "2001:db8:1::7", "www.example.org"};
    char client[64];
    char buf[AMGR_CLIENT_SHOWN_LEN];
    size_t i;
    size_t at;
    int byte;

    (void)state; /* cmocka's signature */
    for (i = 0; i < AMGR_COUNT(clients); i++) {
        for (at = 0; at < strlen(clients[i]); at++) {
            for (byte = 1; byte < 256; byte++) {
                apr_cpystrn(client, clients[i], sizeof(client));
                client[at] = (char)(unsigned char)byte;
                amgr_client_shown(AMGR_CLIENTS_NETWORK, client, buf,
                                  sizeof(buf));
                assert_true(buf[0] == '\0' || strchr(buf, '/') != NULL ||
                            strncmp(buf, "*.", 2) == 0);
                assert_null(strstr(buf, client));
                assert_int_equal(strspn(buf, "*./:-_0123456789"
                                             "abcdefghijklmnopqrstuvwxyz"
                                             "ABCDEFGHIJKLMNOPQRSTUVWXYZ"),
                                 strlen(buf));
            }
        }
    }
}

typedef struct target_t {
    const char *target;
    const char *network;
    const char *off;
} target_t;

static const target_t targets[] = {
    {"tcp 10.0.0.2:4443 to 192.0.2.7:40000",
     "tcp 10.0.0.2:4443 to 192.0.2.0/24", "tcp 10.0.0.2:4443 to a client"},
    {"tcp 10.0.0.2:80 to 192.0.2.7:40000 (CLOSE_WAIT)",
     "tcp 10.0.0.2:80 to 192.0.2.0/24 (CLOSE_WAIT)",
     "tcp 10.0.0.2:80 to a client (CLOSE_WAIT)"},
    {"tcp [2001:db8::2]:443 to [2001:db8:1:2::7]:40000",
     "tcp [2001:db8::2]:443 to 2001:db8:1::/48",
     "tcp [2001:db8::2]:443 to a client"},
    /* no room for our own end of it: it may be a client */
    {"tcp to [2001:db8:1:2::7]:40000 (FIN_WAIT1)",
     "tcp to 2001:db8:1::/48 (FIN_WAIT1)", "tcp to a client (FIN_WAIT1)"},
    /* cut off, or not understood */
    {"tcp 10.0.0.2:443 to 192.0.2.7", "tcp 10.0.0.2:443 to a client",
     "tcp 10.0.0.2:443 to a client"},
    {"tcp x to 192.0.2.7:40000", "tcp x to 192.0.2.0/24",
     "tcp x to a client"},
    {"tcp 10.0.0.2:443 to ", "tcp 10.0.0.2:443 to a client",
     "tcp 10.0.0.2:443 to a client"},
    {"tcp 10.0.0.2:443 to [2001:db8::7", "tcp 10.0.0.2:443 to a client",
     "tcp 10.0.0.2:443 to a client"},
    /* a port that is listened to no more */
    {"tcp 10.0.0.2:1023 to 192.0.2.7:40000",
     "tcp 10.0.0.2:1023 to 192.0.2.0/24", "tcp 10.0.0.2:1023 to a client"},
    /* no client */
    {"tcp 10.0.0.2:32768 to 10.0.0.5:3306", NULL, NULL},
    {"tcp 10.0.0.2:32767 to 10.0.0.5:3306",
     "tcp 10.0.0.2:32767 to 10.0.0.0/24",
     "tcp 10.0.0.2:32767 to a client"},
    {"tcp 10.0.0.2:47532 to 10.0.0.5:443", NULL, NULL},
    {"tcp 10.0.0.2:44430 to 10.0.0.5:3306", NULL, NULL},
    {"tcp listening on 0.0.0.0:443", NULL, NULL},
    {"tcp 10.0.0.2:443 (CLOSE)", NULL, NULL},
    {"udp 10.0.0.2:443 to 10.0.0.53:53", NULL, NULL},
    {"unix /run/a.sock", NULL, NULL},
    {"/tmp/tcp 1.2.3.4:443 to 5.6.7.8:1", NULL, NULL},
    {"tcp", NULL, NULL},
    {"tcp ", NULL, NULL},
    {"", NULL, NULL},
};

static void check_target(int show, const char *target, const char *want)
{
    static const apr_uint16_t ports[] = {8080, 4443};
    char buf[100];

    memset(buf, 'x', sizeof(buf));
    amgr_client_target_shown(show, target, ports, 2, buf, sizeof(buf));
    assert_string_equal(buf, want != NULL ? want : target);
}

static void hides_clients_that_are_waited_for(void **state)
{
    char buf[100];
    size_t i;

    (void)state; /* cmocka's signature */
    for (i = 0; i < AMGR_COUNT(targets); i++) {
        check_target(AMGR_CLIENTS_NETWORK, targets[i].target,
                     targets[i].network);
        check_target(AMGR_CLIENTS_OFF, targets[i].target, targets[i].off);
        check_target(AMGR_CLIENTS_FULL, targets[i].target, NULL);
    }
    for (i = 0; i < sizeof(buf); i++) {
        memset(buf, 'x', sizeof(buf));
        amgr_client_target_shown(AMGR_CLIENTS_OFF, targets[0].target, NULL, 0,
                                 buf, i);
        assert_int_equal(buf[i], 'x');
        assert_true(i == 0 || strlen(buf) < i);
    }
}

/* What stands behind the end of a text is not of it. */
static void reads_no_further_than_a_target_goes(void **state)
{
    char buf[100];

    (void)state; /* cmocka's signature */
    amgr_client_target_shown(AMGR_CLIENTS_NETWORK,
                             "tcp 192.0.2.1:80\0to 198.51.100.7:40000", NULL, 0,
                             buf, sizeof(buf));
    assert_string_equal(buf, "tcp 192.0.2.1:80");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shows_what_is_allowed),
        cmocka_unit_test(has_room_for_any),
        cmocka_unit_test(never_writes_past_the_buffer),
        cmocka_unit_test(survives_any_byte),
        cmocka_unit_test(hides_clients_that_are_waited_for),
        cmocka_unit_test(reads_no_further_than_a_target_goes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
