/* SPDX-License-Identifier: Apache-2.0
 *
 * The processes that the server's manager runs beside it.  No module has any
 * so far; a server without the module cannot be asked.
 */
#include "cli/output.h"
#include "cli/tasks.h"

const amgr_fault_t *amgr_task_processes(const amgr_source_t *source,
                                        apr_pool_t *pool)
{
    if (source->kind != AMGR_SOURCE_BOARD &&
        source->kind != AMGR_SOURCE_STATUS_JSON) {
        return amgr_fault_make(
            pool, AMGR_EXIT_FAILED,
            "managed processes are not known: mod_apache_manager alone tells "
            "of them, and %s is not of it",
            amgr_fault_quote(pool, source->name));
    }
    amgr_sink_puts(amgr_output(), "No managed processes.\n");
    return amgr_output_flush(pool);
}
