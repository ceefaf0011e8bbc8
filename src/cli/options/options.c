/* SPDX-License-Identifier: Apache-2.0
 *
 * See options.h.  One table says what there is: the parser and --help both
 * read it.  Nothing is done while options are read, so that their order does
 * not matter.
 */
#include "cli/options/options.h"

#include <getopt.h>
#include <string.h>

#include <apr_strings.h>
#include <apr_tables.h>

#include "cli/message.h"
#include "cli/options/options_values.h"
#include "cli/output.h"

#define INTERVAL_DEFAULT_US apr_time_from_sec(10)

typedef struct row_t {
    const char *name;
    int id;               /**< its letter, or amgr_option_e */
    const char *argument; /**< NULL: it takes none */
    const char *help;     /**< NULL: another name of the row before it */
} row_t;

static const row_t rows[] = {
    {"collect-metrics", 'c', NULL,
     "Write the metrics of server and workers to the data file."},
    {"kill-workers", 'k', NULL,
     "Kill workers over the limits of the files of settings and of the next "
     "three options, each of which does the same by itself."},
    {"max-memory-active", 'a', "SIZE",
     "Kill active workers that use more memory than SIZE (50K, 42 MB, 2G)."},
    {"max-memory-idle", 'i', "SIZE",
     "Kill idle workers that use more memory than SIZE."},
    {"max-time", 't', "TIMESPAN",
     "Kill workers that are at one request for longer than TIMESPAN (30, 2s, "
     "5 minutes, 1.5h)."},
    {"max-ss", 't', "TIMESPAN", NULL},
    {"max-kills", AMGR_OPTION_MAX_KILLS, "NUMBER",
     "Kill so many workers at most in this run; without it, all."},
    {"dry-run", 'n', NULL, "Kill nobody and write no file: say what would be."},
    {"simulate", 'n', NULL, NULL},
    {"hanging-worker-threshold", 'T', "TIMESPAN",
     "From when on a request hangs; without it, as the server says, or after "
     "5 minutes."},
    {"data-file", 'f', "PATH",
     "Write the metrics to PATH, with or without -c; - is standard output. "
     "Otherwise it is " AMGR_DEFAULT_DATA_FILE "."},
    {"zabbix-discovery", 'z', NULL,
     "Print the names of the groups of workers as Zabbix's discovery wants "
     "them."},
    {"watch", 'w', NULL, "Show it all again and again until q is pressed."},
    {"interval", AMGR_OPTION_INTERVAL, "TIMESPAN",
     "Look anew so often while watching; without it, every 10 seconds."},
    {"once", AMGR_OPTION_ONCE, NULL,
     "Print what --watch shows once, on any output."},
    {"json", AMGR_OPTION_JSON, NULL, "Print status.json."},
    {"processes", AMGR_OPTION_PROCESSES, NULL,
     "Print the managed processes; with --json as JSON."},
    {"wait", AMGR_OPTION_WAIT, "TIMESPAN",
     "Wait so long at most for what start, stop or restart is to bring about; "
     "without it, 30 seconds. 0 does not wait."},
    {"url", AMGR_OPTION_URL, "URL",
     "Of which server: the address of its page, or http://HOST:PORT. "
     "Otherwise it is looked for in Apache's configuration."},
    {"color", AMGR_OPTION_COLOR, "WHEN",
     "auto, always or never; auto means on a terminal, unless NO_COLOR is "
     "set or TERM is dumb or not set."},
    {"verbose", 'v', NULL, "Say more on standard error; can be repeated."},
    {"quiet", 'q', NULL, "Say less on standard error; can be repeated."},
    {"help", 'h', NULL, "Print this and do nothing else."},
    {"version", AMGR_OPTION_VERSION, NULL,
     "Print the version and do nothing else."}};

static const amgr_fault_t *usage_fault(apr_pool_t *pool, const char *what,
                                       const char *text)
{
    return amgr_fault_make(pool, AMGR_EXIT_USAGE,
                           "%s '%s'. Try 'apache-manager --help'", what,
                           amgr_fault_quote(pool, text));
}

