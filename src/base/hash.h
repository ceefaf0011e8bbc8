/* SPDX-License-Identifier: Apache-2.0
 *
 * FNV-1a, 64 bits: tells texts apart that nobody has chosen to look alike.
 */
#ifndef AMGR_HASH_H
#define AMGR_HASH_H

#include "base/base.h"

/** Of no bytes. */
#define AMGR_HASH_BEGIN APR_UINT64_C(0xcbf29ce484222325)

/** The hash of all before, and of @a byte behind them. */
static inline apr_uint64_t amgr_hash_add(apr_uint64_t hash, unsigned char byte)
{
    return (hash ^ byte) * APR_UINT64_C(0x100000001b3);
}

#endif
