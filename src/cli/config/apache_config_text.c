/* SPDX-License-Identifier: Apache-2.0
 *
 * The grammar of Apache's configuration: lines, words and variables, and which
 * of the lines open and close sections.
 */
#include "cli/config/apache_config_parts.h"

#include <apr_file_info.h>
#include <apr_lib.h>
#include <apr_strings.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/escape.h"

/** Room for what is shown of a word in a warning. */
#define SHOWN_LEN 200

const char amgr_apache_no_value[] = "";

const char *amgr_apache_shown(amgr_apache_reader_t *reader, const char *text)
{
    char buf[SHOWN_LEN];
    amgr_sink_t sink;

    amgr_sink_init_text(&sink, buf, sizeof(buf));
    amgr_escape_line(&sink, text);
    return apr_pstrcat(reader->pool, amgr_sink_text(&sink),
                       sink.status == APR_SUCCESS ? "" : "...", NULL);
}

static void add_warning(amgr_apache_reader_t *reader,
                        apr_array_header_t *warnings, const char *text)
{
    if (warnings->nelts >= AMGR_APACHE_MAX_WARNINGS) {
        return;
    }
    if (warnings->nelts == AMGR_APACHE_MAX_WARNINGS - 1) {
        APR_ARRAY_PUSH(warnings, const char *) =
            "more lines of the "
            "configuration could not be followed";
        return;
    }
    APR_ARRAY_PUSH(warnings, const char *) =
        reader->line == 0
            ? text
            : apr_psprintf(reader->pool, "%s:%d: %s",
                           amgr_apache_shown(reader, reader->file),
                           reader->line, text);
}

void amgr_apache_warn(amgr_apache_reader_t *reader, const char *format, ...)
{
    const char *text;
    va_list args;

    va_start(args, format);
    text = apr_pvsprintf(reader->pool, format, args);
    va_end(args);
    add_warning(reader, reader->out->warnings, text);
}

void amgr_apache_warn_listen(amgr_apache_reader_t *reader, const char *where)
{
    add_warning(reader, reader->out->bad_listens,
                apr_psprintf(reader->pool,
                             "Listen '%s' has no address and port",
                             amgr_apache_shown(reader, where)));
}

char *amgr_apache_next_line(char **at, char *end, int *out_lines)
{
    char *begin = *at;
    char *from = begin;
    char *to = begin;

    *out_lines = 0;
    if (begin >= end) {
        return NULL;
    }
    for (;;) {
        char *newline = memchr(from, '\n', (apr_size_t)(end - from));
        char *stop = newline == NULL ? end : newline;
        apr_size_t length = (apr_size_t)(stop - from);

        ++*out_lines;
        memmove(to, from, length);
        to += length;
        from = newline == NULL ? end : newline + 1;
        if (to > begin && to[-1] == '\r') {
            to--;
        }
        /* Without a line end after it a backslash continues nothing. */
        if (newline == NULL || to == begin || to[-1] != '\\') {
            break;
        }
        to--;
        if (from == end) {
            break;
        }
    }
    *at = from;
    /* At most where the line's end was, or where the caller keeps a NUL. */
    *to = '\0';
    to = begin + strlen(begin);
    while (apr_isspace(*begin)) {
        begin++;
    }
    while (to > begin && apr_isspace(to[-1])) {
        *--to = '\0';
    }
    return begin;
}

/* @a length bytes with the escapes undone that @a quote allows. */
static char *unescape(const char *from, apr_size_t length, char quote,
                      apr_pool_t *pool)
{
    char *word = apr_palloc(pool, length + 1);
    char *to = word;
    apr_size_t i;

    for (i = 0; i < length; i++) {
        if (from[i] == '\\' && i + 1 < length &&
            (from[i + 1] == '\\' || (quote != '\0' && from[i + 1] == quote))) {
            i++;
        }
        *to++ = from[i];
    }
    *to = '\0';
    return word;
}

char *amgr_apache_next_word(const char **at, apr_pool_t *pool)
{
    const char *begin = *at;
    const char *end;
    char quote = '\0';
    char *word;

    while (apr_isspace(*begin)) {
        begin++;
    }
    if (*begin == '"' || *begin == '\'') {
        quote = *begin++;
    }
    end = begin;
    while (*end != '\0' &&
           (quote != '\0' ? *end != quote : !apr_isspace(*end))) {
        end +=
            quote != '\0' && *end == '\\' && (end[1] == quote || end[1] == '\\')
                ? 2
                : 1;
    }
    word = unescape(begin, (apr_size_t)(end - begin), quote, pool);
    if (quote != '\0' && *end == quote) {
        end++;
    }
    while (apr_isspace(*end)) {
        end++;
    }
    *at = end;
    return word;
}