/* The original's options have letters, and ours have none. */
static int is_original(const row_t *row)
{
    return row->id < AMGR_OPTION_JSON;
}

/* The only option of the original that begins so, or NULL. */
static const row_t *original_of(const char *prefix, apr_size_t len)
{
    const row_t *found = NULL;
    apr_size_t i;

    for (i = 0; i < AMGR_COUNT(rows); i++) {
        if (!is_original(&rows[i]) || strncmp(rows[i].name, prefix, len) != 0) {
            continue;
        }
        if (found != NULL && found->id != rows[i].id) {
            return NULL;
        }
        found = &rows[i];
    }
    return found;
}

static void add_name(apr_array_header_t *names, const char *name,
                     const row_t *row)
{
    struct option *option = apr_array_push(names);

    memset(option, 0, sizeof(*option));
    if (row != NULL) {
        option->name = name;
        option->has_arg = row->argument != NULL;
        option->val = row->id;
    }
}

/* What was the beginning of one name alone before there were ours stays its:
 * a name that is there as a whole is not ambiguous. */
static void add_shortened(apr_array_header_t *names, const row_t *ours,
                          apr_pool_t *pool)
{
    apr_size_t len;

    for (len = 1; ours->name[len] != '\0'; len++) {
        const row_t *row = original_of(ours->name, len);

        if (row != NULL) {
            add_name(names, apr_pstrmemdup(pool, ours->name, len), row);
        }
    }
}

/* getopt_long()'s tables of the rows; the letters begin with the colon that
 * makes it tell a missing value from an unknown option. */
static const struct option *make_tables(char *letters, apr_pool_t *pool)
{
    apr_array_header_t *names = apr_array_make(pool, 64, sizeof(struct option));
    apr_size_t i;

    *letters++ = ':';
    for (i = 0; i < AMGR_COUNT(rows); i++) {
        const row_t *row = &rows[i];

        add_name(names, row->name, row);
        if (!is_original(row)) {
            add_shortened(names, row, pool);
        }
        else if (row->help != NULL) {
            *letters++ = (char)row->id;
            if (row->argument != NULL) {
                *letters++ = ':';
            }
        }
    }
    *letters = '\0';
    add_name(names, NULL, NULL);
    return (const struct option *)(const void *)names->elts;
}

/* Which options begin so: "--max-memory-active, --max-memory-idle"; "" for
 * none. */
static const char *candidates(const char *argument, apr_pool_t *pool)
{
    apr_size_t len = strcspn(argument, "=");
    const char *list = "";
    apr_size_t i;

    for (i = 0; i < AMGR_COUNT(rows); i++) {
        if (strncmp(rows[i].name, argument, len) == 0) {
            list = apr_pstrcat(pool, list, list[0] == '\0' ? "--" : ", --",
                               rows[i].name, NULL);
        }
    }
    return list;
}

static int is_known(int id)
{
    apr_size_t i;

    for (i = 0; i < AMGR_COUNT(rows); i++) {
        if (rows[i].id == id) {
            return 1;
        }
    }
    return 0;
}

/* What getopt_long() did not take.  Within letters in a row the argument that
 * it counts as the last is the one before. */
static const amgr_fault_t *refuse(amgr_reading_t *reading, int id,
                                  char *const *argv)
{
    const char *argument = argv[optind - 1];
    char letter[3] = {'-', (char)optopt, '\0'};
    const char *list;

    if (id == ':') {
        return usage_fault(reading->pool, "a value is missing after",
                           strncmp(argument, "--", 2) == 0 ? argument : letter);
    }
    if (optopt != 0 && is_known(optopt)) {
        return usage_fault(reading->pool, "no value belongs to", argument);
    }
    if (optopt != 0) {
        return usage_fault(reading->pool, "unknown option", letter);
    }
    list = candidates(argument + 2, reading->pool);
    return list[0] == '\0'
               ? usage_fault(reading->pool, "unknown option", argument)
               : amgr_fault_make(reading->pool, AMGR_EXIT_USAGE,
                                 "ambiguous option '%s', it may be %s. Try "
                                 "'apache-manager --help'",
                                 amgr_fault_quote(reading->pool, argument),
                                 list);
}

