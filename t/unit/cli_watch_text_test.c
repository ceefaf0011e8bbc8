/* SPDX-License-Identifier: Apache-2.0
 *
 * The picture of the watch: whatever the view and the size, no line is wider
 * and there are no more of them than asked for; what it looks like at three
 * sizes is kept.
 */
#include "managed_view.h"

#include <locale.h>
#include <wchar.h>

#include <apr_general.h>

#include "cli/watch/watch_keys.h"
#include "cli/watch/watch_text.h"

typedef struct scene_t {
    fixed_view_t fixed;
    amgr_source_t source;
    amgr_watch_state_t state;
    amgr_watch_rows_t rows;
    amgr_watch_picture_t picture;
    apr_pool_t *pool;
} scene_t;

static scene_t scene;

static scene_t *make_scene(fixed_view_fn *make)
{
    apr_pool_t *pool = scene.pool;

    if (pool == NULL) {
        assert_int_equal(apr_pool_create(&pool, NULL), APR_SUCCESS);
    }
    apr_pool_clear(pool);
    memset(&scene, 0, sizeof(scene));
    scene.pool = pool;
    make(&scene.fixed);
    scene.source.kind = AMGR_SOURCE_BOARD;
    scene.source.name = "/run/apache-manager.board";
    scene.source.view = scene.fixed.view;
    amgr_watch_state_init(&scene.state, VIEW_SEC(10));
    scene.picture.source = &scene.source;
    scene.picture.state = &scene.state;
    scene.picture.rows = &scene.rows;
    scene.picture.age_us = VIEW_SEC(2);
    return &scene;
}

static amgr_canvas_t *draw(scene_t *at, int columns, int rows, int utf8,
                           int *out_page)
{
    amgr_canvas_t *canvas = amgr_canvas_create(columns, rows, utf8, at->pool);
    int page;

    amgr_watch_rows(at->picture.source != NULL ? &at->source.view : NULL,
                    &at->state, &at->rows, at->pool);
    page = amgr_watch_draw(&at->picture, canvas);
    if (out_page != NULL) {
        *out_page = page;
    }
    return canvas;
}

static const amgr_canvas_line_t *line_at(const amgr_canvas_t *canvas, int i)
{
    assert_in_range(i, 0, canvas->lines->nelts - 1);
    return &APR_ARRAY_IDX(canvas->lines, i, amgr_canvas_line_t);
}

/* Width of a line as a terminal has it, which sees UTF-8 alone. */
static int width_of(const amgr_canvas_line_t *line)
{
    wchar_t wide[4096];
    size_t count = mbstowcs(wide, line->text, AMGR_COUNT(wide));

    assert_true(count < AMGR_COUNT(wide));
    return count == 0 ? 0 : wcswidth(wide, count);
}

static void check_lines(const amgr_canvas_t *canvas)
{
    int i;

    if (canvas->rows != AMGR_CANVAS_ENDLESS) {
        assert_in_range(canvas->lines->nelts, 1, canvas->rows);
    }
    for (i = 0; i < canvas->lines->nelts; i++) {
        const amgr_canvas_line_t *line = line_at(canvas, i);

        assert_int_equal(strlen(line->text), line->length);
        assert_int_equal(width_of(line), line->width);
        assert_true(line->width <= canvas->columns);
    }
}

/* All sizes there are, of what the scene shows now. */
static void check_sizes(scene_t *at)
{
    apr_pool_t *all = at->pool;
    int columns;
    int rows;

    for (columns = 1; columns <= 200; columns += columns < 45 ? 1 : 7) {
        for (rows = 1; rows <= 60; rows += rows < 26 ? 1 : 9) {
            assert_int_equal(apr_pool_create(&at->pool, all), APR_SUCCESS);
            check_lines(draw(at, columns, rows, columns % 2, NULL));
            apr_pool_destroy(at->pool);
        }
    }
    at->pool = all;
}

