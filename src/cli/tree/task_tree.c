/* SPDX-License-Identifier: Apache-2.0
 *
 * The processes of a server as a tree.  All of it comes from the kernel, so
 * that it is there when the server answers nobody; what the server's board
 * knows of a process is added where it can be read.
 */
#include "cli/tasks.h"

#include <langinfo.h>
#include <locale.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "cli/local/local_server.h"
#include "cli/message.h"
#include "cli/output.h"
#include "cli/source/source_parts.h"
#include "cli/tree/tree_kind.h"
#include "cli/tree/tree_server.h"
#include "cli/tree/tree_text.h"
#include "cli/watch/canvas_print.h"

/** Width of a line where no terminal sets it. */
#define LINE_LEN 4096

/* What its board says of the server's children; NULL when it says nothing. */
static const amgr_snapshot_t *read_board(const amgr_local_server_t *server,
                                         apr_pool_t *pool)
{
    amgr_source_t source;

    if (server->board == NULL ||
        amgr_source_board(server, AMGR_WANT_PROCESSES, &source, pool) != NULL) {
        return NULL;
    }
    return source.view.snapshot;
}

/* Returns 0 when the server ended meanwhile, or is shown with another: of the
 * orphans of one parent each is taken for a server. */
static int show_server(const amgr_proc_tree_t *all,
                       const amgr_local_server_t *server, int is_alone,
                       amgr_canvas_t *canvas, apr_pool_t *pool)
{
    const amgr_proc_node_t *top = amgr_proc_tree_get(all, server->parent.pid);
    apr_array_header_t *tops;
    amgr_instant_t now;

    if (top == NULL || !amgr_proc_id_equal(&top->id, &server->parent)) {
        return 0;
    }
    tops = amgr_tree_tops(all, top, pool);
    if (!is_alone && APR_ARRAY_IDX(tops, 0, const amgr_proc_node_t *) != top) {
        return 0;
    }
    if (canvas->lines->nelts > 0) {
        amgr_canvas_end_line(canvas);
    }
    amgr_clock_read(&now);
    amgr_tree_draw(all, tops, read_board(server, pool), &now, canvas);
    if (amgr_tree_is_orphan(all, top)) {
        amgr_canvas_put(canvas, "httpd's parent has ended, what it left still "
                                "runs: restart it");
        amgr_canvas_end_line(canvas);
    }
    return 1;
}

/* A terminal has an edge, a file has none. */
static amgr_canvas_t *make_canvas(apr_pool_t *pool)
{
    struct winsize size;
    int columns = LINE_LEN;

    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) {
        columns = size.ws_col;
    }
    return amgr_canvas_create(columns, AMGR_CANVAS_ENDLESS,
                              strcmp(nl_langinfo(CODESET), "UTF-8") == 0, pool);
}

static const amgr_fault_t *show_all(const apr_array_header_t *servers,
                                    amgr_proc_dir_t *dir, amgr_canvas_t *canvas,
                                    apr_pool_t *pool)
{
    amgr_proc_tree_t *all;
    apr_status_t rv = amgr_proc_tree_read(dir, &all, pool);
    int shown = 0;
    int i;

    if (rv != APR_SUCCESS) {
        return amgr_fault_make(pool, amgr_fault_code(rv),
                               "the processes of this machine cannot be read");
    }
    for (i = 0; i < servers->nelts; i++) {
        shown +=
            show_server(all, &APR_ARRAY_IDX(servers, i, amgr_local_server_t),
                        servers->nelts == 1, canvas, pool);
    }
    return shown > 0 ? NULL
                     : amgr_fault_make(pool, AMGR_EXIT_FAILED,
                                       "no httpd runs on this machine, as far "
                                       "as this user can see");
}

const amgr_fault_t *amgr_task_tree(const amgr_options_t *options,
                                   const amgr_target_t *target,
                                   apr_pool_t *pool)
{
    apr_array_header_t *servers = NULL;
    const char *unsure;
    const amgr_fault_t *fault;
    amgr_proc_dir_t dir;
    amgr_canvas_t *canvas;
    apr_status_t rv;

    fault = amgr_tree_servers(target->url, &servers, &unsure, pool);
    if (fault != NULL) {
        return fault;
    }
    if (unsure != NULL) {
        amgr_message(AMGR_LEVEL_NOTICE,
                     "this user may not know which of these is the httpd of "
                     "%s: all are shown",
                     unsure);
    }
    rv = amgr_proc_dir_open(&dir, "/proc");
    if (rv != APR_SUCCESS) {
        return amgr_fault_make(pool, amgr_fault_code(rv),
                               "/proc cannot be opened");
    }
    (void)setlocale(LC_CTYPE, ""); /* one that is not there: plain text */
    canvas = make_canvas(pool);
    fault = show_all(servers, &dir, canvas, pool);
    amgr_proc_dir_close(&dir);
    amgr_canvas_print(canvas, amgr_output_is_colored(options->color),
                      amgr_output());
    return fault;
}
