/* SPDX-License-Identifier: Apache-2.0
 *
 * Strict scanning, for the parsers of this layer only: a number is digits that
 * fit its type, anything else is a failure.  A failed scan may have moved; the
 * caller gives up on the whole file then.
 */
#ifndef AMGR_PROC_SCAN_H
#define AMGR_PROC_SCAN_H

#include "base/base.h"

/** The bytes not parsed yet. */
typedef struct scan_t {
    const char *at;
    const char *end;
} scan_t;

static inline int scan_char(scan_t *s, char c)
{
    if (s->at == s->end || *s->at != c) {
        return 0;
    }
    s->at++;
    return 1;
}

static inline int scan_u64(scan_t *s, apr_uint64_t *out)
{
    const char *start = s->at;
    apr_uint64_t value = 0;

    for (; s->at < s->end && *s->at >= '0' && *s->at <= '9'; s->at++) {
        if (__builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, (apr_uint64_t)(*s->at - '0'),
                                   &value)) {
            return 0;
        }
    }
    *out = value;
    return s->at > start;
}

/** Hexadecimal digits of 64 bits at most, in any number of them. */
static inline int scan_hex(scan_t *s, apr_uint64_t *out)
{
    const char *start = s->at;
    apr_uint64_t value = 0;

    for (; s->at < s->end; s->at++) {
        char c = *s->at;
        int digit = c >= '0' && c <= '9'   ? c - '0'
                    : c >= 'a' && c <= 'f' ? c - 'a' + 10
                    : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                           : -1;

        if (digit < 0) {
            break;
        }
        if (value >> 60 != 0) {
            return 0;
        }
        value = value << 4 | (apr_uint64_t)digit;
    }
    *out = value;
    return s->at > start;
}

/** Exactly so many of them. */
static inline int scan_hex_digits(scan_t *s, int digits, apr_uint64_t *out)
{
    const char *start = s->at;

    return scan_hex(s, out) && s->at - start == digits;
}

static inline int scan_blanks(scan_t *s)
{
    const char *start = s->at;

    while (s->at < s->end && *s->at == ' ') {
        s->at++;
    }
    return s->at > start;
}

/** Anything but blanks. */
static inline int scan_word(scan_t *s)
{
    const char *start = s->at;

    while (s->at < s->end && *s->at != ' ') {
        s->at++;
    }
    return s->at > start;
}

/** Pages, or kB, as bytes. */
static inline int scan_scaled(scan_t *s, apr_uint64_t unit, apr_uint64_t *out)
{
    return scan_u64(s, out) && !__builtin_mul_overflow(*out, unit, out);
}

#endif
