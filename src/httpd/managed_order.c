/* SPDX-License-Identifier: Apache-2.0
 *
 * See managed_order.h.
 */
#include "httpd/managed_order.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include <ap_mpm.h>
#include <apr_portable.h>
#include <apr_strings.h>
#include <http_core.h>

#include "base/clock.h"
#include "httpd/managed_table.h"
#include "httpd/order_way.h"
#include "httpd/runtime.h"

/** Between two looks at the table while an order is carried out. */
#define PAUSE_MS 50

static int read_table(amgr_managed_table_t *table)
{
    const amgr_runtime_t *runtime = amgr_runtime();

    if (runtime == NULL ||
        amgr_board_read_managed(runtime->board.shared, table) == APR_NOTFOUND) {
        memset(table, 0, sizeof(*table));
        return 0;
    }
    return 1;
}

void amgr_managed_order_read(amgr_managed_table_t *table)
{
    if (read_table(table)) {
        amgr_managed_doubt(table, amgr_clock_monotonic_us());
    }
    amgr_managed_table_complete(table);
}

static int is_heard(const amgr_managed_table_t *table)
{
    return table->supervisor != 0 && table->socket[0] != '\0' &&
           amgr_clock_monotonic_us() - table->beat_mono_us <=
               AMGR_MANAGED_STALE_US;
}

static int is_stopped(const amgr_managed_t *process)
{
    return process->state == AMGR_MANAGED_STOPPED ||
           process->state == AMGR_MANAGED_EXITED ||
           process->state == AMGR_MANAGED_FATAL;
}

/** Whether a start has come to its end, or was overtaken by a stop. */
static int is_started(const amgr_managed_t *process)
{
    return process->state == AMGR_MANAGED_READY ||
           process->state == AMGR_MANAGED_EXITED ||
           process->state == AMGR_MANAGED_FATAL || process->is_stuck ||
           (process->state == AMGR_MANAGED_STOPPED &&
            process->want == AMGR_MANAGED_WANT_DOWN);
}

/** Whether a stop has come to its end, or was overtaken by a start. */
static int has_ended(const amgr_managed_t *process)
{
    return is_stopped(process) ||
           (process->want == AMGR_MANAGED_WANT_UP && is_started(process));
}

static int is_settled(const amgr_managed_order_t *order)
{
    const amgr_managed_table_t *table = order->table;
    const amgr_managed_t *process;
    int i;

    if (order->name != NULL) {
        process = amgr_managed_find(table, order->name);
        return process == NULL ||
               (strcmp(order->verb, "stop") == 0 ? has_ended(process)
                                                 : is_started(process));
    }
    for (i = 0; i < table->count; i++) {
        if (!is_stopped(&table->processes[i])) {
            return 0;
        }
    }
    return 1;
}

/** The descriptor by which a client that hangs up can be noticed; -1: none,
 * since its connection carries other requests too: then mod_http2 says so. */
static int client_descriptor(const request_rec *r)
{
    apr_socket_t *socket = r->connection->master == NULL
                               ? ap_get_conn_socket(r->connection)
                               : NULL;
    apr_os_sock_t fd = -1;

    if (socket != NULL && apr_os_sock_get(&fd, socket) != APR_SUCCESS) {
        fd = -1;
    }
    return fd;
}

static int is_leaving(void)
{
    int state = AP_MPMQ_STARTING;

    return ap_mpm_query(AP_MPMQ_MPM_STATE, &state) == APR_SUCCESS &&
           state == AP_MPMQ_STOPPING;
}

/** Whether it has settled when this returns. */
static int wait_for_it(const request_rec *r, amgr_managed_order_t *order)
{
    apr_time_t until_us = amgr_clock_monotonic_us() + order->wait_us;
    struct pollfd client = {client_descriptor(r), POLLRDHUP, 0};

    while (!is_settled(order)) {
        if (amgr_clock_monotonic_us() >= until_us ||
            (is_leaving() && !order->is_patient) || r->connection->aborted ||
            poll(&client, 1, PAUSE_MS) > 0) {
            return 0;
        }
        if (!read_table(order->table) || !is_heard(order->table)) {
            return 0;
        }
    }
    return 1;
}

/** Why nobody can be asked, or NULL. */
static const char *find_fault(const amgr_managed_table_t *table)
{
    if (table->supervisor == 0) {
        return "none runs";
    }
    if (table->socket[0] == '\0') {
        return "it has no socket, since the path of the runtime directory is "
               "too long for one, or another server uses it";
    }
    return is_heard(table) ? NULL : "it has hung";
}

/** Ask for it; 0, and why not in order->error, where there is no answer. */
static int ask(amgr_managed_order_t *order, amgr_order_answer_t *answer)
{
    char buf[256];
    const char *why;

    read_table(order->table);
    why = find_fault(order->table);
    if (why == NULL) {
        if (amgr_order_way_ask(order->table->socket, order->verb, order->name,
                               answer, buf, sizeof(buf)) == APR_SUCCESS) {
            return 1;
        }
        why = buf;
    }
    order->status = HTTP_SERVICE_UNAVAILABLE;
    apr_snprintf(order->error, sizeof(order->error),
                 "the supervisor cannot be reached now: %s", why);
    return 0;
}

int amgr_managed_order_give(request_rec *r, amgr_managed_order_t *order)
{
    amgr_order_answer_t answer;
    int end;

    if (!ask(order, &answer)) {
        return AMGR_ORDER_REFUSED;
    }
    if (!answer.ok) {
        order->status = answer.status;
        apr_cpystrn(order->error, answer.error, sizeof(order->error));
        return AMGR_ORDER_REFUSED;
    }
    read_table(order->table);
    end = order->wait_us > 0 && wait_for_it(r, order) ? AMGR_ORDER_SETTLED
                                                      : AMGR_ORDER_GOING;
    amgr_managed_doubt(order->table, amgr_clock_monotonic_us());
    amgr_managed_table_complete(order->table);
    return end;
}
