/* SPDX-License-Identifier: Apache-2.0
 *
 * The processes of a server as a source, when it answers nobody: how many there
 * are of each group and what memory they have, which the kernel knows.  What
 * they do is not known, and so nobody is taken for idle.
 */
#include "cli/source/source_parts.h"

#include <string.h>

#include <apr_strings.h>

#include "cli/local/local_children.h"
#include "cli/source/mod_status_processes.h"

static const amgr_fault_t *read_children(amgr_proc_dir_t *proc,
                                         const amgr_local_server_t *local,
                                         amgr_snapshot_t *snapshot,
                                         apr_array_header_t **out,
                                         apr_pool_t *pool)
{
    apr_status_t rv =
        amgr_local_children_read(proc, local, out, &snapshot->incomplete, pool);

    if (rv == APR_SUCCESS) {
        amgr_local_children_listen(proc, &local->parent, *out, pool);
        return NULL;
    }
    return amgr_fault_make(
        pool, amgr_fault_code(rv), "processes of the server with pid %ld: %s",
        (long)local->parent.pid,
        rv == APR_NOTFOUND ? "it has ended" : amgr_fault_reason(pool, rv));
}

/** Whatever listens is a worker; what they are at nobody knows. */
static void take_children(const apr_array_header_t *children,
                          amgr_source_blank_t *blank)
{
    static const amgr_mod_status_text_t untold = {APR_INT32_MAX, -1};
    amgr_mod_status_processes_t from = {.told = &untold, .children = children};
    amgr_snapshot_t *snapshot = &blank->snapshot;
    int i;

    amgr_mod_status_processes(&from, blank);
    for (i = 0; i < snapshot->process_count; i++) {
        snapshot->processes[i].slot_count = 0;
    }
    snapshot->slot_count = 0;
    snapshot->hanging = -1;
    snapshot->server.busy_workers = -1;
    snapshot->server.graceful_workers = -1;
    snapshot->server.idle_workers = -1;
    snapshot->server.max_workers = -1;
}

const amgr_fault_t *amgr_source_processes(const amgr_local_server_t *local,
                                          amgr_source_t *out, apr_pool_t *pool)
{
    amgr_source_blank_t *blank = amgr_source_blank_make(pool, 0, 0);
    apr_array_header_t *children = NULL;
    const amgr_fault_t *fault;
    amgr_proc_dir_t proc = {.fd = -1};

    /* Without /proc the reader says so. */
    (void)amgr_proc_dir_open(&proc, "/proc");
    fault = read_children(&proc, local, &blank->snapshot, &children, pool);
    amgr_proc_dir_close(&proc);
    if (fault != NULL) {
        return fault;
    }
    take_children(children, blank);
    blank->view.tick_wall_us = blank->view.now_wall_us;
    memset(out, 0, sizeof(*out));
    out->kind = AMGR_SOURCE_PROCESSES;
    out->name = "/proc";
    out->view = blank->view;
    out->parent = local->parent;
    return NULL;
}
