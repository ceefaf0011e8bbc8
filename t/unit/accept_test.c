/* SPDX-License-Identifier: Apache-2.0
 *
 * Which format a client gets by its Accept header: the headers that clients
 * send, the rules of RFC 9110, and what no client should send.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "render/accept.h"

typedef enum format_e {
    HTML = 0,
    JSON,
    TEXT,
    OPENMETRICS,
    FORMAT_COUNT
} format_e;

/* As they stand in Content-Type. */
static const char *const types[FORMAT_COUNT] = {
    "text/html; charset=utf-8", "application/json",
    "text/plain; version=0.0.4; charset=utf-8",
    "application/openmetrics-text; version=1.0.0; charset=utf-8"};

typedef struct case_t {
    const char *accept;
    format_e page;    /* of all four */
    format_e metrics; /* of the last two */
} case_t;

/* A program's own header, each as that program sends it. */
static const case_t clients[] = {
    {NULL, HTML, TEXT},
    /* curl, wget, monit, munin, collectd, Python's requests, fetch() */
    {"*/*", HTML, TEXT},
    /* Firefox */
    {"text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", HTML,
     TEXT},
    /* Chromium */
    {"text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,"
     "image/webp,image/apng,*/*;q=0.8,application/signed-exchange;v=b3;q=0.7",
     HTML, TEXT},
    /* lynx, w3m, Internet Explorer 8, Java's HttpURLConnection */
    {"text/html, text/plain, text/sgml, text/css, application/xhtml+xml, "
     "*/*;q=0.01",
     HTML, TEXT},
    {"text/html, text/*;q=0.5, image/*", HTML, TEXT},
    {"image/gif, image/jpeg, application/x-ms-application, */*", HTML, TEXT},
    {"text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2", HTML, TEXT},
    /* programs that want JSON */
    {"application/json", JSON, TEXT},
    {"application/json, */*;q=0.5", JSON, TEXT},
    {"application/json, text/plain, */*", JSON, TEXT},
    {"application/json; charset=utf-8", JSON, TEXT},
    /* Prometheus 1, 2.0, 2.5, 2.34, 2.49, 3, and with native histograms */
    {"application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;"
     "encoding=delimited;q=0.7,text/plain;version=0.0.4;q=0.3",
     TEXT, TEXT},
    {"text/plain;version=0.0.4;q=1,*/*;q=0.1", TEXT, TEXT},
    {"application/openmetrics-text; version=0.0.1,text/plain;version=0.0.4;"
     "q=0.5,*/*;q=0.1",
     TEXT, TEXT},
    {"application/openmetrics-text;version=1.0.0,application/openmetrics-text;"
     "version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
     OPENMETRICS, OPENMETRICS},
    {"application/openmetrics-text;version=1.0.0;q=0.5,application/"
     "openmetrics-text;version=0.0.1;q=0.4,text/plain;version=0.0.4;q=0.3,"
     "*/*;q=0.2",
     OPENMETRICS, OPENMETRICS},
    {"application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,"
     "application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version="
     "1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,"
     "*/*;q=0.2",
     OPENMETRICS, OPENMETRICS},
    {"application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;"
     "encoding=delimited;q=0.6,application/openmetrics-text;version=1.0.0;"
     "escaping=allow-utf-8;q=0.5,application/openmetrics-text;version=0.0.1;"
     "q=0.4,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.3,text/plain;"
     "version=0.0.4;q=0.2,*/*;q=0.1",
     OPENMETRICS, OPENMETRICS},
    /* scrape_protocols: [PrometheusText0.0.4] */
    {"text/plain;version=0.0.4;q=0.5,*/*;q=0.4", TEXT, TEXT},
};

static const case_t rules[] = {
    /* nothing is acceptable */
    {"image/png", HTML, TEXT},
    {"image/png, application/pdf;q=0.1", HTML, TEXT},
    {"*/*;q=0", HTML, TEXT},
    {"text/html;q=0", HTML, TEXT},
    {"", HTML, TEXT},
    /* wildcards, and one type excepted from them */
    {"text/*", HTML, TEXT},
    {"application/*", JSON, OPENMETRICS},
    {"text/html;q=0, */*", JSON, TEXT},
    {"text/html;q=0, text/*", TEXT, TEXT},
    {"text/*;q=0.3, text/html;q=0.1, */*;q=0.2", TEXT, TEXT},
    {"*/*, application/json;q=0.9", HTML, TEXT},
    {"text/*;q=0, */*", JSON, OPENMETRICS},
    /* the quality counts, then exactness, then our order */
    {"text/html;q=0.4, application/json;q=0.5", JSON, TEXT},
    {"application/json, text/html", HTML, TEXT},
    {"application/openmetrics-text, application/json", JSON, OPENMETRICS},
    {"text/*, application/json", JSON, TEXT},
    {"application/openmetrics-text, text/plain", TEXT, TEXT},
    {"text/plain;q=0.999, application/openmetrics-text", OPENMETRICS,
     OPENMETRICS},
    {"text/plain;q=0.001, application/openmetrics-text;q=0.002", OPENMETRICS,
     OPENMETRICS},
    {"text/html;q=0.9, application/json;q=0.95", JSON, TEXT},
    {"text/plain;q=0.5,application/openmetrics-text;q=0.50", TEXT, TEXT},
    /* versions: the range that names one goes before that without */
    {"text/plain", TEXT, TEXT},
    {"text/plain;version=0.0.4", TEXT, TEXT},
    {"text/plain;version=0.0.4;q=0.1, text/plain;q=0.9, "
     "application/openmetrics-text;q=0.5",
     OPENMETRICS, OPENMETRICS},
    {"text/plain;version=0.0.5", HTML, TEXT},
    {"text/plain;version=0.0.5, application/openmetrics-text;q=0.1",
     OPENMETRICS, OPENMETRICS},
    {"application/openmetrics-text;version=0.0.1", HTML, TEXT},
    {"application/openmetrics-text;version=0.0.1, */*;q=0.1", HTML, TEXT},
    {"application/openmetrics-text;version=2.0.0, text/plain;q=0.1", TEXT,
     TEXT},
    {"application/openmetrics-text;version=\"1.0.0\"", OPENMETRICS,
     OPENMETRICS},
    {"application/json;version=7", JSON, TEXT},
    {"text/html;level=1", HTML, TEXT},
    /* the better of two that say different things */
    {"application/json;q=0.1, text/html;q=0.5, application/json;q=0.9", JSON,
     TEXT},
    /* case and blanks are free */
    {"Application/JSON", JSON, TEXT},
    {" \tapplication/json\t ;\tQ = 0.5 ,text/html ; q=0.4", JSON, TEXT},
    {"application/openmetrics-text ; VERSION=1.0.0", OPENMETRICS, OPENMETRICS},
    {",,, application/json ,,", JSON, TEXT},
    {"text/html;;q=0.1;,application/json;;;q=0.2;", JSON, TEXT},
    /* a comma and a semicolon between quotes end nothing */
    {"text/html;a=\"x,application/json;q=0\";q=0.1, application/json;q=0.2",
     JSON, TEXT},
    {"text/html;a=\"\\\",application/json\";q=0.1", HTML, TEXT},
    {"text/html;q=0;a=\",application/json", HTML, TEXT},
};

