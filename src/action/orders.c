/* SPDX-License-Identifier: Apache-2.0
 *
 * See orders.h.  Each order is one word, so that it is never seen half; the
 * serial number is raised after the words are in place.  Threads sleep in a
 * futex on the serial number, each behind one bit of a mask that its pid gives,
 * so that an order for one process wakes few others (futex(2),
 * FUTEX_WAIT_BITSET; a read-only mapping will do for both sides).
 */
#include "action/orders.h"

#include <linux/futex.h>
#include <limits.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "action/board_layout.h"

/** An order: the pid in the lower half, then what, then how often. */
#define KIND_SHIFT 32
#define COUNT_SHIFT 40
#define COUNT_MASK 0xff

const amgr_orders_t amgr_orders_none = {0, 0, 0, 0, {}};

apr_size_t amgr_orders_size(int max)
{
    return sizeof(amgr_orders_t) + (apr_size_t)max * sizeof(apr_uint64_t);
}

void amgr_orders_init(amgr_orders_t *orders, int max)
{
    orders->max = max;
}

const amgr_orders_t *amgr_board_orders(const amgr_board_t *board)
{
    return amgr_board_at(board, board->at.orders);
}

static int order_of(const amgr_process_t *process,
                    const amgr_ledger_process_t *entry)
{
    if (process->role != AMGR_ROLE_WORKER || entry == NULL) {
        return AMGR_ORDER_NONE;
    }
    switch (entry->step) {
    case AMGR_STEP_ANNOUNCE:
        return AMGR_ORDER_LAME_DUCK;
    case AMGR_STEP_ASK:
        return AMGR_ORDER_DRAIN;
    default:
        return AMGR_ORDER_NONE;
    }
}

static apr_uint64_t encode(pid_t pid, int order, int count)
{
    return (apr_uint64_t)(apr_uint32_t)pid | (apr_uint64_t)order << KIND_SHIFT |
           (apr_uint64_t)(count & COUNT_MASK) << COUNT_SHIFT;
}

static apr_uint32_t bit_of(pid_t pid)
{
    return UINT32_C(1) << ((apr_uint32_t)pid % 32);
}

static void wake(const amgr_orders_t *orders, apr_uint32_t bits)
{
    syscall(SYS_futex, &orders->serial, FUTEX_WAKE_BITSET, INT_MAX, NULL, NULL,
            bits);
}

/* Put a word in its place; the bit to wake when it is another than before. */
static apr_uint32_t put(amgr_orders_t *orders, int place, apr_uint64_t word)
{
    if (__atomic_load_n(&orders->order[place], __ATOMIC_RELAXED) == word) {
        return 0;
    }
    __atomic_store_n(&orders->order[place], word, __ATOMIC_RELAXED);
    return bit_of((pid_t)(apr_uint32_t)word);
}

void amgr_orders_publish(amgr_board_t *board, const amgr_snapshot_t *snapshot)
{
    amgr_orders_t *orders = amgr_board_at_rw(board, board->at.orders);
    amgr_ledger_t *ledger = amgr_board_ledger(board);
    apr_uint32_t bits = 0;
    int count = 0;
    int i;

    for (i = 0; i < snapshot->process_count && count < orders->max; i++) {
        const amgr_process_t *process = &snapshot->processes[i];
        const amgr_ledger_process_t *entry;
        int order;

        if (process->state != AMGR_STATE_RETIRING) {
            continue;
        }
        entry = amgr_ledger_find(ledger, &process->id);
        order = order_of(process, entry);
        if (order != AMGR_ORDER_NONE) {
            bits |= put(orders, count++,
                        encode(process->id.pid, order, entry->asks));
        }
    }
    if (bits == 0 && count == orders->count) {
        return;
    }
    __atomic_store_n(&orders->count, count, __ATOMIC_RELAXED);
    __atomic_fetch_add(&orders->serial, 1, __ATOMIC_RELEASE);
    if (bits != 0) {
        wake(orders, bits);
    }
}

int amgr_orders_find(const amgr_orders_t *orders, pid_t self, int *out_count)
{
    int count = __atomic_load_n(&orders->count, __ATOMIC_RELAXED);
    int i;

    for (i = 0; i < count && i < orders->max; i++) {
        apr_uint64_t word =
            __atomic_load_n(&orders->order[i], __ATOMIC_RELAXED);

        if ((pid_t)(apr_uint32_t)word == self) {
            if (out_count != NULL) {
                *out_count = (int)(word >> COUNT_SHIFT & COUNT_MASK);
            }
            return (int)(word >> KIND_SHIFT & 0xff);
        }
    }
    return AMGR_ORDER_NONE;
}

void amgr_orders_wait(const amgr_orders_t *orders, apr_uint32_t serial,
                      pid_t self)
{
    syscall(SYS_futex, &orders->serial, FUTEX_WAIT_BITSET, serial, NULL, NULL,
            bit_of(self));
}

void amgr_orders_wake(const amgr_orders_t *orders, pid_t pid)
{
    wake(orders, bit_of(pid));
}
