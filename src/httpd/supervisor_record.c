/* SPDX-License-Identifier: Apache-2.0
 *
 * See supervisor_record.h.
 */
#include "httpd/supervisor_record.h"

#include <pthread.h>
#include <unistd.h>

#include <http_main.h>

#include "base/clock.h"

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
        close_one(&current->pidfd);
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

int amgr_supervisor_record_keep_board(const void *memory, apr_size_t size)
{
    if (current == NULL || current->parent != getpid() ||
        current->board != memory) {
        return 0;
    }
    if (current->pid == 0 ||
        amgr_board_check(memory, size, NULL) != APR_SUCCESS) {
        current->board = NULL; /* another may come to lie in its place */
        return 0;
    }
    current->left_bytes = size;
    return 1;
}

/** What another build knew of its supervisor, as far as this one can tell. */
static void take_over(amgr_supervisor_record_t *record,
                      const amgr_supervisor_record_t *old)
{
    record->pid = old->pid;
    record->pidfd = old->pidfd;
    record->fd = old->fd;
    record->hold_fd = old->hold_fd;
    record->wait_fd = old->wait_fd;
    record->stop_us = old->stop_us;
    record->forked_mono_us = amgr_clock_monotonic_us();
    record->rights = geteuid();
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
    record->pidfd = -1;
    record->fd = -1;
    record->hold_fd = -1;
    record->wait_fd = -1;
    if (old != NULL && old->parent == record->parent) {
        take_over(record, old);
    }
    current = record;
    /* Copies the key, whose own bytes go with this code. */
    apr_pool_userdata_set(record, RECORD_KEY, apr_pool_cleanup_null,
                          s->process->pool);
    return record;
}
