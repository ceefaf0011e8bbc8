/* SPDX-License-Identifier: Apache-2.0
 *
 * Values of directives: text in, NULL and the value out, or a noun phrase of
 * what was expected (as base/units.h).
 */
#include <limits.h>
#include <signal.h>
#include <string.h>
#include <strings.h>

#include "base/units.h"
#include "supervise/spec/spec_parts.h"

#define DIGITS "0123456789"
#define LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

#define NAME_EXPECTED                                                          \
    "a name of at most 63 letters, digits, dots, dashes and underscores, the " \
    "first no dot or dash"

/** As the kernel takes it (PATH_MAX). */
#define PATH_LEN_MAX 4095

/** RFC 1035 */
#define HOST_LEN_MAX 255

#define FACTOR_MAX 100

const char *amgr_name_check(const char *text)
{
    apr_size_t len = strlen(text);

    return len == 0 || len >= AMGR_MANAGED_NAME_LEN || text[0] == '.' ||
                   text[0] == '-' || strspn(text, LETTERS DIGITS "_.-") != len
               ? NAME_EXPECTED
               : NULL;
}

const char *amgr_path_check(const char *text)
{
    return text[0] == '/' && strlen(text) <= PATH_LEN_MAX
               ? NULL
               : "a path, absolute or relative to ServerRoot";
}

const char *amgr_program_check(const char *text)
{
    return text[0] == '/' && strlen(text) <= PATH_LEN_MAX
               ? NULL
               : "a program with its path, absolute or relative to ServerRoot";
}

/* The highest of 32 bits is no id: setresuid(2) takes it for "as it is". */
static int is_id(const char *text)
{
    apr_size_t len = strspn(text, DIGITS);
    apr_uint64_t id = 0;
    apr_size_t i;

    for (i = 0; i < len && i < 10; i++) {
        id = id * 10 + (apr_uint64_t)(text[i] - '0');
    }
    return i > 0 && text[i] == '\0' && id < APR_UINT32_MAX;
}

const char *amgr_account_check(const char *text)
{
    if (text[0] == '#') {
        return is_id(text + 1) ? NULL : "a number after the #";
    }
    /* A number alone would be looked up as a name, which none has. */
    return text[strspn(text, DIGITS)] == '\0' || text[0] == '-' ||
                   strpbrk(text, " :/,") != NULL
               ? "a name, or # and a number"
               : NULL;
}

const char *amgr_variable_check(const char *text, apr_size_t len)
{
    return len == 0 || strspn(text, DIGITS) != 0 ||
                   strspn(text, LETTERS DIGITS "_") < len
               ? "a variable's name of letters, digits and underscores"
               : NULL;
}

/* "HOST" or "[IPV6]" of @a len bytes. */
static int is_host(const char *text, apr_size_t len)
{
    if (len > HOST_LEN_MAX) {
        return 0;
    }
    if (len > 2 && text[0] == '[') {
        return text[len - 1] == ']' &&
               strspn(text + 1, LETTERS DIGITS ":.%_-") == len - 2;
    }
    return len > 0 && strspn(text, LETTERS DIGITS "._-") >= len;
}

/* Where the ":" before a port is; @a len, where the text ends, without one. */
static apr_size_t find_port(const char *text, apr_size_t len)
{
    apr_size_t at = len;

    while (at > 0 && text[at - 1] != ':' && text[at - 1] != ']') {
        at--;
    }
    return at > 0 && text[at - 1] == ':' ? at - 1 : len;
}

static int is_port(const char *text, apr_size_t len)
{
    char port[8];
    int number;

    if (len >= sizeof(port)) {
        return 0;
    }
    memcpy(port, text, len);
    port[len] = '\0';
    return amgr_count_parse(port, 1, 65535, &number) == NULL;
}

const char *amgr_host_port_check(const char *text)
{
    apr_size_t len = strlen(text);
    apr_size_t colon = find_port(text, len);

    return colon < len && is_host(text, colon) &&
                   is_port(text + colon + 1, len - colon - 1)
               ? NULL
               : "HOST:PORT";
}

const char *amgr_url_check(const char *text)
{
    static const char expected[] = "a URL, http:// or https:// and a host";
    const char *at;
    apr_size_t end;
    apr_size_t user;
    apr_size_t colon;

    if (strncasecmp(text, "http://", 7) != 0 &&
        strncasecmp(text, "https://", 8) != 0) {
        return expected;
    }
    at = strstr(text, "://") + 3;
    if (strpbrk(at, " \"<>\\^`{|}") != NULL) {
        return expected;
    }
    end = strcspn(at, "/?#");
    user = end;
    while (user > 0 && at[user - 1] != '@') {
        user--;
    }
    at += user;
    end -= user;
    colon = find_port(at, end);
    return is_host(at, colon) &&
                   (colon == end || is_port(at + colon + 1, end - colon - 1))
               ? NULL
               : expected;
}

