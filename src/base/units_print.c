/* SPDX-License-Identifier: Apache-2.0
 *
 * Numbers, sizes and durations for people and other programs, worded as the
 * Python tool does.  A double goes through the C library, whose decimal point
 * follows the locale of whatever is loaded into this process: only its digits
 * are used, the point is always ours.
 */
#include "base/units.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/sink.h"

typedef struct unit_t {
    const char *name;
    apr_uint64_t value;
} unit_t;

/* Of the Python tool: decimal, largest first. */
static const unit_t print_sizes[] = {
    { "EB", APR_UINT64_C(1000000000000000000) },
    { "PB", APR_UINT64_C(1000000000000000) },
    { "TB", APR_UINT64_C(1000000000000) },
    { "GB", APR_UINT64_C(1000000000) },
    { "MB", APR_UINT64_C(1000000) },
    { "KB", APR_UINT64_C(1000) }
};

/* Of the Python tool, in seconds; its year has 52 weeks. */
static const unit_t print_spans[] = {
    { "year", 31449600 }, { "week", 604800 }, { "day", 86400 },
    { "hour", 3600 },     { "minute", 60 },   { "second", 1 }
};

static int is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/** Digits that tell any double from any other. */
#define DIGITS_MAX 17

/* The digits and the exponent of value = d.ddd * 10^exponent. */
typedef struct digits_t {
    char digit[DIGITS_MAX];
    int count;
    int exponent;
} digits_t;

/* Without a point, so that the locale has no say in it. */
static int reads_back(const digits_t *d, double value)
{
    char text[64];

    snprintf(text, sizeof(text), "%.*se%d", d->count, d->digit,
             d->exponent - (d->count - 1));
    return strtod(text, NULL) == value;
}

static void strip_zeros(digits_t *d)
{
    while (d->count > 1 && d->digit[d->count - 1] == '0') {
        d->count--;
    }
}

/* The @a precision digits next to @a value. */
static void take_digits(double value, int precision, digits_t *out)
{
    char text[64];
    const char *p;
    int negative;
    int exponent = 0;

    snprintf(text, sizeof(text), "%.*e", precision - 1, value);
    out->count = 0;
    for (p = text; *p != '\0' && *p != 'e'; p++) {
        if (is_digit(*p) && out->count < DIGITS_MAX) {
            out->digit[out->count++] = *p;
        }
    }
    negative = *p == 'e' && p[1] == '-';
    for (; *p != '\0'; p++) {
        if (is_digit(*p)) {
            exponent = exponent * 10 + (*p - '0');
        }
    }
    out->exponent = negative ? -exponent : exponent;
    strip_zeros(out);
}

/* The next decimal of @a precision digits above; 0 when it is a digit longer,
 * which for a power of two it never needs to be. */
static int round_up(digits_t *d, int precision)
{
    int i;

    while (d->count < precision) {
        d->digit[d->count++] = '0';
    }
    for (i = d->count - 1; i >= 0 && d->digit[i] == '9'; i--) {
        d->digit[i] = '0';
    }
    if (i < 0) {
        return 0;
    }
    d->digit[i]++;
    strip_zeros(d);
    return 1;
}

/*
 * Any decimal of up to 15 digits survives the way through a normal double, so
 * 15 digits without their trailing zeros are the shortest when they read back.
 * Subnormal numbers have less precision: there only trying from 1 is right.
 * The doubles below a power of two lie closer than those above it, so that the
 * nearest decimal may miss it from below where the next one hits from above.
 */
static void shortest_digits(double value, digits_t *out)
{
    int precision = value < DBL_MIN ? 1 : 15;
    int exponent;
    int power_of_two = frexp(value, &exponent) == 0.5;

    for (; precision <= DIGITS_MAX; precision++) {
        take_digits(value, precision, out);
        if (reads_back(out, value) ||
            (power_of_two && precision < DIGITS_MAX &&
             round_up(out, precision) && reads_back(out, value))) {
            return;
        }
    }
}

static void put_zeros(amgr_sink_t *sink, int count)
{
    for (; count > 0; count--) {
        amgr_sink_putc(sink, '0');
    }
}

static void put_digits(amgr_sink_t *sink, const digits_t *d)
{
    int whole = d->exponent + 1; /* digits before the point */

    if (whole <= 0) {
        amgr_sink_puts(sink, "0.");
        put_zeros(sink, -whole);
        amgr_sink_put(sink, d->digit, (apr_size_t)d->count);
        return;
    }
    if (whole >= d->count) {
        amgr_sink_put(sink, d->digit, (apr_size_t)d->count);
        put_zeros(sink, whole - d->count);
        amgr_sink_puts(sink, ".0");
        return;
    }
    amgr_sink_put(sink, d->digit, (apr_size_t)whole);
    amgr_sink_putc(sink, '.');
    amgr_sink_put(sink, d->digit + whole, (apr_size_t)(d->count - whole));
}

char *amgr_double_format(double value, char *buf, apr_size_t size)
{
    amgr_sink_t sink;
    digits_t digits;

    amgr_sink_init_text(&sink, buf, size);
    if (!isfinite(value)) {
        value = 0.0;
    }
    if (signbit(value)) {
        amgr_sink_putc(&sink, '-');
        value = -value;
    }
    if (value < 9007199254740992.0 && value == floor(value)) {
        amgr_sink_u64(&sink, (apr_uint64_t)value);
        amgr_sink_puts(&sink, ".0");
    }
    else {
        shortest_digits(value, &digits);
        put_digits(&sink, &digits);
    }
    return amgr_sink_text(&sink);
}

/* As put_rounded() in whole numbers, which is much faster; 0 where only the
 * double tells which way it is rounded: in the middle between two, or when its
 * own precision may matter. */
