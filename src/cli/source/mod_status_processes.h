/* SPDX-License-Identifier: Apache-2.0
 *
 * The processes of a server that has mod_status alone: those of its page, or
 * the kernel's children of its parent with what the page says of them.
 */
#ifndef AMGR_MOD_STATUS_PROCESSES_H
#define AMGR_MOD_STATUS_PROCESSES_H

#include <apr_tables.h>

#include "cli/source/source_blank.h"
#include "cli/source/mod_status_text.h"

typedef struct amgr_mod_status_processes_t {
    const amgr_mod_status_text_t *told;
    const apr_array_header_t
        *rows; /**< of amgr_mod_status_row_t by pid; NULL: what
                                         workers do is not told */
    const apr_array_header_t *children; /**< of amgr_local_child_t by pid; NULL:
                                             nobody can check the page */
    int is_ambiguous; /**< out: there are more forks than workers, and which of
                           them are is a guess */
    int strangers; /**< out: rows of processes that are no children, left out */
} amgr_mod_status_processes_t;

/** Put them into the snapshot of @a blank, whose server is there already, in
 * place of those of an earlier call. */
void amgr_mod_status_processes(amgr_mod_status_processes_t *from,
                               amgr_source_blank_t *blank);

#endif
