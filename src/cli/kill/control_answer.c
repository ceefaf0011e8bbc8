/* SPDX-License-Identifier: Apache-2.0
 *
 * The two lines that go over the control socket.  Numbers are bounded and
 * texts printable before anything is done with them.
 */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include <apr_strings.h>
#include <jansson.h>

#include "base/escape.h"
#include "cli/kill/control_client.h"

/* No server has more processes. */
#define RETIREMENTS_MAX (4 * 1024 * 1024)

/* The longest grace period that makes sense to wait for. */
#define GRACE_MAX_US apr_time_from_sec(APR_INT64_C(86400) * 365)

static void put_limit(json_t *object, const char *name, apr_int64_t limit)
{
    if (limit != AMGR_LIMIT_OFF) {
        json_object_set_new(object, name, json_integer(limit));
    }
}

const char *amgr_control_request(const amgr_demand_t *demand, apr_pool_t *pool)
{
    json_t *object = json_pack("{s:s}", "order", "retire");
    const char *line = NULL;
    char *text;

    if (object == NULL) {
        return NULL;
    }
    put_limit(object, "max_memory_active_bytes",
              demand->max_memory_active_bytes);
    put_limit(object, "max_memory_idle_bytes", demand->max_memory_idle_bytes);
    put_limit(object, "max_time_us", demand->max_time_us);
    if (demand->max_kills > 0) {
        json_object_set_new(object, "max_kills",
                            json_integer(demand->max_kills));
    }
    json_object_set_new(object, "dry_run", json_boolean(demand->dry_run));
    text = json_dumps(object, JSON_COMPACT);
    json_decref(object);
    if (text != NULL) {
        line = apr_pstrcat(pool, text, "\n", NULL);
        free(text);
    }
    return line;
}

/* A whole number within bounds; zero when it is none. */
static int get_number(const json_t *object, const char *name, json_int_t min,
                      json_int_t max, json_int_t *out)
{
    const json_t *member = json_object_get(object, name);

    if (!json_is_integer(member) || json_integer_value(member) < min ||
        json_integer_value(member) > max) {
        return 0;
    }
    *out = json_integer_value(member);
    return 1;
}

static int get_flag(const json_t *object, const char *name, int *out)
{
    const json_t *member = json_object_get(object, name);

    if (!json_is_boolean(member)) {
        return 0;
    }
    *out = json_is_true(member);
    return 1;
}

/* Which of @a count words a member is, or -1. */
static int get_word(const json_t *object, const char *name,
                    const char *(*word_of)(int), int count)
{
    const char *text = json_string_value(json_object_get(object, name));
    int i;

    for (i = 0; text != NULL && i < count; i++) {
        if (strcmp(text, word_of(i)) == 0) {
            return i;
        }
    }
    return -1;
}

/* A line for people: the ticker has escaped what is in it, so there is nothing
 * in it that is not printable. */
static const char *get_line(const json_t *object, apr_pool_t *pool)
{
    const json_t *member = json_object_get(object, "line");
    const char *text = json_string_value(member);
    const unsigned char *at;

    if (text == NULL || text[0] == '\0' ||
        strlen(text) != json_string_length(member)) {
        return NULL;
    }
    for (at = (const unsigned char *)text; *at != '\0'; at++) {
        /* With the first byte of U+0080 to U+009F, which command terminals. */
        if (*at < ' ' || *at == 0x7f || (at[0] == 0xc2 && at[1] < 0xa0)) {
            return NULL;
        }
    }
    return apr_pstrdup(pool, text);
}

static const char *parse_retirement(const json_t *object,
                                    amgr_control_retirement_t *out,
                                    apr_pool_t *pool)
{
    const char *kind = json_string_value(json_object_get(object, "kind"));
    json_int_t pid;
    json_int_t start_ticks;

    out->action =
        get_word(object, "action", amgr_action_word, AMGR_ACTION_COUNT);
    out->outcome =
        get_word(object, "outcome", amgr_outcome_word, AMGR_OUTCOME_COUNT);
    out->line = get_line(object, pool);
    if (!get_number(object, "pid", 2, INT_MAX, &pid) ||
        !get_number(object, "start_ticks", 1, APR_INT64_MAX, &start_ticks) ||
        !get_flag(object, "active", &out->active) || kind == NULL ||
        out->action < 0 || out->outcome < 0 || out->line == NULL) {
        return "a retirement is not complete";
    }
    out->id.pid = (pid_t)pid;
    out->id.start_ticks = (apr_uint64_t)start_ticks;
    out->native = strcmp(kind, "native") == 0;
    if (!out->native && strcmp(kind, "foreign") != 0) {
        return "a retirement is of no kind";
    }
    return NULL;
}

