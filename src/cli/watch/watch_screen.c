/* SPDX-License-Identifier: Apache-2.0
 *
 * See watch_screen.h.  Signals are the caller's: those that end, stop, resize
 * or continue the program are blocked while the screen is open, so that
 * curses's own handlers never run in the middle of anything.
 */
#include "cli/watch/watch_screen.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <curses.h>

#include "base/escape.h"
#include "cli/watch/watch_keys.h"

/** Milliseconds for the rest of a key that begins with Escape. */
#define ESCAPE_MS 25

typedef struct amgr_screen_style_t {
    attr_t attributes; /**< always */
    attr_t colorless;  /**< without colours */
    short color;       /**< -1: the terminal's own */
} amgr_screen_style_t;

static const amgr_screen_style_t styles[AMGR_STYLE_COUNT] = {
    [AMGR_STYLE_PLAIN] = {A_NORMAL, A_NORMAL, -1},
    [AMGR_STYLE_STRONG] = {A_BOLD, A_BOLD, -1},
    [AMGR_STYLE_FAINT] = {A_DIM, A_DIM, -1},
    [AMGR_STYLE_HEADING] = {A_REVERSE, A_REVERSE, -1},
    [AMGR_STYLE_KEY] = {A_REVERSE, A_REVERSE, -1},
    [AMGR_STYLE_GOOD] = {A_NORMAL, A_NORMAL, COLOR_GREEN},
    [AMGR_STYLE_WARN] = {A_NORMAL, A_BOLD, COLOR_YELLOW},
    [AMGR_STYLE_BAD] = {A_BOLD, A_BOLD, COLOR_RED},
    [AMGR_STYLE_NEW] = {A_BOLD, A_BOLD, COLOR_CYAN},
};

static void begin_colors(void)
{
    int i;

    if (start_color() == ERR) {
        return;
    }
    use_default_colors();
    for (i = 0; i < AMGR_STYLE_COUNT; i++) {
        init_pair((short)(i + 1), styles[i].color, -1);
    }
}

static void set_style(int style, int is_colored)
{
    const amgr_screen_style_t *as = &styles[style];

    if (is_colored) {
        attr_set(as->attributes, (short)(style + 1), NULL);
    }
    else {
        attr_set(as->colorless, 0, NULL);
    }
}

static const amgr_fault_t *bad_terminal(const char *what, apr_pool_t *pool)
{
    const char *term = getenv("TERM");
    char name[128];
    amgr_sink_t sink;

    if (term == NULL || term[0] == '\0') {
        return amgr_fault_make(pool, AMGR_EXIT_FAILED,
                               "the kind of terminal is not known: TERM is "
                               "not set; --once needs none");
    }
    amgr_sink_init_text(&sink, name, sizeof(name));
    amgr_escape_line(&sink, term);
    return amgr_fault_make(pool, AMGR_EXIT_FAILED,
                           "a terminal of the kind '%s' (TERM) %s; --once "
                           "needs none",
                           amgr_sink_text(&sink), what);
}

static int is_able(const char *capability)
{
    const char *text = tigetstr(capability);

    return text != NULL && text != (const char *)-1;
}

const amgr_fault_t *amgr_screen_open(int color, apr_pool_t *pool)
{
    SCREEN *screen = newterm(NULL, stdout, stdin);

    if (screen == NULL) {
        return bad_terminal("is not known", pool);
    }
    if (!is_able("cup") || !is_able("clear")) {
        endwin();
        delscreen(screen);
        return bad_terminal("cannot move its cursor", pool);
    }
    if (color && has_colors()) {
        begin_colors();
    }
    cbreak();
    noecho();
    nonl();
    curs_set(0);
    keypad(stdscr, TRUE);
    nodelay(stdscr, TRUE);
    set_escdelay(ESCAPE_MS);
    return NULL;
}

/** Also from the background, where a terminal stops whoever changes it: a
 * program that has ended there cannot be waiting for its turn. */
void amgr_screen_close(void)
{
    sigset_t output;
    sigset_t mask;

    if (isendwin()) {
        return;
    }
    sigemptyset(&output);
    sigaddset(&output, SIGTTOU);
    pthread_sigmask(SIG_BLOCK, &output, &mask);
    endwin();
    pthread_sigmask(SIG_SETMASK, &mask, NULL);
}

