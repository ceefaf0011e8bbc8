/* SPDX-License-Identifier: Apache-2.0
 *
 * Orders: what the ticking process tells workers, on the board, which they can
 * read and not write.  One word for each process that is being retired, found
 * by its pid; a serial number that changes with every order, which a thread
 * can sleep on and a request can test.
 *
 * An order whose process has gone stays until the next tick.  Should its pid
 * be another worker's by then, that one finishes and goes: no request is lost.
 */
#ifndef AMGR_ORDERS_H
#define AMGR_ORDERS_H

#include "action/board.h"

/** What a worker is told. */
typedef enum amgr_order_e {
    AMGR_ORDER_NONE = 0,
    AMGR_ORDER_LAME_DUCK, /**< ask clients to connect anew next time */
    AMGR_ORDER_DRAIN,     /**< stop taking connections, finish, go */
    AMGR_ORDER_COUNT
} amgr_order_e;

typedef struct amgr_orders_t {
    apr_uint32_t serial;
    apr_int32_t count; /**< words in use */
    apr_int32_t max;
    apr_int32_t reserved;
    apr_uint64_t order[]; /**< see orders.c */
} amgr_orders_t;

/** Orders that never hold any: for a process without a board. */
extern const amgr_orders_t amgr_orders_none;

/** The orders of a board, for any process that has it mapped. */
const amgr_orders_t *amgr_board_orders(const amgr_board_t *board);

/** Bytes that the orders for @a max processes need. */
apr_size_t amgr_orders_size(int max);

/** Lay out empty orders over @a memory of that size. */
void amgr_orders_init(amgr_orders_t *orders, int max);

/**
 * Ticking process: make the orders those of the retirements in @a ledger, and
 * wake the threads of workers whose order changed.  Only worker processes get
 * any.
 */
void amgr_orders_publish(amgr_board_t *board, const amgr_snapshot_t *snapshot);

/** A number that differs from the last one when any order may have.  Here, and
 * not in orders.c, for the sake of every request that tests it. */
static inline apr_uint32_t amgr_orders_serial(const amgr_orders_t *orders)
{
    return __atomic_load_n(&orders->serial, __ATOMIC_ACQUIRE);
}

/** Worker: the order for @a self; @a out_count (or NULL) tells how often it
 * was given. */
int amgr_orders_find(const amgr_orders_t *orders, pid_t self, int *out_count);

/** Worker: sleep until the serial is no longer @a serial, or somebody calls
 * amgr_orders_wake(), or for no reason. */
void amgr_orders_wait(const amgr_orders_t *orders, apr_uint32_t serial,
                      pid_t self);

/** Wake who sleeps as @a pid, and with it perhaps others, to no harm. */
void amgr_orders_wake(const amgr_orders_t *orders, pid_t pid);

#endif
