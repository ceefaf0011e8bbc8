/* SPDX-License-Identifier: Apache-2.0
 *
 * mod_status as a source, for a server without the module.  The page tells
 * what the server does; which processes it has is the kernel's to tell, where
 * the server runs on this machine: a page that names any other pid is not
 * believed, and one that names hardly anybody else tells nothing.
 */
#include "cli/source/source_parts.h"

#include <string.h>

#include <apr_strings.h>

#include "cli/local/local_children.h"
#include "cli/message.h"
#include "cli/source/mod_status_processes.h"
#include "cli/source/mod_status_table.h"

/** No `?auto` is longer: each slot is a letter. */
#define TEXT_MAX (4 * 1024 * 1024)

/* None, with a word about why, when nobody can look at them. */
static apr_array_header_t *read_children(amgr_proc_dir_t *proc,
                                         const amgr_local_server_t *local,
                                         amgr_snapshot_t *snapshot,
                                         apr_pool_t *pool)
{
    apr_array_header_t *children = NULL;
    char reason[120];
    apr_status_t rv = amgr_local_children_read(proc, local, &children,
                                               &snapshot->incomplete, pool);

    if (rv == APR_SUCCESS) {
        return children;
    }
    snapshot->incomplete = 1;
    amgr_message(AMGR_LEVEL_WARNING,
                 "cannot read the processes of the server with pid %d: %s",
                 (int)local->parent.pid,
                 rv == APR_NOTFOUND ? "it has ended"
                                    : apr_strerror(rv, reason, sizeof(reason)));
    return apr_array_make(pool, 1, sizeof(amgr_local_child_t));
}

/* A page of others, as a proxy passes it on, tells nothing of the children. */
static void check_rows(amgr_mod_status_processes_t *from, const char *name,
                       const amgr_local_server_t *local)
{
    if (from->rows == NULL || from->children->nelts == 0 ||
        amgr_mod_status_is_paired(from)) {
        return;
    }
    from->rows = NULL;
    from->is_unpaired = 1;
    amgr_message(AMGR_LEVEL_WARNING,
                 "%s names other processes than httpd %d has (another server's "
                 "page, or of another pid namespace): what its workers do is "
                 "not known",
                 name, (int)local->parent.pid);
}

/* The kernel's processes; its dearer answers only where the others are not
 * enough. */
static void take_children(amgr_mod_status_processes_t *from, const char *name,
                          const amgr_local_server_t *local,
                          amgr_source_blank_t *blank)
{
    apr_array_header_t *children;
    amgr_proc_dir_t proc = {.fd = -1};

    /* Without /proc every reader below says so. */
    (void)amgr_proc_dir_open(&proc, "/proc");
    children = read_children(&proc, local, &blank->snapshot, blank->pool);
    from->children = children;
    check_rows(from, name, local);
    amgr_mod_status_processes(from, blank);
    if (from->is_ambiguous) {
        amgr_local_children_listen(&proc, &local->parent, children,
                                   blank->pool);
        amgr_mod_status_processes(from, blank);
    }
    amgr_proc_dir_close(&proc);
}

static void count_hanging(amgr_source_blank_t *blank)
{
    amgr_snapshot_t *snapshot = &blank->snapshot;
    int i;

    snapshot->hanging = 0;
    for (i = 0; i < snapshot->slot_count; i++) {
        apr_interval_time_t age_us = snapshot->slots[i].request_age_us;

        snapshot->hanging +=
            age_us != AMGR_NO_TIME && age_us >= blank->config.limits.hanging_us;
    }
}

static void take_processes(const amgr_mod_status_text_t *told,
                           const apr_array_header_t *rows, const char *name,
                           const amgr_local_server_t *local,
                           amgr_source_blank_t *blank, amgr_source_t *out)
{
    amgr_mod_status_processes_t from = {.told = told, .rows = rows};

    if (local != NULL) {
        take_children(&from, name, local, blank);
    }
    else {
        amgr_mod_status_processes(&from, blank);
    }
    if (from.rows != NULL) {
        count_hanging(blank);
    }
    if (local != NULL && from.strangers > 0) {
        amgr_message(AMGR_LEVEL_VERBOSE,
                     "%s: %d rows left out, whose processes are no children "
                     "of pid %d",
                     name, from.strangers, (int)local->parent.pid);
    }
    out->is_untold = from.rows == NULL;
    out->is_guessed = from.is_guessed;
}

const amgr_fault_t *amgr_source_mod_status(const char *text, const char *table,
                                           const char *name,
                                           const amgr_local_server_t *local,
                                           amgr_source_t *out, apr_pool_t *pool)
{
    amgr_source_blank_t *blank = amgr_source_blank_make(pool, 0, 0);
    apr_array_header_t *rows = NULL;
    amgr_mod_status_text_t told;
    int incomplete = 0;

    if (strnlen(text, TEXT_MAX) == TEXT_MAX ||
        !amgr_mod_status_text_read(text, blank, &told)) {
        return amgr_fault_make(pool, AMGR_EXIT_FAILED,
                               "%s is no status page of Apache", name);
    }
    if (table != NULL) {
        rows = amgr_mod_status_table_read(table, blank->view.now_wall_us,
                                          &incomplete, pool);
    }
    /* Without the table nobody knows who is idle, and so who may go. */
    if (table != NULL && rows == NULL && blank->snapshot.server.extended) {
        return amgr_fault_make(pool, AMGR_EXIT_FAILED,
                               "%s has no table of workers", name);
    }
    memset(out, 0, sizeof(*out));
    take_processes(&told, rows, name, local, blank, out);
    blank->snapshot.incomplete |= incomplete;
    blank->view.tick_wall_us = blank->view.now_wall_us;
    out->kind = AMGR_SOURCE_MOD_STATUS;
    out->name = name;
    out->view = blank->view;
    if (local != NULL) {
        out->parent = local->parent;
    }
    return NULL;
}
