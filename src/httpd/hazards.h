/* SPDX-License-Identifier: Apache-2.0
 *
 * What in the server's own set-up makes retiring workers dangerous or blind, or
 * ends managed processes.
 */
#ifndef AMGR_HAZARDS_H
#define AMGR_HAZARDS_H

#include <httpd.h>

/** Parent, at each start and restart: warn of each that is there. */
void amgr_hazards_check(server_rec *s);

#endif
