/* SPDX-License-Identifier: Apache-2.0
 *
 * See watch_keys.h.
 */
#include "cli/watch/watch_keys.h"

#include <string.h>

#define CTRL_H 0x08
#define CTRL_L 0x0c
#define CTRL_U 0x15
#define ESCAPE 0x1b
#define DELETE 0x7f

/** What + and - go through. */
static const apr_interval_time_t intervals_us[] = {
    200000,   500000,   1000000,  2000000,   5000000,
    10000000, 30000000, 60000000, 300000000, 600000000,
};

void amgr_watch_clamp(amgr_watch_state_t *state, int lines, int page)
{
    if (state->scroll > lines - page) {
        state->scroll = lines - page;
    }
    if (state->scroll < 0) {
        state->scroll = 0;
    }
}

static int scroll_to(amgr_watch_state_t *state, int to, int lines, int page)
{
    state->scroll = to;
    amgr_watch_clamp(state, lines, page);
    return AMGR_KEY_DRAW;
}

static int show_table(amgr_watch_state_t *state, int table)
{
    state->table = table;
    state->scroll = 0;
    state->help = 0;
    return AMGR_KEY_DRAW | AMGR_KEY_SORT;
}

static int sort_by(amgr_watch_state_t *state, int sort)
{
    if (state->table >= AMGR_WATCH_KILLS) {
        return AMGR_KEY_NOTHING;
    }
    state->sort[state->table] = sort;
    state->reversed[state->table] = 0;
    state->scroll = 0;
    state->help = 0;
    return AMGR_KEY_DRAW | AMGR_KEY_SORT;
}

static int reverse(amgr_watch_state_t *state)
{
    if (state->table >= AMGR_WATCH_KILLS) {
        return AMGR_KEY_NOTHING;
    }
    state->reversed[state->table] = !state->reversed[state->table];
    state->scroll = 0;
    return AMGR_KEY_DRAW | AMGR_KEY_SORT;
}

static int change_interval(amgr_watch_state_t *state, int longer)
{
    int count = (int)AMGR_COUNT(intervals_us);
    int i;

    for (i = 0; longer && i < count; i++) {
        if (intervals_us[i] > state->interval_us) {
            state->interval_us = intervals_us[i];
            break;
        }
    }
    for (i = count - 1; !longer && i >= 0; i--) {
        if (intervals_us[i] < state->interval_us) {
            state->interval_us = intervals_us[i];
            break;
        }
    }
    return AMGR_KEY_DRAW;
}

static int move(amgr_watch_state_t *state, int key, int lines, int page)
{
    int step = page > 1 ? page - 1 : 1;

    switch (key) {
    case AMGR_KEY_UP:
        return scroll_to(state, state->scroll - 1, lines, page);
    case AMGR_KEY_DOWN:
        return scroll_to(state, state->scroll + 1, lines, page);
    case AMGR_KEY_PAGE_UP:
        return scroll_to(state, state->scroll - step, lines, page);
    case AMGR_KEY_PAGE_DOWN:
        return scroll_to(state, state->scroll + step, lines, page);
    case AMGR_KEY_HOME:
        return scroll_to(state, 0, lines, page);
    case AMGR_KEY_END:
        return scroll_to(state, lines, lines, page);
    default:
        return AMGR_KEY_NOTHING;
    }
}

static int filter_changed(amgr_watch_state_t *state)
{
    state->scroll = 0;
    return AMGR_KEY_DRAW | AMGR_KEY_SORT;
}

static int clear_filter(amgr_watch_state_t *state)
{
    state->typing = 0;
    state->filter[0] = '\0';
    return filter_changed(state);
}

static int begin_filter(amgr_watch_state_t *state)
{
    if (state->table >= AMGR_WATCH_KILLS) {
        return AMGR_KEY_NOTHING;
    }
    state->help = 0;
    state->typing = 1;
    return AMGR_KEY_DRAW;
}

/* A whole character of UTF-8. */
static int rub_out(amgr_watch_state_t *state)
{
    apr_size_t length = strlen(state->filter);

    while (length > 0 &&
           ((unsigned char)state->filter[--length] & 0xc0) == 0x80) {
        continue;
    }
    state->filter[length] = '\0';
    return filter_changed(state);
}

/* A key while the filter is typed: its text, byte by byte, or its end. */
static int type_filter(amgr_watch_state_t *state, int key)
{
    apr_size_t length = strlen(state->filter);

    switch (key) {
    case ESCAPE:
    case CTRL_U:
        return clear_filter(state);
    case '\r':
    case '\n':
    case AMGR_KEY_ENTER:
        state->typing = 0;
        return AMGR_KEY_DRAW;
    case CTRL_H:
    case DELETE:
    case AMGR_KEY_BACKSPACE:
        return rub_out(state);
    default:
        break;
    }
    if (key < ' ' || key > 0xff || length + 1 >= sizeof(state->filter)) {
        return AMGR_KEY_NOTHING;
    }
    state->filter[length] = (char)key;
    state->filter[length + 1] = '\0';
    return filter_changed(state);
}

static int hide_idle(amgr_watch_state_t *state)
{
    if (state->table != AMGR_WATCH_SLOTS) {
        return AMGR_KEY_NOTHING;
    }
    state->busy_only = !state->busy_only;
    return filter_changed(state);
}

static int press_letter(amgr_watch_state_t *state, int key)
{
    switch (key) {
    case 'm':
        return sort_by(state, AMGR_WATCH_BY_MEMORY);
    case 'p':
        return sort_by(state, AMGR_WATCH_BY_PID);
    case 'a':
        return sort_by(state, AMGR_WATCH_BY_AGE);
    case 'r':
        return sort_by(state, AMGR_WATCH_BY_REQUESTS);
    case 'b':
        return sort_by(state, AMGR_WATCH_BY_BUSY);
    case 'R':
    case 'i':
        return reverse(state);
    case 'I':
        return hide_idle(state);
    case '/':
        return begin_filter(state);
    case 'k':
        return show_table(state, state->table == AMGR_WATCH_KILLS
                                     ? AMGR_WATCH_PROCESSES
                                     : AMGR_WATCH_KILLS);
    case 's':
    case '\t':
    case AMGR_KEY_BACK_TAB:
        return show_table(state, state->table == AMGR_WATCH_PROCESSES
                                     ? AMGR_WATCH_SLOTS
                                     : AMGR_WATCH_PROCESSES);
    default:
        return AMGR_KEY_NOTHING;
    }
}

int amgr_watch_key(amgr_watch_state_t *state, int key, int lines, int page)
{
    if (key >= AMGR_KEY_UP && key <= AMGR_KEY_END) {
        return move(state, key, lines, page);
    }
    if (state->typing) {
        return type_filter(state, key);
    }
    switch (key) {
    case 'q':
    case 'Q':
        return AMGR_KEY_QUIT;
    case 'h':
    case 'H':
    case '?':
        state->help = !state->help;
        return AMGR_KEY_DRAW;
    case ' ':
        return AMGR_KEY_READ;
    case '+':
    case '=': /* the same key without Shift */
        return change_interval(state, 1);
    case '-':
        return change_interval(state, 0);
    case CTRL_L:
        return AMGR_KEY_DRAW | AMGR_KEY_REPAIR;
    case ESCAPE:
        return clear_filter(state);
    default:
        return press_letter(state, key);
    }
}
