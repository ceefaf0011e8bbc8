/* SPDX-License-Identifier: Apache-2.0
 *
 * See short_text.h.
 */
#include "cli/watch/short_text.h"

#include <stdio.h>

#include <apr_strings.h>

/** From here on a count is shortened. */
#define COUNT_MAX 999999

/** Room for a unit and three digits, beside a sign. */
#define SCALED_LEN (AMGR_SHORT_LEN - 1)

static char *put_unknown(char *buf)
{
    apr_cpystrn(buf, "n/a", AMGR_SHORT_LEN);
    return buf;
}

/* Three digits in the largest unit that leaves something before the point. */
static void put_scaled(double value, double step, char *out)
{
    static const char *const units[] = {"", "K", "M", "G", "T", "P", "E"};
    apr_size_t i = 0;
    int decimals;

    /* What would be shown as 1024 or 1000 of a unit is one of the next. */
    while (i + 1 < AMGR_COUNT(units) && value >= step - 0.5) {
        value /= step;
        i++;
    }
    decimals = value < 9.995 ? 2 : value < 99.95 ? 1 : 0;
    snprintf(out, SCALED_LEN, "%.*f%s", decimals, value, units[i]);
}

static void put_size(apr_uint64_t bytes, char *out)
{
    if (bytes >= 1024) {
        put_scaled((double)bytes, 1024.0, out);
        return;
    }
    snprintf(out, SCALED_LEN, bytes == 0 ? "%lu" : "%luB",
             (unsigned long)bytes);
}

char *amgr_short_size(apr_uint64_t bytes, char *buf)
{
    if (bytes == AMGR_UNKNOWN) {
        return put_unknown(buf);
    }
    put_size(bytes, buf);
    return buf;
}

char *amgr_short_growth(apr_int64_t bytes, char *buf)
{
    if (bytes == 0) {
        put_size(0, buf);
        return buf;
    }
    buf[0] = bytes < 0 ? '-' : '+';
    put_size(bytes < 0 ? 0 - (apr_uint64_t)bytes : (apr_uint64_t)bytes,
             buf + 1);
    return buf;
}

char *amgr_short_span(apr_interval_time_t span_us, char *buf)
{
    static const struct {
        long seconds;
        char letter;
    } units[] = {{86400, 'd'}, {3600, 'h'}, {60, 'm'}, {1, 's'}};
    long seconds = (long)apr_time_sec(span_us);
    apr_size_t i = 0;

    if (span_us < 0) {
        return put_unknown(buf);
    }
    while (i + 1 < AMGR_COUNT(units) && seconds < units[i].seconds) {
        i++;
    }
    if (i + 1 == AMGR_COUNT(units) || seconds >= 100L * 86400) {
        snprintf(buf, AMGR_SHORT_LEN, "%ld%c", seconds / units[i].seconds,
                 units[i].letter);
        return buf;
    }
    snprintf(buf, AMGR_SHORT_LEN, "%ld%c%ld%c", seconds / units[i].seconds,
             units[i].letter, seconds % units[i].seconds / units[i + 1].seconds,
             units[i + 1].letter);
    return buf;
}

char *amgr_short_tenths(apr_interval_time_t span_us, char *buf)
{
    if (span_us < 0 || span_us >= apr_time_from_sec(60)) {
        return amgr_short_span(span_us, buf);
    }
    snprintf(buf, AMGR_SHORT_LEN, "%ld.%lds", (long)apr_time_sec(span_us),
             (long)(apr_time_usec(span_us) / 100000));
    return buf;
}

char *amgr_short_count(apr_uint64_t count, char *buf)
{
    if (count == AMGR_UNKNOWN) {
        return put_unknown(buf);
    }
    if (count <= COUNT_MAX) {
        snprintf(buf, AMGR_SHORT_LEN, "%lu", (unsigned long)count);
        return buf;
    }
    put_scaled((double)count, 1000.0, buf);
    return buf;
}

char *amgr_short_rate(double value, char *buf)
{
    /* Also refuses what is no number, and what no server does. */
    if (!(value >= 0.0) || value > 1e15) {
        return put_unknown(buf);
    }
    if (value == (double)(apr_uint64_t)value) {
        return amgr_short_count((apr_uint64_t)value, buf);
    }
    put_scaled(value, 1000.0, buf);
    return buf;
}
