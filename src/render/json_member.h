/* SPDX-License-Identifier: Apache-2.0
 *
 * Members of an object: a key and its value in one, for the writers of JSON.
 */
#ifndef AMGR_JSON_MEMBER_H
#define AMGR_JSON_MEMBER_H

#include "render/json.h"

static inline void put_u64(amgr_json_t *json, const char *key,
                           apr_uint64_t value)
{
    amgr_json_key(json, key);
    amgr_json_u64(json, value);
}

static inline void put_bool(amgr_json_t *json, const char *key, int value)
{
    amgr_json_key(json, key);
    amgr_json_bool(json, value);
}

static inline void put_string(amgr_json_t *json, const char *key,
                              const char *text)
{
    amgr_json_key(json, key);
    amgr_json_string(json, text);
}

/** Text that is empty when it is not known, must not be shown, or there is
 * none: null then. */
static inline void put_text(amgr_json_t *json, const char *key,
                            const char *text)
{
    amgr_json_key(json, key);
    if (text[0] == '\0') {
        amgr_json_null(json);
    }
    else {
        amgr_json_string(json, text);
    }
}

#endif