static void test_every_size_of_every_table(void **state)
{
    static fixed_view_fn *const views[] = {view_prefork, view_event, view_empty,
                                           view_managed};
    apr_size_t i;
    int table;

    (void)state;
    for (i = 0; i < AMGR_COUNT(views); i++) {
        for (table = 0; table < AMGR_WATCH_TABLE_COUNT; table++) {
            scene_t *at = make_scene(views[i]);

            at->state.table = table;
            check_sizes(at);
            at->picture.fault = "the server\x1b[2J does not answer";
            check_sizes(at);
        }
    }
}

static void test_every_size_of_help_and_nothing(void **state)
{
    scene_t *at = make_scene(view_prefork);

    (void)state;
    at->state.help = 1;
    check_sizes(at);
    at = make_scene(view_prefork);
    at->picture.source = NULL;
    check_sizes(at);
    at->picture.fault = "nobody listens";
    check_sizes(at);
}

static void put_canvas(const amgr_canvas_t *canvas, text_t *text)
{
    int i;

    for (i = 0; i < canvas->lines->nelts; i++) {
        const amgr_canvas_line_t *line = line_at(canvas, i);

        text_flush(text, line->text, line->length);
        text_flush(text, "|\n", 2);
    }
}

/* Sizes a picture is not drawn for, and what is seen of a fault. */
static void test_words(void **state)
{
    scene_t *at = make_scene(view_prefork);

    (void)state;
    assert_string_equal(line_at(draw(at, 39, 20, 1, NULL), 0)->text,
                        "too small: 40x8 at least, q quits");
    assert_string_equal(line_at(draw(at, 20, 5, 1, NULL), 0)->text,
                        "too small: 40x8 at l");
    assert_string_equal(line_at(draw(at, 1, 1, 1, NULL), 0)->text, "t");
    at->picture.fault = "nobody\nlistens";
    at->picture.fault_us = VIEW_SEC(25);
    assert_string_equal(line_at(draw(at, 80, 20, 1, NULL), 1)->text,
                        "No answer for 25s: nobody\\x0alistens");
    assert_int_equal(line_at(draw(at, 80, 20, 1, NULL), 1)->styles[0],
                     AMGR_STYLE_BAD);
    at->picture.source = NULL;
    at->picture.fault = NULL;
    assert_string_equal(line_at(draw(at, 80, 20, 1, NULL), 0)->text,
                        "apache-manager  reading...");
}

static const char *text_at(const amgr_canvas_t *canvas, int i)
{
    return line_at(canvas, i)->text;
}

/* The cause of a fault, which may come after a long address, and words as they
 * are, though a fault is escaped already. */
static void test_long_faults(void **state)
{
    scene_t *at = make_scene(view_prefork);
    const amgr_canvas_t *canvas;

    (void)state;
    at->picture.fault =
        "no server: http://127.0.0.1:27110/server-status/status.json: "
        "connection refused; board in /run/a\\x0ab\\x5cc: none";
    at->picture.fault_us = VIEW_SEC(3);
    canvas = draw(at, 80, 24, 1, NULL);
    assert_string_equal(text_at(canvas, 1),
                        "No answer for 3s: no server: "
                        "http://127.0.0.1:27110/server-status/status.json:");
    assert_string_equal(text_at(canvas, 2),
                        "connection refused; board in /run/a\\x0ab\\x5cc: "
                        "none");
    assert_int_equal(line_at(canvas, 2)->styles[0], AMGR_STYLE_BAD);
    canvas = draw(at, 45, 8, 1, NULL);
    assert_string_equal(text_at(canvas, 2), "http://127.0.0.1:27110/"
                                            "server-status/status.j");
    canvas = draw(at, 60, 8, 1, NULL);
    assert_string_equal(
        text_at(canvas, 2),
        "http://127.0.0.1:27110/server-status/status.json: ...");
    assert_int_equal(memcmp(text_at(canvas, 3), "Workers", 7), 0);
    canvas = draw(at, 59, 12, 1, NULL);
    assert_string_equal(text_at(canvas, 3),
                        "connection refused; board in /run/a\\x0ab\\x5cc: "
                        "none");
    /* What a fault cannot hold does no harm either. */
    at->picture.fault = "odd \\x \\x0 \\x00 \x1b[2J";
    assert_string_equal(text_at(draw(at, 80, 24, 1, NULL), 1),
                        "No answer for 3s: odd \\x5cx \\x5cx0 \\x5cx00 "
                        "\\x1b[2J");
}

