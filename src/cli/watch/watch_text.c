/* SPDX-License-Identifier: Apache-2.0
 *
 * See watch_text.h: what stands where, for each size.
 */
#include "cli/watch/watch_text.h"

#include <string.h>

#include <apr_strings.h>

#include "cli/watch/watch_parts.h"

/** With fewer rows the head is short, kills have a table only, and managed
 * processes a line. */
#define ROWS_FOR_HEAD 16
#define ROWS_FOR_KILLS 20
#define ROWS_FOR_MANAGED 20

/** Kills below another table: their part of the rows, and how many when
 * there is no end to them. */
#define KILLS_PART 8
#define KILLS_MAX 10

/** A key and what it does. */
typedef struct amgr_watch_hint_t {
    const char *keys;
    const char *text;
} amgr_watch_hint_t;

static const amgr_watch_hint_t hints[] = {
    {"q Ctrl-C", "quit"},
    {"h ?", "this help, and back"},
    {"m p a r b", "sort by memory, pid, age, requests, busy time"},
    {"R i", "reverse the order"},
    {"/", "only rows with a text; Enter keeps it, Esc clears it"},
    {"I", "busy slots only, or all"},
    {"Tab s", "processes or slots"},
    {"k", "all kills that are known"},
    {"arrows", "scroll; also PgUp, PgDn, Home and End"},
    {"+ -", "read less or more often"},
    {"Space", "read now"},
    {"Ctrl-L", "draw the screen anew"},
    {"", ""},
    {"BUSY", "slots at work, of all the process has"},
    {"%LIM", "memory, in percent of the limit it comes to first"},
    {"GROW/H", "by how much it grows in an hour"},
    {"TIME", "age of the oldest request that runs; ~ when last looked at"},
    {"SS", "seconds since the slot was last used"},
};

static void put_hint(const amgr_watch_hint_t *hint, amgr_canvas_t *canvas)
{
    amgr_canvas_put_styled(canvas, AMGR_STYLE_STRONG, hint->keys);
    amgr_canvas_fill(canvas, 11);
    amgr_canvas_put(canvas, hint->text);
    amgr_canvas_end_line(canvas);
}

void amgr_watch_put_help(int max, amgr_canvas_t *canvas)
{
    int i;

    for (i = 0; i < (int)AMGR_COUNT(hints) && i < max; i++) {
        put_hint(&hints[i], canvas);
    }
}

/* "3 more below" of a table that is longer than the screen, or nothing. */
static const char *below_text(const amgr_watch_picture_t *picture, int page,
                              apr_pool_t *pool)
{
    const amgr_view_t *view =
        picture->source != NULL ? &picture->source->view : NULL;
    int below = amgr_watch_line_count(view, picture->rows, picture->state) -
                picture->state->scroll - page;

    return below > 0 && !picture->state->help
               ? apr_psprintf(pool, "%d more below", below)
               : "";
}

/* What rows must have, as it is typed or was. */
static void put_filter(const amgr_watch_state_t *state, amgr_canvas_t *canvas)
{
    canvas->style = AMGR_STYLE_STRONG;
    if (state->busy_only && state->table == AMGR_WATCH_SLOTS) {
        amgr_canvas_put(canvas, "busy only  ");
    }
    if (state->typing || state->filter[0] != '\0') {
        amgr_canvas_put(canvas, "/");
        amgr_canvas_put(canvas, state->filter);
        amgr_canvas_put(canvas, state->typing ? "_  " : "  ");
    }
    canvas->style = AMGR_STYLE_PLAIN;
}

