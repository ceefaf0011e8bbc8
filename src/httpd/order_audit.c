/* SPDX-License-Identifier: Apache-2.0
 *
 * See order_audit.h.
 */
#include "httpd/order_audit.h"

#include "base/escape.h"
#include "httpd/log.h"

/** Room for a text of the client's, whose rest is cut, and for a reason. */
#define SHOWN_LEN 160
#define REASON_LEN 512

#define TEXT_LEN (3 * SHOWN_LEN + REASON_LEN + 64)

/** At most @a size bytes of it, REASON_LEN or less. */
static void put_bounded(amgr_sink_t *sink, const char *text, apr_size_t size)
{
    char shown[REASON_LEN];
    amgr_sink_t escaped;

    amgr_sink_init_text(&escaped, shown, size);
    amgr_escape_line(&escaped, text);
    amgr_sink_puts(sink, amgr_sink_text(&escaped));
}

static void put_order(amgr_sink_t *sink, const request_rec *r,
                      const amgr_order_words_t *words)
{
    amgr_sink_puts(sink, words->verb);
    amgr_sink_putc(sink, ' ');
    put_bounded(sink, words->name == NULL ? "all" : words->name, SHOWN_LEN);
    amgr_sink_puts(sink, " by user ");
    put_bounded(sink, r->user == NULL || r->user[0] == '\0' ? "-" : r->user,
                SHOWN_LEN);
    amgr_sink_puts(sink, " from ");
    put_bounded(sink, r->useragent_ip, SHOWN_LEN);
}

void amgr_order_audit(const request_rec *r, const amgr_order_words_t *words)
{
    char text[TEXT_LEN];
    amgr_sink_t sink;

    amgr_sink_init_text(&sink, text, sizeof(text));
    put_order(&sink, r, words);
    amgr_log_request(r, AMGR_TAG_ORDER_HTTP, APLOG_NOTICE,
                     "order over HTTP: %s", amgr_sink_text(&sink));
}

void amgr_order_audit_outcome(const request_rec *r,
                              const amgr_order_words_t *words, int status,
                              const char *outcome)
{
    char text[TEXT_LEN];
    amgr_sink_t sink;

    amgr_sink_init_text(&sink, text, sizeof(text));
    put_order(&sink, r, words);
    amgr_log_request(r, AMGR_TAG_ORDER_HTTP, APLOG_INFO,
                     "order over HTTP waited for: %s: %d, %s",
                     amgr_sink_text(&sink), status, outcome);
}

void amgr_order_audit_refusal(const request_rec *r,
                              const amgr_order_words_t *words, int status,
                              const char *why)
{
    char text[TEXT_LEN];
    amgr_sink_t sink;

    amgr_sink_init_text(&sink, text, sizeof(text));
    put_order(&sink, r, words);
    amgr_sink_puts(&sink, ": ");
    amgr_sink_i64(&sink, status);
    amgr_sink_puts(&sink, ", ");
    put_bounded(&sink, why, REASON_LEN);
    amgr_log_request(r, AMGR_TAG_ORDER_REFUSED, APLOG_WARNING,
                     "order over HTTP refused: %s", amgr_sink_text(&sink));
}
