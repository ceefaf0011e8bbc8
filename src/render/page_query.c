/* SPDX-License-Identifier: Apache-2.0
 *
 * See page_query.h.  The address is a stranger's text: names and words are
 * compared as they stand, and the filter alone is decoded.
 */
#include "render/page_query.h"

#include <string.h>

#include "base/units.h"
#include "model/history.h"

/** Parameters, in the order in which they are written. */
typedef enum parameter_e {
    PARAMETER_REFRESH = 0,
    PARAMETER_PROCESSES,
    PARAMETER_WORKERS,
    PARAMETER_FILTER,
    PARAMETER_HISTORY,
    PARAMETER_COUNT
} parameter_e;

static const char *const names[PARAMETER_COUNT] = {
    "refresh", "processes", "workers", "filter", "history"};

static const char *const spans[AMGR_HISTORY_SPAN_COUNT] = {"hour", "day"};

static void parse_refresh(const char *value, apr_size_t len,
                          amgr_page_query_t *out)
{
    char buf[16];
    int seconds;

    if (len >= sizeof(buf)) {
        return;
    }
    memcpy(buf, value, len);
    buf[len] = '\0';
    if (amgr_count_parse(buf, 1, AMGR_PAGE_REFRESH_MAX_SEC, &seconds) == NULL) {
        out->refresh_sec = seconds;
    }
}

static int is_small_letter(char c)
{
    return c >= 'a' && c <= 'z';
}

static void parse_order(const char *value, apr_size_t len,
                        amgr_page_order_t *out)
{
    int descending = len > 0 && value[0] == '-';
    apr_size_t i;

    value += descending;
    len -= (apr_size_t)descending;
    if (len == 0 || len >= sizeof(out->word) || !is_small_letter(value[0])) {
        return;
    }
    for (i = 1; i < len; i++) {
        if (!is_small_letter(value[i]) && value[i] != '_') {
            return;
        }
    }
    memcpy(out->word, value, len);
    out->word[len] = '\0';
    out->descending = descending;
}

/* The value of a hexadecimal digit, or -1. */
static int digit_of(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    }
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* An escape that is none stands for itself; one of NUL ends the text, as no
 * text that is compared goes on after it. */
static void parse_filter(const char *value, apr_size_t len,
                         amgr_page_query_t *out)
{
    apr_size_t used = 0;
    apr_size_t at = 0;

    while (at < len && used + 1 < sizeof(out->filter)) {
        char c = value[at] == '+' ? ' ' : value[at];

        if (c == '%' && len - at > 2 && digit_of(value[at + 1]) >= 0 &&
            digit_of(value[at + 2]) >= 0) {
            c = (char)(digit_of(value[at + 1]) * 16 + digit_of(value[at + 2]));
            at += 2;
        }
        if (c == '\0') {
            break;
        }
        out->filter[used++] = c;
        at++;
    }
    out->filter[used] = '\0';
}

static void parse_history(const char *value, apr_size_t len,
                          amgr_page_query_t *out)
{
    int i;

    for (i = 0; i < AMGR_HISTORY_SPAN_COUNT; i++) {
        if (len == strlen(spans[i]) && memcmp(value, spans[i], len) == 0) {
            out->history = i;
        }
    }
}

static void parse_value(int which, const char *value, apr_size_t len,
                        amgr_page_query_t *out)
{
    switch (which) {
    case PARAMETER_REFRESH:
        parse_refresh(value, len, out);
        break;
    case PARAMETER_PROCESSES:
        parse_order(value, len, &out->orders[AMGR_PAGE_PROCESSES]);
        break;
    case PARAMETER_WORKERS:
        parse_order(value, len, &out->orders[AMGR_PAGE_WORKERS]);
        break;
    case PARAMETER_FILTER:
        parse_filter(value, len, out);
        break;
    default:
        parse_history(value, len, out);
        break;
    }
}

/* With any value or none, as mod_status takes it. */
static int is_auto(const char *at, apr_size_t len)
{
    return len >= 4 && memcmp(at, "auto", 4) == 0 && (len == 4 || at[4] == '=');
}

void amgr_page_query_parse(const char *args, amgr_page_query_t *out)
{
    const char *at = args == NULL ? "" : args;
    int seen[PARAMETER_COUNT] = {0};

    memset(out, 0, sizeof(*out));
    while (*at != '\0') {
        apr_size_t len = strcspn(at, "&");
        int i;

        out->is_auto |= is_auto(at, len);
        for (i = 0; i < PARAMETER_COUNT; i++) {
            apr_size_t name_len = strlen(names[i]);

            if (!seen[i] && len > name_len && at[name_len] == '=' &&
                memcmp(at, names[i], name_len) == 0) {
                seen[i] = 1;
                parse_value(i, at + name_len + 1, len - name_len - 1, out);
            }
        }
        at += len;
        at += *at == '&';
    }
}

