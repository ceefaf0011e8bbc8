/* SPDX-License-Identifier: Apache-2.0
 *
 * What a page was asked for: read from any address, written back the same,
 * and the text that a filter finds.
 */
#include "render_check.h"

#include "model/history.h"

#include <apr_strings.h>

static amgr_page_query_t query;
static char written[4096];

static const char *write_query(const amgr_page_query_t *from)
{
    amgr_sink_t sink;

    amgr_sink_init_text(&sink, written, sizeof(written));
    amgr_page_query_write(from, &sink);
    assert_int_equal(sink.status, APR_SUCCESS);
    return amgr_sink_text(&sink);
}

/* The same where nothing is escaped. */
static const char *write_address(const char *args)
{
    amgr_sink_t sink;

    amgr_page_query_parse(args, &query);
    amgr_sink_init_text(&sink, written, AMGR_PAGE_ADDRESS_LEN);
    amgr_page_query_write_address(&query, &sink);
    assert_int_equal(sink.status, APR_SUCCESS);
    return amgr_sink_text(&sink);
}

static const char *again(const char *args)
{
    amgr_page_query_parse(args, &query);
    return write_query(&query);
}

static void test_written(void **state)
{
    static const struct {
        const char *args;
        const char *written;
    } cases[] = {
        { NULL, "" },
        { "", "" },
        { "&&&", "" },
        { "=", "" },
        { "refresh", "" },
        { "refresh=", "" },
        { "refresh=0", "" },
        { "refresh=3600", "?refresh=3600" },
        { "refresh=3601", "" },
        { "refresh=00000000000000005", "" },
        { "refresh=5&refresh=7", "?refresh=5" },
        { "refresh=x&refresh=7", "" },
        { "xrefresh=5", "" },
        { "refreshx=5", "" },
        { "Refresh=5", "" },
        { "x=1&refresh=5&x", "?refresh=5" },
        { "processes=memory", "?processes=memory" },
        { "processes=-memory", "?processes=-memory" },
        { "processes=--memory", "" },
        { "processes=-", "" },
        { "processes=_a", "" },
        { "processes=a_b", "?processes=a_b" },
        { "processes=Memory", "" },
        { "processes=a1", "" },
        { "processes=abcdefghijklmno", "?processes=abcdefghijklmno" },
        { "processes=abcdefghijklmnop", "" },
        { "processes=a%62", "" },
        { "processes=a\">b", "" },
        { "workers=req&processes=-age", "?processes=-age&amp;workers=req" },
        { "history=hour", "" },
        { "history=day", "?history=day" },
        { "history=days", "" },
        { "history=hour&history=day", "" },
        { "filter=", "" },
        { "filter=&filter=a", "" },
        { "filter=a b+c%20d", "?filter=a+b+c+d" },
        { "filter=%41%2b%2B%26%3d", "?filter=A%2B%2B%26%3D" },
        { "filter=\"<&x", "?filter=%22%3C" },
        { "filter=a%00b", "?filter=a" },
        { "filter=%00", "" },
        { "filter=100%", "?filter=100%25" },
        { "filter=%4", "?filter=%254" },
        { "filter=%4&history=day", "?filter=%254&amp;history=day" },
        { "filter=%%41", "?filter=%25A" },
        { "filter=%zz%+1", "?filter=%25zz%25+1" },
        { "filter=\xff\x80%c3%a4", "?filter=%FF%80%C3%A4" },
        { "filter=a=b~._-", "?filter=a%3Db~._-" },
        { "history=day&filter=x&workers=-cpu&processes=pid&refresh=10",
          "?refresh=10&amp;processes=pid&amp;workers=-cpu&amp;filter=x&amp;"
          "history=day" },
    };
    size_t i;

    (void)state; /* cmocka's signature */
    for (i = 0; i < AMGR_COUNT(cases); i++) {
        assert_string_equal(again(cases[i].args), cases[i].written);
    }
}

/* For a header: whatever it was asked for, nothing begins another line or leads
 * to another place. */
