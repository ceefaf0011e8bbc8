/* SPDX-License-Identifier: Apache-2.0
 *
 * Which groups the metrics file has, and by what names: asked by whoever
 * announces them, so that nothing is announced that the file does not have.
 */
#ifndef AMGR_METRICS_TXT_H
#define AMGR_METRICS_TXT_H

#include "render/view.h"

/** What the file calls the group of the workers, which it always has first. */
#define AMGR_METRICS_NATIVE "native"

/**
 * The indices of the groups behind the workers', in the order of the file:
 * the WSGI groups with a known size, by the code points of their names.
 * Returns how many there are.
 */
int amgr_metrics_groups(const amgr_snapshot_t *snapshot,
                        int order[AMGR_GROUPS_MAX]);

/**
 * A group's @a name as a column: valid UTF-8 in which nothing can end the
 * column or the line; what could is a question mark.
 */
void amgr_metrics_column(const char *name, char column[AMGR_GROUP_NAME_LEN]);

#endif
