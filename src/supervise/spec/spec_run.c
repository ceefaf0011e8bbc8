/* SPDX-License-Identifier: Apache-2.0
 *
 * Setters of how a process is run: its program, rights, environment, output
 * and limits.
 */
#include <string.h>
#include <strings.h>

#include <apr_strings.h>

#include "supervise/check/check.h"
#include "supervise/spec/spec_parts.h"

#define LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
#define DIGITS "0123456789"

/* A relative path, where only words with a slash are paths. */
apr_size_t amgr_path_of_program(const char *word)
{
    return strchr(word, '/') != NULL ? 0 : AMGR_NO_PATH;
}

apr_size_t amgr_path_of_first(int argc, const char *const *argv, int index)
{
    (void)argc; /* as rows of the table have it */
    (void)argv;
    return index == 0 ? 0 : AMGR_NO_PATH;
}

apr_size_t amgr_path_of_file(int argc, const char *const *argv, int index)
{
    (void)argc; /* as rows of the table have it */
    return index == 0 ? argv[0][0] == '-' : AMGR_NO_PATH;
}

/* A single word may be a shell's, told only by another directive: it is a path
 * where a shell, too, would see nothing in it but the path of a program. */
apr_size_t amgr_path_of_command(int argc, const char *const *argv, int index)
{
    if (index != 0 || (argc == 1 && strspn(argv[0], LETTERS DIGITS "/._+-") !=
                                        strlen(argv[0]))) {
        return AMGR_NO_PATH;
    }
    return amgr_path_of_program(argv[0]);
}

/* Of "|PROGRAM ..." and "||PROGRAM ...", which httpd knows too: where it
 * begins. */
static apr_size_t logger_at(const char *word)
{
    apr_size_t at = 1;

    at += word[at] == '|';
    at += strspn(word + at, " \t");
    return at + strspn(word + at, "\"'");
}

apr_size_t amgr_path_of_output(int argc, const char *const *argv, int index)
{
    const char *word = argv[0];
    apr_size_t at;
    apr_size_t len;

    (void)argc; /* as rows of the table have it */
    if (index != 0) {
        return AMGR_NO_PATH;
    }
    if (word[0] != '|') {
        return amgr_path_of_program(word);
    }
    at = logger_at(word);
    len = strcspn(word + at, " \t\"'");
    return memchr(word + at, '/', len) != NULL && word[at] != '$'
               ? at
               : AMGR_NO_PATH;
}

const char *amgr_set_command(amgr_setting_t *setting)
{
    /* What argv is, and whether it can be, amgr_spec_finish() says: Shell may
     * come after it. */
    setting->spec->argv = setting->argv;
    return setting->argv[0][0] == '\0'
               ? amgr_blame(setting, "", amgr_program_check(""))
               : NULL;
}

const char *amgr_set_shell(amgr_setting_t *setting)
{
    const char *word = setting->argv[0];

    return strcasecmp(word, "On") == 0 || strcasecmp(word, "Off") == 0
               ? NULL
               : setting->key->help;
}

const char *amgr_set_directory(amgr_setting_t *setting)
{
    setting->spec->directory = setting->argv[0];
    return amgr_path_check(setting->argv[0]);
}

const char *amgr_set_user(amgr_setting_t *setting)
{
    setting->spec->user = setting->argv[0];
    return amgr_account_check(setting->argv[0]);
}

const char *amgr_set_group(amgr_setting_t *setting)
{
    setting->spec->group = setting->argv[0];
    return amgr_account_check(setting->argv[0]);
}

/* Whether the variable of @a definition, whose name has @a len bytes, is set
 * already. */
static int is_defined(const apr_array_header_t *environment,
                      const char *definition, apr_size_t len)
{
    int i;

    for (i = 0; i < environment->nelts; i++) {
        if (strncmp(APR_ARRAY_IDX(environment, i, const char *), definition,
                    len + 1) == 0) {
            return 1;
        }
    }
    return 0;
}

/* httpd knows quotes around a whole word alone: of A="b c" it makes two words
 * with a quote in each, and A="b" is one with both. */
static int is_misquoted(int argc, const char *definition, apr_size_t name_len)
{
    const char *equals = definition + name_len;

    if (argc == 2) {
        return *equals != '\0';
    }
    return *equals == '\0' || equals[1] == '"' || equals[1] == '\'';
}

const char *amgr_set_environment(amgr_setting_t *setting)
{
    char *definition = setting->argv[0];
    apr_size_t len = strcspn(definition, "=");
    const char *wrong;

    if (is_misquoted(setting->argc, definition, len)) {
        return setting->key->help;
    }
    if (setting->argc == 2) {
        definition =
            apr_pstrcat(setting->pool, definition, "=", setting->argv[1], NULL);
    }
    wrong = amgr_variable_check(definition, len);
    if (wrong == NULL &&
        is_defined(setting->spec->environment, definition, len)) {
        wrong = "each variable once";
    }
    APR_ARRAY_PUSH(setting->spec->environment, const char *) = definition;
    return amgr_blame(setting, setting->argv[0], wrong);
}

