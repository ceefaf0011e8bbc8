/* SPDX-License-Identifier: Apache-2.0
 *
 * See python_units.h.  The words are brought to the form that directives take,
 * and base/units.h does the arithmetic.
 */
#include "cli/options/python_units.h"

#include <stdio.h>
#include <string.h>

/** Digits are never that many; longer numbers are refused. */
#define NUMBER_MAX 64
#define UNIT_MAX 16

/** A number with a unit of directives: it always fits. */
#define PLAIN_SIZE (NUMBER_MAX + 3)

/** Of amgr_duration_parse(), which weeks and years have to keep too. */
#define SPAN_MAX_US (APR_INT64_C(10000) * 86400 * APR_USEC_PER_SEC)

static const char size_expected[] =
    "a size in bytes, or with a unit from KB to TB, like 50K, 500 MB or "
    "1.5 GiB; 0 for no limit";
static const char span_expected[] =
    "a time span in seconds, or with a unit from ms to years, like 30, 90s, "
    "5m or 2 hours; 0 for no limit";

static const char size_too_large[] = "small enough: at most 1048576 TB";
static const char span_too_long[] = "short enough: at most 10000 days";

/** A unit by its names, and how much of one that directives know it is. */
typedef struct span_unit_t {
    const char *names[6];
    const char *unit;
    int factor;
} span_unit_t;

static const span_unit_t span_units[] = {
    {{"ms", "millisecond", "milliseconds"}, "ms", 1},
    {{"", "s", "sec", "secs", "second", "seconds"}, "s", 1},
    {{"m", "min", "mins", "minute", "minutes"}, "m", 1},
    {{"h", "hour", "hours"}, "h", 1},
    {{"d", "day", "days"}, "d", 1},
    {{"w", "week", "weeks"}, "d", 7},
    {{"y", "year", "years"}, "d", 364}};

/** What a size's letter is spelled like. */
typedef struct size_word_t {
    const char *word;
    const char *unit;
} size_word_t;

static const size_word_t size_words[] = {
    {"kilo", "K"}, {"mega", "M"}, {"giga", "G"}, {"tera", "T"},
    {"kibi", "K"}, {"mebi", "M"}, {"gibi", "G"}, {"tebi", "T"}};

/** A text taken apart. */
typedef struct amount_t {
    char number[NUMBER_MAX + 1];
    char unit[UNIT_MAX];
    int zero;
} amount_t;

static int is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* Number and unit, in lower case, without the blanks around them. */
static int split(const char *text, amount_t *out)
{
    apr_size_t len;
    apr_size_t i;

    while (is_blank(*text)) {
        text++;
    }
    len = strspn(text, "0123456789.");
    if (len == 0 || len > NUMBER_MAX) {
        return 0;
    }
    memcpy(out->number, text, len);
    out->number[len] = '\0';
    if (out->number[0] == '.') {
        return 0;
    }
    /* Whether the rest is a number is seen by one that is not 0. */
    out->zero = strspn(out->number, "0.") == len;
    if (out->zero) {
        out->number[strcspn(out->number, ".") - 1] = '1';
    }
    text += len;
    while (is_blank(*text)) {
        text++;
    }
    len = strlen(text);
    while (len > 0 && is_blank(text[len - 1])) {
        len--;
    }
    if (len >= sizeof(out->unit)) {
        return 0;
    }
    for (i = 0; i < len; i++) {
        char c = text[i];

        out->unit[i] = c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
    }
    out->unit[len] = '\0';
    return 1;
}

static int is_bytes(const char *text)
{
    return text[0] == '\0' || strcmp(text, "b") == 0 ||
           strcmp(text, "byte") == 0 || strcmp(text, "bytes") == 0;
}

/* The letter for a unit, or NULL. */
static const char *size_unit(const char *name)
{
    apr_size_t i;

    if (is_bytes(name)) {
        return "B";
    }
    for (i = 0; i < AMGR_COUNT(size_words); i++) {
        const char *rest = name + strlen(size_words[i].word);

        if (strncmp(name, size_words[i].word, strlen(size_words[i].word)) ==
            0) {
            return is_bytes(rest) ? size_words[i].unit : NULL;
        }
    }
    for (i = 0; i < 4; i++) {
        if (size_words[i].word[0] == name[0]) {
            return is_bytes(name + 1) || (name[1] == 'i' && is_bytes(name + 2))
                       ? size_words[i].unit
                       : NULL;
        }
    }
    return NULL;
}

/* Whether it is a number of 1 at least: then it is too much, where it does not
 * fit. */
static int is_much(const char *number)
{
    apr_size_t whole = strspn(number, "0123456789");
    apr_size_t rest;

    if (strspn(number, "0") == whole) {
        return 0;
    }
    if (number[whole] == '\0') {
        return 1;
    }
    rest = strspn(number + whole + 1, "0123456789");
    return rest > 0 && number[whole + 1 + rest] == '\0';
}

const char *amgr_python_size_parse(const char *text, apr_int64_t *out_bytes)
{
    char plain[PLAIN_SIZE];
    apr_int64_t bytes;
    const char *unit;
    amount_t amount;

    if (!split(text, &amount)) {
        return size_expected;
    }
    unit = size_unit(amount.unit);
    if (unit == NULL) {
        return size_expected;
    }
    (void)snprintf(plain, sizeof(plain), "%s%s", amount.number, unit);
    if (amgr_size_parse(plain, &bytes) != NULL) {
        return is_much(amount.number) ? size_too_large : size_expected;
    }
    *out_bytes = amount.zero ? AMGR_LIMIT_OFF : bytes;
    return NULL;
}

static const span_unit_t *span_unit(const char *name)
{
    apr_size_t i;
    apr_size_t n;

    for (i = 0; i < AMGR_COUNT(span_units); i++) {
        for (n = 0; n < AMGR_COUNT(span_units[i].names); n++) {
            if (span_units[i].names[n] != NULL &&
                strcmp(span_units[i].names[n], name) == 0) {
                return &span_units[i];
            }
        }
    }
    return NULL;
}

const char *amgr_python_span_parse(const char *text,
                                   apr_interval_time_t *out_us)
{
    char plain[PLAIN_SIZE];
    const span_unit_t *unit;
    apr_interval_time_t span_us;
    amount_t amount;

    if (!split(text, &amount)) {
        return span_expected;
    }
    unit = span_unit(amount.unit);
    if (unit == NULL) {
        return span_expected;
    }
    (void)snprintf(plain, sizeof(plain), "%s%s", amount.number, unit->unit);
    if (amgr_duration_parse(plain, &span_us) != NULL ||
        span_us > SPAN_MAX_US / unit->factor) {
        return is_much(amount.number) ? span_too_long : span_expected;
    }
    *out_us = amount.zero ? AMGR_LIMIT_OFF : span_us * unit->factor;
    return NULL;
}
