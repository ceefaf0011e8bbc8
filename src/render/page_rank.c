/* SPDX-License-Identifier: Apache-2.0
 *
 * See page_rank.h.
 */
#include "render/page_rank.h"

#include <string.h>

/* Negative when @a left comes first; no two rows are equal. */
static int compare(const amgr_page_top_t *top, const amgr_page_ranked_t *left,
                   const amgr_page_ranked_t *right)
{
    int order;

    if (left->known != right->known) {
        return left->known ? -1 : 1;
    }
    order = (left->number > right->number) - (left->number < right->number);
    if (order == 0) {
        order = strcmp(left->text, right->text);
    }
    if (order != 0) {
        return top->descending ? -order : order;
    }
    if (left->process != right->process) {
        return left->process < right->process ? -1 : 1;
    }
    return left->slot < right->slot ? -1 : left->slot > right->slot;
}

static void swap(amgr_page_ranked_t *a, amgr_page_ranked_t *b)
{
    amgr_page_ranked_t kept = *a;

    *a = *b;
    *b = kept;
}

static void sift_up(amgr_page_top_t *top, int at)
{
    while (at > 0) {
        int above = (at - 1) / 2;

        if (compare(top, &top->rows[at], &top->rows[above]) <= 0) {
            return;
        }
        swap(&top->rows[at], &top->rows[above]);
        at = above;
    }
}

/* The heap is of the first @a count rows. */
static void sift_down(amgr_page_top_t *top, int count)
{
    int at = 0;

    for (;;) {
        int below = 2 * at + 1;

        if (below >= count) {
            return;
        }
        if (below + 1 < count &&
            compare(top, &top->rows[below], &top->rows[below + 1]) < 0) {
            below++;
        }
        if (compare(top, &top->rows[at], &top->rows[below]) >= 0) {
            return;
        }
        swap(&top->rows[at], &top->rows[below]);
        at = below;
    }
}

amgr_page_top_t *amgr_page_top_create(int max, int descending, apr_pool_t *p)
{
    amgr_page_top_t *top = apr_palloc(p, sizeof(*top));

    top->rows = apr_palloc(p, (apr_size_t)max * sizeof(top->rows[0]));
    top->count = 0;
    top->max = max;
    top->descending = descending;
    return top;
}

void amgr_page_top_add(amgr_page_top_t *top, const amgr_page_ranked_t *row)
{
    if (top->count < top->max) {
        top->rows[top->count] = *row;
        sift_up(top, top->count++);
    }
    else if (top->max > 0 && compare(top, row, &top->rows[0]) < 0) {
        top->rows[0] = *row;
        sift_down(top, top->count);
    }
}

void amgr_page_top_sort(amgr_page_top_t *top)
{
    int left;

    for (left = top->count - 1; left > 0; left--) {
        swap(&top->rows[0], &top->rows[left]);
        sift_down(top, left);
    }
}
