/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading an answer.  Supervisor and asker may be of different versions, since
 * the one outlives restarts of the server: so a member that nobody knows here
 * is passed over, while one that is known has to be right.
 */
#include "supervise/order/order_client.h"

#include <limits.h>
#include <string.h>

#include <apr_strings.h>

#define NAME_LEN 32
#define TEXT_LEN 512

typedef enum value_e {
    VALUE_TEXT = 0,
    VALUE_NUMBER, /**< a whole one */
    VALUE_FLAG,
    VALUE_OTHER
} value_e;

typedef struct value_t {
    int type; /**< value_e */
    apr_int64_t number;
    char text[TEXT_LEN];
} value_t;

typedef struct scan_t {
    const char *at;
    const char *end;
} scan_t;

static int take(scan_t *scan, char c)
{
    while (scan->at < scan->end && (*scan->at == ' ' || *scan->at == '\t')) {
        scan->at++;
    }
    if (scan->at < scan->end && *scan->at == c) {
        scan->at++;
        return 1;
    }
    return 0;
}

/* The four digits of \uXXXX, or -1. */
static int read_hex(scan_t *scan)
{
    int value = 0;
    int i;

    if (scan->end - scan->at < 4) {
        return -1;
    }
    for (i = 0; i < 4; i++) {
        const char *digits = "0123456789abcdef";
        char c = *scan->at++;
        const char *digit =
            c == '\0' ? NULL
                      : strchr(digits, c >= 'A' && c <= 'F' ? c + 32 : c);

        if (digit == NULL) {
            return -1;
        }
        value = value * 16 + (int)(digit - digits);
    }
    return value;
}

/* A character in UTF-8; '?' for the end of a text and for what is half of
 * one. */
static int encode(int code, char out[3])
{
    if (code == 0 || (code >= 0xd800 && code <= 0xdfff)) {
        code = '?';
    }
    if (code < 0x80) {
        out[0] = (char)code;
        return 1;
    }
    if (code < 0x800) {
        out[0] = (char)(0xc0 | code >> 6);
        out[1] = (char)(0x80 | (code & 0x3f));
        return 2;
    }
    out[0] = (char)(0xe0 | code >> 12);
    out[1] = (char)(0x80 | (code >> 6 & 0x3f));
    out[2] = (char)(0x80 | (code & 0x3f));
    return 3;
}

/* What stands behind a backslash; the length, or 0. */
static int read_escape(scan_t *scan, char out[3])
{
    static const char from[] = "\"\\/bfnrt";
    static const char to[] = "\"\\/\b\f\n\r\t";
    const char *found;
    int code;
    char c;

    if (scan->at == scan->end) {
        return 0;
    }
    c = *scan->at++;
    if (c == 'u') {
        code = read_hex(scan);
        return code < 0 ? 0 : encode(code, out);
    }
    found = c == '\0' ? NULL : strchr(from, c);
    if (found == NULL) {
        return 0;
    }
    out[0] = to[found - from];
    return 1;
}

/* Behind its first quote; what does not fit is left out. */
static int read_text(scan_t *scan, char *out, apr_size_t size)
{
    apr_size_t used = 0;

    while (scan->at < scan->end && *scan->at != '"') {
        char piece[3] = {*scan->at++, '\0', '\0'};
        int len = 1;

        if (piece[0] == '\\') {
            len = read_escape(scan, piece);
        }
        if (len == 0 || (unsigned char)piece[0] == 0) {
            return 0;
        }
        if (used + (apr_size_t)len < size) {
            memcpy(out + used, piece, (apr_size_t)len);
            used += (apr_size_t)len;
        }
    }
    out[used] = '\0';
    return take(scan, '"');
}

/* A number or a word, to the end of its letters; whole numbers of a few digits
 * and flags are known. */
static int read_plain(scan_t *scan, value_t *value)
{
    static const char letters[] = "+-.0123456789abcdefghijklmnopqrstuvwxyzE";
    char word[24];
    apr_size_t len = 0;
    char *end;

    while (scan->at < scan->end && *scan->at != '\0' &&
           strchr(letters, *scan->at) != NULL) {
        if (len == sizeof(word) - 1) {
            return 0;
        }
        word[len++] = *scan->at++;
    }
    word[len] = '\0';
    value->type = VALUE_OTHER;
    if (strcmp(word, "true") == 0 || strcmp(word, "false") == 0) {
        value->type = VALUE_FLAG;
        value->number = word[0] == 't';
    }
    else if (word[strspn(word, "-0123456789")] == '\0') {
        value->type = VALUE_NUMBER;
        value->number = apr_strtoi64(word, &end, 10);
    }
    return len > 0;
}

