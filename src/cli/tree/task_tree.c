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
#include "cli/output.h"
#include "cli/source/source_parts.h"
#include "cli/source/source_url.h"
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

/* Who listens there is what the kernel says; where only root is told, the
 * one httpd of this machine is meant. */
static const amgr_fault_t *
find_named(const char *text, apr_array_header_t **out, apr_pool_t *pool)
{
    amgr_source_url_t url;
    amgr_local_server_t server;
    const amgr_fault_t *fault = amgr_source_url_parse(text, &url, pool);
    const char *host;
    apr_status_t rv;

    if (fault != NULL) {
        return fault;
    }
    host = amgr_fault_quote(pool, url.host);
    if (!amgr_local_server_is_here(url.host, pool)) {
        return amgr_fault_make(pool, AMGR_EXIT_FAILED,
                               "%s is not this machine, whose processes alone "
                               "can be shown",
                               host);
    }
    rv = amgr_local_server_at(url.host, url.port, &server, pool);
    if (rv == APR_SUCCESS) {
        *out = apr_array_make(pool, 1, sizeof(server));
        APR_ARRAY_PUSH(*out, amgr_local_server_t) = server;
        return NULL;
    }
    if (!APR_STATUS_IS_EACCES(rv)) {
        return amgr_fault_make(pool, AMGR_EXIT_FAILED,
                               "no httpd listens at port %d of %s", url.port,
                               host);
    }
    *out = amgr_local_servers(pool);
    return (*out)->nelts == 1
               ? NULL
               : amgr_fault_make(pool, AMGR_EXIT_PERMISSION,
                                 "this user may not know which httpd listens "
                                 "at port %d of %s; without --url all of "
                                 "them are shown",
                                 url.port, host);
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
    apr_array_header_t *servers = NULL;
    const amgr_fault_t *fault = NULL;
    amgr_proc_dir_t dir;
    amgr_canvas_t *canvas;
    apr_status_t rv;

    if (target->url != NULL) {
        fault = find_named(target->url, &servers, pool);
    }
    else {
        servers = amgr_local_servers(pool);
    }
    if (fault != NULL) {
        return fault;
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
