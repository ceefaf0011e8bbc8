/* SPDX-License-Identifier: Apache-2.0
 *
 * The ticker: a process of its own that ticks when the monitor hook's ten
 * seconds are too coarse.  Forked by the parent at every start and restart, so
 * it always has the new code, configuration and log; killed and reaped by the
 * parent before anybody else may tick.  It listens to nobody, but for orders at
 * the control socket (control.h): it has the parent's memory of the table of
 * children and of the board, and goes when the parent goes.
 *
 * All functions run in the parent.
 */
#ifndef AMGR_TICKER_H
#define AMGR_TICKER_H

#include "httpd/runtime.h"
#include "httpd/wsgi.h"

/** Fork a ticker, unless one is there or the last one ended a moment ago. */
void amgr_ticker_start(server_rec *s, amgr_runtime_t *runtime,
                       const amgr_wsgi_t *wsgi, apr_pool_t *pconf);

/** Have the MPM tell us when it reaps a ticker that outlived a restart. */
void amgr_ticker_register(amgr_runtime_t *runtime, apr_pool_t *pconf);

/**
 * Look after the ticker, from the monitor hook: one that is silent at two looks
 * is killed, one that is gone is noted.  Returns non-zero while a ticker
 * exists, which means: nobody else may tick.
 */
int amgr_ticker_check(server_rec *s, amgr_runtime_t *runtime);

/**
 * Kill the ticker and reap it; waits for a moment at most.  Returns non-zero
 * when it is gone.
 */
int amgr_ticker_stop(amgr_runtime_t *runtime);

#endif
