/* SPDX-License-Identifier: Apache-2.0
 *
 * Sections on their way to the supervisor: their words, each with its length.
 * The supervisor may be of an older module than the parent that packs, so what
 * does not read as written here is refused whole.
 *
 *   "AMGRSPC1" count { name lines { key words { word } } }
 *
 * Counts and lengths are 32 bits, the lowest byte first; a text is its length
 * and its bytes.
 */
#include <string.h>

#include <apr_strings.h>

#include "supervise/spec/spec_parts.h"

#define MAGIC "AMGRSPC1"
#define MAGIC_LEN 8

static void put_number(amgr_sink_t *sink, apr_size_t number)
{
    int shift;

    for (shift = 0; shift < 32; shift += 8) {
        amgr_sink_putc(sink, (char)(number >> shift & 0xFF));
    }
}

static void put_text(amgr_sink_t *sink, const char *text)
{
    apr_size_t len = strlen(text);

    put_number(sink, len);
    amgr_sink_put(sink, text, len);
}

static void put_line(amgr_sink_t *sink, const amgr_spec_line_t *line)
{
    int i;

    put_text(sink, line->key);
    put_number(sink, (apr_size_t)line->argc);
    for (i = 0; i < line->argc; i++) {
        put_text(sink, line->argv[i]);
    }
}

void amgr_specs_pack(const amgr_spec_t *const *specs, int count,
                     amgr_sink_t *sink)
{
    int i;
    int k;

    amgr_sink_put(sink, MAGIC, MAGIC_LEN);
    put_number(sink, (apr_size_t)count);
    for (i = 0; i < count; i++) {
        put_text(sink, specs[i]->name);
        put_number(sink, (apr_size_t)specs[i]->lines->nelts);
        for (k = 0; k < specs[i]->lines->nelts; k++) {
            put_line(sink,
                     &APR_ARRAY_IDX(specs[i]->lines, k, amgr_spec_line_t));
        }
    }
}

/** What is left of the bytes. */
typedef struct bytes_t {
    const unsigned char *at;
    apr_size_t left;
    amgr_verify_known_fn *known;
    apr_pool_t *pool;
} bytes_t;

/* A count of what takes at least 4 bytes each. */
static int take_count(bytes_t *bytes, apr_size_t *out)
{
    apr_size_t number = 0;
    int i;

    if (bytes->left < 4) {
        return 0;
    }
    for (i = 3; i >= 0; i--) {
        number = number << 8 | bytes->at[i];
    }
    bytes->at += 4;
    bytes->left -= 4;
    *out = number;
    return number <= bytes->left / 4;
}

static int take_text(bytes_t *bytes, const char **out)
{
    apr_size_t len = 0;
    int i;

    if (bytes->left < 4) {
        return 0;
    }
    for (i = 3; i >= 0; i--) {
        len = len << 8 | bytes->at[i];
    }
    bytes->at += 4;
    bytes->left -= 4;
    if (len > bytes->left || memchr(bytes->at, '\0', len) != NULL) {
        return 0;
    }
    *out = apr_pstrmemdup(bytes->pool, (const char *)bytes->at, len);
    bytes->at += len;
    bytes->left -= len;
    return 1;
}

static int take_line(bytes_t *bytes, amgr_spec_t *spec)
{
    const amgr_spec_line_t *line;
    const char **argv;
    const char *key;
    apr_size_t argc;
    apr_size_t i;

    if (!take_text(bytes, &key) || !take_count(bytes, &argc)) {
        return 0;
    }
    argv = apr_pcalloc(bytes->pool, (argc + 1) * sizeof(*argv));
    for (i = 0; i < argc; i++) {
        if (!take_text(bytes, &argv[i])) {
            return 0;
        }
    }
    if (amgr_spec_add(spec, key, (int)argc, argv, bytes->known, bytes->pool) !=
        NULL) {
        return 0;
    }
    line =
        &APR_ARRAY_IDX(spec->lines, spec->lines->nelts - 1, amgr_spec_line_t);
    return strcmp(line->key, key) == 0;
}

static int take_spec(bytes_t *bytes, amgr_spec_t **out)
{
    const char *name;
    apr_size_t lines;

    if (!take_text(bytes, &name) || !take_count(bytes, &lines) ||
        amgr_spec_create(name, out, bytes->pool) != NULL) {
        return 0;
    }
    while (lines > 0 && take_line(bytes, *out)) {
        lines--;
    }
    return lines == 0 && amgr_spec_finish(*out, bytes->pool) == NULL;
}

apr_status_t amgr_specs_unpack(const char *text, apr_size_t len,
                               amgr_verify_known_fn *known,
                               amgr_spec_t ***out_specs, int *out_count,
                               apr_pool_t *pool)
{
    bytes_t bytes = {(const unsigned char *)text, len, known, pool};
    amgr_spec_t **specs;
    apr_size_t count;
    apr_size_t i;

    if (len < MAGIC_LEN || memcmp(text, MAGIC, MAGIC_LEN) != 0) {
        return APR_EGENERAL;
    }
    bytes.at += MAGIC_LEN;
    bytes.left -= MAGIC_LEN;
    if (!take_count(&bytes, &count) || count > AMGR_MANAGED_MAX) {
        return APR_EGENERAL;
    }
    specs = apr_pcalloc(pool, (count + 1) * sizeof(amgr_spec_t *));
    for (i = 0; i < count; i++) {
        if (!take_spec(&bytes, &specs[i])) {
            return APR_EGENERAL;
        }
    }
    if (bytes.left != 0 || amgr_specs_check((const amgr_spec_t *const *)specs,
                                            (int)count, pool) != NULL) {
        return APR_EGENERAL;
    }
    *out_specs = specs;
    *out_count = (int)count;
    return APR_SUCCESS;
}
