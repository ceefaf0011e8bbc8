/* SPDX-License-Identifier: Apache-2.0
 *
 * What the files of spec.h share: the table of directives, their setters and
 * the parsers of values.  Nobody else includes it.
 */
#ifndef AMGR_SPEC_PARTS_H
#define AMGR_SPEC_PARTS_H

#include "supervise/spec/spec.h"

/** No path begins in the word. */
#define AMGR_NO_PATH ((apr_size_t)-1)

/** The directive may stand more than once. */
#define AMGR_KEY_REPEATS 1u
/** Its words may be empty, and may hold tabs and line ends. */
#define AMGR_KEY_TEXT 2u
/** Its values are nobody's business: errors do not quote them. */
#define AMGR_KEY_SECRET 4u

/** Pauses shorter than this would be spent on forking alone. */
#define AMGR_PAUSE_MIN_US (100 * 1000)

struct amgr_key_t;

/** One directive while it is taken. */
typedef struct amgr_setting_t {
    amgr_spec_t *spec;
    const struct amgr_key_t *key;
    int argc;
    char **argv; /**< the section's own copy, ending in NULL */
    amgr_verify_known_fn *known;
    apr_pool_t *pool;
    const char *wrong; /**< the word that is not valid; NULL: all of them */
} amgr_setting_t;

/** Take it: NULL, or what is expected (and @c wrong, where one word is). */
typedef const char *amgr_set_fn(amgr_setting_t *setting);

/** Where in the word a path begins that may be relative to ServerRoot;
 * AMGR_NO_PATH. */
typedef apr_size_t amgr_path_fn(int argc, const char *const *argv, int index);

typedef struct amgr_key_t {
    const char *name;
    int least; /**< arguments */
    int most;  /**< 0: any number */
    unsigned int flags;
    amgr_set_fn *set;
    amgr_path_fn *path; /**< NULL: no argument is a path */
    const char *help;   /**< what is expected of all arguments */
} amgr_key_t;

/** In the order in which they are dumped; the last has no name. */
extern const amgr_key_t amgr_spec_table[];

/** The word @a word is not what is expected; @a expected NULL: it is. */
static inline const char *amgr_blame(amgr_setting_t *setting, const char *word,
                                     const char *expected)
{
    setting->wrong = word;
    return expected;
}

/** The first line of this directive, or NULL. */
const amgr_spec_line_t *amgr_spec_line(const amgr_spec_t *spec,
                                       const char *key);

/** Whether the section has the same gate. */
int amgr_spec_has_gate(const amgr_spec_t *spec, const amgr_gate_t *gate);

/* spec_words.c: words as they are read and shown. */

/** @a word with passwords in URLs masked. */
const char *amgr_word_masked(const char *word, apr_pool_t *pool);

/** @a word for an error: masked, escaped, cut. */
const char *amgr_word_shown(const char *word, apr_pool_t *pool);

/** @a word as a configuration takes it: masked, quoted where it must be, and
 * what cannot stand on a line as \\xHH. */
void amgr_word_put(amgr_sink_t *sink, const char *word, apr_pool_t *pool);

/** Whether no control character is in @a word; with @a layout tabs and line
 * ends are none. */
int amgr_word_is_clean(const char *word, int layout);

/** Split into words as a shell does, as far as quotes and backslashes go.
 * NULL, or what is expected. */
const char *amgr_words_split(const char *text, char ***out_argv,
                             apr_pool_t *pool);

/* spec_values.c: NULL and the value, or what is expected. */

const char *amgr_name_check(const char *text);
const char *amgr_path_check(const char *text);
const char *amgr_program_check(const char *text);
const char *amgr_account_check(const char *text);
const char *amgr_variable_check(const char *text, apr_size_t len);
const char *amgr_url_check(const char *text);
const char *amgr_host_port_check(const char *text);
const char *amgr_integer_parse(const char *text, int min, int max, int *out);
const char *amgr_factor_parse(const char *text, double *out);
const char *amgr_percent_parse(const char *text, int *out);
const char *amgr_pause_parse(const char *text, apr_interval_time_t *out_us);
const char *amgr_restart_parse(const char *text, int *out);
const char *amgr_stop_signal_parse(const char *text, int *out);
const char *amgr_stop_signal_word(int number);

/* spec_rlimit.c */

const char *amgr_rlimit_name_parse(const char *text, int *out);
const char *amgr_rlimit_parse(const char *text, amgr_rlimit_t *limit,
                              apr_pool_t *pool);
void amgr_rlimit_put(amgr_sink_t *sink, const amgr_rlimit_t *limit);

/* spec_run.c: setters of how it is run. */

amgr_set_fn amgr_set_command, amgr_set_shell, amgr_set_directory, amgr_set_user,
    amgr_set_group, amgr_set_environment, amgr_set_environment_file,
    amgr_set_pass_env, amgr_set_output, amgr_set_limit, amgr_set_nice,
    amgr_set_oom, amgr_set_require_free, amgr_set_after;
amgr_path_fn amgr_path_of_first, amgr_path_of_file, amgr_path_of_command,
    amgr_path_of_output;

/** A program's path only where it has a slash: other words are no paths. */
apr_size_t amgr_path_of_program(const char *word);

/* spec_care.c: setters of how it is cared for. */

amgr_set_fn amgr_set_start_timeout, amgr_set_stop_signal, amgr_set_stop_timeout,
    amgr_set_restart, amgr_set_restart_delay, amgr_set_restart_limit,
    amgr_set_success_exit, amgr_set_max_memory, amgr_set_gate;

/* spec_verify.c */

amgr_set_fn amgr_set_verify, amgr_set_liveness;
amgr_path_fn amgr_path_of_verify;

/** Defaults of a verifier of @a type. */
void amgr_verify_init(amgr_verify_t *verify, int type, int is_liveness,
                      apr_pool_t *pool);

#endif
