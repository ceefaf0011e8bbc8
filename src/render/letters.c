/* SPDX-License-Identifier: Apache-2.0
 *
 * See letters.h.  From the view's source of slots, or from the slots that its
 * snapshot holds, which stand in the order of pids.
 */
#include "render/letters.h"

#include <string.h>

/* Slots in a row of the scoreboard, as far as can be seen. */
static apr_int64_t row_width(const amgr_snapshot_t *snapshot)
{
    apr_int64_t width = snapshot->server.threads_per_process;
    int i;

    for (i = 0; i < snapshot->slot_count; i++) {
        if (snapshot->slots[i].thread >= width) {
            width = (apr_int64_t)snapshot->slots[i].thread + 1;
        }
    }
    return width > 0 ? width : 1;
}

/* Place of the slot among the letters, negative when it has none. */
static apr_int64_t letter_index(const amgr_slot_t *slot, apr_int64_t width)
{
    if (slot->process_slot < 0 || slot->thread < 0) {
        return -1;
    }
    return slot->process_slot * width + slot->thread;
}

/* As many as the snapshot's slots need. */
static apr_int64_t count_letters(const amgr_snapshot_t *snapshot)
{
    apr_int64_t width = row_width(snapshot);
    apr_int64_t count = snapshot->server.max_workers;
    int i;

    for (i = 0; i < snapshot->slot_count; i++) {
        apr_int64_t index = letter_index(&snapshot->slots[i], width);

        if (index >= count) {
            count = index + 1;
        }
    }
    return count;
}

/* Letters from the @a base on, of slots that the snapshot holds. */
static void gather_letters(const amgr_snapshot_t *snapshot, apr_int64_t base,
                           char *letters, int count)
{
    apr_int64_t width = row_width(snapshot);
    int i;

    memset(letters, '.', (apr_size_t)count);
    for (i = 0; i < snapshot->slot_count; i++) {
        const amgr_slot_t *slot = &snapshot->slots[i];
        apr_int64_t at = letter_index(slot, width) - base;

        if (at >= 0 && at < count) {
            letters[at] = amgr_mode_letter(slot->mode);
        }
    }
}

apr_int64_t amgr_letters_count(const amgr_view_t *view)
{
    return view->source != NULL ? view->source->letter_count
                                : count_letters(view->snapshot);
}

void amgr_letters_read(const amgr_view_t *view, apr_int64_t first, char *out,
                       int count)
{
    if (view->source != NULL) {
        view->source->read_letters(view->source->baton, first, out, count);
    }
    else {
        gather_letters(view->snapshot, first, out, count);
    }
}
