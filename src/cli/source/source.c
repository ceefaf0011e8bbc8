/* SPDX-License-Identifier: Apache-2.0
 *
 * Which source is read, see source.h.  Everything that was tried in vain is
 * kept, so that the one line at the end says where to look.
 */
#include "cli/source/source.h"

#include <string.h>
#include <sys/stat.h>

#include <apr_strings.h>

#include "cli/config/apache_config.h"
#include "cli/local/local_listener.h"
#include "cli/message.h"
#include "cli/source/source_search.h"
#include "cli/source/source_url.h"

#define MANAGER_PATH "/manager-status"
#define STATUS_PATH "/server-status"
#define DATA_FILE_NAME "apache-manager.txt"

/** How long a page may take while there is a data file that is good enough,
 * and how old that may be: the module writes one each minute. */
#define HURRIED_US (300 * 1000)
#define FRESH_US (180 * APR_USEC_PER_SEC)

/** Servers that are named where there are too many to choose. */
#define NAMED_MAX 8

/** What is known of the server that is looked for. */
typedef struct server_t {
    amgr_local_server_t local;
    int is_local;    /**< it is that one, beyond doubt */
    int is_denied;   /**< it is here, and this user may not know who it is */
    int is_listened; /**< somebody listens where it would */
    const char *data_file; /**< its, or NULL */
    const char *manager_path;
    const char *status_path;
} server_t;

static const char *const words[AMGR_SOURCE_KIND_COUNT] = {
    [AMGR_SOURCE_BOARD] = "board",
    [AMGR_SOURCE_STATUS_JSON] = "status.json",
    [AMGR_SOURCE_MOD_STATUS] = "mod_status",
    [AMGR_SOURCE_DATA_FILE] = "data file",
};

const char *amgr_source_word(int kind)
{
    return kind < 0 || kind >= AMGR_SOURCE_KIND_COUNT ? "unknown" : words[kind];
}

/** A thing that failed, without a fault of its own. */
static void note(amgr_source_search_t *search, const char *what,
                 const char *path, const char *why)
{
    amgr_source_search_note(
        search,
        amgr_fault_make(search->pool, AMGR_EXIT_FAILED, "%s %s: %s", what,
                        amgr_fault_quote(search->pool, path), why));
}

static int try_board(amgr_source_search_t *search,
                     const amgr_local_server_t *local)
{
    const amgr_fault_t *fault;

    if (local->board == NULL || search->wants & AMGR_WANT_LIVE) {
        return 0;
    }
    fault = amgr_source_board(local->board, search->wants, search->out,
                              search->pool);
    if (fault != NULL) {
        amgr_source_search_note(search, fault);
    }
    return fault == NULL;
}

/** The server at this place of this machine; whether its board was read. */
static int try_local(amgr_source_search_t *search, server_t *server,
                     const char *address, apr_uint16_t port)
{
    amgr_local_server_t found;
    apr_status_t rv = amgr_local_server_at(address, port, &found, search->pool);

    server->is_denied |= rv == APR_EACCES;
    server->is_listened |= rv == APR_EACCES;
    if (rv != APR_SUCCESS) {
        return 0;
    }
    server->local = found;
    server->is_local = 1;
    server->is_listened = 1;
    if (found.data_file != NULL) {
        server->data_file = found.data_file;
    }
    return try_board(search, &found);
}

/** Whether there is a data file that is as good as a page, for a while. */
static int has_fresh_file(const amgr_source_search_t *search,
                          const server_t *server)
{
    struct stat st;
    apr_time_t age_us;

    if (server->data_file == NULL || (search->wants & AMGR_WANT_NOW) ||
        stat(server->data_file, &st) != 0 || !S_ISREG(st.st_mode)) {
        return 0;
    }
    age_us = apr_time_now() - apr_time_from_sec(st.st_mtim.tv_sec);
    return age_us < FRESH_US;
}

static int try_pages(amgr_source_search_t *search, const server_t *server,
                     const char *origin)
{
    amgr_source_pages_t pages;

    pages.origin = origin;
    pages.manager = server->manager_path;
    pages.status = server->status_path;
    pages.local = server->is_local ? &server->local : NULL;
    pages.is_denied = server->is_denied;
    return amgr_source_search_pages(search, &pages);
}

/** The last resort; of a server that does not run it would be a lie. */
static int try_data_file(amgr_source_search_t *search, const server_t *server)
{
    const amgr_fault_t *fault;

    if (server->data_file == NULL || search->wants & AMGR_WANT_NOW) {
        return 0;
    }
    if (!server->is_listened) {
        note(search, "data file", server->data_file,
             "not read, since its server does not run");
        return 0;
    }
    fault = amgr_source_data_file(server->data_file, search->out, search->pool);
    if (fault != NULL) {
        amgr_source_search_note(search, fault);
    }
    return fault == NULL;
}

