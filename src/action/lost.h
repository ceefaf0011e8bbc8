/* SPDX-License-Identifier: Apache-2.0
 *
 * Requests that a kill cut off.  The worker that would have logged them is
 * gone, so whoever kills it writes them down in the form of an access log with
 * the virtual host first.
 */
#ifndef AMGR_LOST_H
#define AMGR_LOST_H

#include "action/evidence.h"
#include "base/sink.h"
#include "model/client.h"
#include "model/request.h"

/** How much of it may be told. */
typedef struct amgr_lost_show_t {
    int requests; /**< amgr_show_requests_e */
    int clients;  /**< amgr_show_clients_e */
} amgr_lost_show_t;

/** Whether this request in flight is lost with its process: one that is still
 * being read is not known yet, and its client will try again. */
int amgr_lost_is(const amgr_evidence_request_t *request);

/**
 * One such request as a line, without newline:
 *
 *   www.example.org:443 192.0.2.7 - - [21/Nov/2026:08:00:00 +0000]
 *   "GET /x HTTP/1.1" 000 0 121250000
 *
 * The time is when it began, in UTC; the last field its age in microseconds,
 * "-" when not known, as is every field without a value.  @a time_us is the
 * wall clock of the evidence.  Untrusted text is escaped so that it stays
 * within its field and its line.
 */
void amgr_lost_format(const amgr_evidence_request_t *request,
                      const amgr_lost_show_t *show, apr_time_t time_us,
                      amgr_sink_t *sink);

#endif
