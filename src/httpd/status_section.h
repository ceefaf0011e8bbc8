/* SPDX-License-Identifier: Apache-2.0
 *
 * A section of our own on mod_status's page, by the hook that mod_status offers
 * for it.  Nothing of mod_status is needed: without it nobody calls the hook.
 */
#ifndef AMGR_STATUS_SECTION_H
#define AMGR_STATUS_SECTION_H

#include <httpd.h>

/** At the registration of hooks, whatever the order of modules. */
void amgr_status_section_register(void);

/**
 * Let every other module write to @a r what it adds to mod_status's `?auto`,
 * whether mod_status is there or not.
 */
void amgr_status_section_run_others(request_rec *r);

/** Whether there is another module with something to add. */
int amgr_status_section_has_others(void);

#endif
