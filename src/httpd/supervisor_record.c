/* SPDX-License-Identifier: Apache-2.0
 *
 * See supervisor_record.h.
 */
#include "httpd/supervisor_record.h"

#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include <http_main.h>

#include "httpd/log.h"

#define RECORD_KEY "mod_apache_manager:supervisor"

static amgr_supervisor_record_t *current;

static void close_one(int *fd)
{
    if (*fd >= 0) {
        close(*fd);
        *fd = -1;
    }
}

/** In every child, right after its fork; its record is a copy. */
static void forget_in_child(void)
{
    if (current != NULL && !current->passing) {
        close_one(&current->fd);
        close_one(&current->hold_fd);
        close_one(&current->wait_fd);
    }
}

static amgr_supervisor_record_t *find(void)
{
    void *found = NULL;

    if (ap_pglobal != NULL) {
        apr_pool_userdata_get(&found, RECORD_KEY, ap_pglobal);
    }
    return found;
}

static int is_of_this_build(const amgr_supervisor_record_t *record)
{
    return record->version == AMGR_SUPERVISOR_RECORD_VERSION &&
           record->size == sizeof(*record);
}

void amgr_supervisor_record_register(void)
{
    static int is_registered; /* the handler goes with this code, once */
    amgr_supervisor_record_t *found = find();

    if (found != NULL && found->parent == getpid() && is_of_this_build(found)) {
        current = found;
    }
    if (!is_registered) {
        is_registered = pthread_atfork(NULL, NULL, forget_in_child) == 0;
    }
}

amgr_supervisor_record_t *amgr_supervisor_record(void)
{
    return current;
}

amgr_supervisor_record_t *amgr_supervisor_record_make(server_rec *s,
                                                      int is_wanted)
{
    amgr_supervisor_record_t *old = find();
    amgr_supervisor_record_t *record;

    if (current != NULL || (old == NULL && !is_wanted)) {
        return current;
    }
    record = apr_pcalloc(s->process->pool, sizeof(*record));
    record->version = AMGR_SUPERVISOR_RECORD_VERSION;
    record->size = sizeof(*record);
    record->parent = getpid();
    record->fd = -1;
    record->hold_fd = -1;
    record->wait_fd = -1;
    if (old != NULL && old->parent == record->parent) {
        if (old->pid != 0) {
            amgr_log(s, AMGR_TAG_SUPERVISOR, APLOG_NOTICE, 0,
                     "supervisor %" APR_PID_T_FMT " is replaced, and all "
                     "managed processes are started anew: it is of another "
                     "build of this module",
                     old->pid);
            /* Our child, which only this process reaps, and has not. */
            kill(old->pid, SIGTERM);
        }
        close_one(&old->fd);
        record->hold_fd = old->hold_fd;
    }
    current = record;
    /* Copies the key, whose own bytes go with this code. */
    apr_pool_userdata_set(record, RECORD_KEY, apr_pool_cleanup_null,
                          s->process->pool);
    return record;
}