/** Where the configuration has the data file written. */
static const char *configured_data_file(const amgr_apache_config_t *config,
                                        apr_pool_t *pool)
{
    if (config->data_file != NULL || config->data_file_off ||
        config->runtime_dir == NULL) {
        return config->data_file;
    }
    return apr_pstrcat(pool, config->runtime_dir, "/" DATA_FILE_NAME, NULL);
}

static void init_server(server_t *server)
{
    memset(server, 0, sizeof(*server));
    server->manager_path = MANAGER_PATH;
    server->status_path = STATUS_PATH;
}

/** The pages at all of these places, until one takes too long. */
static int try_listens(amgr_source_search_t *search, const server_t *server,
                       const apr_array_header_t *listens)
{
    int i;

    for (i = 0; i < listens->nelts && !search->late; i++) {
        const amgr_listen_t *listen = &APR_ARRAY_IDX(listens, i, amgr_listen_t);

        if (try_pages(search, server,
                      amgr_source_url_origin(listen->address, listen->port,
                                             listen->tls, search->pool))) {
            return 1;
        }
    }
    return 0;
}

static int try_configured_board(amgr_source_search_t *search, server_t *server,
                                const char *dir)
{
    const amgr_fault_t *why;

    if (amgr_local_server_in(dir, NULL, 0, &server->local, &why,
                             search->pool) != AMGR_LOCAL_FIT_NONE) {
        server->is_local = 1;
        server->is_listened = 1;
        return try_board(search, &server->local);
    }
    if (why != NULL) {
        amgr_source_search_note(search, why);
    }
    else {
        note(search, "board in", dir, "none");
    }
    return 0;
}

/** The board in the directory that the configuration names, or of whoever
 * listens at its places. */
static int try_configured_boards(amgr_source_search_t *search, server_t *server,
                                 const amgr_apache_config_t *config)
{
    int i;

    if (config->runtime_dir != NULL &&
        try_configured_board(search, server, config->runtime_dir)) {
        return 1;
    }
    for (i = 0;
         i < config->listens->nelts && !server->is_local && !server->is_denied;
         i++) {
        const amgr_listen_t *listen =
            &APR_ARRAY_IDX(config->listens, i, amgr_listen_t);

        if (try_local(search, server, listen->address, listen->port)) {
            return 1;
        }
    }
    return 0;
}

static int try_configured(amgr_source_search_t *search,
                          const amgr_apache_config_t *config)
{
    server_t server;

    init_server(&server);
    server.data_file = configured_data_file(config, search->pool);
    if (config->manager_path != NULL) {
        server.manager_path = config->manager_path;
    }
    if (config->status_path != NULL) {
        server.status_path = config->status_path;
    }
    if (try_configured_boards(search, &server, config)) {
        return 1;
    }
    if (has_fresh_file(search, &server) && search->timeout_us > HURRIED_US) {
        search->timeout_us = HURRIED_US;
    }
    return try_listens(search, &server, config->listens) ||
           try_data_file(search, &server);
}

static void note_several(amgr_source_search_t *search,
                         const apr_array_header_t *servers)
{
    const char *list = "";
    int i;

    for (i = 0; i < servers->nelts && i < NAMED_MAX; i++) {
        const amgr_local_server_t *server =
            &APR_ARRAY_IDX(servers, i, amgr_local_server_t);

        list = apr_psprintf(search->pool, "%s%spid %ld (%s)", list,
                            i == 0 ? "" : ", ", (long)server->parent.pid,
                            server->exe[0] == '\0'
                                ? "unknown program"
                                : amgr_fault_quote(search->pool, server->exe));
    }
    amgr_source_search_note(
        search, amgr_fault_make(search->pool, AMGR_EXIT_FAILED,
                                "several servers run here: %s%s: choose one "
                                "with --url",
                                list, servers->nelts > NAMED_MAX ? "..." : ""));
}

/** The pages of the one server that runs here, where it listens. */
static int try_own_listens(amgr_source_search_t *search, const server_t *server)
{
    const apr_array_header_t *listens;
    amgr_proc_dir_t proc;

    if (amgr_proc_dir_open(&proc, "/proc") != APR_SUCCESS) {
        return 0;
    }
    listens = amgr_local_listens(&proc, server->local.parent.pid, search->pool);
    amgr_proc_dir_close(&proc);
    if (listens->nelts == 0) {
        amgr_source_search_note(
            search,
            amgr_fault_make(search->pool, AMGR_EXIT_PERMISSION,
                            "server with pid %ld: this user may not know where "
                            "it listens: tell it with --url",
                            (long)server->local.parent.pid));
    }
    return try_listens(search, server, listens);
}

/** The servers that run here; those of containers only where there is no
 * other. */
