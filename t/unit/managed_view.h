/* SPDX-License-Identifier: Apache-2.0
 *
 * The prefork server of the writers' tests with managed processes beside it.
 */
#ifndef AMGR_MANAGED_VIEW_H
#define AMGR_MANAGED_VIEW_H

#include "invented_managed.h"
#include "render_view.h"

static amgr_managed_table_t managed_table;

/* One in every state, and whoever sees it may give orders. */
static inline void view_managed(fixed_view_t *fixed)
{
    view_prefork(fixed);
    invent_managed(&managed_table);
    fixed->view.managed = &managed_table;
    fixed->view.control_token = "1a2b3c";
}

/* All is well, and nobody may. */
static inline void view_managed_well(fixed_view_t *fixed)
{
    view_prefork(fixed);
    invent_healthy(&managed_table);
    fixed->view.managed = &managed_table;
}

/* Nobody watches them. */
static inline void view_unsupervised(fixed_view_t *fixed)
{
    view_managed_well(fixed);
    managed_table.supervisor = 0;
    amgr_managed_doubt(&managed_table, 0);
}

#endif
