/* SPDX-License-Identifier: Apache-2.0
 *
 * What is done for an order.  Processes are known by their names, since the
 * table may be another one when an order has been waited for.
 */
#include "supervise/order/order_parts.h"

#include <string.h>

#include <apr_strings.h>

#include "base/clock.h"

/** Orders of httpd's own User, which may be anybody's by way of a worker: each
 * writes lines to root's log, and makes work. */
#define GUEST_ORDER_US (APR_USEC_PER_SEC / 4)
#define GUEST_ORDER_BURST 100

/** Where the process of an order is in the table now; -1: nowhere. */
static int find_process(const amgr_managed_table_t *table,
                        const amgr_order_t *order)
{
    int i;

    for (i = 0; i < table->count; i++) {
        const amgr_managed_t *process = &table->processes[i];

        if (order->name[0] != '\0' ? strcmp(process->name, order->name) == 0
                                   : process->id == order->id) {
            return i;
        }
    }
    return -1;
}

static int all_have_ended(const amgr_managed_table_t *table)
{
    int i;

    for (i = 0; i < table->count; i++) {
        int state = table->processes[i].state;

        if (state != AMGR_MANAGED_STOPPED && state != AMGR_MANAGED_EXITED &&
            state != AMGR_MANAGED_FATAL) {
            return 0;
        }
    }
    return 1;
}

/** Whether what the order was for is there, or cannot come.  A process that is
 * only asked for, or of which the contrary was ordered meanwhile, is settled
 * when what is wanted of it now is there. */
static int is_settled(const amgr_order_socket_t *orders, int verb, int index)
{
    const amgr_managed_table_t *table =
        amgr_supervisor_table(orders->supervisor);
    int is_wanted;

    if (verb == AMGR_ORDER_SHUTDOWN) {
        return all_have_ended(table);
    }
    is_wanted = table->processes[index].want == AMGR_MANAGED_WANT_UP;
    if (!is_wanted) {
        verb = AMGR_VERB_STOP;
    }
    else if (verb != AMGR_VERB_RESTART) {
        verb = AMGR_VERB_START;
    }
    return amgr_supervisor_is_settled(orders->supervisor, index, verb);
}

void amgr_order_look_at(amgr_order_socket_t *orders, amgr_order_peer_t *peer)
{
    const amgr_managed_table_t *table =
        amgr_supervisor_table(orders->supervisor);
    const amgr_order_t *order = &peer->order;
    int index = -1;
    int settled;

    if (order->verb != AMGR_ORDER_SHUTDOWN) {
        index = find_process(table, order);
        if (index < 0) {
            amgr_order_peer_refuse(peer, 404,
                                   "the process is not there any more");
            return;
        }
    }
    settled = is_settled(orders, order->verb, index);
    if (settled || amgr_clock_monotonic_us() >= peer->client->until_mono_us) {
        amgr_order_peer_tell(peer, index < 0 ? NULL : &table->processes[index],
                             settled);
    }
}

/** Whose order it is, and what will come of it. */
static void tell_order(const amgr_order_socket_t *orders,
                       const amgr_order_peer_t *peer, int obeyed)
{
    static const char *const words[] = {
        [AMGR_OBEYED] = "",
        [AMGR_OBEYED_ALREADY] = ", which is so or on its way",
        [AMGR_OBEYED_NOT] = ", which is refused while all is shut down",
        [AMGR_OBEYED_GONE] = ", which is refused since its section is gone",
    };
    const amgr_order_t *order = &peer->order;
    int level = AMGR_LEVEL_INFO;

    if (order->verb == AMGR_VERB_STATUS) {
        level = AMGR_LEVEL_DEBUG;
    }
    else if (obeyed == AMGR_OBEYED) {
        level = AMGR_LEVEL_NOTICE;
    }
    if (order->verb == AMGR_ORDER_SHUTDOWN) {
        amgr_say(orders->teller, AMGR_SAY_ORDER, level, 0,
                 "shutdown of all processes ordered by process %ld (uid %lu)",
                 (long)peer->client->who.pid,
                 (unsigned long)peer->client->who.uid);
        return;
    }
    amgr_say(orders->teller, AMGR_SAY_ORDER, level, 0,
             "process %s: %s ordered by process %ld (uid %lu)%s", order->name,
             amgr_order_word(order->verb), (long)peer->client->who.pid,
             (unsigned long)peer->client->who.uid, words[obeyed]);
}

