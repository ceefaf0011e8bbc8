/* SPDX-License-Identifier: Apache-2.0
 *
 * The handler "manager-status": which URL gives which text, and the headers
 * that go with each.
 */
#ifndef AMGR_HANDLER_H
#define AMGR_HANDLER_H

#include <httpd.h>

int amgr_hook_handler(request_rec *r);

#endif