static const amgr_fault_t *read_line(amgr_reading_t *reading, int argc,
                                     char *const *argv)
{
    char letters[2 * AMGR_COUNT(rows) + 2];
    const struct option *names = make_tables(letters, reading->pool);
    const amgr_fault_t *fault = NULL;
    int id;

    opterr = 0;
    optind = 0; /* of the GNU library: begin anew */
    while (fault == NULL &&
           (id = getopt_long(argc, argv, letters, names, NULL)) != -1) {
        if (id == '?' || id == ':') {
            fault = refuse(reading, id, argv);
        }
        else if (!amgr_option_switch(reading, id)) {
            fault = amgr_option_set(reading, id, optarg);
        }
    }
    return fault != NULL
               ? fault
               : amgr_option_command(reading, argv + optind, argc - optind);
}

static int clamp_level(int level)
{
    if (level < AMGR_LEVEL_ERROR) {
        return AMGR_LEVEL_ERROR;
    }
    return level > AMGR_LEVEL_DEBUG ? AMGR_LEVEL_DEBUG : level;
}

/* A limit on the command line is an order to kill, as in 1.x; 0 is none. */
static void imply_tasks(amgr_reading_t *reading)
{
    const amgr_settings_t *line = &reading->line;
    amgr_options_t *out = reading->out;

    if (line->max_memory_active_bytes != AMGR_LIMIT_OFF ||
        line->max_memory_idle_bytes != AMGR_LIMIT_OFF ||
        line->max_time_us != AMGR_LIMIT_OFF) {
        out->tasks |= AMGR_TASK_KILL;
    }
    /* 1.x printed the report besides writing the file, unless it was told to
     * be quiet or the file was standard output. */
    if (out->tasks == 0 &&
        (!out->data_file_given ||
         (reading->verbosity >= 0 && strcmp(out->data_file, "-") != 0))) {
        out->tasks |= AMGR_TASK_REPORT;
    }
    if (out->data_file_given) {
        out->tasks |= AMGR_TASK_COLLECT;
    }
}

/* The command line's over the files', whose limits hold with -k alone. */
static void settle(amgr_reading_t *reading, amgr_settings_t *files,
                   int with_files)
{
    const amgr_settings_t *line = &reading->line;
    const amgr_settings_t *given = &reading->given;
    amgr_options_t *out = reading->out;

    if (!with_files) {
        files->max_memory_active_bytes = AMGR_LIMIT_OFF;
        files->max_memory_idle_bytes = AMGR_LIMIT_OFF;
        files->max_time_us = AMGR_LIMIT_OFF;
    }
    out->max_memory_active_bytes = given->max_memory_active_bytes != 0
                                       ? line->max_memory_active_bytes
                                       : files->max_memory_active_bytes;
    out->max_memory_idle_bytes = given->max_memory_idle_bytes != 0
                                     ? line->max_memory_idle_bytes
                                     : files->max_memory_idle_bytes;
    out->max_time_us =
        given->max_time_us != 0 ? line->max_time_us : files->max_time_us;
    out->hanging_us =
        given->hanging_us != 0 ? line->hanging_us : files->hanging_us;
    out->max_kills = given->max_kills != 0 ? line->max_kills : files->max_kills;
}

static void warn_of_useless(const amgr_reading_t *reading)
{
    int tasks = reading->out->tasks;

    if (reading->given.max_kills != 0 && (tasks & AMGR_TASK_KILL) == 0) {
        amgr_message(AMGR_LEVEL_WARNING,
                     "--max-kills does nothing without -k, -a, -i or -t");
    }
    if (reading->interval_given && (tasks & AMGR_TASK_WATCH) == 0) {
        amgr_message(AMGR_LEVEL_WARNING,
                     "--interval does nothing without --watch");
    }
    if (reading->wait_given && (tasks & AMGR_TASK_ORDER) == 0) {
        amgr_message(AMGR_LEVEL_WARNING,
                     "--wait does nothing without start, stop or restart");
    }
}

