/* SPDX-License-Identifier: Apache-2.0
 *
 * status.json on standard output: the server's own text where it was asked for
 * it, else the same writer over what another source says.
 */
#include "cli/output.h"
#include "cli/tasks.h"

const amgr_fault_t *amgr_task_json(const amgr_source_t *source,
                                   apr_pool_t *pool)
{
    if (source->kind == AMGR_SOURCE_DATA_FILE) {
        return amgr_fault_make(pool, AMGR_EXIT_FAILED,
                               "%s does not tell what status.json does",
                               amgr_fault_quote(pool, source->name));
    }
    if (source->kind == AMGR_SOURCE_STATUS_JSON) {
        amgr_sink_put(amgr_output(), source->status_json,
                      source->status_json_length);
    }
    else {
        amgr_write_status_json(&source->view, amgr_output());
    }
    return amgr_output_flush(pool);
}
