/* SPDX-License-Identifier: Apache-2.0
 *
 * See control.h.  Orders wait for their turns, so that no client makes ticks
 * follow each other without a pause.
 */
#include "httpd/control.h"

#include <poll.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/line_server.h"
#include "httpd/control_order.h"
#include "httpd/log.h"
#include "httpd/tick_act.h"

#define CLIENTS_MAX 4

/** Between two orders. */
#define TURN_US (APR_USEC_PER_SEC / 10)

struct amgr_control_t {
    server_rec *server;
    amgr_tick_t *tick;
    amgr_line_server_t lines;
    apr_time_t turn_mono_us; /**< no order before this */
    int told_stranger;
    amgr_control_order_t orders[CLIENTS_MAX]; /**< as the clients' own */
};

/** Whose order it was; one that retires nobody is of no interest. */
static void tell_order(const amgr_control_t *control,
                       const amgr_line_client_t *client, int about)
{
    const amgr_control_order_t *order = client->own;
    const char *what = order->demand.dry_run ? "retire in a dry run" : "retire";

    amgr_log(control->server, AMGR_TAG_ORDER,
             about > 0 ? APLOG_INFO : APLOG_DEBUG, 0,
             "order of process %" APR_PID_T_FMT " (uid %lu) to %s: %d "
             "process%s",
             client->who.pid, (unsigned long)client->who.uid,
             order->retire ? what : "tick", about < 0 ? 0 : about,
             about == 1 ? "" : "es");
}

/** Carry out the order, or tell why not. */
static void answer(amgr_control_t *control, amgr_line_client_t *client,
                   const char *wrong)
{
    char buf[512];
    amgr_sink_t sink;

    amgr_sink_init(&sink, buf, sizeof(buf), amgr_line_append, client);
    if (wrong != NULL) {
        amgr_control_order_refuse(wrong, &sink);
    }
    else {
        tell_order(control, client,
                   amgr_control_order_run(control->tick, client->own, &sink));
    }
    amgr_line_answer(client, &sink);
}

/** What is wrong with a line is told at once. */
static void take(void *baton, amgr_line_client_t *client, apr_size_t len,
                 const char *wrong)
{
    char buf[128];

    if (wrong == NULL) {
        wrong = amgr_control_order_read(client->line, len, client->own, buf,
                                        sizeof(buf));
    }
    if (wrong != NULL) {
        answer(baton, client, wrong);
    }
    else {
        amgr_line_wait(client, AMGR_LINE_FOREVER);
    }
}

/** Whoever could connect although the file is ours alone: its mode was changed
 * by somebody.  Orders are its owner's and root's all the same. */
static void admit(void *baton, amgr_line_client_t *client)
{
    amgr_control_t *control = baton;

    if (client->who.uid == 0 || client->who.uid == geteuid()) {
        return;
    }
    if (!control->told_stranger) {
        amgr_log(control->server, AMGR_TAG_ORDER, APLOG_WARNING, 0,
                 "process %" APR_PID_T_FMT " of uid %lu may not give orders: "
                 "has somebody changed the mode of %s?",
                 client->who.pid, (unsigned long)client->who.uid,
                 control->lines.place.path);
        control->told_stranger = 1;
    }
    answer(control, client, "orders are root's and the server's user's");
}

amgr_control_t *amgr_control_create(server_rec *s, amgr_tick_t *tick,
                                    apr_pool_t *p)
{
    amgr_control_t *control = apr_pcalloc(p, sizeof(*control));
    amgr_line_server_t *lines = &control->lines;
    int i;

    control->server = s;
    control->tick = tick;
    amgr_line_server_init(lines, CLIENTS_MAX, AMGR_CONTROL_LINE_MAX, p);
    amgr_socket_place_init(&lines->place, amgr_config_main()->control_socket,
                           geteuid());
    lines->admit = admit;
    lines->take = take;
    lines->baton = control;
    for (i = 0; i < CLIENTS_MAX; i++) {
        lines->clients[i].own = &control->orders[i];
    }
    return control;
}

/** The order that has waited longest, or NULL. */
static amgr_line_client_t *find_first(amgr_control_t *control)
{
    amgr_line_client_t *first = NULL;
    int i;

    for (i = 0; i < CLIENTS_MAX; i++) {
        amgr_line_client_t *client = &control->lines.clients[i];

        if (client->phase == AMGR_LINE_WAITING &&
            (first == NULL || client->since_mono_us < first->since_mono_us)) {
            first = client;
        }
    }
    return first;
}

/** Carry it out, when it is its turn.  Whoever gave up waiting may have done
 * himself what was ordered. */
static void take_turn(amgr_control_t *control)
{
    amgr_line_client_t *first = find_first(control);

    if (first == NULL || amgr_clock_monotonic_us() < control->turn_mono_us) {
        return;
    }
    if (amgr_line_is_gone(first)) {
        amgr_line_hang_up(first);
        return;
    }
    control->turn_mono_us = amgr_clock_monotonic_us() + TURN_US;
    answer(control, first, NULL);
}

/** What comes first of all that there is to be done without anybody's doing. */
static apr_interval_time_t shorten(amgr_control_t *control,
                                   apr_interval_time_t span_us)
{
    apr_time_t now_us = amgr_clock_monotonic_us();
    apr_time_t until_us = now_us + span_us;
    apr_time_t due_us = amgr_line_server_due(&control->lines);

    if (due_us != AMGR_NO_TIME && due_us < until_us) {
        until_us = due_us;
    }
    if (find_first(control) != NULL && control->turn_mono_us < until_us) {
        until_us = control->turn_mono_us;
    }
    return until_us > now_us ? until_us - now_us : 0;
}

/** Look after the socket; it is the ticker's, and so are its faults.  One line
 * in the log for each change. */
static void look_after(amgr_control_t *control)
{
    amgr_counters_t *counters = amgr_board_counters(control->tick->board);
    amgr_socket_place_t *place = &control->lines.place;
    apr_uint64_t failures = place->failures;
    int change = amgr_socket_place_look(place);

    counters->errors[AMGR_STAGE_TICKER] += place->failures - failures;
    if (change == AMGR_SOCKET_FAILED) {
        amgr_log(control->server, AMGR_TAG_CONTROL, APLOG_WARNING, place->error,
                 "control socket %s: %s", place->path, place->wrong);
    }
    else if (change != AMGR_SOCKET_SAME) {
        amgr_log(control->server, AMGR_TAG_CONTROL,
                 change == AMGR_SOCKET_OPENED ? APLOG_INFO : APLOG_NOTICE, 0,
                 "control socket %s takes orders", place->path);
    }
}

void amgr_control_wait(amgr_control_t *control, int wake_fd,
                       apr_interval_time_t span_us)
{
    struct pollfd entries[1 + CLIENTS_MAX + 1];
    struct timespec span;
    int count;

    look_after(control);
    span_us = shorten(control, span_us);
    span.tv_sec = (time_t)apr_time_sec(span_us);
    span.tv_nsec = (long)apr_time_usec(span_us) * 1000;
    entries[0] = (struct pollfd){wake_fd, POLLIN, 0};
    count = amgr_line_server_list(&control->lines, entries + 1);
    if (ppoll(entries, (nfds_t)count + 1, &span, NULL) < 0 ||
        entries[0].revents != 0) {
        return;
    }
    amgr_line_server_serve(&control->lines, entries + 1, count);
    take_turn(control);
}

void amgr_control_end(amgr_control_t *control)
{
    amgr_line_server_end(&control->lines);
}
