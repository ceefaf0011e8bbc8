/* SPDX-License-Identifier: Apache-2.0
 *
 * See local_server.h.  The boards at the usual places are asked first: each
 * says where its server listens, and is a few reads, while the search through
 * /proc grows with the machine.
 */
#include "cli/local/local_server.h"

#include <stdlib.h>
#include <string.h>

#include <apr_strings.h>

#include "cli/local/local_address.h"
#include "cli/local/local_board.h"
#include "cli/local/local_listener.h"
#include "cli/local/local_namespace.h"
#include "proc/proc_info.h"

#define DATA_FILE_NAME "apache-manager.txt"

const char *const amgr_local_runtime_dirs[] = {"/run/apache2",
                                               "/run/httpd",
                                               "/var/run/apache2",
                                               "/var/run/httpd",
                                               "/usr/local/apache2/logs",
                                               "/usr/local/apache2/run",
                                               NULL};

/** What is known of any process. */
static void describe(amgr_proc_dir_t *proc, const amgr_proc_id_t *id, uid_t uid,
                     amgr_local_server_t *out, apr_pool_t *pool)
{
    char exe[AMGR_PROC_TEXT_LEN];

    memset(out, 0, sizeof(*out));
    out->parent = *id;
    out->uid = uid;
    /* Failing leaves it empty. */
    (void)amgr_proc_read_exe_path(proc, id->pid, exe, sizeof(exe));
    out->exe = apr_pstrdup(pool, exe);
}

/** The data file that the board tells of, or the one that is its neighbour by
 * default. */
static void set_data_file(amgr_proc_dir_t *proc, amgr_local_server_t *server,
                          const amgr_board_t *board, apr_pool_t *pool)
{
    amgr_board_about_t about;
    const char *slash;

    if (board != NULL && amgr_board_read_about(board, &about) == APR_SUCCESS) {
        server->data_file =
            about.data_file[0] != '/'
                ? NULL
                : amgr_local_path(proc, server->parent.pid,
                                  apr_pstrdup(pool, about.data_file), pool);
        return;
    }
    slash = strrchr(server->board, '/');
    if (slash != NULL) {
        server->data_file =
            apr_pstrcat(pool,
                        apr_pstrmemdup(pool, server->board,
                                       (apr_size_t)(slash + 1 - server->board)),
                        DATA_FILE_NAME, NULL);
    }
}

/** How a board's server fits a port. */
static int fit_of(amgr_proc_dir_t *proc, const amgr_local_board_t *found,
                  const char *address, apr_uint16_t port)
{
    amgr_board_about_t about;
    int best = AMGR_LOCAL_FIT_NONE;
    int i;

    if (port == 0) {
        return AMGR_LOCAL_FIT_EXACT;
    }
    if (amgr_board_read_about(found->board, &about) != APR_SUCCESS ||
        !amgr_local_is_same_namespace(proc, found->parent.pid, "net")) {
        return AMGR_LOCAL_FIT_NONE;
    }
    for (i = 0; i < about.listen_count && i < AMGR_BOARD_LISTENS_MAX; i++) {
        if (about.listens[i].port == port) {
            int fit = amgr_local_fit(about.listens[i].address, address);

            best = fit > best ? fit : best;
        }
    }
    return best;
}

int amgr_local_server_in(const char *dir, const char *address,
                         apr_uint16_t port, amgr_local_server_t *out,
                         const amgr_fault_t **out_why, apr_pool_t *pool)
{
    const char *path = apr_pstrcat(pool, dir, "/" AMGR_LOCAL_BOARD_NAME, NULL);
    amgr_local_board_e result;
    amgr_local_board_t found;
    amgr_proc_dir_t proc;
    int fit;

    *out_why = NULL;
    result = amgr_local_board_read(path, 0, &found, pool);
    if (result != AMGR_LOCAL_BOARD_READ) {
        if (result != AMGR_LOCAL_BOARD_NONE) {
            *out_why = amgr_local_board_fault(result, &found, path, pool);
        }
        return AMGR_LOCAL_FIT_NONE;
    }
    if (!amgr_local_is_trusted_user(found.uid)) {
        *out_why = amgr_fault_make(pool, AMGR_EXIT_FAILED,
                                   "board %s: of an ordinary user's process, "
                                   "believed only where that listens",
                                   amgr_fault_quote(pool, path));
        return AMGR_LOCAL_FIT_NONE;
    }
    if (amgr_proc_dir_open(&proc, "/proc") != APR_SUCCESS) {
        return AMGR_LOCAL_FIT_NONE;
    }
    fit = fit_of(&proc, &found, address, port);
    if (fit != AMGR_LOCAL_FIT_NONE) {
        describe(&proc, &found.parent, found.uid, out, pool);
        out->board = path;
        set_data_file(&proc, out, found.board, pool);
    }
    amgr_proc_dir_close(&proc);
    return fit;
}

