/* SPDX-License-Identifier: Apache-2.0
 *
 * See lost.h.
 */
#include "action/lost.h"

#include "base/escape.h"

/** Room for any text of the scoreboard with every byte as \xHH. */
#define FIELD_LEN (4 * AMGR_SLOT_REQUEST_LEN + 1)

int amgr_lost_is(const amgr_evidence_request_t *request)
{
    return request->mode != AMGR_MODE_READ;
}

/* Untrusted text, with @a delimiter, which ends the field, as \xHH too. */
static void put_field(amgr_sink_t *sink, const char *text, char delimiter)
{
    char escaped[FIELD_LEN];
    amgr_sink_t field;
    const char *at;

    amgr_sink_init_text(&field, escaped, sizeof(escaped));
    amgr_escape_line(&field, text[0] != '\0' ? text : "-");
    for (at = amgr_sink_text(&field); *at != '\0'; at++) {
        if (*at == delimiter) {
            amgr_sink_printf(sink, "\\x%02x", (unsigned int)delimiter);
        }
        else {
            amgr_sink_putc(sink, *at);
        }
    }
}

static void put_time(amgr_sink_t *sink, apr_time_t time_us)
{
    apr_time_exp_t at;

    if (time_us < 0 || apr_time_exp_gmt(&at, time_us) != APR_SUCCESS) {
        amgr_sink_puts(sink, "[-]");
        return;
    }
    amgr_sink_printf(sink, "[%02d/%s/%d:%02d:%02d:%02d +0000]", at.tm_mday,
                     apr_month_snames[at.tm_mon], at.tm_year + 1900, at.tm_hour,
                     at.tm_min, at.tm_sec);
}

void amgr_lost_format(const amgr_evidence_request_t *request,
                      const amgr_lost_show_t *show, apr_time_t time_us,
                      amgr_sink_t *sink)
{
    char client[AMGR_CLIENT_SHOWN_LEN];
    char shown[AMGR_SLOT_REQUEST_LEN];
    int timed = request->age_us >= 0;

    put_field(sink, request->vhost, ' ');
    amgr_sink_putc(sink, ' ');
    amgr_client_shown(show->clients, request->client, client, sizeof(client));
    put_field(sink, client, ' ');
    amgr_sink_puts(sink, " - - ");
    put_time(sink, timed ? time_us - request->age_us : time_us);
    amgr_sink_puts(sink, " \"");
    amgr_request_shown(show->requests, request->request, shown, sizeof(shown));
    put_field(sink, shown, '"');
    amgr_sink_puts(sink, "\" 000 0 ");
    if (timed) {
        amgr_sink_i64(sink, request->age_us);
    }
    else {
        amgr_sink_putc(sink, '-');
    }
}
