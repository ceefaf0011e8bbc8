/* SPDX-License-Identifier: Apache-2.0
 *
 * See timed_request.h.
 */
#include "httpd/timed_request.h"

#include <strings.h>
#include <unistd.h>

#include <httpd.h>
#include <http_config.h>
#include <apr_hooks.h>
#include <http_request.h>
#include <scoreboard.h>
#include <util_filter.h>

#include "httpd/config.h"
#include "httpd/directory.h"
#include "httpd/max_time.h"
#include "httpd/runtime.h"

/* As near to the connection as a request's own filter can be, so that what
 * other filters compute is not taken for the client's doing. */
#define NEXT_TO_CONNECTION ((ap_filter_type)(AP_FTYPE_CONNECTION - 1))

/** A request under a limit, through all its internal redirects. */
typedef struct timed_t {
    request_rec *r; /**< the one that is served now */
    const amgr_max_time_t *limit;
    apr_uint64_t *note;            /**< in the mailbox; NULL: nowhere */
    amgr_mailbox_stream_t *stream; /**< HTTP/2: the note's place */
    apr_time_t start_us;
    apr_uint32_t restamp;
    unsigned int is_told : 1; /**< there is a note of this request */
    unsigned int is_endless : 1;
    unsigned int only_endless : 1; /**< nothing else of it matters */
    unsigned int is_received : 1;  /**< the whole body */
    unsigned int is_typed : 1;     /**< the answer's type was looked at */
    unsigned int filters_in : 1;
    unsigned int filters_out : 1;
    unsigned int filters_switch : 1;
} timed_t;

/** What the filter of a connection knows of a request that may end first. */
typedef struct watch_t {
    timed_t *timed; /**< NULL: it has ended */
} watch_t;

static ap_filter_rec_t *receive_filter;
static ap_filter_rec_t *send_filter;
static ap_filter_rec_t *switch_filter;

static void tell(timed_t *timed, int phase)
{
    if (timed->note != NULL) {
        timed->is_told = 1;
        amgr_mailbox_write(
            timed->note, amgr_budget_note(timed->start_us, timed->limit->index,
                                          phase, timed->restamp));
    }
}

static void tell_endless(timed_t *timed)
{
    timed->is_endless = 1;
    tell(timed, AMGR_PHASE_ENDLESS);
}

/** The client was at work until now: the time begins anew. */
static void tell_running(timed_t *timed)
{
    timed->restamp++;
    if (!timed->is_endless) {
        tell(timed, AMGR_PHASE_RUNNING);
    }
}

static void release(timed_t *timed)
{
    if (timed->stream != NULL) {
        amgr_mailbox_release(timed->stream);
        timed->stream = NULL;
        timed->note = NULL;
    }
}

/** Whether the limit counts this like everything else. */
static int counts(const timed_t *timed, int what)
{
    return (timed->limit->budget.counts & what) != 0;
}

static int has_eos(const apr_bucket_brigade *bb)
{
    return !APR_BRIGADE_EMPTY(bb) && APR_BUCKET_IS_EOS(APR_BRIGADE_LAST(bb));
}

/* ---- the filters -------------------------------------------------------- */

static apr_status_t receive(ap_filter_t *f, apr_bucket_brigade *bb,
                            ap_input_mode_t mode, apr_read_type_e block,
                            apr_off_t readbytes)
{
    timed_t *timed = f->ctx;
    apr_status_t rv;

    if (timed->is_endless || timed->is_received ||
        counts(timed, AMGR_COUNTS_UPLOADS)) {
        return ap_get_brigade(f->next, bb, mode, block, readbytes);
    }
    tell(timed, AMGR_PHASE_RECEIVING);
    rv = ap_get_brigade(f->next, bb, mode, block, readbytes);
    if (rv == APR_SUCCESS && !APR_BRIGADE_EMPTY(bb)) {
        if (has_eos(bb)) {
            timed->is_received = 1;
        }
        tell_running(timed);
    }
    else if (!timed->is_endless) {
        /* Asking again and again is no sign of life. */
        tell(timed, AMGR_PHASE_RUNNING);
    }
    return rv;
}

/** Whether the answer is a stream of server-sent events. */
static int is_event_stream(const request_rec *r)
{
    static const char type[] = "text/event-stream";

    return r->content_type != NULL &&
           strncasecmp(r->content_type, type, sizeof(type) - 1) == 0;
}