static int read_value(scan_t *scan, value_t *value)
{
    memset(value, 0, sizeof(*value));
    if (take(scan, '"')) {
        value->type = VALUE_TEXT;
        return read_text(scan, value->text, sizeof(value->text));
    }
    return read_plain(scan, value);
}

static int set_number(const value_t *value, apr_int64_t least, apr_int64_t most,
                      int *out)
{
    if (value->type != VALUE_NUMBER || value->number < least ||
        value->number > most) {
        return 0;
    }
    *out = (int)value->number;
    return 1;
}

static int set_flag(const value_t *value, int *out)
{
    *out = value->number != 0;
    return value->type == VALUE_FLAG;
}

static int set_text(const value_t *value, char *out, apr_size_t size)
{
    if (value->type != VALUE_TEXT) {
        return 0;
    }
    apr_cpystrn(out, value->text, size);
    return 1;
}

/* A word of a later version is not known. */
static int set_word(const value_t *value, const char *(*word_of)(int),
                    int count, int *out)
{
    int i;

    *out = -1;
    for (i = 0; value->type == VALUE_TEXT && i < count; i++) {
        if (strcmp(value->text, word_of(i)) == 0) {
            *out = i;
        }
    }
    return value->type == VALUE_TEXT;
}

static int set_process(const char *name, const value_t *value,
                       amgr_order_answer_t *out)
{
    if (strcmp(name, "id") == 0) {
        return set_number(value, 1, INT_MAX, &out->id);
    }
    if (strcmp(name, "name") == 0) {
        return set_text(value, out->name, sizeof(out->name));
    }
    if (strcmp(name, "state") == 0) {
        return set_word(value, amgr_managed_state_word,
                        AMGR_MANAGED_STATE_COUNT, &out->state);
    }
    if (strcmp(name, "want") == 0) {
        return set_word(value, amgr_managed_want_word, AMGR_MANAGED_WANT_COUNT,
                        &out->want);
    }
    if (strcmp(name, "ready") == 0) {
        return set_flag(value, &out->ready);
    }
    if (strcmp(name, "pid") == 0) {
        return set_number(value, 1, INT_MAX, &out->pid);
    }
    if (strcmp(name, "code") == 0) {
        return set_number(value, 0, 255, &out->exit_code);
    }
    if (strcmp(name, "signal") == 0) {
        return set_number(value, 1, 127, &out->exit_signal);
    }
    return strcmp(name, "reason") != 0 ||
           set_text(value, out->reason, sizeof(out->reason));
}

/* Returns 0 for what is known, and wrong. */
static int set_member(const char *name, const value_t *value,
                      amgr_order_answer_t *out, int *out_answered)
{
    if (strcmp(name, "ok") == 0) {
        *out_answered = 1;
        return set_flag(value, &out->ok);
    }
    if (strcmp(name, "status") == 0) {
        return set_number(value, 100, 599, &out->status);
    }
    if (strcmp(name, "error") == 0) {
        return set_text(value, out->error, sizeof(out->error));
    }
    if (strcmp(name, "settled") == 0) {
        return set_flag(value, &out->settled);
    }
    if (strcmp(name, "already") == 0) {
        return set_flag(value, &out->already);
    }
    return set_process(name, value, out);
}

static int read_members(scan_t *scan, amgr_order_answer_t *out,
                        int *out_answered)
{
    char name[NAME_LEN];
    value_t value;

    do {
        if (!take(scan, '"') || !read_text(scan, name, sizeof(name)) ||
            !take(scan, ':') || !read_value(scan, &value) ||
            !set_member(name, &value, out, out_answered)) {
            return 0;
        }
    } while (take(scan, ','));
    return take(scan, '}') && scan->at == scan->end;
}

apr_status_t amgr_order_answer_parse(const char *line, apr_size_t len,
                                     amgr_order_answer_t *out)
{
    scan_t scan = {line, line + len};
    int answered = 0;

    memset(out, 0, sizeof(*out));
    out->state = -1;
    out->want = -1;
    out->exit_code = -1;
    if (!take(&scan, '{') || !read_members(&scan, out, &answered) ||
        !answered || (!out->ok && out->status == 0)) {
        return APR_EGENERAL;
    }
    if (out->ok && out->status == 0) {
        out->status = 200;
    }
    return APR_SUCCESS;
}
