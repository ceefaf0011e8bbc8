/* SPDX-License-Identifier: Apache-2.0
 *
 * Gates of managed processes over members of balancers, in memory that every
 * child can write over with any bytes: what the parent reads of it at a start,
 * and what a child reads and sets at a request, while processes become ready
 * and are not any more.  Checked besides memory: nothing is read beyond what
 * mod_proxy shares, a member whose memory is as it should be is kept out
 * exactly while its process is not ready, who is sent away is told when to come
 * back, and who asks for a page of this module is not.
 */
#include "board_template.h"

#include <apr_strings.h>
#include <http_core.h>
#include <http_request.h>
#include <mod_proxy.h>

#include "httpd/config.h"
#include "httpd/directory.h"
#include "httpd/gate.h"
#include "httpd/handler_place.h"
#include "httpd/log.h"
#include "httpd/runtime.h"
#include "httpd/scoreboard.h"
#include "supervise/spec/spec.h"

#define MEMBERS 4
#define PROCESSES 2

module AP_MODULE_DECLARE_DATA apache_manager_module;
server_rec *ap_server_conf;

static apr_pool_t *pool;
static fuzz_t input;
static amgr_config_t config;
static amgr_runtime_t runtime;
static amgr_managed_table_t table;
static module proxy;
static ap_HOOK_handler_t *handler;
static ap_HOOK_fixups_t *fixups;
static int is_of_today;

const char *apr_hook_debug_current;

/* ---- httpd -------------------------------------------------------------- */

amgr_config_t *amgr_config_main(void)
{
    return &config;
}

amgr_runtime_t *amgr_runtime(void)
{
    return &runtime;
}

int amgr_scoreboard_is_of_today(void)
{
    return is_of_today;
}

const char *ap_check_cmd_context(cmd_parms *cmd, unsigned forbidden)
{
    (void)cmd;
    (void)forbidden;
    return NULL;
}

module *ap_find_linked_module(const char *name)
{
    check(strcmp(name, "mod_proxy.c") == 0);
    return &proxy;
}

void ap_hook_handler(ap_HOOK_handler_t *pf, const char *const *aszPre,
                     const char *const *aszSucc, int nOrder)
{
    (void)aszPre;
    (void)aszSucc;
    (void)nOrder;
    handler = pf;
}

void ap_hook_fixups(ap_HOOK_fixups_t *pf, const char *const *aszPre,
                    const char *const *aszSucc, int nOrder)
{
    (void)aszPre;
    (void)aszSucc;
    (void)nOrder;
    fixups = pf;
}

void amgr_log(server_rec *s, amgr_log_tag_e tag, int level, apr_status_t rv,
              const char *format, ...)
{
    char line[1024];
    va_list args;

    (void)s;
    (void)rv;
    check(tag == AMGR_TAG_GATE && level <= APLOG_NOTICE);
    va_start(args, format);
    vsnprintf(line, sizeof(line), format, args);
    va_end(args);
    check(strncmp(line, "process web", 11) == 0);
}

/* ---- what mod_proxy shares ---------------------------------------------- */

static struct {
    proxy_server_conf conf;
    proxy_balancer balancer;
    proxy_worker workers[MEMBERS];
    proxy_worker *list[MEMBERS];
    apr_array_header_t members;
    apr_array_header_t balancers;
    int is_sound[MEMBERS]; /**< nobody has written over it */
} shared;

static const struct {
    const char *name;
    const char *socket;
    const char *gate;
} members[MEMBERS] = {
    {"http://127.0.0.1:8080", "", "http://127.0.0.1:8080/"},
    {"http://127.0.0.1:8081", "", "http://127.0.0.1:8081"},
    {"http://localhost", "/run/web.sock",
     "unix:/run/web.sock|http://localhost"},
    {"http://127.0.0.1:8083", "", "http://127.0.0.1:8083/deep"},
};

/* Memory behind which there is none. */
static void *make_edge(size_t size)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    size_t room = (size + page - 1) / page * page;
    char *memory = mmap(NULL, room + page, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    check(memory != MAP_FAILED &&
          mprotect(memory + room, page, PROT_NONE) == 0);
    return memory + room - size;
}

static void fill_member(int i)
{
    proxy_worker_shared *worker = shared.workers[i].s;

    memset(worker, 'x', sizeof(*worker));
    worker->status = PROXY_WORKER_INITIALIZED;
    strcpy(worker->name_ex, members[i].name);
    strcpy(worker->uds_path, members[i].socket);
    shared.is_sound[i] = 1;
}

static void make_balancer(void)
{
    int i;

    shared.balancer.s = make_edge(sizeof(*shared.balancer.s));
    for (i = 0; i < MEMBERS; i++) {
        shared.workers[i].s = make_edge(sizeof(*shared.workers[i].s));
        shared.list[i] = &shared.workers[i];
    }
    shared.members.elts = (char *)shared.list;
    shared.members.nelts = MEMBERS;
    shared.balancer.workers = &shared.members;
    shared.balancers.elts = (char *)&shared.balancer;
    shared.balancers.nelts = 1;
    shared.conf.balancers = &shared.balancers;
}

