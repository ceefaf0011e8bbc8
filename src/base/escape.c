/* SPDX-License-Identifier: Apache-2.0
 *
 * Escaping of untrusted text.  One walk over the characters serves all
 * formats; a format is a function that names the replacement of a character,
 * or NULL for one that may stand as it is.
 */
#include "base/escape.h"

#include <string.h>

/** U+FFFD, the replacement character. */
#define REPLACEMENT "\xEF\xBF\xBD"

/** Room for four bytes as \xHH or two as \\xHH, and the NUL. */
#define SCRATCH_LEN 17

/* @a len is 0 for a byte that is no part of valid UTF-8. */
typedef const char *replace_fn(const unsigned char *at, apr_size_t len,
                               char *scratch);

static int is_continuation(unsigned char c)
{
    return (c & 0xC0) == 0x80;
}

/*
 * Length of the character at @a at, 0 when there is none (RFC 3629: no
 * overlong forms, no surrogates, nothing above U+10FFFF).  A NUL is no
 * continuation byte, so this never reads past the end of the text.
 */
static apr_size_t utf8_length(const unsigned char *at)
{
    unsigned char first = at[0];

    if (first < 0x80) {
        return 1;
    }
    if (first < 0xC2 || first > 0xF4 || !is_continuation(at[1])) {
        return 0;
    }
    if (first < 0xE0) {
        return 2;
    }
    if (!is_continuation(at[2])) {
        return 0;
    }
    if (first < 0xF0) {
        if ((first == 0xE0 && at[1] < 0xA0) ||
            (first == 0xED && at[1] > 0x9F)) {
            return 0;
        }
        return 3;
    }
    if (!is_continuation(at[3]) || (first == 0xF0 && at[1] < 0x90) ||
        (first == 0xF4 && at[1] > 0x8F)) {
        return 0;
    }
    return 4;
}

/* C0, DEL and C1: what terminals and browsers may take as a command. */
static int is_control(const unsigned char *at, apr_size_t len)
{
    if (len == 1) {
        return at[0] < 0x20 || at[0] == 0x7F;
    }
    return len == 2 && at[0] == 0xC2 && at[1] < 0xA0;
}

/* U+2028 and U+2029: line ends to JavaScript and to some readers of text. */
static int is_separator(const unsigned char *at, apr_size_t len)
{
    return len == 3 && at[0] == 0xE2 && at[1] == 0x80 &&
           (at[2] == 0xA8 || at[2] == 0xA9);
}

/* Marks that turn the direction of writing (Unicode TR 9): with them one text
 * rearranges what stands around it. */
static int is_direction(const unsigned char *at, apr_size_t len)
{
    if (len == 2) {
        return at[0] == 0xD8 && at[1] == 0x9C;
    }
    return len == 3 && at[0] == 0xE2 &&
           ((at[1] == 0x80 && (at[2] == 0x8E || at[2] == 0x8F ||
                               (at[2] >= 0xAA && at[2] <= 0xAE))) ||
            (at[1] == 0x81 && at[2] >= 0xA6 && at[2] <= 0xA9));
}

/* What no format here escapes; spares most characters the call. */
static const char plain[256] = {
    [' '] = 1, ['!'] = 1,         ['#' ... '%'] = 1, ['(' ... ';'] = 1,
    ['='] = 1, ['?' ... '['] = 1, [']' ... '~'] = 1,
};

apr_size_t amgr_escape_plain_len(const char *text)
{
    apr_size_t len = 0;

    while (plain[(unsigned char)text[len]]) {
        len++;
    }
    return len;
}

static void escape(amgr_sink_t *sink, const char *text, replace_fn *replace)
{
    const unsigned char *at = (const unsigned char *)text;
    const unsigned char *run = at;
    const char *replacement;
    char scratch[SCRATCH_LEN];
    apr_size_t len;

    while (*at != '\0') {
        if (plain[*at]) {
            at++;
            continue;
        }
        len = utf8_length(at);
        replacement = replace(at, len, scratch);
        if (len == 0) {
            len = 1;
        }
        if (replacement != NULL) {
            amgr_sink_put(sink, (const char *)run, (apr_size_t)(at - run));
            amgr_sink_puts(sink, replacement);
            run = at + len;
        }
        at += len;
    }
    amgr_sink_put(sink, (const char *)run, (apr_size_t)(at - run));
}

