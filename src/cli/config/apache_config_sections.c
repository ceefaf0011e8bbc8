/* SPDX-License-Identifier: Apache-2.0
 *
 * Sections of Apache's configuration: the conditions, which decide whether the
 * lines within count, and the places that a handler is set for.  What depends
 * on the program that reads it, its version and what it was built with, is
 * taken as for a complete httpd 2.4.
 */
#include "cli/config/apache_config_parts.h"

#include <apr_lib.h>
#include <apr_strings.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

/* The version that conditions are about: any patch of 2.4. */
#define ASSUMED_MAJOR 2
#define ASSUMED_MINOR 4
#define ASSUMED_PATCH 99

/** Whether the condition holds; @a args are its words. */
typedef int condition_fn(amgr_apache_reader_t *reader, const char *args);

int amgr_apache_is_active(const amgr_apache_reader_t *reader)
{
    const apr_array_header_t *sections = reader->sections;

    return sections->nelts == 0 ||
           APR_ARRAY_IDX(sections, sections->nelts - 1, amgr_apache_section_t)
               .active;
}

/* The one word of most conditions; "!" in front of it is *out_not. */
static const char *subject(amgr_apache_reader_t *reader, const char *args,
                           int *out_not)
{
    while (apr_isspace(*args)) {
        args++;
    }
    *out_not = *args == '!';
    args += *out_not;
    return amgr_apache_next_value(reader, &args);
}

static int is_defined(amgr_apache_reader_t *reader, const char *args)
{
    int not ;
    const char *name = subject(reader, args, &not );

    return name != NULL && (apr_hash_get(reader->defines, name,
                                         APR_HASH_KEY_STRING) != NULL) != not ;
}

static int is_module(amgr_apache_reader_t *reader, const char *args)
{
    int not ;
    const char *name = subject(reader, args, &not );

    return name != NULL && (apr_hash_get(reader->modules, name,
                                         APR_HASH_KEY_STRING) != NULL) != not ;
}

static int is_file(amgr_apache_reader_t *reader, const char *args)
{
    int not ;
    const char *name = subject(reader, args, &not );
    struct stat info;

    return name != NULL &&
           (stat(amgr_apache_path(reader->server_root, name, reader->pool),
                 &info) == 0) != not ;
}

/* Which directives and sections there are depends on modules we do not read:
 * each is taken as known. */
static int is_known(amgr_apache_reader_t *reader, const char *args)
{
    int not ;

    return subject(reader, args, &not ) != NULL && !not ;
}

/* A version of at most three numbers against the assumed one, as -1, 0, 1;
 * 2: it is none. */
static int compare_version(const char *text)
{
    static const long assumed[] = {ASSUMED_MAJOR, ASSUMED_MINOR, ASSUMED_PATCH};
    int result = 0;
    apr_size_t i;

    for (i = 0; i < AMGR_COUNT(assumed); i++) {
        char *end = NULL;
        long part = 0;

        if (*text != '\0') {
            if (!apr_isdigit(*text)) {
                return 2;
            }
            errno = 0;
            part = strtol(text, &end, 10);
            if (errno != 0 || (*end != '\0' && *end != '.')) {
                return 2;
            }
            text = *end == '.' ? end + 1 : end;
        }
        if (result == 0 && part != assumed[i]) {
            result = assumed[i] > part ? 1 : -1;
        }
    }
    return *text == '\0' ? result : 2;
}

static int is_version(amgr_apache_reader_t *reader, const char *args)
{
    const char *op = amgr_apache_next_value(reader, &args);
    const char *version = amgr_apache_next_value(reader, &args);
    int not = 0;
    int compared;
    int holds;

    if (op == NULL || version == NULL) {
        return 0;
    }
    if (*version == '\0') {
        version = op;
        op = "=";
    }
    if (*op == '!') {
        not = 1;
        op++;
    }
    compared = compare_version(version);
    if (compared == 2 || *op == '~') {
        amgr_apache_warn(reader,
                         "<IfVersion> is taken as fulfilled: '%s' is "
                         "no plain version",
                         amgr_apache_shown(reader, version));
        return 1;
    }
    holds = (*op == '<' && compared < 0) || (*op == '>' && compared > 0) ||
            ((*op == '=' || op[0] == '\0' || op[1] == '=') && compared == 0);
    return holds != not ;
}

/* Its lines count where it is used, with the arguments given there. */
static int is_never(amgr_apache_reader_t *reader, const char *args)
{
    (void)reader;
    (void)args;
    return 0;
}

static const struct {
    const char *name;
    condition_fn *holds;
} conditions[] = {
    {"IfDefine", is_defined},  {"IfModule", is_module},
    {"IfVersion", is_version}, {"IfFile", is_file},
    {"IfDirective", is_known}, {"IfSection", is_known},
    {"Macro", is_never},
};

/* The path of a <Location>; NULL for patterns and whole URLs, which are no
 * address to ask for. */
static const char *location(amgr_apache_reader_t *reader, const char *args)
{
    const char *path = amgr_apache_next_value(reader, &args);
    const char *c;

    if (path == NULL || path[0] != '/' || *args != '\0') {
        return NULL;
    }
    for (c = path; *c != '\0'; c++) {
        if (!apr_isgraph(*c) || strchr("*?[]#\"<>\\^`{|}%", *c) != NULL) {
            return NULL;
        }
    }
    return path;
}

void amgr_apache_section_open(amgr_apache_reader_t *reader, const char *name,
                              const char *args)
{
    amgr_apache_section_t open;
    apr_size_t i;

    open.name = apr_pstrdup(reader->pool, name);
    open.active = amgr_apache_is_active(reader);
    open.location = NULL;
    open.hosts = NULL;
    for (i = 0; open.active && i < AMGR_COUNT(conditions); i++) {
        if (strcasecmp(name, conditions[i].name) == 0) {
            open.active = conditions[i].holds(reader, args);
        }
    }
    if (open.active && strcasecmp(name, "Location") == 0) {
        open.location = location(reader, args);
    }
    else if (open.active && strcasecmp(name, "VirtualHost") == 0) {
        open.hosts = apr_pstrdup(reader->pool, args);
    }
    APR_ARRAY_PUSH(reader->sections, amgr_apache_section_t) = open;
}

void amgr_apache_section_close(amgr_apache_reader_t *reader, const char *name)
{
    const apr_array_header_t *sections = reader->sections;

    /* httpd does not start with sections that cross one another. */
    if (sections->nelts <= reader->outside ||
        strcasecmp(
            APR_ARRAY_IDX(sections, sections->nelts - 1, amgr_apache_section_t)
                .name,
            name) != 0) {
        amgr_apache_warn(reader, "</%s> closes nothing",
                         amgr_apache_shown(reader, name));
        return;
    }
    apr_array_pop(reader->sections);
}
