/* SPDX-License-Identifier: Apache-2.0
 *
 * Sizes, durations, shares and numbers: text in, text out.  Pure functions,
 * no locale, no allocation; used alike by directives, pages and the log.
 *
 * A parser takes the whole text or nothing: it returns NULL on success, else
 * a noun phrase of what was expected ("a size above 0 ..."; the caller names
 * the directive and quotes the value), and leaves its output on failure.
 * A formatter cuts what does not fit in its buffer.
 */
#ifndef AMGR_UNITS_H
#define AMGR_UNITS_H

#include "base/base.h"

/** Buffer size that every amgr_*_format() of this header fits in. */
#define AMGR_UNITS_LEN 400

/** "Off" for a size or time limit: no measured value exceeds it. */
#define AMGR_LIMIT_OFF APR_INT64_MAX

/** A part of a whole: a count, or a percentage when @c percent is set. */
typedef struct amgr_share_t {
    int value;
    int percent; /**< non-zero: @c value is in percent of the whole */
} amgr_share_t;

/**
 * Parse a binary size: digits with an optional fraction and an optional unit
 * B K M G T in either case, optionally followed by "B" or "iB" ("50K", "50KB",
 * "1.5G", "42").  Rounds a part of a byte down.  Rejects signs, exponents,
 * blanks, whatever comes to 0 and anything above 1 EiB.
 */
const char *amgr_size_parse(const char *text, apr_int64_t *out_bytes);

/**
 * Parse a duration: digits with an optional fraction and an optional unit ms,
 * s, m, h or d in either case; without unit, seconds.  Rejects what
 * comes to 0 and anything longer than 10,000 days.  Microseconds out.
 */
const char *amgr_duration_parse(const char *text, apr_interval_time_t *out_us);

/** Parse an unsigned decimal integer in [min, max]; the phrase does not name
 * the range, which the caller knows. */
const char *amgr_count_parse(const char *text, int min, int max, int *out);

/** Parse "N" (1 or more) or "N%" (1% to 100%). */
const char *amgr_share_parse(const char *text, amgr_share_t *out);

/** How many @a share is of @a whole: at least 1, rounded down.  A count is
 * itself, also when the whole is smaller. */
int amgr_share_of(const amgr_share_t *share, int whole);

/**
 * Format the shortest decimal text that reads back as the same double, never
 * with an exponent and always with a fraction ("1024.0", "0.228571").  Not a
 * number and infinities become "0.0".  Returns @a buf.
 */
char *amgr_double_format(double value, char *buf, apr_size_t size);

/**
 * Format bytes the way the Python tool prints them: decimal units, at most two
 * decimals without trailing zeros ("12.05 MB", "1.02 KB", "1 byte").
 * AMGR_UNKNOWN becomes "n/a".  Returns @a buf.
 */
char *amgr_size_format(apr_uint64_t bytes, char *buf, apr_size_t size);

/**
 * Format a rate with the six significant digits that mod_status prints,
 * without an exponent and always with a fraction ("0.134831", "2.0").
 * Negative, infinite and not a number become "n/a".  Returns @a buf.
 */
char *amgr_rate_format(double value, char *buf, apr_size_t size);

/** Format bytes that are no whole number as amgr_size_format() does; below
 * 1000 like a rate ("207.101 bytes").  Returns @a buf. */
char *amgr_size_format_rate(double bytes, char *buf, apr_size_t size);

/**
 * Format a size exactly, in binary units, as a directive takes it: the largest
 * unit that divides it ("500M", "1536K", "42"); AMGR_LIMIT_OFF becomes "Off",
 * a negative size "n/a".
 */
char *amgr_size_format_exact(apr_int64_t bytes, char *buf, apr_size_t size);

/**
 * Format a span the way the Python tool prints it, whole seconds and at most
 * three parts ("1 minute and 29 seconds", "0 seconds", "2 days, 3 hours and
 * 4 minutes"); a year has 52 weeks there.  A negative span (AMGR_NO_TIME)
 * becomes "n/a".
 */
char *amgr_duration_format(apr_interval_time_t span_us, char *buf,
                           apr_size_t size);

/** Format a duration exactly, as a directive takes it ("5m", "1500ms",
 * "0.25ms"); AMGR_LIMIT_OFF becomes "Off", a negative span "n/a". */
char *amgr_duration_format_exact(apr_interval_time_t span_us, char *buf,
                                 apr_size_t size);

#endif
