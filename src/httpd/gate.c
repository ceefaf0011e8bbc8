/* SPDX-License-Identifier: Apache-2.0
 *
 * See gate.h.  Requests come by here only where something is gated: the hooks
 * are registered while the configuration is read.
 */
#include "httpd/gate.h"

#include <string.h>

#include <ap_mpm.h>
#include <ap_provider.h>
#include <apr_strings.h>
#include <http_main.h>
#include <http_protocol.h>
#include <mod_proxy.h>

#include "httpd/directive_parts.h"
#include "httpd/directory.h"
#include "httpd/handler_place.h"
#include "httpd/log.h"
#include "httpd/runtime.h"
#include "httpd/scoreboard.h"

#define NAMES_MAX 63 /* beside AMGR_GATE_OFF */
#define MEMBERS_MAX 256

/* Of a member's status: of all that make one unusable it is the only one that
 * neither mod_proxy's own modules nor balancer-manager ever set or clear. */
#define SHUT ((unsigned int)PROXY_WORKER_IN_SHUTDOWN)

/* For how long a client had better stay away, at least and at most. */
#define AWAY_MIN_SEC 1
#define AWAY_MAX_SEC 60

/** A member of a balancer and the process it is there for. */
typedef struct member_t {
    proxy_balancer *balancer;
    proxy_worker *worker;
    const char *name;
    int is_open; /**< as this child has set it last */
} member_t;

/** What the configuration that is being read or in force says, and what this
 * child has made of it.  Threads of a child race to the same values. */
typedef struct gates_t {
    int is_installed;
    int name_count;
    const char *names[NAMES_MAX];
    int member_count;
    member_t members[MEMBERS_MAX];
    apr_uint64_t applied; /**< one more than the revision seen; 0: none yet */
    amgr_gate_set_t open; /**< whose processes are ready */
} gates_t;

static gates_t gates;

/** The configuration's pool goes, with all that the members are in. */
static apr_status_t forget(void *unused)
{
    (void)unused; /* a cleanup's signature */
    memset(&gates, 0, sizeof(gates));
    return APR_SUCCESS;
}

static int is_ready(const amgr_managed_table_t *table, const char *name)
{
    const amgr_managed_t *process = amgr_managed_find(table, name);

    return process != NULL && process->ready;
}

/** Said by the one child that has changed it. */
static void log_member(const member_t *member, int is_open)
{
    const proxy_balancer_shared *balancer = member->balancer->s;
    const proxy_worker_shared *worker = member->worker->s;

    amgr_log(ap_server_conf, AMGR_TAG_GATE, APLOG_NOTICE, 0,
             "process %s: %.*s %s %.*s", member->name,
             (int)sizeof(balancer->name), balancer->name,
             is_open ? "lets in" : "keeps out", (int)sizeof(worker->name_ex),
             worker->name_ex);
}

static int is_usable(unsigned int status)
{
    return (status & PROXY_WORKER_NOT_USABLE_BITMAP) == 0 &&
           (status & PROXY_WORKER_INITIALIZED) != 0;
}

/** Or a member that is let in would get all that it has missed at once. */
static void reset_balancer(proxy_balancer *balancer)
{
    /* One bit beside others, which threads of mod_proxy set under this. */
    if (PROXY_THREAD_LOCK(balancer) == APR_SUCCESS) {
        balancer->s->need_reset = 1;
        PROXY_THREAD_UNLOCK(balancer);
    }
}

static void set_member(member_t *member, int is_open)
{
    unsigned int *status = &member->worker->s->status;
    unsigned int was;

    __atomic_store_n(&member->is_open, is_open, __ATOMIC_RELAXED);
    if (is_open) {
        was = __atomic_fetch_and(status, ~SHUT, __ATOMIC_RELAXED);
    }
    else {
        was = __atomic_fetch_or(status, SHUT, __ATOMIC_RELAXED);
    }
    if (is_open != ((was & SHUT) != 0)) {
        return; /* another has */
    }
    log_member(member, is_open);
    if (is_open && is_usable(was & ~SHUT)) {
        reset_balancer(member->balancer);
    }
}

