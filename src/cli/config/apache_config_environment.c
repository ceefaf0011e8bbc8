/* SPDX-License-Identifier: Apache-2.0
 *
 * The environment file of Debian's Apache, a script of the shell that sets
 * variables.  Assignments, export, unset and plain conditions are understood;
 * nothing is run.  A variable that is set to anything else counts as not set,
 * with a warning: a wrong path is worse than none.
 */
#include "cli/config/apache_config_parts.h"

#include <apr_lib.h>
#include <apr_strings.h>
#include <stdlib.h>
#include <string.h>

#include "base/sink.h"

/** Words of one command that are kept; no command that is understood has more
 * but an export of many. */
#define MAX_WORDS 64

/** How deep conditions and loops may lie in one another. */
#define MAX_BLOCKS 32

/** A condition, or something that is passed over. */
typedef struct block_t {
    const char *end; /**< the word that ends it */
    int active;      /**< its commands count */
    int may_follow;  /**< another branch of it could count */
} block_t;

/** One reading of a script. */
typedef struct script_t {
    amgr_apache_reader_t *reader;
    apr_hash_t *values;   /**< amgr_apache_no_value: unset */
    apr_hash_t *exported; /**< of them: what programs are given */
    block_t blocks[MAX_BLOCKS];
    int depth;
    int is_lost; /**< deeper than that: nothing counts any more */
} script_t;

/** A command: what could be understood of it. */
typedef struct command_t {
    const char *words[MAX_WORDS];
    int count;
    int unclear; /**< something of it cannot be known without a shell, and it
                      is the rest of its line */
    const char *end; /**< the last word of that line, which may end a block */
} command_t;

static int is_name(char c)
{
    return apr_isalnum(c) || c == '_';
}

/* As the shell would have it: "" for what is not set. */
static const char *value_of(const script_t *script, const char *name)
{
    const char *value = apr_hash_get(script->values, name, APR_HASH_KEY_STRING);

    if (value == NULL) {
        value = getenv(name);
    }
    return value == NULL ? "" : value;
}

/* ${NAME} and what may follow the name in braces: a default, or a text to be
 * taken away at either end.  NULL: anything else. */
static const char *expand_braces(const script_t *script, const char *inside,
                                 apr_pool_t *pool)
{
    apr_size_t length = 0;
    const char *value;
    const char *op;
    apr_size_t cut;

    while (is_name(inside[length])) {
        length++;
    }
    op = inside + length;
    if (length == 0 || strpbrk(op, "$`\"'\\*?[") != NULL) {
        return NULL;
    }
    value = value_of(script, apr_pstrmemdup(pool, inside, length));
    if (*op == '\0') {
        return value;
    }
    if (op[0] == ':' && op[1] == '-') {
        return *value == '\0' ? op + 2 : value;
    }
    if (*op != '#' && *op != '%') {
        return NULL;
    }
    /* Without a pattern the shortest and the longest match are one. */
    length = strlen(value);
    cut = strlen(op) - (op[1] == op[0] ? 2 : 1);
    inside = op + strlen(op) - cut;
    if (cut > length) {
        return value;
    }
    if (*op == '#') {
        return strncmp(value, inside, cut) == 0 ? value + cut : value;
    }
    return strcmp(value + length - cut, inside) == 0
               ? apr_pstrmemdup(pool, value, length - cut)
               : value;
}

/* What stands at "$"; *at after it.  NULL: it cannot be known. */
static const char *expand(const script_t *script, const char **at)
{
    apr_pool_t *pool = script->reader->pool;
    const char *begin = *at + 1;
    const char *end = begin;

    if (*begin == '{') {
        end = strchr(begin, '}');
        if (end == NULL) {
            return NULL;
        }
        *at = end + 1;
        begin++;
        return expand_braces(
            script, apr_pstrmemdup(pool, begin, (apr_size_t)(end - begin)),
            pool);
    }
    while (is_name(*end)) {
        end++;
    }
    if (end == begin || apr_isdigit(*begin)) {
        return NULL;
    }
    *at = end;
    return value_of(script,
                    apr_pstrmemdup(pool, begin, (apr_size_t)(end - begin)));
}

/* One character of a word, or what stands for several.  0: no shell, no
 * meaning. */
static int put_next(const script_t *script, const char **at, char quote,
                    amgr_sink_t *sink)
{
    const char *value;

    if (**at == '$' && quote != '\'') {
        value = expand(script, at);
        if (value == NULL) {
            return 0;
        }
        amgr_sink_puts(sink, value);
        return 1;
    }
    if (**at == '\\' && quote != '\'' && (*at)[1] != '\0' &&
        (quote == '\0' || strchr("$`\"\\", (*at)[1]) != NULL)) {
        ++*at;
    }
    else if (quote == '\0' ? strchr("`|&<>()*?[~", **at) != NULL
                           : quote == '"' && **at == '`') {
        return 0;
    }
    amgr_sink_putc(sink, *(*at)++);
    return 1;
}

/* A word into @a sink, up to a blank or ";".  0: it cannot be known; what is
 * known of its beginning is put all the same. */
