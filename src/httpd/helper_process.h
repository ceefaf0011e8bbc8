/* SPDX-License-Identifier: Apache-2.0
 *
 * The parent's own helpers, the ticker and the supervisor: what they do first
 * after their fork, to give up what was the parent's, and what is said of an
 * end that nobody asked for.
 */
#ifndef AMGR_HELPER_PROCESS_H
#define AMGR_HELPER_PROCESS_H

#include <httpd.h>

#include "httpd/log_tags.h"

#define AMGR_HELPER_KEEP_MAX 8

/**
 * In the fork: a process group of its own, the name @a comm, SIGTERM blocked,
 * the signals of restarts and stops ignored, all others at their defaults;
 * every descriptor closed but the first three, the error log's, and the
 * @a count in @a keep (at most AMGR_HELPER_KEEP_MAX; -1 among them is none).
 */
void amgr_helper_process_begin(server_rec *s, const char *comm, const int *keep,
                               int count);

/**
 * In the parent, which looks after them: one named @a what has ended, and
 * nobody has asked it to.  @a status: of waitpid(2), or -1 where another has
 * reaped it.
 */
void amgr_helper_process_say_end(server_rec *s, amgr_log_tag_e tag,
                                 const char *what, pid_t pid, int status);

/** The descriptor of the error log, or -1: it is no file and no program. */
int amgr_helper_process_log_fd(server_rec *s);

#endif
