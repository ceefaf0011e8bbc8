/* SPDX-License-Identifier: Apache-2.0
 *
 * See command_env.h.
 */
#include "action/command_env.h"

#include "base/escape.h"
#include "model/request.h"
#include "model/words.h"
#include "policy/reasons.h"

/* The same for everybody, whoever started httpd. */
#define PATH_VALUE \
    "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

typedef struct builder_t {
    amgr_command_env_t *env;
    amgr_sink_t sink;
    int count;
} builder_t;

/* Begin a variable; its value is put into the sink that is returned, its end
 * is put by the next one or by finish(). */
static amgr_sink_t *begin_var(builder_t *builder, const char *name)
{
    if (builder->count > 0) {
        amgr_sink_putc(&builder->sink, '\0');
    }
    if (builder->count >= AMGR_COMMAND_ENV_VARS) {
        builder->sink.status = APR_ENOSPC;
        return &builder->sink;
    }
    builder->env->vars[builder->count++] =
        builder->env->text + builder->sink.used;
    amgr_sink_puts(&builder->sink, name);
    amgr_sink_putc(&builder->sink, '=');
    return &builder->sink;
}

static void put_word(builder_t *builder, const char *name, const char *word)
{
    amgr_sink_puts(begin_var(builder, name), word);
}

static void put_text(builder_t *builder, const char *name, const char *text)
{
    amgr_escape_line(begin_var(builder, name), text);
}

static void put_bytes(builder_t *builder, const char *name, apr_uint64_t bytes)
{
    amgr_sink_t *sink = begin_var(builder, name);

    if (bytes != AMGR_UNKNOWN) {
        amgr_sink_u64(sink, bytes);
    }
}

static void put_count(builder_t *builder, const char *name, int count)
{
    amgr_sink_t *sink = begin_var(builder, name);

    if (count >= 0) {
        amgr_sink_i64(sink, count);
    }
}

static void put_seconds(builder_t *builder, const char *name,
                        apr_interval_time_t span_us)
{
    amgr_sink_t *sink = begin_var(builder, name);

    if (span_us >= 0) {
        amgr_sink_printf(sink, "%" APR_INT64_T_FMT ".%03d",
                         apr_time_sec(span_us), (int)apr_time_msec(span_us));
    }
}

/* Seconds of a time reason, else what it is counted in, as in status.json. */
static void put_measure(builder_t *builder, const char *name,
                        const amgr_record_t *record, apr_uint64_t value)
{
    if (amgr_reasons_is_span(record->verdict) && value <= APR_INT64_MAX) {
        put_seconds(builder, name, (apr_interval_time_t)value);
    }
    else {
        put_bytes(builder, name, value);
    }
}

static void put_outcome(builder_t *builder, const amgr_record_t *record)
{
    int killed = record->killed_us != AMGR_NO_TIME;

    put_word(builder, "AMGR_ACTION", amgr_action_word(record->action));
    put_word(builder, "AMGR_OUTCOME", amgr_outcome_word(record->outcome));
    put_seconds(builder, "AMGR_SECONDS", record->ended_us);
    put_count(builder, "AMGR_REQUESTS_LOST",
              killed ? record->requests_lost : -1);
    put_bytes(builder, "AMGR_FREED", record->freed_bytes);
}

static apr_status_t finish(builder_t *builder)
{
    amgr_sink_putc(&builder->sink, '\0');
    builder->env->vars[builder->count] = NULL;
    return builder->sink.status;
}

apr_status_t amgr_command_env_build(amgr_command_env_t *env, int event,
                                    const amgr_record_t *record, int show)
{
    char request[AMGR_SLOT_REQUEST_LEN];
    builder_t builder;

    builder.env = env;
    builder.count = 0;
    amgr_sink_init(&builder.sink, env->text, sizeof(env->text), NULL, NULL);
    amgr_request_shown(show, record->request, request, sizeof(request));
    put_word(&builder, "PATH", PATH_VALUE);
    put_word(&builder, "AMGR_EVENT", amgr_command_event_word(event));
    put_count(&builder, "AMGR_PID", record->id.pid);
    put_text(&builder, "AMGR_GROUP", record->group);
    put_word(&builder, "AMGR_KIND", amgr_kind_word(record->kind));
    put_word(&builder, "AMGR_REASON", amgr_verdict_word(record->verdict));
    put_measure(&builder, "AMGR_MEASURED", record, record->measured);
    put_measure(&builder, "AMGR_LIMIT", record, record->limit);
    put_count(&builder, "AMGR_REQUESTS", record->requests);
    put_text(&builder, "AMGR_VHOST",
             show == AMGR_SHOW_OFF ? "" : record->vhost);
    put_text(&builder, "AMGR_REQUEST", request);
    if (event == AMGR_COMMAND_AFTER) {
        put_outcome(&builder, record);
    }
    return finish(&builder);
}

const char *amgr_command_event_word(int event)
{
    static const char *const words[AMGR_COMMAND_EVENT_COUNT] = {
        [AMGR_COMMAND_BEFORE] = "before",
        [AMGR_COMMAND_AFTER] = "after",
    };

    if (event < 0 || event >= AMGR_COMMAND_EVENT_COUNT) {
        return "unknown";
    }
    return words[event];
}