/* Fields of the head are there as a whole or not at all. */
static void test_head_fields(void **state)
{
    scene_t *at = make_scene(view_prefork);
    const amgr_canvas_t *canvas;
    int columns;

    (void)state;
    at->fixed.snapshot.hanging = 2;
    for (columns = AMGR_WATCH_MIN_COLUMNS; columns <= 130; columns++) {
        canvas = draw(at, columns, 24, 1, NULL);
        assert_non_null(strstr(text_at(canvas, 0), "board"));
        assert_non_null(strstr(text_at(canvas, 0), ", 2s old, every 10s"));
        assert_int_equal(strstr(text_at(canvas, 0), "up 1d2h ") == NULL,
                         strstr(text_at(canvas, 0), " up") == NULL);
        assert_non_null(strstr(text_at(canvas, 1), ", 2 hanging"));
        assert_non_null(strstr(text_at(canvas, 2), ", max 612M"));
        assert_int_equal(strstr(text_at(canvas, 2), ", idle 250M") == NULL,
                         strstr(text_at(canvas, 2), ", idle") == NULL);
        assert_int_equal(strstr(text_at(canvas, 3), ", 20.3K each") == NULL,
                         strstr(text_at(canvas, 3), ", 20") == NULL);
    }
}

/* What is below the last row is counted; a table that is shown as a whole has
 * nothing there. */
static void test_rows_below(void **state)
{
    scene_t *at = make_scene(view_prefork);
    const char *last;

    (void)state;
    last = text_at(draw(at, 60, 12, 1, NULL), 11);
    assert_string_equal(last + strlen(last) - strlen("  5 more below"),
                        "  5 more below");
    at->state.scroll = 4;
    assert_non_null(
        strstr(text_at(draw(at, 60, 12, 1, NULL), 11), " 1 more below"));
    at->state.scroll = 5;
    assert_null(strstr(text_at(draw(at, 60, 12, 1, NULL), 11), "below"));
    at->state.scroll = 0;
    at->state.table = AMGR_WATCH_KILLS;
    assert_null(strstr(text_at(draw(at, 60, 12, 1, NULL), 11), "below"));
    assert_non_null(
        strstr(text_at(draw(at, 60, 8, 1, NULL), 7), " 1 more below"));
    at->state.help = 1;
    assert_null(strstr(text_at(draw(at, 60, 8, 1, NULL), 7), "below"));
}

/* The last line shows the filter, whatever its length. */
static void test_filter_line(void **state)
{
    scene_t *at = make_scene(view_prefork);

    (void)state;
    amgr_watch_key(&at->state, '/', 12, 5);
    amgr_watch_key(&at->state, '1', 12, 5);
    assert_string_equal(text_at(draw(at, 80, 24, 1, NULL), 23),
                        "/1_  Enter keep  Esc clear  ");
    amgr_watch_key(&at->state, '\r', 12, 5);
    assert_int_equal(
        memcmp(text_at(draw(at, 80, 24, 1, NULL), 23), "/1  q quit", 10), 0);
    at->state.table = AMGR_WATCH_SLOTS;
    at->state.busy_only = 1;
    assert_int_equal(memcmp(text_at(draw(at, 80, 24, 1, NULL), 23),
                            "busy only  /1  q quit", 21),
                     0);
    memset(at->state.filter, '1', sizeof(at->state.filter) - 1);
    at->state.busy_only = 0;
    check_sizes(at);
}

