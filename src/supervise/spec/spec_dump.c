/* SPDX-License-Identifier: Apache-2.0
 *
 * A section as it is in force, in the words of the configuration, so that it
 * can be read, compared and pasted.  What is masked in it, a password in a URL,
 * must be filled in by hand.
 */
#include <math.h>
#include <string.h>
#include <strings.h>

#include <apr_strings.h>

#include "base/units.h"
#include "supervise/spec/spec_parts.h"

/** What is being dumped, to where; words are made in a
 * pool that goes with it. */
typedef struct dump_t {
    const amgr_spec_t *spec;
    amgr_sink_t *sink;
    apr_pool_t *pool;
} dump_t;

static void put_key(const dump_t *dump, const char *key)
{
    amgr_sink_puts(dump->sink, "    ");
    amgr_sink_puts(dump->sink, key);
}

static void put_word(const dump_t *dump, const char *word)
{
    amgr_sink_putc(dump->sink, ' ');
    amgr_word_put(dump->sink, word, dump->pool);
}

static void put_end(const dump_t *dump)
{
    amgr_sink_putc(dump->sink, '\n');
}

/* What has no value to be written: as a comment. */
static void put_note(const dump_t *dump, const char *text)
{
    amgr_sink_puts(dump->sink, "    # ");
    amgr_sink_puts(dump->sink, text);
    amgr_sink_putc(dump->sink, '\n');
}

static void put_pair(const dump_t *dump, const char *key, const char *word)
{
    put_key(dump, key);
    put_word(dump, word);
    put_end(dump);
}

/* @a word, or the note where there is none. */
static void put_pair_or(const dump_t *dump, const char *key, const char *word,
                        const char *note)
{
    if (word == NULL) {
        put_note(dump, note);
    }
    else {
        put_pair(dump, key, word);
    }
}

static void put_words(const dump_t *dump, const char *key,
                      const apr_array_header_t *words)
{
    int i;

    if (words->nelts == 0) {
        return;
    }
    put_key(dump, key);
    for (i = 0; i < words->nelts; i++) {
        put_word(dump, APR_ARRAY_IDX(words, i, const char *));
    }
    put_end(dump);
}

static void put_argv(const dump_t *dump, const char *key, int argc,
                     char *const *argv)
{
    int i;

    put_key(dump, key);
    for (i = 0; i < argc; i++) {
        put_word(dump, argv[i]);
    }
    put_end(dump);
}

static const char *duration(const dump_t *dump, apr_interval_time_t span_us)
{
    char *text = apr_palloc(dump->pool, AMGR_UNITS_LEN);

    return amgr_duration_format_exact(span_us, text, AMGR_UNITS_LEN);
}

static void put_program(const dump_t *dump)
{
    const amgr_spec_line_t *line = amgr_spec_line(dump->spec, "Shell");

    put_pair(dump, "Shell",
             line != NULL && strcasecmp(line->argv[0], "On") == 0 ? "On"
                                                                  : "Off");
    line = amgr_spec_line(dump->spec, "Command");
    if (line != NULL) {
        put_argv(dump, line->key, line->argc, line->argv);
    }
}

static void put_environment(const dump_t *dump)
{
    const apr_array_header_t *list = dump->spec->environment;
    const char *word;
    const char *equals;
    int i;

    for (i = 0; i < list->nelts; i++) {
        word = APR_ARRAY_IDX(list, i, const char *);
        equals = strchr(word, '=');
        put_key(dump, "Environment");
        put_word(dump,
                 apr_pstrmemdup(dump->pool, word, (apr_size_t)(equals - word)));
        put_word(dump, equals + 1);
        put_end(dump);
    }
    list = dump->spec->environment_files;
    for (i = 0; i < list->nelts; i++) {
        put_pair(dump, "EnvironmentFile", APR_ARRAY_IDX(list, i, const char *));
    }
    put_words(dump, "PassEnv", dump->spec->pass_env);
}

