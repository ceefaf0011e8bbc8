/* SPDX-License-Identifier: Apache-2.0
 *
 * One section: its beginning, its directives as they come, its end.
 */
#include "supervise/spec/spec.h"

#include <stdio.h>
#include <string.h>
#include <signal.h>
#include <strings.h>

#include <apr_strings.h>

#include "base/units.h"
#include "supervise/spec/spec_parts.h"

#define SEC APR_USEC_PER_SEC

/** Of all words in an error, beyond which no further is shown. */
#define SHOWN_MAX 200

static apr_array_header_t *make_words(apr_pool_t *pool)
{
    return apr_array_make(pool, 2, sizeof(char *));
}

static void set_defaults(amgr_spec_t *spec, apr_pool_t *pool)
{
    spec->environment = make_words(pool);
    spec->environment_files = make_words(pool);
    spec->pass_env = make_words(pool);
    spec->after = make_words(pool);
    spec->require_free = make_words(pool);
    spec->output = AMGR_OUTPUT_ERRORLOG;
    spec->start_timeout_us = 30 * SEC;
    spec->stop_signal = SIGTERM;
    spec->stop_timeout_us = 10 * SEC;
    spec->restart = AMGR_RESTART_ON_FAILURE;
    spec->delay_us = SEC;
    spec->delay_factor = 2;
    spec->delay_max_us = 60 * SEC;
    spec->delay_jitter_percent = 10;
    spec->delay_reset_us = 60 * SEC;
    spec->restart_limit = 5;
    spec->restart_window_us = 60 * SEC;
    spec->success_exits = apr_array_make(pool, 2, sizeof(int));
    APR_ARRAY_PUSH(spec->success_exits, int) = 0;
    spec->limits = apr_array_make(pool, 2, sizeof(amgr_rlimit_t));
    spec->nice = AMGR_SPEC_NO_NICE;
    spec->oom = AMGR_SPEC_NO_OOM;
    spec->gates = apr_array_make(pool, 1, sizeof(amgr_gate_t));
    spec->lines = apr_array_make(pool, 8, sizeof(amgr_spec_line_t));
    amgr_verify_init(&spec->verify, AMGR_VERIFY_NONE, 0, pool);
    amgr_verify_init(&spec->liveness, AMGR_VERIFY_NONE, 1, pool);
}

const char *amgr_spec_create(const char *name, amgr_spec_t **out,
                             apr_pool_t *pool)
{
    const char *wrong = amgr_name_check(name);
    amgr_spec_t *spec;

    if (wrong != NULL) {
        return wrong;
    }
    if (strcasecmp(name, "all") == 0) {
        return "another name: in orders it means all processes";
    }
    spec = apr_pcalloc(pool, sizeof(*spec));
    spec->name = apr_pstrdup(pool, name);
    set_defaults(spec, pool);
    *out = spec;
    return NULL;
}

static const amgr_key_t *find_key(const char *name)
{
    const amgr_key_t *key;

    for (key = amgr_spec_table; key->name != NULL; key++) {
        if (strcasecmp(key->name, name) == 0) {
            return key;
        }
    }
    return NULL;
}

const amgr_spec_line_t *amgr_spec_line(const amgr_spec_t *spec, const char *key)
{
    int i;

    for (i = 0; i < spec->lines->nelts; i++) {
        const amgr_spec_line_t *line =
            &APR_ARRAY_IDX(spec->lines, i, amgr_spec_line_t);

        if (strcmp(line->key, key) == 0) {
            return line;
        }
    }
    return NULL;
}

/* A word for an error; of a secret its name, which ends at the first "=". */
static const char *shown(const amgr_key_t *key, const char *word, int is_first,
                         apr_pool_t *pool)
{
    /* NOLINTNEXTLINE(clang-analyzer-core.NonNullParamChecker): never NULL */
    const char *equals = strchr(word, '=');

    if ((key->flags & AMGR_KEY_SECRET) == 0) {
        return amgr_word_shown(word, pool);
    }
    if (!is_first) {
        return "***";
    }
    if (equals == NULL) {
        return amgr_word_shown(word, pool);
    }
    word = apr_pstrmemdup(pool, word, (apr_size_t)(equals - word));
    return apr_pstrcat(pool, amgr_word_shown(word, pool), "=***", NULL);
}

