/* SPDX-License-Identifier: Apache-2.0
 *
 * The supervisor: one process, a child of the httpd parent that lives across
 * its restarts, in which everything about managed processes is decided.  A
 * loop around poll(2); it never waits for anything else, reads nothing from a
 * network, and publishes what it knows in its region of the board.
 *
 * It ends when it is told to, by a word or by SIGTERM (every process is stopped
 * first, in reverse order, each within its StopTimeout), when there is nothing
 * left to manage, and when its parent is gone (all are stopped at once, and
 * killed after AMGR_GUARD_MERCY_US).
 */
#ifndef AMGR_SUPERVISOR_H
#define AMGR_SUPERVISOR_H

#include "action/board.h"
#include "supervise/check/check.h"
#include "supervise/guard/guard.h"
#include "supervise/spec/spec.h"

/** What the parent sends, over a SOCK_SEQPACKET pair.  Any child of httpd that
 * got hold of the parent's end could send as well: whoever receives takes a
 * message only when the kernel says (SCM_CREDENTIALS, unix(7); SO_PASSCRED is
 * set from the beginning) that its sender's pid is setup->parent and its uid
 * this process's own, and closes the descriptors of every other. */
typedef enum amgr_parent_word_e {
    AMGR_PARENT_APPLY = 0, /**< with the specifications as a descriptor of
                                memory (see below), and the error log as
                                another; only one where the log has none */
    AMGR_PARENT_END,       /**< stop all and end */
    AMGR_PARENT_RESTART, /**< the server is restarted: unless AMGR_PARENT_APPLY
                                follows within AMGR_RESTART_PATIENCE_US this
                                module is gone, and all are stopped */
    AMGR_PARENT_WORD_COUNT
} amgr_parent_word_e;

typedef struct amgr_parent_message_t {
    apr_uint32_t version;       /**< AMGR_PARENT_VERSION */
    apr_uint32_t size;          /**< of this struct */
    apr_int32_t word;           /**< amgr_parent_word_e */
    apr_int32_t control;        /**< orders of httpd's own User are heard */
    apr_int32_t exit_when_done; /**< ManagerExitWhenDone */
    apr_int32_t start_in_order; /**< ManagerStartOrder config: each after the
                                     one before it */
    apr_uint64_t bytes;  /**< of the packed specifications in the descriptor,
                               a memfd, from its beginning */
    uid_t control_uid;   /**< httpd's own User */
    char socket[108];    /**< where to take orders; empty: nowhere */
    apr_uint64_t number; /**< of APPLY, another with each: the table has it as
                              `applied` when this one was dealt with */
} amgr_parent_message_t;

#define AMGR_PARENT_VERSION 2

/** A server may read its configuration for so long. */
#define AMGR_RESTART_PATIENCE_US apr_time_from_sec(60)

/** A turn that comes so late was not late by itself: the machine, or all of a
 * container, was stopped, and nobody could do what was waited for. */
#define AMGR_AWAY_US apr_time_from_sec(10)

typedef struct amgr_supervisor_setup_t {
    pid_t parent;
    int parent_fd; /**< its end of the pair */
    int wait_fd;   /**< hangs up when no guard of the supervisor before is left;
                        nothing is started before.  -1: there was none */
    const char *lock_file; /**< held while anything of it is left, so that the
                                supervisor of another server waits, as it does
                                itself; NULL: none */
    amgr_board_t *board;
    amgr_guard_setup_t guard;
    amgr_check_setup_t check;
    apr_interval_time_t patience_us; /**< after AMGR_PARENT_RESTART; 0:
                                          AMGR_RESTART_PATIENCE_US */
    apr_interval_time_t away_us;     /**< 0: AMGR_AWAY_US */
} amgr_supervisor_setup_t;

/** Live and end.  In the process that was forked for it: SIGTERM is blocked,
 * HUP, USR1, WINCH, INT, PIPE and XFSZ are ignored, all other signals at their
 * defaults, descriptors of httpd closed. */
void amgr_supervisor_run(const amgr_supervisor_setup_t *setup)
    __attribute__((noreturn));

/** What others of this layer may do with it: orders from outside. */
typedef struct amgr_supervisor_t amgr_supervisor_t;

typedef enum amgr_verb_e {
    AMGR_VERB_STATUS = 0, /**< nothing is done */
    AMGR_VERB_START,
    AMGR_VERB_STOP,
    AMGR_VERB_RESTART,
    AMGR_VERB_COUNT
} amgr_verb_e;

typedef enum amgr_obeyed_e {
    AMGR_OBEYED = 0,
    AMGR_OBEYED_ALREADY, /**< it is so, or on its way; for restarts, one is */
    AMGR_OBEYED_NOT,     /**< all is being shut down */
    AMGR_OBEYED_GONE     /**< it is being stopped, since its section is gone */
} amgr_obeyed_e;

/** The published table, up to date. */
const amgr_managed_table_t *
amgr_supervisor_table(const amgr_supervisor_t *supervisor);

/** What amgr_supervisor_order() would return; nothing is done. */
int amgr_supervisor_foresee(const amgr_supervisor_t *supervisor, int index,
                            int verb);

/** Carry out @a verb for the process at @a index of the table; published when
 * this returns.  amgr_obeyed_e. */
int amgr_supervisor_order(amgr_supervisor_t *supervisor, int index, int verb);

/** Whether all are stopped for it to end: the next one would start them. */
int amgr_supervisor_is_ending(const amgr_supervisor_t *supervisor);

/** Stop all for good (DELETE): no order is obeyed any more but status, until
 * httpd is started or restarted. */
void amgr_supervisor_shut_down(amgr_supervisor_t *supervisor);

/** Whether what @a verb was meant to bring about is there, or cannot come any
 * more: READY, EXITED or FATAL for start and restart, or STOPPED when what it
 * waits for does not come; STOPPED, EXITED or FATAL for stop. */
int amgr_supervisor_is_settled(const amgr_supervisor_t *supervisor, int index,
                               int verb);

const char *amgr_verb_word(int verb);

#endif