/** From now on it is waited for. */
static void begin_waiting(amgr_order_socket_t *orders, amgr_order_peer_t *peer)
{
    amgr_line_wait(peer->client,
                   (apr_interval_time_t)peer->order.wait_ms * 1000);
    amgr_order_look_at(orders, peer);
}

static void obey_for_process(amgr_order_socket_t *orders,
                             amgr_order_peer_t *peer)
{
    const amgr_managed_table_t *table =
        amgr_supervisor_table(orders->supervisor);
    amgr_order_t *order = &peer->order;
    int index = find_process(table, order);
    int obeyed;

    if (index < 0) {
        amgr_order_peer_refuse(peer, 404,
                               order->name[0] != '\0'
                                   ? "no process of this name"
                                   : "no process of this id");
        return;
    }
    apr_cpystrn(order->name, table->processes[index].name, sizeof(order->name));
    /* Said before what it brings about is. */
    obeyed = amgr_supervisor_foresee(orders->supervisor, index, order->verb);
    tell_order(orders, peer, obeyed);
    if (order->verb != AMGR_VERB_STATUS) {
        obeyed = amgr_supervisor_order(orders->supervisor, index, order->verb);
    }
    if (obeyed == AMGR_OBEYED_NOT) {
        amgr_order_peer_refuse(
            peer, 403, "all processes are shut down until httpd is restarted");
        return;
    }
    if (obeyed == AMGR_OBEYED_GONE) {
        amgr_order_peer_refuse(peer, 404,
                               "the process is not configured any more");
        return;
    }
    peer->already = obeyed == AMGR_OBEYED_ALREADY;
    begin_waiting(orders, peer);
}

/** Guests do not flood; one line when they begin to, one when it is over. */
static int has_time(amgr_order_socket_t *orders, const amgr_order_peer_t *peer)
{
    if (amgr_order_peer_is_master(peer) ||
        peer->order.verb == AMGR_VERB_STATUS) {
        return 1;
    }
    if (orders->is_flooded &&
        orders->order_due_us <= amgr_clock_monotonic_us()) {
        orders->is_flooded = 0;
        amgr_say(orders->teller, AMGR_SAY_ORDER, AMGR_LEVEL_NOTICE, 0,
                 "orders of uid %lu are obeyed again: %" APR_UINT64_T_FMT
                 " were refused",
                 (unsigned long)peer->client->who.uid, orders->refused);
    }
    if (amgr_order_peer_has_time(&orders->order_due_us, GUEST_ORDER_US,
                                 GUEST_ORDER_BURST)) {
        return 1;
    }
    if (!orders->is_flooded) {
        orders->is_flooded = 1;
        orders->refused = 0;
        amgr_say(orders->teller, AMGR_SAY_ORDER, AMGR_LEVEL_WARNING, 0,
                 "orders of process %ld (uid %lu) and others of this user come "
                 "too often: those that are too many are refused",
                 (long)peer->client->who.pid,
                 (unsigned long)peer->client->who.uid);
    }
    orders->refused++;
    return 0;
}

void amgr_order_obey(amgr_order_socket_t *orders, amgr_order_peer_t *peer)
{
    if (amgr_line_is_gone(peer->client)) {
        amgr_line_hang_up(peer->client);
    }
    else if (!amgr_order_peer_is_master(peer) &&
             !amgr_order_peer_is_guest(orders, peer)) {
        amgr_order_peer_refuse(peer, 403,
                               "orders of this user are not heard any more");
    }
    else if (!has_time(orders, peer)) {
        amgr_order_peer_refuse(peer, 503, "too many orders");
    }
    else if (peer->order.verb != AMGR_VERB_STATUS &&
             amgr_supervisor_is_ending(orders->supervisor)) {
        amgr_order_peer_refuse(peer, 503,
                               "the supervisor is about to end, and another "
                               "would not know of it");
    }
    else if (peer->order.verb == AMGR_ORDER_SHUTDOWN) {
        tell_order(orders, peer, AMGR_OBEYED);
        amgr_supervisor_shut_down(orders->supervisor);
        begin_waiting(orders, peer);
    }
    else {
        obey_for_process(orders, peer);
    }
}
