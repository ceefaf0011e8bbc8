/* SPDX-License-Identifier: Apache-2.0
 *
 * See fetch.h.  The program that does it is described in src/fetch/get.h and
 * main.c: its arguments, its exit codes and the head before the body are what
 * both sides agree on.
 */
#include "cli/source/fetch.h"

#include <string.h>
#include <unistd.h>

#include <apr_strings.h>

#include "base/units.h"
#include "cli/source/fetch_process.h"

#define PROGRAM "apache-manager-fetch"

/** It ends by itself in time; this much later it does not any more. */
#define SPARE_US APR_USEC_PER_SEC

/** The head that it writes before the body. */
#define HEAD_MAX 8192

/** Its exit codes that mean more than a failure. */
enum { EXIT_ANSWERED = 0, EXIT_USAGE = 2, EXIT_LATE = 3 };

/** Reasons as RFC 9110 has them: a server may send others, or none. */
static const struct {
    int status;
    const char *reason;
} reasons[] = {
    {204, "No Content"},
    {304, "Not Modified"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {406, "Not Acceptable"},
    {407, "Proxy Authentication Required"},
    {408, "Request Timeout"},
    {410, "Gone"},
    {421, "Misdirected Request"},
    {429, "Too Many Requests"},
    {500, "Internal Server Error"},
    {501, "Not Implemented"},
    {502, "Bad Gateway"},
    {503, "Service Unavailable"},
    {504, "Gateway Timeout"},
};

/* Whether this is "user:pass" of a password with a slash, rather than a host
 * with its port. */
static int is_cut_password(const char *host, apr_size_t len)
{
    const char *colon = memchr(host, ':', len);

    return host[0] != '[' && colon != NULL &&
           strspn(colon + 1, "0123456789") <
               len - (apr_size_t)(colon + 1 - host);
}

/* What stands behind the last @ of the first @a len bytes, or NULL. */
static const char *after_at(const char *text, apr_size_t len)
{
    while (len > 0) {
        if (text[--len] == '@') {
            return text + len + 1;
        }
    }
    return NULL;
}

/* User and password end with the last @ before the path. */
const char *amgr_fetch_shown(const char *url, apr_pool_t *pool)
{
    const char *host = strstr(url, "://");
    const char *rest;
    apr_size_t len;

    host = host == NULL ? url : host + 3;
    len = strcspn(host, "/?#");
    rest = after_at(host, len);
    if (rest == NULL && is_cut_password(host, len)) {
        rest = after_at(host, strlen(host));
    }
    if (rest != NULL) {
        url =
            apr_pstrcat(pool, apr_pstrndup(pool, url, (apr_size_t)(host - url)),
                        rest, NULL);
    }
    return amgr_fault_quote(pool, url);
}

static const char *find_program(apr_pool_t *pool)
{
    char self[4096];
    ssize_t len = readlink("/proc/self/exe", self, sizeof(self) - 1);
    const char *beside;
    char *slash;

    if (len > 0) {
        self[len] = '\0';
        slash = strrchr(self, '/');
        if (slash != NULL) {
            *slash = '\0';
            beside = apr_pstrcat(pool, self, "/" PROGRAM, NULL);
            if (access(beside, X_OK) == 0) {
                return beside;
            }
        }
    }
    return AMGR_FETCH_DIR "/" PROGRAM;
}

static const char *duration(apr_interval_time_t span_us, apr_pool_t *pool)
{
    char text[AMGR_UNITS_LEN];

    if (span_us % APR_USEC_PER_SEC == 0) {
        amgr_duration_format(span_us, text, sizeof(text));
    }
    else {
        amgr_duration_format_exact(span_us, text, sizeof(text));
    }
    return apr_pstrdup(pool, text);
}

/* The value of this key's line in the head, or "". */
static const char *head_value(const char *head, const char *key,
                              apr_pool_t *pool)
{
    apr_size_t len = strlen(key);

    while (head[0] != '\0') {
        apr_size_t line = strcspn(head, "\n");

        if (line > len && strncmp(head, key, len) == 0 && head[len] == ' ') {
            return apr_pstrndup(pool, head + len + 1, line - len - 1);
        }
        head += line + (head[line] == '\n');
    }
    return "";
}

/* 0 when it does not begin as an answer does. */
static int take_answer(const amgr_fetch_process_t *process, amgr_answer_t *out,
                       apr_pool_t *pool)
{
    const char *end = strstr(process->output, "\n\n");
    const char *head;

    if (end == NULL || end - process->output > HEAD_MAX) {
        return 0;
    }
    head = apr_pstrndup(pool, process->output,
                        (apr_size_t)(end - process->output));
    if (amgr_count_parse(head_value(head, "status", pool), 100, 999,
                         &out->status) != NULL) {
        return 0;
    }
    out->content_type = head_value(head, "type", pool);
    out->location = head_value(head, "location", pool);
    out->body = end + 2;
    out->length = process->length - (apr_size_t)(out->body - process->output);
    return 1;
}

/* What it complained of, without its name. */
static const char *complaint_of(const amgr_fetch_process_t *process)
{
    const char *text = process->complaint;

    if (strncmp(text, PROGRAM ": ", sizeof(PROGRAM ": ") - 1) == 0) {
        text += sizeof(PROGRAM ": ") - 1;
    }
    return text[0] != '\0' ? text : PROGRAM " has failed";
}

/* NULL when there is an answer. */
static const amgr_fault_t *judge(const amgr_fetch_process_t *process,
                                 const char *shown,
                                 apr_interval_time_t timeout_us,
                                 amgr_answer_t *out, int *out_timed_out,
                                 apr_pool_t *pool)
{
    if (process->late || process->exit_code == EXIT_LATE) {
        *out_timed_out = 1;
        return amgr_fault_make(pool, AMGR_EXIT_FAILED,
                               "%s: no answer within %s", shown,
                               duration(timeout_us, pool));
    }
    if (process->too_long) {
        return amgr_fault_make(pool, AMGR_EXIT_FAILED,
                               "%s: the answer is too long", shown);
    }
    if (process->exit_code == EXIT_USAGE) {
        return amgr_fault_make(pool, AMGR_EXIT_USAGE, "%s: %s", shown,
                               complaint_of(process));
    }
    if (process->exit_code != EXIT_ANSWERED) {
        return amgr_fault_make(pool, AMGR_EXIT_FAILED, "%s: %s", shown,
                               complaint_of(process));
    }
    if (!take_answer(process, out, pool)) {
        return amgr_fault_make(pool, AMGR_EXIT_FAILED,
                               "%s: %s did not hand on an answer", shown,
                               process->argv[0]);
    }
    return NULL;
}

const amgr_fault_t *amgr_fetch_by(const char *program, const char *url,
                                  apr_interval_time_t timeout_us,
                                  amgr_answer_t *out, int *out_timed_out,
                                  apr_pool_t *pool)
{
    const char *shown = amgr_fetch_shown(url, pool);
    const char *const argv[] = {
        program,
        apr_psprintf(pool, "%" APR_TIME_T_FMT,
                     timeout_us < 1000 ? 1 : apr_time_as_msec(timeout_us)),
        apr_psprintf(pool, "%d", AMGR_FETCH_MAX_BYTES), NULL};
    amgr_fetch_process_t process = {
        .argv = argv,
        .input = apr_pstrcat(pool, url, "\n", NULL),
        .wait_us = timeout_us + SPARE_US,
        .max_bytes = AMGR_FETCH_MAX_BYTES + HEAD_MAX,
    };
    char reason[120];
    int ignored;
    apr_status_t rv;

    if (out_timed_out == NULL) {
        out_timed_out = &ignored;
    }
    memset(out, 0, sizeof(*out));
    *out_timed_out = 0;
    if (strlen(url) > AMGR_FETCH_URL_MAX || strchr(url, '\n') != NULL) {
        return amgr_fault_make(pool, AMGR_EXIT_USAGE,
                               "%.200s...: this is no URL of a server", shown);
    }
    rv = amgr_fetch_process_run(&process, pool);
    if (rv != APR_SUCCESS) {
        return amgr_fault_make(pool, AMGR_EXIT_FAILED, "cannot run %s: %s",
                               program,
                               apr_strerror(rv, reason, sizeof(reason)));
    }
    return judge(&process, shown, timeout_us, out, out_timed_out, pool);
}

const amgr_fault_t *amgr_fetch(const char *url, apr_interval_time_t timeout_us,
                               amgr_answer_t *out, int *out_timed_out,
                               apr_pool_t *pool)
{
    return amgr_fetch_by(find_program(pool), url, timeout_us, out,
                         out_timed_out, pool);
}

static const char *reason_of(int status)
{
    apr_size_t i;

    for (i = 0; i < AMGR_COUNT(reasons); i++) {
        if (reasons[i].status == status) {
            return reasons[i].reason;
        }
    }
    return NULL;
}

const amgr_fault_t *amgr_fetch_refusal(const amgr_answer_t *answer,
                                       const char *url, apr_pool_t *pool)
{
    const char *shown = amgr_fetch_shown(url, pool);
    const char *reason = reason_of(answer->status);
    int code = AMGR_EXIT_FAILED;

    if (answer->status == 200) {
        return NULL;
    }
    if (answer->status >= 300 && answer->status < 400 &&
        answer->location[0] != '\0') {
        return amgr_fault_make(pool, code,
                               "%s: redirected to %s: ask there with --url",
                               shown, amgr_fetch_shown(answer->location, pool));
    }
    if (answer->status == 401 || answer->status == 403 ||
        answer->status == 407) {
        code = AMGR_EXIT_PERMISSION;
    }
    return amgr_fault_make(pool, code, "%s: HTTP %d%s%s", shown, answer->status,
                           reason == NULL ? "" : " ",
                           reason == NULL ? "" : reason);
}
