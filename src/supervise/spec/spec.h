/* SPDX-License-Identifier: Apache-2.0
 *
 * What is asked for of one managed process: a <ManagedProcess> section, read
 * and checked.  Pure: no file is opened and no name is looked up, since a user,
 * a directory or a program that is missing is found out when the process is
 * started, and mended without a restart of httpd.
 *
 * A specification keeps the words that it was made of: they are how it travels
 * to the supervisor (amgr_specs_pack) and how a change is told (two sections
 * are the same when their words are).  Built and used in one pool; read-only
 * once it is finished.
 */
#ifndef AMGR_SPEC_H
#define AMGR_SPEC_H

#include <sys/resource.h>
#include <sys/types.h>

#include <apr_pools.h>
#include <apr_tables.h>

#include "base/sink.h"
#include "model/managed.h"

typedef enum amgr_restart_e {
    AMGR_RESTART_ON_FAILURE = 0, /**< the default */
    AMGR_RESTART_ALWAYS,
    AMGR_RESTART_NEVER,
    AMGR_RESTART_COUNT
} amgr_restart_e;

typedef enum amgr_output_e {
    AMGR_OUTPUT_ERRORLOG = 0, /**< the default: lines of httpd's error log */
    AMGR_OUTPUT_FILE,
    AMGR_OUTPUT_PIPE, /**< a logger's standard input */
    AMGR_OUTPUT_DISCARD,
    AMGR_OUTPUT_INHERIT, /**< httpd's own standard output and error */
    AMGR_OUTPUT_COUNT
} amgr_output_e;

typedef enum amgr_verify_e {
    AMGR_VERIFY_NONE = 0,
    AMGR_VERIFY_HTTP,
    AMGR_VERIFY_TCP,
    AMGR_VERIFY_UNIX,
    AMGR_VERIFY_EXEC,
    AMGR_VERIFY_EXITED,
    AMGR_VERIFY_FILE,
    AMGR_VERIFY_NOTIFY,
    AMGR_VERIFY_OTHER, /**< another module's, by its name */
    AMGR_VERIFY_COUNT
} amgr_verify_e;

/** A verifier: of readiness (Verify) or of health (Liveness). */
typedef struct amgr_verify_t {
    int type;           /**< amgr_verify_e */
    const char *name;   /**< "http"; of other modules' verifiers theirs */
    const char *target; /**< URL, HOST:PORT or path; NULL: none */
    char **argv;        /**< of exec the program and its arguments, of others
                             what stands behind their name and options; ending
                             in NULL; else NULL */
    int expect_code;    /**< of exited */
    int status_min;     /**< of http: what passes */
    int status_max;
    apr_array_header_t *headers;     /**< of http, sent: "Name: value" */
    apr_interval_time_t interval_us; /**< pause between two attempts */
    apr_interval_time_t timeout_us;  /**< of one attempt; of notify as Liveness
                                          between two WATCHDOG=1 */
    int retries; /**< Verify: failed attempts that are let pass, -1 all of
                       them until StartTimeout; Liveness: failures in a row
                       that are too many */
} amgr_verify_t;

typedef struct amgr_rlimit_t {
    int resource; /**< RLIMIT_* */
    struct rlimit limit;
} amgr_rlimit_t;

/** A member of a balancer that is let in while the process is ready. */
typedef struct amgr_gate_t {
    const char *balancer; /**< "balancer://app" */
    const char *member;   /**< its URL as BalancerMember has it */
} amgr_gate_t;

typedef struct amgr_spec_t {
    const char *name;
    char **argv;           /**< of Command, ending in NULL; a shell's where it
                                was asked for */
    const char *directory; /**< absolute; NULL: / */
    const char *user;      /**< NULL: httpd's own */
    const char *group;     /**< NULL: the user's */
    apr_array_header_t *environment;       /**< of "NAME=value" */
    apr_array_header_t *environment_files; /**< of absolute paths; with a "-"
                                                before: may be missing */
    apr_array_header_t *pass_env;          /**< of names */
    int output;                            /**< amgr_output_e */
    const char *output_file;               /**< absolute, of FILE */
    char **output_argv;                    /**< of PIPE, ending in NULL */
    apr_array_header_t *after;             /**< of names */
    apr_interval_time_t start_timeout_us;  /**< AMGR_LIMIT_OFF: none */
    int stop_signal;
    apr_interval_time_t stop_timeout_us;
    int restart;                  /**< amgr_restart_e */
    apr_interval_time_t delay_us; /**< the first RestartDelay */
    double delay_factor;
    apr_interval_time_t delay_max_us;
    int delay_jitter_percent;
    apr_interval_time_t
        delay_reset_us; /**< so long in READY forgets failures */
    int restart_limit;  /**< failures within the window; 0: no limit */
    apr_interval_time_t restart_window_us;
    apr_array_header_t *success_exits; /**< of int; 0 is always one */
    apr_array_header_t *limits;        /**< of amgr_rlimit_t */
    int nice;                          /**< AMGR_SPEC_NO_NICE: httpd's own */
    int oom; /**< oom_score_adj; AMGR_SPEC_NO_OOM: 0 is written */
    apr_uint64_t max_memory_bytes; /**< 0: none */
    apr_array_header_t
        *require_free; /**< of "tcp://ADDRESS:PORT", "unix:PATH" */
    amgr_verify_t verify;
    amgr_verify_t liveness;
    apr_array_header_t *gates; /**< of amgr_gate_t */
    apr_array_header_t *lines; /**< of amgr_spec_line_t: what it was made of */
} amgr_spec_t;

