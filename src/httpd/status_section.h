/* SPDX-License-Identifier: Apache-2.0
 *
 * A section of our own on mod_status's page, by the hook that mod_status offers
 * for it.  Nothing of mod_status is needed: without it nobody calls the hook.
 */
#ifndef AMGR_STATUS_SECTION_H
#define AMGR_STATUS_SECTION_H

#include <httpd.h>
#include <apr_optional_hooks.h>
#include <mod_status.h>

/** At the registration of hooks, whatever the order of modules. */
void amgr_status_section_register(void);

/**
 * What another module has registered to add to mod_status's page, whether
 * mod_status is there or not: the first from place @a *at on, which is 0 at the
 * beginning and moved on; NULL after the last.
 */
ap_HOOK_status_hook_t *amgr_status_section_next(int *at);

#endif
