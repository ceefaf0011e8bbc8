/* SPDX-License-Identifier: Apache-2.0
 *
 * pymanager's addresses, where ManagerControl says pymanager: its clients find
 * what they know, and nothing else is there.
 *
 *   GET    /            the processes
 *   GET    /status      the state of all of them
 *   POST   /restart/ID  restart one, and wait until that is over
 *   DELETE /            stop them all
 */
#ifndef AMGR_PYMANAGER_H
#define AMGR_PYMANAGER_H

#include <httpd.h>

/** Answer the request for @a path, which is below the handler's place and
 * begins with a slash or is empty; NULL: that place is not known, and there is
 * nothing to be had.  A handler's return value. */
int amgr_pymanager_serve(request_rec *r, const char *path);

#endif
