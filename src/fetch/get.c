/* SPDX-License-Identifier: Apache-2.0
 *
 * See get.h.
 */
#include "fetch/get.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/escape.h"
#include "fetch/head.h"
#include "fetch/here.h"

/** What the callbacks know. */
typedef struct getting_t {
    amgr_get_t *get;
    CURL *curl;
    CURLU *url;
    amgr_head_t head;
    apr_uint64_t body_bytes;
    int head_is_out;
    int is_enough; /**< we stopped libcurl because nothing is missing */
    int head_is_too_long;
    int result; /**< amgr_get_e of a refusal of ours */
    int sys_errno;
    char detail[CURL_ERROR_SIZE];
} getting_t;

static int write_all(getting_t *getting, const char *data, apr_size_t len)
{
    while (len > 0) {
        ssize_t n = write(getting->get->out, data, len);

        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            getting->sys_errno = errno;
            getting->result = AMGR_GET_OUTPUT;
            return 0;
        }
        data += n;
        len -= (apr_size_t)n;
    }
    return 1;
}

static apr_status_t flush_out(void *baton, const char *data, apr_size_t len)
{
    return write_all(baton, data, len) ? APR_SUCCESS : APR_EGENERAL;
}

static int put_head(getting_t *getting)
{
    amgr_sink_t sink;
    char buf[512];

    if (getting->head_is_out) {
        return 1;
    }
    getting->head_is_out = 1;
    amgr_sink_init(&sink, buf, sizeof(buf), flush_out, getting);
    amgr_head_write(&getting->head, getting->curl, getting->url, &sink);
    return amgr_sink_finish(&sink) == APR_SUCCESS;
}

/* Anything but what there was stops libcurl. */
static size_t on_body(char *data, size_t size, size_t count, void *baton)
{
    getting_t *getting = baton;
    size_t len = size * count;

    getting->body_bytes += len;
    if (getting->body_bytes > getting->get->max_bytes) {
        getting->result = AMGR_GET_TOO_LONG;
        return CURL_WRITEFUNC_ERROR;
    }
    if (!put_head(getting) || !write_all(getting, data, len)) {
        return CURL_WRITEFUNC_ERROR;
    }
    return len;
}

/* Whether the head is all there, and all that is asked for; answers of 1xx only
 * announce another. */
static int is_enough(const getting_t *getting, const char *line, apr_size_t len)
{
    long status = 0;

    if (!getting->get->head_only || !amgr_head_is_end(line, len)) {
        return 0;
    }
    curl_easy_getinfo(getting->curl, CURLINFO_RESPONSE_CODE, &status);
    return status >= 200;
}

static size_t on_header(char *data, size_t size, size_t count, void *baton)
{
    getting_t *getting = baton;
    size_t len = size * count;

    if (!amgr_head_take(&getting->head, data, len)) {
        getting->result = AMGR_GET_TOO_LONG;
        getting->head_is_too_long = 1;
        return 0;
    }
    if (is_enough(getting, data, len)) {
        getting->is_enough = put_head(getting);
        return 0;
    }
    return len;
}

static void set_options(getting_t *getting)
{
    CURL *curl = getting->curl;

    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(curl, CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC);
    curl_easy_setopt(curl, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
    curl_easy_setopt(curl, CURLOPT_USERAGENT, "apache-manager/" AMGR_VERSION);
    curl_easy_setopt(curl, CURLOPT_FORBID_REUSE, 1L);
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, getting->detail);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, getting);
    curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(curl, CURLOPT_HEADERDATA, getting);
    /* A proxy's consent is not the answer. */
    curl_easy_setopt(curl, CURLOPT_SUPPRESS_CONNECT_HEADERS,
                     getting->get->head_only ? 1L : 0L);
}

/* 0 when there is no memory. */
static int set_headers(getting_t *getting, struct curl_slist **list)
{
    struct curl_slist *longer;
    int i;

    for (i = 0; i < getting->get->header_count; i++) {
        longer = curl_slist_append(*list, getting->get->headers[i]);
        if (longer == NULL) {
            return 0;
        }
        *list = longer;
    }
    curl_easy_setopt(getting->curl, CURLOPT_HTTPHEADER, *list);
    return 1;
}

