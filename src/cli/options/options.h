/* SPDX-License-Identifier: Apache-2.0
 *
 * What the command line and the files of settings ask for.  Every option of
 * the Python tool, 1.x and 2.x, and this program's own.
 */
#ifndef AMGR_OPTIONS_H
#define AMGR_OPTIONS_H

#include "base/units.h"
#include "cli/fault.h"

/** What to do; bits, done in this order. */
typedef enum amgr_task_e {
    AMGR_TASK_KILL = 1 << 0,
    AMGR_TASK_ORDER = 1 << 1, /**< start, stop or restart NAME */
    AMGR_TASK_WATCH = 1 << 2,
    AMGR_TASK_DISCOVERY = 1 << 3, /**< -z */
    AMGR_TASK_JSON = 1 << 4,
    AMGR_TASK_PROCESSES = 1 << 5,
    AMGR_TASK_STATUS = 1 << 6, /**< status NAME */
    AMGR_TASK_TREE = 1 << 7,
    AMGR_TASK_REPORT = 1 << 8,  /**< when nothing is asked for but -f FILE */
    AMGR_TASK_COLLECT = 1 << 9, /**< write the data file */
    AMGR_TASK_HELP = 1 << 10,   /**< alone; and so is the next */
    AMGR_TASK_VERSION = 1 << 11
} amgr_task_e;

typedef enum amgr_color_e {
    AMGR_COLOR_AUTO = 0, /**< amgr_output_is_colored() has to find out */
    AMGR_COLOR_ALWAYS,
    AMGR_COLOR_NEVER
} amgr_color_e;

/** How much is said on standard error; the middle one is the default. */
typedef enum amgr_level_e {
    AMGR_LEVEL_ERROR = 0, /**< -qqq */
    AMGR_LEVEL_WARNING,   /**< -qq */
    AMGR_LEVEL_NOTICE,    /**< -q: kills and more */
    AMGR_LEVEL_INFO,
    AMGR_LEVEL_VERBOSE, /**< -v: where things come from */
    AMGR_LEVEL_DEBUG    /**< -vv */
} amgr_level_e;

typedef struct amgr_options_t {
    int tasks; /**< amgr_task_e, ORed */
    /* Limits: AMGR_LIMIT_OFF when neither side sets one, or it is set to 0. */
    apr_int64_t max_memory_active_bytes;
    apr_int64_t max_memory_idle_bytes;
    apr_interval_time_t max_time_us;
    apr_interval_time_t hanging_us; /**< 0: the server's own threshold */
    int max_kills;                  /**< AMGR_KILLS_UNLIMITED, or at least 1 */
    int dry_run;
    const char *data_file; /**< "-" is standard output */
    int data_file_given;
    const char *url;                 /**< NULL: to be found out */
    apr_interval_time_t interval_us; /**< of the watch */
    const char *verb;         /**< of ORDER: "start", "stop" or "restart" */
    const char *const *names; /**< of ORDER and STATUS */
    int name_count;
    apr_interval_time_t wait_us; /**< of ORDER, 0: not at all */
    int once;  /**< the watch prints itself once; implies it */
    int color; /**< amgr_color_e */
    int level; /**< amgr_level_e */
} amgr_options_t;

#define AMGR_KILLS_UNLIMITED 0

/** How long an order is waited for, unless --wait says otherwise. */
#define AMGR_DEFAULT_WAIT_US apr_time_from_sec(30)

/** The name that means all managed processes. */
#define AMGR_NAME_ALL "all"

/** The original's, which its agents and templates read. */
#define AMGR_DEFAULT_DATA_FILE "/tmp/apache-manager.txt"

/**
 * Everything that is asked for: the command line over the files of settings
 * over the defaults.  What was set but is useless becomes a warning.  NULL on
 * success; else a fault, with AMGR_EXIT_USAGE where the text is at fault.
 */
const amgr_fault_t *amgr_options_read(amgr_options_t *out, int argc,
                                      const char *const *argv,
                                      apr_pool_t *pool);

/** The text of --help, on standard output. */
void amgr_options_help(void);

#endif
