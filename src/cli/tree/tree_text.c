/* SPDX-License-Identifier: Apache-2.0
 *
 * See tree_text.h.
 */
#include "cli/tree/tree_text.h"

#include <string.h>

#include <apr_strings.h>

#include "cli/tree/tree_kind.h"
#include "cli/watch/short_text.h"
#include "proc/proc_info.h"

/** Of a command; what is longer is cut. */
#define COMMAND_LEN 4096

/** As deep as the drawing goes; what is deeper stands there too. */
#define DEPTH_MAX 32

#define USER_LEN 12
#define KIND_MIN 6
#define KIND_MAX 24

/** Whom a tree belongs to, and what is known of it. */
typedef struct tree_t {
    const amgr_proc_tree_t *tree;
    const amgr_snapshot_t *snapshot; /**< of its board, or NULL */
    int has_pss;
    int kind_width;
    apr_array_header_t *rows; /**< of row_t, parents before their children */
    amgr_canvas_t *canvas;
    apr_pool_t *pool;
} tree_t;

/** A process as it is shown. */
typedef struct row_t {
    const amgr_proc_node_t *node;
    const amgr_proc_node_t *top;
    uid_t uid;
    int is_known; /**< uid is, and rss_bytes may be */
    apr_uint64_t rss_bytes;
    apr_uint64_t pss_bytes;
    const char *kind;
} row_t;

/** The last user whose name was asked for: most are the same. */
typedef struct user_t {
    uid_t uid;
    int is_known;
    char name[64];
} user_t;

static row_t *add_row(tree_t *tree, const amgr_proc_node_t *top,
                      const amgr_proc_node_t *node)
{
    row_t *row = apr_array_push(tree->rows);
    const amgr_process_t *process = amgr_tree_process(tree->snapshot, node);
    amgr_proc_status_t status;

    memset(row, 0, sizeof(*row));
    row->node = node;
    row->top = top;
    row->rss_bytes = AMGR_UNKNOWN;
    row->pss_bytes = process != NULL ? process->pss_bytes : AMGR_UNKNOWN;
    if (amgr_proc_read_status(tree->tree->dir, node->id.pid, &status) ==
        APR_SUCCESS) {
        row->is_known = 1;
        row->uid = status.uid[1];
        row->rss_bytes = status.rss_bytes;
    }
    return row;
}

static void name_kind(tree_t *tree, row_t *row, uid_t top_uid)
{
    char kind[AMGR_TREE_KIND_LEN];
    int width;

    row->kind = apr_pstrdup(
        tree->pool, amgr_tree_kind(tree->tree, row->top, row->node,
                                   tree->snapshot, row->uid, top_uid, kind));
    tree->has_pss |= row->pss_bytes != AMGR_UNKNOWN;
    width = amgr_canvas_width(tree->canvas, row->kind);
    tree->kind_width = width > tree->kind_width ? width : tree->kind_width;
}

static void collect(tree_t *tree, const amgr_proc_node_t *top)
{
    const amgr_proc_node_t *node = NULL;
    row_t *row = add_row(tree, top, top);
    uid_t top_uid = row->uid;

    name_kind(tree, row, top_uid);
    while ((node = amgr_proc_tree_next(top, AMGR_PROC_DESCENDANTS, node)) !=
           NULL) {
        name_kind(tree, add_row(tree, top, node), top_uid);
    }
}

/* Whether one comes after it in the drawing, below the same parent. */
static int is_last(const amgr_proc_node_t *node)
{
    return node->next_sibling == NULL;
}

