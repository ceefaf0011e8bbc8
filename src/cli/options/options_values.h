/* SPDX-License-Identifier: Apache-2.0
 *
 * Options one by one: what each of them means for what is asked for.  For
 * options.c, which takes the command line apart.
 */
#ifndef AMGR_OPTIONS_VALUES_H
#define AMGR_OPTIONS_VALUES_H

#include "cli/options/options.h"
#include "cli/options/settings_file.h"

/** What an option without a letter is known by to getopt_long(). */
typedef enum amgr_option_e {
    AMGR_OPTION_JSON = 256,
    AMGR_OPTION_PROCESSES,
    AMGR_OPTION_ONCE,
    AMGR_OPTION_INTERVAL,
    AMGR_OPTION_URL,
    AMGR_OPTION_MAX_KILLS,
    AMGR_OPTION_COLOR,
    AMGR_OPTION_WAIT,
    AMGR_OPTION_VERSION
} amgr_option_e;

/** The command line, before the files of settings are asked. */
typedef struct amgr_reading_t {
    amgr_options_t *out;
    amgr_settings_t line;  /**< what it says of settings */
    amgr_settings_t given; /**< not 0 for what it says at all */
    int verbosity;
    int interval_given;
    int wait_given;
    apr_pool_t *pool;
} amgr_reading_t;

/** Note an option that takes no value, by its letter or amgr_option_e; 0 when
 * it is none of those. */
int amgr_option_switch(amgr_reading_t *reading, int id);

/** Note one that takes a value; its fault names option, value and what was
 * expected. */
const amgr_fault_t *amgr_option_set(amgr_reading_t *reading, int id,
                                    const char *value);

/** What is to be done by a word without dashes, in @a words: one command, with
 * the names of processes behind those that take them. */
const amgr_fault_t *amgr_option_command(amgr_reading_t *reading,
                                        char *const *words, int count);

#endif
