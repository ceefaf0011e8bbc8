/* SPDX-License-Identifier: Apache-2.0
 *
 * The handler "manager-status": which URL gives which text, and the headers
 * that go with each.
 */
#ifndef AMGR_HANDLER_H
#define AMGR_HANDLER_H

#include <httpd.h>
#include <http_core.h>

/** Whether a section of the configuration sets our handler, for @a r. */
int amgr_handler_is_set(request_rec *r, const core_dir_config *section);

int amgr_hook_handler(request_rec *r);

#endif
