/* SPDX-License-Identifier: Apache-2.0
 *
 * The JSON writer.  Everything goes straight to the sink; the only state is
 * which levels already have a member.  No printf: a status of 20,000 slots
 * writes half a million values.
 */
#include "render/json.h"

#include <math.h>
#include <string.h>

#include "base/escape.h"
#include "base/units.h"

#define SEPARATOR_MAX 2
#define LINE_DEPTH 2 /* members down to this level begin a line */

void amgr_json_init(amgr_json_t *json, amgr_sink_t *sink)
{
    memset(json, 0, sizeof(*json));
    json->sink = sink;
}

/* What stands between the previous member and this value or key: at most two
 * characters, behind which @a at then is. */
static inline char *add_separator(amgr_json_t *json, char *at)
{
    int level = json->depth - 1;

    if (json->after_key) {
        json->after_key = 0;
        return at;
    }
    if (level < 0 || level >= AMGR_JSON_DEPTH_MAX) {
        return at;
    }
    if (json->filled[level]) {
        *at++ = ',';
    }
    json->filled[level] = 1;
    if (json->depth <= LINE_DEPTH) {
        *at++ = '\n';
    }
    return at;
}

static inline void separate(amgr_json_t *json)
{
    char text[SEPARATOR_MAX];
    const char *stop = add_separator(json, text);

    if (stop > text) {
        amgr_sink_put(json->sink, text, (apr_size_t)(stop - text));
    }
}

static void begin(amgr_json_t *json, char bracket)
{
    separate(json);
    amgr_sink_putc(json->sink, bracket);
    if (json->depth >= AMGR_JSON_DEPTH_MAX) {
        if (json->sink->status == APR_SUCCESS) {
            json->sink->status = APR_EINVAL;
        }
    }
    else {
        json->filled[json->depth] = 0;
    }
    json->depth++;
}

static void end(amgr_json_t *json, char bracket)
{
    json->depth--;
    if (json->depth >= 0 && json->depth < LINE_DEPTH &&
        json->filled[json->depth]) {
        amgr_sink_putc(json->sink, '\n');
    }
    amgr_sink_putc(json->sink, bracket);
}

void amgr_json_begin_object(amgr_json_t *json)
{
    begin(json, '{');
}

void amgr_json_end_object(amgr_json_t *json)
{
    end(json, '}');
}

void amgr_json_begin_array(amgr_json_t *json)
{
    begin(json, '[');
}

void amgr_json_end_array(amgr_json_t *json)
{
    end(json, ']');
}

void amgr_json_key(amgr_json_t *json, const char *name)
{
    apr_size_t len = strlen(name);
    char *at = amgr_sink_reserve(json->sink, SEPARATOR_MAX + len + 3);

    if (at != NULL) {
        at = add_separator(json, at);
        *at++ = '"';
        memcpy(at, name, len);
        at += len;
        *at++ = '"';
        *at++ = ':';
        amgr_sink_commit(json->sink, at);
    }
    else {
        separate(json);
        amgr_sink_putc(json->sink, '"');
        amgr_sink_put(json->sink, name, len);
        amgr_sink_put(json->sink, "\":", 2);
    }
    json->after_key = 1;
}

void amgr_json_null(amgr_json_t *json)
{
    separate(json);
    amgr_sink_put(json->sink, "null", 4);
}

void amgr_json_bool(amgr_json_t *json, int value)
{
    separate(json);
    amgr_sink_puts(json->sink, value ? "true" : "false");
}

void amgr_json_string(amgr_json_t *json, const char *text)
{
    apr_size_t len = amgr_escape_plain_len(text);
    char *at = amgr_sink_reserve(json->sink, SEPARATOR_MAX + len + 2);

    /* Nearly every text, in one piece. */
    if (at != NULL && text[len] == '\0') {
        at = add_separator(json, at);
        *at++ = '"';
        memcpy(at, text, len);
        at += len;
        *at++ = '"';
        amgr_sink_commit(json->sink, at);
        return;
    }
    separate(json);
    amgr_sink_putc(json->sink, '"');
    amgr_escape_json(json->sink, text);
    amgr_sink_putc(json->sink, '"');
}

void amgr_json_i64(amgr_json_t *json, apr_int64_t value)
{
    separate(json);
    amgr_sink_i64(json->sink, value);
}

void amgr_json_u64(amgr_json_t *json, apr_uint64_t value)
{
    if (value == AMGR_UNKNOWN) {
        amgr_json_null(json);
        return;
    }
    separate(json);
    amgr_sink_u64(json->sink, value);
}

void amgr_json_double(amgr_json_t *json, double value)
{
    char text[AMGR_UNITS_LEN];

    if (!isfinite(value)) {
        amgr_json_null(json);
        return;
    }
    separate(json);
    amgr_sink_puts(json->sink, amgr_double_format(value, text, sizeof(text)));
}

void amgr_json_millionths(amgr_json_t *json, apr_int64_t millionths)
{
    char digits[8];
    apr_int64_t rest;
    int len;

    if (millionths < 0) {
        amgr_json_null(json);
        return;
    }
    separate(json);
    amgr_sink_u64(json->sink, (apr_uint64_t)(millionths / 1000000));
    rest = millionths % 1000000;
    if (rest == 0) {
        amgr_sink_put(json->sink, ".0", 2);
        return;
    }
    digits[0] = '.';
    for (len = 6; len > 0; len--) {
        digits[len] = (char)('0' + rest % 10);
        rest /= 10;
    }
    len = 6;
    while (len > 1 && digits[len] == '0') {
        len--;
    }
    amgr_sink_put(json->sink, digits, (apr_size_t)len + 1);
}

void amgr_json_seconds(amgr_json_t *json, apr_time_t us)
{
    amgr_json_millionths(json, us);
}
