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

/** Pages, or kB, as bytes. */
static inline int scan_scaled(scan_t *s, apr_uint64_t unit, apr_uint64_t *out)
{
    return scan_u64(s, out) && !__builtin_mul_overflow(*out, unit, out);
}

#endif
