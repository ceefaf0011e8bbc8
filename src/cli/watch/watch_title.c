/* SPDX-License-Identifier: Apache-2.0
 *
 * The first lines of the picture: whose it is, where its figures come from and
 * how old they are, and why there are no newer ones.
 */
#include "cli/watch/watch_parts.h"

#include <string.h>

#include <apr_lib.h>
#include <apr_strings.h>

/** Blanks between the server and the source, at least. */
#define GAP 2

/** Lines that a fault takes at most: with many rows, with few, with fewer. */
#define FAULT_LINES 4
#define FAULT_LINES_SHORT 3
#define FAULT_LINES_LEAST 2
#define ROWS_FOR_FAULT 16
#define ROWS_FOR_SHORT_FAULT 10

/** What the title may have, from left to right. */
typedef enum title_field_e {
    TITLE_SERVER = 0,
    TITLE_SYSTEM,
    TITLE_MPM,
    TITLE_UPTIME,
    TITLE_HEALTH,
    TITLE_SOURCE, /**< from here on to the right */
    TITLE_PATH,
    TITLE_AGE,
    TITLE_LOOKS,
    TITLE_COUNT
} title_field_e;

/** What is worth most comes first. */
static const int by_worth[TITLE_COUNT] = {
    TITLE_SOURCE, TITLE_AGE,    TITLE_SERVER, TITLE_HEALTH, TITLE_LOOKS,
    TITLE_UPTIME, TITLE_SYSTEM, TITLE_MPM,    TITLE_PATH,
};

typedef struct title_t {
    const char *texts[TITLE_COUNT]; /**< NULL: there is none */
    int shown[TITLE_COUNT];
    int health_style;
} title_t;

static int health_style(int health)
{
    switch (health) {
    case AMGR_HEALTH_OK:
        return AMGR_STYLE_GOOD;
    case AMGR_HEALTH_WAITING:
    case AMGR_HEALTH_NO_LIMITS:
    case AMGR_HEALTH_NO_MONITOR:
        return AMGR_STYLE_PLAIN;
    case AMGR_HEALTH_NEAR:
    case AMGR_HEALTH_INERT:
    case AMGR_HEALTH_RETIRING:
        return AMGR_STYLE_WARN;
    default:
        return AMGR_STYLE_BAD;
    }
}

/* Other sources do not tell enough to say how the server fares. */
static int tells_health(const amgr_source_t *source)
{
    return source->kind == AMGR_SOURCE_BOARD ||
           source->kind == AMGR_SOURCE_STATUS_JSON;
}

/* Text that was escaped to one line, as it was: whatever is put is escaped,
 * and once is enough. */
static const char *unescape(const char *text, apr_pool_t *pool)
{
    char *out = apr_pstrdup(pool, text);
    char *to = out;

    while (*text != '\0') {
        char byte = 0;

        if (text[0] == '\\' && text[1] == 'x' && apr_isxdigit(text[2]) &&
            apr_isxdigit(text[3])) {
            char digits[3] = {text[2], text[3], '\0'};

            byte = (char)apr_strtoi64(digits, NULL, 16);
        }
        text += byte != 0 ? 4 : 1;
        *to++ = byte != 0 ? byte : text[-1];
    }
    *to = '\0';
    return out;
}

/* The server's own name and version, and the system in parentheses, without
 * what modules add to it. */
static void fill_version(const char *version, title_t *out, apr_pool_t *pool)
{
    apr_size_t length = strcspn(version, " ");
    const char *rest = version + length;
    const char *end = strchr(rest, ')');

    out->texts[TITLE_SERVER] =
        length > 0 ? apr_pstrmemdup(pool, version, length) : "Apache";
    if (rest[0] == ' ' && rest[1] == '(' && end != NULL) {
        out->texts[TITLE_SYSTEM] =
            apr_pstrmemdup(pool, rest, (apr_size_t)(end + 1 - rest));
    }
}

static void fill_server(const amgr_watch_picture_t *picture, title_t *out,
                        apr_pool_t *pool)
{
    const amgr_source_t *source = picture->source;
    const amgr_server_t *server = &source->view.snapshot->server;
    amgr_view_counts_t counts;
    char span[AMGR_SHORT_LEN];

    fill_version(server->version, out, pool);
    if (server->mpm[0] != '\0') {
        out->texts[TITLE_MPM] = apr_pstrcat(pool, "  ", server->mpm, NULL);
    }
    if (server->uptime_us >= 0) {
        amgr_short_span(server->uptime_us + picture->slots_us, span);
        out->texts[TITLE_UPTIME] = apr_pstrcat(pool, "  up ", span, NULL);
    }
    if (tells_health(source)) {
        amgr_view_count(&source->view, &counts);
        out->texts[TITLE_HEALTH] =
            apr_pstrcat(pool, "  ", amgr_health_word(counts.health), NULL);
        out->health_style = health_style(counts.health);
    }
}

static const char *interval_text(apr_interval_time_t interval_us, char *buf)
{
    return apr_time_usec(interval_us) == 0
               ? amgr_short_span(interval_us, buf)
               : amgr_short_tenths(interval_us, buf);
}

/* When the figures are the same for longer than from one reading to the next,
 * somebody would wait for them to change. */