static void put_output(const dump_t *dump)
{
    const amgr_spec_line_t *line = amgr_spec_line(dump->spec, "Output");
    int output = dump->spec->output;

    put_pair(dump, "Output",
             output == AMGR_OUTPUT_FILE || output == AMGR_OUTPUT_PIPE
                 ? line->argv[0]
                 : amgr_output_word(output));
}

/* @a number, or the note where it is @a none. */
static void put_number_or(const dump_t *dump, const char *key, int number,
                          int none, const char *note)
{
    if (number == none) {
        put_note(dump, note);
        return;
    }
    put_key(dump, key);
    amgr_sink_i64(dump->sink, number);
    put_end(dump);
}

static void put_limits(const dump_t *dump)
{
    const amgr_spec_t *spec = dump->spec;
    char text[AMGR_UNITS_LEN];
    int i;

    for (i = 0; i < spec->limits->nelts; i++) {
        put_key(dump, "Limit ");
        amgr_rlimit_put(dump->sink,
                        &APR_ARRAY_IDX(spec->limits, i, amgr_rlimit_t));
        put_end(dump);
    }
    put_number_or(dump, "Nice ", spec->nice, AMGR_SPEC_NO_NICE,
                  "Nice: httpd's own");
    put_number_or(dump, "Oom ", spec->oom, AMGR_SPEC_NO_OOM,
                  "Oom: 0 where it may be set");
    put_pair(dump, "MaxMemory",
             spec->max_memory_bytes == 0
                 ? "Off"
                 : amgr_size_format_exact((apr_int64_t)spec->max_memory_bytes,
                                          text, sizeof(text)));
}

/* "NAME=" and a value that has no need of quotes. */
static void put_option(const dump_t *dump, const char *name, const char *value)
{
    amgr_sink_putc(dump->sink, ' ');
    amgr_sink_puts(dump->sink, name);
    amgr_sink_puts(dump->sink, value);
}

/* Headers that are keys to something. */
static const char *masked_header(const dump_t *dump, const char *header)
{
    static const char *const secrets[] = {"Authorization",
                                          "Proxy-Authorization", "Cookie"};
    apr_size_t len = strcspn(header, ":");
    apr_size_t i;

    for (i = 0; i < AMGR_COUNT(secrets); i++) {
        if (len == strlen(secrets[i]) &&
            strncasecmp(header, secrets[i], len) == 0) {
            return apr_pstrcat(dump->pool, "header=", secrets[i], ": ***",
                               NULL);
        }
    }
    return apr_pstrcat(dump->pool, "header=", header, NULL);
}

static void put_http(const dump_t *dump, const amgr_verify_t *verify)
{
    int i;

    amgr_sink_printf(dump->sink, " status=%d", verify->status_min);
    if (verify->status_max != verify->status_min) {
        amgr_sink_printf(dump->sink, "-%d", verify->status_max);
    }
    for (i = 0; i < verify->headers->nelts; i++) {
        put_word(dump, masked_header(dump, APR_ARRAY_IDX(verify->headers, i,
                                                         const char *)));
    }
}

static void put_options(const dump_t *dump, const amgr_verify_t *verify)
{
    put_option(dump, "interval=", duration(dump, verify->interval_us));
    put_option(dump, "timeout=", duration(dump, verify->timeout_us));
    put_option(dump, "retries=",
               verify->retries < 0 ? "Off"
                                   : apr_itoa(dump->pool, verify->retries));
    if (verify->type == AMGR_VERIFY_HTTP) {
        put_http(dump, verify);
    }
}

static void put_verify(const dump_t *dump, const char *key,
                       const amgr_verify_t *verify, int is_liveness)
{
    int i;

    put_key(dump, key);
    put_word(dump, verify->name);
    if (verify->type == AMGR_VERIFY_NOTIFY) {
        if (is_liveness) {
            put_option(dump, "timeout=", duration(dump, verify->timeout_us));
        }
    }
    else if (verify->type == AMGR_VERIFY_EXITED) {
        amgr_sink_printf(dump->sink, " %d", verify->expect_code);
    }
    else {
        put_options(dump, verify);
    }
    if (verify->target != NULL) {
        put_word(dump, verify->target);
    }
    for (i = 0; verify->argv != NULL && verify->argv[i] != NULL; i++) {
        put_word(dump, verify->argv[i]);
    }
    put_end(dump);
}

