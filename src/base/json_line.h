/* SPDX-License-Identifier: Apache-2.0
 *
 * A strict reader of one line that is one flat JSON object, for orders from
 * outside: words, whole numbers and true or false, under names that are known.
 * Whatever else there is, is an error, so that nothing that was asked for is
 * dropped in silence.  Pure; allocates nothing.
 *
 * Less than JSON: the texts are printable ASCII without a backslash, there is
 * no null, no nesting, no fraction and no exponent.
 */
#ifndef AMGR_JSON_LINE_H
#define AMGR_JSON_LINE_H

#include "base/base.h"

#define AMGR_JSON_WORD_LEN 64 /**< bytes of a text, with the NUL */

typedef enum amgr_json_type_e {
    AMGR_JSON_WORD = 0,
    AMGR_JSON_NUMBER, /**< whole, from the member's least to its most */
    AMGR_JSON_SWITCH  /**< true or false */
} amgr_json_type_e;

/** A member that there may be, and what it is. */
typedef struct amgr_json_member_t {
    const char *name;
    int type;          /**< amgr_json_type_e */
    apr_int64_t least; /**< of a number; at least 0 */
    apr_int64_t most;
    int given;          /**< it is there; 0 for all of them on failure */
    apr_int64_t number; /**< of a switch 1 or 0 */
    char word[AMGR_JSON_WORD_LEN];
} amgr_json_member_t;

/**
 * Read @a len bytes, which need no NUL, into @a members.  NULL on success;
 * else what is wrong, of *out_wrong where that is not NULL.
 */
const char *amgr_json_line_parse(const char *text, apr_size_t len,
                                 amgr_json_member_t *members, int count,
                                 const amgr_json_member_t **out_wrong);

#endif
