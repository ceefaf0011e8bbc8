/* SPDX-License-Identifier: Apache-2.0
 *
 * The verifier `http`: the status of a GET.  HTTP is done by another program
 * (src/fetch), so that neither httpd nor the supervisor carries a client of it;
 * its arguments, its exit codes and the head that it writes are described in
 * src/fetch/main.c and get.h.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include <apr_strings.h>

#include "base/units.h"
#include "supervise/check/attempt_program.h"

#define PROGRAM "apache-manager-fetch"

/** What the program takes: the URL and all headers, a line each. */
#define INPUT_LEN (16 * 1024 + 1)

/** The longest time that it takes. */
#define TIMEOUT_MAX_MS 1800000

/** Its exit codes. */
enum { EXIT_ANSWERED = 0, EXIT_LATE = 3 };

/* 0 when it is too long, or a line is more than one. */
static int write_input(const amgr_verify_t *verify, char *buf, apr_size_t size)
{
    const apr_array_header_t *headers = verify->headers;
    amgr_sink_t sink;
    int i;

    if (verify->target == NULL || strchr(verify->target, '\n') != NULL) {
        return 0;
    }
    amgr_sink_init_text(&sink, buf, size);
    amgr_sink_puts(&sink, verify->target);
    amgr_sink_putc(&sink, '\n');
    for (i = 0; headers != NULL && i < headers->nelts; i++) {
        const char *line = APR_ARRAY_IDX(headers, i, const char *);

        if (strchr(line, '\n') != NULL) {
            return 0;
        }
        amgr_sink_puts(&sink, line);
        amgr_sink_putc(&sink, '\n');
    }
    amgr_sink_text(&sink);
    return sink.status == APR_SUCCESS;
}

static const char *skip(const char *text, const char *prefix)
{
    apr_size_t len = strlen(prefix);

    return strncmp(text, prefix, len) == 0 ? text + len : NULL;
}

/* The value of this key's line of the head, or NULL. */
static const char *find_line(const char *head, const char *key)
{
    const char *value;

    while (head[0] != '\0' && head[0] != '\n') {
        value = skip(head, key);
        if (value != NULL) {
            return value;
        }
        head += strcspn(head, "\n");
        head += head[0] == '\n';
    }
    return NULL;
}

/* Neither user and password nor what is asked there: both may be secrets. */
static int fail_redirected(amgr_attempt_t *attempt, const char *location)
{
    const char *host = strstr(location, "://");
    apr_size_t scheme_len;
    apr_size_t host_len;
    apr_size_t skipped;

    /* Such marks may stand in what is asked there, too. */
    if (host == NULL || location + strcspn(location, "/?#\n") != host + 1) {
        host = location;
    }
    else {
        host += 3;
    }
    scheme_len = (apr_size_t)(host - location);
    host_len = strcspn(host, "/?#\n");
    for (skipped = host_len; skipped > 0 && host[skipped - 1] != '@';) {
        skipped--;
    }
    host += skipped;
    return amgr_attempt_fail(attempt, "redirected to %.*s%.*s", (int)scheme_len,
                             location, (int)strcspn(host, "?#\n"), host);
}

static int judge_status(amgr_attempt_t *attempt, const char *head)
{
    const amgr_verify_t *verify = attempt->verify;
    const char *text = find_line(head, "status ");
    const char *location = find_line(head, "location ");
    char number[8];
    int status = 0;

    apr_cpystrn(number, text == NULL ? "" : text, sizeof(number));
    number[strcspn(number, "\n")] = '\0';
    if (amgr_count_parse(number, 100, 999, &status) != NULL) {
        return amgr_attempt_fail(attempt, PROGRAM " did not hand on an answer");
    }
    if (status >= verify->status_min && status <= verify->status_max) {
        return 0;
    }
    if (location != NULL) {
        return fail_redirected(attempt, location);
    }
    return amgr_attempt_fail(attempt, "status %d", status);
}

static int judge(amgr_attempt_t *attempt, const amgr_attempt_program_t *run)
{
    const char *said = skip(run->line, PROGRAM ": ");

    if (run->error != 0) {
        return amgr_attempt_fail_errno(attempt, PROGRAM " cannot be executed",
                                       run->error);
    }
    if (WIFEXITED(run->status) && WEXITSTATUS(run->status) == EXIT_ANSWERED) {
        return judge_status(attempt, run->head);
    }
    if (WIFEXITED(run->status) && WEXITSTATUS(run->status) == EXIT_LATE) {
        amgr_attempt_late_text(attempt->verify, attempt->text,
                               sizeof(attempt->text));
        return 1;
    }
    return amgr_attempt_fail(attempt, "%s",
                             said == NULL ? PROGRAM " has failed" : said);
}

int amgr_attempt_http(amgr_attempt_t *attempt)
{
    char input[INPUT_LEN];
    char timeout[24];
    char *const argv[] = {(char[]){PROGRAM}, timeout, (char[]){"head"}, NULL};
    amgr_attempt_program_t run = {.argv = argv,
                                  .program_fd = attempt->program_fd,
                                  .input = input,
                                  .supervisor = attempt->supervisor};
    apr_int64_t timeout_ms = apr_time_as_msec(attempt->verify->timeout_us);

    if (attempt->program_fd < 0) {
        return amgr_attempt_fail_errno(attempt, PROGRAM " cannot be executed",
                                       attempt->program_error);
    }
    if (!write_input(attempt->verify, input, sizeof(input))) {
        return amgr_attempt_fail(attempt,
                                 "its URL or its headers are too long");
    }
    if (timeout_ms < 1 || timeout_ms > TIMEOUT_MAX_MS) {
        timeout_ms = timeout_ms < 1 ? 1 : TIMEOUT_MAX_MS;
    }
    snprintf(timeout, sizeof(timeout), "%" APR_INT64_T_FMT, timeout_ms);
    /* Above all no proxy of httpd's. */
    clearenv();
    amgr_attempt_program_run(&run);
    return judge(attempt, &run);
}
