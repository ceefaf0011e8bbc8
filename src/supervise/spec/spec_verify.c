/* SPDX-License-Identifier: Apache-2.0
 *
 * Verify and Liveness: a type, options, and what to look at.  Options are words
 * NAME=value before or behind that; before a program they must all stand, since
 * what follows it is its own.
 */
#include <limits.h>
#include <string.h>
#include <strings.h>
#include <sys/un.h>

#include <apr_strings.h>

#include "base/units.h"
#include "supervise/spec/spec_parts.h"

#define SEC APR_USEC_PER_SEC

#define OPTION_INTERVAL 1u
#define OPTION_TIMEOUT 2u
#define OPTION_RETRIES 4u
#define OPTION_STATUS 8u
#define OPTION_HEADER 16u
#define OPTIONS_ATTEMPT (OPTION_INTERVAL | OPTION_TIMEOUT | OPTION_RETRIES)

#define RETRIES_MAX 10000
#define HEADERS_MAX 32

/** What an attempt over HTTP takes at most: so long, and so many bytes of URL
 * and headers. */
#define ATTEMPT_MAX_US (30 * 60 * SEC)
#define REQUEST_LEN_MAX (16 * 1024)

/** What its words are that are no options. */
typedef enum rest_e {
    REST_NONE = 0,
    REST_TARGET,  /**< one word, see @c check */
    REST_CODE,    /**< an exit code */
    REST_PROGRAM, /**< and its arguments */
    REST_ANY
} rest_e;

static const char *check_socket(const char *text)
{
    return amgr_path_check(text) == NULL &&
                   strlen(text) < sizeof(((struct sockaddr_un *)NULL)->sun_path)
               ? NULL
               : "a socket's path of at most 107 bytes, absolute or relative "
                 "to ServerRoot";
}

typedef struct type_t {
    const char *name;
    int number;
    unsigned int verify; /**< its options, OPTION_* */
    unsigned int liveness;
    int rest;
    const char *(*check)(const char *target);
    const char *help;
} type_t;

static const type_t types[] = {
    {"http", AMGR_VERIFY_HTTP, OPTIONS_ATTEMPT | OPTION_STATUS | OPTION_HEADER,
     OPTIONS_ATTEMPT | OPTION_STATUS | OPTION_HEADER, REST_TARGET,
     amgr_url_check, "one URL behind http"},
    {"tcp", AMGR_VERIFY_TCP, OPTIONS_ATTEMPT, OPTIONS_ATTEMPT, REST_TARGET,
     amgr_host_port_check, "one HOST:PORT behind tcp"},
    {"unix", AMGR_VERIFY_UNIX, OPTIONS_ATTEMPT, OPTIONS_ATTEMPT, REST_TARGET,
     check_socket, "one PATH behind unix"},
    {"exec", AMGR_VERIFY_EXEC, OPTIONS_ATTEMPT, OPTIONS_ATTEMPT, REST_PROGRAM,
     amgr_program_check, "a PROGRAM behind exec"},
    {"exited", AMGR_VERIFY_EXITED, 0, 0, REST_CODE, NULL,
     "one exit code from 0 to 255 behind exited"},
    {"file", AMGR_VERIFY_FILE, OPTIONS_ATTEMPT, OPTIONS_ATTEMPT, REST_TARGET,
     amgr_path_check, "one PATH behind file"},
    {"notify", AMGR_VERIFY_NOTIFY, 0, OPTION_TIMEOUT, REST_NONE, NULL,
     "notify alone, with timeout= in Liveness"},
};

static const type_t other_type = {
    NULL, AMGR_VERIFY_OTHER, OPTIONS_ATTEMPT, OPTIONS_ATTEMPT, REST_ANY, NULL,
    NULL};

/** A verifier while it is read. */
typedef struct reading_t {
    amgr_setting_t *setting;
    const type_t *type;
    amgr_verify_t verify;
    int is_liveness;
    unsigned int allowed; /**< OPTION_* */
    unsigned int seen;
    int has_code;
} reading_t;

