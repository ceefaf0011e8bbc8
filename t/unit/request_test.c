/* SPDX-License-Identifier: Apache-2.0
 *
 * What of a request line may be seen, for whole lines and for those that the
 * scoreboard cut.
 */
#include "invented.h"

#include "model/request.h"

typedef struct case_t {
    int show;
    const char *request;
    const char *shown;
} case_t;

static const case_t cases[] = {
    {AMGR_SHOW_OFF, "GET /a HTTP/1.1", ""},
    {-1, "GET /a HTTP/1.1", ""},
    {AMGR_SHOW_COUNT, "GET /a HTTP/1.1", ""},
    {AMGR_SHOW_PATH, NULL, ""},
    {AMGR_SHOW_FULL, NULL, ""},
    {AMGR_SHOW_PATH, "", ""},
    {AMGR_SHOW_PATH, "GET /a HTTP/1.1", "GET /a HTTP/1.1"},
    {AMGR_SHOW_PATH, "GET /a?x=1 HTTP/1.1", "GET /a HTTP/1.1"},
    {AMGR_SHOW_PATH, "GET /a#x HTTP/1.0", "GET /a HTTP/1.0"},
    {AMGR_SHOW_PATH, "GET /a?x#y?z HTTP/2", "GET /a HTTP/2"},
    {AMGR_SHOW_PATH, "GET /a;v=1 HTTP/1.1", "GET /a;v=1 HTTP/1.1"},
    /* cut by the scoreboard */
    {AMGR_SHOW_PATH, "GET /a?token=s3cr3t", "GET /a"},
    {AMGR_SHOW_PATH, "GET /a?token=s3cr3t HTT", "GET /a"},
    {AMGR_SHOW_PATH, "GET /a?token=s3cr3t HTTP/", "GET /a"},
    {AMGR_SHOW_PATH, "GET /a?token=s3cr3t HTTP/1.", "GET /a"},
    {AMGR_SHOW_PATH, "GET /long", "GET /long"},
    /* a secret dressed up as a protocol */
    {AMGR_SHOW_PATH, "GET /a? HTTP/secret", "GET /a"},
    {AMGR_SHOW_PATH, "GET /a? HTTP/1.1x", "GET /a"},
    {AMGR_SHOW_PATH, "GET /a? HTTP/1secret", "GET /a"},
    {AMGR_SHOW_PATH, "GET /a?k HTTP/1.1 s HTTP/1.1", "GET /a HTTP/1.1"},
    {AMGR_SHOW_PATH, "?x", ""},
    {AMGR_SHOW_PATH, "\xff\x01?x", "\xff\x01"},
    {AMGR_SHOW_FULL, "GET /a?x=1 HTTP/1.1", "GET /a?x=1 HTTP/1.1"},
};

static void shows_what_is_allowed(void **state)
{
    char buf[100];
    size_t i;

    (void)state; /* cmocka's signature */
    for (i = 0; i < AMGR_COUNT(cases); i++) {
        memset(buf, 'x', sizeof(buf));
        assert_ptr_equal(amgr_request_shown(cases[i].show, cases[i].request,
                                            buf, sizeof(buf)),
                         buf);
        assert_string_equal(buf, cases[i].shown);
    }
}

static void never_writes_past_the_buffer(void **state)
{
    const char *request = "GET /a?x=1 HTTP/1.1";
    char whole[100];
    char buf[100];
    size_t size;
    int show;

    (void)state; /* cmocka's signature */
    for (show = AMGR_SHOW_PATH; show <= AMGR_SHOW_FULL; show++) {
        amgr_request_shown(show, request, whole, sizeof(whole));
        for (size = 0; size < sizeof(buf); size++) {
            memset(buf, 'x', sizeof(buf));
            amgr_request_shown(show, request, buf, size);
            assert_int_equal(buf[size], 'x');
            if (size > 0) {
                assert_true(strlen(buf) < size);
                assert_memory_equal(buf, whole, strlen(buf));
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shows_what_is_allowed),
        cmocka_unit_test(never_writes_past_the_buffer),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
