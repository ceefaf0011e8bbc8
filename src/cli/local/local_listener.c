/* SPDX-License-Identifier: Apache-2.0
 *
 * See local_listener.h.  Reads /proc of whole machines: only for servers whose
 * board is at no usual place.
 */
#include "cli/local/local_listener.h"

#include <string.h>
#include <unistd.h>

#include <apr_strings.h>

#include "base/clock.h"
#include "base/units.h"
#include "cli/local/local_board.h"
#include "proc/proc_listen.h"
#include "proc/proc_tree.h"

#define READ_BYTES (64 * 1024 * 1024)
#define READ_US (2 * APR_USEC_PER_SEC)

/** Sockets at one port: of each address, and of each bucket of listeners. */
#define SOCKETS_MAX 256

/** The sockets that fit best so far. */
typedef struct sockets_t {
    const char *address;
    apr_uint16_t port;
    int fit;
    int own; /**< one of them is this user's */
    int count;
    apr_uint64_t inodes[SOCKETS_MAX];
} sockets_t;

void amgr_local_budget(amgr_proc_budget_t *budget)
{
    budget->file_bytes = READ_BYTES;
    budget->mono_us = amgr_clock_monotonic_us() + READ_US;
}

int amgr_local_fit(const char *local, const char *wanted)
{
    if (local[0] == '\0' || strcmp(local, "0.0.0.0") == 0 ||
        strcmp(local, "::") == 0) {
        return AMGR_LOCAL_FIT_ANY;
    }
    return wanted == NULL || strcmp(local, wanted) == 0 ? AMGR_LOCAL_FIT_EXACT
                                                        : AMGR_LOCAL_FIT_NONE;
}

/** Part "[::1]:80" or "127.0.0.1:80", in its own bytes. */
static int split(char *text, const char **out_address, int *out_port)
{
    char *colon = strrchr(text, ':');

    if (colon == NULL ||
        amgr_count_parse(colon + 1, 1, APR_UINT16_MAX, out_port) != NULL) {
        return 0;
    }
    *colon = '\0';
    if (text[0] == '[' && colon > text + 1 && colon[-1] == ']') {
        colon[-1] = '\0';
        text++;
    }
    *out_address = text;
    return 1;
}

static int take_socket(void *baton, const amgr_proc_socket_t *socket)
{
    amgr_proc_socket_t found = *socket;
    sockets_t *sockets = baton;
    const char *address;
    int port;
    int fit;

    if (!split(found.local, &address, &port) || port != sockets->port) {
        return 0;
    }
    fit = amgr_local_fit(address, sockets->address);
    if (fit == AMGR_LOCAL_FIT_NONE || fit < sockets->fit) {
        return 0;
    }
    if (fit > sockets->fit) {
        sockets->fit = fit;
        sockets->own = 0;
        sockets->count = 0;
    }
    sockets->own |= found.uid == geteuid();
    if (sockets->count < SOCKETS_MAX) {
        sockets->inodes[sockets->count++] = found.inode;
    }
    return 0;
}

/** A search for whoever has one of some sockets. */
typedef struct search_t {
    amgr_proc_dir_t *proc;
    const amgr_proc_budget_t *budget;
    sockets_t sockets;
    int is_held;               /**< by the process that is looked at */
    int rank;                  /**< of whoever was found */
    amgr_local_httpd_t found;  /**< with a rank over 0 */
    apr_array_header_t *later; /**< of amgr_local_httpd_t: other users' */
    int denied;                /**< somebody may have, and cannot be asked */
} search_t;

static int compare_socket(void *baton, apr_uint64_t inode)
{
    search_t *search = baton;
    int i;

    for (i = 0; i < search->sockets.count && !search->is_held; i++) {
        search->is_held = search->sockets.inodes[i] == inode;
    }
    return search->is_held;
}

/** Whom of several that hold the socket to believe. */
static int rank_of(const amgr_local_httpd_t *httpd)
{
    if (httpd->is_orphan) {
        return 1;
    }
    return amgr_local_is_trusted_user(httpd->uid) ? 3 : 2;
}

/** Whether the search is over. */
static int look_at(search_t *search, const amgr_local_httpd_t *httpd)
{
    int rank = rank_of(httpd);

    if (rank <= search->rank) {
        return 0;
    }
    search->is_held = 0;
    if (amgr_proc_each_socket(search->proc, httpd->id.pid, search->budget,
                              compare_socket, search) == APR_EACCES) {
        search->denied = 1;
    }
    if (search->is_held) {
        search->rank = rank;
        search->found = *httpd;
    }
    return search->rank == 3;
}

/** Other users' processes wait, so that they cannot use up the time. */
static int take_httpd(void *baton, const amgr_local_httpd_t *httpd)
{
    search_t *search = baton;

    if (amgr_local_is_trusted_user(httpd->uid)) {
        return look_at(search, httpd);
    }
    APR_ARRAY_PUSH(search->later, amgr_local_httpd_t) = *httpd;
    return 0;
}

