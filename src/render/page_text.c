/* SPDX-License-Identifier: Apache-2.0
 *
 * The page's vocabulary: figures in words, and the few elements that every
 * part is made of.  No printf in what a row of the slot table uses.
 */
#include "render/page.h"

#include <math.h>
#include <string.h>

#include "base/escape.h"

void amgr_page_text(amgr_sink_t *sink, const char *text)
{
    amgr_escape_html(sink, text);
}

void amgr_page_size(amgr_sink_t *sink, apr_uint64_t bytes)
{
    char text[AMGR_UNITS_LEN];

    amgr_sink_puts(sink, amgr_size_format(bytes, text, sizeof(text)));
}

void amgr_page_size_cell(amgr_sink_t *sink, apr_uint64_t bytes)
{
    if (bytes == AMGR_UNKNOWN) {
        amgr_sink_puts(sink, "<td class=\"num na\">" AMGR_PAGE_NA "</td>");
        return;
    }
    amgr_sink_puts(sink, "<td class=\"num\" title=\"");
    amgr_sink_u64(sink, bytes);
    amgr_sink_puts(sink, " bytes\">");
    amgr_page_size(sink, bytes);
    amgr_sink_puts(sink, "</td>");
}

void amgr_page_span(amgr_sink_t *sink, apr_interval_time_t span_us)
{
    static const struct {
        apr_int64_t seconds;
        char letter;
    } units[] = { { 86400, 'd' }, { 3600, 'h' }, { 60, 'm' }, { 1, 's' } };
    apr_int64_t rest = apr_time_sec(span_us);
    apr_size_t i = 0;

    if (span_us < 0) {
        amgr_sink_puts(sink, AMGR_PAGE_NA);
        return;
    }
    while (i < AMGR_COUNT(units) - 1 && rest < units[i].seconds) {
        i++;
    }
    amgr_sink_i64(sink, rest / units[i].seconds);
    amgr_sink_putc(sink, units[i].letter);
    rest %= units[i].seconds;
    if (i + 1 < AMGR_COUNT(units) && rest >= units[i + 1].seconds) {
        amgr_sink_putc(sink, ' ');
        amgr_sink_i64(sink, rest / units[i + 1].seconds);
        amgr_sink_putc(sink, units[i + 1].letter);
    }
}

void amgr_page_ago(const amgr_view_t *view, amgr_sink_t *sink,
                   apr_time_t wall_us)
{
    apr_interval_time_t ago_us = view->now_wall_us - wall_us;

    /* The wall clock may have been set back since. */
    amgr_page_span(sink, ago_us > 0 ? ago_us : 0);
    amgr_sink_puts(sink, " ago");
}

void amgr_page_time(amgr_sink_t *sink, apr_time_t wall_us)
{
    apr_time_exp_t at;

    if (wall_us < 0 || apr_time_exp_gmt(&at, wall_us) != APR_SUCCESS) {
        amgr_sink_puts(sink, AMGR_PAGE_NA);
        return;
    }
    amgr_sink_printf(sink, "<time datetime=\"%04d-%02d-%02dT%02d:%02d:%02dZ\""
                     ">%04d-%02d-%02d %02d:%02d:%02d</time>",
                     at.tm_year + 1900, at.tm_mon + 1, at.tm_mday, at.tm_hour,
                     at.tm_min, at.tm_sec, at.tm_year + 1900, at.tm_mon + 1,
                     at.tm_mday, at.tm_hour, at.tm_min, at.tm_sec);
}

void amgr_page_fixed(amgr_sink_t *sink, apr_uint64_t value, int decimals)
{
    static const apr_uint64_t scales[] = {1,      10,      100,     1000,
                                          10000,  100000,  1000000, 10000000};
    char digits[8];
    apr_uint64_t scale = scales[decimals];
    apr_uint64_t rest = value % scale;
    int i;

    amgr_sink_u64(sink, value / scale);
    digits[0] = '.';
    for (i = decimals; i > 0; i--) {
        digits[i] = (char)('0' + rest % 10);
        rest /= 10;
    }
    amgr_sink_put(sink, digits, (apr_size_t)decimals + 1);
}