static const apr_array_header_t *list_running(apr_pool_t *pool)
{
    const apr_array_header_t *all = amgr_local_servers(pool);
    apr_array_header_t *own =
        apr_array_make(pool, all->nelts, sizeof(amgr_local_server_t));
    amgr_proc_dir_t proc;
    int i;

    if (amgr_proc_dir_open(&proc, "/proc") != APR_SUCCESS) {
        return all;
    }
    for (i = 0; i < all->nelts; i++) {
        const amgr_local_server_t *server =
            &APR_ARRAY_IDX(all, i, amgr_local_server_t);

        if (amgr_local_is_same_namespace(&proc, server->parent.pid, "net")) {
            APR_ARRAY_PUSH(own, amgr_local_server_t) = *server;
        }
    }
    amgr_proc_dir_close(&proc);
    return own->nelts > 0 ? own : all;
}

/** Without a configuration: the server that runs here, if it is one. */
static int try_running(amgr_source_search_t *search)
{
    const apr_array_header_t *servers = list_running(search->pool);
    server_t server;

    if (servers->nelts > 1) {
        note_several(search, servers);
        return 0;
    }
    if (servers->nelts == 0) {
        amgr_source_search_note(search,
                                amgr_fault_make(search->pool, AMGR_EXIT_FAILED,
                                                "no httpd runs here"));
        return 0;
    }
    init_server(&server);
    server.local = APR_ARRAY_IDX(servers, 0, amgr_local_server_t);
    server.is_local = 1;
    server.is_listened = 1;
    server.data_file = server.local.data_file;
    return try_board(search, &server.local) ||
           try_own_listens(search, &server) || try_data_file(search, &server);
}

/** The data file of the configuration, when that listens at this port. */
static const char *data_file_of_port(apr_uint16_t port, apr_pool_t *pool)
{
    amgr_apache_config_t config;
    int i;

    if (amgr_apache_config_read(NULL, &config, pool) != NULL) {
        return NULL;
    }
    for (i = 0; i < config.listens->nelts; i++) {
        if (APR_ARRAY_IDX(config.listens, i, amgr_listen_t).port == port) {
            return configured_data_file(&config, pool);
        }
    }
    return NULL;
}

static int try_url(amgr_source_search_t *search, const amgr_source_url_t *url)
{
    server_t server;

    init_server(&server);
    if (url->path[0] != '\0') {
        server.manager_path = url->path;
        server.status_path = url->path;
    }
    if (amgr_local_server_is_here(url->host, search->pool)) {
        if (try_local(search, &server, url->host, url->port)) {
            return 1;
        }
        if (server.data_file == NULL) {
            server.data_file = data_file_of_port(url->port, search->pool);
        }
        if (has_fresh_file(search, &server) &&
            search->timeout_us > HURRIED_US) {
            search->timeout_us = HURRIED_US;
        }
    }
    return try_pages(search, &server, url->origin) ||
           try_data_file(search, &server);
}

/** Without a URL: by the configuration, or by who runs here. */
static int try_here(amgr_source_search_t *search)
{
    const amgr_fault_t *fault;
    amgr_apache_config_t config;
    int i;

    fault = amgr_apache_config_read(NULL, &config, search->pool);
    if (fault != NULL) {
        amgr_source_search_note(search, fault);
        return try_running(search);
    }
    for (i = 0; i < config.warnings->nelts; i++) {
        amgr_message(AMGR_LEVEL_VERBOSE, "%s",
                     APR_ARRAY_IDX(config.warnings, i, const char *));
    }
    return try_configured(search, &config);
}

static const char *join(const apr_array_header_t *texts, apr_pool_t *pool)
{
    const char *all = "";
    int i;

    for (i = 0; i < texts->nelts; i++) {
        all = apr_pstrcat(pool, all, i == 0 ? "" : "; ",
                          APR_ARRAY_IDX(texts, i, const char *), NULL);
    }
    return all;
}

const amgr_fault_t *amgr_source_read(const amgr_target_t *target, int wants,
                                     amgr_source_t *out, apr_pool_t *pool)
{
    amgr_source_search_t search;
    const amgr_fault_t *fault;
    amgr_source_url_t url;
    int found;

    memset(&search, 0, sizeof(search));
    search.wants = wants;
    search.timeout_us = target->timeout_us;
    search.out = out;
    search.pool = pool;
    search.tried = apr_array_make(pool, 8, sizeof(const char *));
    search.exit_code = AMGR_EXIT_FAILED;
    if (target->url == NULL) {
        found = try_here(&search);
    }
    else {
        fault = amgr_source_url_parse(target->url, &url, pool);
        if (fault != NULL) {
            return fault;
        }
        found = try_url(&search, &url);
    }
    if (found) {
        return NULL;
    }
    return amgr_fault_make(pool, search.exit_code, "no server: %s",
                           join(search.tried, pool));
}
