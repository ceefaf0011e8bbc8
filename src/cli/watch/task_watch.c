/* SPDX-License-Identifier: Apache-2.0
 *
 * The watch: reads the server again and again, keeps the last good reading
 * while it cannot be read, and shows it until somebody has seen enough.
 */
#include "cli/tasks.h"

#include <errno.h>
#include <langinfo.h>
#include <locale.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "cli/message.h"
#include "cli/output.h"
#include "cli/watch/canvas_print.h"
#include "cli/watch/watch_history.h"
#include "cli/watch/watch_keys.h"
#include "cli/watch/watch_live.h"
#include "cli/watch/watch_reader.h"
#include "cli/watch/watch_screen.h"
#include "cli/watch/watch_text.h"

/** Ages on the screen grow by this. */
#define REDRAW_US APR_USEC_PER_SEC

/** The processes are looked at no more often than this, however fast keys
 * have the screen drawn. */
#define LIVE_US (APR_USEC_PER_SEC / 2)

#define COLUMNS_DEFAULT 80
#define COLUMNS_MAX 10000

static const int signals[] = {SIGINT,   SIGTERM, SIGHUP, SIGQUIT,
                              SIGWINCH, SIGTSTP, SIGCONT};

/** What the loop goes on. */
typedef struct watch_t {
    amgr_watch_reader_t *reader;
    amgr_reading_t *good;  /**< the last that succeeded, or NULL */
    amgr_reading_t *fault; /**< the one after it, when it failed, or NULL */
    amgr_watch_state_t state;
    amgr_watch_rows_t rows;
    amgr_history_t *history;
    amgr_watch_live_t live;  /**< of the good reading */
    amgr_proc_dir_t proc;    /**< closed when it cannot be had */
    apr_time_t live_mono_us; /**< when the processes were looked at */
    apr_pool_t *rows_pool;
    apr_pool_t *draw_pool;
    apr_time_t began_mono_us; /**< the watch */
    apr_time_t read_mono_us;  /**< when the last reading was begun */
    int signal_fd;
    int utf8;
    int page;
    int effects; /**< amgr_key_effect_e, not yet attended to */
} watch_t;

static const amgr_view_t *view_of(const watch_t *watch)
{
    return watch->good != NULL ? &watch->good->source.view : NULL;
}

static int count_lines(const watch_t *watch)
{
    return amgr_watch_line_count(view_of(watch), &watch->rows, &watch->state);
}

static apr_interval_time_t age_of(const amgr_reading_t *reading,
                                  apr_time_t now_us)
{
    return reading == NULL || reading->source.age_us < 0
               ? AMGR_NO_TIME
               : reading->source.age_us + now_us - reading->ended_mono_us;
}

/* A page tells its slots as they are when it is made, a board as the server
 * saw them. */
static apr_interval_time_t slots_age(const amgr_reading_t *reading,
                                     apr_time_t now_us)
{
    apr_interval_time_t age_us = reading->source.kind == AMGR_SOURCE_BOARD
                                     ? age_of(reading, now_us)
                                     : now_us - reading->ended_mono_us;

    return age_us > 0 ? age_us : 0;
}

static void fill_picture(const watch_t *watch, amgr_watch_picture_t *out)
{
    apr_time_t now_us = amgr_clock_monotonic_us();

    memset(out, 0, sizeof(*out));
    out->source = watch->good != NULL ? &watch->good->source : NULL;
    out->state = &watch->state;
    out->rows = &watch->rows;
    out->age_us = age_of(watch->good, now_us);
    if (watch->good != NULL) {
        out->read_us = now_us - watch->good->ended_mono_us;
        out->slots_us = slots_age(watch->good, now_us);
        out->gone = watch->live.count > 0 ? watch->live.gone : NULL;
        out->is_asked = watch->good->is_asked;
    }
    if (watch->fault != NULL) {
        out->fault = watch->fault->fault->text;
        out->fault_us =
            now_us - (watch->good != NULL ? watch->good->ended_mono_us
                                          : watch->began_mono_us);
    }
}

/* How far can be scrolled depends on how much is shown, which is known when it
 * was drawn: another size may take a second turn. */
