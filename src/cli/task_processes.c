/* SPDX-License-Identifier: Apache-2.0
 *
 * The processes that the server's manager runs beside it; a server without the
 * module cannot be asked.
 */
#include "cli/managed_text.h"
#include "cli/output.h"
#include "cli/tasks.h"

const amgr_fault_t *amgr_task_processes(const amgr_options_t *options,
                                        const amgr_source_t *source,
                                        apr_pool_t *pool)
{
    const amgr_view_t *view = &source->view;
    amgr_sink_t *out = amgr_output();

    if (source->kind != AMGR_SOURCE_BOARD &&
        source->kind != AMGR_SOURCE_STATUS_JSON) {
        return amgr_fault_make(
            pool, AMGR_EXIT_FAILED,
            "managed processes are not known: mod_apache_manager alone tells "
            "of them, and %s is not of it",
            amgr_fault_quote(pool, source->name));
    }
    if (options->tasks & AMGR_TASK_JSON) {
        amgr_write_processes_json(view, out);
    }
    else if (view->managed == NULL) {
        amgr_sink_puts(out, "No managed processes.\n");
    }
    else {
        amgr_managed_put_table(view, out);
    }
    return amgr_output_flush(pool);
}
