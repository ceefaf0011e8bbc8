/* SPDX-License-Identifier: Apache-2.0
 *
 * See environment.h.  A value is unquoted in the place where it will stay:
 * behind the bytes that are in use, which it joins when it has come to its
 * end.
 */
#include "supervise/environment.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/trusted_open.h"

#define NO_ROOM "more than there is room for"

/** Where the reading is, and the variable that is being made. */
typedef struct reader_t {
    amgr_environment_t *environment;
    const char *text;
    apr_size_t len;
    apr_size_t at;
    int line;
    apr_size_t end;  /**< of what was made, in environment->bytes */
    apr_size_t kept; /**< the same without blanks that end the line */
    int is_over;     /**< there was no room */
} reader_t;

void amgr_environment_init(amgr_environment_t *environment)
{
    environment->count = 0;
    environment->used = 0;
    environment->vars[0] = NULL;
}

/** Where the variable is whose name @a var begins with; count: nowhere. */
static int find(const amgr_environment_t *environment, const char *var,
                apr_size_t name_len)
{
    int i;

    for (i = 0; i < environment->count; i++) {
        if (strncmp(environment->vars[i], var, name_len) == 0 &&
            environment->vars[i][name_len] == '=') {
            break;
        }
    }
    return i;
}

/** What stands at bytes[used], ended by a NUL before @a end, is a variable. */
static apr_status_t commit(amgr_environment_t *environment, apr_size_t end)
{
    char *var = environment->bytes + environment->used;
    int at = find(environment, var, strcspn(var, "="));

    if (at == AMGR_ENVIRONMENT_VARS_MAX) {
        return APR_ENOSPC;
    }
    environment->vars[at] = var;
    environment->used = end;
    if (at == environment->count) {
        environment->count++;
        environment->vars[environment->count] = NULL;
    }
    return APR_SUCCESS;
}

apr_status_t amgr_environment_set(amgr_environment_t *environment,
                                  const char *name, const char *value)
{
    char *at = environment->bytes + environment->used;
    apr_size_t room = sizeof(environment->bytes) - environment->used;
    apr_size_t name_len = strlen(name);
    apr_size_t value_len = strlen(value);

    if (name_len > room || value_len > room ||
        name_len + value_len + 2 > room) {
        return APR_ENOSPC;
    }
    memcpy(at, name, name_len);
    at[name_len] = '=';
    memcpy(at + name_len + 1, value, value_len + 1);
    return commit(environment, environment->used + name_len + value_len + 2);
}

const char *amgr_environment_get(const amgr_environment_t *environment,
                                 const char *name)
{
    apr_size_t len = strlen(name);
    int at = find(environment, name, len);

    return at == environment->count ? NULL : environment->vars[at] + len + 1;
}

/** The next character without taking it; -1 at the end. */
static int look(const reader_t *reader)
{
    return reader->at < reader->len ? (unsigned char)reader->text[reader->at]
                                    : -1;
}

static int take(reader_t *reader)
{
    int c = look(reader);

    if (c >= 0) {
        reader->at++;
        reader->line += c == '\n';
    }
    return c;
}

static void put(reader_t *reader, int c)
{
    if (reader->end >= sizeof(reader->environment->bytes)) {
        reader->is_over = 1;
        return;
    }
    reader->environment->bytes[reader->end++] = (char)c;
}

