/* SPDX-License-Identifier: Apache-2.0
 *
 * Parts of status.json that have a file of their own.
 */
#ifndef AMGR_STATUS_PARTS_H
#define AMGR_STATUS_PARTS_H

#include "render/json.h"
#include "render/view.h"

/** The members of "limits" that are about further reasons to retire, and about
 * groups. */
void amgr_status_reasons(amgr_json_t *json, const amgr_view_t *view);

#endif