static int read_word(const script_t *script, const char **at, amgr_sink_t *sink)
{
    char quote = '\0';

    /* The names of the test command. */
    if (((*at)[0] == '[' || (*at)[0] == '{') &&
        ((*at)[1] == '\0' || apr_isspace((*at)[1]))) {
        amgr_sink_putc(sink, *(*at)++);
        return 1;
    }
    while (**at != '\0' &&
           (quote != '\0' || (!apr_isspace(**at) && **at != ';'))) {
        if (quote == '\0' ? **at == '"' || **at == '\'' : **at == quote) {
            quote = quote == '\0' ? **at : '\0';
            ++*at;
        }
        else if (!put_next(script, at, quote, sink)) {
            return 0;
        }
    }
    return quote == '\0' && sink->status == APR_SUCCESS;
}

/* The next command of the line at *at; 0 at its end.  After something unclear
 * the rest of the line is part of it. */
static int next_command(const script_t *script, const char **at, command_t *out)
{
    char buf[AMGR_APACHE_MAX_WORD];
    amgr_sink_t sink;

    out->count = 0;
    out->unclear = 0;
    out->end = "";
    for (;;) {
        while (apr_isspace(**at)) {
            ++*at;
        }
        if (**at == '\0' || **at == '#') {
            *at = "";
            return out->count > 0;
        }
        if (**at == ';') {
            ++*at;
            if (out->count > 0) {
                return 1;
            }
            continue;
        }
        amgr_sink_init_text(&sink, buf, sizeof(buf));
        out->unclear =
            !read_word(script, at, &sink) || out->count == MAX_WORDS - 1;
        out->words[out->count++] =
            apr_pstrdup(script->reader->pool, amgr_sink_text(&sink));
        if (out->unclear) {
            const char *blank = strrchr(*at, ' ');

            out->end = blank == NULL ? "" : blank + 1;
            *at = "";
            return 1;
        }
    }
}

static void set_value(script_t *script, const char *name, const char *value)
{
    apr_hash_set(script->values, name, APR_HASH_KEY_STRING, value);
    if (getenv(name) != NULL) {
        apr_hash_set(script->exported, name, APR_HASH_KEY_STRING, name);
    }
}

/* How long the name of NAME=VALUE is; 0: it is none. */
static apr_size_t name_length(const char *word, int is_export)
{
    apr_size_t length = 0;

    while (is_name(word[length])) {
        length++;
    }
    return !apr_isdigit(word[0]) &&
                   (word[length] == '=' || (word[length] == '\0' && is_export))
               ? length
               : 0;
}

static void assign(script_t *script, const char *word, int is_unclear,
                   int is_export)
{
    apr_size_t length = name_length(word, is_export);
    const char *name = apr_pstrmemdup(script->reader->pool, word, length);

    if (word[length] == '=') {
        set_value(script, name,
                  is_unclear ? amgr_apache_no_value : word + length + 1);
    }
    if (is_export) {
        apr_hash_set(script->exported, name, APR_HASH_KEY_STRING, name);
    }
}

/* Nothing but assignments, or names to export; before another command they
 * would be for that one alone. */
static int run_assignments(script_t *script, const command_t *command)
{
    int is_export = strcmp(command->words[0], "export") == 0;
    int i;

    for (i = is_export; i < command->count; i++) {
        if (name_length(command->words[i], is_export) == 0) {
            return 0;
        }
    }
    for (i = is_export; i < command->count; i++) {
        assign(script, command->words[i],
               command->unclear && i == command->count - 1, is_export);
    }
    return !command->unclear;
}

/* A command that is no part of a condition. */
static void run_plain(script_t *script, const command_t *command)
{
    const char *first = command->words[0];
    int i;

    if (strcmp(first, "unset") == 0 && !command->unclear) {
        for (i = 1; i < command->count; i++) {
            set_value(script, command->words[i], amgr_apache_no_value);
        }
    }
    else if (strcmp(first, ":") != 0 && !run_assignments(script, command)) {
        amgr_apache_warn(script->reader,
                         "this command of the shell is not followed: %s",
                         amgr_apache_shown(script->reader, first));
    }
}

/* "[ A = B ]" and its like, as 0 or 1; -1: it cannot be known. */
static int test(const command_t *command)
{
    const char *const *words = command->words + 1;
    int count = command->count - 1;

    if (command->unclear || count < 3 ||
        (strcmp(words[0], "[") == 0 ? strcmp(words[--count], "]") != 0
                                    : strcmp(words[0], "test") != 0)) {
        return -1;
    }
    if (count == 3 && strcmp(words[1], "-n") == 0) {
        return *words[2] != '\0';
    }
    if (count == 3 && strcmp(words[1], "-z") == 0) {
        return *words[2] == '\0';
    }
    if (count == 4 && strcmp(words[2], "!=") == 0) {
        return strcmp(words[1], words[3]) != 0;
    }
    if (count == 4 &&
        (strcmp(words[2], "=") == 0 || strcmp(words[2], "==") == 0)) {
        return strcmp(words[1], words[3]) == 0;
    }
    return -1;
}

