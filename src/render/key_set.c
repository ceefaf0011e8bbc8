/* SPDX-License-Identifier: Apache-2.0
 *
 * See key_set.h.
 */
#include "render/key_set.h"

#include <string.h>

#include "base/hash.h"

#define ROOM_FIRST 256

/* 0 is no hash. */
static apr_uint64_t hash_of(const char *key, apr_size_t len)
{
    apr_uint64_t hash = AMGR_HASH_BEGIN;
    apr_size_t i;

    for (i = 0; i < len; i++) {
        unsigned char byte = (unsigned char)key[i];

        if (byte >= 'A' && byte <= 'Z') {
            byte |= 0x20;
        }
        hash = amgr_hash_add(hash, byte);
    }
    return hash != 0 ? hash : 1;
}

/* Where it is, or where it would have to be: there is always a free place. */
static apr_uint64_t *place_of(const amgr_key_set_t *set, apr_uint64_t hash)
{
    apr_size_t mask = (apr_size_t)set->room - 1;
    apr_size_t at = (apr_size_t)hash & mask;

    while (set->hashes[at] != 0 && set->hashes[at] != hash) {
        at = (at + 1) & mask;
    }
    return &set->hashes[at];
}

static void grow(amgr_key_set_t *set)
{
    const amgr_key_set_t before = *set;
    int i;

    set->room = before.room > 0 ? before.room * 2 : ROOM_FIRST;
    set->hashes =
        apr_pcalloc(set->pool, (apr_size_t)set->room * sizeof(set->hashes[0]));
    for (i = 0; i < before.room; i++) {
        if (before.hashes[i] != 0) {
            *place_of(set, before.hashes[i]) = before.hashes[i];
        }
    }
}

void amgr_key_set_init(amgr_key_set_t *set, apr_pool_t *p)
{
    memset(set, 0, sizeof(*set));
    set->pool = p;
}

int amgr_key_set_add(amgr_key_set_t *set, const char *key, apr_size_t len)
{
    apr_uint64_t hash = hash_of(key, len);
    apr_uint64_t *place;

    if (set->used >= AMGR_KEY_SET_MAX) {
        return 0;
    }
    /* Three quarters at most, so that ways stay short. */
    if (set->used >= set->room / 4 * 3) {
        grow(set);
    }
    place = place_of(set, hash);
    if (*place != 0) {
        return 0;
    }
    *place = hash;
    set->used++;
    return 1;
}
