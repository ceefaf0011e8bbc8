/* SPDX-License-Identifier: Apache-2.0
 *
 * apache-manager-fetch TIMEOUT_MS MAX_BYTES|head
 *
 * Gets the URL that stands on standard input, in a line of its own, and writes
 * what came to standard output, as get.h describes it; with "head", the head of
 * the answer, however long its body is or takes.  Header lines to be sent may
 * follow the URL, each in a line.  Neither is an argument because they may hold
 * a password, and arguments are everybody's to read.  What went wrong is one
 * line on standard error; exit codes are amgr_get_e.
 *
 * A program of its own, so that whoever needs no HTTP pays for no library of
 * it, and so that what reads bytes from a network can be killed when it hangs.
 */
#include <curl/curl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/units.h"
#include "fetch/get.h"
#include "fetch/input.h"

#define PROGRAM "apache-manager-fetch"

/** In the place of MAX_BYTES. */
#define HEAD_ONLY "head"

/** Half an hour: who waits longer does not wait for a page. */
#define TIMEOUT_MAX_MS 1800000

/** After its time libcurl is given this long to notice; looking up a name is
 * not always in its hands. */
#define SPARE_MS 500

static void say(const char *text)
{
    fprintf(stderr, "%s: %s\n", PROGRAM, text);
}

/* The end of a lookup that waits for a name server. */
static void on_alarm(int number)
{
    static const char line[] = PROGRAM ": no answer in time\n";
    ssize_t ignored;

    (void)number; /* there is but one */
    ignored = write(STDERR_FILENO, line, sizeof(line) - 1);
    (void)ignored; /* who does not read it reads the exit code */
    _exit(AMGR_GET_LATE);
}

static void guard(int timeout_ms)
{
    struct itimerval at;
    struct sigaction action;

    memset(&at, 0, sizeof(at));
    at.it_value.tv_sec = (timeout_ms + SPARE_MS) / 1000;
    at.it_value.tv_usec = (timeout_ms + SPARE_MS) % 1000 * 1000;
    memset(&action, 0, sizeof(action));
    action.sa_handler = on_alarm;
    sigaction(SIGALRM, &action, NULL);
    setitimer(ITIMER_REAL, &at, NULL);
    signal(SIGPIPE, SIG_IGN);
    /* No core file, whose memory holds the password, and no other process of
     * this user looks into it. */
    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

static int parse_arguments(int argc, char **argv, amgr_get_t *get)
{
    int max_bytes = 0;
    int timeout_ms = 0;

    if (argc != 3 ||
        amgr_count_parse(argv[1], 1, TIMEOUT_MAX_MS, &timeout_ms) != NULL) {
        return 0;
    }
    get->timeout_ms = timeout_ms;
    get->head_only = strcmp(argv[2], HEAD_ONLY) == 0;
    if (!get->head_only &&
        amgr_count_parse(argv[2], 0, APR_INT32_MAX, &max_bytes) != NULL) {
        return 0;
    }
    get->max_bytes = (apr_uint64_t)max_bytes;
    return 1;
}

int main(int argc, char **argv)
{
    static amgr_input_t input;
    const char *fault;
    amgr_get_t get;
    int result;

    memset(&get, 0, sizeof(get));
    if (!parse_arguments(argc, argv, &get)) {
        say("usage: " PROGRAM " TIMEOUT_MS MAX_BYTES|" HEAD_ONLY ", "
            "and the URL on standard input");
        return AMGR_GET_USAGE;
    }
    guard((int)get.timeout_ms);
    fault = amgr_input_read(STDIN_FILENO, &input);
    if (fault != NULL) {
        say(fault);
        return AMGR_GET_USAGE;
    }
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        say("libcurl cannot be used");
        return AMGR_GET_FAILED;
    }
    get.url = input.url;
    get.headers = input.headers;
    get.header_count = input.header_count;
    get.out = STDOUT_FILENO;
    result = amgr_get(&get);
    if (result != AMGR_GET_ANSWERED) {
        say(get.error);
    }
    curl_global_cleanup();
    return result;
}
