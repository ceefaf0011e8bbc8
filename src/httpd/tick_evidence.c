/* SPDX-License-Identifier: Apache-2.0
 *
 * See tick_evidence.h.
 */
#include "httpd/tick_evidence.h"

#include <string.h>
#include <unistd.h>

#include "action/lost.h"
#include "httpd/log.h"

/** For one process, and since the tick began for all of them.  The tables of
 * sockets of a busy host take some 2 microseconds a connection, closed ones
 * too. */
#define PARENT_LOOK_US (10 * 1000)
#define PARENT_TICK_US (70 * 1000)
#define TICKER_LOOK_US (150 * 1000)
#define TICKER_TICK_US (500 * 1000)

/** All fields with every byte as \xHH, and what is between them. */
#define LINE_LEN 900

void amgr_tick_evidence_take(const amgr_runtime_t *runtime,
                             amgr_proc_dir_t *proc,
                             const amgr_snapshot_t *snapshot,
                             const amgr_decision_t *decision,
                             amgr_evidence_t *out)
{
    int in_parent = getpid() == runtime->parent;
    apr_time_t look_us = amgr_clock_monotonic_us() +
                         (in_parent ? PARENT_LOOK_US : TICKER_LOOK_US);
    apr_time_t tick_us = snapshot->server.time.mono_us +
                         (in_parent ? PARENT_TICK_US : TICKER_TICK_US);

    memset(out, 0, sizeof(*out));
    if (decision->cause == AMGR_CAUSE_NONE) {
        amgr_evidence_collect(proc, snapshot, decision->process,
                              look_us < tick_us ? look_us : tick_us, out);
    }
}

void amgr_tick_evidence_keep(amgr_board_t *board, const amgr_record_t *record,
                             amgr_evidence_t *evidence)
{
    if (evidence->time_us != 0) {
        evidence->serial = record->serial;
        amgr_board_write_evidence(board, evidence);
    }
}

void amgr_tick_evidence_log_lost(server_rec *s, const amgr_config_t *config,
                                 const amgr_evidence_t *evidence)
{
    amgr_lost_show_t show = {config->show_requests, config->show_clients};
    char line[LINE_LEN];
    amgr_sink_t sink;
    int i;

    for (i = 0; i < evidence->request_count; i++) {
        const amgr_evidence_request_t *request = &evidence->requests[i];

        if (amgr_lost_is(request)) {
            amgr_sink_init_text(&sink, line, sizeof(line));
            amgr_lost_format(request, &show, evidence->time_us, &sink);
            amgr_log(s, AMGR_TAG_LOST, APLOG_NOTICE, 0, "lost request: %s",
                     amgr_sink_text(&sink));
        }
    }
    if (evidence->requests_left_out > 0) {
        amgr_log(s, AMGR_TAG_LOST, APLOG_NOTICE, 0,
                 "lost request: and %d more of worker %d",
                 (int)evidence->requests_left_out, (int)evidence->pid);
    }
}
