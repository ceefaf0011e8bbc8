/* SPDX-License-Identifier: Apache-2.0
 *
 * One GET by libcurl: nothing is followed, kept or sent that was not asked for.
 */
#ifndef AMGR_GET_H
#define AMGR_GET_H

#include "base/base.h"

/** How it went; what the program returns to whoever runs it. */
typedef enum amgr_get_e {
    AMGR_GET_ANSWERED = 0, /**< with whatever status */
    AMGR_GET_FAILED = 1,
    AMGR_GET_USAGE = 2, /**< the URL or an argument is none */
    AMGR_GET_LATE = 3,
    AMGR_GET_TOO_LONG = 4,
    AMGR_GET_OUTPUT = 5 /**< nobody takes what was got */
} amgr_get_e;

#define AMGR_GET_ERROR_LEN 512

typedef struct amgr_get_t {
    const char *url;
    const char *const *headers; /**< to be sent too, "Name: value" */
    int header_count;
    int head_only;                  /**< the body is not asked for: the answer
                                         is there when its head is */
    long timeout_ms;                /**< from the beginning to the last byte */
    apr_uint64_t max_bytes;         /**< of the body */
    int out;                        /**< descriptor */
    char error[AMGR_GET_ERROR_LEN]; /**< one line without its end, escaped, and
                                         nothing of the URL; after a failure */
} amgr_get_t;

/**
 * Do it, and write the answer to @a get->out as it comes:
 *
 *   status 200
 *   type text/html; charset=utf-8
 *   location http://elsewhere/
 *
 *   BODY
 *
 * The lines of what there is not are left out, and one empty line ends them.
 * A location is where a redirection leads, without user and password.
 * What was written is an answer only with AMGR_GET_ANSWERED: whatever breaks
 * off may have written some of it.  @return amgr_get_e
 */
int amgr_get(amgr_get_t *get);

#endif
