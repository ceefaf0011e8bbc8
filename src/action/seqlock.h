/* SPDX-License-Identifier: Apache-2.0
 *
 * A sequence lock: one writer that never waits, readers that notice when they
 * read in the middle of a write.  The number is odd while a write is under
 * way.  A writer that died leaves it odd; the next write mends it.
 *
 * Readers try a bounded number of times and never sleep, since they may run
 * in a request; what they copied is worthless unless amgr_seq_is_stable().
 */
#ifndef AMGR_SEQLOCK_H
#define AMGR_SEQLOCK_H

#include "base/base.h"

/** Copies a reader tries before it gives up with APR_EAGAIN. */
#define AMGR_SEQ_TRIES 64

/** Looks at an odd number before a try counts as failed: some microseconds,
 * so that all tries together outlast the longest write. */
#define AMGR_SEQ_SPINS 2000

static inline void amgr_seq_begin_write(apr_uint64_t *seq)
{
    apr_uint64_t value = __atomic_load_n(seq, __ATOMIC_RELAXED);

    /* After a writer that died: another odd number, not the same again. */
    value += value % 2 == 0 ? 1 : 2;
    __atomic_store_n(seq, value, __ATOMIC_RELAXED);
    /* Whoever sees any of the new data sees the odd number too. */
    __atomic_thread_fence(__ATOMIC_RELEASE);
}

static inline void amgr_seq_end_write(apr_uint64_t *seq)
{
    apr_uint64_t value = __atomic_load_n(seq, __ATOMIC_RELAXED);

    __atomic_store_n(seq, value + 1, __ATOMIC_RELEASE);
}

static inline void amgr_seq_pause(void)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#else
    __asm__ volatile("" ::: "memory");
#endif
}

/** Wait a little for an even number; odd when there was none. */
static inline apr_uint64_t amgr_seq_begin_read(const apr_uint64_t *seq)
{
    apr_uint64_t value = __atomic_load_n(seq, __ATOMIC_ACQUIRE);
    int i;

    for (i = 0; i < AMGR_SEQ_SPINS && value % 2 != 0; i++) {
        amgr_seq_pause();
        value = __atomic_load_n(seq, __ATOMIC_ACQUIRE);
    }
    return value;
}

/** Whether nothing was written since @a value was read. */
static inline int amgr_seq_is_stable(const apr_uint64_t *seq,
                                     apr_uint64_t value)
{
    /* The copy must be complete before the number is looked at again. */
    __atomic_thread_fence(__ATOMIC_ACQUIRE);
    return value % 2 == 0 && __atomic_load_n(seq, __ATOMIC_RELAXED) == value;
}

#endif