static void look_at_httpds(search_t *search, apr_pool_t *pool)
{
    int i;

    amgr_local_each_httpd(search->proc, take_httpd, search, pool);
    for (i = 0; i < search->later->nelts && search->rank < 2; i++) {
        look_at(search, &APR_ARRAY_IDX(search->later, i, amgr_local_httpd_t));
    }
    search->later->nelts = 0;
}

/** The first of a program's processes. */
static int is_first(const amgr_proc_node_t *node)
{
    return node->state != 'Z' && (node->parent == NULL ||
                                  strcmp(node->parent->comm, node->comm) != 0);
}

/** Any program that forks, and has mapped a board: httpds were looked at in
 * vain. */
static void look_at_others(search_t *search, apr_pool_t *pool)
{
    amgr_proc_tree_t *tree;
    int i;

    if (amgr_proc_tree_read(search->proc, &tree, pool) != APR_SUCCESS) {
        return;
    }
    for (i = 0; i < tree->count && search->rank < 3; i++) {
        const amgr_proc_node_t *node = &tree->nodes[i];

        if (is_first(node) && node->first_child != NULL) {
            amgr_local_httpd_t any = {
                node->id, amgr_local_uid(search->proc, node->id.pid), 0};

            take_httpd(search, &any);
        }
    }
    for (i = 0; i < search->later->nelts && search->rank < 2; i++) {
        look_at(search, &APR_ARRAY_IDX(search->later, i, amgr_local_httpd_t));
    }
    if (search->rank > 0 &&
        amgr_local_mapped_board(search->proc, search->found.id.pid,
                                search->budget, pool) == NULL) {
        search->rank = 0;
        search->denied = 0; /* it is known who it is, and it is no httpd */
    }
}

apr_status_t amgr_local_listener(amgr_proc_dir_t *proc, const char *address,
                                 apr_uint16_t port,
                                 const amgr_proc_budget_t *budget,
                                 amgr_local_httpd_t *out, apr_pool_t *pool)
{
    search_t search;

    memset(&search, 0, sizeof(search));
    search.proc = proc;
    search.budget = budget;
    search.sockets.address = address;
    search.sockets.port = port;
    search.later = apr_array_make(pool, 4, sizeof(amgr_local_httpd_t));
    /* A table that is cut short has its beginning. */
    (void)amgr_proc_each_listener(proc, getpid(), budget, take_socket,
                                  &search.sockets);
    if (search.sockets.count == 0) {
        return APR_NOTFOUND;
    }
    /* Whose sockets another user's processes have is root's alone to know. */
    if (geteuid() != 0 && !search.sockets.own) {
        return APR_EACCES;
    }
    look_at_httpds(&search, pool);
    if (search.rank == 0) {
        look_at_others(&search, pool);
    }
    if (search.rank == 0) {
        return search.denied ? APR_EACCES : APR_NOTFOUND;
    }
    *out = search.found;
    return APR_SUCCESS;
}

/** The sockets of a process, and those of them that listen. */
typedef struct listens_t {
    apr_array_header_t *inodes;
    apr_array_header_t *listens;
} listens_t;

static int keep_socket(void *baton, apr_uint64_t inode)
{
    const listens_t *own = baton;

    APR_ARRAY_PUSH(own->inodes, apr_uint64_t) = inode;
    return 0;
}

static int keep_listen(void *baton, const amgr_proc_socket_t *socket)
{
    const listens_t *own = baton;
    amgr_proc_socket_t found = *socket;
    amgr_listen_t *listen;
    const char *address;
    int port;
    int i;

    for (i = 0; i < own->inodes->nelts &&
                APR_ARRAY_IDX(own->inodes, i, apr_uint64_t) != found.inode;
         i++) {
    }
    if (i == own->inodes->nelts || !split(found.local, &address, &port)) {
        return 0;
    }
    listen = apr_array_push(own->listens);
    listen->address = amgr_local_fit(address, "") == AMGR_LOCAL_FIT_ANY
                          ? "127.0.0.1"
                          : apr_pstrdup(own->listens->pool, address);
    listen->port = (apr_uint16_t)port;
    listen->tls = port == 443;
    listen->file = NULL;
    return 0;
}

apr_array_header_t *amgr_local_listens(amgr_proc_dir_t *proc, pid_t pid,
                                       const amgr_proc_budget_t *budget,
                                       apr_pool_t *pool)
{
    listens_t own;

    own.inodes = apr_array_make(pool, 16, sizeof(apr_uint64_t));
    own.listens = apr_array_make(pool, 4, sizeof(amgr_listen_t));
    /* Some of them will do. */
    (void)amgr_proc_each_socket(proc, pid, budget, keep_socket, &own);
    if (own.inodes->nelts > 0) {
        (void)amgr_proc_each_listener(proc, pid, budget, keep_listen, &own);
    }
    return own.listens;
}