/* A request of a slot that runs none is what it did last. */
static void test_requests_that_run(void **state)
{
    static const struct {
        int mode;
        int runs;
    } modes[] = {
        {AMGR_MODE_WRITE, 1}, {AMGR_MODE_READ, 1},      {AMGR_MODE_LOG, 1},
        {AMGR_MODE_READY, 0}, {AMGR_MODE_KEEPALIVE, 0}, {AMGR_MODE_CLOSING, 0},
    };
    scene_t *at = make_scene(view_prefork);
    apr_size_t i;

    (void)state;
    at->state.sort[AMGR_WATCH_PROCESSES] = AMGR_WATCH_BY_PID;
    at->state.sort[AMGR_WATCH_SLOTS] = AMGR_WATCH_BY_PID;
    for (i = 0; i < AMGR_COUNT(modes); i++) {
        const char *wanted =
            modes[i].runs ? " GET /a HTTP/1.1" : " (GET /a HTTP/1.1)";

        at->fixed.slots[0].mode = modes[i].mode;
        at->state.table = AMGR_WATCH_PROCESSES;
        assert_non_null(strstr(text_at(draw(at, 160, 24, 1, NULL), 6), wanted));
        at->state.table = AMGR_WATCH_SLOTS;
        assert_non_null(strstr(text_at(draw(at, 160, 24, 1, NULL), 6), wanted));
    }
}

static void assert_has(const amgr_canvas_t *canvas, int line, const char *what)
{
    if (strstr(text_at(canvas, line), what) == NULL) {
        fail_msg("no '%s' in '%s'", what, text_at(canvas, line));
    }
}

/* Time goes on between two readings; what may not be true any more is marked,
 * and of a process that has gone nothing runs. */
static void test_time_goes_on(void **state)
{
    static char gone[16];
    scene_t *at = make_scene(view_prefork);
    const amgr_canvas_t *canvas;

    (void)state;
    at->fixed.snapshot.server.uptime_us = VIEW_SEC(59);
    at->picture.slots_us = VIEW_SEC(1) - 100000;
    at->picture.read_us = VIEW_SEC(5);
    canvas = draw(at, 100, 24, 1, NULL);
    assert_has(canvas, 6, "1104 native  retiring");
    assert_has(canvas, 6, "   3.4s ");
    at->picture.slots_us = VIEW_SEC(60);
    canvas = draw(at, 100, 24, 1, NULL);
    assert_has(canvas, 0, "up 1m59s");
    assert_has(canvas, 6, "   1h3m ");
    assert_has(canvas, 6, "  ~1m2s GET /a");
    assert_has(canvas, 20, "   12s    1104");
    at->fixed.slots[3].paused = 1;
    assert_has(draw(at, 100, 24, 1, NULL), 6, "   2.5s GET /a");
    at->fixed.slots[3].paused = 0;
    at->picture.slots_us = at->fixed.view.config->limits.hanging_us;
    canvas = draw(at, 100, 24, 1, NULL);
    assert_int_equal(
        line_at(canvas, 6)->styles[strcspn(text_at(canvas, 6), "~")],
        AMGR_STYLE_BAD);
    gone[3] = 1;
    at->picture.gone = gone;
    canvas = draw(at, 100, 24, 1, NULL);
    assert_has(canvas, 6, "1104 native  gone ");
    assert_null(strstr(text_at(canvas, 6), "GET"));
    assert_null(strstr(text_at(canvas, 6), "~"));
    at->state.table = AMGR_WATCH_SLOTS;
    at->state.sort[AMGR_WATCH_SLOTS] = AMGR_WATCH_BY_PID;
    at->picture.slots_us = VIEW_SEC(2);
    canvas = draw(at, 100, 24, 1, NULL);
    assert_has(canvas, 7, "W   ~4.5s    14s");
    assert_null(strstr(text_at(canvas, 9), "GET"));
}