/* Only what may stand in an address and in an attribute as it is does. */
static void put_encoded(amgr_sink_t *sink, const char *text)
{
    static const char digits[] = "0123456789ABCDEF";

    for (; *text != '\0'; text++) {
        unsigned char c = (unsigned char)*text;
        char escape[3] = {'%', digits[c >> 4], digits[c & 15]};

        if (is_small_letter(*text) || (c >= 'A' && c <= 'Z') ||
            (c >= '0' && c <= '9') || strchr("-._~", c) != NULL) {
            amgr_sink_putc(sink, *text);
        }
        else if (c == ' ') {
            amgr_sink_putc(sink, '+');
        }
        else {
            amgr_sink_put(sink, escape, sizeof(escape));
        }
    }
}

/** An address while it is written. */
typedef struct address_t {
    amgr_sink_t *sink;
    const char *before_next; /**< what stands before the next parameter */
    const char *ampersand;   /**< what stands before those after it */
} address_t;

static void put_name(address_t *address, int which)
{
    amgr_sink_puts(address->sink, address->before_next);
    amgr_sink_puts(address->sink, names[which]);
    amgr_sink_putc(address->sink, '=');
    address->before_next = address->ampersand;
}

static void put_order(address_t *address, int which,
                      const amgr_page_order_t *order)
{
    if (order->word[0] != '\0') {
        put_name(address, which);
        amgr_sink_puts(address->sink, order->descending ? "-" : "");
        amgr_sink_puts(address->sink, order->word);
    }
}

static void put_query(const amgr_page_query_t *query, amgr_sink_t *sink,
                      const char *ampersand)
{
    address_t address = {sink, "?", ampersand};

    if (query->refresh_sec > 0) {
        put_name(&address, PARAMETER_REFRESH);
        amgr_sink_i64(sink, query->refresh_sec);
    }
    put_order(&address, PARAMETER_PROCESSES,
              &query->orders[AMGR_PAGE_PROCESSES]);
    put_order(&address, PARAMETER_WORKERS, &query->orders[AMGR_PAGE_WORKERS]);
    if (query->filter[0] != '\0') {
        put_name(&address, PARAMETER_FILTER);
        put_encoded(sink, query->filter);
    }
    if (query->history > 0 && query->history < AMGR_HISTORY_SPAN_COUNT) {
        put_name(&address, PARAMETER_HISTORY);
        amgr_sink_puts(sink, spans[query->history]);
    }
}

void amgr_page_query_write(const amgr_page_query_t *query, amgr_sink_t *sink)
{
    put_query(query, sink, "&amp;");
}

void amgr_page_query_write_address(const amgr_page_query_t *query,
                                   amgr_sink_t *sink)
{
    put_query(query, sink, "&");
}

static void put_hidden(amgr_sink_t *sink, int which)
{
    amgr_sink_puts(sink, "<input type=\"hidden\" name=\"");
    amgr_sink_puts(sink, names[which]);
    amgr_sink_puts(sink, "\" value=\"");
}

static void put_hidden_order(amgr_sink_t *sink, int which,
                             const amgr_page_order_t *order)
{
    if (order->word[0] != '\0') {
        put_hidden(sink, which);
        amgr_sink_puts(sink, order->descending ? "-" : "");
        amgr_sink_puts(sink, order->word);
        amgr_sink_puts(sink, "\">");
    }
}

void amgr_page_query_write_hidden(const amgr_page_query_t *query,
                                  amgr_sink_t *sink)
{
    if (query->refresh_sec > 0) {
        put_hidden(sink, PARAMETER_REFRESH);
        amgr_sink_i64(sink, query->refresh_sec);
        amgr_sink_puts(sink, "\">");
    }
    put_hidden_order(sink, PARAMETER_PROCESSES,
                     &query->orders[AMGR_PAGE_PROCESSES]);
    put_hidden_order(sink, PARAMETER_WORKERS,
                     &query->orders[AMGR_PAGE_WORKERS]);
    if (query->history > 0 && query->history < AMGR_HISTORY_SPAN_COUNT) {
        put_hidden(sink, PARAMETER_HISTORY);
        amgr_sink_puts(sink, spans[query->history]);
        amgr_sink_puts(sink, "\">");
    }
}

static char small_of(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

static int begins_with(const char *text, const char *part)
{
    while (*part != '\0' && small_of(*text) == small_of(*part)) {
        text++;
        part++;
    }
    return *part == '\0';
}

int amgr_page_query_matches(const amgr_page_query_t *query, const char *text)
{
    if (query->filter[0] == '\0') {
        return 1;
    }
    for (; *text != '\0'; text++) {
        if (begins_with(text, query->filter)) {
            return 1;
        }
    }
    return 0;
}