const amgr_fault_t *amgr_options_read(amgr_options_t *out, int argc,
                                      const char *const *argv, apr_pool_t *pool)
{
    /* getopt_long() puts the arguments in order. */
    char **args =
        apr_pmemdup(pool, argv, sizeof(*args) * ((apr_size_t)argc + 1));
    const amgr_fault_t *fault;
    amgr_settings_t files;
    amgr_reading_t reading;
    int with_files;

    memset(out, 0, sizeof(*out));
    memset(&reading, 0, sizeof(reading));
    out->data_file = AMGR_DEFAULT_DATA_FILE;
    out->interval_us = INTERVAL_DEFAULT_US;
    out->wait_us = AMGR_DEFAULT_WAIT_US;
    out->level = AMGR_LEVEL_INFO;
    reading.out = out;
    reading.pool = pool;
    amgr_settings_init(&reading.line);
    amgr_settings_init(&files);
    fault = read_line(&reading, argc, args);
    out->level = clamp_level(AMGR_LEVEL_INFO + reading.verbosity);
    amgr_message_level(out->level);
    if (fault != NULL ||
        (out->tasks & (AMGR_TASK_HELP | AMGR_TASK_VERSION)) != 0) {
        return fault;
    }
    with_files = (out->tasks & AMGR_TASK_KILL) != 0;
    imply_tasks(&reading);
    fault = amgr_settings_read(&files, "/etc", NULL, with_files, pool);
    if (fault == NULL) {
        settle(&reading, &files, with_files);
        warn_of_useless(&reading);
    }
    return fault;
}

/* A text in lines of this width, behind as many blanks. */
static void put_wrapped(amgr_sink_t *sink, const char *text)
{
    const apr_size_t width = 72;

    while (*text != '\0') {
        apr_size_t len = strlen(text);

        if (len > width) {
            for (len = width; len > 0 && text[len] != ' '; len--) {
            }
        }
        amgr_sink_puts(sink, "      ");
        amgr_sink_put(sink, text, len);
        amgr_sink_putc(sink, '\n');
        text += len + (text[len] == ' ');
    }
}

static void put_name(amgr_sink_t *sink, const row_t *row)
{
    amgr_sink_puts(sink, "--");
    amgr_sink_puts(sink, row->name);
    if (row->argument != NULL) {
        amgr_sink_putc(sink, '=');
        amgr_sink_puts(sink, row->argument);
    }
}

void amgr_options_help(void)
{
    amgr_sink_t *sink = amgr_output();
    apr_size_t i;

    amgr_sink_puts(
        sink,
        "Usage: apache-manager [OPTIONS]\n"
        "       apache-manager [OPTIONS] tree\n"
        "       apache-manager [OPTIONS] status [NAME...]\n"
        "       apache-manager [OPTIONS] start|stop|restart NAME...|all\n"
        "\n"
        "Watch the workers of an Apache web server, and kill those that use "
        "too much\n"
        "memory or hang. Without options the server's metrics and the memory "
        "of its\n"
        "workers are printed; tree prints its processes, status its managed "
        "processes,\n"
        "which start, stop and restart give orders to.\n"
        "\n"
        "Options, in any order:\n");
    for (i = 0; i < AMGR_COUNT(rows); i++) {
        if (rows[i].help == NULL) {
            continue;
        }
        amgr_sink_puts(sink, "\n  ");
        if (rows[i].id < AMGR_OPTION_JSON) {
            amgr_sink_printf(sink, "-%c, ", rows[i].id);
        }
        put_name(sink, &rows[i]);
        if (i + 1 < AMGR_COUNT(rows) && rows[i + 1].help == NULL) {
            amgr_sink_puts(sink, ", ");
            put_name(sink, &rows[i + 1]);
        }
        amgr_sink_putc(sink, '\n');
        put_wrapped(sink, rows[i].help);
    }
    amgr_sink_puts(
        sink, "\n"
              "Exit status: 0 done, 1 failed, 2 wrong usage, 3 something hangs "
              "or is not\n"
              "ready, 4 not allowed.\n");
}
