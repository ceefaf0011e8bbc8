/* SPDX-License-Identifier: Apache-2.0
 *
 * A program that an attempt runs: its output is read until it ends, so that it
 * never waits for a reader, and hardly any of it is kept.  What else holds its
 * output open when it has ended is not waited for.
 *
 * Runs in an attempt, which waits; see attempt.h.
 */
#ifndef AMGR_ATTEMPT_PROGRAM_H
#define AMGR_ATTEMPT_PROGRAM_H

#include "supervise/check/attempt.h"

/** What is kept of the beginning of the output. */
#define AMGR_ATTEMPT_HEAD_LEN 8192

typedef struct amgr_attempt_program_t {
    char *const *argv;
    int program_fd;    /**< the program; -1: argv[0], looked for in PATH */
    pid_t supervisor;  /**< whose end is that of the whole session */
    const char *input; /**< its standard input; NULL: nothing */
    int error;         /**< out: errno, it could not be executed; 0: it was */
    int status;        /**< out: as waitpid(2) has it */
    apr_size_t head_len;
    char head[AMGR_ATTEMPT_HEAD_LEN + 1]; /**< out */
    char line[AMGR_ATTEMPT_TEXT_LEN + 1]; /**< out: the last that is not empty,
                                             cut; of both outputs together */
} amgr_attempt_program_t;

/** Run it, with the environment of this process. */
void amgr_attempt_program_run(amgr_attempt_program_t *run);

#endif
