/* SPDX-License-Identifier: Apache-2.0
 *
 * See control_order.h.
 */
#include "httpd/control_order.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/json_line.h"
#include "httpd/config.h"
#include "model/words.h"
#include "render/json.h"

/** Members of an order, in the order of the table below. */
typedef enum member_e {
    MEMBER_ORDER = 0,
    MEMBER_ACTIVE,
    MEMBER_IDLE,
    MEMBER_TIME,
    MEMBER_KILLS,
    MEMBER_DRY_RUN,
    MEMBER_COUNT
} member_e;

/* A limit of 0 would be about everybody, which nobody means. */
static const amgr_json_member_t known[MEMBER_COUNT] = {
    [MEMBER_ORDER] = {"order", AMGR_JSON_WORD, 0, 0, 0, 0, ""},
    [MEMBER_ACTIVE] = {"max_memory_active_bytes", AMGR_JSON_NUMBER, 1,
                       AMGR_LIMIT_OFF - 1, 0, 0, ""},
    [MEMBER_IDLE] = {"max_memory_idle_bytes", AMGR_JSON_NUMBER, 1,
                     AMGR_LIMIT_OFF - 1, 0, 0, ""},
    [MEMBER_TIME] = {"max_time_us", AMGR_JSON_NUMBER, 1, AMGR_LIMIT_OFF - 1, 0,
                     0, ""},
    [MEMBER_KILLS] = {"max_kills", AMGR_JSON_NUMBER, 0, APR_INT32_MAX, 0, 0,
                      ""},
    [MEMBER_DRY_RUN] = {"dry_run", AMGR_JSON_SWITCH, 0, 0, 0, 0, ""},
};

static apr_int64_t limit_of(const amgr_json_member_t *member)
{
    return member->given ? member->number : AMGR_LIMIT_OFF;
}

static int is_alone(const amgr_json_member_t *members)
{
    int i;

    for (i = MEMBER_ORDER + 1; i < MEMBER_COUNT; i++) {
        if (members[i].given) {
            return 0;
        }
    }
    return 1;
}

const char *amgr_control_order_read(const char *line, apr_size_t len,
                                    amgr_control_order_t *out, char *buf,
                                    apr_size_t size)
{
    amgr_json_member_t members[MEMBER_COUNT];
    const amgr_json_member_t *which;
    const char *wrong;
    const char *word;

    memcpy(members, known, sizeof(members));
    word = members[MEMBER_ORDER].word;
    wrong = amgr_json_line_parse(line, len, members, MEMBER_COUNT, &which);
    if (wrong != NULL && which != NULL) {
        snprintf(buf, size, "%s: %s", which->name, wrong);
        return buf;
    }
    if (wrong != NULL) {
        return wrong;
    }
    memset(out, 0, sizeof(*out));
    out->retire = strcmp(word, "retire") == 0;
    if (!out->retire && strcmp(word, "tick") != 0) {
        return "order: neither retire nor tick";
    }
    if (!out->retire && !is_alone(members)) {
        return "order: a tick has no limits";
    }
    amgr_demand_init(&out->demand);
    out->demand.max_memory_active_bytes = limit_of(&members[MEMBER_ACTIVE]);
    out->demand.max_memory_idle_bytes = limit_of(&members[MEMBER_IDLE]);
    out->demand.max_time_us = limit_of(&members[MEMBER_TIME]);
    out->demand.max_kills = (apr_int32_t)members[MEMBER_KILLS].number;
    out->demand.dry_run = (apr_int32_t)members[MEMBER_DRY_RUN].number;
    return NULL;
}

/** An answer that is being written, while the tick goes on. */
typedef struct answer_t {
    amgr_tick_order_t order;
    amgr_sink_t *out;
    amgr_sink_t sink; /**< whose white space is left out */
    char buf[1024];
    amgr_json_t json;
    int begun;
    int told;
    int listed;
    int vetoed_count;
    pid_t vetoed[AMGR_CONTROL_LISTED_MAX]; /**< for behind the retirements */
} answer_t;

/** The writer begins some lines for people; an answer is one line. */
static apr_status_t put_on_one_line(void *baton, const char *data,
                                    apr_size_t len)
{
    amgr_sink_t *out = baton;
    const char *last = data + len;

    while (data < last) {
        const char *newline = memchr(data, '\n', (apr_size_t)(last - data));
        const char *stop = newline == NULL ? last : newline;

        amgr_sink_put(out, data, (apr_size_t)(stop - data));
        data = newline == NULL ? last : newline + 1;
    }
    return out->status;
}

