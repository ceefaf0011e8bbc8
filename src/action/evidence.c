/* SPDX-License-Identifier: Apache-2.0
 *
 * See evidence.h.  What the snapshot tells; evidence_threads.c looks at the
 * process itself.
 */
#include "action/evidence.h"

#include <string.h>

#include <apr_strings.h>

const char *amgr_evidence_access_word(int access)
{
    static const char *const words[AMGR_EVIDENCE_ACCESS_COUNT] = {
        [AMGR_EVIDENCE_OK] = "ok",
        [AMGR_EVIDENCE_DENIED] = "denied",
        [AMGR_EVIDENCE_GONE] = "gone",
        [AMGR_EVIDENCE_FAILED] = "failed",
    };

    if (access < 0 || access >= AMGR_EVIDENCE_ACCESS_COUNT) {
        return "unknown";
    }
    return words[access];
}

static void fill_request(amgr_evidence_request_t *out, const amgr_slot_t *slot)
{
    memset(out, 0, sizeof(*out));
    out->age_us = slot->request_age_us;
    out->process_slot = slot->process_slot;
    out->thread = slot->thread;
    out->mode = slot->mode;
    apr_cpystrn(out->client, slot->client, sizeof(out->client));
    apr_cpystrn(out->vhost, slot->vhost, sizeof(out->vhost));
    apr_cpystrn(out->protocol, slot->protocol, sizeof(out->protocol));
    apr_cpystrn(out->request, slot->request, sizeof(out->request));
}

/* Into its place: the longest running first, those of unknown age last. */
static void add_request(amgr_evidence_t *out, const amgr_slot_t *slot)
{
    int at = out->request_count;

    while (at > 0 && out->requests[at - 1].age_us < slot->request_age_us) {
        at--;
    }
    if (out->request_count == AMGR_EVIDENCE_REQUESTS) {
        out->requests_left_out++;
        if (at == AMGR_EVIDENCE_REQUESTS) {
            return;
        }
    }
    else {
        out->request_count++;
    }
    memmove(&out->requests[at + 1], &out->requests[at],
            (apr_size_t)(out->request_count - 1 - at) *
                sizeof(out->requests[0]));
    fill_request(&out->requests[at], slot);
}

void amgr_evidence_take_requests(const amgr_snapshot_t *snapshot, int process,
                                 amgr_evidence_t *out)
{
    const amgr_process_t *of = &snapshot->processes[process];
    int i;

    out->time_us = snapshot->server.time.wall_us;
    out->rss_bytes = of->rss_bytes;
    out->anon_bytes = of->anon_bytes;
    out->pid = (apr_int32_t)of->id.pid;
    out->threads = of->threads;
    out->request_count = 0;
    out->requests_left_out = 0;
    for (i = of->first_slot; i < of->first_slot + of->slot_count; i++) {
        if (amgr_slot_is_request(&snapshot->slots[i])) {
            add_request(out, &snapshot->slots[i]);
        }
    }
}

void amgr_evidence_collect(amgr_proc_dir_t *proc,
                           const amgr_snapshot_t *snapshot, int process,
                           apr_time_t deadline_mono_us, amgr_evidence_t *out)
{
    apr_time_t begun_us = amgr_clock_monotonic_us();

    memset(out, 0, sizeof(*out));
    amgr_evidence_take_requests(snapshot, process, out);
    amgr_evidence_take_threads(proc, &snapshot->processes[process].id,
                               deadline_mono_us, out);
    out->took_us = amgr_clock_monotonic_us() - begun_us;
}

static int bound(apr_int32_t count, int max)
{
    return count < 0 ? 0 : count > max ? max : count;
}

void amgr_evidence_mend(amgr_evidence_t *evidence)
{
    int i;

    evidence->request_count =
        bound(evidence->request_count, AMGR_EVIDENCE_REQUESTS);
    evidence->thread_count =
        bound(evidence->thread_count, AMGR_EVIDENCE_THREADS);
    for (i = 0; i < AMGR_EVIDENCE_REQUESTS; i++) {
        amgr_evidence_request_t *request = &evidence->requests[i];

        request->client[sizeof(request->client) - 1] = '\0';
        request->vhost[sizeof(request->vhost) - 1] = '\0';
        request->protocol[sizeof(request->protocol) - 1] = '\0';
        request->request[sizeof(request->request) - 1] = '\0';
    }
    for (i = 0; i < AMGR_EVIDENCE_THREADS; i++) {
        amgr_evidence_thread_t *entry = &evidence->blocked[i];

        entry->call[sizeof(entry->call) - 1] = '\0';
        entry->target[sizeof(entry->target) - 1] = '\0';
        entry->wchan[sizeof(entry->wchan) - 1] = '\0';
    }
}