static void apply(const amgr_managed_table_t *table)
{
    amgr_gate_set_t open = 0;
    int i;

    for (i = 0; i < gates.member_count; i++) {
        set_member(&gates.members[i], is_ready(table, gates.members[i].name));
    }
    for (i = 0; i < gates.name_count; i++) {
        if (is_ready(table, gates.names[i])) {
            open |= (amgr_gate_set_t)1 << i;
        }
    }
    __atomic_store_n(&gates.open, open, __ATOMIC_RELAXED);
}

/** See whether anything has changed, and set what follows from it.  Whoever
 * sets looks again afterwards, so that the last to set has the last word of
 * the supervisor. */
static void refresh(const amgr_board_t *board, apr_pool_t *p)
{
    amgr_managed_table_t *table = NULL;
    apr_uint64_t revision = amgr_board_managed_revision(board);

    while (revision + 1 != __atomic_load_n(&gates.applied, __ATOMIC_ACQUIRE)) {
        if (table == NULL) {
            table = apr_pcalloc(p, sizeof(*table));
        }
        if (amgr_board_read_managed(board, table) == APR_EAGAIN) {
            return; /* the next request sees to it */
        }
        apply(table);
        __atomic_store_n(&gates.applied, revision + 1, __ATOMIC_RELEASE);
        revision = amgr_board_managed_revision(board);
    }
}

/** Whether a member is not as it was set.  mod_proxy reads a status, changes a
 * bit and writes it back: what was set in between is undone by that. */
static int is_undone(void)
{
    int i;

    for (i = 0; i < gates.member_count; i++) {
        const member_t *known = &gates.members[i];
        unsigned int status =
            __atomic_load_n(&known->worker->s->status, __ATOMIC_RELAXED);

        if (__atomic_load_n(&known->is_open, __ATOMIC_RELAXED) ==
            ((status & SHUT) != 0)) {
            return 1;
        }
    }
    return 0;
}

/** The board as children have it, or NULL. */
static const amgr_board_t *find_board(void)
{
    const amgr_runtime_t *runtime = amgr_runtime();

    return runtime == NULL ? NULL : runtime->board.shared;
}

/** Whether it is for mod_proxy, which finds that out of SetHandler no earlier
 * than in its own handler (proxy_handler() of its mod_proxy.c). */
static int is_proxied(const request_rec *r)
{
    return r->proxyreq != PROXYREQ_NONE ||
           (r->handler != NULL && strncmp(r->handler, "proxy:", 6) == 0);
}

/** When it may be worth while to come back. */
static int away_sec(const amgr_managed_table_t *table, const char *name)
{
    const amgr_managed_t *process = amgr_managed_find(table, name);
    apr_time_t sec = AWAY_MIN_SEC;

    if (process == NULL || process->state == AMGR_MANAGED_FATAL ||
        process->state == AMGR_MANAGED_EXITED ||
        process->want == AMGR_MANAGED_WANT_DOWN) {
        return AWAY_MAX_SEC;
    }
    if (process->state == AMGR_MANAGED_BACKOFF) {
        sec += apr_time_sec(process->next_start_us - apr_time_now());
    }
    return sec < AWAY_MIN_SEC   ? AWAY_MIN_SEC
           : sec > AWAY_MAX_SEC ? AWAY_MAX_SEC
                                : (int)sec;
}

static int send_away(request_rec *r, const amgr_board_t *board,
                     amgr_gate_set_t closed)
{
    amgr_managed_table_t *table = apr_pcalloc(r->pool, sizeof(*table));
    int sec = 0;
    int i;

    amgr_board_read_managed(board, table);
    for (i = 0; i < gates.name_count; i++) {
        if (closed >> i & 1) {
            int own = away_sec(table, gates.names[i]);

            sec = own > sec ? own : sec;
        }
    }
    apr_table_setn(r->err_headers_out, "Retry-After", apr_itoa(r->pool, sec));
    return HTTP_SERVICE_UNAVAILABLE;
}

