/* SPDX-License-Identifier: Apache-2.0
 *
 * See drain.h.  The state is this process's alone: nothing is inherited, for
 * whoever forks a child has none.
 */
#include "httpd/drain.h"

#include <pthread.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

#include <ap_mpm.h>
#include <apr_tables.h>
#include <http_config.h>
#include <http_log.h>
#include <http_main.h>
#include <mpm_common.h>
#include <scoreboard.h>

#include "action/orders.h"
#include "httpd/log.h"
#include "httpd/pipe_of_death.h"
#include "httpd/runtime.h"

/** It calls next to nothing; sanitizers and old libcs want some room. */
#define STACK_BYTES (128 * 1024)

/** Between two looks at whether the child has come up, and whether the thread
 * has heard that it is to end. */
#define PAUSE_US 2000

/** The order that nobody has to look at. */
static const amgr_orders_t *orders = &amgr_orders_none;

/** The serial at which there was no order for this process. */
static apr_uint32_t quiet;

/** The thread. */
static pthread_t thread;
static int has_thread;
static int is_ending; /**< the thread is to end */
static int has_ended; /**< and is about to */

int amgr_drain_before_mpm(apr_pool_t *pconf, apr_pool_t *plog,
                          apr_pool_t *ptemp, server_rec *s)
{
    (void)pconf; /* the hook's signature */
    (void)plog;
    (void)ptemp;
    (void)s;
    amgr_pod_note_others();
    return OK;
}

int amgr_drain_after_mpm(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp,
                         server_rec *s)
{
    (void)pconf; /* the hook's signature */
    (void)plog;
    (void)ptemp;
    (void)s;
    amgr_pod_note_own();
    return OK;
}

/** The first of a request with an order about: whether it is for us. */
static int look_closer(request_rec *r)
{
    apr_uint32_t serial = amgr_orders_serial(orders);

    if (amgr_orders_find(orders, getpid(), NULL) == AMGR_ORDER_NONE) {
        __atomic_store_n(&quiet, serial, __ATOMIC_RELAXED);
        return DECLINED;
    }
    /* Streams of HTTP/2 have no connection of their own to close.  Among the
     * headers for errors it reaches every kind of answer, and a proxy does not
     * replace it with its backend's. */
    if (r->connection->master == NULL) {
        apr_table_setn(r->err_headers_out, "Connection", "close");
    }
    return DECLINED;
}

int amgr_hook_post_read_request(request_rec *r)
{
    if (amgr_orders_serial(orders) ==
        __atomic_load_n(&quiet, __ATOMIC_RELAXED)) {
        return DECLINED;
    }
    return look_closer(r);
}

static void pause_shortly(void)
{
    static const struct timespec span = {0, PAUSE_US * 1000};

    nanosleep(&span, NULL);
}

static int mpm_state(void)
{
    int state = AP_MPMQ_STARTING;

    ap_mpm_query(AP_MPMQ_MPM_STATE, &state);
    return state;
}

/** This process's row of the scoreboard, or -1. */
static int own_row(const amgr_runtime_t *runtime)
{
    pid_t self = getpid();
    int row;

    for (row = 0; row < runtime->server_limit; row++) {
        if (ap_get_scoreboard_process(row)->pid == self) {
            return row;
        }
    }
    return -1;
}

static void drain_self(const amgr_runtime_t *runtime)
{
    apr_status_t rv;

    if (mpm_state() != AP_MPMQ_RUNNING) {
        return; /* it is leaving already */
    }
    rv = amgr_pod_end_self();
    if (rv != APR_SUCCESS) {
        amgr_mailbox_say_ask_fault(
            &runtime->mailbox, own_row(runtime), getpid(),
            rv == APR_ENOTIMPL ? AMGR_ASK_NO_PIPE : AMGR_ASK_FAILED);
    }
}

static int shall_end(void)
{
    return __atomic_load_n(&is_ending, __ATOMIC_ACQUIRE);
}

/** Sleep until there is an order for this process, and obey it. */
static void *listen_for_orders(void *data)
{
    const amgr_runtime_t *runtime = data;
    pid_t self = getpid();
    int obeyed = 0; /* how often it was given when it was obeyed last */

    /* The MPM is not to be disturbed before it runs. */
    while (!shall_end() && mpm_state() != AP_MPMQ_RUNNING) {
        pause_shortly();
    }
    while (!shall_end()) {
        apr_uint32_t serial = amgr_orders_serial(orders);
        int count = 0;

        if (amgr_orders_find(orders, self, &count) == AMGR_ORDER_DRAIN &&
            count != obeyed) {
            obeyed = count;
            drain_self(runtime);
        }
        amgr_orders_wait(orders, serial, self);
    }
    __atomic_store_n(&has_ended, 1, __ATOMIC_RELEASE);
    return NULL;
}

void amgr_drain_leave_child(void)
{
    if (has_thread) {
        __atomic_store_n(&is_ending, 1, __ATOMIC_RELEASE);
        amgr_orders_wake(orders, getpid());
    }
}

/** The child ends: so has the thread, before its memory goes. */
static apr_status_t join(void *unused)
{
    (void)unused; /* a cleanup's signature */
    if (has_thread) {
        amgr_drain_leave_child();
        /* It may have been about to sleep when it was woken. */
        while (!__atomic_load_n(&has_ended, __ATOMIC_ACQUIRE)) {
            pause_shortly();
            amgr_orders_wake(orders, getpid());
        }
        pthread_join(thread, NULL);
        has_thread = 0;
    }
    return APR_SUCCESS;
}

/** No signal of the MPM's is this thread's to take. */
static int start_thread(amgr_runtime_t *runtime)
{
    pthread_attr_t attr;
    sigset_t all;
    sigset_t before;
    int rv;

    sigfillset(&all);
    pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, STACK_BYTES);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    rv = pthread_create(&thread, &attr, listen_for_orders, runtime);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attr);
    return rv;
}

void amgr_drain_enter_child(apr_pool_t *pchild)
{
    amgr_runtime_t *runtime = amgr_runtime();
    int threaded = 0;
    int rv;

    if (runtime == NULL || runtime->board.shared == NULL ||
        runtime->one_process) {
        return;
    }
    orders = amgr_board_orders(runtime->board.shared);
    ap_mpm_query(AP_MPMQ_IS_THREADED, &threaded);
    if (threaded == AP_MPMQ_NOT_SUPPORTED) {
        return;
    }
    rv = start_thread(runtime);
    if (rv != 0) {
        amgr_log(ap_server_conf, AMGR_TAG_DEAF, APLOG_WARNING, rv,
                 "worker %" APR_PID_T_FMT " has no thread to be asked by: it "
                 "can only be killed",
                 getpid());
        return;
    }
    has_thread = 1;
    apr_pool_pre_cleanup_register(pchild, NULL, join);
}
