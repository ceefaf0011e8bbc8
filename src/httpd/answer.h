/* SPDX-License-Identifier: Apache-2.0
 *
 * What every answer of the handlers has in common: the headers that keep it
 * from being stored, guessed at, framed or run, and small bodies.
 */
#ifndef AMGR_ANSWER_H
#define AMGR_ANSWER_H

#include <httpd.h>

#include "base/sink.h"

/** Media types of answers. */
#define AMGR_TYPE_HTML "text/html; charset=utf-8"
#define AMGR_TYPE_JSON "application/json"

/** Seconds after which it is worth while to ask again for what is on its way,
 * as a Retry-After header has it. */
#define AMGR_RETRY_AFTER "1"

/** Whether the answer is all of what the client asked for, and no part that
 * another page includes: what the client says of formats, ranges and what it
 * has is about the whole. */
int amgr_answer_is_whole(const request_rec *r);

/** Set the headers; @a is_kept: it may be kept for good under its address,
 * otherwise it is of this moment alone. */
void amgr_answer_set_headers(request_rec *r, const char *content_type,
                             int is_kept);

/**
 * Headers of an answer of which the handler returns the @a status, an error,
 * and whose body is httpd's.  Where the administrator has given a document for
 * it, what that may load is theirs to say.
 */
void amgr_answer_set_error_headers(request_rec *r, int status);

/** The status of an answer whose body the handler writes itself, after its
 * headers were set; a 503 says when to ask again. */
void amgr_answer_set_status(request_rec *r, int status);

/** A sink whose text goes to the client, with a buffer of the request's pool;
 * to be finished by its user. */
void amgr_answer_open(request_rec *r, amgr_sink_t *sink);

#endif