static apr_status_t send_on(ap_filter_t *f, apr_bucket_brigade *bb)
{
    timed_t *timed = f->ctx;
    int is_exempt = !counts(timed, AMGR_COUNTS_STREAMS);
    int is_end = has_eos(bb);
    apr_status_t rv;

    if (is_exempt && !timed->is_typed) {
        timed->is_typed = 1;
        if (is_event_stream(f->r)) {
            tell_endless(timed);
        }
    }
    if (timed->only_endless) {
        if (!timed->filters_switch) {
            ap_remove_output_filter(f);
        }
        return ap_pass_brigade(f->next, bb);
    }
    if (is_exempt && !timed->is_endless) {
        tell(timed, AMGR_PHASE_SENDING);
    }
    rv = ap_pass_brigade(f->next, bb);
    if (is_exempt) {
        tell_running(timed);
    }
    if (is_end) {
        /* Of HTTP/2, what is left is mod_http2's to send. */
        release(timed);
    }
    return rv;
}

/** Whether the connection speaks something else than HTTP now.  Whoever makes
 * a tunnel of it takes the request's own filters away, ours among them. */
static int is_switched(const request_rec *r)
{
    return r->status == HTTP_SWITCHING_PROTOCOLS ||
           r->method_number == M_CONNECT ||
           r->proto_output_filters == r->connection->output_filters;
}

static apr_status_t see_switch(ap_filter_t *f, apr_bucket_brigade *bb)
{
    const watch_t *watch = f->ctx;

    if (watch->timed == NULL) {
        ap_remove_output_filter(f);
    }
    else if (!watch->timed->is_endless &&
             !counts(watch->timed, AMGR_COUNTS_UPGRADES) &&
             is_switched(watch->timed->r)) {
        tell_endless(watch->timed);
    }
    return ap_pass_brigade(f->next, bb);
}

/* ---- a request begins --------------------------------------------------- */

static apr_status_t end_timed(void *data)
{
    release(data);
    return APR_SUCCESS;
}

static apr_status_t end_watch(void *data)
{
    watch_t *watch = data;

    watch->timed = NULL;
    return APR_SUCCESS;
}

/** Where in the scoreboard the connection is served; 0 for nowhere. */
static int find_slot(const amgr_runtime_t *runtime, const conn_rec *c, int *row,
                     int *column, const worker_score **out_score)
{
    const worker_score *score = ap_get_scoreboard_worker(c->sbh);
    const worker_score *first;
    apr_int64_t index;

    if (score == NULL) {
        return 0;
    }
    first = ap_get_scoreboard_worker_from_indexes(0, 0);
    index = score - first;
    *row = (int)(index / runtime->thread_limit);
    *column = (int)(index % runtime->thread_limit);
    *out_score = score;
    return 1;
}

/** Find the place for the request's note, and what stamps it. */
static void find_note(timed_t *timed)
{
    const amgr_runtime_t *runtime = amgr_runtime();
    const conn_rec *c = timed->r->connection;
    const worker_score *score;
    int row;
    int column;

    if (runtime == NULL ||
        !find_slot(runtime, c->master == NULL ? c : c->master, &row, &column,
                   &score)) {
        return;
    }
    if (c->master == NULL) {
        timed->start_us = score->start_time;
        timed->note = amgr_mailbox_slot_note(&runtime->mailbox, row, column);
        return;
    }
    timed->start_us = timed->r->request_time;
    timed->stream =
        amgr_mailbox_claim(&runtime->mailbox, row, column, getpid());
    if (timed->stream != NULL) {
        timed->note = amgr_mailbox_stream_note(timed->stream);
        apr_pool_cleanup_register(timed->r->pool, timed, end_timed,
                                  apr_pool_cleanup_null);
    }
}

/** The record that the request has already, perhaps from before an internal
 * redirect. */
static timed_t *find_timed(const request_rec *r)
{
    timed_t *timed = NULL;

    for (; r != NULL && timed == NULL; r = r->prev) {
        timed = ap_get_module_config(r->request_config, &apache_manager_module);
    }
    return timed;
}

static int wants_switch(request_rec *r)
{
    return r->method_number == M_CONNECT ||
           apr_table_get(r->headers_in, "Upgrade") != NULL;
}

/** See the first bytes after a switch of protocols.  The filter is the
 * connection's and may outlive the request; it goes with the next answer. */