static const char *parse_retirements(const json_t *array,
                                     amgr_control_answer_t *out,
                                     apr_pool_t *pool)
{
    const char *error;
    size_t count;
    size_t i;

    if (!json_is_array(array) || json_array_size(array) > RETIREMENTS_MAX) {
        return "there is no list of retirements";
    }
    count = json_array_size(array);
    out->retirements =
        apr_pcalloc(pool, (count + 1) * sizeof(out->retirements[0]));
    for (i = 0; i < count; i++) {
        error = parse_retirement(json_array_get(array, i), &out->retirements[i],
                                 pool);
        if (error != NULL) {
            return error;
        }
    }
    out->retirement_count = (int)count;
    return NULL;
}

/* Whom the order was about, and who is not to go. */
static const char *parse_vetoed(const json_t *array, amgr_control_answer_t *out,
                                apr_pool_t *pool)
{
    size_t count;
    size_t i;

    if (!json_is_array(array) || json_array_size(array) > RETIREMENTS_MAX) {
        return "there is no list of vetoes";
    }
    count = json_array_size(array);
    out->vetoed = apr_pcalloc(pool, (count + 1) * sizeof(out->vetoed[0]));
    for (i = 0; i < count; i++) {
        const json_t *pid = json_array_get(array, i);

        if (!json_is_integer(pid) || json_integer_value(pid) < 2 ||
            json_integer_value(pid) > INT_MAX) {
            return "a veto is for no process";
        }
        out->vetoed[i] = (pid_t)json_integer_value(pid);
    }
    out->vetoed_count = (int)count;
    return NULL;
}

/* Its own words why it does not obey, for one line of a terminal. */
static const char *refusal(const json_t *object, apr_pool_t *pool)
{
    const char *text = json_string_value(json_object_get(object, "error"));
    amgr_sink_t sink;
    char line[256];

    if (text == NULL) {
        return "it gives no reason";
    }
    amgr_sink_init_text(&sink, line, sizeof(line));
    amgr_escape_line(&sink, text);
    return apr_pstrdup(pool, amgr_sink_text(&sink));
}

static const char *parse_object(const json_t *object,
                                amgr_control_answer_t *out, int *out_refused,
                                apr_pool_t *pool)
{
    json_int_t workers;
    json_int_t grace_us;
    json_int_t unlisted;
    const char *error;
    int ok;

    if (!get_flag(object, "ok", &ok)) {
        return "it does not say whether it obeys";
    }
    if (!ok) {
        *out_refused = 1;
        return refusal(object, pool);
    }
    if (!get_number(object, "workers", 0, INT_MAX, &workers) ||
        !get_number(object, "grace_us", 0, GRACE_MAX_US, &grace_us) ||
        !get_number(object, "unlisted", 0, RETIREMENTS_MAX, &unlisted) ||
        !get_flag(object, "syslog", &out->syslog)) {
        return "a member is missing";
    }
    out->workers = (int)workers;
    out->grace_us = grace_us;
    out->unlisted = (int)unlisted;
    error = parse_vetoed(json_object_get(object, "vetoed"), out, pool);
    if (error != NULL) {
        return error;
    }
    return parse_retirements(json_object_get(object, "retirements"), out, pool);
}

const char *amgr_control_parse(const char *text, apr_size_t length,
                               amgr_control_answer_t *out, int *out_refused,
                               apr_pool_t *pool)
{
    amgr_control_answer_t answer;
    const char *error;
    json_error_t where;
    json_t *object;

    *out_refused = 0;
    object = json_loadb(text, length, JSON_REJECT_DUPLICATES, &where);
    if (object == NULL) {
        return "it is no JSON";
    }
    memset(&answer, 0, sizeof(answer));
    error = parse_object(object, &answer, out_refused, pool);
    json_decref(object);
    if (error == NULL) {
        *out = answer;
    }
    return error;
}