static int put_hundredths(amgr_sink_t *sink, apr_uint64_t bytes,
                          apr_uint64_t unit)
{
    apr_uint64_t rest;
    apr_uint64_t hundredths;

    if (unit > APR_UINT64_C(1000000000)) {
        return 0;
    }
    rest = bytes * 100 % unit;
    if (rest * 2 == unit) {
        return 0;
    }
    hundredths = bytes * 100 / unit + (rest * 2 > unit);
    amgr_sink_u64(sink, hundredths / 100);
    hundredths %= 100;
    if (hundredths != 0) {
        amgr_sink_putc(sink, '.');
        amgr_sink_putc(sink, (char)('0' + hundredths / 10));
    }
    if (hundredths % 10 != 0) {
        amgr_sink_putc(sink, (char)('0' + hundredths % 10));
    }
    return 1;
}

/* At most two decimals, without trailing zeros; below 1e40. */
static void put_decimals(amgr_sink_t *sink, double value)
{
    char text[64];
    const char *decimals;
    apr_size_t whole;
    int len;

    len = snprintf(text, sizeof(text), "%.2f", value);
    whole = strspn(text, "0123456789");
    decimals = text + len - 2;
    amgr_sink_put(sink, text, whole);
    if (memcmp(decimals, "00", 2) != 0) {
        amgr_sink_putc(sink, '.');
        amgr_sink_put(sink, decimals, decimals[1] == '0' ? 1 : 2);
    }
}

static void put_rounded(amgr_sink_t *sink, apr_uint64_t bytes,
                        apr_uint64_t unit)
{
    if (!put_hundredths(sink, bytes, unit)) {
        put_decimals(sink, (double)bytes / (double)unit);
    }
}

char *amgr_size_format(apr_uint64_t bytes, char *buf, apr_size_t size)
{
    const unit_t *unit = print_sizes;
    const unit_t *end = print_sizes + AMGR_COUNT(print_sizes);
    amgr_sink_t sink;

    amgr_sink_init_text(&sink, buf, size);
    while (unit < end && bytes < unit->value) {
        unit++;
    }
    if (bytes == AMGR_UNKNOWN) {
        amgr_sink_puts(&sink, "n/a");
    }
    else if (unit == end) {
        amgr_sink_u64(&sink, bytes);
        amgr_sink_puts(&sink, bytes == 1 ? " byte" : " bytes");
    }
    else {
        put_rounded(&sink, bytes, unit->value);
        amgr_sink_putc(&sink, ' ');
        amgr_sink_puts(&sink, unit->name);
    }
    return amgr_sink_text(&sink);
}

/** As mod_status prints a rate. */
#define RATE_DIGITS 6

char *amgr_rate_format(double value, char *buf, apr_size_t size)
{
    amgr_sink_t sink;
    digits_t digits;

    amgr_sink_init_text(&sink, buf, size);
    if (!isfinite(value) || value < 0.0) {
        amgr_sink_puts(&sink, "n/a");
    }
    else {
        take_digits(value, RATE_DIGITS, &digits);
        put_digits(&sink, &digits);
    }
    return amgr_sink_text(&sink);
}

char *amgr_size_format_rate(double bytes, char *buf, apr_size_t size)
{
    const unit_t *unit = print_sizes;
    const unit_t *end = print_sizes + AMGR_COUNT(print_sizes);
    char rate[AMGR_UNITS_LEN];
    amgr_sink_t sink;

    amgr_sink_init_text(&sink, buf, size);
    if (!isfinite(bytes) || bytes < 0.0 || bytes > 1e30) {
        amgr_sink_puts(&sink, "n/a");
        return amgr_sink_text(&sink);
    }
    while (unit < end && bytes < (double)unit->value) {
        unit++;
    }
    if (unit == end) {
        amgr_sink_puts(&sink, amgr_rate_format(bytes, rate, sizeof(rate)));
        amgr_sink_puts(&sink, strcmp(rate, "1.0") == 0 ? " byte" : " bytes");
    }
    else {
        put_decimals(&sink, bytes / (double)unit->value);
        amgr_sink_putc(&sink, ' ');
        amgr_sink_puts(&sink, unit->name);
    }
    return amgr_sink_text(&sink);
}

/* What follows the part just put: @a left more are to come. */
static const char *joint(int left)
{
    if (left == 0) {
        return "";
    }
    return left == 1 ? " and " : ", ";
}

char *amgr_duration_format(apr_interval_time_t span_us, char *buf,
                           apr_size_t size)
{
    apr_uint64_t count[AMGR_COUNT(print_spans)];
    apr_uint64_t seconds = (apr_uint64_t)span_us / 1000000;
    amgr_sink_t sink;
    apr_size_t i;
    int parts = 0;

    amgr_sink_init_text(&sink, buf, size);
    if (span_us < 0) {
        amgr_sink_puts(&sink, "n/a");
        return amgr_sink_text(&sink);
    }
    for (i = 0; i < AMGR_COUNT(print_spans); i++) {
        count[i] = seconds / print_spans[i].value;
        seconds %= print_spans[i].value;
        parts += count[i] != 0;
    }
    if (parts == 0) {
        amgr_sink_puts(&sink, "0 seconds");
    }
    parts = parts > 3 ? 3 : parts;
    for (i = 0; i < AMGR_COUNT(print_spans) && parts > 0; i++) {
        if (count[i] != 0) {
            amgr_sink_u64(&sink, count[i]);
            amgr_sink_putc(&sink, ' ');
            amgr_sink_puts(&sink, print_spans[i].name);
            amgr_sink_puts(&sink, count[i] == 1 ? "" : "s");
            amgr_sink_puts(&sink, joint(--parts));
        }
    }
    return amgr_sink_text(&sink);
}
