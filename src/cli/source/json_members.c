/* SPDX-License-Identifier: Apache-2.0
 *
 * See json_members.h.
 */
#include "cli/source/json_members.h"

#include <math.h>
#include <string.h>

#include <apr_strings.h>

#include "base/escape.h"

/** Of a server with 100,000 slots; the text of one with more is too long. */
#define VALUES_MAX 3000000
#define OBJECTS_MAX 150000

/** Above these nothing is a number of 64 bits. */
#define U64_END 18446744073709551616.0
#define I64_END 9223372036854775808.0

/** What stands for an element of an array in a fault. */
#define ELEMENT "an element"

void amgr_members_fail(amgr_members_t *members, const char *key,
                       const char *what)
{
    if (members->fault == NULL) {
        members->fault =
            apr_psprintf(members->pool, "member \"%s\" %s", key, what);
    }
}

/* A value takes more than a byte of text, and up to some hundred of memory. */
static int is_too_much(const char *text, apr_size_t length)
{
    apr_size_t objects = 0;
    apr_size_t values = 0;
    apr_size_t i;

    for (i = 0; i < length; i++) {
        objects += text[i] == '{';
        values += text[i] == ',' || text[i] == '[' || text[i] == ':';
    }
    return objects > OBJECTS_MAX || values > VALUES_MAX;
}

static const char *parse_fault(const json_error_t *error, apr_pool_t *pool)
{
    char what[AMGR_COUNT(error->text) * 4];
    amgr_sink_t sink;

    amgr_sink_init_text(&sink, what, sizeof(what));
    amgr_escape_line(&sink, error->text);
    return apr_psprintf(pool, "%s in line %d", amgr_sink_text(&sink),
                        error->line);
}

json_t *amgr_members_parse(amgr_members_t *members, const char *text,
                           apr_size_t length)
{
    json_error_t error;
    json_t *root;

    if (is_too_much(text, length)) {
        members->fault = "there is more in it than in any of a server";
        return NULL;
    }
    root = json_loadb(text, length, JSON_REJECT_DUPLICATES, &error);
    /* A number of 64 bits without sign is one of ours, but not jansson's: then
     * all lose some digits rather than everything. */
    if (root == NULL &&
        json_error_code(&error) == json_error_numeric_overflow) {
        root = json_loadb(text, length,
                          JSON_REJECT_DUPLICATES | JSON_DECODE_INT_AS_REAL,
                          &error);
    }
    if (root == NULL && members->fault == NULL) {
        members->fault = parse_fault(&error, members->pool);
    }
    return root;
}

/* The member, or NULL and a fault unless there is none to look in. */
static const json_t *get(amgr_members_t *members, const json_t *from,
                         const char *key)
{
    const json_t *value;

    if (from == NULL) {
        return NULL;
    }
    value = json_object_get(from, key);
    if (value == NULL) {
        amgr_members_fail(members, key, "is missing");
    }
    return value;
}

const json_t *amgr_members_object(amgr_members_t *members, const json_t *from,
                                  const char *key)
{
    const json_t *value = get(members, from, key);

    if (value != NULL && !json_is_object(value)) {
        amgr_members_fail(members, key, "is no object");
        return NULL;
    }
    return value;
}

const json_t *amgr_members_object_or_null(amgr_members_t *members,
                                          const json_t *from, const char *key)
{
    const json_t *value = get(members, from, key);

    if (value == NULL || json_is_null(value)) {
        return NULL;
    }
    return amgr_members_object(members, from, key);
}

const json_t *amgr_members_array(amgr_members_t *members, const json_t *from,
                                 const char *key)
{
    const json_t *value = get(members, from, key);

    if (value != NULL && !json_is_array(value)) {
        amgr_members_fail(members, key, "is no array");
        return NULL;
    }
    return value;
}

const json_t *amgr_members_at(amgr_members_t *members, const json_t *array,
                              apr_size_t index)
{
    const json_t *value = json_array_get(array, index);

    if (value != NULL && !json_is_object(value)) {
        amgr_members_fail(members, ELEMENT, "is no object");
        return NULL;
    }
    return value;
}

static apr_uint64_t to_u64(amgr_members_t *members, const json_t *value,
                           const char *key)
{
    if (value == NULL || json_is_null(value)) {
        return AMGR_UNKNOWN;
    }
    if (json_is_integer(value) && json_integer_value(value) >= 0) {
        return (apr_uint64_t)json_integer_value(value);
    }
    if (json_is_real(value)) {
        double number = json_real_value(value);

        if (number >= U64_END) {
            return AMGR_UNKNOWN - 1;
        }
        if (number >= 0 && floor(number) == number) {
            return (apr_uint64_t)number;
        }
    }
    amgr_members_fail(members, key, "is no amount");
    return AMGR_UNKNOWN;
}