/** The best of the usual places. */
static int find_usual(const char *address, apr_uint16_t port,
                      amgr_local_server_t *out, apr_pool_t *pool)
{
    const char *const *dir;
    int best = AMGR_LOCAL_FIT_NONE;

    for (dir = amgr_local_runtime_dirs;
         *dir != NULL && best < AMGR_LOCAL_FIT_EXACT; dir++) {
        amgr_local_server_t server;
        const amgr_fault_t *why;
        int fit =
            amgr_local_server_in(*dir, address, port, &server, &why, pool);

        if (fit > best) {
            best = fit;
            *out = server;
        }
    }
    return best;
}

amgr_local_board_e amgr_local_server_board(const amgr_local_server_t *server,
                                           int parts, amgr_local_board_t *out,
                                           apr_pool_t *pool)
{
    amgr_local_board_e result =
        amgr_local_board_read(server->board, parts, out, pool);

    if (result == AMGR_LOCAL_BOARD_READ &&
        !amgr_proc_id_equal(&out->parent, &server->parent)) {
        out->board = NULL;
        return AMGR_LOCAL_BOARD_UNSAFE;
    }
    return result;
}

static void describe_all(amgr_proc_dir_t *proc, const amgr_local_httpd_t *httpd,
                         const amgr_proc_budget_t *budget,
                         amgr_local_server_t *out, apr_pool_t *pool)
{
    amgr_local_board_t found;

    describe(proc, &httpd->id, httpd->uid, out, pool);
    out->is_orphan = httpd->is_orphan;
    out->board = amgr_local_mapped_board(proc, httpd->id.pid, budget, pool);
    if (out->board == NULL) {
        return;
    }
    /* One that cannot be read has no copy; one of another server, which it
     * may have mapped all the same, tells nothing of this one. */
    if (amgr_local_server_board(out, 0, &found, pool) ==
        AMGR_LOCAL_BOARD_UNSAFE) {
        out->board = NULL;
        return;
    }
    set_data_file(proc, out, found.board, pool);
}

static apr_status_t find_listener(const char *address, apr_uint16_t port,
                                  amgr_local_server_t *out, apr_pool_t *pool)
{
    amgr_proc_budget_t budget;
    amgr_local_httpd_t httpd;
    amgr_proc_dir_t proc;
    apr_status_t rv;

    rv = amgr_proc_dir_open(&proc, "/proc");
    if (rv != APR_SUCCESS) {
        return rv;
    }
    amgr_local_budget(&budget);
    rv = amgr_local_listener(&proc, address, port, &budget, &httpd, pool);
    if (rv == APR_SUCCESS) {
        describe_all(&proc, &httpd, &budget, out, pool);
    }
    amgr_proc_dir_close(&proc);
    return rv;
}

static apr_status_t find_at(const char *address, apr_uint16_t port,
                            amgr_local_server_t *out, apr_pool_t *pool)
{
    if (find_usual(address, port, out, pool) != AMGR_LOCAL_FIT_NONE) {
        return APR_SUCCESS;
    }
    return find_listener(address, port, out, pool);
}

apr_status_t amgr_local_server_at(const char *address, apr_uint16_t port,
                                  amgr_local_server_t *out, apr_pool_t *pool)
{
    apr_status_t worst = APR_NOTFOUND;
    const amgr_local_addresses_t *addresses;
    apr_status_t rv;
    int i;

    if (address == NULL) {
        return find_at(NULL, port, out, pool);
    }
    addresses = amgr_local_resolve(address, pool);
    for (i = 0; i < addresses->count; i++) {
        rv = find_at(addresses->texts[i], port, out, pool);
        if (rv == APR_SUCCESS) {
            return rv;
        }
        if (rv != APR_NOTFOUND) {
            worst = rv;
        }
    }
    return worst;
}

static int has_server(const apr_array_header_t *servers, pid_t pid)
{
    int i;

    for (i = 0; i < servers->nelts; i++) {
        if (APR_ARRAY_IDX(servers, i, amgr_local_server_t).parent.pid == pid) {
            return 1;
        }
    }
    return 0;
}