static int looks_rarely(const amgr_watch_picture_t *picture)
{
    return !picture->once && !picture->is_asked &&
           tells_health(picture->source) &&
           picture->source->view.config->limits.interval_us >
               picture->state->interval_us;
}

static void fill_source(const amgr_watch_picture_t *picture, title_t *out,
                        apr_pool_t *pool)
{
    const amgr_source_t *source = picture->source;
    char age[AMGR_SHORT_LEN];
    char every[AMGR_SHORT_LEN];

    amgr_short_span(picture->age_us, age);
    interval_text(picture->state->interval_us, every);
    out->texts[TITLE_SOURCE] = amgr_source_word(source->kind);
    out->texts[TITLE_PATH] =
        apr_pstrcat(pool, " ", unescape(source->name, pool), NULL);
    out->texts[TITLE_AGE] =
        apr_pstrcat(pool, ", ", age, " old", picture->once ? "" : ", every ",
                    picture->once ? "" : every, NULL);
    if (looks_rarely(picture)) {
        interval_text(source->view.config->limits.interval_us, every);
        out->texts[TITLE_LOOKS] =
            apr_pstrcat(pool, "; server looks every ", every, NULL);
    }
}

static int width_of(const title_t *title, const amgr_canvas_t *canvas, int from,
                    int to)
{
    int width = 0;
    int i;

    for (i = from; i < to; i++) {
        if (title->shown[i]) {
            width += amgr_canvas_width(canvas, title->texts[i]);
        }
    }
    return width;
}

/* What does not fit as a whole is left out. */
static void choose(title_t *title, const amgr_canvas_t *canvas)
{
    apr_size_t i;

    for (i = 0; i < AMGR_COUNT(by_worth); i++) {
        int field = by_worth[i];

        title->shown[field] = title->texts[field] != NULL;
        if (width_of(title, canvas, 0, TITLE_COUNT) + GAP > canvas->columns) {
            title->shown[field] = 0;
        }
    }
}

void amgr_watch_put_title(const amgr_watch_picture_t *picture,
                          amgr_canvas_t *canvas)
{
    title_t title;
    int i;

    memset(&title, 0, sizeof(title));
    fill_server(picture, &title, canvas->pool);
    fill_source(picture, &title, canvas->pool);
    choose(&title, canvas);
    for (i = 0; i < TITLE_COUNT; i++) {
        if (i == TITLE_SOURCE) {
            amgr_canvas_fill(canvas,
                             canvas->columns -
                                 width_of(&title, canvas, i, TITLE_COUNT));
        }
        canvas->style = i >= TITLE_SOURCE   ? AMGR_STYLE_FAINT
                        : i == TITLE_HEALTH ? title.health_style
                        : i <= TITLE_SYSTEM ? AMGR_STYLE_STRONG
                                            : AMGR_STYLE_PLAIN;
        amgr_canvas_put(canvas, title.shown[i] ? title.texts[i] : "");
    }
    amgr_canvas_end_line(canvas);
}

static int fault_lines(const amgr_watch_picture_t *picture,
                       const amgr_canvas_t *canvas)
{
    if (picture->source == NULL) {
        return amgr_canvas_rows_left(canvas) - 1;
    }
    return canvas->rows >= ROWS_FOR_FAULT         ? FAULT_LINES
           : canvas->rows >= ROWS_FOR_SHORT_FAULT ? FAULT_LINES_SHORT
                                                  : FAULT_LINES_LEAST;
}

/* Whole words: as many as there are lines for.  Faults name an address and
 * then what is the matter with it, so that a long one takes a line, and what
 * comes after it the next. */
static void put_words(const char *text, int lines, amgr_canvas_t *canvas)
{
    static const char more[] = " ...";
    int more_width = (int)sizeof(more) - 1;

    while (*text != '\0') {
        apr_size_t length = strcspn(text, " ");
        const char *word = apr_pstrmemdup(canvas->pool, text, length);
        int is_first = canvas->open.width == 0;
        int need = amgr_canvas_width(canvas, word) + !is_first;
        int room = amgr_canvas_room(canvas);

        if (lines <= 1 && !is_first && need + more_width > room &&
            amgr_canvas_width(canvas, text) + 1 > room) {
            amgr_canvas_put(canvas, more);
            break;
        }
        if (need > room && !is_first) {
            int style = canvas->style;

            amgr_canvas_end_line(canvas);
            canvas->style = style;
            lines--;
            continue;
        }
        amgr_canvas_put(canvas, is_first ? "" : " ");
        amgr_canvas_put(canvas, word);
        text += length + strspn(text + length, " ");
    }
    amgr_canvas_end_line(canvas);
}

void amgr_watch_put_fault(const amgr_watch_picture_t *picture,
                          amgr_canvas_t *canvas)
{
    char span[AMGR_SHORT_LEN];

    if (picture->fault == NULL) {
        return;
    }
    amgr_short_span(picture->fault_us, span);
    canvas->style = AMGR_STYLE_BAD;
    put_words(apr_pstrcat(canvas->pool, "No answer for ", span, ": ",
                          unescape(picture->fault, canvas->pool), NULL),
              fault_lines(picture, canvas), canvas);
}
