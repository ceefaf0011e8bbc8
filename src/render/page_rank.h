/* SPDX-License-Identifier: Apache-2.0
 *
 * The first so many rows of a table in an order, out of any number: what they
 * are ordered by is kept of no more than those.
 */
#ifndef AMGR_PAGE_RANK_H
#define AMGR_PAGE_RANK_H

#include "base/base.h"

#define AMGR_PAGE_RANK_LEN \
    32 /**< of a text, with the NUL; the rest of a longer
                                   one is not looked at */

/** A row: what it is ordered by, and where to find it. */
typedef struct amgr_page_ranked_t {
    apr_uint64_t number;
    char text[AMGR_PAGE_RANK_LEN]; /**< decides where numbers are equal */
    apr_int32_t process;
    apr_int32_t slot; /**< with the process, the order of equal rows */
    int known;        /**< 0: nothing to go by, after all others either way */
} amgr_page_ranked_t;

/** The first of the rows so far: a heap whose root is the last of them, until
 * they are sorted. */
typedef struct amgr_page_top_t {
    amgr_page_ranked_t *rows;
    int count;
    int max;
    int descending;
} amgr_page_top_t;

/** Empty, with room for @a max rows from @a p. */
amgr_page_top_t *amgr_page_top_create(int max, int descending, apr_pool_t *p);

/** Take a row in, which may put another out. */
void amgr_page_top_add(amgr_page_top_t *top, const amgr_page_ranked_t *row);

/** Bring the rows in their order; none may be added any more. */
void amgr_page_top_sort(amgr_page_top_t *top);

#endif