/* All words, or the one that is wrong. */
static const char *value_of(const amgr_key_t *key, int argc,
                            const char *const *argv, const char *wrong,
                            apr_pool_t *pool)
{
    const char *text = "";
    int i;

    if (wrong != NULL) {
        return shown(key, wrong, argc > 0 && wrong == argv[0], pool);
    }
    for (i = 0; i < argc && strlen(text) < SHOWN_MAX; i++) {
        text = apr_pstrcat(pool, text, i > 0 ? " " : "",
                           shown(key, argv[i], i == 0, pool), NULL);
    }
    return i == argc ? text : apr_pstrcat(pool, text, " ...", NULL);
}

static const char *refuse(const amgr_spec_t *spec, const char *key,
                          const char *value, const char *expected,
                          apr_pool_t *pool)
{
    return apr_psprintf(pool, "process %s: %s: '%s' is not valid (expected %s)",
                        spec->name, key, value, expected);
}

/* Why the directive cannot stand here; NULL when it can. */
static const char *misplaced(const amgr_spec_t *spec, const amgr_key_t *key,
                             apr_pool_t *pool)
{
    if ((key->flags & AMGR_KEY_REPEATS) == 0 &&
        amgr_spec_line(spec, key->name) != NULL) {
        return apr_psprintf(pool, "process %s: %s: is there twice", spec->name,
                            key->name);
    }
    return NULL;
}

/* What is wrong with the words whatever they mean; NULL for nothing. */
static const char *check_words(amgr_setting_t *setting)
{
    const amgr_key_t *key = setting->key;
    int is_text = (key->flags & AMGR_KEY_TEXT) != 0;
    int i;

    if (setting->argc < key->least ||
        (key->most > 0 && setting->argc > key->most)) {
        return key->help;
    }
    for (i = 0; i < setting->argc; i++) {
        if (!amgr_word_is_clean(setting->argv[i], is_text)) {
            return amgr_blame(setting, setting->argv[i],
                              is_text ? "no control characters but tabs and "
                                        "line ends"
                                      : "no control characters");
        }
        if (!is_text && setting->argv[i][0] == '\0') {
            return amgr_blame(setting, setting->argv[i],
                              "words that are not empty");
        }
    }
    return NULL;
}

static char **copy_words(int argc, const char *const *argv, apr_pool_t *pool)
{
    char **copy = apr_palloc(pool, ((apr_size_t)argc + 1) * sizeof(*copy));
    int i;

    for (i = 0; i < argc; i++) {
        copy[i] = apr_pstrdup(pool, argv[i]);
    }
    copy[argc] = NULL;
    return copy;
}

const char *amgr_spec_add(amgr_spec_t *spec, const char *key, int argc,
                          const char *const *argv, amgr_verify_known_fn *known,
                          apr_pool_t *pool)
{
    const amgr_key_t *row = find_key(key);
    amgr_setting_t setting;
    amgr_spec_line_t *line;
    const char *wrong;

    if (row == NULL) {
        return apr_psprintf(pool,
                            "process %s: %s: is no directive of "
                            "<ManagedProcess>",
                            spec->name, amgr_word_shown(key, pool));
    }
    wrong = misplaced(spec, row, pool);
    if (wrong != NULL) {
        return wrong;
    }
    memset(&setting, 0, sizeof(setting));
    setting.spec = spec;
    setting.key = row;
    setting.argc = argc;
    setting.argv = copy_words(argc, argv, pool);
    setting.known = known;
    setting.pool = pool;
    wrong = check_words(&setting);
    if (wrong == NULL) {
        wrong = row->set(&setting);
    }
    if (wrong != NULL) {
        return refuse(spec, row->name,
                      value_of(row, argc, (const char *const *)setting.argv,
                               setting.wrong, pool),
                      wrong, pool);
    }
    line = apr_array_push(spec->lines);
    line->key = row->name;
    line->argc = argc;
    line->argv = setting.argv;
    return NULL;
}

static apr_size_t path_at(const char *key, int argc, const char *const *argv,
                          int index)
{
    const amgr_key_t *row = find_key(key);

    return row == NULL || row->path == NULL || index < 0 || index >= argc
               ? AMGR_NO_PATH
               : row->path(argc, argv, index);
}

int amgr_spec_path_at(const char *key, int argc, const char *const *argv,
                      int index)
{
    return path_at(key, argc, argv, index) != AMGR_NO_PATH;
}

/* As words of a logger are split. */
static const char *escape_blanks(const char *root, apr_pool_t *pool)
{
    char *out = apr_palloc(pool, strlen(root) * 2 + 1);
    char *at = out;

    for (; *root != '\0'; root++) {
        if (strchr(" \t\"'\\", *root) != NULL) {
            *at++ = '\\';
        }
        *at++ = *root;
    }
    *at = '\0';
    return out;
}

