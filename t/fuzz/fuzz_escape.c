/* SPDX-License-Identifier: Apache-2.0
 *
 * Any bytes through the escapers, into sinks of any size.  Checked besides
 * memory: what comes out is valid UTF-8 that cannot leave its place in JSON,
 * HTML, a line or a label; lines and labels read back as what went in; what is
 * said to be plain stays as it is; a sink's size does not matter.
 */
#include "fuzz.h"

#include "base/escape.h"
#include "supervise/guard/output.h"

typedef void escape_fn(amgr_sink_t *sink, const char *text);

static escape_fn *const escapers[] = {amgr_escape_html, amgr_escape_json,
                                      amgr_escape_line, amgr_escape_label};

/* Through a sink of @a size bytes; malloc'ed. */
static char *escaped(escape_fn *escape, const char *text, size_t size)
{
    fuzz_output_t output = {NULL, 0};
    char *buf = malloc(size);
    amgr_sink_t sink;

    check(buf != NULL);
    fuzz_append(&output, "", 0);
    amgr_sink_init(&sink, buf, size, fuzz_append, &output);
    escape(&sink, text);
    check(amgr_sink_finish(&sink) == APR_SUCCESS);
    check(sink.total == output.len && strlen(output.data) == output.len);
    free(buf);
    return output.data;
}

static void check_clean(const char *text)
{
    check_utf8(text);
    check_line_text(text);
}

/* Undo the doubled backslashes and the quotes, as a scraper does. */
static void read_label(char *text)
{
    char *out = text;

    for (; *text != '\0'; text++) {
        check(*text != '"');
        if (*text == '\\') {
            text++;
            check(*text == '\\' || *text == '"');
        }
        *out++ = *text;
    }
    *out = '\0';
}

static void check_format(escape_fn *escape, char *out, const char *text)
{
    check_clean(out);
    if (escape == amgr_escape_html) {
        check(strpbrk(out, "<>\"'") == NULL);
    }
    else if (escape == amgr_escape_json) {
        check_json_text(out);
    }
    else {
        if (escape == amgr_escape_label) {
            read_label(out);
        }
        amgr_unescape_line(out);
        check(strcmp(out, text) == 0);
    }
}

/* What begins plain is put as it is by all of them. */
static void check_plain(const char *text)
{
    apr_size_t len = amgr_escape_plain_len(text);
    char *plain;
    char *out;
    size_t i;

    check(len <= strlen(text));
    plain = fuzz_text(text, len);
    for (i = 0; i < AMGR_COUNT(escapers); i++) {
        out = escaped(escapers[i], plain, 64);
        check(strcmp(out, plain) == 0);
        free(out);
    }
    free(plain);
}

/* Bytes of a process's output, with NULs. */
static void check_output(const uint8_t *data, size_t size, size_t room)
{
    char *out = malloc(room);
    char *whole = malloc(size * 16 + 1);

    check(out != NULL && whole != NULL);
    amgr_output_escape((const char *)data, size, out, room);
    amgr_output_escape((const char *)data, size, whole, size * 16 + 1);
    check(strlen(out) < room);
    check_clean(out);
    check_clean(whole);
    check(strncmp(out, whole, strlen(out)) == 0);
    free(out);
    free(whole);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_t in = {data, data + size};
    size_t room = 1 + (size_t)fuzz_below(&in, 300);
    char *text = fuzz_text(in.at, fuzz_left(&in));
    size_t i;

    for (i = 0; i < AMGR_COUNT(escapers); i++) {
        char *out = escaped(escapers[i], text, room);
        char *again = escaped(escapers[i], text, 4096);

        check(strcmp(out, again) == 0);
        check_format(escapers[i], out, text);
        free(out);
        free(again);
    }
    check_plain(text);
    check_output(in.at, fuzz_left(&in), room);
    room = strlen(text);
    amgr_unescape_line(text);
    check(strlen(text) <= room);
    free(text);
    return 0;
}
