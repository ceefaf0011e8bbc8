/* SPDX-License-Identifier: Apache-2.0
 *
 * See order_words.h.
 */
#include "cli/order/order_words.h"

#include "base/escape.h"
#include "base/units.h"
#include "cli/fault.h"

static int is_stop(const amgr_order_outcome_t *outcome)
{
    return strcmp(outcome->verb, "stop") == 0;
}

/* "BACKOFF: it ended with code 1" */
static void put_state(const amgr_order_outcome_t *outcome, amgr_sink_t *sink)
{
    amgr_sink_puts(sink, amgr_managed_state_word(outcome->answer.state));
    if (outcome->answer.reason[0] != '\0') {
        amgr_sink_puts(sink, ": ");
        amgr_escape_line(sink, outcome->answer.reason);
    }
}

/* It is not so yet. */
static int put_unsettled(const amgr_order_outcome_t *outcome, amgr_sink_t *sink)
{
    char span[AMGR_UNITS_LEN];

    if (outcome->wait_us == 0) {
        amgr_sink_printf(sink, "%s ordered (", outcome->verb);
        put_state(outcome, sink);
        amgr_sink_putc(sink, ')');
        return AMGR_EXIT_OK;
    }
    amgr_duration_format_exact(outcome->wait_us, span, sizeof(span));
    amgr_sink_printf(sink, "ERROR (not %s after %s, ",
                     is_stop(outcome) ? "stopped" : "ready", span);
    put_state(outcome, sink);
    amgr_sink_putc(sink, ')');
    return AMGR_EXIT_ATTENTION;
}

/* Whether what was ordered is there: what has ended has been started, too,
 * when it did so as it should, and is not wanted any more. */
static int is_done(const amgr_order_outcome_t *outcome)
{
    const amgr_order_answer_t *answer = &outcome->answer;

    switch (answer->state) {
    case AMGR_MANAGED_STOPPED:
    case AMGR_MANAGED_FATAL:
        return is_stop(outcome);
    case AMGR_MANAGED_EXITED:
        return is_stop(outcome) || answer->ready ||
               (answer->exit_code == 0 && answer->want != AMGR_MANAGED_WANT_UP);
    case AMGR_MANAGED_READY:
        return !is_stop(outcome);
    default:
        return 0;
    }
}

static int put_settled(const amgr_order_outcome_t *outcome, amgr_sink_t *sink)
{
    if (!is_done(outcome)) {
        amgr_sink_puts(sink, "ERROR (");
        put_state(outcome, sink);
        amgr_sink_putc(sink, ')');
        return AMGR_EXIT_FAILED;
    }
    if (is_stop(outcome)) {
        amgr_sink_puts(sink,
                       outcome->was_so ? "ERROR (not running)" : "stopped");
    }
    else if (strcmp(outcome->verb, "restart") == 0) {
        amgr_sink_puts(sink, "restarted");
    }
    else {
        amgr_sink_puts(sink,
                       outcome->was_so ? "ERROR (already started)" : "started");
    }
    return AMGR_EXIT_OK;
}

int amgr_order_is_held(const amgr_order_outcome_t *outcome)
{
    return outcome->answer.state == AMGR_MANAGED_STOPPED &&
           outcome->answer.want == AMGR_MANAGED_WANT_UP;
}

int amgr_order_write_outcome(const amgr_order_outcome_t *outcome,
                             amgr_sink_t *sink)
{
    int code = AMGR_EXIT_FAILED;

    amgr_escape_line(sink, outcome->name);
    amgr_sink_puts(sink, ": ");
    if (!outcome->answer.ok) {
        amgr_sink_puts(sink, "ERROR (");
        amgr_escape_line(sink, outcome->answer.error);
        amgr_sink_putc(sink, ')');
    }
    else if (outcome->answer.settled &&
             (outcome->wait_us > 0 || !amgr_order_is_held(outcome))) {
        code = put_settled(outcome, sink);
    }
    else {
        code = put_unsettled(outcome, sink);
    }
    amgr_sink_putc(sink, '\n');
    return code;
}