static const type_t *find_type(const char *name)
{
    apr_size_t i;

    for (i = 0; i < AMGR_COUNT(types); i++) {
        if (strcasecmp(types[i].name, name) == 0) {
            return &types[i];
        }
    }
    return NULL;
}

void amgr_verify_init(amgr_verify_t *verify, int type, int is_liveness,
                      apr_pool_t *pool)
{
    memset(verify, 0, sizeof(*verify));
    verify->type = type;
    verify->status_min = 200;
    verify->status_max = 299;
    verify->headers = apr_array_make(pool, 1, sizeof(char *));
    verify->interval_us = is_liveness ? 10 * SEC : SEC;
    verify->timeout_us = 2 * SEC;
    verify->retries = is_liveness ? 3 : -1;
    if (is_liveness && type == AMGR_VERIFY_NOTIFY) {
        verify->timeout_us = 30 * SEC;
        verify->retries = 1;
    }
}

/* Options. */

static const char *set_interval(reading_t *reading, const char *value)
{
    return amgr_pause_parse(value, &reading->verify.interval_us);
}

static const char *set_timeout(reading_t *reading, const char *value)
{
    apr_interval_time_t timeout_us;

    if (reading->type->number == AMGR_VERIFY_NOTIFY) {
        return amgr_pause_parse(value, &reading->verify.timeout_us);
    }
    if (amgr_pause_parse(value, &timeout_us) != NULL ||
        timeout_us > ATTEMPT_MAX_US) {
        return "a duration from 100ms to 30m";
    }
    reading->verify.timeout_us = timeout_us;
    return NULL;
}

static const char *set_retries(reading_t *reading, const char *value)
{
    if (!reading->is_liveness && strcasecmp(value, "Off") == 0) {
        reading->verify.retries = -1;
        return NULL;
    }
    if (amgr_count_parse(value, reading->is_liveness, RETRIES_MAX,
                         &reading->verify.retries) == NULL) {
        return NULL;
    }
    return reading->is_liveness
               ? "a whole number from 1 to 10000"
               : "a whole number from 0 to 10000, or Off for all that "
                 "StartTimeout has room for";
}

static const char *set_status(reading_t *reading, const char *value)
{
    static const char expected[] =
        "a status from 100 to 599, or a range as 200-299";
    const char *dash = strchr(value, '-');
    const char *first = dash == NULL
                            ? value
                            : apr_pstrmemdup(reading->setting->pool, value,
                                             (apr_size_t)(dash - value));
    int min;
    int max;

    if (amgr_count_parse(first, 100, 599, &min) != NULL ||
        amgr_count_parse(dash == NULL ? first : dash + 1, min, 599, &max) !=
            NULL) {
        return expected;
    }
    reading->verify.status_min = min;
    reading->verify.status_max = max;
    return NULL;
}

/* A line of a request: whatever stands in it goes out as it is. */
static const char *set_header(reading_t *reading, const char *value)
{
    static const char token[] = "!#$%&'*+-.^_`|~0123456789"
                                "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                "abcdefghijklmnopqrstuvwxyz";
    apr_size_t name = strspn(value, token);

    if (name == 0 || value[name] != ':' || !amgr_word_is_clean(value, 0)) {
        return "NAME: VALUE without control characters, as in \"header=Host: "
               "example.org\"";
    }
    if (reading->verify.headers->nelts >= HEADERS_MAX) {
        return "at most 32 headers";
    }
    APR_ARRAY_PUSH(reading->verify.headers, const char *) = value;
    return NULL;
}

static const struct option_t {
    const char *name; /**< with its "=" */
    unsigned int bit;
    const char *(*set)(reading_t *reading, const char *value);
} options[] = {
    {"status=", OPTION_STATUS, set_status},
    {"header=", OPTION_HEADER, set_header},
    {"interval=", OPTION_INTERVAL, set_interval},
    {"timeout=", OPTION_TIMEOUT, set_timeout},
    {"retries=", OPTION_RETRIES, set_retries},
};

