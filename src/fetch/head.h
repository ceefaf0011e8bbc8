/* SPDX-License-Identifier: Apache-2.0
 *
 * The head of an answer: bounded while it comes, and what of it is handed on.
 */
#ifndef AMGR_HEAD_H
#define AMGR_HEAD_H

#include <curl/curl.h>

#include "base/sink.h"

/** Beyond this a line of the answer's head is not what we ask for. */
#define AMGR_HEAD_VALUE_MAX 2048

typedef struct amgr_head_t {
    apr_size_t bytes;
    char location[AMGR_HEAD_VALUE_MAX]; /**< as it came; empty: none */
} amgr_head_t;

/** A line of it as libcurl hands it over, with its end.  0: it is too long
 * altogether. */
int amgr_head_take(amgr_head_t *head, const char *line, apr_size_t len);

/** Whether this line ends it. */
int amgr_head_is_end(const char *line, apr_size_t len);

/** Write it as get.h has it, with its empty line.  A redirection is told as
 * seen from @a url, and without user and password of either. */
void amgr_head_write(const amgr_head_t *head, CURL *curl, CURLU *url,
                     amgr_sink_t *sink);

#endif