const char *amgr_apache_variable(const amgr_apache_reader_t *reader,
                                 const char *name)
{
    const char *value =
        apr_hash_get(reader->defines, name, APR_HASH_KEY_STRING);

    if (value == NULL || value == amgr_apache_no_value) {
        value = apr_hash_get(reader->environment, name, APR_HASH_KEY_STRING);
        if (value == NULL) {
            value = getenv(name);
        }
        else if (value == amgr_apache_no_value) {
            value = NULL;
        }
    }
    return value;
}

/* What stands at "${": its value, and *at after it; NULL with a warning. */
static const char *variable_at(amgr_apache_reader_t *reader, const char **at,
                               const char *end)
{
    char *name =
        apr_pstrmemdup(reader->pool, *at + 2, (apr_size_t)(end - *at - 2));
    const char *value = amgr_apache_variable(reader, name);

    if (value == NULL) {
        amgr_apache_warn(reader, "${%s} is not defined",
                         amgr_apache_shown(reader, name));
    }
    *at = end + 1;
    return value;
}

const char *amgr_apache_next_value(amgr_apache_reader_t *reader,
                                   const char **at)
{
    const char *word = amgr_apache_next_word(at, reader->pool);
    char buf[AMGR_APACHE_MAX_WORD];
    amgr_sink_t sink;

    amgr_sink_init_text(&sink, buf, sizeof(buf));
    while (*word != '\0') {
        const char *end =
            word[0] == '$' && word[1] == '{' ? strchr(word, '}') : NULL;

        if (end == NULL) {
            amgr_sink_putc(&sink, *word++);
        }
        else {
            const char *value = variable_at(reader, &word, end);

            if (value == NULL) {
                return NULL;
            }
            amgr_sink_puts(&sink, value);
        }
    }
    if (sink.status != APR_SUCCESS) {
        amgr_apache_warn(reader, "a word of more than %d bytes is not read",
                         AMGR_APACHE_MAX_WORD - 1);
        return NULL;
    }
    return apr_pstrdup(reader->pool, amgr_sink_text(&sink));
}

const char *amgr_apache_path(const char *dir, const char *path,
                             apr_pool_t *pool)
{
    char *merged;

    if (apr_filepath_merge(&merged, dir, path, APR_FILEPATH_TRUENAME, pool) !=
        APR_SUCCESS) {
        return path[0] == '/' ? path : apr_pstrcat(pool, dir, "/", path, NULL);
    }
    return merged;
}

/* "</Name>" or "<Name args>", up to the last ">". */
static void read_bracket(amgr_apache_reader_t *reader, char *line)
{
    int is_end = line[1] == '/';
    char *name = line + (is_end ? 2 : 1);
    char *close = strrchr(name, '>');
    char *args = name;

    if (close != NULL) {
        *close = '\0';
    }
    while (*args != '\0' && !apr_isspace(*args)) {
        args++;
    }
    if (*args != '\0') {
        *args++ = '\0';
    }
    if (is_end) {
        amgr_apache_section_close(reader, name);
    }
    else {
        amgr_apache_section_open(reader, name, args);
    }
}

static void read_line(amgr_apache_reader_t *reader, char *line)
{
    char *args = line;

    if (line[0] == '<') {
        read_bracket(reader, line);
    }
    else if (line[0] != '#' && line[0] != '\0' &&
             amgr_apache_is_active(reader)) {
        while (*args != '\0' && !apr_isspace(*args)) {
            args++;
        }
        if (*args != '\0') {
            *args++ = '\0';
        }
        amgr_apache_directive(reader, line, args);
    }
}

void amgr_apache_read_text(amgr_apache_reader_t *reader, char *text,
                           apr_size_t length)
{
    int outside = reader->outside;
    char *end = text + length;
    char *line;
    int lines = 0;

    reader->line = 1;
    reader->outside = reader->sections->nelts;
    while ((line = amgr_apache_next_line(&text, end, &lines)) != NULL) {
        read_line(reader, line);
        if (reader->sections->nelts > AMGR_APACHE_MAX_SECTIONS) {
            amgr_apache_warn(reader,
                             "sections lie more than %d deep: the rest "
                             "of the file is not read",
                             AMGR_APACHE_MAX_SECTIONS);
            break;
        }
        reader->line += lines;
    }
    /* A section ends in the file it began in. */
    while (reader->sections->nelts > reader->outside) {
        amgr_apache_section_t *open = apr_array_pop(reader->sections);

        amgr_apache_warn(reader, "<%s> is not closed",
                         amgr_apache_shown(reader, open->name));
    }
    reader->outside = outside;
}
