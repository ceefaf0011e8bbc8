/* SPDX-License-Identifier: Apache-2.0
 *
 * Any bytes as status.json.  Checked besides memory: what is refused says why
 * in one line; what is taken can be written in every format, holds no index
 * that leads nowhere, and is taken again as it is written.
 */
#include "fuzz.h"

#include "cli/source/source_parts.h"

typedef struct text_t {
    char *data;
    apr_size_t len;
} text_t;

static apr_status_t append(void *baton, const char *data, apr_size_t len)
{
    text_t *text = baton;

    text->data = realloc(text->data, text->len + len + 1);
    check(text->data != NULL);
    memcpy(text->data + text->len, data, len);
    text->len += len;
    text->data[text->len] = '\0';
    return APR_SUCCESS;
}

static text_t render(void (*writer)(const amgr_view_t *, amgr_sink_t *),
                     const amgr_view_t *view)
{
    text_t text = {NULL, 0};
    amgr_sink_t sink;
    char buf[4096];

    amgr_sink_init(&sink, buf, sizeof(buf), append, &text);
    writer(view, &sink);
    check(amgr_sink_finish(&sink) == APR_SUCCESS);
    return text;
}

static void check_view(const amgr_view_t *view)
{
    const amgr_snapshot_t *snapshot = view->snapshot;
    int slots = 0;
    int i;

    check(snapshot->group_count >= 0 &&
          snapshot->group_count <= AMGR_GROUPS_MAX);
    for (i = 0; i < snapshot->process_count; i++) {
        const amgr_process_t *process = &snapshot->processes[i];

        check(process->id.pid > 0);
        check(i == 0 || process[-1].id.pid < process->id.pid);
        check(process->group >= 0 && process->group < snapshot->group_count);
        check(process->first_slot == slots && process->slot_count >= 0);
        slots += process->slot_count;
    }
    check(slots == snapshot->slot_count);
    check(view->record_count <= AMGR_RECORDS_MAX);
    check(view->evidence_count <= AMGR_EVIDENCES_MAX);
}

static void check_formats(const amgr_view_t *view)
{
    static void (*const writers[])(const amgr_view_t *, amgr_sink_t *) = {
        amgr_write_metrics_txt, amgr_write_auto, amgr_write_metrics,
        amgr_write_discovery_json};
    apr_size_t i;

    for (i = 0; i < AMGR_COUNT(writers); i++) {
        free(render(writers[i], view).data);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const amgr_fault_t *fault;
    amgr_source_t source;
    apr_pool_t *pool = fuzz_pool();
    text_t first;

    fault = amgr_source_json((const char *)data, size, "fuzz", &source, pool);
    if (fault != NULL) {
        check(fault->text[0] != '\0' && strchr(fault->text, '\n') == NULL);
        check(fault->exit_code == AMGR_EXIT_FAILED);
    }
    else {
        check_view(&source.view);
        check_formats(&source.view);
        first = render(amgr_write_status_json, &source.view);
        check(amgr_source_json(first.data, first.len, "again", &source, pool) ==
              NULL);
        check_view(&source.view);
        free(first.data);
    }
    apr_pool_destroy(pool);
    return 0;
}
