/* SPDX-License-Identifier: Apache-2.0
 *
 * The administrator's programs that are run before and after a retirement
 * (ManagerKillCommand).  Started and looked after by the ticker, which never
 * waits for one; run as httpd's own User, which is also the workers': what
 * such a program says or does is believed no more than what they do.
 *
 * Invariant: a pid in the table is that of a child that nobody has reaped, and
 * the leader of its own session.  So neither it nor its process group can be
 * another's, and signalling the group hits nothing but what it started.
 */
#ifndef AMGR_COMMAND_H
#define AMGR_COMMAND_H

#include <sys/resource.h>

#include "action/command_env.h"
#include "httpd/config.h"

/** Programs that run at a time. */
#define AMGR_COMMANDS_MAX 8

/** Where it went wrong, in the words of the log; travels through a pipe. */
typedef enum amgr_command_stage_e {
    AMGR_COMMAND_FINE = 0,
    AMGR_COMMAND_NO_PIPE,
    AMGR_COMMAND_NO_FORK,
    AMGR_COMMAND_NO_DESCRIPTORS,
    AMGR_COMMAND_NO_DIRECTORY,
    AMGR_COMMAND_NO_GROUP,
    AMGR_COMMAND_NO_USER,
    AMGR_COMMAND_NO_LEASH, /**< it would outlive the ticker */
    AMGR_COMMAND_NO_EXEC,
    AMGR_COMMAND_STAGE_COUNT
} amgr_command_stage_e;

/** Why a program was not run. */
typedef struct amgr_command_fault_t {
    apr_int32_t stage; /**< amgr_command_stage_e */
    apr_int32_t error; /**< errno */
} amgr_command_fault_t;

/** One that runs. */
typedef struct amgr_command_run_t {
    pid_t pid;             /**< 0: a free row */
    int event;             /**< amgr_command_event_e */
    amgr_proc_id_t worker; /**< that it is run for */
    apr_time_t begun_mono_us;
    int report; /**< to read its fault from, once it has ended */
    int killed; /**< its time is over */
} amgr_command_run_t;

/** All of them.  All zero: none will ever be run. */
typedef struct amgr_commands_t {
    server_rec *server;
    const amgr_config_t *config;
    apr_uint64_t *faults;      /**< counts those not run, or not to their end */
    struct rlimit descriptors; /**< httpd's own limit */
    amgr_command_run_t run[AMGR_COMMANDS_MAX];
    amgr_command_fault_t told[AMGR_COMMAND_EVENT_COUNT]; /**< logged last */
} amgr_commands_t;

/**
 * Get ready, in the ticker.  @a parent: the httpd parent, whose limits the
 * programs get.  @a faults: added to for each that was skipped, failed to
 * start or ran out of time.
 */
void amgr_commands_init(amgr_commands_t *commands, server_rec *s,
                        const amgr_config_t *config, pid_t parent,
                        apr_uint64_t *faults);

/**
 * Start the program of @a event, if there is one, for the retirement of @a
 * record.  Non-zero when it was started; otherwise what is wrong was logged.
 */
int amgr_commands_start(amgr_commands_t *commands, int event,
                        const amgr_record_t *record);

/** Whether the "before" program of this worker runs and has time left. */
int amgr_commands_hold(const amgr_commands_t *commands,
                       const amgr_proc_id_t *worker);

/** Reap what has ended, end what is out of time; never waits. */
void amgr_commands_look(amgr_commands_t *commands);

/** The ticker ends: SIGKILL for all of them that nobody else has reaped. */
void amgr_commands_end(const amgr_commands_t *commands);

#endif
