/* SPDX-License-Identifier: Apache-2.0
 *
 * The mailbox: what children tell the parent.  One cell for each row of the
 * scoreboard, in memory that every child can write, so everything in it is
 * hearsay: it may colour what is shown, and ask for what the safety rules allow
 * anyway; whom it names is never taken from it.
 */
#ifndef AMGR_MAILBOX_H
#define AMGR_MAILBOX_H

#include <sys/types.h>

#include "action/record.h"

typedef struct amgr_mailbox_cell_t amgr_mailbox_cell_t;

/** The way to the cells; itself private to each process. */
typedef struct amgr_mailbox_t {
    amgr_mailbox_cell_t *cells; /**< NULL: there is no mailbox */
    apr_int32_t rows;
} amgr_mailbox_t;

/** Map memory for @a rows cells, inherited by every fork from now on. */
apr_status_t amgr_mailbox_create(amgr_mailbox_t *box, int rows);

/** Child: this process, which owns @a row, has begun to stop.  Two stores and
 * nothing else: prefork calls it inside a signal handler. */
void amgr_mailbox_say_stopping(const amgr_mailbox_t *box, int row, pid_t self);

/** Child: how it went when this process was asked to finish,
 * amgr_ask_fault_e. */
void amgr_mailbox_say_ask_fault(const amgr_mailbox_t *box, int row, pid_t self,
                                int fault);

/** Parent: what @a pid, which owns @a row, says of that, within bounds. */
int amgr_mailbox_ask_fault(const amgr_mailbox_t *box, int row, pid_t pid);

/** Anybody: @a pid, which owns @a row, is to be retired. */
void amgr_mailbox_wish(const amgr_mailbox_t *box, int row, pid_t pid);

/** Parent: whether somebody wants @a pid, which owns @a row, retired. */
int amgr_mailbox_is_wished(const amgr_mailbox_t *box, int row, pid_t pid);

/** Parent: whether @a pid, which owns @a row, says that it is stopping. */
int amgr_mailbox_is_stopping(const amgr_mailbox_t *box, int row, pid_t pid);

#endif
