/* SPDX-License-Identifier: Apache-2.0
 *
 * What a descriptor of a process is: the target of its link in /proc, and of a
 * socket both its addresses, from the tables under /proc/PID/net.  Those are of
 * the process's own network namespace.
 *
 * The tables of a busy host are huge, for connections that nobody owns any more
 * stand in them: the kernel is asked for the others first (proc_diag.h).  They
 * are read once for all sockets that are still looked for then, in a fixed
 * buffer, up to a cap of bytes and a deadline.  The
 * names of unix sockets are free text that any user of the host chooses: they
 * may hold any bytes, line ends too, so that a name can forge lines.
 */
#ifndef AMGR_PROC_SOCKET_H
#define AMGR_PROC_SOCKET_H

#include "proc/proc_lines.h"
#include "proc/proc_read.h"

/** Room for a target's text, with the NUL. */
#define AMGR_PROC_TARGET_LEN 96

/** Room for "[IPv6]:port", with the NUL; unix names are cut to it. */
#define AMGR_PROC_ADDRESS_LEN 64

typedef enum amgr_target_kind_e {
    AMGR_TARGET_OTHER = 0, /**< anything the kernel has no path for */
    AMGR_TARGET_PATH,
    AMGR_TARGET_PIPE,
    AMGR_TARGET_SOCKET,
    AMGR_TARGET_KIND_COUNT
} amgr_target_kind_e;

/** The target of /proc/PID/fd/N. */
typedef struct amgr_proc_target_t {
    apr_int32_t kind;                /**< amgr_target_kind_e */
    apr_uint64_t inode;              /**< of a pipe or socket, else 0 */
    char text[AMGR_PROC_TARGET_LEN]; /**< any bytes; of a long path the end */
} amgr_proc_target_t;

typedef enum amgr_socket_kind_e {
    AMGR_SOCKET_UNKNOWN = 0, /**< not found */
    AMGR_SOCKET_TCP,
    AMGR_SOCKET_UDP,
    AMGR_SOCKET_UNIX,
    AMGR_SOCKET_KIND_COUNT
} amgr_socket_kind_e;

/** A socket by its inode. */
typedef struct amgr_proc_socket_t {
    apr_uint64_t inode;
    apr_int32_t kind;                  /**< amgr_socket_kind_e */
    apr_int32_t state;                 /**< TCP_* of the kernel; 0 for unix */
    apr_int32_t listening;             /**< it waits for connections */
    apr_uint32_t uid;                  /**< whose it is; of a unix one 0 */
    char local[AMGR_PROC_ADDRESS_LEN]; /**< address, or a unix socket's name:
                                            any bytes, empty without one */
    char peer[AMGR_PROC_ADDRESS_LEN];  /**< empty for unix and unconnected */
} amgr_proc_socket_t;

/** Takes a socket; anything but 0 ends a walk. */
typedef int amgr_proc_socket_fn(void *baton, const amgr_proc_socket_t *socket);

/** What a link of /proc/PID/fd says; never fails for @a len over 0. */
apr_status_t amgr_proc_parse_target(const char *buf, apr_size_t len,
                                    amgr_proc_target_t *out);

/** A line of net/tcp, tcp6, udp or udp6, without its end; @a kind is the
 * table's, put into @a out.  The heading is APR_EGENERAL. */
apr_status_t amgr_proc_parse_inet(const char *buf, apr_size_t len, int kind,
                                  amgr_proc_socket_t *out);

/** A line of net/unix, without its end. */
apr_status_t amgr_proc_parse_unix(const char *buf, apr_size_t len,
                                  amgr_proc_socket_t *out);

/** What the descriptor @a fd of @a pid (or of a thread) is; APR_NOTFOUND when
 * it is closed by now. */
apr_status_t amgr_proc_read_target(amgr_proc_dir_t *dir, pid_t pid, int fd,
                                   amgr_proc_target_t *out);

/**
 * Fill in the sockets whose inodes are given; those not found get the kind
 * unknown.  A unix name whose inode stands in the table twice is left out, for
 * one of the two is forged.  APR_SUCCESS: every one was found; APR_NOTFOUND:
 * all tables were read; APR_ENOSPC: a table was longer than the budget;
 * APR_TIMEUP; else why a table could not be read.
 */
apr_status_t amgr_proc_find_sockets(amgr_proc_dir_t *dir, pid_t pid,
                                    const amgr_proc_budget_t *budget,
                                    amgr_proc_socket_t *sockets, int count);

/** The word of a TCP state, "ESTABLISHED"; "unknown" for none. */
const char *amgr_proc_tcp_state_word(int state);

#endif