static const struct option_t *find_option(const char *word)
{
    apr_size_t i;

    for (i = 0; i < AMGR_COUNT(options); i++) {
        if (strncasecmp(word, options[i].name, strlen(options[i].name)) == 0) {
            return &options[i];
        }
    }
    return NULL;
}

/* Words of other modules' verifiers are options only where they are known. */
static int is_option(const type_t *type, const char *word)
{
    apr_size_t letters = strspn(word, "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                      "abcdefghijklmnopqrstuvwxyz");
    const struct option_t *option;

    if (letters == 0 || word[letters] != '=') {
        return 0;
    }
    option = find_option(word);
    return type->rest != REST_ANY ||
           (option != NULL && (option->bit & OPTIONS_ATTEMPT) != 0);
}

static const char *expected_options(const reading_t *reading)
{
    const char *text = "";
    apr_size_t i;

    if (reading->allowed == 0) {
        return apr_psprintf(reading->setting->pool, "no option with %s",
                            reading->type->name);
    }
    for (i = 0; i < AMGR_COUNT(options); i++) {
        if ((reading->allowed & options[i].bit) != 0) {
            text =
                apr_pstrcat(reading->setting->pool, text,
                            text[0] == '\0' ? "" : ", ", options[i].name, NULL);
        }
    }
    return apr_pstrcat(reading->setting->pool, "an option of ",
                       reading->type->name, ": ", text, NULL);
}

/* The value of the option at *index without quotes around it, which may hold
 * blanks and so go on in words behind it.  NULL: a quote has no end. */
static const char *take_value(reading_t *reading, int *index,
                              apr_size_t name_len)
{
    char **argv = reading->setting->argv;
    apr_pool_t *pool = reading->setting->pool;
    const char *value = argv[*index] + name_len;
    apr_size_t len;

    if (*value != '"') {
        return value;
    }
    value++;
    for (;;) {
        len = strlen(value);
        if (len > 0 && value[len - 1] == '"') {
            return apr_pstrmemdup(pool, value, len - 1);
        }
        if (argv[*index + 1] == NULL) {
            return NULL;
        }
        value = apr_pstrcat(pool, value, " ", argv[++*index], NULL);
    }
}

static const char *read_option(reading_t *reading, int *index)
{
    const char *word = reading->setting->argv[*index];
    const struct option_t *option = find_option(word);
    const char *value;

    if (option == NULL || (reading->allowed & option->bit) == 0) {
        return amgr_blame(reading->setting, word, expected_options(reading));
    }
    if ((reading->seen & option->bit) != 0 && option->bit != OPTION_HEADER) {
        return amgr_blame(reading->setting, word, "each option once");
    }
    reading->seen |= option->bit;
    value = take_value(reading, index, strlen(option->name));
    return amgr_blame(reading->setting, word,
                      value == NULL ? "an end to each quote"
                                    : option->set(reading, value));
}

/* What is no option. */

static const char *read_target(reading_t *reading, const char *word)
{
    if (reading->verify.target != NULL) {
        return reading->type->help;
    }
    reading->verify.target = word;
    return amgr_word_is_clean(word, 0)
               ? amgr_blame(reading->setting, word, reading->type->check(word))
               : amgr_blame(reading->setting, word, "no control characters");
}

static const char *read_word(reading_t *reading, int *index)
{
    const char *word = reading->setting->argv[*index];

    switch (reading->type->rest) {
    case REST_TARGET:
        return read_target(reading, word);
    case REST_CODE:
        if (reading->has_code ||
            amgr_count_parse(word, 0, 255, &reading->verify.expect_code) !=
                NULL) {
            return reading->type->help;
        }
        reading->has_code = 1;
        return NULL;
    case REST_PROGRAM:
    case REST_ANY:
        reading->verify.argv = reading->setting->argv + *index;
        *index = reading->setting->argc;
        return reading->type->rest == REST_ANY
                   ? NULL
                   : amgr_blame(reading->setting, word,
                                !amgr_word_is_clean(word, 0)
                                    ? "no control characters"
                                    : amgr_program_check(word));
    default:
        return amgr_blame(reading->setting, word, reading->type->help);
    }
}

/* URL and headers, a line each. */
static int is_request_short(const amgr_verify_t *verify)
{
    apr_size_t len = strlen(verify->target) + 1;
    int i;

    for (i = 0; i < verify->headers->nelts; i++) {
        len += strlen(APR_ARRAY_IDX(verify->headers, i, const char *)) + 1;
    }
    return len <= REQUEST_LEN_MAX;
}

static const char *finish(reading_t *reading)
{
    amgr_verify_t *verify = &reading->verify;

    switch (reading->type->rest) {
    case REST_ANY:
        if (verify->argv == NULL) {
            verify->argv = reading->setting->argv + reading->setting->argc;
        }
        return NULL;
    case REST_PROGRAM:
        return verify->argv == NULL ? reading->type->help : NULL;
    case REST_CODE:
        return reading->has_code ? NULL : reading->type->help;
    case REST_TARGET:
        if (verify->target == NULL) {
            return reading->type->help;
        }
        return is_request_short(verify)
                   ? NULL
                   : "at most 16384 bytes of URL and headers";
    default:
        return NULL;
    }
}

/* The type that the first word names. */
static const char *read_type(reading_t *reading)
{
    amgr_setting_t *setting = reading->setting;
    const char *name = setting->argv[0];
    int is_known;

    reading->type = find_type(name);
    if (reading->type != NULL && reading->is_liveness &&
        reading->type->number == AMGR_VERIFY_EXITED) {
        return amgr_blame(setting, name,
                          "a verifier of a process that goes on");
    }
    if (reading->type == NULL) {
        is_known = amgr_word_is_clean(name, 0) && setting->known != NULL &&
                   setting->known(name);
        if (!is_known) {
            return amgr_blame(setting, name,
                              "one of http, tcp, unix, exec, exited, file, "
                              "notify, or the name of another module's "
                              "verifier");
        }
        reading->type = &other_type;
    }
    reading->allowed =
        reading->is_liveness ? reading->type->liveness : reading->type->verify;
    amgr_verify_init(&reading->verify, reading->type->number,
                     reading->is_liveness, setting->pool);
    reading->verify.name =
        reading->type == &other_type ? name : reading->type->name;
    return NULL;
}

static const char *read_verifier(amgr_setting_t *setting, int is_liveness,
                                 amgr_verify_t *out)
{
    reading_t reading;
    const char *wrong;
    int i;

    memset(&reading, 0, sizeof(reading));
    reading.setting = setting;
    reading.is_liveness = is_liveness;
    wrong = read_type(&reading);
    for (i = 1; i < setting->argc && wrong == NULL; i++) {
        setting->wrong = NULL;
        wrong = is_option(reading.type, setting->argv[i])
                    ? read_option(&reading, &i)
                    : read_word(&reading, &i);
    }
    if (wrong == NULL) {
        setting->wrong = NULL;
        wrong = finish(&reading);
    }
    if (wrong == NULL) {
        *out = reading.verify;
    }
    return wrong;
}

const char *amgr_set_verify(amgr_setting_t *setting)
{
    return read_verifier(setting, 0, &setting->spec->verify);
}

const char *amgr_set_liveness(amgr_setting_t *setting)
{
    return read_verifier(setting, 1, &setting->spec->liveness);
}

apr_size_t amgr_path_of_verify(int argc, const char *const *argv, int index)
{
    const type_t *type = find_type(argv[0]);
    int i = 1;

    if (type == NULL || index == 0 || is_option(type, argv[index]) ||
        (type->check != amgr_path_check && type->check != check_socket &&
         type->check != amgr_program_check)) {
        return AMGR_NO_PATH;
    }
    while (i < argc && is_option(type, argv[i])) {
        i++;
    }
    if (i != index) {
        return AMGR_NO_PATH;
    }
    return type->rest == REST_PROGRAM ? amgr_path_of_program(argv[index]) : 0;
}
