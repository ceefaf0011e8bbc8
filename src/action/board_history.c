/* SPDX-License-Identifier: Apache-2.0
 *
 * The board's region of history.  A writer that died leaves an odd sequence
 * number and perhaps half a sample: the next one mends it before it goes on.
 */
#include <string.h>

#include "action/board_layout.h"
#include "action/seqlock.h"

void amgr_board_write_history(amgr_board_t *board,
                              const amgr_snapshot_t *snapshot,
                              apr_uint64_t retired_total,
                              apr_interval_time_t interval_us)
{
    amgr_board_history_t *region = amgr_board_at_rw(board, board->at.history);
    int was_cut_short = region->seq % 2 != 0;

    amgr_seq_begin_write(&region->seq);
    if (was_cut_short) {
        amgr_history_mend(&region->history);
    }
    amgr_history_add(&region->history, snapshot, retired_total, interval_us);
    amgr_seq_end_write(&region->seq);
}

apr_status_t amgr_board_read_history(const amgr_board_t *board, int span,
                                     int max, amgr_history_sample_t *storage,
                                     amgr_history_series_t *out)
{
    const amgr_board_history_t *region =
        amgr_board_at(board, board->at.history);
    apr_uint64_t seq;
    int i;

    for (i = 0; i < AMGR_SEQ_TRIES; i++) {
        seq = amgr_seq_begin_read(&region->seq);
        if (seq % 2 != 0) {
            continue;
        }
        amgr_history_copy(&region->history, span, max, storage, out);
        if (amgr_seq_is_stable(&region->seq, seq)) {
            amgr_history_mend_series(out, storage);
            return APR_SUCCESS;
        }
    }
    memset(out, 0, sizeof(*out));
    return APR_EAGAIN;
}

void amgr_board_carry_history(amgr_board_t *board, const amgr_board_t *old)
{
    amgr_board_history_t *region = amgr_board_at_rw(board, board->at.history);
    const amgr_board_history_t *from = amgr_board_at(old, old->at.history);

    amgr_seq_begin_write(&region->seq);
    memcpy(&region->history, &from->history, sizeof(region->history));
    amgr_history_mend(&region->history);
    amgr_seq_end_write(&region->seq);
}
