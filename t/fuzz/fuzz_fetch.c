/* SPDX-License-Identifier: Apache-2.0
 *
 * Any bytes as what a server answers to a GET of the tool or of a verifier; the
 * first byte says which.  libcurl gets them over a socket pair that is handed
 * to it as a connection.  Checked besides memory: what is handed on has the
 * head that get.h describes, and both of its readers take it for what it is;
 * nothing but a head is handed on where that is asked for; what fails says why
 * in one line.
 */
#include "fuzz.h"

#include <curl/curl.h>
#include <errno.h>
#include <ifaddrs.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/units.h"
#include "cli/source/fetch.h"
#include "cli/source/fetch_process.h"
#include "fetch/get.h"
#include "supervise/check/attempt_program.h"

#define BODY_MAX 2000

CURLcode __real_curl_easy_perform(CURL *curl);
CURLcode __wrap_curl_easy_perform(CURL *curl);
int __wrap_getifaddrs(struct ifaddrs **out);
apr_status_t __wrap_amgr_fetch_process_run(amgr_fetch_process_t *process,
                                           apr_pool_t *pool);
void __wrap_amgr_attempt_program_run(amgr_attempt_program_t *run);
int __wrap_clearenv(void);

/** What the server says, and what came of it. */
static fuzz_t answer;
static char *handed_on;
static size_t handed_on_len;

/* libcurl's socket, in which all is there that will ever be. */
static curl_socket_t open_pair(void *baton, curlsocktype purpose,
                               struct curl_sockaddr *address)
{
    int ends[2];

    (void)baton; /* there is one server */
    (void)purpose;
    (void)address;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) {
        return CURL_SOCKET_BAD;
    }
    check(send(ends[1], answer.at, fuzz_left(&answer), 0) ==
          (ssize_t)fuzz_left(&answer));
    /* Who closed it altogether would not be written to. */
    shutdown(ends[1], SHUT_WR);
    *(int *)baton = ends[1];
    return ends[0];
}

static int is_connected(void *baton, curl_socket_t fd, curlsocktype purpose)
{
    (void)baton; /* alike for all */
    (void)fd;
    (void)purpose;
    return CURL_SOCKOPT_ALREADY_CONNECTED;
}

CURLcode __wrap_curl_easy_perform(CURL *curl)
{
    int server_end = -1;
    CURLcode code;

    curl_easy_setopt(curl, CURLOPT_OPENSOCKETFUNCTION, open_pair);
    curl_easy_setopt(curl, CURLOPT_OPENSOCKETDATA, &server_end);
    curl_easy_setopt(curl, CURLOPT_SOCKOPTFUNCTION, is_connected);
    code = __real_curl_easy_perform(curl);
    if (server_end >= 0) {
        close(server_end);
    }
    return code;
}

/* No address is looked up here but 127.0.0.1. */
int __wrap_getifaddrs(struct ifaddrs **out)
{
    *out = NULL;
    errno = ENOMEM;
    return -1;
}

apr_status_t __wrap_amgr_fetch_process_run(amgr_fetch_process_t *process,
                                           apr_pool_t *pool)
{
    (void)pool; /* the answer is there */
    process->output = handed_on;
    process->length = handed_on_len;
    return APR_SUCCESS;
}

void __wrap_amgr_attempt_program_run(amgr_attempt_program_t *run)
{
    size_t len = handed_on_len < AMGR_ATTEMPT_HEAD_LEN ? handed_on_len
                                                       : AMGR_ATTEMPT_HEAD_LEN;

    memset(run->head, 0, sizeof(run->head));
    memcpy(run->head, handed_on, len);
    run->head_len = len;
    run->error = 0;
    run->status = 0;
    run->line[0] = '\0';
}

int __wrap_clearenv(void)
{
    return 0; /* the fuzzer's own */
}

/* The line's value, when it is one of this key; *at goes behind it. */
static char *take_line(char **at, const char *key)
{
    char *line = *at;
    char *end = strchr(line, '\n');
    size_t len = strlen(key);

    if (end == NULL || strncmp(line, key, len) != 0) {
        return NULL;
    }
    *end = '\0';
    *at = end + 1;
    check_line_text(line);
    check(line[len] != '\0');
    return line + len;
}

/* Of the whole text; the status. */
static int check_head(const char *text, size_t len, int head_only)
{
    char *copy = fuzz_text(text, len);
    char *at = copy;
    const char *status = take_line(&at, "status ");
    const char *location;
    int number = -1;

    check(status != NULL);
    /* 0 is HTTP/0.9, which has none. */
    check(amgr_count_parse(status, 0, 999, &number) == NULL);
    (void)take_line(&at, "type ");
    location = take_line(&at, "location ");
    check(location == NULL || (number >= 300 && number < 400));
    check(location == NULL || strstr(location, "secret") == NULL);
    check(*at == '\n');
    check(!head_only || (size_t)(at + 1 - copy) == len);
    free(copy);
    return number;
}

/* As the verifier and the tool read it. */
static void check_readers(int status, apr_pool_t *pool)
{
    amgr_verify_t verify;
    amgr_attempt_t attempt;
    amgr_answer_t found;
    const amgr_fault_t *fault = amgr_fetch_by("fetch", "http://127.0.0.1/",
                                              1000000, &found, NULL, pool);

    check((fault == NULL) == (status >= 100));
    check(fault != NULL || found.status == status);
    memset(&verify, 0, sizeof(verify));
    memset(&attempt, 0, sizeof(attempt));
    verify.target = (char[]){"http://127.0.0.1/"};
    verify.timeout_us = APR_USEC_PER_SEC;
    verify.status_min = status;
    verify.status_max = status;
    attempt.verify = &verify;
    check((amgr_attempt_http(&attempt) == 0) == (status >= 100));
    verify.status_min = status + 1;
    verify.status_max = 599;
    check(amgr_attempt_http(&attempt) != 0 && attempt.text[0] != '\0');
}

static void read_back(int fd)
{
    off_t len = lseek(fd, 0, SEEK_END);

    check(len >= 0);
    handed_on_len = (size_t)len;
    handed_on = malloc(handed_on_len + 1);
    check(handed_on != NULL);
    check(pread(fd, handed_on, handed_on_len, 0) == len);
    handed_on[handed_on_len] = '\0';
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static int is_begun;
    apr_pool_t *pool = fuzz_pool();
    amgr_get_t get;
    int result;

    if (!is_begun) {
        is_begun = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
    }
    answer.at = data;
    answer.end = data + size;
    memset(&get, 0, sizeof(get));
    get.head_only = (int)fuzz_bits(&answer, 1) & 1;
    get.url = "http://me:secret@127.0.0.1/status";
    get.timeout_ms = 5000;
    get.max_bytes = get.head_only ? 0 : BODY_MAX;
    get.out = memfd_create("fuzz", MFD_CLOEXEC);
    check(get.out >= 0);
    result = amgr_get(&get);
    read_back(get.out);
    if (result == AMGR_GET_ANSWERED) {
        check_readers(check_head(handed_on, handed_on_len, get.head_only),
                      pool);
        check(get.error[0] == '\0');
    }
    else {
        check(result == AMGR_GET_FAILED || result == AMGR_GET_TOO_LONG);
        check(get.error[0] != '\0');
        check_line_text(get.error);
        check(strstr(get.error, "secret") == NULL);
    }
    close(get.out);
    free(handed_on);
    apr_pool_destroy(pool);
    return 0;
}
