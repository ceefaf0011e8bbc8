/* SPDX-License-Identifier: Apache-2.0
 *
 * Managed processes as a child of httpd tells them: what the supervisor has
 * published, and what this child's configuration has and no supervisor has
 * taken up yet, since it was forked a moment ago, cannot be forked, or has yet
 * to hear of a restart.  Without them nobody would wait for anything.
 */
#ifndef AMGR_MANAGED_TABLE_H
#define AMGR_MANAGED_TABLE_H

#include <apr_pools.h>

#include "model/managed.h"

/** Add to @a table, which may have no row, what it lacks. */
void amgr_managed_table_complete(amgr_managed_table_t *table);

/** The same for one that is not to be changed, or NULL where nothing is
 * published: @a table itself where it lacks nothing, else a copy from @a p. */
const amgr_managed_table_t *
amgr_managed_table_completed(const amgr_managed_table_t *table, apr_pool_t *p);

#endif