static int is_blank(int c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

static int is_letter(int c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static void skip_blanks(reader_t *reader)
{
    while (is_blank(look(reader))) {
        take(reader);
    }
}

/** To the next line that has something to say; 0 when there is none. */
static int find_line(reader_t *reader)
{
    int c;

    for (;;) {
        skip_blanks(reader);
        c = look(reader);
        if (c == '#' || c == ';') {
            while (look(reader) >= 0 && look(reader) != '\n') {
                take(reader);
            }
        }
        else if (c != '\n') {
            return c >= 0;
        }
        take(reader);
    }
}

/** A name, and the blanks behind it; 0 where there is none. */
static int read_word(reader_t *reader)
{
    if (!is_letter(look(reader))) {
        return 0;
    }
    while (is_letter(look(reader)) ||
           (look(reader) >= '0' && look(reader) <= '9')) {
        put(reader, take(reader));
    }
    skip_blanks(reader);
    return 1;
}

/** Whether the word that was read is what a shell's file has before a name. */
static int is_export(const reader_t *reader)
{
    static const char word[] = "export";
    const amgr_environment_t *environment = reader->environment;
    apr_size_t len = reader->end - environment->used;

    return len == sizeof(word) - 1 && is_letter(look(reader)) &&
           memcmp(environment->bytes + environment->used, word, len) == 0;
}

/** Up to and with the equals sign. */
static int read_name(reader_t *reader)
{
    if (!read_word(reader)) {
        return 0;
    }
    if (is_export(reader)) {
        reader->end = reader->environment->used;
        read_word(reader);
    }
    if (look(reader) != '=') {
        return 0;
    }
    put(reader, take(reader));
    skip_blanks(reader);
    return 1;
}

/** From behind a quote to the same quote; 0 when it never comes. */
static int read_quoted(reader_t *reader, int quote)
{
    int c;

    while ((c = take(reader)) != quote) {
        if (c < 0) {
            return 0;
        }
        if (c == '\\' && quote == '"') {
            c = take(reader);
            if (c == '\n') {
                continue;
            }
            if (c != '"' && c != '\\' && c != '$' && c != '`') {
                put(reader, '\\');
            }
            if (c < 0) {
                return 0;
            }
        }
        put(reader, c);
    }
    reader->kept = reader->end;
    return 1;
}

/** One character outside of quotes. */
static void read_plain(reader_t *reader, int c)
{
    int escaped = 0;

    if (c == '\\' && look(reader) >= 0) {
        c = take(reader);
        if (c == '\n') {
            return;
        }
        escaped = 1;
    }
    put(reader, c);
    if (escaped || !is_blank(c)) {
        reader->kept = reader->end;
    }
}

/** Up to and with the end of its last line; 0 when a quote stays open. */
static int read_value(reader_t *reader)
{
    int is_begin = 1; /* a quote within a word is a character like others */
    int c;

    reader->kept = reader->end;
    while ((c = take(reader)) >= 0 && c != '\n') {
        if (is_begin && (c == '"' || c == '\'')) {
            if (!read_quoted(reader, c)) {
                return 0;
            }
        }
        else if (!is_begin || !is_blank(c)) {
            read_plain(reader, c);
            is_begin = 0;
        }
    }
    return 1;
}

/** NULL, or what is wrong with the variable whose line was found. */
static const char *read_variable(reader_t *reader)
{
    reader->end = reader->environment->used;
    if (!read_name(reader)) {
        return reader->is_over ? NO_ROOM : "expected NAME=value";
    }
    if (!read_value(reader)) {
        return "a quote is not closed";
    }
    reader->end = reader->kept;
    put(reader, '\0');
    return reader->is_over ||
                   commit(reader->environment, reader->end) != APR_SUCCESS
               ? NO_ROOM
               : NULL;
}

const char *amgr_environment_parse(amgr_environment_t *environment,
                                   const char *text, apr_size_t len,
                                   int *out_line)
{
    const char *fault = NULL;
    reader_t reader;
    const char *nul;
    int begin = 1;

    memset(&reader, 0, sizeof(reader));
    reader.environment = environment;
    reader.text = text;
    reader.len = len;
    reader.line = 1;
    nul = len > 0 ? memchr(text, '\0', len) : NULL;
    if (nul != NULL) {
        reader.len = (apr_size_t)(nul - text);
    }
    while (fault == NULL && find_line(&reader)) {
        begin = reader.line;
        fault = read_variable(&reader);
    }
    if (fault == NULL && nul != NULL) {
        begin = reader.line;
        fault = "a byte of value 0";
    }
    if (fault != NULL) {
        *out_line = begin;
    }
    return fault;
}

/** All of an ordinary file: an errno, or 0. */
static int read_whole(int fd, char *text, apr_size_t size, apr_size_t *out_len)
{
    struct stat info;
    apr_size_t used = 0;
    ssize_t len;

    if (fstat(fd, &info) != 0) {
        return errno;
    }
    if (!S_ISREG(info.st_mode)) {
        return S_ISDIR(info.st_mode) ? EISDIR : EINVAL;
    }
    while (used < size) {
        len = read(fd, text + used, size - used);
        if (len < 0 && errno == EINTR) {
            continue;
        }
        if (len < 0) {
            return errno;
        }
        if (len == 0) {
            *out_len = used;
            return 0;
        }
        used += (apr_size_t)len;
    }
    return EFBIG;
}

/** A descriptor, or the negative of an errno.  *out_as_user: it was tried with
 * the rights of @a user. */
static int open_file(const char *path, const amgr_identity_t *user,
                     int *out_as_user)
{
    const int flags = O_RDONLY | O_NONBLOCK | O_NOCTTY;
    int fd = amgr_trusted_open(path, flags, 0, AMGR_SHARED_REFUSE, out_as_user);

    return *out_as_user ? amgr_identity_open(user, path, flags) : fd;
}

apr_status_t amgr_environment_read(amgr_environment_t *environment,
                                   const char *path,
                                   const amgr_identity_t *user, char *why,
                                   apr_size_t size)
{
    int may_miss = path[0] == '-';
    const char *fault;
    apr_size_t len = 0;
    int line = 0;
    int as_user;
    char *text;
    int error;
    int fd;

    path += may_miss;
    fd = open_file(path, user, &as_user);
    if (may_miss && (fd == -ENOENT || fd == -ENOTDIR)) {
        return APR_SUCCESS;
    }
    snprintf(why, size, "%s%s", path,
             as_user && fd == -EACCES
                 ? ", read as its user since others can change its directory"
                 : "");
    if (fd < 0) {
        return APR_FROM_OS_ERROR(-fd);
    }
    text = malloc(AMGR_ENVIRONMENT_FILE_MAX + 1);
    error = text == NULL
                ? ENOMEM
                : read_whole(fd, text, AMGR_ENVIRONMENT_FILE_MAX + 1, &len);
    close(fd);
    if (error == 0) {
        fault = amgr_environment_parse(environment, text, len, &line);
        if (fault != NULL) {
            snprintf(why, size, "line %d of %s: %s", line, path, fault);
            error = APR_EGENERAL;
        }
    }
    free(text);
    return error;
}
