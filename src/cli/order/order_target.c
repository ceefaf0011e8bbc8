/* SPDX-License-Identifier: Apache-2.0
 *
 * See order_target.h.
 */
#include "cli/order/order_target.h"

#include <unistd.h>

#include <apr_strings.h>

#include "cli/local/local_address.h"
#include "cli/local/local_namespace.h"
#include "cli/local/local_server.h"
#include "cli/source/source_url.h"
#include "cli/tree/tree_server.h"

/* Over HTTP a server hears orders of whoever it lets, and this program has no
 * way to show that it is one of those. */
static const amgr_fault_t *check_here(const char *text, apr_pool_t *pool)
{
    amgr_source_url_t url;
    const amgr_fault_t *fault = amgr_source_url_parse(text, &url, pool);

    if (fault == NULL && !amgr_local_server_is_here(url.host, pool)) {
        fault = amgr_fault_make(
            pool, AMGR_EXIT_FAILED,
            "%s is not this machine: orders are given on the server's own, or "
            "by POST over HTTP where ManagerControl is On",
            amgr_fault_quote(pool, url.host));
    }
    return fault;
}

/* Where its supervisor takes orders; a fault where it does so nowhere. */
static const amgr_fault_t *set_socket(const amgr_local_board_t *board,
                                      amgr_order_target_t *out,
                                      apr_pool_t *pool)
{
    amgr_proc_dir_t proc;

    if (out->table->socket[0] != '/') {
        return amgr_fault_make(pool, AMGR_EXIT_FAILED,
                               "the server with pid %ld takes no orders: its "
                               "supervisor does not run, or has no socket",
                               (long)board->parent.pid);
    }
    if (amgr_proc_dir_open(&proc, "/proc") != APR_SUCCESS) {
        return amgr_fault_make(pool, AMGR_EXIT_FAILED, "/proc is not there");
    }
    out->socket =
        amgr_local_path(&proc, board->parent.pid, out->table->socket, pool);
    out->uid = board->uid;
    amgr_proc_dir_close(&proc);
    return NULL;
}

static const amgr_fault_t *read_server(const amgr_local_server_t *server,
                                       amgr_order_target_t *out,
                                       apr_pool_t *pool)
{
    long pid = (long)server->parent.pid;
    amgr_managed_table_t *table;
    amgr_local_board_t board;
    amgr_local_board_e result;

    if (server->board == NULL && geteuid() != 0) {
        return amgr_fault_make(pool, AMGR_EXIT_PERMISSION,
                               "this user may not read the board of the server "
                               "with pid %ld, where its managed processes are",
                               pid);
    }
    if (server->board == NULL) {
        return amgr_fault_make(pool, AMGR_EXIT_FAILED,
                               "the server with pid %ld has no board: is "
                               "mod_apache_manager loaded?",
                               pid);
    }
    result = amgr_local_server_board(server, 0, &board, pool);
    if (result != AMGR_LOCAL_BOARD_READ) {
        return amgr_local_board_fault(result, &board, server->board, pool);
    }
    table = apr_pcalloc(pool, sizeof(*table));
    if (amgr_board_read_managed(board.board, table) != APR_SUCCESS ||
        table->count == 0) {
        return amgr_fault_make(pool, AMGR_EXIT_FAILED,
                               "the server with pid %ld has no managed "
                               "processes",
                               pid);
    }
    out->table = table;
    return set_socket(&board, out, pool);
}

/* The only one of them that takes orders. */
static const amgr_fault_t *choose(const apr_array_header_t *servers,
                                  amgr_order_target_t *out, apr_pool_t *pool)
{
    const amgr_fault_t *fault = NULL;
    int found = 0;
    int i;

    for (i = 0; i < servers->nelts; i++) {
        amgr_order_target_t target;
        const amgr_fault_t *why = read_server(
            &APR_ARRAY_IDX(servers, i, amgr_local_server_t), &target, pool);

        if (why == NULL) {
            *out = target;
            found++;
        }
        /* Of those that are told, one that is not allowed tells more. */
        else if (fault == NULL || (fault->exit_code != AMGR_EXIT_PERMISSION &&
                                   why->exit_code == AMGR_EXIT_PERMISSION)) {
            fault = why;
        }
    }
    if (found == 1) {
        return NULL;
    }
    if (found > 1) {
        return amgr_fault_make(pool, AMGR_EXIT_FAILED,
                               "%d servers of this machine have managed "
                               "processes: choose one with --url",
                               found);
    }
    return fault != NULL
               ? fault
               : amgr_fault_make(pool, AMGR_EXIT_FAILED,
                                 "no httpd runs on this machine, as far as "
                                 "this user can see");
}

const amgr_fault_t *amgr_order_target_find(const amgr_target_t *target,
                                           amgr_order_target_t *out,
                                           apr_pool_t *pool)
{
    const amgr_fault_t *fault =
        target->url == NULL ? NULL : check_here(target->url, pool);
    apr_array_header_t *servers;

    if (fault == NULL) {
        fault = amgr_tree_servers(target->url, &servers, NULL, pool);
    }
    return fault != NULL ? fault : choose(servers, out, pool);
}

const char *amgr_order_target_names(const amgr_managed_table_t *table,
                                    apr_pool_t *pool)
{
    const char *list = "";
    int i;

    for (i = 0; i < table->count; i++) {
        list =
            apr_pstrcat(pool, list, i == 0 ? "" : ", ",
                        amgr_fault_quote(pool, table->processes[i].name), NULL);
    }
    return list;
}

const amgr_managed_t *
amgr_order_target_process(const amgr_managed_table_t *table, const char *name,
                          const amgr_fault_t **out_fault, apr_pool_t *pool)
{
    const amgr_managed_t *process = amgr_managed_find(table, name);

    if (process == NULL) {
        *out_fault = amgr_fault_make(
            pool, AMGR_EXIT_FAILED,
            "no managed process has the name '%s', there are: %s",
            amgr_fault_quote(pool, name), amgr_order_target_names(table, pool));
    }
    return process;
}