/** Those that are not called like an httpd. */
static void add_usual(apr_array_header_t *servers, apr_pool_t *pool)
{
    const char *const *dir;

    for (dir = amgr_local_runtime_dirs; *dir != NULL; dir++) {
        amgr_local_server_t server;
        const amgr_fault_t *why;

        if (amgr_local_server_in(*dir, NULL, 0, &server, &why, pool) !=
                AMGR_LOCAL_FIT_NONE &&
            !has_server(servers, server.parent.pid)) {
            APR_ARRAY_PUSH(servers, amgr_local_server_t) = server;
        }
    }
}

static int by_pid(const void *a, const void *b)
{
    const amgr_local_server_t *left = a;
    const amgr_local_server_t *right = b;

    return left->parent.pid < right->parent.pid ? -1 : 1;
}

typedef struct listing_t {
    amgr_proc_dir_t *proc;
    amgr_proc_budget_t budget;
    apr_array_header_t *servers;
    apr_array_header_t *later; /**< of amgr_local_httpd_t: other users' */
} listing_t;

static int list(void *baton, const amgr_local_httpd_t *httpd)
{
    const listing_t *listing = baton;

    if (!amgr_local_is_trusted_user(httpd->uid)) {
        APR_ARRAY_PUSH(listing->later, amgr_local_httpd_t) = *httpd;
        return 0;
    }
    describe_all(listing->proc, httpd, &listing->budget,
                 apr_array_push(listing->servers), listing->servers->pool);
    return 0;
}

/** Other users' come last, so that they cannot use up the time; whoever does
 * not listen serves nobody, and his board tells nothing. */
static void list_later(const listing_t *listing)
{
    apr_pool_t *pool = listing->servers->pool;
    int i;

    for (i = 0; i < listing->later->nelts; i++) {
        const amgr_local_httpd_t *httpd =
            &APR_ARRAY_IDX(listing->later, i, amgr_local_httpd_t);
        amgr_local_server_t *server = apr_array_push(listing->servers);

        describe_all(listing->proc, httpd, &listing->budget, server, pool);
        if (server->board != NULL &&
            amgr_local_listens(listing->proc, httpd->id.pid, &listing->budget,
                               pool)
                    ->nelts == 0) {
            server->board = NULL;
            server->data_file = NULL;
        }
    }
}

apr_array_header_t *amgr_local_servers(apr_pool_t *pool)
{
    apr_array_header_t *servers =
        apr_array_make(pool, 4, sizeof(amgr_local_server_t));
    amgr_proc_dir_t proc;
    listing_t listing;

    if (amgr_proc_dir_open(&proc, "/proc") != APR_SUCCESS) {
        return servers;
    }
    listing.proc = &proc;
    listing.servers = servers;
    listing.later = apr_array_make(pool, 4, sizeof(amgr_local_httpd_t));
    amgr_local_budget(&listing.budget);
    amgr_local_each_httpd(&proc, list, &listing, pool);
    list_later(&listing);
    amgr_proc_dir_close(&proc);
    add_usual(servers, pool);
    qsort(servers->elts, (size_t)servers->nelts, sizeof(amgr_local_server_t),
          by_pid);
    return servers;
}

/** Whom of all that are named like one to take for the machine's httpd: the
 * higher, the rather. */
static int rank_of(const amgr_local_server_t *server)
{
    if (server->is_orphan) {
        return 0;
    }
    return amgr_local_is_trusted_user(server->uid) ? 2 : 1;
}

apr_array_header_t *amgr_local_parents(apr_pool_t *pool)
{
    const apr_array_header_t *all = amgr_local_servers(pool);
    apr_array_header_t *parents =
        apr_array_make(pool, all->nelts, sizeof(amgr_local_server_t));
    int best = 0;
    int i;

    for (i = 0; i < all->nelts; i++) {
        const amgr_local_server_t *server =
            &APR_ARRAY_IDX(all, i, amgr_local_server_t);

        if (rank_of(server) > best) {
            best = rank_of(server);
            parents->nelts = 0;
        }
        /* Of orphans one stands for all. */
        if (rank_of(server) == best && (best > 0 || parents->nelts == 0)) {
            APR_ARRAY_PUSH(parents, amgr_local_server_t) = *server;
        }
    }
    return parents;
}

const amgr_local_server_t *amgr_local_only_server(apr_pool_t *pool)
{
    const apr_array_header_t *parents = amgr_local_parents(pool);

    return parents->nelts == 1 ? &APR_ARRAY_IDX(parents, 0, amgr_local_server_t)
                               : NULL;
}