const char *amgr_spec_absolute(const char *key, int argc,
                               const char *const *argv, int index,
                               const char *root, apr_pool_t *pool)
{
    apr_size_t at = path_at(key, argc, argv, index);
    const char *word = argv[index];
    const char *slash =
        root[0] != '\0' && root[strlen(root) - 1] == '/' ? "" : "/";

    if (at == AMGR_NO_PATH || word[at] == '/' || word[at] == '\0') {
        return word;
    }
    if (at > 0 && word[0] == '|' && word[at - 1] != '"' &&
        word[at - 1] != '\'') {
        root = escape_blanks(root, pool);
    }
    return apr_pstrcat(pool, apr_pstrmemdup(pool, word, at), root, slash,
                       word + at, NULL);
}

/* Of Command and Shell together. */
static const char *finish_command(amgr_spec_t *spec, apr_pool_t *pool)
{
    const amgr_spec_line_t *command = amgr_spec_line(spec, "Command");
    const amgr_spec_line_t *shell = amgr_spec_line(spec, "Shell");
    const char *wrong;

    if (command == NULL) {
        return apr_psprintf(pool, "process %s: Command is missing", spec->name);
    }
    if (shell != NULL && strcasecmp(shell->argv[0], "On") == 0) {
        if (command->argc != 1) {
            return refuse(spec, command->key,
                          amgr_word_shown(command->argv[0], pool),
                          "one quoted text, as Shell is On", pool);
        }
        spec->argv = apr_pcalloc(pool, 4 * sizeof(char *));
        spec->argv[0] = apr_pstrdup(pool, "/bin/sh");
        spec->argv[1] = apr_pstrdup(pool, "-c");
        spec->argv[2] = command->argv[0];
        return NULL;
    }
    wrong = amgr_program_check(spec->argv[0]);
    if (wrong == NULL && !amgr_word_is_clean(spec->argv[0], 0)) {
        wrong = "a program's path without control characters";
    }
    return wrong == NULL
               ? NULL
               : refuse(spec, command->key,
                        amgr_word_shown(spec->argv[0], pool), wrong, pool);
}

const char *amgr_spec_finish(amgr_spec_t *spec, apr_pool_t *pool)
{
    const char *wrong = finish_command(spec, pool);

    if (wrong != NULL || spec->verify.type != AMGR_VERIFY_EXITED) {
        return wrong;
    }
    if (spec->restart == AMGR_RESTART_ALWAYS) {
        return refuse(spec, "Restart", amgr_restart_word(spec->restart),
                      "on-failure or never, as Verify waits for its end", pool);
    }
    if (spec->liveness.type != AMGR_VERIFY_NONE) {
        return refuse(spec, "Liveness", spec->liveness.name,
                      "none, as Verify waits for its end", pool);
    }
    return NULL;
}

static int line_equal(const amgr_spec_line_t *a, const amgr_spec_line_t *b)
{
    int i;

    if (strcmp(a->key, b->key) != 0 || a->argc != b->argc) {
        return 0;
    }
    for (i = 0; i < a->argc; i++) {
        if (strcmp(a->argv[i], b->argv[i]) != 0) {
            return 0;
        }
    }
    return 1;
}

int amgr_spec_equal(const amgr_spec_t *a, const amgr_spec_t *b)
{
    int i;

    if (strcmp(a->name, b->name) != 0 || a->lines->nelts != b->lines->nelts) {
        return 0;
    }
    for (i = 0; i < a->lines->nelts; i++) {
        if (!line_equal(&APR_ARRAY_IDX(a->lines, i, amgr_spec_line_t),
                        &APR_ARRAY_IDX(b->lines, i, amgr_spec_line_t))) {
            return 0;
        }
    }
    return 1;
}

void amgr_spec_describe(const amgr_spec_t *spec, amgr_managed_t *row)
{
    snprintf(row->program, sizeof(row->program), "%s", spec->argv[0]);
    snprintf(row->verify, sizeof(row->verify), "%s",
             spec->verify.type == AMGR_VERIFY_NONE ? "" : spec->verify.name);
    row->max_memory_bytes = spec->max_memory_bytes;
    row->restart = spec->restart;
}

int amgr_spec_is_after(const amgr_spec_t *spec, const char *name)
{
    int i;

    for (i = 0; spec->after != NULL && i < spec->after->nelts; i++) {
        if (strcmp(APR_ARRAY_IDX(spec->after, i, const char *), name) == 0) {
            return 1;
        }
    }
    return 0;
}