/* The lines from a process up to its parents. */
static void put_branches(const tree_t *tree, const row_t *row)
{
    const amgr_proc_node_t *node = row->node;
    const amgr_proc_node_t *path[DEPTH_MAX];
    amgr_canvas_t *canvas = tree->canvas;
    const char *const *marks;
    static const char *const ascii[] = {"|-", "`-", "| ", "  "};
    static const char *const boxes[] = {"\xe2\x94\x9c\xe2\x94\x80",
                                        "\xe2\x94\x94\xe2\x94\x80",
                                        "\xe2\x94\x82 ", "  "};
    int depth = 0;

    marks = canvas->utf8 ? boxes : ascii;
    if (node == row->top) {
        return;
    }
    for (; node != row->top && depth < DEPTH_MAX; node = node->parent) {
        path[depth++] = node;
    }
    while (depth > 0) {
        depth--;
        amgr_canvas_put(canvas,
                        marks[(depth > 0 ? 2 : 0) + is_last(path[depth])]);
    }
    amgr_canvas_put(canvas, " ");
}

/* Instead of the arguments that cannot be had. */
static void put_comm(amgr_canvas_t *canvas, const amgr_proc_node_t *node)
{
    amgr_canvas_put(canvas, "[");
    amgr_canvas_put(canvas, node->comm);
    amgr_canvas_put(canvas, node->state == 'Z'             ? "] (ended)"
                            : amgr_tree_can_be_asked(node) ? "]"
                                                           : "] (state D)");
}

/* Whose arguments a process shows: a worker's are its parent's, which it was
 * forked from. */
static const amgr_proc_node_t *whose_command(const tree_t *tree,
                                             const row_t *row)
{
    const amgr_process_t *process =
        amgr_tree_process(tree->snapshot, row->node);

    return process != NULL && process->role == AMGR_ROLE_WORKER &&
                   row->node->parent == row->top && row->node->state != 'Z'
               ? row->top
               : row->node;
}

/* Its arguments with blanks between them; "[comm]" when there are none. */
static void put_command(const tree_t *tree, const row_t *row)
{
    const amgr_proc_node_t *node = whose_command(tree, row);
    char text[COMMAND_LEN];
    apr_size_t len;
    apr_size_t i;

    if (!amgr_tree_can_be_asked(node) ||
        amgr_proc_read_raw(tree->tree->dir, node->id.pid, "cmdline", text,
                           sizeof(text), &len) != APR_SUCCESS) {
        put_comm(tree->canvas, row->node);
        return;
    }
    for (i = 0; i < len; i++) {
        text[i] = text[i] == '\0' ? ' ' : text[i];
    }
    while (len > 0 && text[len - 1] == ' ') {
        len--;
    }
    text[len] = '\0';
    amgr_canvas_put(tree->canvas, text);
}

static const char *user_name(const row_t *row, user_t *user)
{
    if (!row->is_known) {
        return "n/a";
    }
    if (!user->is_known || user->uid != row->uid) {
        user->uid = row->uid;
        user->is_known = 1;
        if (amgr_user_name(row->uid, user->name, sizeof(user->name)) !=
            APR_SUCCESS) {
            apr_snprintf(user->name, sizeof(user->name), "%lu",
                         (unsigned long)row->uid);
        }
    }
    return user->name;
}

static void put_cell(amgr_canvas_t *canvas, const char *text, int width,
                     int to_right)
{
    amgr_canvas_put_field(canvas, text, width, to_right);
    amgr_canvas_put(canvas, " ");
}

static void put_heading(const tree_t *tree)
{
    amgr_canvas_t *canvas = tree->canvas;

    canvas->style = AMGR_STYLE_STRONG;
    put_cell(canvas, "PID", 7, 1);
    put_cell(canvas, "USER", USER_LEN, 0);
    put_cell(canvas, "RSS", 5, 1);
    if (tree->has_pss) {
        put_cell(canvas, "PSS", 5, 1);
    }
    put_cell(canvas, "AGE", 6, 1);
    put_cell(canvas, "KIND", tree->kind_width, 0);
    amgr_canvas_put(canvas, "COMMAND");
    amgr_canvas_end_line(canvas);
}

