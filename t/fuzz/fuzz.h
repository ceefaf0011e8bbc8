/* SPDX-License-Identifier: Apache-2.0
 *
 * What fuzz targets share: a check that ends the run, texts that end where
 * their memory does, and an input taken as a stream of choices.
 */
#ifndef AMGR_FUZZ_H
#define AMGR_FUZZ_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <apr_general.h>
#include <apr_pools.h>

#include "base/sink.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/** A property that does not hold is a finding. */
#define check(ok) ((ok) ? (void)0 : fuzz_fail(__FILE__, __LINE__, #ok))

static inline void fuzz_fail(const char *file, int line, const char *what)
{
    fprintf(stderr, "%s:%d: not so: %s\n", file, line, what);
    abort();
}

/** A text of these bytes, malloc'ed to its very end. */
static inline char *fuzz_text(const void *data, size_t size)
{
    char *text = malloc(size + 1);

    check(text != NULL);
    if (size > 0) {
        memcpy(text, data, size);
    }
    text[size] = '\0';
    return text;
}

/** A pool of this input's own; see pools.c for what is taken from it. */
static inline apr_pool_t *fuzz_pool(void)
{
    static int is_begun;
    apr_pool_t *pool = NULL;

    if (!is_begun) {
        is_begun = apr_initialize() == APR_SUCCESS;
    }
    check(apr_pool_create(&pool, NULL) == APR_SUCCESS);
    return pool;
}

/** An input of which so much was taken; what is not there is 0. */
typedef struct fuzz_t {
    const uint8_t *at;
    const uint8_t *end;
} fuzz_t;

static inline uint64_t fuzz_bits(fuzz_t *in, int bytes)
{
    uint64_t value = 0;

    for (; bytes > 0; bytes--) {
        value = value << 8 | (in->at < in->end ? *in->at++ : 0);
    }
    return value;
}

/** From 0 to @a count - 1. */
static inline int fuzz_below(fuzz_t *in, int count)
{
    return (int)(fuzz_bits(in, count > 256 ? 4 : 1) % (uint64_t)count);
}

static inline size_t fuzz_left(const fuzz_t *in)
{
    return (size_t)(in->end - in->at);
}

/** The bytes up to the next newline, or all that are left, malloc'ed. */
static inline char *fuzz_line(fuzz_t *in)
{
    const uint8_t *end =
        fuzz_left(in) > 0 ? memchr(in->at, '\n', fuzz_left(in)) : NULL;
    size_t len = end == NULL ? fuzz_left(in) : (size_t)(end - in->at);
    char *line = fuzz_text(in->at, len);

    in->at += len + (end != NULL);
    return line;
}

/** Up to @a size of the next bytes; the others are 0. */
static inline void fuzz_bytes(fuzz_t *in, void *out, size_t size)
{
    size_t len = fuzz_left(in) < size ? fuzz_left(in) : size;

    memset(out, 0, size);
    if (len > 0) {
        memcpy(out, in->at, len);
    }
    in->at += len;
}

/** What a sink was given, malloc'ed; all zero to begin. */
typedef struct fuzz_output_t {
    char *data;
    size_t len;
} fuzz_output_t;

/** A flush function with a fuzz_output_t. */
static inline apr_status_t fuzz_append(void *baton, const char *data,
                                       apr_size_t len)
{
    fuzz_output_t *output = baton;

    output->data = realloc(output->data, output->len + len + 1);
    check(output->data != NULL);
    memcpy(output->data + output->len, data, len);
    output->len += len;
    output->data[output->len] = '\0';
    return APR_SUCCESS;
}

/** Of one line that cannot command a terminal. */
static inline void check_line_text(const char *text)
{
    for (; *text != '\0'; text++) {
        check((unsigned char)*text >= 0x20 && *text != 0x7F);
    }
}

/** By the table of RFC 3629, apart from the code that it checks. */
static inline void check_utf8(const char *text)
{
    const unsigned char *p = (const unsigned char *)text;
    unsigned int value;
    unsigned int least;
    int more;

    while (*p != '\0') {
        if (*p < 0x80) {
            p++;
            continue;
        }
        check(*p >= 0xC0 && *p < 0xF8);
        more = *p >= 0xF0 ? 3 : *p >= 0xE0 ? 2 : 1;
        least = more == 3 ? 0x10000 : more == 2 ? 0x800 : 0x80;
        value = *p++ & (0x3Fu >> more);
        for (; more > 0; more--) {
            check((*p & 0xC0) == 0x80);
            value = value << 6 | (*p++ & 0x3Fu);
        }
        check(value >= least && value <= 0x10FFFF &&
              (value < 0xD800 || value > 0xDFFF));
    }
}

/** The inside of a JSON string that may stand in HTML as well. */
static inline void check_json_text(const char *p)
{
    for (; *p != '\0'; p++) {
        check(strchr("\"<>&", *p) == NULL);
        if (*p == '\\') {
            p++;
            check(*p != '\0' && strchr("\"\\nrtu", *p) != NULL);
            if (*p == 'u') {
                check(strspn(p + 1, "0123456789abcdef") >= 4);
                p += 4;
            }
        }
    }
}

#endif