static void begin(answer_t *answer, amgr_sink_t *out)
{
    memset(answer, 0, sizeof(*answer));
    answer->out = out;
    amgr_sink_init(&answer->sink, answer->buf, sizeof(answer->buf),
                   put_on_one_line, out);
    amgr_json_init(&answer->json, &answer->sink);
    amgr_json_begin_object(&answer->json);
}

static void end(answer_t *answer)
{
    amgr_json_end_object(&answer->json);
    amgr_sink_finish(&answer->sink);
    amgr_sink_putc(answer->out, '\n');
}

static void put_bool(amgr_json_t *json, const char *key, int value)
{
    amgr_json_key(json, key);
    amgr_json_bool(json, value);
}

static void put_i64(amgr_json_t *json, const char *key, apr_int64_t value)
{
    amgr_json_key(json, key);
    amgr_json_i64(json, value);
}

static void put_string(amgr_json_t *json, const char *key, const char *value)
{
    amgr_json_key(json, key);
    amgr_json_string(json, value);
}

void amgr_control_order_refuse(const char *why, amgr_sink_t *sink)
{
    answer_t answer;

    begin(&answer, sink);
    put_bool(&answer.json, "ok", 0);
    put_string(&answer.json, "error", why);
    end(&answer);
}

/** What stands before the retirements; the tick knows the server by now. */
static void put_head(answer_t *answer)
{
    const amgr_config_t *config = amgr_config_main();
    amgr_json_t *json = &answer->json;

    if (answer->begun) {
        return;
    }
    answer->begun = 1;
    put_bool(json, "ok", 1);
    put_i64(json, "pid", getpid());
    amgr_json_key(json, "time");
    amgr_json_seconds(json, answer->order.time_us);
    if (answer->order.demand != NULL) {
        put_i64(json, "workers", answer->order.workers);
        put_i64(json, "grace_us", config->limits.grace_us);
        put_bool(json, "syslog", config->syslog);
        amgr_json_key(json, "retirements");
        amgr_json_begin_array(json);
    }
}

static void put_retirement(amgr_json_t *json, const amgr_record_t *record)
{
    char line[AMGR_RECORD_LINE_LEN];
    amgr_sink_t sink;

    amgr_sink_init_text(&sink, line, sizeof(line));
    amgr_record_format(record, amgr_config_main()->show_requests, &sink);
    amgr_json_begin_object(json);
    put_i64(json, "serial", (apr_int64_t)record->serial);
    put_i64(json, "pid", record->id.pid);
    put_i64(json, "start_ticks", (apr_int64_t)record->id.start_ticks);
    put_string(json, "kind", amgr_kind_word(record->kind));
    put_bool(json, "active", record->active);
    put_string(json, "action", amgr_action_word(record->action));
    put_string(json, "outcome", amgr_outcome_word(record->outcome));
    put_string(json, "line", amgr_sink_text(&sink));
    amgr_json_end_object(json);
}

static void tell(void *data, const amgr_record_t *record, int vetoed)
{
    answer_t *answer = data;

    put_head(answer);
    answer->told++;
    if (vetoed && answer->vetoed_count < AMGR_CONTROL_LISTED_MAX) {
        answer->vetoed[answer->vetoed_count++] = record->id.pid;
    }
    else if (!vetoed && answer->listed < AMGR_CONTROL_LISTED_MAX) {
        answer->listed++;
        put_retirement(&answer->json, record);
    }
}

static void put_tail(answer_t *answer)
{
    amgr_json_t *json = &answer->json;
    int i;

    amgr_json_end_array(json);
    amgr_json_key(json, "vetoed");
    amgr_json_begin_array(json);
    for (i = 0; i < answer->vetoed_count; i++) {
        amgr_json_i64(json, answer->vetoed[i]);
    }
    amgr_json_end_array(json);
    put_i64(json, "unlisted",
            answer->told - answer->listed - answer->vetoed_count);
}

int amgr_control_order_run(amgr_tick_t *tick, const amgr_control_order_t *order,
                           amgr_sink_t *sink)
{
    answer_t answer;

    begin(&answer, sink);
    answer.order.demand = order->retire ? &order->demand : NULL;
    answer.order.tell = tell;
    answer.order.data = &answer;
    if (!amgr_tick_obey(tick, &answer.order)) {
        put_bool(&answer.json, "ok", 0);
        put_string(&answer.json, "error",
                   "the server cannot be looked at now: try again");
        end(&answer);
        return -1;
    }
    put_head(&answer);
    if (order->retire) {
        put_tail(&answer);
    }
    end(&answer);
    return answer.told;
}
