/* SPDX-License-Identifier: Apache-2.0
 *
 * The directives of <ManagedProcess>.
 */
#include "supervise/spec/spec_parts.h"

#define VERIFY_HELP                                                           \
    "a TYPE (http, tcp, unix, exec, exited, file, notify), options and what " \
    "to look at"

const amgr_key_t amgr_spec_table[] = {
    {"Command", 1, 0, AMGR_KEY_TEXT, amgr_set_command, amgr_path_of_command,
     "PROGRAM and its arguments"},
    {"Shell", 1, 1, 0, amgr_set_shell, NULL, "On or Off"},
    {"WorkingDirectory", 1, 1, 0, amgr_set_directory, amgr_path_of_first,
     "one PATH"},
    {"User", 1, 1, 0, amgr_set_user, NULL, "one NAME or #UID"},
    {"Group", 1, 1, 0, amgr_set_group, NULL, "one NAME or #GID"},
    {"Environment", 1, 2, AMGR_KEY_REPEATS | AMGR_KEY_TEXT | AMGR_KEY_SECRET,
     amgr_set_environment, NULL,
     "NAME VALUE or NAME=VALUE, quotes around a whole word alone"},
    {"EnvironmentFile", 1, 1, AMGR_KEY_REPEATS, amgr_set_environment_file,
     amgr_path_of_file, "one PATH, with a - before it when it may be missing"},
    {"PassEnv", 1, 0, AMGR_KEY_REPEATS, amgr_set_pass_env, NULL,
     "names of variables"},
    {"Output", 1, 1, 0, amgr_set_output, amgr_path_of_output,
     "errorlog, discard, inherit, a PATH or \"|PROGRAM ARGUMENTS\""},
    {"Limit", 2, 2, AMGR_KEY_REPEATS, amgr_set_limit, NULL,
     "NAME and SOFT, SOFT:HARD or unlimited"},
    {"Nice", 1, 1, 0, amgr_set_nice, NULL, "a whole number from -20 to 19"},
    {"Oom", 1, 1, 0, amgr_set_oom, NULL, "a whole number from -1000 to 1000"},
    {"MaxMemory", 1, 1, 0, amgr_set_max_memory, NULL, "a SIZE or Off"},
    {"RequireFree", 1, 0, AMGR_KEY_REPEATS, amgr_set_require_free, NULL,
     "addresses"},
    {"After", 1, 0, AMGR_KEY_REPEATS, amgr_set_after, NULL,
     "names of other processes"},
    {"Verify", 1, 0, AMGR_KEY_TEXT, amgr_set_verify, amgr_path_of_verify,
     VERIFY_HELP},
    {"Liveness", 1, 0, AMGR_KEY_TEXT, amgr_set_liveness, amgr_path_of_verify,
     VERIFY_HELP},
    {"StartTimeout", 1, 1, 0, amgr_set_start_timeout, NULL,
     "a DURATION or Off"},
    {"StopSignal", 1, 1, 0, amgr_set_stop_signal, NULL, "one signal's NAME"},
    {"StopTimeout", 1, 1, 0, amgr_set_stop_timeout, NULL, "one DURATION"},
    {"Restart", 1, 1, 0, amgr_set_restart, NULL, "always, on-failure or never"},
    {"RestartDelay", 1, 5, 0, amgr_set_restart_delay, NULL,
     "DURATION [max=DURATION] [factor=NUMBER] [jitter=PERCENT%] "
     "[reset=DURATION]"},
    {"RestartLimit", 1, 3, 0, amgr_set_restart_limit, NULL,
     "COUNT in DURATION, or Off"},
    {"SuccessExit", 1, 0, AMGR_KEY_REPEATS, amgr_set_success_exit, NULL,
     "exit codes"},
    {"Gate", 2, 2, AMGR_KEY_REPEATS, amgr_set_gate, NULL,
     "balancer://NAME and the URL of its member"},
    {NULL, 0, 0, 0, NULL, NULL, NULL}};

const char *const *amgr_spec_keys(void)
{
    static const char *const keys[] = {"Command",
                                       "Shell",
                                       "WorkingDirectory",
                                       "User",
                                       "Group",
                                       "Environment",
                                       "EnvironmentFile",
                                       "PassEnv",
                                       "Output",
                                       "Limit",
                                       "Nice",
                                       "Oom",
                                       "MaxMemory",
                                       "RequireFree",
                                       "After",
                                       "Verify",
                                       "Liveness",
                                       "StartTimeout",
                                       "StopSignal",
                                       "StopTimeout",
                                       "Restart",
                                       "RestartDelay",
                                       "RestartLimit",
                                       "SuccessExit",
                                       "Gate",
                                       NULL};

    return keys;
}