/** Whether a page of ours is what it gets: when something is not ready is when
 * that is asked. */
static int is_ours(const request_rec *r)
{
    return r->handler != NULL && strcmp(r->handler, AMGR_HANDLER_NAME) == 0 &&
           !is_proxied(r);
}

/** Whether the place may be served.  Among the fixups, when httpd has set the
 * handler that a section names, and once more when nobody changes it. */
static int check_place(request_rec *r)
{
    const amgr_directory_t *directory =
        ap_get_module_config(r->per_dir_config, &apache_manager_module);
    amgr_gate_set_t closed = directory->gates;
    const amgr_board_t *board;

    if (closed == 0 || closed & AMGR_GATE_OFF || is_ours(r)) {
        return DECLINED;
    }
    board = find_board();
    if (board == NULL) {
        return DECLINED; /* nothing is managed, as was said */
    }
    refresh(board, r->pool);
    closed &= ~__atomic_load_n(&gates.open, __ATOMIC_RELAXED);
    return closed == 0 ? DECLINED : send_away(r, board, closed);
}

/** Before any request is proxied. */
static int hook_handler(request_rec *r)
{
    const amgr_board_t *board = find_board();

    if (gates.member_count > 0 && board != NULL && is_proxied(r)) {
        refresh(board, r->pool);
        /* A child of another generation may have other gates. */
        if (is_undone() && amgr_scoreboard_is_of_today()) {
            __atomic_store_n(&gates.applied, 0, __ATOMIC_RELEASE);
            refresh(board, r->pool);
        }
    }
    return check_place(r);
}

void amgr_gate_install(cmd_parms *cmd)
{
    static const char *const proxies[] = {"mod_proxy.c", NULL};
    const char *registering = apr_hook_debug_current;

    if (gates.is_installed) {
        return;
    }
    gates.is_installed = 1;
    apr_pool_cleanup_register(cmd->pool, NULL, forget, apr_pool_cleanup_null);
    /* Until then it is whoever was loaded last: were that mod_proxy, it would
     * have to come before itself, and APR would sort for ever. */
    apr_hook_debug_current = apache_manager_module.name;
    ap_hook_handler(hook_handler, NULL, proxies, APR_HOOK_REALLY_FIRST);
    ap_hook_fixups(check_place, NULL, NULL, APR_HOOK_FIRST);
    apr_hook_debug_current = registering;
}

/** The bit of this name; 0: there is no room for one more. */
static amgr_gate_set_t bit_of(cmd_parms *cmd, const char *name)
{
    int i = 0;

    while (i < gates.name_count && strcmp(gates.names[i], name) != 0) {
        i++;
    }
    if (i == NAMES_MAX) {
        return 0;
    }
    if (i == gates.name_count) {
        gates.names[gates.name_count++] = apr_pstrdup(cmd->pool, name);
    }
    return (amgr_gate_set_t)1 << i;
}

/* Not in <Limit>, whose methods httpd does not tell apart when it merges
 * sections, nor in .htaccess, which is read in a request, when it is too late
 * for names and hooks. */
const char *amgr_gate_take(cmd_parms *cmd, void *directory, const char *name)
{
    amgr_directory_t *section = directory;
    int is_off = strcasecmp(name, "Off") == 0;
    const char *wrong =
        ap_check_cmd_context(cmd, NOT_IN_LIMIT | NOT_IN_HTACCESS);
    amgr_gate_set_t bit;

    if (wrong != NULL) {
        return wrong;
    }
    if (section->gates != 0 && is_off != (section->gates == AMGR_GATE_OFF)) {
        return refuse(cmd, name, "names of managed processes, or Off alone");
    }
    amgr_gate_install(cmd);
    bit = is_off ? AMGR_GATE_OFF : bit_of(cmd, name);
    if (bit == 0) {
        return refuse(cmd, name, "at most 63 different names");
    }
    section->gates |= bit;
    return NULL;
}

