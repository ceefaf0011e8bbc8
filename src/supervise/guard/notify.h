/* SPDX-License-Identifier: Apache-2.0
 *
 * What a managed process says of itself, in the protocol of sd_notify(3):
 * datagrams to the socket that NOTIFY_SOCKET names.  Heard are READY=1,
 * STATUS=text, WATCHDOG=1 and STOPPING=1; descriptors that come along are never
 * taken, which is also what a sender of BARRIER=1 waits for.
 *
 * The socket has an abstract name, so that the process can reach it as any user
 * and from any directory; so can everybody, and whoever is not below the guard
 * is not heard (SO_PASSCRED, unix(7)).  Runs in the guard.
 */
#ifndef AMGR_NOTIFY_H
#define AMGR_NOTIFY_H

#include "proc/proc_read.h"
#include "supervise/spec/spec.h"

/** A datagram that is longer says nothing. */
#define AMGR_NOTIFY_LEN_MAX 4096

/** After a flood of strangers nothing is read for so long. */
#define AMGR_NOTIFY_PAUSE_US (APR_USEC_PER_SEC / 20)

/** "@" and the five hexadecimal digits of an address that the kernel has
 * chosen, with room. */
#define AMGR_NOTIFY_ADDRESS_LEN 32

typedef enum amgr_notice_e {
    AMGR_NOTICE_READY = 1,
    AMGR_NOTICE_STATUS = 2,
    AMGR_NOTICE_WATCHDOG = 4,
    AMGR_NOTICE_STOPPING = 8
} amgr_notice_e;

/** What datagrams have said. */
typedef struct amgr_notice_t {
    unsigned int said;                  /**< amgr_notice_e; of READY and
                                             STOPPING both: in this order */
    char status[AMGR_MANAGED_TEXT_LEN]; /**< hostile bytes, none of them a line
                                             end; cut to fit */
} amgr_notice_t;

/** The socket. */
typedef struct amgr_notify_t {
    int fd;                                /**< -1: there is none */
    char address[AMGR_NOTIFY_ADDRESS_LEN]; /**< for NOTIFY_SOCKET */
    pid_t stranger; /**< the last who was not heard, -1 where the kernel cannot
                         tell; 0: nobody */
    uid_t friend_uid;   /**< of the last who was heard; -1: nobody yet */
    uid_t stranger_uid; /**< of strangers that came one after the other, */
    int strangers;      /**< so many since then: */
    apr_time_t strangers_mono_us;
    apr_time_t pause_mono_us; /**< not to be read before; 0: at any time */
} amgr_notify_t;

/** Add what @a len bytes say to @a notice; unknown lines mean nothing. */
void amgr_notice_parse(const char *bytes, apr_size_t len,
                       amgr_notice_t *notice);

/** Listen; an errno.  Never blocks. */
apr_status_t amgr_notify_open(amgr_notify_t *notify);

/** Hear what is there, a bounded number of datagrams, of processes below this
 * one; adds to @a notice.  Non-zero when there may be more.  A flood of others
 * costs little: it is cut short by the user that they are of, and by pauses. */
int amgr_notify_read(amgr_notify_t *notify, amgr_proc_dir_t *proc,
                     apr_time_t now_mono_us, amgr_notice_t *notice);

void amgr_notify_close(amgr_notify_t *notify);

/** Whether @a pid is a descendant of the process @a top. */
int amgr_notify_is_below(amgr_proc_dir_t *proc, pid_t pid, pid_t top);

#endif