/* A server that looks at itself less often than it is read is told of. */
static void test_server_that_looks_rarely(void **state)
{
    static const char rarely[] = "every 1s; server looks every 10s";
    static amgr_board_config_t config;
    scene_t *at = make_scene(view_prefork);

    (void)state;
    config = *at->fixed.view.config;
    config.limits.interval_us = VIEW_SEC(10);
    at->source.view.config = &config;
    at->state.interval_us = VIEW_SEC(10);
    assert_null(strstr(text_at(draw(at, 100, 24, 1, NULL), 0), "looks"));
    at->state.interval_us = VIEW_SEC(1);
    assert_has(draw(at, 100, 24, 1, NULL), 0, rarely);
    assert_has(draw(at, 72, 24, 1, NULL), 0, rarely);
    assert_null(strstr(text_at(draw(at, 61, 24, 1, NULL), 0), "looks"));
    at->picture.is_asked = 1;
    assert_null(strstr(text_at(draw(at, 100, 24, 1, NULL), 0), "looks"));
    at->picture.is_asked = 0;
    at->source.kind = AMGR_SOURCE_MOD_STATUS;
    assert_null(strstr(text_at(draw(at, 100, 24, 1, NULL), 0), "looks"));
}

/* Who ordered a kill is told, where anybody has. */
static void test_ordered_kills(void **state)
{
    scene_t *at = make_scene(view_prefork);
    const amgr_canvas_t *canvas;
    int i;

    (void)state;
    at->state.table = AMGR_WATCH_KILLS;
    for (i = 0; i < 4; i++) {
        at->fixed.records[i].demanded = i == 1;
    }
    canvas = draw(at, 80, 24, 1, NULL);
    assert_null(strstr(text_at(canvas, 6), "ordered"));
    assert_non_null(strstr(text_at(canvas, 7), "ordered"));
    at->fixed.records[1].demanded = 0;
    canvas = draw(at, 80, 24, 1, NULL);
    assert_null(strstr(text_at(canvas, 5), "ORDER"));
}

/* As many rows of a table as are said to be shown are shown. */
static void test_pages(void **state)
{
    scene_t *at = make_scene(view_prefork);
    int page;

    (void)state;
    draw(at, 80, 12, 1, &page);
    assert_int_equal(page, 7);
    draw(at, 80, 24, 1, &page);
    assert_int_equal(page, 13);
    at->state.table = AMGR_WATCH_KILLS;
    draw(at, 80, 24, 1, &page);
    assert_int_equal(page, 17);
    at->state.scroll = 3;
    assert_non_null(
        strstr(line_at(draw(at, 80, 24, 1, NULL), 6)->text, "1201 example"));
}

/* What just happened stands out, and only that. */
static void test_new_kills(void **state)
{
    scene_t *at = make_scene(view_prefork);
    const amgr_canvas_t *canvas;

    (void)state;
    at->state.table = AMGR_WATCH_KILLS;
    at->fixed.records[1].time_us = VIEW_NOW_US - VIEW_SEC(31);
    canvas = draw(at, 80, 24, 1, NULL);
    assert_int_equal(line_at(canvas, 6)->styles[3], AMGR_STYLE_NEW);
    assert_int_equal(line_at(canvas, 7)->styles[3], AMGR_STYLE_PLAIN);
    assert_int_equal(line_at(canvas, 8)->styles[3], AMGR_STYLE_NEW);
}

/* Nothing is shown of requests and clients that may not be. */
static void test_hidden_texts(void **state)
{
    scene_t *at = make_scene(view_prefork);
    text_t text = {NULL, 0};

    (void)state;
    at->source.view.show_requests = AMGR_SHOW_OFF;
    at->source.view.show_clients = AMGR_CLIENTS_OFF;
    at->picture.once = 1;
    put_canvas(draw(at, 200, AMGR_CANVAS_ENDLESS, 1, NULL), &text);
    at->state.table = AMGR_WATCH_SLOTS;
    put_canvas(draw(at, 200, AMGR_CANVAS_ENDLESS, 1, NULL), &text);
    at->source.view.show_requests = AMGR_SHOW_PATH;
    put_canvas(draw(at, 200, AMGR_CANVAS_ENDLESS, 1, NULL), &text);
    assert_null(strstr(text.data, "192.0.2.7"));
    assert_null(strstr(text.data, "secret"));
    assert_non_null(strstr(text.data, "GET /a HTTP/1.1"));
    *strstr(text.data, "VHOST") = '\0';
    assert_null(strstr(text.data, "GET /a"));
    free(text.data);
}

