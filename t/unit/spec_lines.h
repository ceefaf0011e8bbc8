/* SPDX-License-Identifier: Apache-2.0
 *
 * Sections of managed processes from text, as httpd splits its lines.
 */
#ifndef AMGR_SPEC_LINES_H
#define AMGR_SPEC_LINES_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <apr_general.h>
#include <apr_strings.h>

#include "conf_words.h"
#include "supervise/spec/spec.h"

#define SEC APR_USEC_PER_SEC
#define WORDS_MAX 64

static apr_pool_t *pool;

static inline int create_pool(void **state)
{
    (void)state; /* cmocka's signature */
    apr_initialize();
    return apr_pool_create(&pool, NULL);
}

static inline int destroy_pool(void **state)
{
    (void)state; /* cmocka's signature */
    apr_pool_destroy(pool);
    apr_terminate();
    return 0;
}

static inline int split_line(const char *line, const char **argv)
{
    int argc = conf_split(apr_pstrdup(pool, line), argv, WORDS_MAX);

    assert_in_range(argc, 0, WORDS_MAX);
    return argc;
}

static inline int knows_mine(const char *name)
{
    return strcmp(name, "mine") == 0;
}

/* What amgr_spec_add() says to the line. */
static inline const char *add_line(amgr_spec_t *spec, const char *line)
{
    const char *argv[WORDS_MAX];
    int argc = split_line(line, argv);

    assert_true(argc > 0);
    return amgr_spec_add(spec, argv[0], argc - 1, argv + 1, knows_mine, pool);
}

static inline amgr_spec_t *begin(const char *name)
{
    amgr_spec_t *spec = NULL;

    assert_null(amgr_spec_create(name, &spec, pool));
    assert_non_null(spec);
    return spec;
}

/* A section of lines, each ended by a line end; comments and the section's own
 * first and last line are passed over. */
static inline amgr_spec_t *section(const char *name, const char *lines)
{
    amgr_spec_t *spec = begin(name);
    char *text = apr_pstrdup(pool, lines);
    const char *wrong;
    char *rest;
    char *line;

    for (line = apr_strtok(text, "\n", &rest); line != NULL;
         line = apr_strtok(NULL, "\n", &rest)) {
        if (strchr("#<", line[strspn(line, " ")]) == NULL) {
            wrong = add_line(spec, line);
            if (wrong != NULL) {
                fail_msg("%s", wrong);
            }
        }
    }
    wrong = amgr_spec_finish(spec, pool);
    if (wrong != NULL) {
        fail_msg("%s", wrong);
    }
    return spec;
}

static inline const char *word_at(const apr_array_header_t *list, int index)
{
    assert_true(index < list->nelts);
    return APR_ARRAY_IDX(list, index, const char *);
}

/* What a section is dumped as. */
static inline const char *dumped(const amgr_spec_t *spec)
{
    char *text = apr_palloc(pool, 32768);
    amgr_sink_t sink;

    amgr_sink_init_text(&sink, text, 32768);
    amgr_spec_dump(spec, &sink);
    assert_int_equal(sink.status, APR_SUCCESS);
    return amgr_sink_text(&sink);
}

#endif
