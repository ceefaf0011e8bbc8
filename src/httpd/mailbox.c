/* SPDX-License-Identifier: Apache-2.0
 *
 * See mailbox.h.
 */
#include "httpd/mailbox.h"

#include <errno.h>
#include <sys/mman.h>

#define FAULT_SHIFT 32

/** One cache line, so that no two children share one. */
struct amgr_mailbox_cell_t {
    apr_int32_t stopping_pid; /**< the stamp: whose word this is */
    apr_int32_t wished_pid;   /**< whom somebody wants to be retired */
    apr_uint64_t ask_fault; /**< the stamp, and the fault above it */
    apr_int32_t unused[12];
};

apr_status_t amgr_mailbox_create(amgr_mailbox_t *box, int rows)
{
    void *memory =
        mmap(NULL, (apr_size_t)rows * sizeof(amgr_mailbox_cell_t),
             PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    if (memory == MAP_FAILED) {
        return errno;
    }
    box->cells = memory;
    box->rows = rows;
    return APR_SUCCESS;
}

void amgr_mailbox_say_stopping(const amgr_mailbox_t *box, int row, pid_t self)
{
    if (box->cells != NULL && row >= 0 && row < box->rows) {
        __atomic_store_n(&box->cells[row].stopping_pid, self, __ATOMIC_RELAXED);
    }
}

int amgr_mailbox_is_stopping(const amgr_mailbox_t *box, int row, pid_t pid)
{
    return box->cells != NULL && row >= 0 && row < box->rows &&
           __atomic_load_n(&box->cells[row].stopping_pid, __ATOMIC_RELAXED) ==
               pid;
}

void amgr_mailbox_say_ask_fault(const amgr_mailbox_t *box, int row, pid_t self,
                                int fault)
{
    if (box->cells != NULL && row >= 0 && row < box->rows) {
        __atomic_store_n(&box->cells[row].ask_fault,
                         (apr_uint64_t)(apr_uint32_t)self | (apr_uint64_t)fault
                                                                << FAULT_SHIFT,
                         __ATOMIC_RELAXED);
    }
}

int amgr_mailbox_ask_fault(const amgr_mailbox_t *box, int row, pid_t pid)
{
    apr_uint64_t word;
    apr_uint64_t fault;

    if (box->cells == NULL || row < 0 || row >= box->rows) {
        return AMGR_ASK_FINE;
    }
    word = __atomic_load_n(&box->cells[row].ask_fault, __ATOMIC_RELAXED);
    fault = word >> FAULT_SHIFT;
    return (pid_t)(apr_uint32_t)word == pid && fault < AMGR_ASK_FAULT_COUNT
               ? (int)fault
               : AMGR_ASK_FINE;
}

void amgr_mailbox_wish(const amgr_mailbox_t *box, int row, pid_t pid)
{
    if (box->cells != NULL && row >= 0 && row < box->rows) {
        __atomic_store_n(&box->cells[row].wished_pid, pid, __ATOMIC_RELAXED);
    }
}

int amgr_mailbox_is_wished(const amgr_mailbox_t *box, int row, pid_t pid)
{
    return box->cells != NULL && row >= 0 && row < box->rows &&
           __atomic_load_n(&box->cells[row].wished_pid, __ATOMIC_RELAXED) ==
               pid;
}