static char *put_hex(char *out, unsigned int byte)
{
    static const char digits[] = "0123456789abcdef";

    *out++ = digits[(byte >> 4) & 0xF];
    *out++ = digits[byte & 0xF];
    return out;
}

static const char *replace_html(const unsigned char *at, apr_size_t len,
                                char *scratch)
{
    (void)scratch; /* every replacement is a constant */
    if (len == 0 || is_control(at, len) || is_direction(at, len)) {
        return REPLACEMENT;
    }
    switch (at[0]) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    case '\'':
        return "&#39;";
    default:
        return NULL;
    }
}

/* A character of three bytes at most as JSON has it in ASCII. */
static const char *put_unit(const unsigned char *at, apr_size_t len,
                            char *scratch)
{
    unsigned int unit = at[0];

    if (len == 2) {
        unit = (at[0] & 0x1fU) << 6 | (at[1] & 0x3fU);
    }
    else if (len == 3) {
        unit = (at[0] & 0x0fU) << 12 | (at[1] & 0x3fU) << 6 | (at[2] & 0x3fU);
    }
    memcpy(scratch, "\\u", 2);
    *put_hex(put_hex(scratch + 2, (unsigned char)(unit >> 8)),
             (unsigned char)(unit & 0xff)) = '\0';
    return scratch;
}

static const char *replace_json(const unsigned char *at, apr_size_t len,
                                char *scratch)
{
    if (len == 0) {
        return REPLACEMENT;
    }
    switch (at[0]) {
    case '"':
        return "\\\"";
    case '\\':
        return "\\\\";
    case '\n':
        return "\\n";
    case '\r':
        return "\\r";
    case '\t':
        return "\\t";
    case '<':
    case '>':
    case '&':
        return put_unit(at, len, scratch);
    default:
        return is_control(at, len) || is_separator(at, len) ||
                       is_direction(at, len)
                   ? put_unit(at, len, scratch)
                   : NULL;
    }
}

static const char *replace_line(const unsigned char *at, apr_size_t len,
                                char *scratch)
{
    char *out = scratch;
    apr_size_t i;

    if (len != 0 && !is_control(at, len) && !is_separator(at, len) &&
        !is_direction(at, len) && at[0] != '\\') {
        return NULL;
    }
    for (i = 0; i < (len == 0 ? 1 : len); i++) {
        *out++ = '\\';
        *out++ = 'x';
        out = put_hex(out, at[i]);
    }
    *out = '\0';
    return scratch;
}

static const char *replace_label(const unsigned char *at, apr_size_t len,
                                 char *scratch)
{
    char *out = scratch;
    apr_size_t i;

    if (at[0] == '"') {
        return "\\\"";
    }
    if (len != 0 && !is_control(at, len) && at[0] != '\\') {
        return NULL;
    }
    for (i = 0; i < (len == 0 ? 1 : len); i++) {
        memcpy(out, "\\\\x", 3);
        out = put_hex(out + 3, at[i]);
    }
    *out = '\0';
    return scratch;
}

void amgr_escape_label(amgr_sink_t *sink, const char *text)
{
    escape(sink, text, replace_label);
}

void amgr_escape_html(amgr_sink_t *sink, const char *text)
{
    escape(sink, text, replace_html);
}

void amgr_escape_json(amgr_sink_t *sink, const char *text)
{
    escape(sink, text, replace_json);
}

void amgr_escape_line(amgr_sink_t *sink, const char *text)
{
    escape(sink, text, replace_line);
}

/* As put_hex() writes it; -1: it is none. */
static int hex_value(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The byte that "\xHH" stands for; -1: there is none, or it ends a text. */
static int escaped_byte(const char *at)
{
    int high;
    int low;

    if (at[0] != '\\' || at[1] != 'x') {
        return -1;
    }
    high = hex_value(at[2]);
    low = high < 0 ? -1 : hex_value(at[3]);
    return low < 0 || high + low == 0 ? -1 : high * 16 + low;
}

void amgr_unescape_line(char *text)
{
    char *out = text;

    while (*text != '\0') {
        int byte = escaped_byte(text);

        *out++ = byte < 0 ? *text : (char)byte;
        text += byte < 0 ? 1 : 4;
    }
    *out = '\0';
}