static void put_checks(const dump_t *dump)
{
    const amgr_spec_t *spec = dump->spec;

    if (spec->verify.type == AMGR_VERIFY_NONE) {
        put_note(dump, "Verify: none, ready once it has stayed for a second");
    }
    else {
        put_verify(dump, "Verify", &spec->verify, 0);
    }
    if (spec->liveness.type == AMGR_VERIFY_NONE) {
        put_note(dump, "Liveness: none");
    }
    else {
        put_verify(dump, "Liveness", &spec->liveness, 1);
    }
}

static void put_restart(const dump_t *dump)
{
    const amgr_spec_t *spec = dump->spec;
    char factor[AMGR_UNITS_LEN];

    amgr_double_format(spec->delay_factor, factor, sizeof(factor));
    if (spec->delay_factor == floor(spec->delay_factor)) {
        *strchr(factor, '.') = '\0';
    }
    put_pair(dump, "Restart", amgr_restart_word(spec->restart));
    put_key(dump, "RestartDelay");
    put_option(dump, "", duration(dump, spec->delay_us));
    put_option(dump, "max=", duration(dump, spec->delay_max_us));
    put_option(dump, "factor=", factor);
    amgr_sink_printf(dump->sink, " jitter=%d%%", spec->delay_jitter_percent);
    put_option(dump, "reset=", duration(dump, spec->delay_reset_us));
    put_end(dump);
    if (spec->restart_limit == 0) {
        put_pair(dump, "RestartLimit", "Off");
        return;
    }
    put_key(dump, "RestartLimit");
    amgr_sink_printf(dump->sink, " %d in %s", spec->restart_limit,
                     duration(dump, spec->restart_window_us));
    put_end(dump);
}

static void put_exits_and_gates(const dump_t *dump)
{
    const amgr_spec_t *spec = dump->spec;
    int i;

    put_key(dump, "SuccessExit");
    for (i = 0; i < spec->success_exits->nelts; i++) {
        amgr_sink_printf(dump->sink, " %d",
                         APR_ARRAY_IDX(spec->success_exits, i, int));
    }
    put_end(dump);
    for (i = 0; i < spec->gates->nelts; i++) {
        const amgr_gate_t *gate = &APR_ARRAY_IDX(spec->gates, i, amgr_gate_t);

        put_key(dump, "Gate");
        put_word(dump, gate->balancer);
        put_word(dump, gate->member);
        put_end(dump);
    }
}

void amgr_spec_dump(const amgr_spec_t *spec, amgr_sink_t *sink)
{
    dump_t dump = {spec, sink, NULL};

    apr_pool_create(&dump.pool, spec->lines->pool);
    amgr_sink_printf(sink, "<ManagedProcess %s>\n", spec->name);
    put_program(&dump);
    put_pair(&dump, "WorkingDirectory",
             spec->directory == NULL ? "/" : spec->directory);
    put_pair_or(&dump, "User", spec->user, "User: httpd's own");
    put_pair_or(&dump, "Group", spec->group,
                spec->user == NULL ? "Group: httpd's own"
                                   : "Group: the user's");
    put_environment(&dump);
    put_output(&dump);
    put_limits(&dump);
    put_words(&dump, "RequireFree", spec->require_free);
    put_words(&dump, "After", spec->after);
    put_checks(&dump);
    put_pair(&dump, "StartTimeout", duration(&dump, spec->start_timeout_us));
    put_pair(&dump, "StopSignal", amgr_stop_signal_word(spec->stop_signal));
    put_pair(&dump, "StopTimeout", duration(&dump, spec->stop_timeout_us));
    put_restart(&dump);
    put_exits_and_gates(&dump);
    amgr_sink_puts(sink, "</ManagedProcess>\n");
    apr_pool_destroy(dump.pool);
}
