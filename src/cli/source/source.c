/* SPDX-License-Identifier: Apache-2.0
 *
 * Which source is read, see source.h.  Everything that was tried in vain is
 * kept, so that the one line at the end says where to look.
 */
#include "cli/source/source.h"

#include <string.h>

#include <apr_strings.h>

#include "cli/config/apache_config.h"
#include "cli/local/local_address.h"
#include "cli/local/local_listener.h"
#include "cli/local/local_namespace.h"
#include "cli/message.h"
#include "cli/source/source_search.h"
#include "cli/source/source_url.h"

#define MANAGER_PATH "/manager-status"
#define STATUS_PATH "/server-status"
#define DATA_FILE_NAME "apache-manager.txt"

/** Servers that are named where there are too many to choose. */
#define NAMED_MAX 8

#define ORPHANED "httpd's parent has ended, its workers still serve: restart it"

static const char *const words[AMGR_SOURCE_KIND_COUNT] = {
    [AMGR_SOURCE_BOARD] = "board",
    [AMGR_SOURCE_STATUS_JSON] = "status.json",
    [AMGR_SOURCE_MOD_STATUS] = "mod_status",
    [AMGR_SOURCE_DATA_FILE] = "data file",
    [AMGR_SOURCE_PROCESSES] = "processes",
};

const char *amgr_source_word(int kind)
{
    return kind < 0 || kind >= AMGR_SOURCE_KIND_COUNT ? "unknown" : words[kind];
}

const char *amgr_source_remark(const amgr_source_t *source)
{
    if (source->is_orphaned) {
        return ORPHANED;
    }
    return source->kind == AMGR_SOURCE_PROCESSES
               ? "the server does not answer (all workers busy?): memory from "
                 "/proc"
               : NULL;
}

int amgr_source_needs_attention(const amgr_source_t *source)
{
    return source->view.snapshot->hanging > 0 ||
           amgr_source_remark(source) != NULL ||
           amgr_source_misses_process(source);
}

int amgr_source_misses_process(const amgr_source_t *source)
{
    const amgr_managed_table_t *table = source->view.managed;

    return table != NULL &&
           (!amgr_managed_all_ready(table) || amgr_managed_is_unwatched(table));
}

const amgr_fault_t *amgr_source_check(const amgr_source_t *source,
                                      apr_pool_t *pool)
{
    return source->is_orphaned
               ? amgr_fault_make(pool, AMGR_EXIT_FAILED, "%s", ORPHANED)
               : NULL;
}

void amgr_source_search_orphaned(amgr_source_search_t *search)
{
    if (!search->is_orphaned) {
        search->is_orphaned = 1;
        amgr_source_search_note(
            search,
            amgr_fault_make(search->pool, AMGR_EXIT_FAILED, "%s", ORPHANED));
    }
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
    fault = amgr_source_board(local, search->wants, search->out, search->pool);
    if (fault != NULL) {
        amgr_source_search_note(search, fault);
        search->unread = apr_pmemdup(search->pool, local, sizeof(*local));
    }
    return fault == NULL;
}

static void set_local(amgr_source_search_t *search,
                      amgr_source_server_t *server,
                      const amgr_local_server_t *local)
{
    server->local = *local;
    server->is_local = 1;
    server->is_listened = 1;
    if (local->is_orphan) {
        amgr_source_search_orphaned(search);
    }
}