static void put_row(const tree_t *tree, const row_t *row,
                    const amgr_instant_t *now, user_t *user)
{
    amgr_canvas_t *canvas = tree->canvas;
    apr_time_t started_us = amgr_proc_ticks_us(row->node->id.start_ticks);
    char text[AMGR_SHORT_LEN];

    apr_snprintf(text, sizeof(text), "%ld", (long)row->node->id.pid);
    put_cell(canvas, text, 7, 1);
    put_cell(canvas, user_name(row, user), USER_LEN, 0);
    put_cell(canvas, amgr_short_size(row->rss_bytes, text), 5, 1);
    if (tree->has_pss) {
        put_cell(canvas, amgr_short_size(row->pss_bytes, text), 5, 1);
    }
    put_cell(canvas,
             amgr_short_span(started_us < 0 || started_us > now->boot_us
                                 ? AMGR_NO_TIME
                                 : now->boot_us - started_us,
                             text),
             6, 1);
    put_cell(canvas, row->kind, tree->kind_width, 0);
    put_branches(tree, row);
    put_command(tree, row);
    amgr_canvas_end_line(canvas);
}

static void put_totals(const tree_t *tree)
{
    apr_uint64_t sum_bytes = 0;
    int unknown = 0;
    char text[AMGR_SHORT_LEN];
    int i;

    for (i = 0; i < tree->rows->nelts; i++) {
        const row_t *row = &APR_ARRAY_IDX(tree->rows, i, row_t);

        if (row->rss_bytes == AMGR_UNKNOWN) {
            unknown++;
        }
        else {
            sum_bytes += row->rss_bytes;
        }
    }
    amgr_canvas_printf(tree->canvas, "%d process%s, %s resident",
                       tree->rows->nelts, tree->rows->nelts == 1 ? "" : "es",
                       amgr_short_size(sum_bytes, text));
    if (unknown > 0) {
        amgr_canvas_printf(tree->canvas, " and %d of unknown size", unknown);
    }
    amgr_canvas_end_line(tree->canvas);
}

apr_array_header_t *amgr_tree_tops(const amgr_proc_tree_t *processes,
                                   const amgr_proc_node_t *top,
                                   apr_pool_t *pool)
{
    apr_array_header_t *tops =
        apr_array_make(pool, 8, sizeof(const amgr_proc_node_t *));
    amgr_proc_stat_t lost;
    int i;

    if (!amgr_tree_is_orphan(processes, top) ||
        amgr_proc_read_stat(processes->dir, top->id.pid, &lost) !=
            APR_SUCCESS) {
        APR_ARRAY_PUSH(tops, const amgr_proc_node_t *) = top;
        return tops;
    }
    for (i = 0; i < processes->count; i++) {
        const amgr_proc_node_t *node = &processes->nodes[i];
        amgr_proc_stat_t stat;

        if (node == top ||
            (node->ppid == top->ppid && strcmp(node->comm, top->comm) == 0 &&
             amgr_tree_is_orphan(processes, node) &&
             amgr_proc_read_stat(processes->dir, node->id.pid, &stat) ==
                 APR_SUCCESS &&
             stat.session == lost.session)) {
            APR_ARRAY_PUSH(tops, const amgr_proc_node_t *) = node;
        }
    }
    return tops;
}

void amgr_tree_draw(const amgr_proc_tree_t *processes,
                    const apr_array_header_t *tops,
                    const amgr_snapshot_t *snapshot, const amgr_instant_t *now,
                    amgr_canvas_t *canvas)
{
    tree_t tree;
    user_t user;
    int i;

    memset(&tree, 0, sizeof(tree));
    memset(&user, 0, sizeof(user));
    tree.tree = processes;
    tree.snapshot = snapshot;
    tree.canvas = canvas;
    tree.kind_width = KIND_MIN;
    tree.rows = apr_array_make(canvas->pool, 64, sizeof(row_t));
    tree.pool = canvas->pool;
    for (i = 0; i < tops->nelts; i++) {
        collect(&tree, APR_ARRAY_IDX(tops, i, const amgr_proc_node_t *));
    }
    if (tree.kind_width > KIND_MAX) {
        tree.kind_width = KIND_MAX;
    }
    put_heading(&tree);
    for (i = 0; i < tree.rows->nelts; i++) {
        put_row(&tree, &APR_ARRAY_IDX(tree.rows, i, row_t), now, &user);
    }
    put_totals(&tree);
}
