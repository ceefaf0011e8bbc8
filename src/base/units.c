/* SPDX-License-Identifier: Apache-2.0
 *
 * Sizes, durations, shares and counts as directives take them, in and out.
 * Exact integer arithmetic, fractions included; nothing depends on the locale.
 * What people and other programs read is in units_print.c.
 */
#include "base/units.h"

#include <limits.h>

#include "base/sink.h"

#define SIZE_MAX_BYTES ((apr_uint64_t)1 << 60)
#define DURATION_MAX_US (APR_UINT64_C(10000) * 86400 * 1000000)

static const char size_expected[] =
    "a size above 0 and up to 1 EiB in digits with an optional fraction and "
    "unit (B, K, M, G or T)";
static const char duration_expected[] =
    "a duration above 0 and up to 10000 days in digits with an optional "
    "fraction and unit (ms, s, m, h or d)";
static const char count_expected[] = "a whole number within its range";
static const char share_expected[] =
    "a whole number from 1, or a percentage from 1% to 100%";

/** A decimal number as written, and what follows it. */
typedef struct decimal_t {
    apr_uint64_t whole;
    const char *fraction; /**< its digits */
    apr_size_t fraction_len;
    const char *rest;
} decimal_t;

typedef struct unit_t {
    const char *name;
    apr_uint64_t value;
} unit_t;

/* Smallest first. */
static const unit_t size_units[] = {
    { "B", 1 },
    { "K", (apr_uint64_t)1 << 10 },
    { "M", (apr_uint64_t)1 << 20 },
    { "G", (apr_uint64_t)1 << 30 },
    { "T", (apr_uint64_t)1 << 40 }
};
static const unit_t duration_units[] = {
    { "ms", 1000 },
    { "s", 1000000 },
    { "m", APR_UINT64_C(60000000) },
    { "h", APR_UINT64_C(3600000000) },
    { "d", APR_UINT64_C(86400000000) }
};

static int is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Digits only; 0 when there are none or they exceed 64 bits. */
static int scan_digits(const char **at, apr_uint64_t *out)
{
    const char *p = *at;
    apr_uint64_t value = 0;

    if (!is_digit(*p)) {
        return 0;
    }
    for (; is_digit(*p); p++) {
        if (__builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, (apr_uint64_t)(*p - '0'), &value)) {
            return 0;
        }
    }
    *at = p;
    *out = value;
    return 1;
}

static int scan_decimal(const char *text, decimal_t *out)
{
    const char *p = text;

    if (!scan_digits(&p, &out->whole)) {
        return 0;
    }
    out->fraction = p;
    out->fraction_len = 0;
    if (*p == '.') {
        out->fraction = ++p;
        while (is_digit(*p)) {
            p++;
        }
        out->fraction_len = (apr_size_t)(p - out->fraction);
        if (out->fraction_len == 0) {
            return 0;
        }
    }
    out->rest = p;
    return 1;
}

/*
 * number * unit rounded down, when that is in 1 to max.  Dividing from the
 * last digit to the first is exact however many there are, because
 * floor((n + x) / 10) equals floor((n + floor(x)) / 10) for whole n.
 */
