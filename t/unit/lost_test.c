/* SPDX-License-Identifier: Apache-2.0
 *
 * Lost requests as lines: what is not known, what must not be shown, and text
 * that would like to be another field or another line.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include <apr_strings.h>

#include "action/lost.h"

/* 2026-11-21 08:00:00 UTC */
#define EIGHT_US (APR_INT64_C(1795248000) * APR_USEC_PER_SEC)

static amgr_evidence_request_t request_of(const char *vhost, const char *client,
                                          const char *line)
{
    amgr_evidence_request_t request;

    memset(&request, 0, sizeof(request));
    request.age_us = 121250000;
    request.mode = AMGR_MODE_WRITE;
    apr_cpystrn(request.vhost, vhost, sizeof(request.vhost));
    apr_cpystrn(request.client, client, sizeof(request.client));
    apr_cpystrn(request.request, line, sizeof(request.request));
    return request;
}

static void check_line(const amgr_evidence_request_t *request, int requests,
                       const char *want)
{
    amgr_lost_show_t show = {requests, AMGR_CLIENTS_FULL};
    char line[1024];
    amgr_sink_t sink;

    amgr_sink_init_text(&sink, line, sizeof(line));
    amgr_lost_format(request, &show, EIGHT_US, &sink);
    assert_string_equal(amgr_sink_text(&sink), want);
    assert_int_equal(sink.status, APR_SUCCESS);
}

static void a_line_of_an_access_log(void **state)
{
    amgr_evidence_request_t r = request_of("www.example.org:443", "192.0.2.7",
                                           "GET /x?key=secret HTTP/1.1");

    (void)state; /* cmocka's signature */
    check_line(&r, AMGR_SHOW_PATH,
               "www.example.org:443 192.0.2.7 - - "
               "[21/Nov/2026:07:57:58 +0000] \"GET /x HTTP/1.1\" 000 0 "
               "121250000");
    check_line(&r, AMGR_SHOW_FULL,
               "www.example.org:443 192.0.2.7 - - "
               "[21/Nov/2026:07:57:58 +0000] \"GET /x?key=secret HTTP/1.1\" "
               "000 0 121250000");
    check_line(&r, AMGR_SHOW_OFF,
               "www.example.org:443 192.0.2.7 - - "
               "[21/Nov/2026:07:57:58 +0000] \"-\" 000 0 121250000");
}

static void a_masked_client(void **state)
{
    static const char *const wants[AMGR_CLIENTS_COUNT] = {
        [AMGR_CLIENTS_OFF] = "www.example.org:443 - - - ",
        [AMGR_CLIENTS_NETWORK] = "www.example.org:443 192.0.2.0/24 - - ",
        [AMGR_CLIENTS_FULL] = "www.example.org:443 192.0.2.7 - - ",
    };
    amgr_evidence_request_t r =
        request_of("www.example.org:443", "192.0.2.7", "GET / HTTP/1.1");
    char line[1024];
    amgr_sink_t sink;
    int i;

    (void)state; /* cmocka's signature */
    for (i = 0; i < AMGR_CLIENTS_COUNT; i++) {
        amgr_lost_show_t show = {AMGR_SHOW_PATH, i};

        amgr_sink_init_text(&sink, line, sizeof(line));
        amgr_lost_format(&r, &show, EIGHT_US, &sink);
        assert_int_equal(strncmp(amgr_sink_text(&sink), wants[i],
                                 strlen(wants[i])), 0);
    }
}

static void what_is_not_known(void **state)
{
    amgr_evidence_request_t r = request_of("", "", "");

    (void)state; /* cmocka's signature */
    r.age_us = AMGR_NO_TIME;
    check_line(&r, AMGR_SHOW_PATH,
               "- - - - [21/Nov/2026:08:00:00 +0000] \"-\" 000 0 -");
    r.age_us = 0;
    check_line(&r, AMGR_SHOW_PATH,
               "- - - - [21/Nov/2026:08:00:00 +0000] \"-\" 000 0 0");
    r.age_us = EIGHT_US + 1;
    check_line(&r, AMGR_SHOW_PATH,
               "- - - - [-] \"-\" 000 0 1795248000000001");
}

static void text_stays_in_its_field(void **state)
{
    amgr_evidence_request_t r =
        request_of("a b\n", "1.2.3.4 - - [", "GET /\" 200 0\\\r\n\xff HTTP/1.1");
    amgr_lost_show_t show = {AMGR_SHOW_FULL, AMGR_CLIENTS_FULL};
    char longest[1024];
    amgr_sink_t sink;

    (void)state; /* cmocka's signature */
    check_line(&r, AMGR_SHOW_PATH,
               "a\\x20b\\x0a 1.2.3.4\\x20-\\x20-\\x20[ - - "
               "[21/Nov/2026:07:57:58 +0000] "
               "\"GET /\\x22 200 0\\x5c\\x0d\\x0a\\xff HTTP/1.1\" 000 0 "
               "121250000");
    memset(r.request, '\n', sizeof(r.request) - 1);
    memset(r.client, '\n', sizeof(r.client) - 1);
    memset(r.vhost, '\n', sizeof(r.vhost) - 1);
    amgr_sink_init_text(&sink, longest, sizeof(longest));
    amgr_lost_format(&r, &show, EIGHT_US, &sink);
    assert_int_equal(sink.status, APR_SUCCESS);
    assert_null(strchr(amgr_sink_text(&sink), '\n'));
}

static void what_is_lost(void **state)
{
    amgr_evidence_request_t r = request_of("", "", "");

    (void)state; /* cmocka's signature */
    assert_true(amgr_lost_is(&r));
    r.mode = AMGR_MODE_GRACEFUL;
    assert_true(amgr_lost_is(&r));
    r.mode = AMGR_MODE_READ;
    assert_false(amgr_lost_is(&r));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_of_an_access_log),
        cmocka_unit_test(a_masked_client),
        cmocka_unit_test(what_is_not_known),
        cmocka_unit_test(text_stays_in_its_field),
        cmocka_unit_test(what_is_lost),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