/* A child that means no good, or does not know what it does. */
static void write_over(void)
{
    int i = fuzz_below(&input, MEMBERS + 1);
    char *memory =
        i < MEMBERS ? (char *)shared.workers[i].s : (char *)shared.balancer.s;
    size_t size = i < MEMBERS ? sizeof(proxy_worker_shared)
                              : sizeof(proxy_balancer_shared);
    size_t offset = (size_t)fuzz_below(&input, (int)size);
    int byte = (int)fuzz_bits(&input, 1);
    size_t len = (size_t)fuzz_below(&input, (int)size);

    memset(memory + offset, byte, len < size - offset ? len : size - offset);
    if (i < MEMBERS) {
        shared.is_sound[i] = 0;
    }
    else {
        memset(shared.is_sound, 0, sizeof(shared.is_sound));
    }
}

/* ---- processes, and who asks -------------------------------------------- */

/* The first two members are for the one process, the others for the other. */
static void make_specs(void)
{
    int i;

    config.managed = apr_array_make(pool, PROCESSES, sizeof(amgr_spec_t *));
    for (i = 0; i < MEMBERS; i++) {
        static amgr_spec_t *spec;
        amgr_gate_t *gate;

        if (i % 2 == 0) {
            check(amgr_spec_create(i == 0 ? "web0" : "web1", &spec, pool) ==
                  NULL);
            APR_ARRAY_PUSH(config.managed, const amgr_spec_t *) = spec;
        }
        gate = apr_array_push(spec->gates);
        gate->balancer = "balancer://app";
        gate->member = members[i].gate;
    }
}

static void publish(void)
{
    table.revision++;
    amgr_board_write_managed(board, &table);
}

static void check_members(int is_prepared)
{
    int i;

    for (i = 0; i < MEMBERS; i++) {
        unsigned int status = shared.workers[i].s->status;
        int is_open = (status & PROXY_WORKER_IN_SHUTDOWN) == 0;

        /* The last is another, by its path. */
        if (shared.is_sound[i] && is_prepared && i < MEMBERS - 1) {
            check(is_open == (table.processes[i / 2].ready != 0));
        }
    }
}

static void ask(server_rec *server, amgr_directory_t *directory,
                int is_prepared)
{
    request_rec *r = apr_pcalloc(pool, sizeof(*r));
    void *vector[1] = {directory};
    const char *later;
    int status;

    r->pool = pool;
    r->server = server;
    /* Either way, as the input has it. */
    if (table.processes[1].ready) {
        r->handler = "proxy:balancer://shop";
    }
    else {
        r->proxyreq = PROXYREQ_REVERSE;
    }
    r->err_headers_out = apr_table_make(pool, 2);
    r->per_dir_config = (ap_conf_vector_t *)(void *)vector;
    status = handler(r);
    if (is_of_today) {
        check_members(is_prepared);
    }
    check(fixups(r) == status);
    later = apr_table_get(r->err_headers_out, "Retry-After");
    check(status ==
          (table.processes[0].ready ? DECLINED : HTTP_SERVICE_UNAVAILABLE));
    check((status == DECLINED) == (later == NULL));
    check(later == NULL || (atoi(later) >= 1 && atoi(later) <= 60));
    /* A page of ours is for everybody. */
    r->proxyreq = PROXYREQ_NONE;
    r->handler = AMGR_HANDLER_NAME;
    check(fixups(r) == DECLINED && handler(r) == DECLINED);
}

static void happen(server_rec *server, amgr_directory_t *directory,
                   int is_prepared)
{
    amgr_managed_t *process = &table.processes[fuzz_below(&input, PROCESSES)];

    switch (fuzz_below(&input, 5)) {
    case 0:
        process->ready = !process->ready;
        process->state = fuzz_below(&input, AMGR_MANAGED_STATE_COUNT);
        process->next_start_us = (apr_time_t)(fuzz_bits(&input, 8) >> 1);
        publish();
        break;
    case 1:
        write_over();
        break;
    case 2:
        is_of_today = !is_of_today;
        break;
    default:
        ask(server, directory, is_prepared);
        break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static server_rec server;
    static void *vectors[2];
    amgr_directory_t directory = {NULL, 0, 0};
    cmd_parms cmd;
    int is_prepared;
    int i;

    if (shared.balancer.s == NULL) {
        free((void *)(uintptr_t)make_template()); /* it is not put back */
        make_balancer();
        vectors[1] = &shared.conf;
        proxy.module_index = 1;
        apache_manager_module.module_index = 0;
        runtime.board.shared = board;
        server.module_config = (ap_conf_vector_t *)(void *)vectors;
        ap_server_conf = &server;
        amgr_board_read_managed(board, &table);
    }
    pool = fuzz_pool();
    input.at = data;
    input.end = data + size;
    is_of_today = 1;
    for (i = 0; i < PROCESSES; i++) {
        table.processes[i].ready = 1;
    }
    publish();
    for (i = 0; i < MEMBERS; i++) {
        fill_member(i);
    }
    memset(shared.balancer.s, 'x', sizeof(*shared.balancer.s));
    strcpy(shared.balancer.s->name, "balancer://app");
    memset(&cmd, 0, sizeof(cmd));
    cmd.pool = pool;
    make_specs();
    amgr_gate_install(&cmd);
    check(amgr_gate_take(&cmd, &directory, "web0") == NULL);
    for (i = fuzz_below(&input, 4); i > 0; i--) {
        write_over();
    }
    is_prepared = shared.is_sound[0] && shared.is_sound[1] &&
                  shared.is_sound[2] && shared.is_sound[3];
    amgr_gate_prepare(&server, pool);
    while (fuzz_left(&input) > 0) {
        happen(&server, &directory, is_prepared);
    }
    apr_pool_destroy(pool);
    return 0;
}
