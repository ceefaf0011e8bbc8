/* SPDX-License-Identifier: Apache-2.0
 *
 * The tick: collect, judge, act, publish, in this order, each from the result
 * of the one before.  Runs in the httpd parent (monitor hook) or in the
 * ticker, never in both.
 */
#ifndef AMGR_TICK_H
#define AMGR_TICK_H

#include "action/record.h"
#include "httpd/collect.h"
#include "policy/demand.h"

typedef struct amgr_tick_t amgr_tick_t;

/**
 * Ready to tick, in the process that will.  The record comes from @a p, which
 * must live as long; the big tables do not.  NULL without memory.
 */
amgr_tick_t *amgr_tick_create(server_rec *s, amgr_runtime_t *runtime,
                              const amgr_wsgi_t *wsgi, int in_ticker,
                              apr_pool_t *p);
/** Before a tick of one that others may have ticked in between: take up what
 * they left. */
void amgr_tick_resume(amgr_tick_t *tick);

void amgr_tick_destroy(amgr_tick_t *tick);

/** One tick.  Allocates nothing. */
void amgr_tick_run(amgr_tick_t *tick);

/** Somebody's order, what the tick tells of it, and who hears what becomes of
 * each process that it is about. */
typedef struct amgr_tick_order_t {
    const amgr_demand_t *demand; /**< NULL: look, and retire nobody by order */
    /** @a vetoed: another module does not want it, and nothing was done. */
    void (*tell)(void *data, const amgr_record_t *record, int vetoed);
    void *data;
    int workers;        /**< out: processes that an order can be about */
    apr_time_t time_us; /**< out: wall, when they were looked at */
    int granted;        /**< the tick's own: that are retired so far */
} amgr_tick_order_t;

/**
 * A tick now, between two that are due, in the ticker: the standing judgement
 * first, then the order's.  Returns 0 when the server could not be looked at;
 * then nothing was retired.
 */
int amgr_tick_obey(amgr_tick_t *tick, amgr_tick_order_t *order);

/** Whether something that was ordered is under way and wants to be seen to
 * sooner than at the next tick that is due. */
int amgr_tick_is_urgent(const amgr_tick_t *tick, apr_time_t now_us);

/** Between ticks, in the ticker: look after the programs it started. */
void amgr_tick_between(amgr_tick_t *tick);

/** While no tick is due: keep the data file, and the counters that follow CPU
 * time and requests, from growing old where ticks are rare.  Allocates
 * nothing. */
void amgr_tick_refresh(amgr_tick_t *tick);

/** The ticker ends, and they with it. */
void amgr_tick_leave(const amgr_tick_t *tick);

#endif
