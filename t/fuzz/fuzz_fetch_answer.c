/* SPDX-License-Identifier: Apache-2.0
 *
 * Any bytes as the output of the program that does HTTP, and its last line as
 * what it complains of, for the tool and for a verifier.  Checked besides
 * memory: no failure is taken for an answer, the status is the one that stands
 * there, a fault is of one line, and neither password nor query of a
 * redirection is told.
 */
#include "fuzz.h"

#include <stdio.h>
#include <sys/wait.h>

#include "cli/source/fetch.h"
#include "cli/source/fetch_process.h"
#include "supervise/check/attempt_program.h"

#define URL "http://me:pa55word@127.0.0.1/"

apr_status_t __wrap_amgr_fetch_process_run(amgr_fetch_process_t *process,
                                           apr_pool_t *pool);
void __wrap_amgr_attempt_program_run(amgr_attempt_program_t *run);
int __wrap_clearenv(void);

static char *output;
static size_t output_len;
static int exit_code;

static void copy_last_line(char *out, size_t size)
{
    const char *line = strrchr(output, '\n');

    snprintf(out, size, "%s", line == NULL ? output : line + 1);
}

apr_status_t __wrap_amgr_fetch_process_run(amgr_fetch_process_t *process,
                                           apr_pool_t *pool)
{
    (void)pool; /* the answer is there */
    process->output = output;
    process->length = output_len;
    process->exit_code = exit_code;
    process->late = exit_code == 100;
    process->too_long = exit_code == 101;
    copy_last_line(process->complaint, sizeof(process->complaint));
    return APR_SUCCESS;
}

void __wrap_amgr_attempt_program_run(amgr_attempt_program_t *run)
{
    size_t len =
        output_len < AMGR_ATTEMPT_HEAD_LEN ? output_len : AMGR_ATTEMPT_HEAD_LEN;

    check(strcmp(run->input, URL "\nX: y\n") == 0);
    memset(run->head, 0x5a, sizeof(run->head));
    memcpy(run->head, output, len);
    run->head[len] = '\0';
    run->head_len = len;
    run->error = exit_code == 100 ? 2 : 0;
    run->status = W_EXITCODE(exit_code & 0x7f, exit_code == 101 ? 9 : 0);
    copy_last_line(run->line, sizeof(run->line));
}

int __wrap_clearenv(void)
{
    return 0; /* the fuzzer's own */
}

static void check_tool(apr_pool_t *pool)
{
    amgr_answer_t answer;
    int is_late = -1;
    const amgr_fault_t *fault =
        amgr_fetch_by("fetch", URL, APR_USEC_PER_SEC, &answer, &is_late, pool);

    check(fault != NULL || exit_code == 0);
    check(is_late == (exit_code == 3 || exit_code == 100));
    if (fault == NULL) {
        check(answer.status >= 100 && answer.status <= 999);
        check(answer.body >= output && answer.body <= output + output_len);
        check(answer.body + answer.length == output + output_len);
        check(strchr(answer.content_type, '\n') == NULL);
        check(strchr(answer.location, '\n') == NULL);
        fault = amgr_fetch_refusal(&answer, URL, pool);
        check((fault == NULL) == (answer.status == 200));
    }
    else {
        check(strstr(fault->text, "pa55word") == NULL ||
              strstr(output, "pa55word") != NULL);
    }
    check(fault == NULL || strchr(fault->text, '\n') == NULL);
}

static void check_verifier(apr_pool_t *pool)
{
    amgr_verify_t verify;
    amgr_attempt_t attempt;
    const char *status = strncmp(output, "status ", 7) == 0 ? output + 7 : "";

    memset(&verify, 0, sizeof(verify));
    memset(&attempt, 0, sizeof(attempt));
    verify.target = (char[]){URL};
    verify.timeout_us = APR_USEC_PER_SEC;
    verify.status_min = 200;
    verify.status_max = 399;
    verify.headers = apr_array_make(pool, 1, sizeof(const char *));
    APR_ARRAY_PUSH(verify.headers, const char *) = "X: y";
    attempt.verify = &verify;
    if (amgr_attempt_http(&attempt) == 0) {
        check(exit_code == 0);
        /* Which may also stand in a later line of the head. */
        check(output[0] != 's' || status[0] == '\0' || status[0] == '0' ||
              status[0] == '2' || status[0] == '3');
        return;
    }
    if (strncmp(attempt.text, "redirected to ", 14) == 0) {
        check(strpbrk(attempt.text, "?\n") == NULL);
        check(strncmp(attempt.text + 14, "http://me:pa55word@", 19) != 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    apr_pool_t *pool = fuzz_pool();
    fuzz_t in = {data, data + size};

    exit_code = (int)fuzz_bits(&in, 1) & 0x7f;
    output_len = fuzz_left(&in);
    output = fuzz_text(in.at, output_len);
    check_tool(pool);
    check_verifier(pool);
    free(output);
    apr_pool_destroy(pool);
    return 0;
}
