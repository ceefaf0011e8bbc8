/* SPDX-License-Identifier: Apache-2.0
 *
 * apache-manager-fetch TIMEOUT_MS MAX_BYTES
 *
 * Gets the URL that stands on standard input, in a line of its own, and writes
 * what came to standard output, as get.h describes it.  The URL is no argument
 * because it may hold a password, and arguments are everybody's to read.  What
 * went wrong is one line on standard error; exit codes are amgr_get_e.
 *
 * A program of its own, so that whoever needs no HTTP pays for no library of
 * it, and so that what reads bytes from a network can be killed when it hangs.
 */
#include <curl/curl.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/units.h"
#include "fetch/get.h"

#define PROGRAM "apache-manager-fetch"

/** The longest URL, with its line end. */
#define URL_MAX 8192

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

/* 0 unless there is one line, and nothing in it that ends early. */
static int read_url(char *buf, size_t size)
{
    size_t used = 0;
    char *end;

    while (used < size - 1) {
        ssize_t n = read(STDIN_FILENO, buf + used, size - 1 - used);

        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            break;
        }
        used += (size_t)n;
        if (memchr(buf, '\n', used) != NULL) {
            break;
        }
    }
    buf[used] = '\0';
    end = strchr(buf, '\n');
    if (end == NULL || end == buf) {
        return 0;
    }
    *end = '\0';
    return 1;
}

int main(int argc, char **argv)
{
    static char url[URL_MAX];
    amgr_get_t get;
    int max_bytes = 0;
    int timeout_ms = 0;
    int result;

    if (argc != 3 ||
        amgr_count_parse(argv[1], 1, TIMEOUT_MAX_MS, &timeout_ms) != NULL ||
        amgr_count_parse(argv[2], 0, APR_INT32_MAX, &max_bytes) != NULL) {
        say("usage: " PROGRAM " TIMEOUT_MS MAX_BYTES, "
            "and the URL on standard input");
        return AMGR_GET_USAGE;
    }
    guard(timeout_ms);
    if (!read_url(url, sizeof(url))) {
        say("no URL on standard input");
        return AMGR_GET_USAGE;
    }
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        say("libcurl cannot be used");
        return AMGR_GET_FAILED;
    }
    get.url = url;
    get.timeout_ms = timeout_ms;
    get.max_bytes = (apr_uint64_t)max_bytes;
    get.out = STDOUT_FILENO;
    result = amgr_get(&get);
    if (result != AMGR_GET_ANSWERED) {
        say(get.error);
    }
    curl_global_cleanup();
    return result;
}
