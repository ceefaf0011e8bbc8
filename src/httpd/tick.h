/* SPDX-License-Identifier: Apache-2.0
 *
 * The tick: collect, judge, act, publish, in this order, each from the result
 * of the one before.  Runs in the httpd parent (monitor hook) or in the
 * ticker, never in both.
 */
#ifndef AMGR_TICK_H
#define AMGR_TICK_H

#include "httpd/collect.h"

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

/** Between ticks, in the ticker: look after the programs it started. */
void amgr_tick_between(amgr_tick_t *tick);

/** While no tick is due: keep the data file, and the counters that follow CPU
 * time and requests, from growing old where ticks are rare.  Allocates
 * nothing. */
void amgr_tick_refresh(amgr_tick_t *tick);

/** The ticker ends, and they with it. */
void amgr_tick_leave(const amgr_tick_t *tick);

#endif
