/* SPDX-License-Identifier: Apache-2.0
 *
 * See server_about.h.
 */
#include "httpd/server_about.h"

#include <string.h>

#include <ap_listen.h>
#include <apr_strings.h>

#include "httpd/server_start.h"

/* What does not fit is not told: half a path is another path. */
static void put_whole(char *out, apr_size_t size, const char *text)
{
    if (text != NULL && strlen(text) < size) {
        apr_cpystrn(out, text, size);
    }
}

static int is_any(const apr_sockaddr_t *address)
{
    static const struct in6_addr any6 = IN6ADDR_ANY_INIT;

    return address->family == APR_INET
               ? address->sa.sin.sin_addr.s_addr == htonl(INADDR_ANY)
               : memcmp(&address->sa.sin6.sin6_addr, &any6, sizeof(any6)) == 0;
}

static void put_listener(amgr_board_listen_t *out,
                         const ap_listen_rec *listener)
{
    apr_sockaddr_t *address = listener->bind_addr;

    out->tls = listener->protocol != NULL &&
               ap_cstr_casecmp(listener->protocol, "https") == 0;
    if (address->family != APR_INET && address->family != APR_INET6) {
        return; /* port 0: nobody can connect to it by a number */
    }
    out->port = address->port;
    if (!is_any(address)) {
        apr_sockaddr_ip_getbuf(out->address, sizeof(out->address), address);
    }
}

static void put_listeners(amgr_board_about_t *about)
{
    const ap_listen_rec *listener;

    for (listener = ap_listeners; listener != NULL; listener = listener->next) {
        if (about->listen_count < AMGR_BOARD_LISTENS_MAX) {
            put_listener(&about->listens[about->listen_count], listener);
        }
        about->listen_count++;
    }
}

static void put_settings(amgr_board_about_t *about, const amgr_config_t *config)
{
    int i;

    for (i = 0; i < AMGR_COMMAND_EVENT_COUNT; i++) {
        if (config->kill_command[i] != NULL) {
            /* Without its arguments, which may hold what nobody shall see. */
            apr_cpystrn(about->kill_commands[i], config->kill_command[i][0],
                        sizeof(about->kill_commands[i]));
        }
    }
    about->kill_command_timeout_us = config->kill_command_timeout_us;
    about->show_requests = config->show_requests;
    about->show_clients = config->show_clients;
    about->metrics_names = config->metrics_names;
    about->syslog = config->syslog;
    about->configured_us = config->read_us;
    put_whole(about->control_socket, sizeof(about->control_socket),
              config->control_socket);
}

void amgr_server_about_publish(const amgr_runtime_t *runtime)
{
    const amgr_config_t *config = amgr_config_main();
    const amgr_server_start_t *start = amgr_server_start();
    amgr_board_about_t about;

    memset(&about, 0, sizeof(about));
    if (start != NULL) {
        about.started_us = start->wall_us;
        about.started_boot_us = start->boot_us;
    }
    put_listeners(&about);
    put_settings(&about, config);
    apr_cpystrn(about.description, ap_get_server_description(),
                sizeof(about.description));
    apr_cpystrn(about.built, ap_get_server_built(), sizeof(about.built));
    put_whole(about.data_file, sizeof(about.data_file), runtime->data_file);
    amgr_board_write_about(amgr_runtime_board(runtime), &about);
}
