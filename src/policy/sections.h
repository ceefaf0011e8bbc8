/* SPDX-License-Identifier: Apache-2.0
 *
 * Groups with limits of their own: which section a process belongs to, and
 * which limit it therefore obeys, its group's or the server's.  Pure; what a
 * section does not set is the server's.
 */
#ifndef AMGR_SECTIONS_H
#define AMGR_SECTIONS_H

#include "policy/limits.h"

/** The section of the group of this name and role; NULL when it has none. */
const amgr_section_t *amgr_sections_find(const amgr_limits_t *limits,
                                         const char *name, int role);

/** Its index + 1, as groups and processes note it; 0 when there is none. */
int amgr_sections_index(const amgr_limits_t *limits, const char *name,
                        int role);

/** Note in every group and process of @a snapshot which section it has.  What
 * is in the group of AMGR_ROLE_OTHER keeps the section that it has when that is
 * for its role: no name in the snapshot tells it. */
void amgr_sections_assign(const amgr_limits_t *limits,
                          amgr_snapshot_t *snapshot);

/** The section that amgr_sections_assign() noted (a process's or a group's
 * member), or NULL; safe for a number from another configuration. */
const amgr_section_t *amgr_sections_get(const amgr_limits_t *limits,
                                        int section);

/* The limits in force for processes of that section, 0: for all others.  Each
 * is AMGR_LIMIT_OFF when there is none. */

apr_int64_t amgr_sections_active_bytes(const amgr_limits_t *limits,
                                       int section);
apr_int64_t amgr_sections_idle_bytes(const amgr_limits_t *limits, int section);
apr_int64_t amgr_sections_hard_bytes(const amgr_limits_t *limits, int section);
const amgr_jittered_t *amgr_sections_lifetime(const amgr_limits_t *limits,
                                              int section);

/** How long a process of that section may take to finish, once asked. */
apr_interval_time_t amgr_sections_grace_us(const amgr_limits_t *limits,
                                           int section);

/**
 * The signal that asks a process of this role and section to finish and go:
 * the section's, else SIGUSR1 for a WSGI daemon and SIGTERM for another fork
 * of httpd that has a section.  0 for a worker, whom the MPM decides how to
 * ask, and for what is never asked.
 */
int amgr_sections_ask_signal(const amgr_limits_t *limits, int role,
                             int section);

/** The number of a signal that can be asked by, in either case and without
 * "SIG"; 0 for any other word. */
int amgr_sections_signal_number(const char *word);

/** The word of such a signal, "" for any other. */
const char *amgr_sections_signal_word(int number);

/** Whether there is a memory limit for a process of any group. */
int amgr_sections_limit_memory(const amgr_limits_t *limits);

/** Whether there is any limit to a process's life. */
int amgr_sections_limit_lifetime(const amgr_limits_t *limits);

#endif