void amgr_screen_size(int *out_columns, int *out_rows)
{
    struct winsize size;

    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 &&
        size.ws_row > 0 && is_term_resized(size.ws_row, size.ws_col)) {
        resizeterm(size.ws_row, size.ws_col);
    }
    getmaxyx(stdscr, *out_rows, *out_columns);
}

/* Bytes of the same style together. */
static void draw_line(const amgr_canvas_line_t *line, int is_colored)
{
    apr_size_t from = 0;

    while (from < line->length) {
        apr_size_t to = from;

        while (to < line->length && line->styles[to] == line->styles[from]) {
            to++;
        }
        set_style(line->styles[from], is_colored);
        /* Fails at the last place of the screen, having written there. */
        (void)addnstr(line->text + from, (int)(to - from));
        from = to;
    }
    set_style(AMGR_STYLE_PLAIN, is_colored);
}

void amgr_screen_draw(const amgr_canvas_t *canvas, int repair)
{
    /* Pairs are there only when colours were begun. */
    int is_colored = COLOR_PAIRS > 0 && COLORS > 0;
    int i;

    if (repair) {
        clearok(curscr, TRUE);
    }
    erase();
    for (i = 0; i < canvas->lines->nelts; i++) {
        move(i, 0);
        draw_line(&APR_ARRAY_IDX(canvas->lines, i, amgr_canvas_line_t),
                  is_colored);
    }
    refresh();
}

int amgr_screen_key(void)
{
    static const struct {
        int of_curses;
        int key;
    } keys[] = {
        {KEY_UP, AMGR_KEY_UP},         {KEY_DOWN, AMGR_KEY_DOWN},
        {KEY_PPAGE, AMGR_KEY_PAGE_UP}, {KEY_NPAGE, AMGR_KEY_PAGE_DOWN},
        {KEY_HOME, AMGR_KEY_HOME},     {KEY_END, AMGR_KEY_END},
        {KEY_BTAB, AMGR_KEY_BACK_TAB}, {KEY_BACKSPACE, AMGR_KEY_BACKSPACE},
        {KEY_ENTER, AMGR_KEY_ENTER},
    };
    int key = getch();
    apr_size_t i;

    if (key == ERR) {
        return AMGR_SCREEN_NO_KEY;
    }
    for (i = 0; i < AMGR_COUNT(keys); i++) {
        if (keys[i].of_curses == key) {
            return keys[i].key;
        }
    }
    /* Other keys of curses are none of ours, and no character either. */
    return key < KEY_MIN ? key : 0;
}

/** Whether the terminal is this job's, and not that of the shell or of another:
 * of one that is gone it does not matter. */
static int is_in_front(void)
{
    pid_t front = tcgetpgrp(STDIN_FILENO);

    return front < 0 || front == getpgrp();
}

/** Stop here; returns whether to stop again: continued, but neither brought to
 * the front nor asked to end, which the blocked signals tell. */
static int stop(void)
{
    static const int ends[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};
    sigset_t pending;
    sigset_t own;
    sigset_t mask;
    apr_size_t i;

    sigemptyset(&own);
    sigaddset(&own, SIGTSTP);
    (void)raise(SIGTSTP);                      /* a signal that there is */
    pthread_sigmask(SIG_UNBLOCK, &own, &mask); /* stops here */
    pthread_sigmask(SIG_SETMASK, &mask, NULL);
    /* Nothing stops a process whose shell has gone. */
    if (sigpending(&pending) != 0 || !sigismember(&pending, SIGCONT)) {
        return 0;
    }
    for (i = 0; i < AMGR_COUNT(ends); i++) {
        if (sigismember(&pending, ends[i])) {
            return 0;
        }
    }
    return !is_in_front();
}

void amgr_screen_suspend(void)
{
    struct sigaction plain;
    struct sigaction before;

    if (sigaction(SIGTSTP, NULL, &before) != 0 ||
        before.sa_handler == SIG_IGN) {
        return; /* nobody there who would continue it */
    }
    amgr_screen_close();
    memset(&plain, 0, sizeof(plain));
    plain.sa_handler = SIG_DFL;
    sigemptyset(&plain.sa_mask);
    sigaction(SIGTSTP, &plain, NULL);
    while (stop()) {
    }
    sigaction(SIGTSTP, &before, NULL);
}

void amgr_screen_resume(void)
{
    if (!is_in_front()) {
        amgr_screen_suspend();
        return;
    }
    reset_prog_mode();
    clearok(curscr, TRUE);
    refresh();
}