static int is_active(const script_t *script)
{
    return !script->is_lost &&
           (script->depth == 0 || script->blocks[script->depth - 1].active);
}

static void open_block(script_t *script, const char *end, int active,
                       int may_follow)
{
    if (script->depth == MAX_BLOCKS) {
        script->is_lost = 1;
        return;
    }
    script->blocks[script->depth].end = end;
    script->blocks[script->depth].active = active;
    script->blocks[script->depth].may_follow = may_follow;
    script->depth++;
}

/* What begins with "if" or "elif": of unknown conditions no branch counts. */
static void open_condition(script_t *script, const command_t *command)
{
    int active = is_active(script);
    int holds = active ? test(command) : 0;

    if (holds < 0) {
        amgr_apache_warn(script->reader,
                         "this condition of the shell is not followed");
    }
    open_block(script, "fi", active && holds > 0, active && holds == 0);
}

/* "else" and "elif" of the condition that is open. */
static void next_branch(script_t *script, const command_t *command)
{
    int may_follow = script->blocks[script->depth - 1].may_follow;

    script->depth--;
    if (strcmp(command->words[0], "else") == 0) {
        open_block(script, "fi", may_follow, 0);
    }
    else if (may_follow) {
        open_condition(script, command);
    }
    else {
        open_block(script, "fi", 0, 0);
    }
}

/* What ends the block that @a command begins; NULL: it begins none. */
static const char *end_of(const command_t *command)
{
    static const char *const blocks[][2] = {
        {"if", "fi"},      {"for", "done"},  {"while", "done"},
        {"until", "done"}, {"case", "esac"}, {"{", "}"},
    };
    apr_size_t i;

    for (i = 0; i < AMGR_COUNT(blocks); i++) {
        if (strcmp(command->words[0], blocks[i][0]) == 0) {
            return blocks[i][1];
        }
    }
    /* The head of a function. */
    return strcmp(command->end, "{") == 0 ? "}" : NULL;
}

/* The words that make blocks.  @return 0: an ordinary command */
static int run_block(script_t *script, const command_t *command)
{
    const char *open =
        script->depth > 0 ? script->blocks[script->depth - 1].end : "";
    const char *first = command->words[0];
    const char *end = end_of(command);

    /* The word may be empty, too. */
    if (script->depth > 0 && strcmp(first, open) == 0) {
        script->depth--;
        return 1;
    }
    if (strcmp(open, "fi") == 0 &&
        (strcmp(first, "else") == 0 || strcmp(first, "elif") == 0)) {
        next_branch(script, command);
        return 1;
    }
    /* A block that is over on its line. */
    if (end == NULL || strcmp(command->end, end) == 0) {
        return 0;
    }
    if (strcmp(first, "if") == 0) {
        open_condition(script, command);
        return 1;
    }
    if (is_active(script)) {
        amgr_apache_warn(script->reader,
                         "this command of the shell is not followed: %s",
                         amgr_apache_shown(script->reader, first));
    }
    open_block(script, end, 0, 0);
    return 1;
}

/* A command whose line is not taken apart any further may have been in the
 * last line of a block. */
static void end_line(script_t *script, const command_t *command)
{
    if (command->unclear && script->depth > 0 && end_of(command) == NULL &&
        strcmp(command->end, script->blocks[script->depth - 1].end) == 0) {
        script->depth--;
    }
}

static void run_line(script_t *script, const char *line)
{
    command_t command;

    while (next_command(script, &line, &command)) {
        command_t *rest = &command;

        /* What follows on the same line is a command of its own. */
        while (rest->count > 0 && (strcmp(rest->words[0], "then") == 0 ||
                                   (strcmp(rest->words[0], "else") == 0 &&
                                    run_block(script, rest)))) {
            rest->count--;
            memmove(rest->words, rest->words + 1,
                    (apr_size_t)rest->count * sizeof(rest->words[0]));
        }
        if (rest->count > 0 && !run_block(script, rest)) {
            if (is_active(script)) {
                run_plain(script, rest);
            }
            end_line(script, rest);
        }
    }
}

void amgr_apache_read_environment(amgr_apache_reader_t *reader, char *text,
                                  apr_size_t length)
{
    script_t script;
    char *end = text + length;
    apr_hash_index_t *index;
    char *line;
    int lines = 0;

    memset(&script, 0, sizeof(script));
    script.reader = reader;
    script.values = apr_hash_copy(reader->pool, reader->environment);
    script.exported = apr_hash_make(reader->pool);
    reader->line = 1;
    while ((line = amgr_apache_next_line(&text, end, &lines)) != NULL) {
        run_line(&script, line);
        reader->line += lines;
    }
    for (index = apr_hash_first(reader->pool, script.exported); index != NULL;
         index = apr_hash_next(index)) {
        const void *name;

        apr_hash_this(index, &name, NULL, NULL);
        apr_hash_set(reader->environment, name, APR_HASH_KEY_STRING,
                     apr_hash_get(script.values, name, APR_HASH_KEY_STRING));
    }
}
