/* SPDX-License-Identifier: Apache-2.0
 *
 * What the board says of the server beside its ticks, for readers that are not
 * its children and know nothing of its configuration: where it listens, since
 * when it runs, and what a page would say of its settings.
 */
#ifndef AMGR_SERVER_ABOUT_H
#define AMGR_SERVER_ABOUT_H

#include "httpd/runtime.h"

/** Parent, at each reading of the configuration, once the data file is known;
 * and again as soon as the start has been noted. */
void amgr_server_about_publish(const amgr_runtime_t *runtime);

#endif