/* What looking up has left of the time; 0 would be for ever. */
static void set_time(getting_t *getting, apr_time_t begun_us)
{
    apr_interval_time_t taken_us = amgr_clock_monotonic_us() - begun_us;
    long left_ms = getting->get->timeout_ms - (long)apr_time_as_msec(taken_us);

    if (left_ms < 1) {
        left_ms = 1;
    }
    curl_easy_setopt(getting->curl, CURLOPT_TIMEOUT_MS, left_ms);
    curl_easy_setopt(getting->curl, CURLOPT_CONNECTTIMEOUT_MS, left_ms);
}

/* Where else the administrator has the certificates that are trusted, in the
 * variables of OpenSSL, which libcurl leaves to its callers. */
static void set_certificates(getting_t *getting)
{
    const char *file = getenv("SSL_CERT_FILE");
    const char *dir = getenv("SSL_CERT_DIR");

    if (file != NULL && file[0] != '\0') {
        curl_easy_setopt(getting->curl, CURLOPT_CAINFO, file);
    }
    if (dir != NULL && dir[0] != '\0') {
        curl_easy_setopt(getting->curl, CURLOPT_CAPATH, dir);
    }
}

static int is_http(CURLU *url)
{
    char *scheme = NULL;
    int is = curl_url_get(url, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK &&
             (strcmp(scheme, "http") == 0 || strcmp(scheme, "https") == 0);

    curl_free(scheme);
    return is;
}

/*
 * The host of the URL decides about proxy and certificate.  It is looked up
 * here once, and libcurl connects to what was found: a name that led to this
 * machine a moment ago must not lead elsewhere unverified.
 */
static CURLUcode set_url(getting_t *getting, struct curl_slist **resolve)
{
    CURLU *url = getting->url;
    amgr_here_t here;
    char *host = NULL;
    char *port = NULL;
    CURLUcode rv;

    rv = curl_url_set(url, CURLUPART_URL, getting->get->url, 0);
    if (rv == CURLUE_OK && !is_http(url)) {
        rv = CURLUE_UNSUPPORTED_SCHEME;
    }
    if (rv == CURLUE_OK) {
        rv = curl_url_get(url, CURLUPART_HOST, &host, 0);
    }
    if (rv == CURLUE_OK) {
        rv = curl_url_get(url, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT);
    }
    if (rv == CURLUE_OK) {
        amgr_here_look_up(host, port, &here);
        if (here.resolve[0] != '\0') {
            *resolve = curl_slist_append(NULL, here.resolve);
            curl_easy_setopt(getting->curl, CURLOPT_RESOLVE, *resolve);
        }
        if (here.is_here) {
            curl_easy_setopt(getting->curl, CURLOPT_NOPROXY, "*");
            curl_easy_setopt(getting->curl, CURLOPT_SSL_VERIFYPEER, 0L);
            curl_easy_setopt(getting->curl, CURLOPT_SSL_VERIFYHOST, 0L);
        }
        curl_easy_setopt(getting->curl, CURLOPT_CURLU, url);
    }
    curl_free(host);
    curl_free(port);
    return rv;
}

static void explain(getting_t *getting, const char *text, const char *detail)
{
    amgr_get_t *get = getting->get;
    amgr_sink_t sink;

    amgr_sink_init_text(&sink, get->error, sizeof(get->error));
    amgr_sink_puts(&sink, text);
    if (detail != NULL && detail[0] != '\0') {
        amgr_sink_puts(&sink, ": ");
        amgr_escape_line(&sink, detail);
    }
    amgr_sink_text(&sink);
}

/* The error of the system behind a connection that failed, with a small
 * letter, as the rest of the line. */
static void explain_connect(getting_t *getting)
{
    char text[128];
    long number = 0;

    curl_easy_getinfo(getting->curl, CURLINFO_OS_ERRNO, &number);
    if (number == 0) {
        explain(getting, "cannot connect", getting->detail);
        return;
    }
    snprintf(text, sizeof(text), "%s", strerror((int)number));
    if (text[0] >= 'A' && text[0] <= 'Z') {
        text[0] = (char)(text[0] - 'A' + 'a');
    }
    explain(getting, text, NULL);
}

/* Refusals of ours come first: libcurl only knows that it was stopped. */
static int explain_refusal(getting_t *getting)
{
    if (getting->result == AMGR_GET_OUTPUT) {
        explain(getting, "cannot hand on the answer",
                strerror(getting->sys_errno));
    }
    else if (getting->head_is_too_long) {
        explain(getting, "the answer's head is too long", NULL);
    }
    else {
        explain(getting, "the answer is too long", NULL);
    }
    return getting->result;
}

/** What libcurl says in a word of ours, and whether its own is added. */
static const struct {
    CURLcode code;
    int with_detail;
    const char *text;
} explanations[] = {
    {CURLE_COULDNT_RESOLVE_HOST, 0, "this host is not known"},
    {CURLE_COULDNT_RESOLVE_PROXY, 0, "the proxy's host is not known"},
    {CURLE_GOT_NOTHING, 0, "the connection was closed without an answer"},
    {CURLE_PARTIAL_FILE, 0, "the answer breaks off"},
    {CURLE_RECV_ERROR, 1, "the answer cannot be read"},
    {CURLE_UNSUPPORTED_PROTOCOL, 0, "what answers there does not speak HTTP"},
    {CURLE_WEIRD_SERVER_REPLY, 0, "what answers there does not speak HTTP"},
    {CURLE_SSL_CONNECT_ERROR, 1, "TLS fails"},
    {CURLE_PEER_FAILED_VERIFICATION, 1, "the certificate is not trusted"},
};

static int explain_code(getting_t *getting, CURLcode code)
{
    long proxy_status = 0;
    apr_size_t i;

    if (code == CURLE_OPERATION_TIMEDOUT) {
        explain(getting, "no answer in time", NULL);
        return AMGR_GET_LATE;
    }
    curl_easy_getinfo(getting->curl, CURLINFO_HTTP_CONNECTCODE, &proxy_status);
    if (proxy_status >= 300) {
        explain(getting, "the proxy refuses", getting->detail);
        return AMGR_GET_FAILED;
    }
    if (code == CURLE_COULDNT_CONNECT) {
        explain_connect(getting);
        return AMGR_GET_FAILED;
    }
    for (i = 0; i < AMGR_COUNT(explanations); i++) {
        if (explanations[i].code == code) {
            explain(getting, explanations[i].text,
                    explanations[i].with_detail ? getting->detail : NULL);
            return AMGR_GET_FAILED;
        }
    }
    explain(getting, curl_easy_strerror(code), getting->detail);
    return AMGR_GET_FAILED;
}

/* Ask, and say how it went. */
static int perform(getting_t *getting)
{
    CURLcode code = curl_easy_perform(getting->curl);

    if (getting->result != AMGR_GET_ANSWERED) {
        return explain_refusal(getting);
    }
    if (getting->is_enough) {
        return AMGR_GET_ANSWERED;
    }
    if (code != CURLE_OK) {
        return explain_code(getting, code);
    }
    return put_head(getting) ? AMGR_GET_ANSWERED : explain_refusal(getting);
}

int amgr_get(amgr_get_t *get)
{
    getting_t getting = {.get = get};
    apr_time_t begun_us = amgr_clock_monotonic_us();
    struct curl_slist *headers = NULL;
    struct curl_slist *resolve = NULL;
    int result = AMGR_GET_FAILED;
    CURLUcode parsed;

    get->error[0] = '\0';
    getting.curl = curl_easy_init();
    getting.url = curl_url();
    if (getting.curl == NULL || getting.url == NULL ||
        !set_headers(&getting, &headers)) {
        explain(&getting, "there is no memory", NULL);
        goto done;
    }
    set_options(&getting);
    set_certificates(&getting);
    parsed = set_url(&getting, &resolve);
    if (parsed == CURLUE_OK) {
        set_time(&getting, begun_us);
        result = perform(&getting);
    }
    else {
        explain(&getting, "this is no URL of http or https",
                curl_url_strerror(parsed));
        result = AMGR_GET_USAGE;
    }

done:
    curl_easy_cleanup(getting.curl);
    curl_url_cleanup(getting.url);
    curl_slist_free_all(resolve);
    curl_slist_free_all(headers);
    return result;
}