static void test_address(void **state)
{
    static char args[1024];
    const char *address;
    size_t i;

    (void)state; /* cmocka's signature */
    assert_string_equal(write_address(NULL), "");
    assert_string_equal(write_address("history=day&filter=a%0d%0aX:%201"
                                      "&workers=-cpu&wait=5&refresh=10"),
                        "?refresh=10&workers=-cpu&filter=a%0D%0AX%3A+1"
                        "&history=day");
    strcpy(args, "refresh=3600&processes=-abcdefghijklmno"
                 "&workers=-abcdefghijklmno&history=day&filter=");
    for (i = 1; i < 256; i++) {
        size_t len = strlen(args);

        memset(args + strlen(args), i == '&' ? ' ' : (int)i, 100);
        address = write_address(args);
        assert_int_equal(strspn(address, "abcdefghijklmnopqrstuvwxyz"
                                         "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                         "0123456789-._~%+?=&"),
                         strlen(address));
        memset(args + len, 0, 100);
    }
}

/* Filters are cut to their room, and eight KiB of anything are survived. */
static void test_long(void **state)
{
    static char args[8192];
    int i;

    (void)state; /* cmocka's signature */
    memset(args, 'a', sizeof(args) - 1);
    assert_string_equal(again(args), "");
    memcpy(args, "filter=", strlen("filter="));
    amgr_page_query_parse(args, &query);
    assert_int_equal(strlen(query.filter), AMGR_PAGE_FILTER_LEN - 1);
    apr_snprintf(args, sizeof(args), "filter=%062d%%41%%42", 0);
    amgr_page_query_parse(args, &query);
    assert_int_equal(strlen(query.filter), AMGR_PAGE_FILTER_LEN - 1);
    assert_int_equal(query.filter[62], 'A');
    for (i = 0; i < (int)sizeof(args) - 1; i++) {
        args[i] = "refresh=&%"[i % 10];
    }
    args[sizeof(args) - 1] = '\0';
    assert_string_equal(again(args), "");
}

/* Values that no address gives are left out. */
static void test_out_of_range(void **state)
{
    (void)state; /* cmocka's signature */
    memset(&query, 0, sizeof(query));
    query.refresh_sec = -1;
    query.history = AMGR_HISTORY_SPAN_COUNT;
    assert_string_equal(write_query(&query), "");
    query.history = -1;
    assert_string_equal(write_query(&query), "");
}

static void test_hidden(void **state)
{
    amgr_sink_t sink;

    (void)state; /* cmocka's signature */
    amgr_page_query_parse("history=day&filter=x&workers=-cpu&processes=pid"
                          "&refresh=10", &query);
    amgr_sink_init_text(&sink, written, sizeof(written));
    amgr_page_query_write_hidden(&query, &sink);
    assert_string_equal(
        amgr_sink_text(&sink),
        "<input type=\"hidden\" name=\"refresh\" value=\"10\">"
        "<input type=\"hidden\" name=\"processes\" value=\"pid\">"
        "<input type=\"hidden\" name=\"workers\" value=\"-cpu\">"
        "<input type=\"hidden\" name=\"history\" value=\"day\">");
    amgr_page_query_parse("filter=x", &query);
    amgr_sink_init_text(&sink, written, sizeof(written));
    amgr_page_query_write_hidden(&query, &sink);
    assert_string_equal(amgr_sink_text(&sink), "");
}

static int found(const char *filter, const char *text)
{
    memset(&query, 0, sizeof(query));
    apr_cpystrn(query.filter, filter, sizeof(query.filter));
    return amgr_page_query_matches(&query, text);
}

static void test_matches(void **state)
{
    (void)state; /* cmocka's signature */
    assert_true(found("", ""));
    assert_true(found("", "anything"));
    assert_false(found("a", ""));
    assert_true(found("GET /A", "get /a HTTP/1.1"));
    assert_true(found("http/1.1", "GET /a HTTP/1.1"));
    assert_true(found("aab", "aaab"));
    assert_false(found("aab", "aaa"));
    assert_false(found("ab", "a"));
    /* Letters of ASCII alone have two cases. */
    assert_false(found("\xc3\xa4", "\xc3\x84"));
    assert_true(found("\xc3\xa4", "x\xc3\xa4"));
    assert_false(found("[", "{"));
    assert_false(found("@", "`"));
}

/* A token of its own, whatever stands around it. */
static void test_auto(void **state)
{
    static const struct {
        const char *args;
        int is_auto;
    } cases[] = {
        { NULL, 0 },
        { "", 0 },
        { "auto", 1 },
        { "auto=", 1 },
        { "auto=1", 1 },
        { "auto&auto", 1 },
        { "x=y&auto", 1 },
        { "refresh=5&auto&x", 1 },
        { "&&auto&&", 1 },
        { "auto=%00\xff", 1 },
        { "aut", 0 },
        { "autox", 0 },
        { "xauto", 0 },
        { "Auto", 0 },
        { "auto%00", 0 },
        { "%61uto", 0 },
        { "auto;x", 0 },
        { "filter=auto", 0 },
        { "filter=x auto", 0 },
    };
    size_t i;

    (void)state; /* cmocka's signature */
    for (i = 0; i < AMGR_COUNT(cases); i++) {
        amgr_page_query_parse(cases[i].args, &query);
        assert_int_equal(query.is_auto, cases[i].is_auto);
        assert_null(strstr(write_query(&query), "?auto"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_written), cmocka_unit_test(test_address),
        cmocka_unit_test(test_long),    cmocka_unit_test(test_out_of_range),
        cmocka_unit_test(test_hidden),  cmocka_unit_test(test_matches),
        cmocka_unit_test(test_auto)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
