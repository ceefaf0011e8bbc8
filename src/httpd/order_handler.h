/* SPDX-License-Identifier: Apache-2.0
 *
 * Orders to managed processes over HTTP, at the addresses of endpoints.h:
 *
 *   POST   /processes/NAME/start|stop|restart[?wait=SECONDS]
 *   DELETE /processes[?wait=SECONDS]
 *
 * What may be ordered is in this list and nowhere else; who may is httpd's
 * Require, ManagerControl, and order_proof.h.
 */
#ifndef AMGR_ORDER_HANDLER_H
#define AMGR_ORDER_HANDLER_H

#include "httpd/endpoints.h"

#include <httpd.h>

/** Obey @a order, or stop all where it is NULL, and answer; @a base_path is
 * where the page is, escaped for an address.  A handler's return value. */
int amgr_order_serve(request_rec *r, const amgr_endpoint_order_t *order,
                     const char *base_path);

/** Refuse what is below /processes/ as @a rest says and no order: 404. */
int amgr_order_refuse_unknown(request_rec *r, const char *rest,
                              const char *base_path);

#endif
