/* SPDX-License-Identifier: Apache-2.0
 *
 * See children.h.  A sequence number that is odd while the parent writes lets
 * the ticker read without a lock: neither can ever hold up the other.
 */
#include "httpd/children.h"

#include <errno.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define COPY_TRIES 64

struct amgr_children_t {
    apr_uint32_t sequence; /**< odd while the parent writes */
    apr_int32_t max;
    apr_int32_t count;
    apr_uint32_t child_size; /**< sizeof(amgr_child_t) of who made it */
    amgr_child_t child[];    /**< ordered by pid */
};

apr_size_t amgr_children_size(int max)
{
    return sizeof(amgr_children_t) + (apr_size_t)max * sizeof(amgr_child_t);
}

amgr_children_t *amgr_children_init(void *memory, int max)
{
    amgr_children_t *table = memory;

    table->max = max;
    table->count = 0;
    table->child_size = sizeof(amgr_child_t);
    return table;
}

int amgr_children_fits(const amgr_children_t *table, int max)
{
    return table->max == max && table->child_size == sizeof(amgr_child_t);
}

apr_status_t amgr_children_carry(amgr_children_t *table,
                                 const amgr_children_t *old)
{
    const char *from = (const char *)old->child;
    apr_size_t size = old->child_size;
    int i;

    for (i = 0; i < old->count && i < table->max; i++) {
        memset(&table->child[i], 0, sizeof(table->child[i]));
        memcpy(&table->child[i], from + (apr_size_t)i * size,
               size < sizeof(table->child[i]) ? size : sizeof(table->child[i]));
    }
    table->count = i;
    return i < old->count ? APR_ENOSPC : APR_SUCCESS;
}

static void begin_write(amgr_children_t *table)
{
    __atomic_store_n(&table->sequence, table->sequence | 1, __ATOMIC_RELAXED);
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
}

static void end_write(amgr_children_t *table)
{
    __atomic_store_n(&table->sequence, (table->sequence | 1) + 1,
                     __ATOMIC_RELEASE);
}

/** The place of @a pid, or where it would have to be. */
static int find(const amgr_children_t *table, pid_t pid)
{
    int low = 0;
    int high = table->count;

    while (low < high) {
        int middle = low + (high - low) / 2;

        if (table->child[middle].id.pid < pid) {
            low = middle + 1;
        }
        else {
            high = middle;
        }
    }
    return low;
}

static int is_at(const amgr_children_t *table, int place, pid_t pid)
{
    return place < table->count && table->child[place].id.pid == pid;
}

apr_status_t amgr_children_add(amgr_children_t *table, amgr_proc_dir_t *proc,
                               const amgr_child_t *child)
{
    amgr_child_t added = *child;
    pid_t pid = child->id.pid;
    int place = find(table, pid);
    apr_status_t rv;

    /* Without a start time the child is listed but not signalled. */
    rv = amgr_proc_read_id(proc, pid, &added.id);
    if (rv != APR_SUCCESS) {
        added.id.pid = pid;
        added.id.start_ticks = 0;
    }
    if (!is_at(table, place, pid) && table->count >= table->max) {
        return APR_ENOSPC;
    }
    begin_write(table);
    if (!is_at(table, place, pid)) {
        memmove(&table->child[place + 1], &table->child[place],
                (apr_size_t)(table->count - place) * sizeof(added));
        table->count++;
    }
    table->child[place] = added;
    end_write(table);
    return rv;
}

int amgr_children_lack_start(const amgr_children_t *table)
{
    int i;

    for (i = 0; i < table->count; i++) {
        if (table->child[i].id.start_ticks == 0) {
            return 1;
        }
    }
    return 0;
}

void amgr_children_complete(amgr_children_t *table, amgr_proc_dir_t *proc)
{
    amgr_proc_stat_t stat;
    int i;

    for (i = 0; i < table->count; i++) {
        amgr_child_t *child = &table->child[i];

        if (child->id.start_ticks == 0 &&
            amgr_proc_read_stat(proc, child->id.pid, &stat) == APR_SUCCESS &&
            stat.ppid == getpid()) {
            begin_write(table);
            child->id.start_ticks = stat.start_ticks;
            end_write(table);
        }
    }
}

static int is_reaped(pid_t pid)
{
    siginfo_t info;

    /* Under -X it is this process. */
    return pid != getpid() &&
           waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) != 0 &&
           errno == ECHILD;
}

void amgr_children_hear(amgr_children_t *table, amgr_proc_dir_t *proc,
                        pid_t pid)
{
    amgr_child_t child = {.id = {pid, 0}, .slot = -1, .unheard = 1};

    if (pid > 0 && pid != getpid() && !is_at(table, find(table, pid), pid) &&
        !is_reaped(pid)) {
        amgr_children_add(table, proc, &child);
    }
}

void amgr_children_drop_reaped(amgr_children_t *table)
{
    int i;

    for (i = table->count - 1; i >= 0; i--) {
        if (is_reaped(table->child[i].id.pid)) {
            amgr_children_remove(table, table->child[i].id.pid);
        }
    }
}

void amgr_children_drop_replaced(amgr_children_t *table, amgr_proc_dir_t *proc)
{
    amgr_proc_id_t id;
    int i;

    for (i = table->count - 1; i >= 0; i--) {
        const amgr_child_t *child = &table->child[i];

        if (child->id.start_ticks != 0 &&
            amgr_proc_read_id(proc, child->id.pid, &id) == APR_SUCCESS &&
            !amgr_proc_id_equal(&id, &child->id)) {
            amgr_children_remove(table, child->id.pid);
        }
    }
}

void amgr_children_remove(amgr_children_t *table, pid_t pid)
{
    int place = find(table, pid);

    if (!is_at(table, place, pid)) {
        return;
    }
    begin_write(table);
    table->count--;
    memmove(&table->child[place], &table->child[place + 1],
            (apr_size_t)(table->count - place) * sizeof(table->child[0]));
    end_write(table);
}

void amgr_children_lose_slot(amgr_children_t *table, pid_t pid)
{
    int place = find(table, pid);

    if (is_at(table, place, pid)) {
        begin_write(table);
        table->child[place].slot = -1;
        end_write(table);
    }
}

int amgr_children_copy(const amgr_children_t *table, amgr_child_t *out, int max)
{
    int try;

    for (try = 0; try < COPY_TRIES; try++) {
        apr_uint32_t before =
            __atomic_load_n(&table->sequence, __ATOMIC_ACQUIRE);
        int count = table->count;

        if (before & 1) {
            continue;
        }
        count = count < 0 ? 0 : count > max ? max : count;
        memcpy(out, table->child, (apr_size_t)count * sizeof(out[0]));
        __atomic_thread_fence(__ATOMIC_ACQUIRE);
        if (__atomic_load_n(&table->sequence, __ATOMIC_RELAXED) == before) {
            return count;
        }
    }
    return -1;
}
