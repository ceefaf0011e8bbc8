/* SPDX-License-Identifier: Apache-2.0
 *
 * Words of a configuration: how they are split, quoted and shown.  A password
 * in a URL is never shown, whoever's value it is in.
 */
#include <ctype.h>
#include <string.h>

#include <apr_strings.h>

#include "base/escape.h"
#include "supervise/spec/spec_parts.h"

/** Of a value in an error. */
#define SHOWN_MAX 200

#define MASK "***"

/* Not isspace(), whose answer follows the locale. */
static int is_blank(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/* What stands between "://USER:" and "@", which @a text is after "://"; NULL
 * when there is no password.  A port and an @ in the path are none; but what
 * is no port is taken for a password as far as it can go, since people do not
 * escape them. */
static const char *find_password(const char *text, apr_size_t *out_len)
{
    apr_size_t user = text[0] == '[' ? strcspn(text, "]") : 0;
    apr_size_t end;
    apr_size_t last;
    apr_size_t digits;

    user += strcspn(text + user, ":/?#@ \t\r\n\"'");
    if (text[user] != ':') {
        return NULL;
    }
    last = ++user;
    for (end = user; text[end] != '\0' && !is_blank(text[end]); end++) {
        last = text[end] == '@' ? end : last;
    }
    digits = user + strspn(text + user, "0123456789");
    if (last == user ||
        (text[digits] != '\0' && strchr("/?#", text[digits]) != NULL)) {
        return NULL;
    }
    *out_len = last - user;
    return text + user;
}

const char *amgr_word_masked(const char *word, apr_pool_t *pool)
{
    const char *from = word;
    const char *result = NULL;
    const char *at = word;
    const char *password;
    apr_size_t len;

    while ((at = strstr(at, "://")) != NULL) {
        at += 3;
        password = find_password(at, &len);
        if (password != NULL) {
            result = apr_pstrcat(
                pool, result == NULL ? "" : result,
                apr_pstrmemdup(pool, from, (apr_size_t)(password - from)), MASK,
                NULL);
            at = from = password + len;
        }
    }
    return result == NULL ? word : apr_pstrcat(pool, result, from, NULL);
}

/* "header=Name: value" without its value, which may be a key to something. */
static const char *without_secret(const char *word, apr_pool_t *pool)
{
    apr_size_t len = strlen("header=");

    if (strncmp(word, "header=", len) != 0) {
        return word;
    }
    len += strcspn(word + len, ":");
    return word[len] == '\0'
               ? "header=" MASK
               : apr_pstrcat(pool, apr_pstrmemdup(pool, word, len), ": " MASK,
                             NULL);
}

/* At most SHOWN_MAX bytes, no character of UTF-8 in parts. */
static apr_size_t cut_at(const char *word)
{
    apr_size_t len = strnlen(word, SHOWN_MAX + 1);
    int back;

    if (len <= SHOWN_MAX) {
        return len;
    }
    len = SHOWN_MAX;
    for (back = 0; back < 3 && ((unsigned char)word[len] & 0xC0) == 0x80;
         back++) {
        len--;
    }
    return len;
}

const char *amgr_word_shown(const char *word, apr_pool_t *pool)
{
    char *text = apr_palloc(pool, SHOWN_MAX * 4 + 1);
    amgr_sink_t sink;
    apr_size_t len;

    word = amgr_word_masked(without_secret(word, pool), pool);
    len = cut_at(word);
    amgr_sink_init_text(&sink, text, SHOWN_MAX * 4 + 1);
    amgr_escape_line(&sink, apr_pstrmemdup(pool, word, len));
    amgr_sink_text(&sink);
    return word[len] == '\0' ? text : apr_pstrcat(pool, text, "...", NULL);
}

static int must_be_quoted(const char *word)
{
    const char *at;

    for (at = word; *at != '\0'; at++) {
        if (is_blank(*at) || *at == '"' || *at == '\'' || *at == '\\') {
            return 1;
        }
    }
    return at == word;
}

void amgr_word_put(amgr_sink_t *sink, const char *word, apr_pool_t *pool)
{
    apr_size_t len;

    word = amgr_word_masked(word, pool);
    if (!must_be_quoted(word)) {
        amgr_escape_line(sink, word);
        return;
    }
    amgr_sink_putc(sink, '"');
    while (*word != '\0') {
        len = strcspn(word, "\"\\");
        amgr_escape_line(sink, apr_pstrmemdup(pool, word, len));
        word += len;
        if (*word != '\0') {
            amgr_sink_putc(sink, '\\');
            amgr_sink_putc(sink, *word++);
        }
    }
    amgr_sink_putc(sink, '"');
}

int amgr_word_is_clean(const char *word, int layout)
{
    for (; *word != '\0'; word++) {
        if (((unsigned char)*word < 0x20 || *word == 0x7F) &&
            (!layout || (*word != '\t' && *word != '\n'))) {
            return 0;
        }
    }
    return 1;
}

/* The word at *at, to @a out, which has room for all that is left; 0 when a
 * quote has no end. */
static int take_word(const char **at, char *out)
{
    const char *from = *at;
    char quote = '\0';

    for (; *from != '\0' && (quote != '\0' || !is_blank(*from)); from++) {
        if (quote == '\0' && (*from == '"' || *from == '\'')) {
            quote = *from;
        }
        else if (*from == quote) {
            quote = '\0';
        }
        else if (*from == '\\' && quote != '\'' && from[1] != '\0' &&
                 (quote == '\0' || from[1] == '"' || from[1] == '\\')) {
            *out++ = *++from;
        }
        else {
            *out++ = *from;
        }
    }
    *out = '\0';
    *at = from;
    return quote == '\0';
}

const char *amgr_words_split(const char *text, char ***out_argv,
                             apr_pool_t *pool)
{
    apr_array_header_t *words = apr_array_make(pool, 8, sizeof(char *));
    char *word;

    for (;;) {
        while (is_blank(*text)) {
            text++;
        }
        if (*text == '\0') {
            break;
        }
        word = apr_palloc(pool, strlen(text) + 1);
        if (!take_word(&text, word)) {
            return "an end to each quote";
        }
        APR_ARRAY_PUSH(words, char *) = word;
    }
    APR_ARRAY_PUSH(words, char *) = NULL;
    *out_argv = (char **)words->elts;
    return NULL;
}