static void draw(watch_t *watch)
{
    amgr_watch_picture_t picture;
    amgr_canvas_t *canvas;
    int columns;
    int rows;
    int scroll;

    fill_picture(watch, &picture);
    amgr_screen_size(&columns, &rows);
    apr_pool_clear(watch->draw_pool);
    do {
        scroll = watch->state.scroll;
        canvas =
            amgr_canvas_create(columns, rows, watch->utf8, watch->draw_pool);
        watch->page = amgr_watch_draw(&picture, canvas);
        amgr_watch_clamp(&watch->state, count_lines(watch), watch->page);
    } while (watch->state.scroll < scroll);
    amgr_screen_draw(canvas, watch->effects & AMGR_KEY_REPAIR);
    watch->effects &= ~(AMGR_KEY_DRAW | AMGR_KEY_REPAIR);
}

static void sort(watch_t *watch)
{
    apr_pool_clear(watch->rows_pool);
    amgr_watch_rows(view_of(watch), &watch->state, &watch->rows,
                    watch->rows_pool);
    watch->effects &= ~AMGR_KEY_SORT;
}

/* Look at the processes, whose order may change by it. */
static void look_at_processes(watch_t *watch)
{
    apr_time_t now_us = amgr_clock_monotonic_us();

    if (watch->live.count == 0 || watch->proc.fd < 0 ||
        now_us - watch->live_mono_us < LIVE_US) {
        return;
    }
    watch->live_mono_us = now_us;
    amgr_watch_live_read(&watch->live, &watch->proc);
    watch->effects |= AMGR_KEY_SORT;
}

static void drop(amgr_reading_t **reading)
{
    if (*reading != NULL) {
        apr_pool_destroy((*reading)->pool);
        *reading = NULL;
    }
}

static void take_reading(watch_t *watch)
{
    amgr_reading_t *reading = amgr_watch_reader_take(watch->reader);

    if (reading == NULL) {
        return;
    }
    drop(&watch->fault);
    if (reading->fault != NULL) {
        watch->fault = reading;
    }
    else {
        if (watch->good == NULL && reading->source.control_socket != NULL) {
            watch->effects |= AMGR_KEY_READ; /* whom to ask is known now */
        }
        drop(&watch->good);
        watch->good = reading;
        amgr_watch_history_follow(watch->history, &reading->source,
                                  watch->state.interval_us, reading->pool);
        amgr_watch_live_follow(&watch->live, &reading->source, reading->pool);
        watch->live_mono_us = 0;
    }
    watch->effects |= AMGR_KEY_DRAW | AMGR_KEY_SORT;
}

/* One that ends comes before the SIGCONT by which a shell has a stopped program
 * hear of it, and nothing after it: the terminal may be another's by now. */
static void take_signals(watch_t *watch)
{
    struct signalfd_siginfo info;

    while (!(watch->effects & AMGR_KEY_QUIT) &&
           read(watch->signal_fd, &info, sizeof(info)) ==
               (ssize_t)sizeof(info)) {
        switch (info.ssi_signo) {
        case SIGWINCH:
            break;
        case SIGTSTP:
            amgr_screen_suspend();
            watch->effects |= AMGR_KEY_REPAIR;
            break;
        case SIGCONT:
            amgr_screen_resume();
            watch->effects |= AMGR_KEY_REPAIR;
            break;
        default:
            watch->effects |= AMGR_KEY_QUIT;
            break;
        }
        watch->effects |= AMGR_KEY_DRAW;
    }
}

static void take_keys(watch_t *watch)
{
    int key;

    while ((key = amgr_screen_key()) != AMGR_SCREEN_NO_KEY) {
        watch->effects |=
            amgr_watch_key(&watch->state, key, count_lines(watch), watch->page);
        /* What a key moves in must be what the key before it has chosen. */
        if (watch->effects & AMGR_KEY_SORT) {
            sort(watch);
        }
    }
}

/* Begin a reading when it is time, or asked for. */
static void read_in_time(watch_t *watch, apr_time_t now_us)
{
    int is_due = now_us - watch->read_mono_us >= watch->state.interval_us;

    if (amgr_watch_reader_is_reading(watch->reader) ||
        (!is_due && !(watch->effects & AMGR_KEY_READ))) {
        return;
    }
    watch->read_mono_us = now_us;
    watch->effects &= ~AMGR_KEY_READ;
    amgr_watch_reader_begin(watch->reader,
                            watch->good != NULL ? &watch->good->source : NULL);
}