static int scale(const decimal_t *number, apr_uint64_t unit, apr_uint64_t max,
                 apr_uint64_t *out)
{
    apr_uint64_t part = 0;
    apr_size_t i;

    if (number->whole > max / unit) {
        return 0;
    }
    for (i = number->fraction_len; i > 0; i--) {
        part += (apr_uint64_t)(number->fraction[i - 1] - '0') * unit;
        part /= 10;
    }
    part += number->whole * unit;
    if (part == 0 || part > max) {
        return 0;
    }
    *out = part;
    return 1;
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* Not strcasecmp(), whose idea of case follows the locale. */
static int equal_nocase(const char *a, const char *b)
{
    while (*a != '\0' && lower(*a) == lower(*b)) {
        a++;
        b++;
    }
    return *a == '\0' && *b == '\0';
}

static apr_uint64_t size_unit(const char *suffix)
{
    apr_size_t i;

    if (*suffix == '\0') {
        return 1;
    }
    for (i = 0; i < AMGR_COUNT(size_units); i++) {
        if (lower(*suffix) != lower(size_units[i].name[0])) {
            continue;
        }
        suffix++;
        if (*suffix == '\0' || (i > 0 && (equal_nocase(suffix, "B") ||
                                          equal_nocase(suffix, "iB")))) {
            return size_units[i].value;
        }
        return 0;
    }
    return 0;
}

static apr_uint64_t duration_unit(const char *suffix)
{
    apr_size_t i;

    if (*suffix == '\0') {
        return 1000000;
    }
    for (i = 0; i < AMGR_COUNT(duration_units); i++) {
        if (equal_nocase(suffix, duration_units[i].name)) {
            return duration_units[i].value;
        }
    }
    return 0;
}

const char *amgr_size_parse(const char *text, apr_int64_t *out_bytes)
{
    decimal_t number;
    apr_uint64_t unit;
    apr_uint64_t bytes;

    if (!scan_decimal(text, &number)) {
        return size_expected;
    }
    unit = size_unit(number.rest);
    if (unit == 0 || !scale(&number, unit, SIZE_MAX_BYTES, &bytes)) {
        return size_expected;
    }
    *out_bytes = (apr_int64_t)bytes;
    return NULL;
}

const char *amgr_duration_parse(const char *text, apr_interval_time_t *out_us)
{
    decimal_t number;
    apr_uint64_t unit;
    apr_uint64_t span_us;

    if (!scan_decimal(text, &number)) {
        return duration_expected;
    }
    unit = duration_unit(number.rest);
    if (unit == 0 || !scale(&number, unit, DURATION_MAX_US, &span_us)) {
        return duration_expected;
    }
    *out_us = (apr_interval_time_t)span_us;
    return NULL;
}

const char *amgr_count_parse(const char *text, int min, int max, int *out)
{
    const char *p = text;
    apr_uint64_t value;

    if (!scan_digits(&p, &value) || *p != '\0' || value > (apr_uint64_t)INT_MAX
        || (int)value < min || (int)value > max) {
        return count_expected;
    }
    *out = (int)value;
    return NULL;
}

const char *amgr_share_parse(const char *text, amgr_share_t *out)
{
    const char *p = text;
    apr_uint64_t value;
    int percent;

    if (!scan_digits(&p, &value)) {
        return share_expected;
    }
    percent = *p == '%';
    p += percent;
    if (*p != '\0' || value < 1 ||
        value > (percent ? 100 : (apr_uint64_t)INT_MAX)) {
        return share_expected;
    }
    out->value = (int)value;
    out->percent = percent;
    return NULL;
}

int amgr_share_of(const amgr_share_t *share, int whole)
{
    apr_int64_t count = share->value;

    if (share->percent) {
        count = (apr_int64_t)whole * share->value / 100;
    }
    return count < 1 ? 1 : (int)count;
}

/* The largest unit that divides @a value, at least the first. */
static const unit_t *exact_unit(const unit_t *units, apr_size_t count,
                                apr_uint64_t value)
{
    while (count > 1 && (value == 0 || value % units[count - 1].value != 0)) {
        count--;
    }
    return &units[count - 1];
}

char *amgr_size_format_exact(apr_int64_t bytes, char *buf, apr_size_t size)
{
    const unit_t *unit;
    amgr_sink_t sink;

    amgr_sink_init_text(&sink, buf, size);
    if (bytes == AMGR_LIMIT_OFF) {
        amgr_sink_puts(&sink, "Off");
    }
    else if (bytes < 0) {
        amgr_sink_puts(&sink, "n/a");
    }
    else {
        unit = exact_unit(size_units, AMGR_COUNT(size_units),
                          (apr_uint64_t)bytes);
        amgr_sink_u64(&sink, (apr_uint64_t)bytes / unit->value);
        if (unit != size_units) {
            amgr_sink_puts(&sink, unit->name);
        }
    }
    return amgr_sink_text(&sink);
}

char *amgr_duration_format_exact(apr_interval_time_t span_us, char *buf,
                                 apr_size_t size)
{
    apr_uint64_t span = (apr_uint64_t)span_us;
    apr_uint64_t rest;
    apr_uint64_t place;
    const unit_t *unit;
    amgr_sink_t sink;

    amgr_sink_init_text(&sink, buf, size);
    if (span_us == AMGR_LIMIT_OFF || span_us < 0) {
        amgr_sink_puts(&sink, span_us < 0 ? "n/a" : "Off");
        return amgr_sink_text(&sink);
    }
    unit = exact_unit(duration_units, AMGR_COUNT(duration_units), span);
    amgr_sink_u64(&sink, span / unit->value);
    /* Only a span that is no whole number of milliseconds has a rest. */
    rest = span % unit->value;
    if (rest != 0) {
        amgr_sink_putc(&sink, '.');
        for (place = unit->value / 10; rest != 0; place /= 10) {
            amgr_sink_putc(&sink, (char)('0' + rest / place));
            rest %= place;
        }
    }
    amgr_sink_puts(&sink, span == 0 ? "s" : unit->name);
    return amgr_sink_text(&sink);
}
