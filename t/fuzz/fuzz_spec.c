/* SPDX-License-Identifier: Apache-2.0
 *
 * Any bytes as packed sections of managed processes, and as the lines of one
 * section.  Checked besides memory: what is unpacked packs to the same bytes,
 * a section that is dumped reads back as itself, and every error is one clean
 * sentence that names the process.
 */
#include "fuzz.h"

#include <apr_strings.h>

#include "../unit/conf_words.h"
#include "supervise/spec/spec.h"

#define TEXT_MAX (1 << 20)
#define WORDS_MAX 100

static int knows_mine(const char *name)
{
    return strcmp(name, "mine") == 0;
}

static const char *dump(const amgr_spec_t *spec, apr_pool_t *pool)
{
    char *text = apr_palloc(pool, TEXT_MAX);
    amgr_sink_t sink;

    amgr_sink_init_text(&sink, text, TEXT_MAX);
    amgr_spec_dump(spec, &sink);
    return sink.status == APR_SUCCESS ? amgr_sink_text(&sink) : NULL;
}

static void check_sentence(const char *text)
{
    check(strncmp(text, "process fuzz: ", 14) == 0 && strlen(text) < 2000);
    for (; *text != '\0'; text++) {
        check((unsigned char)*text >= 0x20 && *text != 0x7F);
    }
}

static void check_paths(int argc, const char **argv, apr_pool_t *pool)
{
    int i;

    for (i = 1; i < argc; i++) {
        const char *word =
            amgr_spec_absolute(argv[0], argc - 1, argv + 1, i - 1, "/r", pool);

        check(amgr_spec_path_at(argv[0], argc - 1, argv + 1, i - 1)
                  ? strlen(word) >= strlen(argv[i])
                  : word == argv[i]);
    }
}

/* The section of these lines; NULL when one of them is refused. */
static amgr_spec_t *read_lines(const char *lines, apr_pool_t *pool)
{
    const char *argv[WORDS_MAX];
    amgr_spec_t *spec;
    const char *wrong;
    char *rest;
    char *line;

    check(amgr_spec_create("fuzz", &spec, pool) == NULL);
    for (line = apr_strtok(apr_pstrdup(pool, lines), "\n", &rest); line != NULL;
         line = apr_strtok(NULL, "\n", &rest)) {
        int argc = conf_split(line, argv, WORDS_MAX);

        if (argc == 0 || argv[0][0] == '#' || argv[0][0] == '<') {
            continue;
        }
        check_paths(argc, argv, pool);
        wrong =
            amgr_spec_add(spec, argv[0], argc - 1, argv + 1, knows_mine, pool);
        if (wrong != NULL) {
            check_sentence(wrong);
            return NULL;
        }
    }
    wrong = amgr_spec_finish(spec, pool);
    if (wrong != NULL) {
        check_sentence(wrong);
        return NULL;
    }
    return spec;
}

/* What is masked or escaped is told otherwise than it was asked for. */
static int is_plain(const char *text)
{
    return strstr(text, "***") == NULL && strstr(text, "\\x") == NULL;
}

static void check_lines(const char *lines, apr_pool_t *pool)
{
    amgr_spec_t *spec = read_lines(lines, pool);
    const char *text;

    if (spec == NULL) {
        return;
    }
    text = dump(spec, pool);
    check(amgr_spec_equal(spec, spec));
    check(amgr_specs_stop_us((const amgr_spec_t *const *)&spec, 1) ==
          spec->stop_timeout_us);
    if (text != NULL && is_plain(text)) {
        amgr_spec_t *again = read_lines(text, pool);

        check(again != NULL);
        check(strcmp(dump(again, pool), text) == 0);
    }
}

static void check_packed(const char *bytes, size_t size, apr_pool_t *pool)
{
    char *again = apr_palloc(pool, size + 1);
    amgr_spec_t **specs = NULL;
    amgr_sink_t sink;
    int count = -1;
    int i;

    if (amgr_specs_unpack(bytes, size, knows_mine, &specs, &count, pool) !=
        APR_SUCCESS) {
        check(specs == NULL && count == -1);
        return;
    }
    check(count >= 0 && count <= AMGR_MANAGED_MAX);
    amgr_sink_init(&sink, again, size + 1, NULL, NULL);
    amgr_specs_pack((const amgr_spec_t *const *)specs, count, &sink);
    check(sink.status == APR_SUCCESS && sink.used == size);
    check(memcmp(again, bytes, size) == 0);
    for (i = 0; i < count; i++) {
        dump(specs[i], pool);
    }
    check(amgr_specs_stop_us((const amgr_spec_t *const *)specs, count) >= 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    apr_pool_t *pool = fuzz_pool();

    check_packed((const char *)data, size, pool);
    check_lines(apr_pstrmemdup(pool, (const char *)data, size), pool);
    apr_pool_destroy(pool);
    return 0;
}
