/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading JSON that somebody else wrote: members by name, each of the type and
 * within the range that it must have.  The first that is not is noted, and
 * from then on every answer is one of nothing known, so that readers need no
 * checks of their own and ask once, at the end.
 *
 * null is "not known" where this says so, and a fault elsewhere.  Members that
 * nobody asks for are ignored.
 */
#ifndef AMGR_JSON_MEMBERS_H
#define AMGR_JSON_MEMBERS_H

#include <apr_pools.h>
#include <jansson.h>

#include "base/base.h"

typedef struct amgr_members_t {
    const char *fault; /**< the first, a phrase without our words for whose it
                            is: "member \"pid\" is no number"; NULL: none */
    apr_pool_t *pool;  /**< for that */
} amgr_members_t;

/**
 * Read a whole text; NULL and a fault when it is none, or has more in it than
 * any of ours: what is read takes up to a hundred times its own memory.  An
 * object or an array, to be given back by json_decref().
 */
json_t *amgr_members_parse(amgr_members_t *members, const char *text,
                           apr_size_t length);

/** Note a fault, unless there is one. */
void amgr_members_fail(amgr_members_t *members, const char *key,
                       const char *what);

/* In all that follow @a from may be NULL, which has nothing. */

const json_t *amgr_members_object(amgr_members_t *members, const json_t *from,
                                  const char *key);
const json_t *amgr_members_array(amgr_members_t *members, const json_t *from,
                                 const char *key);
/** The same where null stands for none. */
const json_t *amgr_members_object_or_null(amgr_members_t *members,
                                          const json_t *from, const char *key);

/** The object at this place of an array. */
const json_t *amgr_members_at(amgr_members_t *members, const json_t *array,
                              apr_size_t index);

/** An amount, at least 0; null is AMGR_UNKNOWN, and more than fits the most
 * that does. */
apr_uint64_t amgr_members_u64(amgr_members_t *members, const json_t *from,
                              const char *key);

/** A whole number in this range. */
apr_int64_t amgr_members_whole(amgr_members_t *members, const json_t *from,
                               const char *key, apr_int64_t min,
                               apr_int64_t max);

/** The same; null is @a none. */
apr_int64_t amgr_members_whole_or(amgr_members_t *members, const json_t *from,
                                  const char *key, apr_int64_t min,
                                  apr_int64_t max, apr_int64_t none);

int amgr_members_bool(amgr_members_t *members, const json_t *from,
                      const char *key);

/** Seconds, at least 0, in microseconds; null is AMGR_NO_TIME, and more than
 * fits the most that does. */
apr_time_t amgr_members_time(amgr_members_t *members, const json_t *from,
                             const char *key);

/** A finite number, at least 0; null is -1. */
double amgr_members_rate(amgr_members_t *members, const json_t *from,
                         const char *key);

/** Text, cut to @a size between two characters; null is "". */
void amgr_members_text(amgr_members_t *members, const json_t *from,
                       const char *key, char *buf, apr_size_t size);

/** The number of a word, of those from @a first to below @a count that
 * @a word_of tells. */
int amgr_members_word(amgr_members_t *members, const json_t *from,
                      const char *key, const char *(*word_of)(int), int first,
                      int count);

/** The same; null is @a none. */
int amgr_members_word_or(amgr_members_t *members, const json_t *from,
                         const char *key, const char *(*word_of)(int),
                         int first, int count, int none);

/** A member of an array as amgr_members_u64() and amgr_members_time() take
 * one, and as a number that null is -1 for. */
apr_uint64_t amgr_members_u64_at(amgr_members_t *members, const json_t *array,
                                 apr_size_t index);
apr_time_t amgr_members_time_at(amgr_members_t *members, const json_t *array,
                                apr_size_t index);
double amgr_members_rate_at(amgr_members_t *members, const json_t *array,
                            apr_size_t index);

#endif
