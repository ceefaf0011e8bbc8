/* SPDX-License-Identifier: Apache-2.0
 *
 * Any bytes as the address of the page.  Checked besides memory: what is read
 * is in range, can stand in an attribute when it is written, reads back as the
 * same, and a filter finds itself.
 */
#include "fuzz.h"

#include "model/history.h"
#include "render/page_query.h"

static void check_order(const amgr_page_order_t *order)
{
    size_t len = strnlen(order->word, sizeof(order->word));

    check(len < sizeof(order->word));
    check(strspn(order->word, "abcdefghijklmnopqrstuvwxyz_") == len);
    check(order->word[0] != '_');
    check(len > 0 || !order->descending);
}

/* The address as the browser sends it after it has read the attribute. */
static void unescape(char *text)
{
    char *out = text;

    while (*text != '\0') {
        check(strchr("<>\"'", *text) == NULL);
        check((unsigned char)*text > ' ' && (unsigned char)*text < 0x7F);
        *out++ = *text;
        if (*text == '&') {
            check(strncmp(text, "&amp;", 5) == 0);
            text += 4;
        }
        text++;
    }
    *out = '\0';
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char written[1024];
    char *text = fuzz_text(data, size);
    amgr_page_query_t query;
    amgr_page_query_t again;
    amgr_sink_t sink;

    amgr_page_query_parse(text, &query);
    free(text);
    check(query.refresh_sec >= 0 &&
          query.refresh_sec <= AMGR_PAGE_REFRESH_MAX_SEC);
    check(query.history >= 0 && query.history < AMGR_HISTORY_SPAN_COUNT);
    check(strnlen(query.filter, sizeof(query.filter)) < sizeof(query.filter));
    check_order(&query.orders[AMGR_PAGE_PROCESSES]);
    check_order(&query.orders[AMGR_PAGE_WORKERS]);
    check(amgr_page_query_matches(&query, query.filter));
    amgr_sink_init_text(&sink, written, sizeof(written));
    amgr_page_query_write(&query, &sink);
    check(sink.status == APR_SUCCESS);
    amgr_sink_text(&sink);
    unescape(written);
    check(written[0] == '\0' || written[0] == '?');
    amgr_page_query_parse(written + (written[0] == '?'), &again);
    query.is_auto = 0; /* no link leads there */
    check(memcmp(&query, &again, sizeof(query)) == 0);
    return 0;
}
