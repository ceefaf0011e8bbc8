/* SPDX-License-Identifier: Apache-2.0
 *
 * See order_line.h.
 */
#include "supervise/order/order_line.h"

#include <stdio.h>

#include <apr_strings.h>

#include "base/escape.h"
#include "base/json_line.h"
#include "supervise/supervisor.h"

/* A name fits in what is read of a text. */
_Static_assert(AMGR_MANAGED_NAME_LEN <= AMGR_JSON_WORD_LEN, "names are cut");

typedef enum member_e {
    MEMBER_VERB = 0,
    MEMBER_NAME,
    MEMBER_ID,
    MEMBER_WAIT,
    MEMBER_COUNT
} member_e;

const char *amgr_order_word(int verb)
{
    return verb == AMGR_ORDER_SHUTDOWN ? "shutdown" : amgr_verb_word(verb);
}

/* Returns 0 when there is no such verb. */
static int find_verb(const char *word, int *out)
{
    int verb;

    for (verb = AMGR_ORDER_SHUTDOWN; verb < AMGR_VERB_COUNT; verb++) {
        if (strcmp(word, amgr_order_word(verb)) == 0) {
            *out = verb;
            return 1;
        }
    }
    return 0;
}

/* A process has either, and all of them have neither. */
static const char *check_subject(int verb, int has_name, int has_id)
{
    if (verb == AMGR_ORDER_SHUTDOWN) {
        return has_name || has_id ? "shutdown is of all processes" : NULL;
    }
    if (has_name && has_id) {
        return "both name and id";
    }
    return has_name || has_id ? NULL : "neither name nor id";
}

const char *amgr_order_read(const char *line, apr_size_t len, amgr_order_t *out,
                            char *buf, apr_size_t size)
{
    amgr_json_member_t members[MEMBER_COUNT] = {
        [MEMBER_VERB] = {"verb", AMGR_JSON_WORD, 0, 0, 0, 0, ""},
        [MEMBER_NAME] = {"name", AMGR_JSON_WORD, 0, 0, 0, 0, ""},
        [MEMBER_ID] = {"id", AMGR_JSON_NUMBER, 1, APR_INT32_MAX, 0, 0, ""},
        [MEMBER_WAIT] = {"wait_ms", AMGR_JSON_NUMBER, 0, AMGR_ORDER_WAIT_MAX_MS,
                         0, 0, ""},
    };
    const amgr_json_member_t *wrong_one;
    const char *wrong =
        amgr_json_line_parse(line, len, members, MEMBER_COUNT, &wrong_one);

    if (wrong != NULL) {
        if (wrong_one == NULL) {
            return wrong;
        }
        snprintf(buf, size, "%s: %s", wrong_one->name, wrong);
        return buf;
    }
    if (!members[MEMBER_VERB].given ||
        !find_verb(members[MEMBER_VERB].word, &out->verb)) {
        return "verb: not status, start, stop, restart or shutdown";
    }
    wrong = check_subject(out->verb, members[MEMBER_NAME].given,
                          members[MEMBER_ID].given);
    if (wrong == NULL && members[MEMBER_NAME].given &&
        members[MEMBER_NAME].word[0] == '\0') {
        wrong = "name: empty";
    }
    apr_cpystrn(out->name, members[MEMBER_NAME].word, sizeof(out->name));
    out->id = (int)members[MEMBER_ID].number;
    out->wait_ms = (int)members[MEMBER_WAIT].number;
    return wrong;
}

static void put_text(amgr_sink_t *sink, const char *name, const char *text)
{
    amgr_sink_printf(sink, ",\"%s\":\"", name);
    amgr_escape_json(sink, text);
    amgr_sink_putc(sink, '"');
}

static void put_flag(amgr_sink_t *sink, const char *name, int value)
{
    amgr_sink_printf(sink, ",\"%s\":%s", name, value ? "true" : "false");
}

/* What it is while it runs, else how it ended. */
static void put_end(amgr_sink_t *sink, const amgr_managed_t *process)
{
    if (amgr_managed_is_running(process)) {
        amgr_sink_printf(sink, ",\"pid\":%ld", (long)process->pid);
    }
    else if (process->exit_known && process->exit_signal != 0) {
        amgr_sink_printf(sink, ",\"signal\":%d", process->exit_signal);
    }
    else if (process->exit_known && process->exit_code >= 0) {
        amgr_sink_printf(sink, ",\"code\":%d", process->exit_code);
    }
}

void amgr_order_tell(const amgr_managed_t *process, int already, int settled,
                     amgr_sink_t *sink)
{
    amgr_sink_puts(sink, "{\"ok\":true");
    if (process != NULL) {
        amgr_sink_printf(sink, ",\"id\":%d", process->id);
        put_text(sink, "name", process->name);
        put_text(sink, "state", amgr_managed_state_word(process->state));
        put_text(sink, "want", amgr_managed_want_word(process->want));
        put_flag(sink, "ready", process->ready);
        put_end(sink, process);
        if (process->reason[0] != '\0') {
            put_text(sink, "reason", process->reason);
        }
    }
    put_flag(sink, "already", already);
    put_flag(sink, "settled", settled);
    amgr_sink_puts(sink, "}\n");
}

void amgr_order_refuse(int status, const char *why, amgr_sink_t *sink)
{
    amgr_sink_printf(sink, "{\"ok\":false,\"status\":%d", status);
    put_text(sink, "error", why);
    amgr_sink_puts(sink, "}\n");
}