/* What cannot be read is passed over, and the rest holds. */
static const case_t bad[] = {
    {"application/json;q=", HTML, TEXT},
    {"application/json;q", HTML, TEXT},
    {"application/json;q=x", HTML, TEXT},
    {"application/json;q=-1", HTML, TEXT},
    {"application/json;q=2", HTML, TEXT},
    {"application/json;q=1.001", HTML, TEXT},
    {"application/json;q=10", HTML, TEXT},
    {"application/json;q=0,5", HTML, TEXT},
    {"application/json;q=0.5x", HTML, TEXT},
    {"application/json;q=1e0", HTML, TEXT},
    {"application/json;q=0.0009", HTML, TEXT},
    {"application/json;q=nan, application/json;q=0.3", JSON, TEXT},
    {"application/json;q=1.0000000000000000000000000000000000", JSON, TEXT},
    {"application/json;q=0.00000000000000000000000000000000001", HTML, TEXT},
    {"application/json;q=\"0.5\"", JSON, TEXT},
    {"application", HTML, TEXT},
    {"application/", HTML, TEXT},
    {"/json", HTML, TEXT},
    {"/", HTML, TEXT},
    {"*", HTML, TEXT},
    {"*/json", HTML, TEXT},
    {"application/jso", HTML, TEXT},
    {"application/jsonx", HTML, TEXT},
    {"application/json/x", HTML, TEXT},
    {"applicationx*", HTML, TEXT},
    {"\"application/json\"", HTML, TEXT},
    {"application/json text/html", HTML, TEXT},
    {";q=1", HTML, TEXT},
    {"=;=,=", HTML, TEXT},
    {"\"", HTML, TEXT},
    {"a;\"\\", HTML, TEXT},
    {"a;b=\"\\", HTML, TEXT},
    {"\xff\xfe/\x80, application/json", JSON, TEXT},
};

static void check(const case_t *all, size_t count)
{
    size_t i;

    for (i = 0; i < count; i++) {
        const char *accept = all[i].accept;
        int page = amgr_accept_choose(accept, types, FORMAT_COUNT);
        int metrics = amgr_accept_choose(accept, types + TEXT, 2);

        if (page != (int)all[i].page || metrics + TEXT != (int)all[i].metrics) {
            print_error("%s: %s and %s\n", accept, types[page],
                        types[metrics + TEXT]);
        }
        assert_int_equal(page, all[i].page);
        assert_int_equal(metrics + TEXT, all[i].metrics);
        assert_int_equal(amgr_accept_choose(accept, types, 1), 0);
    }
}

static void test_clients(void **state)
{
    (void)state; /* cmocka's signature */
    check(clients, sizeof(clients) / sizeof(clients[0]));
}

static void test_rules(void **state)
{
    (void)state; /* cmocka's signature */
    check(rules, sizeof(rules) / sizeof(rules[0]));
}

static void test_bad(void **state)
{
    (void)state; /* cmocka's signature */
    check(bad, sizeof(bad) / sizeof(bad[0]));
}

/* As long as httpd lets them be: many fields, which it joins. */
static void test_long(void **state)
{
    enum { TIMES = 100000 };
    static char accept[TIMES * 4 + sizeof("application/json;q=0.7")];
    size_t i;

    (void)state; /* cmocka's signature */
    for (i = 0; i < TIMES; i++) {
        memcpy(accept + i * 4, "a/b,", 4);
    }
    memcpy(accept + i * 4, "application/json;q=0.7",
           sizeof("application/json;q=0.7"));
    assert_int_equal(amgr_accept_choose(accept, types, FORMAT_COUNT), JSON);
    memset(accept, ';', i * 4);
    assert_int_equal(amgr_accept_choose(accept, types, FORMAT_COUNT), HTML);
    memset(accept, '"', i * 4);
    assert_int_equal(amgr_accept_choose(accept, types, FORMAT_COUNT), HTML);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_clients),
        cmocka_unit_test(test_rules),
        cmocka_unit_test(test_bad),
        cmocka_unit_test(test_long),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