/* Until something happens, or ages and figures are due. */
static void wait_for_something(watch_t *watch)
{
    struct pollfd fds[3] = {
        {.fd = STDIN_FILENO, .events = POLLIN},
        {.fd = watch->signal_fd, .events = POLLIN},
        {.fd = amgr_watch_reader_fd(watch->reader), .events = POLLIN},
    };
    apr_interval_time_t wait_us = watch->read_mono_us +
                                  watch->state.interval_us -
                                  amgr_clock_monotonic_us();
    int ready;

    if (wait_us > REDRAW_US || amgr_watch_reader_is_reading(watch->reader)) {
        wait_us = REDRAW_US;
    }
    ready =
        poll(fds, AMGR_COUNT(fds), wait_us > 0 ? (int)(wait_us / 1000) + 1 : 0);
    if (ready < 0 && errno != EINTR) {
        watch->effects |= AMGR_KEY_QUIT;
        return;
    }
    take_signals(watch);
    if (watch->effects & AMGR_KEY_QUIT) {
        return;
    }
    take_reading(watch);
    if (ready > 0 && fds[0].revents & POLLIN) {
        take_keys(watch);
    }
    /* The terminal is gone, or there is no end of its input. */
    if (ready > 0 && fds[0].revents & (POLLHUP | POLLERR | POLLNVAL)) {
        watch->effects |= AMGR_KEY_QUIT;
    }
    if (ready <= 0) {
        watch->effects |= AMGR_KEY_DRAW;
    }
}

static void run(watch_t *watch)
{
    while (!(watch->effects & AMGR_KEY_QUIT)) {
        read_in_time(watch, amgr_clock_monotonic_us());
        if (watch->effects & AMGR_KEY_DRAW) {
            look_at_processes(watch);
        }
        if (watch->effects & AMGR_KEY_SORT) {
            sort(watch);
        }
        if (watch->effects & AMGR_KEY_DRAW) {
            draw(watch);
        }
        wait_for_something(watch);
    }
}

static int is_utf8(void)
{
    return strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
}

static void init_watch(watch_t *watch, const amgr_options_t *options,
                       apr_pool_t *pool)
{
    amgr_watch_state_init(&watch->state, options->interval_us);
    watch->history = apr_pcalloc(pool, sizeof(*watch->history));
    apr_pool_create(&watch->rows_pool, pool);
    apr_pool_create(&watch->draw_pool, pool);
    watch->began_mono_us = amgr_clock_monotonic_us();
    watch->read_mono_us = watch->began_mono_us - watch->state.interval_us;
    watch->utf8 = is_utf8();
    if (amgr_proc_dir_open(&watch->proc, "/proc") != APR_SUCCESS) {
        watch->proc.fd = -1;
    }
    watch->page = 1;
    watch->effects = AMGR_KEY_DRAW;
}

/* Signals are told by a descriptor, so that none comes in the middle of
 * drawing; afterwards they are as they were. */
