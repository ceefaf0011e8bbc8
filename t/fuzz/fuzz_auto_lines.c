/* SPDX-License-Identifier: Apache-2.0
 *
 * Any bytes as what other modules add to `?auto`, in pieces.  Checked besides
 * memory: what is let through is the same in whatever pieces it came, every
 * line ends and is visible ASCII, and has a key that no other line has and that
 * is neither ours nor the scoreboard's.
 */
#include "fuzz.h"

#include <strings.h>

#include "render/auto_lines.h"

static fuzz_output_t run(const uint8_t *data, size_t size, size_t piece)
{
    fuzz_output_t output = {NULL, 0};
    apr_pool_t *pool = fuzz_pool();
    amgr_auto_lines_t lines;
    amgr_sink_t sink;
    char buf[16];

    fuzz_append(&output, "", 0);
    amgr_sink_init(&sink, buf, sizeof(buf), fuzz_append, &output);
    amgr_auto_lines_init(&lines, &sink, pool);
    while (size > 0) {
        size_t len = piece < size ? piece : size;
        char *text = fuzz_text(data, len);

        amgr_auto_lines_put(&lines, text, len);
        free(text);
        data += len;
        size -= len;
    }
    amgr_auto_lines_finish(&lines);
    check(amgr_sink_finish(&sink) == APR_SUCCESS);
    apr_pool_destroy(pool);
    return output;
}

/* How long the key of a line is, without blanks at its end. */
static size_t key_len(const char *line)
{
    size_t len = strcspn(line, ":\n");

    len = len > AMGR_AUTO_KEY_LEN ? AMGR_AUTO_KEY_LEN : len;
    while (len > 0 && line[len - 1] == ' ') {
        len--;
    }
    return len;
}

static void check_lines(const char *text)
{
    const char *line;
    const char *other;

    for (line = text; *line != '\0'; line = strchr(line, '\n') + 1) {
        size_t len = key_len(line);

        check(strchr(line, '\n') != NULL);
        check(len > 0 && line[0] != ' ');
        check(strncasecmp(line, "ApacheManager", 13) != 0);
        check(len != 10 || strncasecmp(line, "Scoreboard", 10) != 0);
        for (other = text; other < line; other = strchr(other, '\n') + 1) {
            check(key_len(other) != len || memcmp(other, line, len) != 0);
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_t in = {data, data + size};
    size_t piece = 1 + (size_t)fuzz_below(&in, 128);
    fuzz_output_t whole = run(in.at, fuzz_left(&in), size + 1);
    fuzz_output_t cut = run(in.at, fuzz_left(&in), piece);
    size_t i;

    check(whole.len == cut.len && memcmp(whole.data, cut.data, cut.len) == 0);
    check(strlen(whole.data) == whole.len);
    for (i = 0; i < whole.len; i++) {
        check(whole.data[i] == '\n' ||
              (whole.data[i] >= ' ' && whole.data[i] <= '~'));
    }
    check_lines(whole.data);
    free(whole.data);
    free(cut.data);
    return 0;
}