void amgr_watch_put_keys(const amgr_watch_picture_t *picture, int page,
                         amgr_canvas_t *canvas)
{
    static const amgr_watch_hint_t typing[] = {
        {"Enter", "keep"},
        {"Esc", "clear"},
    };
    const amgr_watch_hint_t others[] = {
        {"q", "quit"},
        {"h", "help"},
        {"Tab",
         picture->state->table == AMGR_WATCH_PROCESSES ? "slots" : "processes"},
        {"mparb", "sort"},
        {"R", "reverse"},
        {"/", "filter"},
        {"k", "kills"},
        {"Space", "read now"},
        {"+-", "interval"},
    };
    const amgr_watch_hint_t *keys = picture->state->typing ? typing : others;
    apr_size_t count =
        picture->state->typing ? AMGR_COUNT(typing) : AMGR_COUNT(others);
    const char *below = below_text(picture, page, canvas->pool);
    int edge = canvas->columns - amgr_canvas_width(canvas, below);
    apr_size_t i;

    put_filter(picture->state, canvas);
    for (i = 0; i < count; i++) {
        int width = (int)(strlen(keys[i].keys) + strlen(keys[i].text)) + 1;

        width += below[0] != '\0' ? 2 : 0;
        if (edge - canvas->open.width < width) {
            break;
        }
        amgr_canvas_put_styled(canvas, AMGR_STYLE_KEY, keys[i].keys);
        amgr_canvas_put(canvas, " ");
        amgr_canvas_put(canvas, keys[i].text);
        amgr_canvas_put(canvas, "  ");
    }
    if (below[0] != '\0' && canvas->open.width <= edge) {
        amgr_canvas_fill(canvas, edge);
        amgr_canvas_put_styled(canvas, AMGR_STYLE_STRONG, below);
    }
    amgr_canvas_end_line(canvas);
}

/* The canvas's last row, whatever is above. */
static void put_last_line(const amgr_watch_picture_t *picture, int page,
                          amgr_canvas_t *canvas)
{
    while (amgr_canvas_rows_left(canvas) > 1) {
        amgr_canvas_end_line(canvas);
    }
    amgr_watch_put_keys(picture, page, canvas);
}

/* Kills below the table: a heading with so many rows. */
static int kill_rows(const amgr_watch_picture_t *picture,
                     const amgr_canvas_t *canvas)
{
    int max = canvas->rows / KILLS_PART;
    int count = picture->source->view.record_count;

    if (picture->state->table == AMGR_WATCH_KILLS) {
        return 0;
    }
    if (picture->once) {
        return count < KILLS_MAX ? count : KILLS_MAX;
    }
    if (canvas->rows < ROWS_FOR_KILLS) {
        return 0;
    }
    return count < max ? count : max;
}

static int put_body(const amgr_watch_picture_t *picture, amgr_canvas_t *canvas)
{
    const amgr_watch_state_t *state = picture->state;
    int kills = kill_rows(picture, canvas);
    int left;
    int page;

    if (state->table != AMGR_WATCH_KILLS &&
        (picture->once || canvas->rows >= ROWS_FOR_MANAGED)) {
        amgr_watch_put_managed(picture, canvas);
    }
    left = amgr_canvas_rows_left(canvas);
    /* A heading each, and the last line. */
    page = picture->once ? left : left - 2 - (kills > 0 ? kills + 1 : 0);
    if (page < 1) {
        page = 1;
    }
    if (state->table == AMGR_WATCH_KILLS) {
        amgr_watch_put_kills(picture, state->scroll, page, canvas);
        return page;
    }
    amgr_watch_put_table(picture, page, canvas);
    if (kills > 0) {
        while (!picture->once && amgr_canvas_rows_left(canvas) > kills + 2) {
            amgr_canvas_end_line(canvas);
        }
        amgr_watch_put_kills(picture, 0, kills, canvas);
    }
    return page;
}

int amgr_watch_draw(const amgr_watch_picture_t *picture, amgr_canvas_t *canvas)
{
    int page = 1;

    if (!picture->once && (canvas->columns < AMGR_WATCH_MIN_COLUMNS ||
                           canvas->rows < AMGR_WATCH_MIN_ROWS)) {
        amgr_canvas_printf(canvas, "too small: %dx%d at least, q quits",
                           AMGR_WATCH_MIN_COLUMNS, AMGR_WATCH_MIN_ROWS);
        amgr_canvas_end_line(canvas);
        return page;
    }
    amgr_watch_put_head(picture, !picture->once && canvas->rows < ROWS_FOR_HEAD,
                        canvas);
    if (picture->state->help) {
        amgr_watch_put_help(amgr_canvas_rows_left(canvas) - 1, canvas);
    }
    else if (picture->source != NULL) {
        page = put_body(picture, canvas);
    }
    if (!picture->once) {
        put_last_line(picture, page, canvas);
    }
    return page;
}
