/* SPDX-License-Identifier: Apache-2.0
 *
 * What the parent's own helpers, the ticker and the supervisor, do first after
 * their fork: they give up what was the parent's.
 */
#ifndef AMGR_HELPER_PROCESS_H
#define AMGR_HELPER_PROCESS_H

#include <httpd.h>

#define AMGR_HELPER_KEEP_MAX 8

/**
 * In the fork: a process group of its own, the name @a comm, SIGTERM blocked,
 * the signals of restarts and stops ignored, all others at their defaults;
 * every descriptor closed but the first three, the error log's, and the
 * @a count in @a keep (at most AMGR_HELPER_KEEP_MAX; -1 among them is none).
 */
void amgr_helper_process_begin(server_rec *s, const char *comm, const int *keep,
                               int count);

/** The descriptor of the error log, or -1: it is no file and no program. */
int amgr_helper_process_log_fd(server_rec *s);

#endif
