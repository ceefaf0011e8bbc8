/* SPDX-License-Identifier: Apache-2.0
 *
 * The part of status.json that tells what was seen before a retirement.
 */
#ifndef AMGR_STATUS_EVIDENCE_H
#define AMGR_STATUS_EVIDENCE_H

#include "render/json.h"
#include "render/view.h"

/** The value of kills[].evidence; null when @a evidence is NULL. */
void amgr_write_evidence_json(const amgr_view_t *view, amgr_json_t *json,
                              const amgr_evidence_t *evidence);

#endif
