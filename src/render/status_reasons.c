/* SPDX-License-Identifier: Apache-2.0
 *
 * The limits of status.json beyond memory and time of one process.
 */
#include "model/words.h"
#include "render/status_parts.h"

/* A number of bytes or requests; null is off. */
static void put_limit(amgr_json_t *json, const char *key, apr_int64_t limit)
{
    amgr_json_key(json, key);
    if (limit == AMGR_LIMIT_OFF) {
        amgr_json_null(json);
    }
    else {
        amgr_json_i64(json, limit);
    }
}

static void put_span(amgr_json_t *json, const char *key,
                     apr_interval_time_t limit_us)
{
    amgr_json_key(json, key);
    amgr_json_seconds(json,
                      limit_us == AMGR_LIMIT_OFF ? AMGR_NO_TIME : limit_us);
}

static void put_lifetime(amgr_json_t *json, const amgr_jittered_t *lifetime)
{
    put_span(json, "max_lifetime_seconds", lifetime->limit);
    amgr_json_key(json, "max_lifetime_jitter_percent");
    amgr_json_i64(json, lifetime->jitter_percent);
}

static void put_signal(amgr_json_t *json, int number)
{
    const char *word = amgr_sections_signal_word(number);

    amgr_json_key(json, "ask_signal");
    if (word[0] == '\0') {
        amgr_json_null(json);
    }
    else {
        amgr_json_string(json, word);
    }
}

static void put_section(amgr_json_t *json, const amgr_limits_t *limits,
                        int index)
{
    const amgr_section_t *section = amgr_sections_get(limits, index);

    amgr_json_begin_object(json);
    amgr_json_key(json, "name");
    amgr_json_string(json, section->name);
    amgr_json_key(json, "role");
    amgr_json_string(json, amgr_role_word(section->role));
    put_limit(json, "max_memory_active_bytes",
              amgr_sections_active_bytes(limits, index));
    put_limit(json, "max_memory_idle_bytes",
              section->role == AMGR_ROLE_WORKER
                  ? amgr_sections_idle_bytes(limits, index)
                  : AMGR_LIMIT_OFF);
    put_limit(json, "hard_memory_bytes",
              amgr_sections_hard_bytes(limits, index));
    put_lifetime(json, amgr_sections_lifetime(limits, index));
    put_span(json, "grace_period_seconds",
             amgr_sections_grace_us(limits, index));
    put_signal(json, amgr_sections_ask_signal(limits, section->role, index));
    amgr_json_end_object(json);
}

void amgr_status_reasons(amgr_json_t *json, const amgr_view_t *view)
{
    const amgr_limits_t *limits = &view->config->limits;
    int i;

    put_limit(json, "hard_memory_bytes", limits->hard_memory_bytes);
    put_limit(json, "max_memory_total_bytes",
              amgr_reasons_total_bytes(limits, &view->snapshot->server));
    put_limit(json, "max_memory_total_percent",
              limits->max_memory_total_percent == 0
                  ? AMGR_LIMIT_OFF
                  : limits->max_memory_total_percent);
    put_limit(json, "max_requests", limits->max_requests.limit);
    amgr_json_key(json, "max_requests_jitter_percent");
    amgr_json_i64(json, limits->max_requests.jitter_percent);
    put_lifetime(json, &limits->max_lifetime_us);
    put_span(json, "max_generation_age_seconds", limits->max_generation_age_us);
    amgr_json_key(json, "groups");
    amgr_json_begin_array(json);
    for (i = 1; amgr_sections_get(limits, i) != NULL; i++) {
        put_section(json, limits, i);
    }
    amgr_json_end_array(json);
}