#define AMGR_SPEC_NO_NICE (-2000)
#define AMGR_SPEC_NO_OOM (-2000)

/** The most that restart_limit can be. */
#define AMGR_SPEC_FAILURES_MAX 100

/** One directive of a section. */
typedef struct amgr_spec_line_t {
    const char *key;
    int argc;
    char **argv; /**< ending in NULL */
} amgr_spec_line_t;

/** Whether another module has a verifier of this name. */
typedef int amgr_verify_known_fn(const char *name);

/** Begin the section of @a name, with every default.  NULL, or what is
 * expected of a name; *out stays untouched then. */
const char *amgr_spec_create(const char *name, amgr_spec_t **out,
                             apr_pool_t *pool);

/**
 * Take a directive of the section.  @a key in any case; paths among the values
 * must be absolute already (amgr_spec_path_at() tells which are paths).
 * Everything is copied.  Returns NULL, or one sentence as an administrator
 * reads it, naming the process, the directive and the value:
 *
 *   process web: RestartLimit: '5 in' is not valid (expected COUNT in DURATION,
 *   or Off)
 *
 * Passwords in URLs, values of headers and of variables are not in it.  After
 * an error the section is of no use.
 *
 * @a known may be NULL: there are no other verifiers.
 */
const char *amgr_spec_add(amgr_spec_t *spec, const char *key, int argc,
                          const char *const *argv, amgr_verify_known_fn *known,
                          apr_pool_t *pool);

/** Whether argument @a index of @a key is a path that may be relative to
 * ServerRoot: 1 it is, 0 not.  For Output the path of a file, and the program
 * of a logger only where it has a slash. */
int amgr_spec_path_at(const char *key, int argc, const char *const *argv,
                      int index);

/** Argument @a index, with @a root (ServerRoot, absolute) before the path in it
 * where that is relative; also behind the "-" of EnvironmentFile and the "|" of
 * a logger. */
const char *amgr_spec_absolute(const char *key, int argc,
                               const char *const *argv, int index,
                               const char *root, apr_pool_t *pool);

/** What can only be told of the section as a whole: NULL or a sentence. */
const char *amgr_spec_finish(amgr_spec_t *spec, apr_pool_t *pool);

/** What can only be told of all sections: names twice, After that names none
 * or closes a circle, gates of two, too many.  NULL or a sentence. */
const char *amgr_specs_check(const amgr_spec_t *const *specs, int count,
                             apr_pool_t *pool);

/** What is wrong only where each is started after the one before it
 * (ManagerStartOrder Config): After that names a later one would wait for ever.
 * NULL or a sentence. */
const char *amgr_specs_check_order(const amgr_spec_t *const *specs, int count,
                                   apr_pool_t *pool);

/** Those that @a index comes after: bit i for specs[i].  At most
 * AMGR_MANAGED_MAX of them; what is none of them is left out. */
apr_uint64_t amgr_specs_after(const amgr_spec_t *const *specs, int count,
                              int index);

/** Whether nothing is asked for otherwise. */
int amgr_spec_equal(const amgr_spec_t *a, const amgr_spec_t *b);

/** A number that is another when something is asked for otherwise, or when it
 * runs as httpd's own User or Group (@a user, @a group; may be NULL) and that
 * is another.  The same in every build that packs alike. */
apr_uint64_t amgr_spec_hash(const amgr_spec_t *spec, const char *user,
                            const char *group);

/** How long a stop of all may take at most, in the reverse order of After,
 * each with its StopTimeout: the longest chain.  Where each is started after
 * the one before it (ManagerStartOrder), it is the sum of all instead. */
apr_interval_time_t amgr_specs_stop_us(const amgr_spec_t *const *specs,
                                       int count);

/** All sections as bytes, to the sink; and back (APR_EGENERAL: not such
 * bytes).  The reader trusts nothing: amgr_spec_add() sees every line. */
void amgr_specs_pack(const amgr_spec_t *const *specs, int count,
                     amgr_sink_t *sink);
apr_status_t amgr_specs_unpack(const char *text, apr_size_t len,
                               amgr_verify_known_fn *known,
                               amgr_spec_t ***out_specs, int *out_count,
                               apr_pool_t *pool);

/** The effective configuration as text, defaults too, in the words of the
 * configuration: what `httpd -t -DDUMP_MANAGED` prints.  Passwords in URLs and
 * headers that authorise are masked; values of variables are in it. */
void amgr_spec_dump(const amgr_spec_t *spec, amgr_sink_t *sink);

/** The names of all directives of a section, ending in NULL. */
const char *const *amgr_spec_keys(void);

const char *amgr_restart_word(int restart);

/** "nofile" of RLIMIT_NOFILE. */
const char *amgr_rlimit_name(int resource);

const char *amgr_output_word(int output);

/** Whether it is After the process of this name. */
int amgr_spec_is_after(const amgr_spec_t *spec, const char *name);

/** What @a spec alone decides of the row of its process. */
void amgr_spec_describe(const amgr_spec_t *spec, amgr_managed_t *row);

#endif
