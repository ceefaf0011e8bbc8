/* SPDX-License-Identifier: Apache-2.0
 *
 * Keys that have been there already, so that each passes once.  What is kept
 * of a key is a hash of 64 bits without regard to the case of letters, as some
 * programs read keys; two of one hash are taken for one key.  Bounded: a full
 * set takes every key for known.
 */
#ifndef AMGR_KEY_SET_H
#define AMGR_KEY_SET_H

#include <apr_pools.h>

#include "base/base.h"

/** More keys than any server has lines: some 10,000 members of balancers. */
#define AMGR_KEY_SET_MAX 65536

/** Begun by amgr_key_set_init(). */
typedef struct amgr_key_set_t {
    apr_pool_t *pool;
    apr_uint64_t *hashes; /**< open addressing; 0: nobody's place */
    int room;             /**< places, a power of two; 0: no key yet */
    int used;
} amgr_key_set_t;

/** Takes nothing of @a p before the first key, and then some 40 bytes a key at
 * most, in steps. */
void amgr_key_set_init(amgr_key_set_t *set, apr_pool_t *p);

/** Whether the key of these bytes is new; it is known from now on. */
int amgr_key_set_add(amgr_key_set_t *set, const char *key, apr_size_t len);

#endif
