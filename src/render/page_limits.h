/* SPDX-License-Identifier: Apache-2.0
 *
 * The rows of the page's tables of limits and rules, for page_limits.c and
 * page_rules.c alone.
 */
#ifndef AMGR_PAGE_LIMITS_H
#define AMGR_PAGE_LIMITS_H

#include "render/page.h"

/** What a directive does now. */
typedef enum amgr_page_effect_e {
    AMGR_EFFECT_OFF = 0,
    AMGR_EFFECT_ON, /**< a rule, which a dry run follows as well */
    AMGR_EFFECT_IN_FORCE,
    AMGR_EFFECT_DRY_RUN, /**< a limit that retires nobody */
    AMGR_EFFECT_INERT,
    AMGR_EFFECT_COUNT
} amgr_page_effect_e;

/** A table while it is written: every row is offered in each pass over them,
 * and taken in one. */
typedef struct amgr_page_rows_t {
    const amgr_view_t *view;
    amgr_sink_t *sink;    /**< NULL: rows are only counted */
    unsigned int effects; /**< those that are taken, a bit for each */
    int count;            /**< of rows that were */
} amgr_page_rows_t;

typedef void amgr_page_rows_fn(amgr_page_rows_t *rows);

/** Offer a row; @a value is escaped, and nothing of it is kept. */
void amgr_page_row(amgr_page_rows_t *rows, const char *directive,
                   const char *value, amgr_page_effect_e effect,
                   const char *meaning);

/** The same for a rule with a span of time, which may be AMGR_LIMIT_OFF. */
void amgr_page_span_row(amgr_page_rows_t *rows, const char *directive,
                        apr_interval_time_t span_us, const char *meaning);

/** All rows of one table each. */
amgr_page_rows_fn amgr_page_rows_leaving;
amgr_page_rows_fn amgr_page_rows_safety;
amgr_page_rows_fn amgr_page_rows_telling;

#endif
