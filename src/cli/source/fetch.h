/* SPDX-License-Identifier: Apache-2.0
 *
 * One GET over HTTP or HTTPS.  It is done by another program,
 * apache-manager-fetch, so that whoever reads the board does not carry a client
 * of HTTP with all its libraries.
 */
#ifndef AMGR_FETCH_H
#define AMGR_FETCH_H

#include "base/base.h"
#include "cli/fault.h"

typedef struct amgr_answer_t {
    int status;               /**< of HTTP */
    const char *content_type; /**< "" without */
    const char *location;     /**< where a redirect leads, or "" */
    const char *body;         /**< NUL-terminated beyond its length */
    apr_size_t length;
} amgr_answer_t;

/** No status page is longer: 20,000 slots of JSON are 12 MB. */
#define AMGR_FETCH_MAX_BYTES (64 * 1024 * 1024)

/** The longest URL that is asked for. */
#define AMGR_FETCH_URL_MAX 8000

/**
 * Ask @a url and wait for the whole answer, @a timeout_us at most, from the
 * beginning to the last byte.  Redirects are not followed; proxies of the
 * environment are obeyed, but never for an address of this machine, whose
 * certificate is not verified either.  User and password in the URL are sent
 * (Basic), and neither shown nor seen in the list of processes.
 *
 * Any status of HTTP is an answer; a fault is for no answer, one too late, too
 * long or cut off.  *out_timed_out (or NULL) tells a late one from the rest.
 */
const amgr_fault_t *amgr_fetch(const char *url, apr_interval_time_t timeout_us,
                               amgr_answer_t *out, int *out_timed_out,
                               apr_pool_t *pool);

/** The same by the program of this path, which is otherwise the one beside our
 * own, or that of the installation. */
const amgr_fault_t *amgr_fetch_by(const char *program, const char *url,
                                  apr_interval_time_t timeout_us,
                                  amgr_answer_t *out, int *out_timed_out,
                                  apr_pool_t *pool);

/** Why @a answer to @a url is not what was asked for: any status but 200, with
 * what to do about it.  NULL when it is. */
const amgr_fault_t *amgr_fetch_refusal(const amgr_answer_t *answer,
                                       const char *url, apr_pool_t *pool);

/** @a url for people: without user and password, and escaped. */
const char *amgr_fetch_shown(const char *url, apr_pool_t *pool);

#endif