static void watch_switch(timed_t *timed, request_rec *r)
{
    watch_t *watch = apr_palloc(r->connection->pool, sizeof(*watch));

    timed->filters_switch = 1;
    watch->timed = timed;
    apr_pool_cleanup_register(r->pool, watch, end_watch, apr_pool_cleanup_null);
    ap_add_output_filter_handle(switch_filter, watch, r, r->connection);
}

/** Add the filters that the limit needs and the request has not yet. */
static void add_filters(timed_t *timed, request_rec *r)
{
    if (!counts(timed, AMGR_COUNTS_UPGRADES) && !timed->filters_switch &&
        wants_switch(r)) {
        watch_switch(timed, r);
    }
    /* It also tells a request, which has filters, from a tunnel without. */
    if ((!counts(timed, AMGR_COUNTS_STREAMS) || timed->filters_switch) &&
        !timed->filters_out) {
        timed->filters_out = 1;
        ap_add_output_filter_handle(send_filter, timed, r, r->connection);
    }
    if (!counts(timed, AMGR_COUNTS_UPLOADS) && !timed->filters_in &&
        ap_request_has_body(r)) {
        timed->filters_in = 1;
        ap_add_input_filter_handle(receive_filter, timed, r, r->connection);
    }
}

/** Add those that tell whether a request without a limit has an end. */
static void watch_for_endless(timed_t *timed, request_rec *r)
{
    if (!timed->filters_switch && wants_switch(r)) {
        watch_switch(timed, r);
    }
    if (!timed->filters_out) {
        timed->filters_out = 1;
        ap_add_output_filter_handle(send_filter, timed, r, r->connection);
    }
}

/** Whether a request without a limit of its own is to be noted all the same:
 * of HTTP/2 the parent sees no request that is not. */
static int is_noted(const request_rec *r, const amgr_max_time_t *limit)
{
    return limit->is_set || r->connection->master != NULL ||
           amgr_max_time_watches_endless();
}

static void resolve(request_rec *r)
{
    const amgr_directory_t *section =
        ap_get_module_config(r->per_dir_config, &apache_manager_module);
    const amgr_max_time_t *limit = section == NULL ? NULL : section->max_time;
    timed_t *timed;

    if (r->main != NULL || limit == NULL) {
        return;
    }
    timed = find_timed(r);
    if (timed == NULL) {
        if (!is_noted(r, limit)) {
            return;
        }
        timed = apr_pcalloc(r->pool, sizeof(*timed));
        timed->r = r;
        find_note(timed);
    }
    else if (timed->r == r && timed->limit == limit) {
        return;
    }
    ap_set_module_config(r->request_config, &apache_manager_module, timed);
    timed->r = r;
    timed->limit = limit;
    timed->is_endless = 0;
    timed->is_typed = 0;
    /* The server's own limit is what the parent assumes. */
    if ((limit->is_set && !limit->is_servers) || timed->is_told ||
        timed->stream != NULL) {
        tell(timed, AMGR_PHASE_RUNNING);
    }
    timed->only_endless =
        !limit->is_set || limit->budget.max_time_us == AMGR_LIMIT_OFF;
    if (!timed->only_endless) {
        add_filters(timed, r);
    }
    else if (amgr_max_time_watches_endless()) {
        watch_for_endless(timed, r);
    }
}

/** After all sections were merged, <If> too, before a body is read. */
static int fix_up(request_rec *r)
{
    resolve(r);
    return DECLINED;
}

/** Again: an index file may have brought other sections, and a request that is
 * answered from a cache comes along here alone. */
static void insert_filter(request_rec *r)
{
    resolve(r);
}

void amgr_timed_request_install(void)
{
    const char *registering = apr_hook_debug_current;

    receive_filter = ap_register_input_filter("MANAGER_RECEIVE", receive, NULL,
                                              NEXT_TO_CONNECTION);
    send_filter = ap_register_output_filter("MANAGER_SEND", send_on, NULL,
                                            NEXT_TO_CONNECTION);
    switch_filter = ap_register_output_filter("MANAGER_SWITCH", see_switch,
                                              NULL, AP_FTYPE_CONNECTION);
    /* Whoever registers is asked for at registration time alone. */
    apr_hook_debug_current = apache_manager_module.name;
    ap_hook_fixups(fix_up, NULL, NULL, APR_HOOK_LAST);
    ap_hook_insert_filter(insert_filter, NULL, NULL, APR_HOOK_LAST);
    apr_hook_debug_current = registering;
}