void amgr_page_rate(amgr_sink_t *sink, double value)
{
    /* Also refuses what is no number, and what no server does. */
    if (!(value >= 0.0) || value > 1e15) {
        amgr_sink_puts(sink, AMGR_PAGE_NA);
        return;
    }
    amgr_page_fixed(sink, (apr_uint64_t)floor(value * 1000.0 + 0.5), 3);
}

void amgr_page_short_rate(amgr_sink_t *sink, double value)
{
    int decimals = value < 1.0 ? 3 : value < 10.0 ? 2 : value < 100.0 ? 1 : 0;
    double scale = decimals == 3   ? 1000.0
                   : decimals == 2 ? 100.0
                   : decimals == 1 ? 10.0
                                   : 1.0;

    /* Also refuses what is no number. */
    if (!(value >= 0.0) || value > 1e15) {
        amgr_sink_puts(sink, AMGR_PAGE_NA);
    }
    else if (decimals == 0 || value == floor(value)) {
        amgr_sink_u64(sink, (apr_uint64_t)(value + 0.5));
    }
    else {
        amgr_page_fixed(sink, (apr_uint64_t)(value * scale + 0.5), decimals);
    }
}

void amgr_page_count(amgr_sink_t *sink, apr_int64_t value)
{
    if (value < 0) {
        amgr_sink_puts(sink, AMGR_PAGE_NA);
    }
    else {
        amgr_sink_i64(sink, value);
    }
}

void amgr_page_count_cell(amgr_sink_t *sink, apr_int64_t value)
{
    amgr_sink_puts(sink, value < 0 ? "<td class=\"num na\">"
                                   : "<td class=\"num\">");
    amgr_page_count(sink, value);
    amgr_sink_puts(sink, "</td>");
}

void amgr_page_plural(amgr_sink_t *sink, apr_int64_t count, const char *noun)
{
    amgr_sink_i64(sink, count);
    amgr_sink_putc(sink, ' ');
    amgr_sink_puts(sink, noun);
    if (count != 1) {
        amgr_sink_puts(sink, noun[strlen(noun) - 1] == 's' ? "es" : "s");
    }
}

void amgr_page_request(const amgr_view_t *view, amgr_sink_t *sink,
                       const char *request)
{
    char shown[AMGR_SLOT_REQUEST_LEN];

    amgr_request_shown(view->show_requests, request, shown, sizeof(shown));
    if (shown[0] == '\0') {
        amgr_sink_puts(sink, AMGR_PAGE_NA);
    }
    else {
        amgr_escape_html(sink, shown);
    }
}

void amgr_page_client(const amgr_view_t *view, amgr_sink_t *sink,
                      const char *client)
{
    char shown[AMGR_CLIENT_SHOWN_LEN];

    amgr_client_shown(view->show_clients, client, shown, sizeof(shown));
    amgr_escape_html(sink, shown[0] != '\0' ? shown : AMGR_PAGE_NA);
}

void amgr_page_target(const amgr_view_t *view, amgr_sink_t *sink,
                      const char *target)
{
    char shown[AMGR_PROC_TARGET_LEN];

    amgr_escape_html(sink, amgr_client_target_shown(
                               view->show_clients, target, view->ports,
                               view->port_count, shown, sizeof(shown)));
}

void amgr_page_begin_section(amgr_sink_t *sink, const char *id,
                             const char *title)
{
    amgr_sink_puts(sink, "<section id=\"");
    amgr_sink_puts(sink, id);
    amgr_sink_puts(sink, "\" aria-labelledby=\"title-");
    amgr_sink_puts(sink, id);
    amgr_sink_puts(sink, "\">\n<h2 id=\"title-");
    amgr_sink_puts(sink, id);
    amgr_sink_puts(sink, "\">");
    amgr_sink_puts(sink, title);
    amgr_sink_puts(sink, "</h2>\n");
}

void amgr_page_end_section(amgr_sink_t *sink)
{
    amgr_sink_puts(sink, "</section>\n");
}

void amgr_page_begin_fact(amgr_sink_t *sink, const char *name)
{
    amgr_sink_puts(sink, "<div><dt>");
    amgr_sink_puts(sink, name);
    amgr_sink_puts(sink, "</dt><dd>");
}

void amgr_page_end_fact(amgr_sink_t *sink)
{
    amgr_sink_puts(sink, "</dd></div>\n");
}