static int is_managed(const apr_array_header_t *managed, const char *name)
{
    int i;

    for (i = 0; managed != NULL && i < managed->nelts; i++) {
        if (strcmp(APR_ARRAY_IDX(managed, i, const amgr_spec_t *)->name,
                   name) == 0) {
            return 1;
        }
    }
    return 0;
}

const char *amgr_gate_stranger(const apr_array_header_t *managed)
{
    int i;

    for (i = 0; i < gates.name_count; i++) {
        if (!is_managed(managed, gates.names[i])) {
            return gates.names[i];
        }
    }
    return NULL;
}

/** Whether mod_proxy knows it as @a text: its URL, with the path of its socket
 * before it where it has one.  What children share with us may have no end. */
static int is_named(const proxy_worker *worker, const char *text)
{
    const proxy_worker_shared *shared = worker->s;
    apr_size_t path_len = strnlen(shared->uds_path, sizeof(shared->uds_path));
    apr_size_t len = strnlen(shared->name_ex, sizeof(shared->name_ex));

    if (path_len > 0) {
        if (strncmp(text, "unix:", 5) != 0 ||
            strncmp(text + 5, shared->uds_path, path_len) != 0 ||
            text[5 + path_len] != '|') {
            return 0;
        }
        text += 5 + path_len + 1;
    }
    return strncasecmp(text, shared->name_ex, len) == 0 &&
           (text[len] == '\0' || strcmp(text + len, "/") == 0);
}

/** Virtual hosts share the members that they inherit. */
static int is_known(const proxy_worker *worker)
{
    int i;

    for (i = 0; i < gates.member_count; i++) {
        if (gates.members[i].worker == worker) {
            return 1;
        }
    }
    return 0;
}

/** The members of one balancer that a gate is for; how many it has. */
static int add_members(proxy_balancer *balancer, const char *name,
                       const amgr_gate_t *gate)
{
    proxy_worker **workers = (proxy_worker **)balancer->workers->elts;
    int count = 0;
    int i;

    if (strncasecmp(balancer->s->name, gate->balancer,
                    sizeof(balancer->s->name)) != 0) {
        return 0;
    }
    for (i = 0; i < balancer->workers->nelts; i++) {
        if (!is_named(workers[i], gate->member)) {
            continue;
        }
        count++;
        if (!is_known(workers[i]) && gates.member_count < MEMBERS_MAX) {
            member_t *added = &gates.members[gates.member_count++];

            added->balancer = balancer;
            added->worker = workers[i];
            added->name = name;
        }
    }
    return count;
}

/** The same of the balancers of all servers. */
static int add_gate(server_rec *s, const module *proxy, const char *name,
                    const amgr_gate_t *gate)
{
    int count = 0;

    for (; s != NULL; s = s->next) {
        const proxy_server_conf *conf =
            ap_get_module_config(s->module_config, proxy);
        proxy_balancer *balancers = (proxy_balancer *)conf->balancers->elts;
        int i;

        for (i = 0; i < conf->balancers->nelts; i++) {
            count += add_members(&balancers[i], name, gate);
        }
    }
    return count;
}

void amgr_gate_prepare(server_rec *s, apr_pool_t *pconf)
{
    const apr_array_header_t *all = amgr_config_main()->managed;
    const module *proxy = ap_find_linked_module("mod_proxy.c");
    int i;
    int j;

    for (i = 0; gates.is_installed && all != NULL && i < all->nelts; i++) {
        const amgr_spec_t *spec = APR_ARRAY_IDX(all, i, const amgr_spec_t *);

        for (j = 0; j < spec->gates->nelts; j++) {
            const amgr_gate_t *gate =
                &APR_ARRAY_IDX(spec->gates, j, amgr_gate_t);

            if (proxy == NULL ||
                add_gate(s, proxy, apr_pstrdup(pconf, spec->name), gate) == 0) {
                amgr_log(s, AMGR_TAG_GATE, APLOG_WARNING, 0,
                         "process %s: Gate: %s has no member %s, so nothing "
                         "is kept out%s",
                         spec->name, gate->balancer, gate->member,
                         proxy == NULL ? ": mod_proxy is not loaded" : "");
            }
        }
    }
}
