/* SPDX-License-Identifier: Apache-2.0
 *
 * How the tests of the writers look at what was written: a sink into memory,
 * a sink that fails, the comparison with golden files, and a strict JSON
 * checker that shares no code with the writer.
 *
 * AMGR_SRCDIR says where the checkout is (default: here);
 * AMGR_UPDATE_GOLDEN=1 rewrites the golden files before comparing.
 */
#ifndef AMGR_RENDER_CHECK_H
#define AMGR_RENDER_CHECK_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "render/view.h"

typedef void write_fn(const amgr_view_t *view, amgr_sink_t *sink);

/** Text in memory, grown as needed. */
typedef struct text_t {
    char *data; /**< NUL-terminated */
    size_t len;
} text_t;

static inline apr_status_t text_flush(void *baton, const char *data,
                                      apr_size_t len)
{
    text_t *text = baton;

    text->data = realloc(text->data, text->len + len + 1);
    assert_non_null(text->data);
    memcpy(text->data + text->len, data, len);
    text->len += len;
    text->data[text->len] = '\0';
    return APR_SUCCESS;
}

/* What a writer writes through a buffer of @a size bytes; the caller frees. */
static inline text_t render(write_fn *write, const amgr_view_t *view,
                            size_t size)
{
    static char buf[8192];
    text_t text = { NULL, 0 };
    amgr_sink_t sink;

    assert_true(size <= sizeof(buf));
    amgr_sink_init(&sink, buf, size, text_flush, &text);
    write(view, &sink);
    assert_int_equal(amgr_sink_finish(&sink), APR_SUCCESS);
    assert_non_null(text.data);
    assert_int_equal(strlen(text.data), text.len);
    return text;
}

static inline void golden_path(const char *name, char *path, size_t size)
{
    const char *root = getenv("AMGR_SRCDIR");

    snprintf(path, size, "%s/t/unit/golden/%s", root != NULL ? root : ".",
             name);
}

static inline void golden_update(const char *path, const text_t *text)
{
    FILE *file = fopen(path, "wb");

    assert_non_null(file);
    assert_int_equal(fwrite(text->data, 1, text->len, file), text->len);
    assert_int_equal(fclose(file), 0);
}

/* Fails at the first byte that differs, showing what stands around it. */
static inline void golden_compare(const char *name, const text_t *text)
{
    char path[512];
    char *want;
    size_t len;
    size_t i = 0;
    FILE *file;

    golden_path(name, path, sizeof(path));
    if (getenv("AMGR_UPDATE_GOLDEN") != NULL) {
        golden_update(path, text);
    }
    file = fopen(path, "rb");
    if (file == NULL) {
        fail_msg("%s cannot be read", path);
        return;
    }
    want = calloc(1, text->len + 2);
    assert_non_null(want);
    len = fread(want, 1, text->len + 1, file);
    fclose(file);
    while (i < len && i < text->len && want[i] == text->data[i]) {
        i++;
    }
    if (i < len || i < text->len) {
        size_t from = i > 60 ? i - 60 : 0;

        print_error("%s differs at byte %lu\nwant: %.100s\n got: %.100s\n",
                    path, (unsigned long)i, want + from, text->data + from);
        free(want);
        fail();
        return;
    }
    free(want);
}

typedef struct failing_t {
    int calls_left; /**< flushes that succeed before the first failure */
    int failures;
} failing_t;

static inline apr_status_t failing_flush(void *baton, const char *data,
                                         apr_size_t len)
{
    failing_t *failing = baton;

    assert_non_null(data);
    assert_true(len > 0);
    if (failing->calls_left-- > 0) {
        return APR_SUCCESS;
    }
    failing->failures++;
    return APR_ENOSPC;
}

/* Bytes of the well-formed UTF-8 character at @a at, 0 for none. */
static inline int utf8_length(const char *text)
{
    const unsigned char *at = (const unsigned char *)text;
    int len = 1;
    int i;

    if (at[0] < 0x80) {
        return 1;
    }
    if (at[0] < 0xc2 || at[0] > 0xf4) {
        return 0;
    }
    len = at[0] < 0xe0 ? 2 : at[0] < 0xf0 ? 3 : 4;
    for (i = 1; i < len; i++) {
        if (at[i] < 0x80 || at[i] > 0xbf) {
            return 0;
        }
    }
    if ((at[0] == 0xe0 && at[1] < 0xa0) || (at[0] == 0xed && at[1] > 0x9f)
        || (at[0] == 0xf0 && at[1] < 0x90)
        || (at[0] == 0xf4 && at[1] > 0x8f)) {
        return 0;
    }
    return len;
}

static inline const char *json_skip(const char *at)
{
    return at + strspn(at, " \t\r\n");
}

/* The end of the string that begins at @a at, or NULL. */
static inline const char *json_string_end(const char *at)
{
    if (*at++ != '"') {
        return NULL;
    }
    while (*at != '"') {
        int len = utf8_length(at);

        if (len == 0 || (unsigned char)*at < 0x20) {
            return NULL;
        }
        if (*at != '\\') {
            at += len;
            continue;
        }
        at++;
        if (*at == 'u') {
            if (strspn(at + 1, "0123456789abcdefABCDEF") < 4) {
                return NULL;
            }
            at += 5;
        }
        else if (*at != '\0' && strchr("\"\\/bfnrt", *at) != NULL) {
            at++;
        }
        else {
            return NULL;
        }
    }
    return at + 1;
}

static inline const char *json_digits_end(const char *at)
{
    size_t count = strspn(at, "0123456789");

    return count == 0 ? NULL : at + count;
}

static inline const char *json_number_end(const char *at)
{
    const char *start;

    at += *at == '-';
    start = at;
    at = json_digits_end(at);
    if (at == NULL || (*start == '0' && at > start + 1)) {
        return NULL;
    }
    if (*at == '.') {
        at = json_digits_end(at + 1);
    }
    if (at != NULL && (*at == 'e' || *at == 'E')) {
        at++;
        at += *at == '-' || *at == '+';
        at = json_digits_end(at);
    }
    return at;
}

/* The end of the JSON value at @a at (RFC 8259), or NULL when it is none. */
static inline const char *json_value_end(const char *at, int depth)
{
    static const char *const words[] = { "true", "false", "null" };
    int is_object = *at == '{';
    size_t i;

    if (depth > 100) {
        return NULL;
    }
    if (*at == '"') {
        return json_string_end(at);
    }
    if (*at != '{' && *at != '[') {
        for (i = 0; i < AMGR_COUNT(words); i++) {
            if (strncmp(at, words[i], strlen(words[i])) == 0) {
                return at + strlen(words[i]);
            }
        }
        return json_number_end(at);
    }
    at = json_skip(at + 1);
    if (*at == (is_object ? '}' : ']')) {
        return at + 1;
    }
    for (;;) {
        if (is_object) {
            at = json_string_end(at);
            if (at == NULL || *(at = json_skip(at)) != ':') {
                return NULL;
            }
            at = json_skip(at + 1);
        }
        at = json_value_end(at, depth + 1);
        if (at == NULL) {
            return NULL;
        }
        at = json_skip(at);
        if (*at != ',') {
            break;
        }
        at = json_skip(at + 1);
    }
    return *at == (is_object ? '}' : ']') ? at + 1 : NULL;
}

/* Whether the whole text is one JSON value in valid UTF-8. */
static inline int json_is_valid(const char *text)
{
    const char *end = json_value_end(json_skip(text), 0);

    return end != NULL && *json_skip(end) == '\0';
}

#endif
