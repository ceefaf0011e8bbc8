/* SPDX-License-Identifier: Apache-2.0
 *
 * A streaming JSON writer over the text sink.  Keeps track of commas by a
 * small stack of its own, allocates nothing, and turns what is not known into
 * null.  The caller keeps objects and arrays balanced; a nesting deeper than
 * AMGR_JSON_DEPTH_MAX stops the sink with APR_EINVAL.
 *
 * Each member of the two outermost levels begins a line, for people and for
 * tools that read by line; the rest is written without white space.
 */
#ifndef AMGR_JSON_H
#define AMGR_JSON_H

#include "base/sink.h"

#define AMGR_JSON_DEPTH_MAX 16

typedef struct amgr_json_t {
    amgr_sink_t *sink;
    int depth;
    int after_key;                       /**< a value belongs to this key */
    char filled[AMGR_JSON_DEPTH_MAX];    /**< the level has a member */
} amgr_json_t;

void amgr_json_init(amgr_json_t *json, amgr_sink_t *sink);

void amgr_json_begin_object(amgr_json_t *json);
void amgr_json_end_object(amgr_json_t *json);
void amgr_json_begin_array(amgr_json_t *json);
void amgr_json_end_array(amgr_json_t *json);

/** The name of the next value, a plain word of ours: not escaped. */
void amgr_json_key(amgr_json_t *json, const char *name);

void amgr_json_null(amgr_json_t *json);
void amgr_json_bool(amgr_json_t *json, int value);
void amgr_json_string(amgr_json_t *json, const char *text);
void amgr_json_i64(amgr_json_t *json, apr_int64_t value);

/** AMGR_UNKNOWN becomes null. */
void amgr_json_u64(amgr_json_t *json, apr_uint64_t value);

/** NaN and infinities become null. */
void amgr_json_double(amgr_json_t *json, double value);

/** Millionths of a number with a fraction of one to six digits, exactly; a
 * negative one becomes null. */
void amgr_json_millionths(amgr_json_t *json, apr_int64_t millionths);

/** Microseconds as seconds, likewise (AMGR_NO_TIME becomes null). */
void amgr_json_seconds(amgr_json_t *json, apr_time_t us);

#endif