apr_uint64_t amgr_members_u64(amgr_members_t *members, const json_t *from,
                              const char *key)
{
    return to_u64(members, get(members, from, key), key);
}

apr_uint64_t amgr_members_u64_at(amgr_members_t *members, const json_t *array,
                                 apr_size_t index)
{
    return to_u64(members, json_array_get(array, index), ELEMENT);
}

apr_int64_t amgr_members_whole_or(amgr_members_t *members, const json_t *from,
                                  const char *key, apr_int64_t min,
                                  apr_int64_t max, apr_int64_t none)
{
    const json_t *value = get(members, from, key);
    apr_int64_t number = 0;
    int is_whole = 0;

    if (value == NULL || json_is_null(value)) {
        return none;
    }
    if (json_is_integer(value)) {
        number = json_integer_value(value);
        is_whole = 1;
    }
    else if (json_is_real(value)) {
        double real = json_real_value(value);

        if (real > -I64_END && real < I64_END && floor(real) == real) {
            number = (apr_int64_t)real;
            is_whole = 1;
        }
    }
    if (!is_whole || number < min || number > max) {
        amgr_members_fail(members, key, "is no number that it can be");
        return none;
    }
    return number;
}

apr_int64_t amgr_members_whole(amgr_members_t *members, const json_t *from,
                               const char *key, apr_int64_t min,
                               apr_int64_t max)
{
    const json_t *value = get(members, from, key);

    if (json_is_null(value)) {
        amgr_members_fail(members, key, "is null");
    }
    return amgr_members_whole_or(members, from, key, min, max, min);
}

int amgr_members_bool(amgr_members_t *members, const json_t *from,
                      const char *key)
{
    const json_t *value = get(members, from, key);

    if (value != NULL && !json_is_boolean(value)) {
        amgr_members_fail(members, key, "is neither true nor false");
    }
    return json_is_true(value);
}

static double to_rate(amgr_members_t *members, const json_t *value,
                      const char *key)
{
    double number;

    if (value == NULL || json_is_null(value)) {
        return -1.0;
    }
    number = json_number_value(value);
    if (!json_is_number(value) || !isfinite(number) || number < 0) {
        amgr_members_fail(members, key, "is no number from 0 on");
        return -1.0;
    }
    return number;
}

double amgr_members_rate(amgr_members_t *members, const json_t *from,
                         const char *key)
{
    return to_rate(members, get(members, from, key), key);
}

double amgr_members_rate_at(amgr_members_t *members, const json_t *array,
                            apr_size_t index)
{
    return to_rate(members, json_array_get(array, index), ELEMENT);
}

static apr_time_t to_time(double seconds)
{
    double us = seconds * APR_USEC_PER_SEC + 0.5;

    if (seconds < 0) {
        return AMGR_NO_TIME;
    }
    return us >= I64_END ? APR_INT64_MAX : (apr_time_t)us;
}

apr_time_t amgr_members_time(amgr_members_t *members, const json_t *from,
                             const char *key)
{
    return to_time(amgr_members_rate(members, from, key));
}

apr_time_t amgr_members_time_at(amgr_members_t *members, const json_t *array,
                                apr_size_t index)
{
    return to_time(amgr_members_rate_at(members, array, index));
}

void amgr_members_text(amgr_members_t *members, const json_t *from,
                       const char *key, char *buf, apr_size_t size)
{
    const json_t *value = get(members, from, key);
    const char *text;
    apr_size_t len;

    buf[0] = '\0';
    if (value == NULL || json_is_null(value)) {
        return;
    }
    if (!json_is_string(value)) {
        amgr_members_fail(members, key, "is no text");
        return;
    }
    text = json_string_value(value);
    len = strlen(text);
    if (len >= size) {
        len = size - 1;
        while (len > 0 && ((unsigned char)text[len] & 0xc0) == 0x80) {
            len--;
        }
    }
    memcpy(buf, text, len);
    buf[len] = '\0';
}

int amgr_members_word_or(amgr_members_t *members, const json_t *from,
                         const char *key, const char *(*word_of)(int),
                         int first, int count, int none)
{
    const json_t *value = get(members, from, key);
    int i;

    if (value == NULL || json_is_null(value)) {
        return none;
    }
    for (i = first; i < count && json_is_string(value); i++) {
        if (strcmp(word_of(i), json_string_value(value)) == 0) {
            return i;
        }
    }
    amgr_members_fail(members, key, "is no word that is known");
    return none;
}

int amgr_members_word(amgr_members_t *members, const json_t *from,
                      const char *key, const char *(*word_of)(int), int first,
                      int count)
{
    const json_t *value = get(members, from, key);

    if (json_is_null(value)) {
        amgr_members_fail(members, key, "is null");
    }
    return amgr_members_word_or(members, from, key, word_of, first, count,
                                first);
}
