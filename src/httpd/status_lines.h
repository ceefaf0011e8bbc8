/* SPDX-License-Identifier: Apache-2.0
 *
 * What other modules add to mod_status's `?auto`: members of balancers, session
 * caches, certificates.  They write straight to the request; here it is caught
 * and put where it belongs.
 */
#ifndef AMGR_STATUS_LINES_H
#define AMGR_STATUS_LINES_H

#include "base/sink.h"

/** At the registration of hooks. */
void amgr_status_lines_register(void);

/**
 * Put the lines of other modules, as far as render/auto_lines.h lets them
 * through; as a view wants it, @a baton is the request.  In a child.
 */
void amgr_status_lines_write(void *baton, amgr_sink_t *sink);

#endif