/** The server at this place of this machine; whether its board was read. */
static int try_local(amgr_source_search_t *search, amgr_source_server_t *server,
                     const char *address, apr_uint16_t port)
{
    amgr_local_server_t found;
    apr_status_t rv = amgr_local_server_at(address, port, &found, search->pool);

    server->is_denied |= rv == APR_EACCES;
    server->is_listened |= rv == APR_EACCES;
    if (rv != APR_SUCCESS) {
        return 0;
    }
    set_local(search, server, &found);
    if (found.data_file != NULL) {
        server->data_file = found.data_file;
    }
    return try_board(search, &found);
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

static void init_server(amgr_source_server_t *server)
{
    memset(server, 0, sizeof(*server));
    server->manager_path = MANAGER_PATH;
    server->status_path = STATUS_PATH;
}

static apr_array_header_t *make_places(int count, apr_pool_t *pool)
{
    return apr_array_make(pool, count, sizeof(amgr_source_place_t));
}

static apr_array_header_t *places_of(const apr_array_header_t *listens,
                                     apr_pool_t *pool)
{
    apr_array_header_t *places = make_places(listens->nelts, pool);
    int i;

    for (i = 0; i < listens->nelts; i++) {
        const amgr_listen_t *listen = &APR_ARRAY_IDX(listens, i, amgr_listen_t);
        amgr_source_place_t *place = apr_array_push(places);

        place->origin = amgr_source_url_origin(listen->address, listen->port,
                                               listen->tls, pool);
        place->tls = listen->tls ? NULL
                                 : amgr_source_url_origin(
                                       listen->address, listen->port, 1, pool);
        place->file = listen->file;
    }
    return places;
}

static int try_configured_board(amgr_source_search_t *search,
                                amgr_source_server_t *server, const char *dir)
{
    amgr_local_server_t found;
    const amgr_fault_t *why;

    if (amgr_local_server_in(dir, NULL, 0, &found, &why, search->pool) !=
        AMGR_LOCAL_FIT_NONE) {
        set_local(search, server, &found);
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
static int try_configured_boards(amgr_source_search_t *search,
                                 amgr_source_server_t *server,
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

static void note_no_listen(amgr_source_search_t *search,
                           const amgr_apache_config_t *config)
{
    amgr_source_search_note(
        search,
        amgr_fault_make(search->pool, AMGR_EXIT_FAILED,
                        "%s and its includes have no Listen line with address "
                        "and port: choose with --url",
                        amgr_fault_quote(search->pool, config->file)));
}

static int try_configured(amgr_source_search_t *search,
                          const amgr_apache_config_t *config)
{
    amgr_source_server_t server;

    init_server(&server);
    server.is_named = 1;
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
    if (amgr_source_search_server(search, &server,
                                  places_of(config->listens, search->pool))) {
        return 1;
    }
    if (config->listens->nelts == 0) {
        note_no_listen(search, config);
    }
    return 0;
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

/** Where the one server that runs here listens. */
static const apr_array_header_t *own_places(amgr_source_search_t *search,
                                            const amgr_source_server_t *server)
{
    const apr_array_header_t *listens;
    amgr_proc_budget_t budget;
    amgr_proc_dir_t proc;

    if (amgr_proc_dir_open(&proc, "/proc") != APR_SUCCESS) {
        return make_places(0, search->pool);
    }
    amgr_local_budget(&budget);
    listens = amgr_local_listens(&proc, server->local.parent.pid, &budget,
                                 search->pool);
    amgr_proc_dir_close(&proc);
    if (listens->nelts == 0) {
        amgr_source_search_note(
            search,
            amgr_fault_make(search->pool, AMGR_EXIT_PERMISSION,
                            "server with pid %ld: this user may not know where "
                            "it listens: tell it with --url",
                            (long)server->local.parent.pid));
    }
    return places_of(listens, search->pool);
}

/** The servers that run here; those of containers, and workers that were left
 * behind, only where there is no other. */
static const apr_array_header_t *list_running(apr_pool_t *pool)
{
    const apr_array_header_t *all = amgr_local_parents(pool);
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
    amgr_source_server_t server;

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
    set_local(search, &server, &APR_ARRAY_IDX(servers, 0, amgr_local_server_t));
    server.data_file = server.local.data_file;
    return try_board(search, &server.local) ||
           amgr_source_search_server(search, &server,
                                     own_places(search, &server));
}

/** What the configuration says of it, when that listens at this port. */
static void look_up_port(amgr_source_server_t *server, apr_uint16_t port,
                         apr_pool_t *pool)
{
    amgr_apache_config_t config;
    int i;

    if (amgr_apache_config_read(NULL, &config, pool) != NULL) {
        return;
    }
    for (i = 0; i < config.listens->nelts; i++) {
        if (APR_ARRAY_IDX(config.listens, i, amgr_listen_t).port == port) {
            server->is_named = 1;
            server->data_file = configured_data_file(&config, pool);
        }
    }
}

static int try_url(amgr_source_search_t *search, const amgr_source_url_t *url)
{
    apr_array_header_t *places = make_places(1, search->pool);
    amgr_source_place_t *place = apr_array_push(places);
    amgr_source_server_t server;

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
            look_up_port(&server, url->port, search->pool);
        }
    }
    memset(place, 0, sizeof(*place));
    place->origin = url->origin;
    return amgr_source_search_server(search, &server, places);
}

static void say_all(int level, const apr_array_header_t *texts)
{
    int i;

    for (i = 0; i < texts->nelts; i++) {
        amgr_message(level, "%s", APR_ARRAY_IDX(texts, i, const char *));
    }
}

/** Without a URL: by the configuration, or by who runs here. */
static int try_here(amgr_source_search_t *search)
{
    const amgr_fault_t *fault;
    amgr_apache_config_t config;

    fault = amgr_apache_config_read(NULL, &config, search->pool);
    if (fault != NULL) {
        amgr_source_search_note(search, fault);
        return try_running(search);
    }
    say_all(AMGR_LEVEL_WARNING, config.bad_listens);
    say_all(AMGR_LEVEL_VERBOSE, config.warnings);
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

/** Workers that were left behind have nobody who could be spoken to, and of a
 * guess nobody is signalled. */
static void finish(amgr_source_search_t *search)
{
    search->out->is_orphaned = search->is_orphaned;
    if (search->is_orphaned || search->is_guessed) {
        memset(&search->out->parent, 0, sizeof(search->out->parent));
    }
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
    if (found || amgr_source_search_tick(&search)) {
        finish(&search);
        return NULL;
    }
    return amgr_fault_make(pool, search.exit_code, "%s: %s%s",
                           search.is_late ? "no answer from the server"
                                          : "no server",
                           join(search.tried, pool),
                           target->url == NULL && search.is_asked &&
                                   !search.is_late && !search.is_answered
                               ? ": is Apache started? --url names another"
                               : "");
}
