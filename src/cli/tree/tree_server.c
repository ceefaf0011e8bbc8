/* SPDX-License-Identifier: Apache-2.0
 *
 * See tree_server.h.  Servers are found as they are for a report, but that it
 * does not matter whether they answer.
 */
#include "cli/tree/tree_server.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include <apr_strings.h>

#include "cli/config/apache_config.h"
#include "cli/local/local_address.h"
#include "cli/local/local_server.h"
#include "cli/source/source_url.h"

static apr_array_header_t *only(const amgr_local_server_t *server,
                                apr_pool_t *pool)
{
    apr_array_header_t *servers = apr_array_make(pool, 1, sizeof(*server));

    APR_ARRAY_PUSH(servers, amgr_local_server_t) = *server;
    return servers;
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
        *out = only(&server, pool);
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
                                 "at port %d of %s",
                                 url.port, host);
}

/* The pid that a server has written into a file of its own; 0: none. */
static pid_t read_pid_file(const char *path)
{
    char text[32];
    ssize_t length;
    char *end;
    apr_int64_t pid;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

    if (fd < 0) {
        return 0;
    }
    length = read(fd, text, sizeof(text) - 1);
    close(fd);
    text[length > 0 ? length : 0] = '\0';
    pid = apr_strtoi64(text, &end, 10);
    return end != text && (*end == '\0' || *end == '\n') && pid > 0 &&
                   pid <= APR_INT32_MAX
               ? (pid_t)pid
               : 0;
}

/* Who it is does not depend on what the file says: it is one of those that
 * were found to be httpds. */
static int find_by_pid_file(const amgr_apache_config_t *config,
                            const apr_array_header_t *servers,
                            amgr_local_server_t *out)
{
    pid_t pid = config->pid_file == NULL ? 0 : read_pid_file(config->pid_file);
    int i;

    for (i = 0; pid != 0 && i < servers->nelts; i++) {
        *out = APR_ARRAY_IDX(servers, i, amgr_local_server_t);
        if (out->parent.pid == pid) {
            return 1;
        }
    }
    return 0;
}

/* By its board, or as whoever listens where it would; *out_denied is set when
 * somebody does and this user may not know who. */
static int find_by_place(const amgr_apache_config_t *config,
                         amgr_local_server_t *out, int *out_denied,
                         apr_pool_t *pool)
{
    const amgr_fault_t *why;
    int i;

    *out_denied = 0;
    if (config->runtime_dir != NULL &&
        amgr_local_server_in(config->runtime_dir, NULL, 0, out, &why, pool) !=
            AMGR_LOCAL_FIT_NONE) {
        return 1;
    }
    for (i = 0; i < config->listens->nelts; i++) {
        const amgr_listen_t *listen =
            &APR_ARRAY_IDX(config->listens, i, amgr_listen_t);
        apr_status_t rv =
            amgr_local_server_at(listen->address, listen->port, out, pool);

        if (rv == APR_SUCCESS) {
            return 1;
        }
        *out_denied |= APR_STATUS_IS_EACCES(rv);
    }
    return 0;
}

static const amgr_fault_t *not_running(const amgr_apache_config_t *config,
                                       apr_pool_t *pool)
{
    const char *file = amgr_fault_quote(pool, config->file);
    const amgr_listen_t *listen;

    if (config->listens->nelts == 0) {
        return amgr_fault_make(pool, AMGR_EXIT_FAILED,
                               "the httpd of %s does not run: choose another "
                               "with --url",
                               file);
    }
    listen = &APR_ARRAY_IDX(config->listens, 0, amgr_listen_t);
    return amgr_fault_make(pool, AMGR_EXIT_FAILED,
                           "the httpd of %s does not run: none listens at "
                           "port %d of %s: choose another with --url",
                           file, listen->port,
                           amgr_fault_quote(pool, listen->address));
}

static const amgr_fault_t *find_configured(const amgr_apache_config_t *config,
                                           apr_array_header_t **out,
                                           const char **out_unsure,
                                           apr_pool_t *pool)
{
    amgr_local_server_t server;
    int is_denied;

    if (find_by_place(config, &server, &is_denied, pool)) {
        *out = only(&server, pool);
        return NULL;
    }
    *out = amgr_local_servers(pool);
    if (find_by_pid_file(config, *out, &server)) {
        *out = only(&server, pool);
        return NULL;
    }
    if (!is_denied) {
        return not_running(config, pool);
    }
    if ((*out)->nelts > 1 && out_unsure != NULL) {
        *out_unsure = amgr_fault_quote(pool, config->file);
    }
    return NULL;
}

const amgr_fault_t *amgr_tree_servers(const char *url, apr_array_header_t **out,
                                      const char **out_unsure, apr_pool_t *pool)
{
    amgr_apache_config_t config;

    if (out_unsure != NULL) {
        *out_unsure = NULL;
    }
    if (url != NULL) {
        return find_named(url, out, pool);
    }
    if (amgr_apache_config_read(NULL, &config, pool) == NULL) {
        return find_configured(&config, out, out_unsure, pool);
    }
    *out = amgr_local_servers(pool);
    return NULL;
}
