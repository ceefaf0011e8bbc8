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
    int is_unpaired;  /**< the page is of other processes: it counts only where
                          it agrees with the children */
    int is_ambiguous; /**< out: there are more forks than workers, and which of
                           them are is a guess */
    int is_guessed;   /**< out: of that: workers without a row are a guess,
                           good for counting them alone */
    int strangers; /**< out: rows of processes that are no children, left out */
} amgr_mod_status_processes_t;

/** Whether the rows are of the children: at least half of them are, since a
 * row stays for no longer than its process.  Those of another server are of
 * none, and so are those of a server in another pid namespace. */
int amgr_mod_status_is_paired(const amgr_mod_status_processes_t *from);

/** Put them into the snapshot of @a blank, whose server is there already, in
 * place of those of an earlier call. */
void amgr_mod_status_processes(amgr_mod_status_processes_t *from,
                               amgr_source_blank_t *blank);

#endif
