/* SPDX-License-Identifier: Apache-2.0
 *
 * What other modules have to do with retirements: our side of
 * mod_apache_manager.h.
 */
#ifndef AMGR_OTHERS_H
#define AMGR_OTHERS_H

#include "action/record.h"
#include "httpd/mod_apache_manager.h"

/** Offer the optional function; at the registration of hooks. */
void amgr_others_register(void);

/** Ticking process: whether some module vetoes the retirement that @a record,
 * filled in and not carried out, is of. */
int amgr_others_veto(const amgr_record_t *record);

/** Ticking process: tell them of a step or an end. */
void amgr_others_tell(const amgr_record_t *record, int stage);

#endif
