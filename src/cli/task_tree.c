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

#include "cli/canvas_print.h"
#include "cli/local_server.h"
#include "cli/output.h"
#include "cli/source_parts.h"
#include "cli/tree_text.h"

/** Width of a line where no terminal sets it. */
#define LINE_LEN 4096

/** A server that does not answer is not waited for longer than this: its
 * processes are there without it. */
#define TIMEOUT_US (2 * APR_USEC_PER_SEC)

/* What its board says of the server's children; NULL when it says nothing. */
static const amgr_snapshot_t *read_board(const amgr_local_server_t *server,
                                         apr_pool_t *pool)
{
    amgr_source_t source;

    if (server->board == NULL ||
        amgr_source_board(server->board, AMGR_WANT_PROCESSES, &source, pool) !=
            NULL) {
        return NULL;
    }
    return source.view.snapshot;
}

/* Returns 0 when the server ended meanwhile. */
static int show_server(const amgr_proc_tree_t *all,
                       const amgr_local_server_t *server, amgr_canvas_t *canvas,
                       apr_pool_t *pool)
{
    const amgr_proc_node_t *top = amgr_proc_tree_get(all, server->parent.pid);
    amgr_instant_t now;

    if (top == NULL || !amgr_proc_id_equal(&top->id, &server->parent)) {
        return 0;
    }
    if (canvas->lines->nelts > 0) {
        amgr_canvas_end_line(canvas);
    }
    amgr_clock_read(&now);
    amgr_tree_draw(all, top, read_board(server, pool), &now, canvas);
    return 1;
}

/* The server that was named, or all there are. */
static const amgr_fault_t *find_servers(const amgr_target_t *target,
                                        apr_array_header_t **out,
                                        apr_pool_t *pool)
{
    amgr_target_t hasty = *target;
    amgr_local_server_t *server;
    const amgr_fault_t *fault;
    amgr_source_t source;

    if (target->url == NULL) {
        *out = amgr_local_servers(pool);
        return NULL;
    }
    hasty.timeout_us = TIMEOUT_US;
    fault = amgr_source_read(&hasty, AMGR_WANT_PROCESSES, &source, pool);
    if (fault != NULL) {
        return fault;
    }
    *out = apr_array_make(pool, 1, sizeof(*server));
    if (source.parent.pid != 0) {
        server = apr_array_push(*out);
        memset(server, 0, sizeof(*server));
        server->parent = source.parent;
        server->board = source.kind == AMGR_SOURCE_BOARD ? source.name : NULL;
    }
    return NULL;
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
        shown += show_server(
            all, &APR_ARRAY_IDX(servers, i, amgr_local_server_t), canvas, pool);
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
    apr_array_header_t *servers;
    const amgr_fault_t *fault = find_servers(target, &servers, pool);
    amgr_proc_dir_t dir;
    amgr_canvas_t *canvas;
    apr_status_t rv;

    if (fault != NULL) {
        return fault;
    }
    if (target->url != NULL && servers->nelts == 0) {
        return amgr_fault_make(pool, AMGR_EXIT_FAILED,
                               "the server is not on this machine, or nobody "
                               "tells which of its processes it is");
    }
    rv = amgr_proc_dir_open(&dir, "/proc");
    if (rv != APR_SUCCESS) {
        return amgr_fault_make(pool, amgr_fault_code(rv),
                               "/proc cannot be opened");
    }
    setlocale(LC_CTYPE, "");
    canvas = make_canvas(pool);
    fault = show_all(servers, &dir, canvas, pool);
    amgr_proc_dir_close(&dir);
    amgr_canvas_print(canvas, amgr_output_is_colored(options->color),
                      amgr_output());
    return fault;
}
