/* SPDX-License-Identifier: Apache-2.0
 *
 * Any bytes as mod_status's `?auto`, and behind the first NUL as its table.
 * Checked besides memory: what is refused says why in one line; what is taken
 * can be written, and holds no index that leads nowhere.
 */
#include "fuzz.h"

#include "cli/source/source_parts.h"

static apr_status_t drop(void *baton, const char *data, apr_size_t len)
{
    (void)baton; /* that it could be written is all we ask */
    (void)data;
    (void)len;
    return APR_SUCCESS;
}

static void check_view(const amgr_view_t *view)
{
    const amgr_snapshot_t *snapshot = view->snapshot;
    amgr_sink_t sink;
    char buf[4096];
    int slots = 0;
    int i;

    for (i = 0; i < snapshot->process_count; i++) {
        const amgr_process_t *process = &snapshot->processes[i];

        check(process->id.pid > 0);
        check(i == 0 || process[-1].id.pid < process->id.pid);
        check(process->group >= 0 && process->group < snapshot->group_count);
        check(process->first_slot == slots);
        slots += process->slot_count;
    }
    check(slots == snapshot->slot_count);
    for (i = 0; i < slots; i++) {
        const amgr_slot_t *slot = &snapshot->slots[i];

        check(slot->request_age_us == AMGR_NO_TIME ||
              (slot->request_age_us >= 0 && slot->mode != AMGR_MODE_READ &&
               slot->mode != AMGR_MODE_KEEPALIVE));
        check(strnlen(slot->request, sizeof(slot->request)) <
              sizeof(slot->request));
    }
    amgr_sink_init(&sink, buf, sizeof(buf), drop, NULL);
    amgr_write_status_json(view, &sink);
    amgr_write_metrics_txt(view, &sink);
    check(amgr_sink_finish(&sink) == APR_SUCCESS);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = fuzz_text(data, size);
    const amgr_fault_t *fault;
    amgr_source_t source;
    apr_pool_t *pool = fuzz_pool();
    const char *table;
    apr_size_t len;

    len = strlen(text);
    table = len < size ? text + len + 1 : NULL;
    fault = amgr_source_mod_status(text, table, "fuzz", NULL, &source, pool);
    if (fault != NULL) {
        check(fault->text[0] != '\0' && strchr(fault->text, '\n') == NULL);
        check(fault->exit_code == AMGR_EXIT_FAILED);
    }
    else {
        check_view(&source.view);
    }
    apr_pool_destroy(pool);
    free(text);
    return 0;
}