const char *amgr_integer_parse(const char *text, int min, int max, int *out)
{
    int negative = text[0] == '-';
    int number;

    if (amgr_count_parse(text + negative, 0, INT_MAX, &number) != NULL) {
        return "a whole number within its range";
    }
    number = negative ? -number : number;
    if (number < min || number > max) {
        return "a whole number within its range";
    }
    *out = number;
    return NULL;
}

/* In thousandths, so that what is shown is what was asked for. */
const char *amgr_factor_parse(const char *text, double *out)
{
    static const char expected[] =
        "a number from 1 to 100 with at most three decimals";
    apr_size_t whole = strspn(text, DIGITS);
    apr_size_t decimals;
    int thousandths = 0;
    apr_size_t i;

    if (whole == 0 || whole > 3) {
        return expected;
    }
    decimals = text[whole] == '.' ? strspn(text + whole + 1, DIGITS) : 0;
    if (decimals > 3 || (text[whole] == '.' && decimals == 0) ||
        text[whole + (decimals > 0) + decimals] != '\0') {
        return expected;
    }
    for (i = 0; i < whole; i++) {
        thousandths = thousandths * 10 + (text[i] - '0');
    }
    for (i = 0; i < 3; i++) {
        thousandths =
            thousandths * 10 + (i < decimals ? text[whole + 1 + i] - '0' : 0);
    }
    if (thousandths < 1000 || thousandths > FACTOR_MAX * 1000) {
        return expected;
    }
    *out = thousandths / 1000.0;
    return NULL;
}

const char *amgr_percent_parse(const char *text, int *out)
{
    static const char expected[] = "a percentage from 0% to 100%";
    apr_size_t len = strspn(text, DIGITS);
    int percent = 0;
    apr_size_t i;

    if (len == 0 || len > 3 || strcmp(text + len, "%") != 0) {
        return expected;
    }
    for (i = 0; i < len; i++) {
        percent = percent * 10 + (text[i] - '0');
    }
    if (percent > 100) {
        return expected;
    }
    *out = percent;
    return NULL;
}

const char *amgr_pause_parse(const char *text, apr_interval_time_t *out_us)
{
    apr_interval_time_t pause_us;

    if (amgr_duration_parse(text, &pause_us) != NULL ||
        pause_us < AMGR_PAUSE_MIN_US) {
        return "a duration from 100ms to 10000 days";
    }
    *out_us = pause_us;
    return NULL;
}

static const char *const restart_words[AMGR_RESTART_COUNT] = {
    [AMGR_RESTART_ON_FAILURE] = "on-failure",
    [AMGR_RESTART_ALWAYS] = "always",
    [AMGR_RESTART_NEVER] = "never",
};

const char *amgr_restart_word(int restart)
{
    return restart < 0 || restart >= AMGR_RESTART_COUNT
               ? "unknown"
               : restart_words[restart];
}

const char *amgr_restart_parse(const char *text, int *out)
{
    int i;

    for (i = 0; i < AMGR_RESTART_COUNT; i++) {
        if (strcasecmp(text, restart_words[i]) == 0) {
            *out = i;
            return NULL;
        }
    }
    return "always, on-failure or never";
}

const char *amgr_output_word(int output)
{
    static const char *const words[AMGR_OUTPUT_COUNT] = {
        [AMGR_OUTPUT_ERRORLOG] = "errorlog", [AMGR_OUTPUT_FILE] = "file",
        [AMGR_OUTPUT_PIPE] = "pipe",         [AMGR_OUTPUT_DISCARD] = "discard",
        [AMGR_OUTPUT_INHERIT] = "inherit",
    };

    return output < 0 || output >= AMGR_OUTPUT_COUNT ? "unknown"
                                                     : words[output];
}

/* What a server may be asked to stop by. */
static const struct stop_signal_t {
    const char *word;
    int number;
} stop_signals[] = {
    {"TERM", SIGTERM}, {"INT", SIGINT},     {"QUIT", SIGQUIT},
    {"HUP", SIGHUP},   {"USR1", SIGUSR1},   {"USR2", SIGUSR2},
    {"KILL", SIGKILL}, {"WINCH", SIGWINCH},
};

const char *amgr_stop_signal_parse(const char *text, int *out)
{
    apr_size_t i;

    if (strncasecmp(text, "SIG", 3) == 0) {
        text += 3;
    }
    for (i = 0; i < AMGR_COUNT(stop_signals); i++) {
        if (strcasecmp(text, stop_signals[i].word) == 0) {
            *out = stop_signals[i].number;
            return NULL;
        }
    }
    return "one of TERM, INT, QUIT, HUP, USR1, USR2, KILL, WINCH";
}

const char *amgr_stop_signal_word(int number)
{
    apr_size_t i;

    for (i = 0; i < AMGR_COUNT(stop_signals); i++) {
        if (stop_signals[i].number == number) {
            return stop_signals[i].word;
        }
    }
    return "unknown";
}
