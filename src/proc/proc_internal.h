/* SPDX-License-Identifier: Apache-2.0
 *
 * What the readers of this layer share and nobody else needs: one mapping of
 * errno, one place that counts failures, one way to put a path together.
 */
#ifndef AMGR_PROC_INTERNAL_H
#define AMGR_PROC_INTERNAL_H

#include <netinet/in.h>

#include "proc/proc_read.h"

/** The longest path is "PID/task/TID/children". */
#define AMGR_PROC_PATH_LEN 64

/** ENOENT and ESRCH: APR_NOTFOUND; EACCES and EPERM: APR_EACCES. */
apr_status_t amgr_proc_status_of(int sys_errno);

/** Count @a rv, unless it is APR_SUCCESS, as of the file NAME; returns it. */
apr_status_t amgr_proc_note(amgr_proc_dir_t *dir, const char *name,
                            apr_status_t rv);

/** "PID/NAME"; 0 when that does not fit. */
int amgr_proc_make_path(char *path, apr_size_t size, pid_t pid,
                        const char *name);

/** Open PID/NAME for reading, with O_CLOEXEC; counts nothing. */
apr_status_t amgr_proc_open(const amgr_proc_dir_t *dir, pid_t pid,
                            const char *name, int *out_fd);

/** "127.0.0.1:80" or "[::1]:80"; of IPv4 the first four bytes are the address,
 * and an address of IPv4 in one of IPv6 is shown as what it is.  0 when that
 * does not fit. */
int amgr_proc_put_address(char *out, apr_size_t size,
                          const struct in6_addr *address, int is_four,
                          apr_uint64_t port);

/** Read until the end, or until the buffer is full; nothing at all is
 * APR_NOTFOUND. */
apr_status_t amgr_proc_read_all(int fd, char *buf, apr_size_t size,
                                apr_size_t *out_len);

#endif
