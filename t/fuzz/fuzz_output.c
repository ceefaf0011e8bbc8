/* SPDX-License-Identifier: Apache-2.0
 *
 * Any bytes as what a managed process writes, in pieces that the first of them
 * say.  Checked besides memory: the lines of the log are the same in whatever
 * pieces they came, each is one line that names the process, every byte is
 * counted, and a flood is rationed.
 */
#include "fuzz.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "supervise/guard/output.h"

#define PIECES 4

typedef struct log_t {
    fuzz_output_t text;
    int lines;
} log_t;

static void note(void *baton, int what, int level, int error, const char *text)
{
    log_t *log = baton;

    check(what == AMGR_SAY_OUTPUT && error == 0);
    check(level == AMGR_LEVEL_NOTICE || level == AMGR_LEVEL_WARNING);
    check(strncmp(text, "process fuzz: ", 14) == 0);
    check(strlen(text) <= AMGR_OUTPUT_LINE_MAX);
    check_line_text(text);
    check_utf8(text);
    fuzz_append(&log->text, text, strlen(text));
    fuzz_append(&log->text, "\n", 1);
    log->lines++;
}

/* Each write is read before the next; a piece of 0 is the rest. */
static void run(const uint8_t *data, size_t size, const uint8_t pieces[PIECES],
                log_t *log)
{
    amgr_teller_t teller = {note, log};
    amgr_output_t *output = malloc(sizeof(*output));
    apr_pool_t *pool = fuzz_pool();
    apr_time_t now_us = APR_USEC_PER_SEC;
    char last[AMGR_MANAGED_TEXT_LEN];
    size_t used = 0;
    amgr_spec_t *spec;
    int write_fd;
    int i;

    memset(log, 0, sizeof(*log));
    fuzz_append(&log->text, "", 0);
    check(output != NULL);
    check(amgr_spec_create("fuzz", &spec, pool) == NULL);
    spec->output = AMGR_OUTPUT_ERRORLOG;
    check(amgr_output_open(output, spec, &teller, &write_fd) == APR_SUCCESS);
    for (i = 0; used < size; i++) {
        size_t len = pieces[i % PIECES];

        len = len == 0 || len > size - used ? size - used : len;
        len = len > 32768 ? 32768 : len;
        check(write(write_fd, data + used, len) == (ssize_t)len);
        used += len;
        check(amgr_output_read(output, now_us) == 0);
        check(output->bytes == used && output->dropped <= used);
        amgr_output_last(output, last, sizeof(last));
        check_line_text(last);
        check_utf8(last);
        check(!amgr_output_is_over(output));
    }
    close(write_fd);
    check(amgr_output_is_over(output));
    amgr_output_close(output);
    check(output->dropped <= output->bytes);
    free(output);
    apr_pool_destroy(pool);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t all[PIECES];
    fuzz_t in = {data, data + size};
    uint8_t pieces[PIECES];
    log_t whole;
    log_t cut;

    fuzz_bytes(&in, pieces, sizeof(pieces));
    run(in.at, fuzz_left(&in), all, &whole);
    run(in.at, fuzz_left(&in), pieces, &cut);
    check(whole.lines <= AMGR_OUTPUT_LINES_A_SECOND + 2);
    check(whole.text.len == cut.text.len &&
          memcmp(whole.text.data, cut.text.data, whole.text.len) == 0);
    free(whole.text.data);
    free(cut.text.data);
    return 0;
}
