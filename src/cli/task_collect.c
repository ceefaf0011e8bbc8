/* SPDX-License-Identifier: Apache-2.0
 *
 * The data file, by the module's own writer over whatever source there is:
 * whole or not at all, since what reads it cannot tell half of it.  Figures
 * that nobody knows have no word in it, so that a source without them writes
 * none.
 */
#include "cli/tasks.h"

#include <string.h>

#include <apr_file_info.h>
#include <apr_strings.h>

#include "base/replace_file.h"
#include "cli/message.h"
#include "cli/output.h"

#define DATA_FILE_MODE 0644

/* Why the figures of this source are none to write down, or NULL. */
static const amgr_fault_t *check_source(const amgr_source_t *source,
                                        apr_pool_t *pool)
{
    const amgr_snapshot_t *snapshot = source->view.snapshot;
    const char *name = amgr_fault_quote(pool, source->name);
    const amgr_fault_t *fault = amgr_source_check(source, pool);
    int i;

    if (fault != NULL) {
        return fault;
    }
    if (source->kind == AMGR_SOURCE_DATA_FILE) {
        return amgr_fault_make(pool, AMGR_EXIT_FAILED,
                               "no figures of now: there is %s alone, nothing "
                               "is written",
                               name);
    }
    if (source->kind != AMGR_SOURCE_MOD_STATUS) {
        return NULL;
    }
    for (i = 0; i < snapshot->group_count; i++) {
        const amgr_group_t *group = &snapshot->groups[i];

        if (group->role == AMGR_ROLE_WORKER && group->rss.known > 0) {
            return NULL;
        }
    }
    return source->parent.pid == 0
               ? amgr_fault_make(pool, AMGR_EXIT_FAILED,
                                 "%s does not tell of memory, and its server "
                                 "is none of this machine: nothing is written",
                                 name)
               : amgr_fault_make(pool, AMGR_EXIT_PERMISSION,
                                 "the memory of the workers may not be read: "
                                 "nothing is written");
}

/* The view with what this run killed, and with the mark of figures that the
 * server has stopped to renew. */
static void complete_view(const amgr_source_t *source,
                          const amgr_kill_result_t *killed, amgr_view_t *out,
                          apr_pool_t *pool)
{
    amgr_view_counts_t counts;
    amgr_counters_t *counters;
    amgr_snapshot_t *snapshot;

    *out = source->view;
    amgr_view_count(out, &counts);
    if (counts.health == AMGR_HEALTH_STALE &&
        source->kind != AMGR_SOURCE_MOD_STATUS) {
        amgr_message(AMGR_LEVEL_WARNING,
                     "%s is out of date: status-response is 1",
                     amgr_fault_quote(pool, source->name));
        snapshot = apr_pmemdup(pool, out->snapshot, sizeof(*snapshot));
        snapshot->incomplete = 1;
        out->snapshot = snapshot;
    }
    if (!killed->counted) {
        counters = apr_pmemdup(pool, out->counters, sizeof(*counters));
        counters->killed_active += (apr_uint64_t)killed->killed_active;
        counters->killed_idle += (apr_uint64_t)killed->killed_idle;
        out->counters = counters;
    }
}

static const amgr_fault_t *replace_fault(const amgr_replace_file_t *file,
                                         const char *path, apr_pool_t *pool)
{
    apr_status_t status = APR_FROM_OS_ERROR(file->sys_errno);
    const char *name = amgr_fault_quote(pool, path);
    const char *what = amgr_replace_error_text(file->error);

    if (file->sys_errno == 0) {
        return amgr_fault_make(pool,
                               file->error == AMGR_REPLACE_FOREIGN
                                   ? AMGR_EXIT_PERMISSION
                                   : AMGR_EXIT_FAILED,
                               "%s %s", name, what);
    }
    return amgr_fault_make(pool, amgr_fault_code(status), "%s %s: %s", name,
                           what, amgr_fault_reason(pool, status));
}

static const amgr_fault_t *write_file(const amgr_view_t *view,
                                      const char *data_file, apr_pool_t *pool)
{
    amgr_replace_file_t *file = apr_palloc(pool, sizeof(*file));
    apr_status_t status = APR_SUCCESS;
    const char *path = data_file;
    char *here;

    if (data_file[0] != '/') {
        status = apr_filepath_get(&here, 0, pool);
        if (status != APR_SUCCESS) {
            return amgr_fault_make(pool, amgr_fault_code(status),
                                   "the working directory: %s",
                                   amgr_fault_reason(pool, status));
        }
        path = apr_pstrcat(pool, here, "/", data_file, NULL);
    }
    status = amgr_replace_begin(file, path, DATA_FILE_MODE);
    if (status == APR_SUCCESS) {
        amgr_write_metrics_txt(view, &file->sink);
        status = amgr_replace_commit(file);
    }
    if (status != APR_SUCCESS) {
        return replace_fault(file, path, pool);
    }
    amgr_message(AMGR_LEVEL_VERBOSE, "%s is written",
                 amgr_fault_quote(pool, path));
    return NULL;
}

const amgr_fault_t *amgr_task_collect(const amgr_options_t *options,
                                      const amgr_source_t *source,
                                      const amgr_kill_result_t *killed,
                                      apr_pool_t *pool)
{
    const amgr_fault_t *fault = check_source(source, pool);
    amgr_view_t view;

    if (fault != NULL) {
        return fault;
    }
    complete_view(source, killed, &view, pool);
    if (strcmp(options->data_file, "-") == 0) {
        amgr_write_metrics_txt(&view, amgr_output());
        return amgr_output_flush(pool);
    }
    return write_file(&view, options->data_file, pool);
}