static const amgr_fault_t *watch_terminal(const amgr_options_t *options,
                                          const amgr_target_t *target,
                                          apr_pool_t *pool)
{
    const amgr_fault_t *fault = NULL;
    watch_t watch;
    sigset_t mask;
    sigset_t before;
    apr_status_t rv;
    apr_size_t i;

    memset(&watch, 0, sizeof(watch));
    init_watch(&watch, options, pool);
    rv = amgr_watch_reader_create(target, options->hanging_us, &watch.reader);
    sigemptyset(&mask);
    for (i = 0; i < AMGR_COUNT(signals); i++) {
        sigaddset(&mask, signals[i]);
    }
    watch.signal_fd = signalfd(-1, &mask, SFD_NONBLOCK | SFD_CLOEXEC);
    if (rv != APR_SUCCESS || watch.signal_fd < 0) {
        return amgr_fault_make(pool, AMGR_EXIT_FAILED,
                               "no descriptor is left for the watch");
    }
    pthread_sigmask(SIG_BLOCK, &mask, &before);
    fault = amgr_screen_open(amgr_output_is_colored(options->color), pool);
    if (fault == NULL) {
        amgr_message_hold(1);
        run(&watch);
        amgr_screen_close();
        amgr_message_hold(0);
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    close(watch.signal_fd);
    amgr_watch_reader_destroy(watch.reader);
    if (watch.proc.fd >= 0) {
        amgr_proc_dir_close(&watch.proc);
    }
    drop(&watch.good);
    drop(&watch.fault);
    return fault;
}

/* A number of columns in the environment, 0 without a sensible one. */
static int columns_of_environment(void)
{
    const char *text = getenv("COLUMNS");
    int columns;

    return text != NULL &&
                   amgr_count_parse(text, 1, COLUMNS_MAX, &columns) == NULL
               ? columns
               : 0;
}

/* A terminal knows its own; a file is as wide as is asked for. */
static int columns_of_output(void)
{
    struct winsize size;
    int columns = columns_of_environment();

    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) {
        return size.ws_col;
    }
    return columns > 0 ? columns : COLUMNS_DEFAULT;
}

/* The same picture as text. */
static void print_picture(amgr_reading_t *reading,
                          const amgr_options_t *options, apr_pool_t *pool)
{
    amgr_watch_live_t live;
    amgr_proc_dir_t proc;
    amgr_watch_picture_t picture;
    amgr_watch_state_t state;
    amgr_watch_rows_t rows;
    amgr_canvas_t *canvas;

    amgr_watch_live_follow(&live, &reading->source, reading->pool);
    if (amgr_proc_dir_open(&proc, "/proc") == APR_SUCCESS) {
        amgr_watch_live_read(&live, &proc);
        amgr_proc_dir_close(&proc);
    }
    amgr_watch_state_init(&state, options->interval_us);
    amgr_watch_rows(&reading->source.view, &state, &rows, pool);
    memset(&picture, 0, sizeof(picture));
    picture.source = &reading->source;
    picture.state = &state;
    picture.rows = &rows;
    picture.age_us = reading->source.age_us;
    picture.slots_us = slots_age(reading, reading->ended_mono_us);
    picture.gone = live.count > 0 ? live.gone : NULL;
    picture.once = 1;
    canvas = amgr_canvas_create(columns_of_output(), AMGR_CANVAS_ENDLESS,
                                is_utf8(), pool);
    amgr_watch_draw(&picture, canvas);
    amgr_canvas_print(canvas, amgr_output_is_colored(options->color),
                      amgr_output());
}

static const amgr_fault_t *watch_once(const amgr_options_t *options,
                                      const amgr_target_t *target,
                                      apr_pool_t *pool)
{
    amgr_reading_t *reading = amgr_watch_read(target, options->hanging_us);
    const amgr_fault_t *fault;

    if (reading == NULL) {
        return amgr_fault_make(pool, AMGR_EXIT_FAILED, "no memory");
    }
    fault = reading->fault;
    if (fault != NULL) {
        fault = amgr_fault_make(pool, fault->exit_code, "%s", fault->text);
    }
    else {
        print_picture(reading, options, pool);
        if (amgr_source_remark(&reading->source) != NULL) {
            amgr_message(AMGR_LEVEL_WARNING, "%s",
                         amgr_source_remark(&reading->source));
        }
        if (amgr_source_needs_attention(&reading->source)) {
            fault = amgr_fault_make(pool, AMGR_EXIT_ATTENTION, "%s", "");
        }
    }
    apr_pool_destroy(reading->pool);
    return fault;
}

const amgr_fault_t *amgr_task_watch(const amgr_options_t *options,
                                    const amgr_target_t *target,
                                    apr_pool_t *pool)
{
    /* Which characters there are, and how wide: nothing else of the locale. */
    (void)setlocale(LC_CTYPE, ""); /* one that is not there: plain text */
    if (options->once) {
        return watch_once(options, target, pool);
    }
    if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO)) {
        return amgr_fault_make(pool, AMGR_EXIT_FAILED,
                               "the watch requires an interactive terminal; "
                               "with --once it is printed once, to anywhere");
    }
    return watch_terminal(options, target, pool);
}