static void check_picture(scene_t *at, int columns, int rows, int utf8,
                          const char *name)
{
    amgr_canvas_t *canvas = draw(at, columns, rows, utf8, NULL);
    text_t text = {NULL, 0};

    check_lines(canvas);
    put_canvas(canvas, &text);
    golden_compare(name, &text);
    free(text.data);
}

static void test_pictures(void **state)
{
    scene_t *at = make_scene(view_prefork);

    (void)state;
    check_picture(at, 60, 12, 1, "watch-60x12.txt");
    check_picture(at, 80, 24, 1, "watch-80x24.txt");
    check_picture(at, 200, 50, 1, "watch-200x50.txt");
    at->state.table = AMGR_WATCH_SLOTS;
    check_picture(at, 80, 24, 0, "watch-slots-80x24.txt");
    at->state.table = AMGR_WATCH_KILLS;
    check_picture(at, 80, 24, 0, "watch-kills-80x24.txt");
    at->state.help = 1;
    check_picture(at, 80, 24, 0, "watch-help-80x24.txt");
    /* The data file knows no process. */
    at = make_scene(view_prefork);
    at->source.kind = AMGR_SOURCE_DATA_FILE;
    at->source.name = "/run/apache-manager.txt";
    at->source.view.history = NULL;
    at->source.view.record_count = 0;
    at->fixed.snapshot.process_count = 0;
    check_picture(at, 80, 24, 0, "watch-groups-80x24.txt");
    at = make_scene(view_event);
    at->picture.once = 1;
    check_picture(at, 100, AMGR_CANVAS_ENDLESS, 1, "watch-event-once.txt");
}

static void test_managed_pictures(void **state)
{
    scene_t *at = make_scene(view_managed);

    (void)state;
    check_picture(at, 80, 24, 1, "watch-managed-80x24.txt");
    check_picture(at, 60, 12, 0, "watch-managed-60x12.txt");
    at->picture.read_us = VIEW_SEC(5);
    check_picture(at, 200, 60, 1, "watch-managed-200x60.txt");
    at->picture.once = 1;
    check_picture(at, 100, AMGR_CANVAS_ENDLESS, 0, "watch-managed-once.txt");
    at = make_scene(view_unsupervised);
    at->picture.once = 1;
    check_picture(at, 100, AMGR_CANVAS_ENDLESS, 0,
                  "watch-unsupervised-once.txt");
}

/* Without ExtendedStatus nobody counts requests. */
static void test_not_counted(void **state)
{
    scene_t *at = make_scene(view_prefork);
    const char *line;

    (void)state;
    line = text_at(draw(at, 80, 24, 1, NULL), 6);
    assert_non_null(strstr(line, " 345 "));
    at->fixed.snapshot.server.extended = 0;
    line = text_at(draw(at, 80, 24, 1, NULL), 6);
    assert_null(strstr(line, " 345 "));
    assert_non_null(strstr(line, " n/a "));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_size_of_every_table),
        cmocka_unit_test(test_every_size_of_help_and_nothing),
        cmocka_unit_test(test_words),
        cmocka_unit_test(test_long_faults),
        cmocka_unit_test(test_head_fields),
        cmocka_unit_test(test_rows_below),
        cmocka_unit_test(test_filter_line),
        cmocka_unit_test(test_requests_that_run),
        cmocka_unit_test(test_time_goes_on),
        cmocka_unit_test(test_server_that_looks_rarely),
        cmocka_unit_test(test_ordered_kills),
        cmocka_unit_test(test_pages),
        cmocka_unit_test(test_new_kills),
        cmocka_unit_test(test_hidden_texts),
        cmocka_unit_test(test_pictures),
        cmocka_unit_test(test_managed_pictures),
        cmocka_unit_test(test_not_counted),
    };
    int failed;

    if (setlocale(LC_CTYPE, "C.UTF-8") == NULL ||
        apr_initialize() != APR_SUCCESS) {
        return 1;
    }
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    apr_terminate();
    return failed;
}