const char *amgr_set_environment_file(amgr_setting_t *setting)
{
    const char *path = setting->argv[0];

    APR_ARRAY_PUSH(setting->spec->environment_files, const char *) = path;
    return amgr_path_check(path + (path[0] == '-'));
}

/* Add each word that @a check lets pass, once; NULL or what is expected. */
static const char *add_words(amgr_setting_t *setting, apr_array_header_t *list,
                             const char *(*check)(const char *))
{
    const char *wrong;
    int i;
    int k;

    for (i = 0; i < setting->argc; i++) {
        wrong = check(setting->argv[i]);
        for (k = 0; wrong == NULL && k < list->nelts; k++) {
            if (strcmp(APR_ARRAY_IDX(list, k, const char *),
                       setting->argv[i]) == 0) {
                wrong = "each once";
            }
        }
        if (wrong != NULL) {
            return amgr_blame(setting, setting->argv[i], wrong);
        }
        APR_ARRAY_PUSH(list, const char *) = setting->argv[i];
    }
    return NULL;
}

static const char *check_variable(const char *text)
{
    return amgr_variable_check(text, strlen(text));
}

const char *amgr_set_pass_env(amgr_setting_t *setting)
{
    return add_words(setting, setting->spec->pass_env, check_variable);
}

const char *amgr_set_require_free(amgr_setting_t *setting)
{
    return add_words(setting, setting->spec->require_free, amgr_address_parse);
}

const char *amgr_set_after(amgr_setting_t *setting)
{
    return add_words(setting, setting->spec->after, amgr_name_check);
}

static const char *set_logger(amgr_setting_t *setting, const char *word)
{
    const char *wrong;

    word += 1 + (word[1] == '|');
    if (word[0] == '$') {
        return "a program without a shell: \"|PROGRAM ARGUMENTS\"";
    }
    wrong = amgr_words_split(word, &setting->spec->output_argv, setting->pool);
    if (wrong != NULL) {
        return wrong;
    }
    setting->spec->output = AMGR_OUTPUT_PIPE;
    return setting->spec->output_argv[0] == NULL
               ? setting->key->help
               : amgr_program_check(setting->spec->output_argv[0]);
}

const char *amgr_set_output(amgr_setting_t *setting)
{
    static const int words[] = {AMGR_OUTPUT_ERRORLOG, AMGR_OUTPUT_DISCARD,
                                AMGR_OUTPUT_INHERIT};
    const char *word = setting->argv[0];
    apr_size_t i;

    if (word[0] == '|') {
        return set_logger(setting, word);
    }
    for (i = 0; i < AMGR_COUNT(words); i++) {
        if (strcasecmp(word, amgr_output_word(words[i])) == 0) {
            setting->spec->output = words[i];
            return NULL;
        }
    }
    /* A file needs a slash, or a word that is misspelt would make one. */
    setting->spec->output = AMGR_OUTPUT_FILE;
    setting->spec->output_file = word;
    return amgr_path_check(word) == NULL && word[strlen(word) - 1] != '/'
               ? NULL
               : "errorlog, discard, inherit, a file's path with a slash in "
                 "it, or \"|PROGRAM ARGUMENTS\"";
}

const char *amgr_set_limit(amgr_setting_t *setting)
{
    apr_array_header_t *limits = setting->spec->limits;
    amgr_rlimit_t limit;
    const char *wrong;
    int i;

    wrong = amgr_rlimit_name_parse(setting->argv[0], &limit.resource);
    for (i = 0; wrong == NULL && i < limits->nelts; i++) {
        if (APR_ARRAY_IDX(limits, i, amgr_rlimit_t).resource ==
            limit.resource) {
            wrong = "each resource once";
        }
    }
    if (wrong != NULL) {
        return amgr_blame(setting, setting->argv[0], wrong);
    }
    wrong = amgr_rlimit_parse(setting->argv[1], &limit, setting->pool);
    if (wrong == NULL) {
        APR_ARRAY_PUSH(limits, amgr_rlimit_t) = limit;
    }
    return amgr_blame(setting, setting->argv[1], wrong);
}

const char *amgr_set_nice(amgr_setting_t *setting)
{
    return amgr_integer_parse(setting->argv[0], -20, 19,
                              &setting->spec->nice) == NULL
               ? NULL
               : setting->key->help;
}

const char *amgr_set_oom(amgr_setting_t *setting)
{
    return amgr_integer_parse(setting->argv[0], -1000, 1000,
                              &setting->spec->oom) == NULL
               ? NULL
               : setting->key->help;
}
