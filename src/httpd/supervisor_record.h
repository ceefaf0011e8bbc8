/* SPDX-License-Identifier: Apache-2.0
 *
 * What the parent knows of the supervisor.  A record of its own in the
 * process's pool, apart from the runtime's: the supervisor lives across
 * restarts, and so it may be of another build of this module than the parent
 * is by now.  Its descriptors are the parent's alone: a handler of every fork
 * closes them in the child, whoever forks it, so that neither workers nor
 * daemons of other modules can talk to the supervisor, or be taken for its
 * parent.
 *
 * All functions run in the parent.
 */
#ifndef AMGR_SUPERVISOR_RECORD_H
#define AMGR_SUPERVISOR_RECORD_H

#include <httpd.h>

#include "supervise/supervisor.h"

typedef struct amgr_supervisor_record_t {
    /* These are the same in every build, which goes on with what another has
     * begun. */
    apr_uint32_t version; /**< AMGR_SUPERVISOR_RECORD_VERSION of who made it */
    apr_uint32_t size;    /**< sizeof(amgr_supervisor_record_t) likewise */
    pid_t parent;         /**< the httpd parent */
    pid_t pid;            /**< 0: there is none.  For words alone: it is the
                               descriptor that tells whose it is */
    int pidfd;            /**< see proc_child.h; -1: there is none */
    int fd;               /**< our end of the pair; -1: none */
    int hold_fd;          /**< hangs up when neither it nor any guard of it is
                               left; -1: there was none */
    int wait_fd;          /**< the same of the one before; -1: there was none */
    apr_interval_time_t stop_us; /**< so long a stop of all may take */
    /* And these not. */
    int passing;     /**< the fork that is on is the supervisor's own */
    int killed;      /**< SIGKILL was sent to it */
    int registered;  /**< APR tells us when the MPM reaps it */
    int is_pending;  /**< it has not taken the present configuration yet, as
                          far as is known */
    int is_untold;   /**< which could not even be sent */
    int is_ending;   /**< httpd ends, and it with it */
    int is_silent;   /**< it was so at the last look */
    int one_process; /**< -X: nobody looks after it */
    int count;       /**< of processes that are configured */
    int forks;       /**< one soon after the other */
    apr_time_t forked_mono_us;
    apr_time_t retry_mono_us; /**< not forked again before this */
    apr_time_t leave_mono_us; /**< told to end, at the latest then; 0: not */
    const void *board;        /**< that it writes to; NULL: it is unmapped */
    apr_size_t left_bytes; /**< of that, when it has been replaced and is only
                                there for what the supervisor writes last; 0: it
                                is the runtime's */
    apr_uint32_t protocol; /**< AMGR_PARENT_VERSION, and its struct */
    apr_uint32_t message_size;
    uid_t uid; /**< httpd's User and Group at its fork */
    gid_t gid;
    uid_t rights;               /**< whose the parent had then */
    amgr_managed_table_t table; /**< as last seen whole */
    apr_uint64_t number;        /**< of the configuration that was sent last */
    apr_time_t sent_mono_us;    /**< when it was */
} amgr_supervisor_record_t;

#define AMGR_SUPERVISOR_RECORD_VERSION 4

/** While hooks are registered: find the record of before the restart, and have
 * its descriptors closed in children. */
void amgr_supervisor_record_register(void);

/** The record, or NULL while there was never one. */
amgr_supervisor_record_t *amgr_supervisor_record(void);

/** The record; made when there is none and one @a is_wanted, else NULL.  A
 * supervisor whose record is of another build is taken over into it, as one of
 * an unknown protocol and board. */
amgr_supervisor_record_t *amgr_supervisor_record_make(server_rec *s,
                                                      int is_wanted);

/** The board in @a memory is replaced.  Non-zero: the supervisor goes on
 * writing to it, and it is unmapped when that has ended; 0: it is the caller's.
 */
int amgr_supervisor_record_keep_board(const void *memory, apr_size_t size);

#endif
