/* SPDX-License-Identifier: Apache-2.0
 *
 * A section of our own on mod_status's page, by the hook that mod_status offers
 * for it.  Nothing of mod_status is needed: without it nobody calls the hook.
 */
#ifndef AMGR_STATUS_SECTION_H
#define AMGR_STATUS_SECTION_H

/** At the registration of hooks, whatever the order of modules. */
void amgr_status_section_register(void);

#endif
